"""An announcement of the operator's: looked at before it is made, confirmed once, or dropped."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, time

from bot.channel import Answer, Broadcast, BroadcastCancelled, BroadcastConfirmed, Channel, Option, Row
from bot.commands.context import Context
from bot.delivery.alerts import Alert
from bot.delivery.rendering import compose_note
from bot.render.announcement_page import LONGEST, announcement_page, clean_lines
from bot.render.fit import FitError
from bot.rules.closing import DAY
from bot.store import Store, announcements, stats
from bot.store.announcements import LASTS, AnnouncementReach, Refusal, RefusedError

FAR_TOO_LONG = 10 * LONGEST
"""What is longer than that is not even cleaned."""


async def preview(context: Context, request: Broadcast, store: Store, channels: Mapping[str, Channel]) -> Answer:
    """Show what is asked to be announced; a name before a colon that no channel has is a part of the text."""
    channel, text = request.channel, request.text
    if channel is not None:
        async with store.read() as connection:
            known = {*channels, *await stats.known_channels(connection)}
        channel, text = (channel.casefold(), text) if channel.casefold() in known else (None, f"{channel}: {text}")
    return await look_at(context, text, channel, store, channels)


async def look_at(
    context: Context, written: str, channel: str | None, store: Store, channels: Mapping[str, Channel]
) -> Answer:
    """Show an announcement as readers will see it, with who they are and when; keep it until it is confirmed.

    `channels` are those that are set up: it has to fit into a message on each.
    """
    w = context.w
    text = clean_lines(written) if len(written) <= FAR_TOO_LONG else written
    if len(text) > LONGEST:
        lengths = {"n": w.number(len(text)), "most": w.number(LONGEST)}
        return context.told(
            w.gettext("That is too long: {n} characters, where {most} are the most.", **lengths), ok=False
        )
    if not text:
        return context.told(w.gettext("There is nothing in it to be sent."), ok=False)
    async with store.read() as connection:
        try:
            prospect = await announcements.prospect(connection, channel, now=context.now)
        except RefusedError as error:
            return _refused(context, error.why)
        spoken = await announcements.languages(connection, now=context.now)
    for name in prospect.readers:
        if name in channels and not all(_fits(text, context.now, tag, channels[name]) for tag in spoken.get(name, ())):
            says = w.gettext("It does not fit into a message on {channel}. Make it shorter.", channel=name)
            return context.told(says, ok=False)
    async with store.write() as connection:
        key = await announcements.draft(connection, text, channel, str(context.asker.address), now=context.now)
    return _shown(context, text, key, prospect)


def _shown(context: Context, text: str, key: str, prospect: AnnouncementReach) -> Answer:
    w, zone = context.w, context.preferences.timezone
    page = announcement_page(text, w, context.now.astimezone(UTC).date())
    until = w.moment(context.now + LASTS, zone)
    return context.told(
        w.gettext("This is what readers will see:"),
        page.heading,
        page.lead,
        *page.notes,
        w.ngettext(
            "{n} reader gets it, in waking hours by their own clock. The first is due on {first}, the last on {last}.",
            "{n} readers get it, in waking hours by their own clock. The first is due on {first}, the last on {last}.",
            sum(prospect.readers.values()),
            first=w.moment(prospect.first, zone),
            last=w.moment(prospect.last, zone),
        ),
        w.gettext("Nothing has been sent yet. It can be confirmed until {moment}.", moment=until),
        rows=[
            Row(w.gettext("Readers on {channel}", channel=name), w.number(count))
            for name, count in prospect.readers.items()
        ],
        options=[
            Option(w.gettext("Send it"), BroadcastConfirmed(key)),
            Option(w.gettext("Do not send it"), BroadcastCancelled(key)),
        ],
    )


async def confirm(context: Context, request: BroadcastConfirmed, store: Store, alert: Alert) -> Answer:
    """Make an announcement that was looked at: owe it to everybody it is for. A second time changes nothing."""
    w = context.w
    try:
        async with store.write() as connection:
            made = await announcements.publish(connection, request.key, now=context.now)
    except RefusedError as error:
        return _refused(context, error.why)
    if made.again:
        return context.told(w.gettext("It has been confirmed before, and is sent once."))
    alert("announcement published", context.now, audience=made.readers)
    return context.told(w.ngettext("It is on its way to {n} reader.", "It is on its way to {n} readers.", made.readers))


async def cancel(context: Context, request: BroadcastCancelled, store: Store) -> Answer:
    """Forget an announcement that was looked at."""
    w = context.w
    async with store.write() as connection:
        dropped = await announcements.drop(connection, request.key)
        late = not dropped and await announcements.is_confirmed(connection, request.key)
    if late:
        return context.told(w.gettext("It has been confirmed before, and is sent once."), ok=False)
    return context.told(w.gettext("It is not sent."))


def _fits(text: str, now: datetime, language: str, channel: Channel) -> bool:
    try:
        compose_note(text, now.astimezone(UTC).date(), language, channel)
    except FitError:
        return False
    return True


def _refused(context: Context, why: Refusal) -> Answer:
    w = context.w
    match why:
        case Refusal.NOT_THERE:
            says = w.gettext("This announcement cannot be confirmed any more. Write it again.")
        case Refusal.TODAY:
            tomorrow = datetime.combine(context.now.astimezone(UTC).date() + DAY, time(), UTC)
            says = w.gettext(
                "There has been an announcement today, and one a day is enough. The next can be made from {moment} on.",
                moment=w.moment(tomorrow, context.preferences.timezone),
            )
        case Refusal.NOBODY:
            says = w.gettext("There is nobody to send it to.")
    return context.told(says, ok=False)
