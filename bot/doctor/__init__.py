"""`papers doctor`: every setting and every service checked, each with one sentence for the operator."""

from __future__ import annotations

import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

from bot import channel_loader, settings
from bot.channel import Finding
from bot.doctor import database_checks, picture_checks, services, settings_checks, speech_checks
from bot.settings import SettingsError
from bot.store import Store

__all__ = ["examine"]


async def examine(home: Path, given: Mapping[str, str]) -> list[Finding]:
    """Check everything that can be checked; a fault in one place does not keep the others from being checked.

    Nothing is created and nothing changed.
    """
    try:
        environ = settings.environment(home, given)
    except SettingsError as error:
        return [Finding("settings", False, str(error))]
    found = settings_checks.check(home, environ)
    if not all(finding.ok for finding in found if finding.subject == "settings"):
        return found
    core, now = channel_loader.core_settings(environ), datetime.now(UTC)
    store = Store.open(core.database_url.get_secret_value(), home)
    try:
        database, usable = await database_checks.check(store, home, environ, now)
        found += database
        found += await services.check_feed(core, now)
        found += await services.check_clock(core, store)
        async with _tables(store if usable else None) as tables:
            found += await services.check_model(core, tables, now)
            found += await speech_checks.check_speech(core, environ)
            found += picture_checks.check_pictures(core, home)
            found += services.check_alerts(core, environ)
            found += services.check_web(core, environ)
            found += await services.check_channels(environ, home, tables, now)
    finally:
        await store.close()
    return found


@asynccontextmanager
async def _tables(store: Store | None) -> AsyncIterator[Store]:
    """A database for what the model and the channels look up: the real one, else an empty one that is thrown away."""
    if store is not None:
        yield store
        return
    with tempfile.TemporaryDirectory(prefix="papers-doctor") as folder:
        empty = Store.open("sqlite:///empty.db", Path(folder))
        try:
            await empty.migrate()
            yield empty
        finally:
            await empty.close()
