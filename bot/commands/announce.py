"""The operators' command `broadcast`: preview an announcement, then confirm or cancel it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, time

from bot.channel import Channel, Option, Reply, Row, command_line
from bot.channel.command_lines import CONFIRMED
from bot.channel.preference import N_
from bot.commands.command import Audience, Command, Typed, always, understood
from bot.commands.context import Context
from bot.delivery.rendering import compose_note
from bot.model import channel_of
from bot.render.announcement_page import LONGEST, announcement_page, clean_lines
from bot.render.fit import FitError
from bot.rules.closing import DAY
from bot.store import announcements, stats
from bot.store.announcements import LASTS, AnnouncementReach, Refusal, RefusedError

BROADCAST = "broadcast"
CANCELLED = "cancelled"
"""Precedes the key of an announcement that was cancelled with a button."""
EVERY_CHANNEL = "all"
"""Stands before an announcement in the place of a channel's name."""
FAR_TOO_LONG = 10 * LONGEST
"""Characters from which a text is refused without being cleaned first."""


@dataclass(frozen=True, slots=True)
class Draft:
    """The text of an announcement, and what stood before its first colon, if anything: perhaps a channel's name."""

    text: str
    channel: str | None = None


@dataclass(frozen=True, slots=True)
class Decision:
    """Whether the announcement that was previewed under a key is sent."""

    key: str
    confirmed: bool


def parse_broadcast(typed: Typed) -> Draft | Decision:
    """`TEXT`, `telegram: TEXT` or `all: TEXT`; buttons hold `confirmed KEY` and `cancelled KEY`."""
    decided = re.fullmatch(rf"({CONFIRMED}|{CANCELLED}) ([0-9a-f]{{20}})", typed.words)
    if decided:
        return Decision(decided[2], decided[1] == CONFIRMED)
    # A colon before two slashes is part of a URL.
    prefix = re.match(r"([A-Za-z]{1,20})[:：](?!//)\s*", typed.lines)
    text = typed.lines[prefix.end() :] if prefix else typed.lines
    channel = prefix[1] if prefix and prefix[1].casefold() != EVERY_CHANNEL else None
    return Draft(understood(text or None), channel)


async def broadcast(context: Context, asked: Draft | Decision) -> Reply:
    """Preview, confirm or cancel an announcement."""
    if isinstance(asked, Decision):
        return await (confirm if asked.confirmed else cancel)(context, asked.key)
    channel, text = asked.channel, asked.text
    if channel is not None:
        async with context.store.read() as connection:
            known = {channel_of(each) for each in {*context.services.channels, *await stats.known_accounts(connection)}}
        # A name before a colon that no channel has is part of the text.
        channel, text = (channel.casefold(), text) if channel.casefold() in known else (None, f"{channel}: {text}")
    return await preview(context, text, channel)


async def preview(context: Context, written: str, channel: str | None) -> Reply:
    """Show an announcement as readers will see it, with how many get it and when, and keep it as a draft.

    It has to fit into a message on each channel that is set up. `channel` is the only one it is for, None for all.
    """
    store, channels = context.store, {channel_of(name): each for name, each in context.services.channels.items()}
    w = context.w
    text = clean_lines(written) if len(written) <= FAR_TOO_LONG else written
    if len(text) > LONGEST:
        lengths = {"n": w.number(len(text)), "most": w.number(LONGEST)}
        return context.reply(w.gettext("broadcast.too_long", **lengths), ok=False)
    if not text:
        return context.reply(w.gettext("broadcast.empty"), ok=False)
    async with store.read() as connection:
        try:
            reach = await announcements.prospect(connection, channel, now=context.now)
        except RefusedError as error:
            return _refused(context, error.why)
        spoken = await announcements.languages(connection, now=context.now)
    for name in reach.readers:
        if name in channels and not all(_fits(text, context.now, tag, channels[name]) for tag in spoken.get(name, ())):
            says = w.gettext("broadcast.does_not_fit", channel=name)
            return context.reply(says, ok=False)
    async with store.write() as connection:
        key = await announcements.draft(connection, text, channel, str(context.requester.address), now=context.now)
    return _shown(context, text, key, reach)


def _shown(context: Context, text: str, key: str, reach: AnnouncementReach) -> Reply:
    w, zone = context.w, context.preferences.timezone
    page = announcement_page(text, w, context.now.astimezone(UTC).date())
    until = w.moment(context.now + LASTS, zone)
    return context.reply(
        w.gettext("broadcast.preview"),
        page.heading,
        page.lead,
        *page.notes,
        w.ngettext(
            "broadcast.audience",
            sum(reach.readers.values()),
            first=w.moment(reach.first, zone),
            last=w.moment(reach.last, zone),
        ),
        w.gettext("broadcast.not_sent_yet", moment=until),
        rows=[
            Row(w.gettext("stats.readers_on_channel", channel=name), w.number(count))
            for name, count in reach.readers.items()
        ],
        options=[
            Option(w.gettext("broadcast.send_button"), command_line(BROADCAST, CONFIRMED, key)),
            Option(w.gettext("broadcast.cancel_button"), command_line(BROADCAST, CANCELLED, key)),
        ],
    )


async def confirm(context: Context, key: str) -> Reply:
    """Publish the announcement that was previewed under a key: owe it to its readers. Idempotent."""
    w = context.w
    try:
        async with context.store.write() as connection:
            made = await announcements.publish(connection, key, now=context.now)
    except RefusedError as error:
        return _refused(context, error.why)
    if made.again:
        return context.reply(w.gettext("broadcast.already_confirmed"))
    context.services.alert("announcement published", context.now, audience=made.readers)
    return context.reply(w.ngettext("broadcast.on_its_way", made.readers))


async def cancel(context: Context, key: str) -> Reply:
    """Delete the draft that was previewed under a key."""
    w = context.w
    async with context.store.write() as connection:
        dropped = await announcements.drop(connection, key)
        late = not dropped and await announcements.is_confirmed(connection, key)
    if late:
        return context.reply(w.gettext("broadcast.already_confirmed"), ok=False)
    return context.reply(w.gettext("broadcast.cancelled"))


def _fits(text: str, now: datetime, language: str, channel: Channel) -> bool:
    try:
        compose_note(text, now.astimezone(UTC).date(), language, channel)
    except FitError:
        return False
    return True


def _refused(context: Context, why: Refusal) -> Reply:
    w = context.w
    match why:
        case Refusal.NOT_THERE:
            says = w.gettext("broadcast.expired")
        case Refusal.TODAY:
            tomorrow = datetime.combine(context.now.astimezone(UTC).date() + DAY, time(), UTC)
            says = w.gettext("broadcast.one_a_day", moment=w.moment(tomorrow, context.preferences.timezone))
        case Refusal.NOBODY:
            says = w.gettext("broadcast.no_readers")
    return context.reply(says, ok=False)


COMMANDS = (
    Command(
        BROADCAST,
        N_("help.broadcast"),
        parse_broadcast,
        broadcast,
        examples=("{announcement}", "telegram: {announcement}"),
        audience=Audience.OPERATORS,
        changes=always,
    ),
)
