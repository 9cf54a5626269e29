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
    """A day, None for the latest edition."""
    if not typed.words:
        return None
    day = understood(typed_values.day(typed.words, typed.latest))
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
        says = w.gettext("There is no subscription here, so nothing is sent.")
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
    options.insert(0, Option(w.gettext("Show it"), edition_line(cadence, edition.day)))
    named = w.gettext("The edition of {day}:", day=w.day(edition.day))
    if found is None:
        said = _no_delivery(context, reader, edition, for_readers=for_readers)
    else:
        said = _delivery_in_words(context, found)
    return context.reply(named, said, _filters(context, edition), status, options=options)


def _no_edition(context: Context, day: date | None) -> str:
    w, closes = context.w, context.services.closes
    if day is None:
        return w.gettext("There has been no edition yet.")
    weekend = context.preferences.cadence is Cadence.DAY and day.weekday() >= 5
    if closing_time(day, closes) > context.now and not weekend:
        closing = w.moment(closing_time(day, closes), context.preferences.timezone)
        return w.gettext(
            "The edition of {day} is closed on {moment}; you get it at your next hour after that.",
            day=w.day(day),
            moment=closing,
        )
    if weekend:
        return w.gettext("There is no edition of {day}: no papers are listed on weekends.", day=w.day(day))
    return w.gettext(
        "There is no edition of {day}: no papers were listed, or the list could not be read yet.", day=w.day(day)
    )


def _no_delivery(context: Context, reader: Subscriber, edition: Edition, *, for_readers: bool) -> str:
    w = context.w
    if reader.created_at is not None and reader.created_at > edition.closed_at:
        return w.gettext("You subscribed after it was closed.")
    if not for_readers:
        return w.gettext(
            "It was closed late, because the newsletter had been out of order, and went to the archive alone."
        )
    return w.gettext(
        "It was not meant for you: when it closed you were paused or unsubscribed, or got editions of another kind."
    )


def _delivery_in_words(context: Context, entry: HistoryEntry) -> str:
    """The state of a delivery, in a reader's words; a service's own words are never quoted."""
    w, zone = context.w, context.preferences.timezone
    ended = w.moment(entry.ended_at, zone) if entry.ended_at else ""
    match entry.state:
        case State.OWED:
            if entry.attempts:
                return w.gettext(
                    "It could not be delivered yet. The next try is on {moment}.", moment=w.moment(entry.next_at, zone)
                )
            return w.gettext("It is due on {moment}.", moment=w.moment(entry.next_at, zone))
        case State.SENDING:
            return w.gettext("It is being sent.")
        case State.SENT:
            return w.gettext("It was sent on {moment}.", moment=ended)
        case State.GONE:
            return w.gettext("It could not be delivered: this address did not take messages from us any more.")
        case State.BARRED:
            return w.gettext("It could not be delivered: we had no right to post here.")
        case State.REJECTED:
            return w.gettext(
                "It could not be delivered: the service refused the message. That was our fault, not yours."
            )
        case State.EXPIRED:
            if entry.reason_code == Reason.SUPERSEDED:
                return w.gettext("It could not be delivered before the next one was there, which took its place.")
            return w.gettext("It could not be delivered in time, and was dropped rather than sent late.")
        case State.SKIPPED:
            return _skipped(context, entry.reason_code)
        case State.UNKNOWN:
            return w.gettext("It was sent, but the service never said whether it arrived.")


def _skipped(context: Context, reason: Reason | None) -> str:
    w = context.w
    match reason:
        case Reason.NO_MATCH:
            return w.gettext("It was not sent: your filters left nothing of it.")
        case Reason.PAUSED:
            return w.gettext("It was not sent: you had paused.")
        case Reason.INACTIVE if context.is_reading:
            return w.gettext("It was not sent: you had paused.")
        case Reason.NO_RIGHT:
            return w.gettext("It could not be delivered: we had no right to post here.")
        case Reason.UNSUBSCRIBED | Reason.INACTIVE:
            return w.gettext("It was not sent: you had unsubscribed.")
        case Reason.CADENCE_CHANGED:
            return w.gettext("It was not sent: you had chosen another kind of edition.")
        case Reason.RESTORED:
            return w.gettext(
                "It was not sent, because it may have been sent before: the newsletter was restored from a backup."
            )
        case _:
            return w.gettext("It was not sent: whoever runs the newsletter decided so.")


def _filters(context: Context, edition: Edition) -> str:
    """How many papers of an edition the reader's present filters let through; empty where there are none."""
    wanted, w = context.preferences, context.w
    if not filters(wanted):
        return ""
    left = len(choose(edition.papers, wanted))
    return w.ngettext(
        "By your filters as they are now, {n} of its {total} papers is left.",
        "By your filters as they are now, {n} of its {total} papers are left.",
        left,
        total=w.number(len(edition.papers)),
    )


async def export(context: Context, _: str) -> Reply:
    """Send all that is stored about the reader, as a JSON file."""
    w = context.w
    if context.reader is None:
        return context.reply(w.gettext("Nothing is stored about you."))
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
        w.gettext("This is all that is stored about you."),
        file=File("morning-papers.json", content, "application/json"),
    )


async def forget(context: Context, confirmed: bool) -> Reply:
    """Erase all that is stored about the reader; unless `confirmed`, ask first."""
    w = context.w
    if context.reader is None:
        return context.reply(w.gettext("Nothing is stored about you."))
    if not confirmed:
        return context.reply(
            w.gettext("This erases your subscription, your settings and what was sent to you, at once and for good."),
            options=[
                Option(w.gettext("Erase everything"), command_line(CommandName.FORGET, CONFIRMED)),
                Option(w.gettext("Keep everything"), CommandName.SETTINGS),
            ],
        )
    async with context.store.write() as connection:
        await subscriber_queries.forget(connection, context.reader.id, now=context.now)
    return context.reply(
        w.gettext("Everything about you has been erased. Nothing is sent any more."),
        w.gettext("Copies of the database that were made before may still hold it until they are thrown away."),
    )


async def privacy(context: Context, _: str) -> Reply:
    """Say what is stored, and what is not."""
    w = context.w
    return context.reply(
        w.gettext(
            "Stored are the address that editions are sent to, your settings, when you subscribed, "
            "and what became of each edition, for 60 days."
        ),
        w.gettext(
            "Not stored are your name, what you write beside commands, and what you read or tap. "
            "Nothing is passed on to anybody."
        ),
        w.gettext("“export” gives you all of it, “forget” erases it."),
        options=[Option(w.gettext("Export"), CommandName.EXPORT), Option(w.gettext("Forget me"), CommandName.FORGET)],
    )


def _plain(value: object) -> str:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    return str(value)


COMMANDS = (
    Command(
        name=CommandName.WHY,
        purpose=N_("Why an edition came, or did not come"),
        parse=parse_why,
        run=why,
        examples=("2026-04-29",),
        suggest=suggest_days,
        argument="day",
    ),
    Command(
        name=CommandName.EXPORT,
        purpose=N_("Get all that is stored about you, as a file"),
        parse=no_arguments,
        run=export,
        audience=Audience.EVERYBODY,
        changes=always,
    ),
    Command(
        name=CommandName.FORGET,
        purpose=N_("Erase all that is stored about you"),
        parse=parse_forget,
        run=forget,
        audience=Audience.EVERYBODY,
        changes=always,
    ),
    Command(
        name=CommandName.PRIVACY,
        purpose=N_("What is stored about you, and what is not"),
        parse=no_arguments,
        run=privacy,
        audience=Audience.EVERYBODY,
    ),
)
