"""Coming, leaving, staying away for a while."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy.ext.asyncio import AsyncConnection

from bot.channel import Answer, Command, Menu, Option, Pause, Resume, ShowSettings, Subscribe
from bot.commands.context import Context
from bot.commands.descriptions import rhythm_in_words
from bot.commands.guide import subscribe_option
from bot.model import Address, Preferences, Reason, Status
from bot.render.edition_page import choose
from bot.render.words import words
from bot.rules.access import Access, Admission
from bot.rules.schedule import Window, welcome
from bot.store import Store, audience, edition_queries, pending_deliveries, subscriber_queries

PAUSES = (timedelta(days=7), timedelta(days=14), timedelta(days=30))


async def subscribe(context: Context, request: Subscribe, store: Store, access: Access) -> Answer:
    """Send the editions here, the latest at once. Whoever comes back finds their preferences as they left them."""
    reader, w = context.reader, context.w
    known = reader is not None and reader.reason_code != Reason.REMOVED
    if not known and not access.admits(context.asker.address, request.invite):
        return context.told(refusal(context, access), ok=False)
    if request.language is not None and context.asker.person is None:
        w = words(request.language)
        context = replace(context, w=w)
    async with store.write() as connection:
        await audience.lock_editions(connection)
        # It is the reader's own act, and so ends what an earlier one of theirs forbade.
        await subscriber_queries.unsuppress(connection, context.asker.address)
        reader = await subscriber_queries.get(connection, context.asker.address, lock=True)
        before = context.preferences if reader is None else reader.preferences
        style = request.style if request.style is not None and request.style in context.styles else before.style
        wanted = replace(before, language=request.language or before.language, style=style)
        if reader is None:
            person = context.asker.person
            await add(
                connection, context.asker.address, wanted, welcome_at=context.now, now=context.now, set_up_by=person
            )
        else:
            await subscriber_queries.change(connection, reader, wanted, now=context.now)
            if reader.status is not Status.ACTIVE:
                await subscriber_queries.resume(connection, reader.id)
                await greet(connection, reader.id, context.asker.address.channel, wanted, welcome_at=context.now)
        latest = await edition_queries.latest(connection, wanted.cadence)
    came_back = reader is not None and reader.status is not Status.ACTIVE
    if reader is None:
        first = w.gettext("You are subscribed.")
    else:
        first = (
            w.gettext("Welcome back. Everything is as you left it.")
            if came_back
            else w.gettext("You are subscribed already.")
        )
    nothing = latest is not None and not choose(latest.papers, wanted)
    return context.told(
        first,
        rhythm_in_words(wanted, w, context.now),
        w.gettext("Your filters leave nothing of the latest edition, so the next one will be your first.")
        if nothing
        else "",
        options=[
            Option(w.gettext("Another time zone"), Menu(Command.ZONE)),
            Option(w.gettext("Another hour"), Menu(Command.TIME)),
            Option(w.gettext("Another language"), Menu(Command.LANGUAGE)),
            Option(w.gettext("Settings"), ShowSettings()),
        ],
    )


async def add(
    connection: AsyncConnection,
    address: Address,
    wanted: Preferences,
    *,
    welcome_at: datetime,
    now: datetime,
    set_up_by: str | None = None,
) -> bool:
    """Subscribe an address and owe it the latest edition from `welcome_at` on; False where it is known already."""
    subscriber_id = await subscriber_queries.add(connection, address, wanted, now=now, set_up_by=set_up_by)
    if subscriber_id is None:
        return False
    await greet(connection, subscriber_id, address.channel, wanted, welcome_at=welcome_at)
    return True


async def greet(
    connection: AsyncConnection,
    subscriber_id: int,
    channel: str,
    wanted: Preferences,
    *,
    welcome_at: datetime,
) -> None:
    """Owe the latest edition, unless it was owed before."""
    edition_id = await edition_queries.latest_id(connection, wanted.cadence)
    if edition_id is not None:
        due: Window = welcome(subscriber_queries.rhythm(wanted), welcome_at)
        await audience.owe_one(connection, edition_id, subscriber_id, channel, due)


async def unsubscribe(context: Context, store: Store) -> Answer:
    """Send nothing any more. Preferences are kept, for when they come back."""
    w = context.w
    if context.reader is None or context.reader.status is Status.UNSUBSCRIBED:
        return context.told(w.gettext("You are not subscribed, so nothing is sent."), options=[subscribe_option(w)])
    async with store.write() as connection:
        reader = await subscriber_queries.get(connection, context.asker.address, lock=True)
        if reader is not None:
            await subscriber_queries.unsubscribe(connection, reader.id, now=context.now)
    return context.told(
        w.gettext("You are unsubscribed, and nothing is sent any more."),
        w.gettext("Your settings are kept for when you come back. “forget” erases them."),
        options=[Option(w.gettext("Subscribe again"), Subscribe())],
    )


async def pause(context: Context, request: Pause, store: Store) -> Answer:
    """Send nothing before a day, or until resumed."""
    reader, w = context.reader, context.w
    if reader is None or not context.is_reading:
        return not_subscribed(context)
    until = None if request.until is None else _midnight(request.until, reader.preferences)
    async with store.write() as connection:
        await subscriber_queries.pause(connection, reader.id, until=until, now=context.now)
    today = context.now.astimezone(ZoneInfo(reader.preferences.timezone)).date()
    if request.until is None:
        said = w.gettext("Paused, until you resume.")
    else:
        said = w.gettext("Paused. Editions come again from {day} on.", day=w.day(request.until))
    ends = [Option(w.gettext("Until {day}", day=w.day(today + length)), Pause(today + length)) for length in PAUSES]
    return context.told(said, options=[Option(w.gettext("Resume"), Resume()), *ends])


async def resume(context: Context, store: Store) -> Answer:
    """Send editions again."""
    reader, w = context.reader, context.w
    if reader is None or not context.is_reading:
        return not_subscribed(context)
    async with store.write() as connection:
        await audience.lock_editions(connection)
        found = await subscriber_queries.get(connection, context.asker.address, lock=True)
        if found is None or found.status not in {Status.ACTIVE, Status.PAUSED}:
            return not_subscribed(context)
        await subscriber_queries.resume(connection, found.id)
        wanted = found.preferences
        await pending_deliveries.revive(
            connection, found.id, wanted.cadence, subscriber_queries.rhythm(wanted), now=context.now
        )
    settings = [Option(w.gettext("Settings"), ShowSettings())]
    return context.told(
        w.gettext("Editions come again."), rhythm_in_words(reader.preferences, w, context.now), options=settings
    )


def not_subscribed(context: Context) -> Answer:
    """There is nothing to change where nobody is subscribed."""
    w = context.w
    return context.told(w.gettext("There is no subscription here yet."), options=[subscribe_option(w)], ok=False)


def refusal(context: Context, access: Access) -> str:
    """Why somebody is not let in, and what would change that."""
    w = context.w
    if access.by is Admission.INVITE:
        return w.gettext("This newsletter is by invitation. If you have a code, write: subscribe CODE")
    return w.gettext(
        "This newsletter is for a closed group. Whoever runs it can add you: {address}", address=context.asker.address
    )


def _midnight(day: date, wanted: Preferences) -> datetime:
    return datetime.combine(day, time(), ZoneInfo(wanted.timezone))
