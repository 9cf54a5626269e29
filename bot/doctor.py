"""`papers doctor`: every setting and every service looked at, each with one sentence for the operator."""

from __future__ import annotations

import difflib
import os
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from bot import app, settings
from bot.channel import Finding
from bot.edition import newest_finished
from bot.feed import Feed, FeedError
from bot.render.words import languages, match
from bot.settings import Settings, SettingsError
from bot.store import Store, StoreError, subscribers
from bot.store.schema import HEAD

FAMILIAR = ("PAPERS_HOME",)
COMING = {"TELEGRAM_TOKEN": "Telegram", "DISCORD_TOKEN": "Discord", "SMTP_HOST": "e-mail"}


async def examine(home: Path, given: Mapping[str, str]) -> list[Finding]:
    """Everything that can be looked at; what is wrong in one place does not keep the others from being seen."""
    try:
        environ = settings.environment(home, given)
        core = settings.read(Settings, environ)
    except SettingsError as error:
        return [Finding("settings", False, str(error))]
    found = [Finding("settings", True, f"read; home is {home}"), *_home(home), *_unknown_names(home)]
    found += [
        Finding(name, False, f"this version has no {what} channel yet; the setting does nothing")
        for name, what in COMING.items()
        if environ.get(name)
    ]
    if match(core.default_language) != core.default_language:
        spoken = ", ".join(languages())
        found.append(
            Finding(
                "DEFAULT_LANGUAGE", False, f"there is no catalogue for {core.default_language}; there are: {spoken}"
            )
        )
    found += await _database(core, home)
    found += await _feed(core)
    found += await _channels(environ, home, core)
    return found


def _home(home: Path) -> list[Finding]:
    if os.access(home, os.W_OK):
        return []
    return [Finding("home", False, f"{home} cannot be written to; set PAPERS_HOME to a folder of your own")]


def _unknown_names(home: Path) -> list[Finding]:
    """Names in .env that nothing reads: most often a slip of the pen."""
    known = set(FAMILIAR) | set(COMING) | set(settings.names(Settings))
    for name in app.CHANNELS:
        known |= set(settings.names(app.settings_class(name)))
    found = []
    for name in settings.environment(home, {}):
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            found.append(
                Finding(
                    ".env", False, f"{name} is no setting" + (f"; did you mean {near[0]}?" if near else "; take it out")
                )
            )
    return found


async def _database(core: Settings, home: Path) -> list[Finding]:
    store = Store.open(core.database_url.get_secret_value(), home)
    try:
        if store.path is not None and not store.path.exists():
            return [Finding("database", True, f"{store.path.name} does not exist yet; the first start makes it")]
        version = await store.version()
        if version != HEAD:
            return [Finding("database", False, f"is at version {version}, not {HEAD}; run `papers migrate`")]
        async with store.read() as connection:
            readers = await subscribers.count(connection)
        return [Finding("database", True, f"version {HEAD}, {readers} subscribers")]
    except (StoreError, OSError) as error:
        return [Finding("database", False, str(error))]
    finally:
        await store.close()


async def _feed(core: Settings) -> list[Finding]:
    day = newest_finished(datetime.now(UTC), core.edition_closes)
    try:
        async with Feed(core.feed_url.get_secret_value()) as feed:
            newest = await feed.newest_day(day)
    except FeedError as error:
        return [Finding("feed", False, f"{error}; check FEED_URL and the network")]
    if newest is None:
        return [Finding("feed", False, "it answers, but lists no finished day; check FEED_URL")]
    return [Finding("feed", True, f"answers; its newest finished day is {newest}")]


async def _channels(environ: Mapping[str, str], home: Path, core: Settings) -> Sequence[Finding]:
    store = Store.open(core.database_url.get_secret_value(), home)
    found: list[Finding] = []
    try:
        for name in app.configured(environ):
            async with app.open_channel(name, environ, home, store) as channel:
                found += await channel.check()
    except SettingsError as error:
        found.append(Finding("channels", False, str(error)))
    finally:
        await store.close()
    return found
