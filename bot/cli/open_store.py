"""How commands open the database when they need nothing else: no channel logs in."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import date

from bot.cli.configuration import configuration
from bot.cli.console import complain
from bot.cli.startup import CommandError
from bot.model import Cadence, Edition
from bot.runtime import logs
from bot.runtime.supervisor import backoffs, clock
from bot.store import OutOfReachError, Store, edition_queries
from bot.store.restore import skip_restored


@asynccontextmanager
async def stored(*, as_it_is: bool = False, hidden: Sequence[str] = ()) -> AsyncIterator[Store]:
    """Open the database of the settings, upgraded as at every start, or `as_it_is`.

    `hidden` are secrets, beside those in the settings, that the log must not show. Raises SettingsError, StoreError.
    """
    here = configuration()
    logs.configure(here.core.log_format, [*here.secrets, *hidden], level=logging.ERROR)
    store = Store.open(here.core.database_url.get_secret_value(), here.home)
    try:
        if not as_it_is:
            await store.migrate()
            await skip_restored(store, clock())
        yield store
    finally:
        await store.close()


async def wait_for_database() -> None:
    """Ask for the database of the settings until its server answers, and say once why it does not.

    After a power cut the server may start later than this program. Raises SettingsError, StoreError for whatever
    waiting does not mend.
    """
    here = configuration()
    store, waits, told = Store.open(here.core.database_url.get_secret_value(), here.home), backoffs(), ""
    try:
        while True:
            try:
                await store.version()
                break
            except OutOfReachError as error:
                if str(error) != told:
                    complain(f"{error} It is asked again until it answers.")
                    told = str(error)
            await asyncio.sleep(next(waits))
    finally:
        await store.close()
    if told:
        complain("The database answers.")


async def require_edition(store: Store, day: date | None, cadence: Cadence = Cadence.DAY) -> Edition:
    """The edition of the period that ends on `day`, or the latest. Raises CommandError if there is none."""
    edition = await find_edition(store, day, cadence)
    if edition is None:
        raise CommandError(f"There is no edition{f' of {day}' if day else ' yet'}; `papers publish` publishes one.")
    return edition


async def find_edition(store: Store, day: date | None, cadence: Cadence = Cadence.DAY) -> Edition | None:
    """The edition of the period that ends on `day`, or the latest; None if there is none."""
    async with store.read() as connection:
        if day is None:
            return await edition_queries.latest(connection, cadence)
        return await edition_queries.of_day(connection, cadence, day)
