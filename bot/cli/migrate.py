"""`papers migrate`: the database upgraded."""

from __future__ import annotations

from typing import Annotated

import typer

from bot.cli.configuration import configuration
from bot.cli.console import say
from bot.cli.startup import DONE, execute
from bot.store import Store, upgrade
from bot.store.schema import HEAD

UP_TO_DATE = "The database is up to date."


def migrate(
    check: Annotated[
        bool, typer.Option("--check", help="Change nothing: say what would change, how long it takes, what must stop.")
    ] = False,
) -> None:
    """Upgrade the database to this version of the program.

    Every start does the same. An SQLite file is copied first.
    """
    execute(_migrate(check))


async def _migrate(check: bool) -> int:
    here = configuration()
    store = Store.open(here.core.database_url.get_secret_value(), here.home)
    try:
        for line in await _upgrade_plan(store) if check else [await store.migrate() or UP_TO_DATE]:
            say(line)
    finally:
        await store.close()
    return DONE


async def _upgrade_plan(store: Store) -> list[str]:
    """What `papers migrate` would do, line by line. Raises StoreError."""
    version = await store.version()
    if version == HEAD:
        return [UP_TO_DATE]
    if version is None:
        return [f"There are no tables yet: the first start makes them, version {HEAD}."]
    async with store.read() as connection:
        rows, seconds = await upgrade.estimate(connection, store.path, version)
        running = await upgrade.running(connection, store.path)
    lines = [f"The database is at version {version}; this program needs {HEAD}. It would change as follows."]
    lines += [f"{step.revision}: {step.does}" for step in upgrade.pending(version)]
    lines.append(f"Estimated time, for {rows:,} rows: {max(1, round(seconds))} s.")
    if not upgrade.needs_standstill(version, store.path):
        lines.append("No process has to stop.")
    elif running:
        lines.append(f"Stop these first: {'; '.join(running)}; and standby and web processes.")
    else:
        lines.append("No process holds a lock now; standby and web processes have to stop as well.")
    return lines
