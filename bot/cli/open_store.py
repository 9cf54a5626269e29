"""How commands that need nothing but the database open it: no channel logs in for them."""

from __future__ import annotations

import logging
import os
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # see bot.cli.startup
    from bot.store import Store


@asynccontextmanager
async def stored(*, as_it_is: bool = False, hidden: Sequence[str] = ()) -> AsyncIterator[Store]:
    """The database of the settings, brought up to date as every start does it, or `as_it_is`.

    `hidden` is kept out of the log, beside what is secret in the settings.
    """
    from bot import settings
    from bot.runtime import logs
    from bot.runtime.supervisor import clock
    from bot.store import Store
    from bot.store.restore import skip_restored

    home = settings.home(os.environ)
    core = settings.read(settings.Settings, settings.environment(home, os.environ))
    logs.configure(core.log_format, [*settings.secrets(core), *hidden], level=logging.ERROR)
    store = Store.open(core.database_url.get_secret_value(), home)
    try:
        if not as_it_is:
            await store.migrate()
            await skip_restored(store, clock())
        yield store
    finally:
        await store.close()
