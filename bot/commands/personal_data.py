"""Commands about what is stored of a reader: why an edition came or not, export, erasure, privacy."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import UTC, date, datetime

from bot.channel import CommandName, File, Option, Reply, command_line, edition_line
from bot.channel.command_lines import CONFIRMED
from bot.channel.preference import N_
from bot.commands.autocomplete import suggest_days
from bot.commands.command import Audience, Command, MisreadError, Typed, always, no_arguments, understood
from bot.commands.context import Context
from bot.commands.subscription import LONGEST_PAUSE, settings_option, status_in_words, subscribe_option
from bot.model import Cadence, Edition, Reason, State, Subscriber
from bot.render import typed_values
from bot.render.edition_page import choose
from bot.rules.closing import closing_time
from bot.rules.periods import period_of
from bot.rules.preferences import filters
from bot.store import announcements, edition_queries, reader_history, subscriber_queries
from bot.store.reader_history import HistoryEntry


def parse_why(typed: Typed) -> date | None:
    """A day, None for the latest edition. Raises MisreadError for what is no day, or one too far ahead."""
    if not typed.words:
        return None
    day = understood(typed_values.day(typed.words, typed.latest, typed.w.language))
    if day > typed.latest + LONGEST_PAUSE:
        raise MisreadError
    return day


def parse_forget(typed: Typed) -> bool:
    """Whether the erasure was confirmed."""
    return typed.words.casefold() == CONFIRMED


async def why(context: Context, asked: date | None) -> Reply:
    """Say why the edition of a day (None: the latest) came, or did not."""
    reader, w = context.reader, context.w
    if reader is None:
        says = w.gettext("status.no_subscription")
        return context.reply(says, options=[subscribe_option(w)])
    cadence = reader.preferences.cadence
    day = None if asked is None else period_of(cadence, asked).last
    async with context.store.read() as connection:
        if day is None:
            edition = await edition_queries.latest(connection, cadence)
        else:
            edition = await edition_queries.of_day(connection, cadence, day)
        found, for_readers = None, True
        if edition is not None and edition.id is not None:
            found = await reader_history.entry(connection, reader.id, edition.id)
            for_readers = await reader_history.was_for_readers(connection, edition.id)
    options, status = [settings_option(w)], status_in_words(context)
    if edition is None:
        return context.reply(_no_edition(context, day), status, options=options)
    options.insert(0, Option(w.gettext("why.button_show"), edition_line(cadence, edition.day)))
    named = w.gettext("why.edition_of", day=w.day(edition.day))
    if found is None:
        said = _no_delivery(context, reader, edition, for_readers=for_readers)
    else:
        said = _delivery_in_words(context, found)
    return context.reply(named, said, _filters(context, edition), status, options=options)


def _no_edition(context: Context, day: date | None) -> str:
    w, closes = context.w, context.services.closes
    if day is None:
        return w.gettext("why.no_edition_yet")
    weekend = context.preferences.cadence is Cadence.DAY and day.weekday() >= 5
    if closing_time(day, closes) > context.now and not weekend:
        closing = w.moment(closing_time(day, closes), context.preferences.timezone)
        return w.gettext("why.not_closed_yet", day=w.day(day), moment=closing)
    if weekend:
        return w.gettext("papers.no_edition_weekend", day=w.day(day))
    return w.gettext("why.no_edition", day=w.day(day))


def _no_delivery(context: Context, reader: Subscriber, edition: Edition, *, for_readers: bool) -> str:
    w = context.w
    if reader.created_at is not None and reader.created_at > edition.closed_at:
        return w.gettext("why.subscribed_later")
    if not for_readers:
        return w.gettext("why.closed_late")
    return w.gettext("why.not_due")


def _delivery_in_words(context: Context, entry: HistoryEntry) -> str:
    """The state of a delivery, in a reader's words; a service's own words are never quoted."""
    w, zone = context.w, context.preferences.timezone
    ended = w.moment(entry.ended_at, zone) if entry.ended_at else ""
    match entry.state:
        case State.OWED:
            if entry.attempts:
                return w.gettext("why.retry", moment=w.moment(entry.next_at, zone))
            return w.gettext("why.due", moment=w.moment(entry.next_at, zone))
        case State.SENDING:
            return w.gettext("why.sending")
        case State.SENT:
            return w.gettext("why.sent", moment=ended)
        case State.GONE:
            return w.gettext("why.address_gone")
        case State.BARRED:
            return w.gettext("why.no_right")
        case State.REJECTED:
            return w.gettext("why.rejected")
        case State.EXPIRED:
            if entry.reason_code == Reason.SUPERSEDED:
                return w.gettext("why.superseded")
            return w.gettext("why.too_late")
        case State.SKIPPED:
            return _skipped(context, entry.reason_code)
        case State.UNKNOWN:
            return w.gettext("why.unconfirmed")


def _skipped(context: Context, reason: Reason | None) -> str:
    w = context.w
    match reason:
        case Reason.NO_MATCH:
            return w.gettext("why.filters")
        case Reason.PAUSED:
            return w.gettext("why.paused")
        case Reason.INACTIVE if context.is_reading:
            return w.gettext("why.paused")
        case Reason.NO_RIGHT:
            return w.gettext("why.no_right")
        case Reason.UNSUBSCRIBED | Reason.INACTIVE:
            return w.gettext("why.unsubscribed")
        case Reason.CADENCE_CHANGED:
            return w.gettext("why.other_cadence")
        case Reason.RESTORED:
            return w.gettext("why.restored")
        case _:
            return w.gettext("why.operator")


def _filters(context: Context, edition: Edition) -> str:
    """How many papers of an edition the reader's present filters let through; empty where there are none."""
    wanted, w = context.preferences, context.w
    if not filters(wanted):
        return ""
    left = len(choose(edition.papers, wanted))
    return w.ngettext("why.filters_now", left, total=w.number(len(edition.papers)))


async def export(context: Context, _: str) -> Reply:
    """Send all that is stored about the reader, as a JSON file."""
    w = context.w
    if context.reader is None:
        return context.reply(w.gettext("privacy.nothing_stored"))
    reader = context.reader
    async with context.store.read() as connection:
        sent = await reader_history.entries(connection, reader.id)
        said = await announcements.written_by(connection, str(reader.address))
    known = {
        "address": str(reader.address),
        "status": reader.status,
        "reason": reader.reason,
        "subscribed_at": reader.created_at,
        "paused_until": reader.paused_until,
        "preferences": asdict(reader.preferences),
        "extras": reader.extras,
        "set_up_by": None if reader.set_up_by is None else str(reader.set_up_by),
        "deliveries": [asdict(entry) for entry in sent],
    }
    if said:
        known["announcements"] = [{"written_at": written_at, "text": text} for written_at, text in said]
    content = json.dumps(known, ensure_ascii=False, indent=2, default=_plain).encode()
    return context.reply(
        w.gettext("privacy.export_done"), file=File("morning-papers.json", content, "application/json")
    )


async def forget(context: Context, confirmed: bool) -> Reply:
    """Erase all that is stored about the reader; unless `confirmed`, ask first."""
    w = context.w
    if context.reader is None:
        return context.reply(w.gettext("privacy.nothing_stored"))
    if not confirmed:
        return context.reply(
            w.gettext("privacy.erase_question"),
            options=[
                Option(w.gettext("privacy.erase_button"), command_line(CommandName.FORGET, CONFIRMED)),
                Option(w.gettext("privacy.keep_button"), CommandName.SETTINGS),
            ],
        )
    async with context.store.write() as connection:
        await subscriber_queries.forget(connection, context.reader.id, now=context.now)
    return context.reply(w.gettext("privacy.erased"), w.gettext("privacy.erased_backups"))


async def privacy(context: Context, _: str) -> Reply:
    """Say what is stored, and what is not."""
    w = context.w
    return context.reply(
        w.gettext("privacy.what_is_stored"),
        w.gettext("privacy.what_is_not_stored"),
        w.gettext("privacy.export_and_forget"),
        options=[
            Option(w.gettext("privacy.export_button"), CommandName.EXPORT),
            Option(w.gettext("privacy.forget_button"), CommandName.FORGET),
        ],
    )


def _plain(value: object) -> str:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    return str(value)


COMMANDS = (
    Command(
        CommandName.WHY, N_("help.why"), parse_why, why, examples=("2026-04-29",), suggest=suggest_days, argument="day"
    ),
    Command(CommandName.EXPORT, N_("help.export"), no_arguments, export, audience=Audience.EVERYBODY, changes=always),
    Command(CommandName.FORGET, N_("help.forget"), parse_forget, forget, audience=Audience.EVERYBODY, changes=always),
    Command(CommandName.PRIVACY, N_("help.privacy"), no_arguments, privacy, audience=Audience.EVERYBODY),
)
