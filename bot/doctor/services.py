"""Checks of what is outside: the feed, the language model, the channels' services, and whom alerts and links reach."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

from bot import channel_loader, settings
from bot.channel import Channel, Finding
from bot.delivery.session import Session
from bot.publishing.feed import Feed, FeedError, sample
from bot.rules.closing import newest_finished
from bot.rules.outcomes import ChannelState
from bot.runtime.clock import Clock
from bot.runtime.locks import make_locks
from bot.settings import Settings, SettingsError
from bot.store import Store, channel_state, listening_outages, paid_sends, stats
from bot.summaries.model_check import ModelCheck, second_opinion_finding
from bot.summaries.second_opinion import SecondOpinion
from bot.web.settings import WebSettings


async def check_feed(core: Settings, now: datetime) -> list[Finding]:
    """Check that the feed answers and lists papers."""
    day = newest_finished(now, core.edition_closes)
    try:
        async with Feed(core.feed_url.get_secret_value()) as feed:
            newest = await feed.newest_day(day)
    except FeedError as error:
        return [Finding("feed", False, f"{error}; check FEED_URL and the network")]
    if newest is None:
        return [Finding("feed", False, "answers, but lists no finished day; check FEED_URL")]
    return [Finding("feed", True, f"answers; its newest finished day is {newest}")]


def _quiet(event: str, now: datetime, *, level: int = 0, apart: str = "") -> None:
    """For the clock, whose verdict is a finding here."""


async def check_clock(core: Settings, store: Store) -> list[Finding]:
    """Compare this machine's clock with the database server's and the feed's."""
    async with Feed(core.feed_url.get_secret_value()) as feed:
        verdict = await Clock({"database": store.server_time, "feed": feed.server_time}, _quiet).measure()
    if not verdict.asked:
        return [Finding("clock", True, "cannot be compared: neither a database server nor the feed tells the time")]
    if not verdict.apart:
        return [Finding("clock", True, f"agrees with {' and '.join(verdict.asked)}")]
    follows = "nothing expires until they agree" if verdict.in_doubt else "their time is used"
    return [
        Finding("clock", False, f"differs from others ({verdict.apart}), {follows}; set this machine's clock (NTP)")
    ]


async def check_model(core: Settings, store: Store, now: datetime) -> list[Finding]:
    """Check that the language model answers and is accepted in each language in use, and what a day of it costs."""
    if not core.endpoints:
        return [
            Finding(
                "model",
                True,
                "none is set up (LLM_BASE_URL): styles that need one are not offered, "
                "and highlights are the authors' own sentences",
            )
        ]
    from bot.summaries.llm import Endpoint, Model

    papers = [ranked.paper for ranked in sample.edition().papers][:2]
    endpoints = [Endpoint(*each) for each in core.endpoints]
    try:
        async with Model(endpoints, timeout=core.llm_timeout.total_seconds(), window=core.llm_window) as model:
            check = ModelCheck(model, papers, budget=core.llm_budget_tokens, concurrency=core.llm_concurrency)
            found = await check.findings(store, now)
        if core.check_endpoints:
            checkers = [Endpoint(*each) for each in core.check_endpoints]
            async with Model(checkers, timeout=core.llm_timeout.total_seconds(), window=core.llm_window) as model:
                found.append(await second_opinion_finding(SecondOpinion(store, model), papers[0]))
    except ValueError as error:
        return [Finding("model", False, str(error))]
    return found


def check_alerts(core: Settings, environ: Mapping[str, str]) -> list[Finding]:
    """Check that alerts reach somebody."""
    used = channel_loader.configured(environ)
    unreachable = f"is not set up, so alerts do not reach its admins; set up are: {', '.join(used)}"
    found = [
        Finding("ADMINS", False, f"{admin.channel} {unreachable}") for admin in core.admins if admin.channel not in used
    ]
    if core.admins and not found:
        found.append(Finding("ADMINS", True, f"alerts go to {len(core.admins)} addresses"))
    if core.heartbeat_url is not None:
        found.append(Finding("HEARTBEAT_URL", True, "is called after every successful poll"))
    return found


def check_web(core: Settings, environ: Mapping[str, str]) -> list[Finding]:
    """Check the web server's address, and say what it cannot do without one."""
    pages = settings.read(WebSettings, environ)
    if pages.port is None and not core.public_url:
        return []
    if not core.public_url:
        says = f"pages are served on port {pages.port}; without PUBLIC_URL messages do not link to them"
        return [Finding("web", True, says)]
    if not core.public_url.startswith("https://"):
        says = "PUBLIC_URL is not https: mail programs offer no one-click unsubscribe, and Telegram cannot use webhooks"
        return [Finding("web", True, f"{says}; put an HTTPS reverse proxy in front of it", advice=True)]
    return [Finding("web", True, f"pages are served for {core.public_url}")]


async def check_channels(environ: Mapping[str, str], home: Path, store: Store, now: datetime) -> list[Finding]:
    """Ask each channel that is set up about its account and service, and tell which ones do not deliver."""
    found: list[Finding] = []
    for each in await channel_loader.accounts(channel_loader.configured(environ), environ, store):
        try:
            channel = channel_loader.open_channel(each.channel, environ, home, store, None, each)
            async with Session(channel) as session:
                found += await session.findings()
            found += await _price(store, channel)
        except SettingsError as error:
            found.append(Finding(each.name, False, str(error)))
        found += await channel_findings(store, each.name, now)
    return found


async def _price(store: Store, channel: Channel) -> list[Finding]:
    """Say what an edition may cost where messages are paid for, and what was paid today."""
    paid = channel.pace.paid
    if paid is None:
        return []
    async with store.read() as connection:
        readers = (await stats.active_by_account(connection)).get(channel.name, 0)
    day, made = await paid_sends.counted(store, channel.name)
    at_once, most = (f"{paid.price * count:,.1f} {paid.currency}" for count in (readers, paid.daily))
    says = (
        f"an edition to its {readers:,} readers costs up to {at_once} if all have the same hour; at most {most} a day"
    )
    return [Finding(channel.name, True, f"{says}; {made:,} messages paid on {day}" if made else says)]


async def channel_findings(store: Store, channel: str, now: datetime) -> list[Finding]:
    """Report a channel that is halted, waiting, or not listening.

    An outage of listening that a process noted which has ended since says nothing about the next one.
    """
    async with store.read() as connection:
        state = await channel_state.load(connection, channel)
        outage = (await listening_outages.load(connection)).get(channel)
    deaf = []
    if outage is not None and not await _is_free(store, f"listen:{channel}"):
        deaf = [Finding(channel, False, outage.says)]
    return [*deaf, *_circuit(channel, state, now), *_counts(channel, state, now)]


async def _is_free(store: Store, role: str) -> bool:
    """Whether no process has a role."""
    locks = make_locks(store.engine.url, store.path)
    try:
        return await locks.is_free(role)
    finally:
        await locks.close()


def _counts(channel: str, state: ChannelState, now: datetime) -> list[Finding]:
    """Today's answers of the service, where it refused anything."""
    said = state.counts.in_words(now)
    waits = any(state.counts.waits_until(each.judge, now) for each in state.counts.judges)
    return [Finding(channel, True, said, advice=waits)] if said else []


def _circuit(channel: str, state: ChannelState, now: datetime) -> list[Finding]:
    if state.halted_at is not None:
        says = f"has halted ({state.halted_for}); fix that, then run `papers resume {channel}`"
        return [Finding(channel, False, says)]
    if state.waits_until is not None and state.waits_until > now:
        says = f"waits until {state.waits_until:%Y-%m-%d %H:%M} UTC ({state.waits_for})"
        return [Finding(channel, True, says, advice=True)]
    return []
