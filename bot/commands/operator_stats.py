"""The operators' command `stats`: readers, the latest editions, channels, the feed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta

from bot.channel import Reply, Row
from bot.channel.preference import N_
from bot.commands.command import Audience, Command, no_arguments
from bot.commands.context import Context
from bot.delivery.alerts import states_in_words
from bot.model import Cadence, Status
from bot.render.catalogue import languages
from bot.render.edition_page import heading
from bot.render.words import Words, own_name
from bot.rules.closing import ClosingState
from bot.rules.outcomes import ChannelState
from bot.store import channel_state, closing_state, listening_outages
from bot.store.listening_outages import ListeningOutage
from bot.store.stats import Latest, ReaderCounts, census, known_accounts
from bot.store.stats import latest as latest_editions

WEEK = timedelta(days=7)
"""Age of the subscriptions that are counted as new."""


async def stats(context: Context, _: str) -> Reply:
    """Show counts and states, for the channels that are set up and those that have readers."""
    async with context.store.read() as connection:
        counted = await census(connection, since=context.now - WEEK)
        latest = await latest_editions(connection)
        names = sorted({*context.services.channels, *await known_accounts(connection)})
        states = {name: await channel_state.load(connection, name) for name in names}
        outages = await listening_outages.load(connection)
        known = await closing_state.load(connection)
    rows = [
        *_readers(context.w, counted),
        *(_edition(context.w, each) for each in latest),
        *(
            Row(
                context.w.gettext("stats.channel", channel=name),
                " · ".join(filter(None, [_channel(context, states[name]), _outage(context, outages.get(name))])),
            )
            for name in names
        ),
        Row(context.w.gettext("stats.feed"), _feed(context, known)),
    ]
    return context.reply(context.w.gettext("stats.intro"), rows=rows)


def _readers(w: Words, counted: ReaderCounts) -> Iterator[Row]:
    for status, count in counted.statuses.items():
        yield Row(w.gettext("stats.readers_with_status", status=_status(status, w)), w.number(count))
    for channel, count in counted.channels.items():
        yield Row(w.gettext("stats.readers_on_channel", channel=channel), w.number(count))
    for tag, count in counted.languages.items():
        language = own_name(tag) if tag in languages() else tag
        yield Row(w.gettext("stats.readers_in_language", language=language), w.number(count))
    yield Row(w.gettext("stats.new_readers"), w.number(counted.new))


def _status(status: Status, w: Words) -> str:
    return {
        Status.PENDING: w.gettext("reader_status.pending"),
        Status.ACTIVE: w.gettext("reader_status.active"),
        Status.PAUSED: w.gettext("reader_status.paused"),
        Status.UNSUBSCRIBED: w.gettext("reader_status.unsubscribed"),
        Status.GONE: w.gettext("reader_status.gone"),
    }[status]


def _edition(w: Words, latest: Latest) -> Row:
    if isinstance(latest.kind, Cadence):
        title = heading(w, latest.kind, latest.day)
    else:
        title = w.gettext("edition.heading", title=w.gettext("stats.announcement"), date=w.day(latest.day))
    states = states_in_words(dict(sorted(latest.states.items())), w)
    return Row(title, states or w.gettext("stats.archive_only"))


def _channel(context: Context, state: ChannelState) -> str:
    w, zone = context.w, context.preferences.timezone
    if state.halted_at is not None:
        return _because(w.gettext("stats.channel_halted", moment=w.moment(state.halted_at, zone)), state.halted_for)
    if state.waits_until is not None and state.waits_until > context.now:
        return _because(w.gettext("stats.channel_waits", moment=w.moment(state.waits_until, zone)), state.waits_for)
    return w.gettext("stats.channel_delivers")


def _outage(context: Context, outage: ListeningOutage | None) -> str:
    """Since when a channel receives nothing; empty where it does."""
    if outage is None:
        return ""
    moment = context.w.moment(outage.since, context.preferences.timezone)
    return _because(context.w.gettext("stats.not_listening", moment=moment), outage.reason)


def _because(said: str, reason: str | None) -> str:
    """Add a reason; operators are shown the service's own words."""
    return f"{said}: {reason}" if reason else said


def _feed(context: Context, known: ClosingState) -> str:
    w, zone = context.w, context.preferences.timezone
    said: Sequence[str] = [
        w.gettext("stats.feed_unreachable", moment=w.moment(known.failing_since, zone))
        if known.failing_since is not None
        else "",
        w.gettext("stats.feed_read", moment=w.moment(known.polled_at, zone))
        if known.polled_at is not None
        else w.gettext("stats.feed_not_read"),
    ]
    return " · ".join(filter(None, said))


COMMANDS = (Command("stats", N_("help.stats"), no_arguments, stats, audience=Audience.OPERATORS),)
