"""Checks of the configuration: every setting and every service, each with one sentence for the operator."""

from __future__ import annotations

import difflib
import os
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from bot import app, settings
from bot.channel import Finding
from bot.delivery.alerts import log_alert
from bot.delivery.session import Session
from bot.model import Style
from bot.publishing.feed import Feed, FeedError, sample
from bot.render.words import languages, match, own_name
from bot.rules.closing import newest_finished
from bot.rules.outcomes import ChannelState
from bot.runtime.clock import Clock
from bot.settings import Settings, SettingsError
from bot.store import (
    DatabaseFault,
    Store,
    StoreError,
    channel_state,
    listening_outages,
    stats,
    subscriber_queries,
)
from bot.store.schema import HEAD
from bot.store.text_queries import TextState
from bot.summaries.wanted import WantedText, WantedTexts
from bot.summaries.writer import Writer
from bot.web.settings import WebSettings

FAMILIAR = ("PAPERS_HOME",)
"""Names in `.env` that are no settings but do no harm there."""


async def examine(home: Path, given: Mapping[str, str]) -> list[Finding]:
    """Check everything that can be checked; a fault in one place does not keep the others from being checked."""
    try:
        environ = settings.environment(home, given)
        core = settings.read(Settings, environ)
        pages = settings.read(WebSettings, environ)
    except SettingsError as error:
        return [Finding("settings", False, str(error))]
    found = [Finding("settings", True, f"valid; home is {home}"), *_home(home), *_unknown_names(home)]
    if match(core.default_language) != core.default_language:
        spoken = ", ".join(languages())
        found.append(
            Finding(
                "DEFAULT_LANGUAGE", False, f"there is no catalogue for {core.default_language}; there are: {spoken}"
            )
        )
    found += await _database(core, home, app.configured(environ))
    found += await _feed(core)
    found += await _clock(core, home)
    found += await _model(core, home)
    found += _alerts(core, environ)
    found += _web(core, pages)
    found += await _channels(environ, home, core)
    return found


def _alerts(core: Settings, environ: Mapping[str, str]) -> list[Finding]:
    """Check that alerts reach somebody."""
    used = app.configured(environ)
    unreachable = f"is not set up, so alerts do not reach its admins; set up are: {', '.join(used)}"
    found = [
        Finding("ADMINS", False, f"{admin.channel} {unreachable}") for admin in core.admins if admin.channel not in used
    ]
    if core.admins and not found:
        found.append(Finding("ADMINS", True, f"alerts go to {len(core.admins)} addresses"))
    if core.heartbeat_url is not None:
        found.append(Finding("HEARTBEAT_URL", True, "is called after every successful poll"))
    return found


def _web(core: Settings, pages: WebSettings) -> list[Finding]:
    """Check the web server's address, and say what it cannot do without one."""
    if pages.port is None and not core.public_url:
        return []
    if not core.public_url:
        says = f"pages are served on port {pages.port}; without PUBLIC_URL messages do not link to them"
        return [Finding("web", True, says)]
    if not core.public_url.startswith("https://"):
        says = "PUBLIC_URL is not https: mail programs offer no one-click unsubscribe, and Telegram cannot use webhooks"
        return [Finding("web", False, f"{says}; put an HTTPS reverse proxy in front of it")]
    return [Finding("web", True, f"pages are served for {core.public_url}")]


def _home(home: Path) -> list[Finding]:
    if os.access(home, os.W_OK):
        return []
    return [Finding("home", False, f"{home} is not writable; set PAPERS_HOME to a folder of your own")]


def _unknown_names(home: Path) -> list[Finding]:
    """Find names in `.env` that no setting has, most often misspelt."""
    known = set(FAMILIAR) | set(settings.names(Settings)) | set(settings.names(WebSettings))
    for name in app.CHANNELS:
        known |= set(settings.names(app.settings_class(name)))
    found = []
    for name in settings.environment(home, {}):
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            found.append(
                Finding(
                    ".env",
                    False,
                    f"{name} is not a setting" + (f"; did you mean {near[0]}?" if near else "; remove it"),
                )
            )
    return found


async def _database(core: Settings, home: Path, used: Sequence[str]) -> list[Finding]:
    store = Store.open(core.database_url.get_secret_value(), home)
    try:
        if store.path is not None and not store.path.exists():
            return [Finding("database", True, f"{store.path.name} does not exist yet; the first start creates it")]
        version = await store.version()
        if version != HEAD:
            return [Finding("database", False, f"is at version {version}, not {HEAD}; run `papers migrate`")]
        async with store.read() as connection:
            readers = await subscriber_queries.count(connection)
            reached = await stats.active_by_channel(connection)
        return [
            Finding("database", True, f"version {HEAD}, {readers} subscribers"),
            *(
                Finding(name, False, f"is not set up, and {count} subscribers there get nothing; see docs/settings.md")
                for name, count in reached.items()
                if name not in used
            ),
        ]
    except (DatabaseFault, StoreError, OSError) as error:
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
        return [Finding("feed", False, "answers, but lists no finished day; check FEED_URL")]
    return [Finding("feed", True, f"answers; its newest finished day is {newest}")]


async def _clock(core: Settings, home: Path) -> list[Finding]:
    """Compare this machine's clock with the database server's and the feed's."""
    store = Store.open(core.database_url.get_secret_value(), home)
    try:
        async with Feed(core.feed_url.get_secret_value()) as feed:
            clock = Clock({"database": store.server_time, "feed": feed.server_time}, log_alert)
            verdict = await clock.measure()
    finally:
        await store.close()
    if not verdict.asked:
        return [Finding("clock", True, "cannot be compared: neither a database server nor the feed tells the time")]
    if not verdict.apart:
        return [Finding("clock", True, f"agrees with {' and '.join(verdict.asked)}")]
    follows = "nothing expires until they agree" if verdict.in_doubt else "their time is used"
    return [
        Finding("clock", False, f"differs from others ({verdict.apart}), {follows}; set this machine's clock (NTP)")
    ]


async def _model(core: Settings, home: Path) -> list[Finding]:
    """Check that the language model answers and passes the guard in each language, and what a day of it costs."""
    if not core.endpoints:
        return [
            Finding("model", True, "none is set up (LLM_BASE_URL); styles that need one show the feed's own sentence")
        ]
    from bot.summaries.llm import Endpoint, Model, ModelError

    now, store = datetime.now(UTC), Store.open(core.database_url.get_secret_value(), home)
    asked = [ranked.paper for ranked in sample.edition().papers][:2]
    timeout = core.llm_timeout.total_seconds()
    found: list[Finding] = []
    cost: list[int] = []
    try:
        async with Model([Endpoint(*each) for each in core.endpoints], timeout=timeout) as model:
            writer = Writer(store, model, concurrency=1, budget=0)
            wanted = await _wanted(store, now)
            spoken = sorted({task.language for task in wanted}) or [match(core.default_language)]
            for language in spoken:
                task = WantedText(asked[0], language, Style.HIGHLIGHTS, 1.0, asked[1:])
                written = await writer.try_out(task, now)
                cost.append(written.tokens)
                says = f"its {own_name(language)} is rejected: {' '.join(written.faults)}"
                good = written.verdict is TextState.ACCEPTED
                found.append(Finding("model", good, f"its {own_name(language)} passes" if good else says))
    except (ModelError, ValueError) as error:
        return [Finding("model", False, f"{error}; until it answers, readers get the feed's own sentences")]
    finally:
        await store.close()
    a_day = len(wanted) * sum(cost) // max(1, len(cost))
    affordable = not core.llm_budget_tokens or a_day <= core.llm_budget_tokens
    says = f"a day costs about {a_day:,} tokens with the current readers ({len(wanted)} texts)"
    more = "" if affordable else ", more than LLM_BUDGET_TOKENS: the least wanted texts are not generated"
    return [*found, Finding("model", affordable, says + more)]


async def _wanted(store: Store, now: datetime) -> list[WantedText]:
    """The texts that the newest editions need."""
    if (store.path is not None and not store.path.exists()) or await store.version() != HEAD:
        return []
    return await WantedTexts(store).wanted(now)


async def _channels(environ: Mapping[str, str], home: Path, core: Settings) -> Sequence[Finding]:
    store = Store.open(core.database_url.get_secret_value(), home)
    found: list[Finding] = []
    try:
        for name in app.configured(environ):
            async with Session(app.open_channel(name, environ, home, store)) as session:
                found += await session.findings()
            found += await channel_findings(store, name)
    except (SettingsError, StoreError) as error:
        found.append(Finding("channels", False, str(error)))
    finally:
        await store.close()
    return found


async def channel_findings(store: Store, channel: str) -> list[Finding]:
    """Report a channel that is halted, waiting, or not listening."""
    if (store.path is not None and not store.path.exists()) or await store.version() != HEAD:
        return []
    async with store.read() as connection:
        state = await channel_state.load(connection, channel)
        outage = (await listening_outages.load(connection)).get(channel)
    deaf = [] if outage is None else [Finding(channel, False, outage.says)]
    return [*deaf, *_circuit(channel, state)]


def _circuit(channel: str, state: ChannelState) -> list[Finding]:
    if state.halted_at is not None:
        says = f"has halted ({state.halted_for}); fix that, then run `papers resume {channel}`"
        return [Finding(channel, False, says)]
    if state.waits_until is not None and state.waits_until > datetime.now(UTC):
        return [Finding(channel, False, f"waits until {state.waits_until:%Y-%m-%d %H:%M} UTC ({state.waits_for})")]
    return []
