"""`papers migrate`: the database upgraded."""

from __future__ import annotations

from bot.cli.configuration import configuration
from bot.cli.console import say
from bot.cli.startup import DONE, execute
from bot.store import Store


def migrate() -> None:
    """Upgrade the database to this version of the program.

    Every start does the same. An SQLite file is copied first.
    """
    execute(_migrate())


async def _migrate() -> int:
    here = configuration()
    store = Store.open(here.core.database_url.get_secret_value(), here.home)
    try:
        say((await store.migrate()) or "The database is up to date.")
    finally:
        await store.close()
    return DONE
