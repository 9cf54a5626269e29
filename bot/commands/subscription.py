"""Commands that start, stop, pause and resume a subscription."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy.ext.asyncio import AsyncConnection

from bot.channel import CommandName, Option, Reply, command_line
from bot.channel.command_lines import ABOUT
from bot.channel.preference import N_
from bot.commands.command import Audience, Command, MisreadError, Typed, always, no_arguments, understood
from bot.commands.context import Context
from bot.model import Address, Preferences, Reason, Status, Style
from bot.render import typed_values
from bot.render.catalogue import languages
from bot.render.edition_page import choose
from bot.render.preference_values import rhythm_in_words
from bot.render.words import Words, own_name, words
from bot.rules.access import Access, Admission
from bot.rules.schedule import Window, welcome
from bot.rules.topics import TopicsError, parse
from bot.store import accounts, audience, edition_queries, pending_deliveries, subscriber_queries

PAUSES = (timedelta(days=7), timedelta(days=14), timedelta(days=30))
"""The lengths of pauses that are offered."""
LONGEST_PAUSE = timedelta(days=366)


@dataclass(frozen=True, slots=True)
class SubscribeArguments:
    """Preferences to begin with, where they are not to be guessed or kept, and an invite code where one is needed."""

    language: str | None = None
    style: Style | None = None
    invite: str | None = None
    topics: tuple[str, ...] = ()


def parse_subscribe(typed: Typed) -> SubscribeArguments:
    """`ko`, `ko-abstract`, `zh-Hans-abstract-CODE`: a language, a style and a code, each of which may be missing.

    Behind them may stand `about diffusion, robots`: topics to begin with. Raises MisreadError for too many topics.
    """
    begins = re.match(rf"(?:(\S+)\s+)?{ABOUT}\s+(.+)", typed.words)
    try:
        topics = parse(begins[2]) if begins else ()
    except TopicsError:
        raise MisreadError from None
    tags = sorted(languages(), key=len, reverse=True)
    language, rest = _leading((begins[1] or "") if begins else typed.words, tags)
    style, rest = _leading(rest, list(Style))
    return SubscribeArguments(language, None if style is None else Style(style), rest.strip() or None, topics)


def _leading(text: str, words: list[str]) -> tuple[str | None, str]:
    """The word that a text with hyphens begins with, and the rest."""
    for word in words:
        if f"{text}-".casefold().startswith(f"{word}-".casefold()):
            return word, text[len(word) :].lstrip("-")
    return None, text


def parse_pause(typed: Typed) -> date | None:
    """The day on which editions come again, None for an open end. Days to come are in the reader's time zone.

    Raises MisreadError for what is no day to come, or one that is more than `LONGEST_PAUSE` away.
    """
    if not typed.words:
        return None
    today = typed.local_today
    until = understood(typed_values.until(typed.words, today, typed.w.language))
    return understood(until if today < until <= today + LONGEST_PAUSE else None)


async def subscribe(context: Context, asked: SubscribeArguments) -> Reply:
    """Subscribe, and owe the latest edition.

    Readers who come back find their preferences as they left them, but for what they ask for. Those who never left, or
    only paused, keep theirs, since anybody can make a link that asks. Of several bots the last one that they started
    reaches them.
    """
    reader, w, access, requester = context.reader, context.w, context.services.access, context.requester
    known = reader is not None and reader.reason_code != Reason.REMOVED
    if not known and not access.admits(requester.address, asked.invite):
        return context.reply(refusal(context, access), ok=False)
    if asked.language is not None and requester.person is None and not context.is_reading:
        w = words(asked.language)
        context = replace(context, w=w)
    async with context.store.write() as connection:
        await audience.lock_editions(connection)
        # Subscribing is the reader's own act, so it lifts a suppression that an earlier act of theirs caused.
        await subscriber_queries.unsuppress(connection, requester.address)
        reader = await subscriber_queries.get(connection, requester.address, lock=True)
        before = context.preferences if reader is None else reader.preferences
        wanted = before
        if reader is None or reader.status not in {Status.ACTIVE, Status.PAUSED}:
            style = asked.style if asked.style in context.services.styles else None
            wanted = replace(
                before,
                language=asked.language or before.language,
                style=style or before.style,
                topics=_together(before.topics, asked.topics),
            )
        if reader is None:
            now = context.now
            await add(connection, requester.address, wanted, welcome_at=now, now=now, set_up_by=requester.person)
        else:
            await subscriber_queries.change(connection, reader, wanted, now=context.now)
            if reader.address.via != requester.address.via:
                await accounts.hand_over(connection, reader.id, requester.address)
            if reader.status is not Status.ACTIVE:
                await subscriber_queries.resume(connection, reader.id)
                await greet(connection, reader.id, requester.address.via, wanted, welcome_at=context.now)
        latest = await edition_queries.latest(connection, wanted.cadence)
    if reader is None:
        first = w.gettext("subscribe.done")
    elif reader.status is Status.ACTIVE:
        first = w.gettext("subscribe.already")
    elif wanted == before:
        first = w.gettext("subscribe.welcome_back")
    else:
        first = w.gettext("subscribe.welcome_back_changed")
    empty = ""
    if latest is not None and not choose(latest.papers, wanted):
        empty = w.gettext("subscribe.filters_empty")
    says = [first, rhythm_in_words(wanted, w, context.now), _other_language(wanted, w), empty]
    return context.reply(*says, options=_changes(wanted, w))


def _other_language(wanted: Preferences, w: Words) -> str:
    """Says in which language editions come, where it is not the one of the answer."""
    if wanted.language == w.language:
        return ""
    return w.gettext("subscribe.in_language", language=own_name(wanted.language))


def _changes(wanted: Preferences, w: Words) -> list[Option]:
    """What may have been guessed wrong; the language of the answer by one tap."""
    options = [
        Option(w.gettext("subscribe.other_zone"), CommandName.ZONE),
        Option(w.gettext("subscribe.other_hour"), CommandName.TIME),
        Option(w.gettext("subscribe.other_language"), CommandName.LANGUAGE),
        settings_option(w),
    ]
    if wanted.language == w.language:
        return options
    return [Option(own_name(w.language), command_line(CommandName.LANGUAGE, w.language)), *options]


def _together(before: tuple[str, ...], asked: tuple[str, ...]) -> tuple[str, ...]:
    """A reader's topics and those asked for; the former alone where there is no room for both."""
    try:
        return parse(", ".join([*before, *asked]))
    except TopicsError:
        return before


async def add(
    connection: AsyncConnection,
    address: Address,
    wanted: Preferences,
    *,
    welcome_at: datetime,
    now: datetime,
    set_up_by: str | None = None,
) -> bool:
    """Add a subscriber and owe them the latest edition from `welcome_at` on. Returns False for a known address."""
    subscriber_id = await subscriber_queries.add(connection, address, wanted, now=now, set_up_by=set_up_by)
    if subscriber_id is None:
        return False
    await greet(connection, subscriber_id, address.via, wanted, welcome_at=welcome_at)
    return True


async def greet(
    connection: AsyncConnection, subscriber_id: int, account: str, wanted: Preferences, *, welcome_at: datetime
) -> None:
    """Owe a subscriber the latest edition, by an account, unless it was owed before."""
    edition_id = await edition_queries.latest_id(connection, wanted.cadence)
    if edition_id is not None:
        due: Window = welcome(subscriber_queries.rhythm(wanted), welcome_at)
        await audience.owe_one(connection, edition_id, subscriber_id, account, due)


async def unsubscribe(context: Context, _: str) -> Reply:
    """Unsubscribe. Preferences are kept for when the reader comes back."""
    w = context.w
    if context.reader is None or context.reader.status is Status.UNSUBSCRIBED:
        return context.reply(w.gettext("unsubscribe.was_not"), options=[subscribe_option(w)])
    async with context.store.write() as connection:
        reader = await subscriber_queries.get(connection, context.requester.address, lock=True)
        if reader is not None:
            await subscriber_queries.unsubscribe(connection, reader.id, now=context.now)
    return context.reply(
        w.gettext("unsubscribe.done"),
        w.gettext("unsubscribe.settings_kept"),
        options=[Option(w.gettext("unsubscribe.undo_button"), CommandName.SUBSCRIBE)],
    )


async def pause(context: Context, until: date | None) -> Reply:
    """Pause until midnight of a day in the reader's time zone, or until they resume."""
    reader, w = context.reader, context.w
    if reader is None or not context.is_reading:
        return not_subscribed(context)
    zone = ZoneInfo(reader.preferences.timezone)
    ends = None if until is None else datetime.combine(until, time(), zone)
    async with context.store.write() as connection:
        await subscriber_queries.pause(connection, reader.id, until=ends, now=context.now)
    said = w.gettext("pause.done") if until is None else w.gettext("pause.done_until", day=w.day(until))
    days = [context.now.astimezone(zone).date() + length for length in PAUSES]
    offered = [
        Option(w.gettext("pause.until_button", day=w.day(day)), command_line(CommandName.PAUSE, f"{day}"))
        for day in days
    ]
    return context.reply(said, options=[Option(w.gettext("resume.button"), CommandName.RESUME), *offered])


async def resume(context: Context, _: str) -> Reply:
    """End a pause; what was skipped because of it is owed again, unless it is too late for that."""
    reader, w = context.reader, context.w
    if reader is None or not context.is_reading:
        return not_subscribed(context)
    async with context.store.write() as connection:
        await audience.lock_editions(connection)
        found = await subscriber_queries.get(connection, context.requester.address, lock=True)
        if found is None or found.status not in {Status.ACTIVE, Status.PAUSED}:
            return not_subscribed(context)
        await subscriber_queries.resume(connection, found.id)
        wanted = found.preferences
        await pending_deliveries.revive(
            connection, found.id, wanted.cadence, subscriber_queries.rhythm(wanted), now=context.now
        )
    rhythm = rhythm_in_words(reader.preferences, w, context.now)
    return context.reply(w.gettext("resume.done"), rhythm, options=[settings_option(w)])


def not_subscribed(context: Context) -> Reply:
    """The reply where there is no subscription to change; it greets a group, too, where people do not know us yet."""
    w = context.w
    what = "" if context.requester.person is None else w.gettext("newsletter.tagline")
    return context.reply(what, w.gettext("status.none_yet"), options=[subscribe_option(w)], ok=False)


def refusal(context: Context, access: Access) -> str:
    """Why somebody is not admitted, and what would change that."""
    w = context.w
    if access.by is Admission.INVITE:
        example = context.typed(command_line(CommandName.SUBSCRIBE, w.gettext("example.invite_code")))
        return w.gettext("subscribe.invitation_only", example=example)
    return w.gettext("subscribe.closed_group", address=context.requester.address)


def status_in_words(context: Context) -> str:
    """One sentence about a subscription: when editions come, or why none do."""
    reader, w = context.reader, context.w
    assert reader is not None
    if reader.status is Status.ACTIVE or (reader.status is Status.PAUSED and not reader.is_paused(context.now)):
        return rhythm_in_words(reader.preferences, w, context.now)
    match reader.status:
        case Status.PAUSED if reader.paused_until is not None:
            return w.gettext("status.paused_until", moment=w.moment(reader.paused_until, reader.preferences.timezone))
        case Status.PAUSED:
            return w.gettext("status.paused")
        case Status.PENDING:
            return w.gettext("status.not_confirmed")
        case Status.GONE:
            return w.gettext("status.unreachable")
        case _:
            return w.gettext("status.unsubscribed")


def subscribe_option(w: Words) -> Option:
    """The button that subscribes."""
    return Option(w.gettext("subscribe.button"), CommandName.SUBSCRIBE)


def settings_option(w: Words) -> Option:
    """The button that shows the settings."""
    return Option(w.gettext("settings.title"), CommandName.SETTINGS)


COMMANDS = (
    Command(
        CommandName.SUBSCRIBE,
        N_("help.subscribe"),
        parse_subscribe,
        subscribe,
        audience=Audience.EVERYBODY,
        changes=always,
    ),
    Command(
        CommandName.UNSUBSCRIBE,
        N_("help.unsubscribe"),
        no_arguments,
        unsubscribe,
        audience=Audience.EVERYBODY,
        changes=always,
    ),
    Command(
        CommandName.PAUSE,
        N_("help.pause"),
        parse_pause,
        pause,
        examples=("", "7", "2026-12-24"),
        argument="until",
        changes=always,
    ),
    Command(CommandName.RESUME, N_("help.resume"), no_arguments, resume, changes=always),
)
