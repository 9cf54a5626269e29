"""What a reader may ask, once, for every channel: each question is read, looked at, carried out and answered."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, time
from math import ceil

from sqlalchemy.ext.asyncio import AsyncConnection

from bot.channel import (
    FOR_OPERATORS,
    Answer,
    Asker,
    Broadcast,
    BroadcastCancelled,
    BroadcastConfirmed,
    Change,
    Channel,
    Command,
    Export,
    FindZone,
    Forget,
    Help,
    Menu,
    Misread,
    Pause,
    Privacy,
    Request,
    Resume,
    Search,
    ShowEdition,
    ShowPaper,
    ShowSettings,
    Stats,
    Subscribe,
    Suggestion,
    Today,
    Top,
    Unsubscribe,
    Why,
)
from bot.commands import announce, change_preferences, guide, operator_stats, papers, personal_data, subscription
from bot.commands.autocomplete import suggest
from bot.commands.context import Context
from bot.commands.fitted_pages import FittedPages
from bot.commands.parsing import read
from bot.commands.quota import Quota
from bot.delivery.alerts import Alert, log_alert
from bot.delivery.rate_limit import RateLimiter
from bot.model import Address, Preferences, Reason, Status, Style, Subscriber
from bot.render import zones
from bot.render.styles import TEXT_FIELDS
from bot.render.words import Words, languages, match, words
from bot.rules.access import Access, Admission
from bot.store import Store, audience, shared_places, subscriber_queries

log = logging.getLogger(__name__)

WITHOUT_MODEL = tuple(style for style in Style if style not in TEXT_FIELDS)
"""The styles that need no language model."""
FREE = (Help, Misread, Privacy, Forget, Export, Unsubscribe)
"""What everybody may ask, let in or not."""
OPERATING = (Stats, Broadcast, BroadcastConfirmed, BroadcastCancelled)
"""What only operators may ask."""
CHANGES = (
    Subscribe,
    Unsubscribe,
    Change,
    FindZone,
    Pause,
    Resume,
    Export,
    Forget,
    Broadcast,
    BroadcastConfirmed,
    BroadcastCancelled,
)
"""What only those may ask who run the place."""


class ReaderCommands:
    """The readers' wishes, carried out (bot.channel.Commands).

    `fallback` is what a new reader is given where nothing tells better: the operator's default language and zone.
    """

    def __init__(
        self,
        store: Store,
        channels: Sequence[Channel],
        *,
        fallback: Preferences,
        closes: time,
        access: Access | None = None,
        styles: Sequence[Style] = WITHOUT_MODEL,
        rate_limiters: Mapping[str, RateLimiter] | None = None,
        alert: Alert = log_alert,
    ) -> None:
        self._store = store
        self._channels = {channel.name: channel for channel in channels}
        self._fallback = fallback
        self._closes = closes
        self._access = access or Access()
        self._styles = styles
        self._alert = alert
        self._allowance, self._typing = Quota(), Quota()
        self._fittings = FittedPages()
        self._rate_limiters = rate_limiters or {channel.name: RateLimiter(channel.pace) for channel in channels}

    async def ask(self, asker: Asker, request: Request | str, now: datetime) -> Answer:
        """Do what is asked and say so, in the asker's language. A `str` is what a person typed, or a button held."""
        w = words(self._fallback.language)
        try:
            async with self._store.read() as connection:
                reader = await subscriber_queries.get(connection, asker.address)
            wanted = self._given(asker) if reader is None else reader.preferences
            w = _words(asker, wanted)
            who = asker.counted_as or asker.person or str(asker.address)
            wait = self._allowance.take(who, now)
            context = self._case(asker, reader, wanted, w, now)
            if wait is not None:
                seconds = ceil(wait.total_seconds())
                says = w.ngettext(
                    "One moment: ask again in {n} second.", "One moment: ask again in {n} seconds.", seconds
                )
                return replace(context.told(says, ok=False), repeated=self._allowance.is_told(who))
            asked = read(request, w, now, wanted.timezone) if isinstance(request, str) else request
            return await self._answer(context, asked)
        except Exception:  # whatever goes wrong here, somebody waits for an answer
            log.exception("command failed", extra={"channel": asker.address.channel, "request": _kind(request)})
            says = w.gettext("Something went wrong on our side, and nothing was changed. Please try again in a minute.")
            return Answer(w.language, w.direction, [says], ok=False)

    async def suggest(self, asker: Asker, command: Command, typed: str, now: datetime) -> Sequence[Suggestion]:
        """What may be meant by what somebody is typing behind a command; nothing where they may not ask it."""
        try:
            if self._typing.take(asker.counted_as or asker.person or str(asker.address), now) is not None:
                return []
            async with self._store.read() as connection:
                reader = await subscriber_queries.get(connection, asker.address)
            wanted = self._given(asker) if reader is None else reader.preferences
            context = self._case(asker, reader, wanted, _words(asker, wanted), now)
            return await suggest(context, command, typed, self._store) if self._is_let_in(context) else []
        except Exception:  # a suggestion less harms nobody
            log.exception("no suggestions", extra={"channel": asker.address.channel, "command": command.value})
            return []

    def _case(self, asker: Asker, reader: Subscriber | None, wanted: Preferences, w: Words, now: datetime) -> Context:
        offered = self._channels[asker.address.channel].extras
        operates = self._access.operates(asker.address)
        return Context(asker, reader, wanted, w, now, self._styles, offered, operates, self._fittings)

    def _is_let_in(self, context: Context) -> bool:
        known = context.reader is not None and context.reader.reason_code != Reason.REMOVED
        return known or self._access.admits(context.asker.address)

    async def _answer(self, context: Context, request: Request) -> Answer:
        """Whether it may be asked, then the answer."""
        w = context.w
        request = _asked_by(context, request)
        if isinstance(request, CHANGES) and not context.asker.may_change:
            return context.told(w.gettext("Only those who run this place can change that."), ok=False)
        if not self._is_let_in(context) and not isinstance(request, (*FREE, Subscribe)):
            return context.told(subscription.refusal(context, self._access), ok=False)
        if isinstance(request, Change | FindZone | Menu | ShowSettings) and context.reader is None:
            return subscription.not_subscribed(context)
        if isinstance(request, OPERATING):
            return await self._of_operator(context, request)
        return await self._of_papers(context, request) or await self._of_reader(context, request)

    async def _of_papers(self, context: Context, request: Request) -> Answer | None:
        channel = self._channels[context.asker.address.channel]
        match request:
            case Today():
                return await papers.today(context, request, self._store, channel)
            case ShowEdition():
                return await papers.edition(context, request, self._store, channel)
            case ShowPaper():
                return await papers.paper(context, request, self._store, channel)
            case Search():
                return await papers.find(context, request, self._store, channel)
            case Top():
                return await papers.top(context, request, self._store, channel)
            case ShowSettings():
                return change_preferences.overview(context)
            case Menu():
                return await change_preferences.menu(context, request, self._store)
            case Change():
                return await change_preferences.change(context, request, self._store)
            case FindZone():
                return change_preferences.find_zone(context, request)
            case _:
                return None

    async def _of_reader(self, context: Context, request: Request) -> Answer:
        match request:
            case Subscribe():
                return await subscription.subscribe(context, request, self._store, self._access)
            case Unsubscribe():
                return await subscription.unsubscribe(context, self._store)
            case Pause():
                return await subscription.pause(context, request, self._store)
            case Resume():
                return await subscription.resume(context, self._store)
            case Why():
                return await personal_data.why(context, request, self._store, self._closes)
            case Export():
                return await personal_data.export(context, self._store)
            case Forget():
                return await personal_data.forget(context, request, self._store)
            case Privacy():
                return personal_data.privacy(context)
            case Help() | Misread():
                return guide.help_(context, request)
            case _:
                raise LookupError(f"nobody answers {type(request).__name__}")

    async def _of_operator(
        self, context: Context, request: Stats | Broadcast | BroadcastConfirmed | BroadcastCancelled
    ) -> Answer:
        match request:
            case Stats():
                return await operator_stats.stats(context, self._store, self._channels)
            case Broadcast():
                return await announce.preview(context, request, self._store, self._channels)
            case BroadcastConfirmed():
                return await announce.confirm(context, request, self._store, self._alert)
            case BroadcastCancelled():
                return await announce.cancel(context, request, self._store)

    async def permitted(self, address: Address) -> bool:
        """A place that did not let us post lets us again; whether it was paused for that, and is not any more."""
        async with self._store.write() as connection:
            resumed = [
                await subscriber_queries.resume_barred(connection, each) for each in await _within(connection, address)
            ]
        return any(resumed)

    async def gone(self, address: Address, reason: str, now: datetime) -> None:
        """A reader has shut the door, or a place has thrown us out: nothing is sent until they come back."""
        async with self._store.write() as connection:
            for each in await _within(connection, address):
                reader = await subscriber_queries.get(connection, each, lock=True)
                if reader is not None and reader.status in {Status.PENDING, Status.ACTIVE, Status.PAUSED}:
                    await subscriber_queries.mark_gone(connection, reader.id, reason, now=now)

    async def back(self, address: Address) -> bool:
        """Who was gone can be reached again, by an act of their own; whether they were gone. Nothing is sent for it."""
        came = False
        async with self._store.write() as connection:
            await audience.lock_editions(connection)
            for each in await _within(connection, address):
                reader = await subscriber_queries.get(connection, each, lock=True)
                if reader is not None and reader.status is Status.GONE:
                    await subscriber_queries.resume(connection, reader.id)
                    came = True
        return came

    async def moved(self, address: Address, recipient: str) -> None:
        """A place has a new recipient id."""
        async with self._store.write() as connection:
            reader = await subscriber_queries.get(connection, address, lock=True)
            if reader is not None:
                await subscriber_queries.move(connection, reader.id, recipient)

    async def acquire(self, address: Address) -> None:
        """Wait until an answer to `address` may leave: at the channel's pace, ahead of editions."""
        await self._rate_limiters[address.channel].acquire(address.recipient, urgent=True)

    def languages(self) -> Sequence[str]:
        """The languages there are, as BCP 47 tags."""
        return languages()

    def introduction(self, language: str) -> tuple[str, str]:
        """What the newsletter is, in a language: in one sentence, and in a few."""
        return guide.introduction(words(language))

    def admits(self, address: Address, invite: str) -> bool:
        """Whether an address may be subscribed that comes with this invite code; says nothing of who is."""
        return self._access.admits(address, invite or None)

    @property
    def by_invitation(self) -> bool:
        """Whether whoever wants to subscribe needs a code."""
        return self._access.by is Admission.INVITE

    def operates(self, address: Address) -> bool:
        """Whether an address is of somebody who runs the newsletter."""
        return self._access.operates(address)

    def purposes(self, language: str) -> Mapping[Command, str]:
        """What each command is for, in a language: for a channel's own menus."""
        return guide.purposes(words(language))

    async def subscribe(self, address: Address, wanted: Preferences, now: datetime) -> bool:
        """Subscribe an address without its asking, and owe it the latest edition; False where it is known already."""
        async with self._store.write() as connection:
            await audience.lock_editions(connection)
            if await subscriber_queries.is_suppressed(connection, address):
                return False
            return await subscription.add(connection, address, wanted, welcome_at=now, now=now)

    def _given(self, asker: Asker) -> Preferences:
        """What somebody new is given: guessed from the language of their app, or of the place."""
        locale = asker.place or asker.locale
        language = match(locale, self._fallback.language)
        zone = zones.guess(locale) or self._fallback.timezone
        return replace(self._fallback, language=language, timezone=zone)


async def _within(connection: AsyncConnection, address: Address) -> Sequence[Address]:
    """An address and those of the places within it."""
    return [address, *await shared_places.within(connection, address)]


def _words(asker: Asker, wanted: Preferences) -> Words:
    """A person is answered in the language they chose; one of many in a place in that of their own app."""
    if asker.person is not None and asker.locale:
        return words(match(asker.locale, wanted.language))
    return words(wanted.language)


def _asked_by(context: Context, request: Request) -> Request:
    """What a request is to who asks it: what is for operators is not there for anybody else."""
    if context.is_operator:
        return request
    if isinstance(request, OPERATING):
        return Misread(None)
    if isinstance(request, Help | Misread) and request.of in FOR_OPERATORS:
        return replace(request, of=None)
    return request


def _kind(request: Request | str) -> str:
    return "typed" if isinstance(request, str) else type(request).__name__
