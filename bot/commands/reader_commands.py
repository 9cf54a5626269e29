"""Runs commands for every channel: rate limits, access, parsing, the command itself, and a reply in any case."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, time
from math import ceil

from sqlalchemy.ext.asyncio import AsyncConnection

from bot.channel import Channel, CommandInfo, MediaFinder, Reply, Requester, Suggestion, no_media
from bot.commands import help_command, picture_commands, preference_commands, registry, subscription
from bot.commands.autocomplete import MOST
from bot.commands.command import Audience, MisreadError, split
from bot.commands.context import WITHOUT_MODEL, Context, PastList, Services, Translate, no_past_list, no_translation
from bot.commands.token_buckets import TokenBuckets
from bot.delivery.alerts import Alert, log_alert
from bot.delivery.listening import ListeningMonitor
from bot.delivery.rate_limit import RateLimiter
from bot.delivery.rendering import FindRecording
from bot.model import Address, Preferences, Reason, Status, Style
from bot.render import timezones
from bot.render.catalogue import languages
from bot.render.words import Words, match, words
from bot.rules.access import Access, Admission
from bot.runtime.text import printable
from bot.store import Store, accounts, audience, shared_places, subscriber_queries

log = logging.getLogger(__name__)

STILL_SUBSCRIBED = {Status.PENDING, Status.ACTIVE, Status.PAUSED}


class ReaderCommands:
    """Runs readers' and operators' commands (`bot.channel.Commands`).

    `fallback` holds the operator's default language and time zone, for new readers whose app tells neither.
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
        monitor: ListeningMonitor | None = None,
        past_list: PastList = no_past_list,
        translate: Translate | None = None,
        find_recording: FindRecording | None = None,
        media: MediaFinder = no_media,
    ) -> None:
        by_name = {channel.name: channel for channel in channels}
        self._services = Services(
            store,
            by_name,
            closes,
            access or Access(),
            styles,
            alert,
            past_list=past_list,
            translate=translate or no_translation,
            media=media,
            find_recording=find_recording,
        )
        self._store = store
        reads_aloud = find_recording is not None
        self._commands = {
            channel.name: {
                name: command
                for name, command in registry.commands(channel.extras, reads_aloud=reads_aloud).items()
                if channel.shows_pictures or name not in picture_commands.STEMS
            }
            for channel in channels
        }
        self._fallback = fallback
        self._requests, self._completions = TokenBuckets(), TokenBuckets()
        self._monitor = monitor or ListeningMonitor(store, alert)
        self._rate_limiters = rate_limiters or {channel.name: RateLimiter(channel.pace) for channel in channels}

    async def ask(self, requester: Requester, line: str, now: datetime) -> Reply:
        """Run the command in a line. Returns the reply, in the requester's language; never raises for the line."""

        async def run(context: Context) -> Reply:
            name, typed = split(line, context.w, now, context.preferences.timezone)
            command = context.commands.get(name)
            if command is None:
                return help_command.misread(context, None)
            try:
                arguments = command.parse(typed)
            except MisreadError:
                return help_command.misread(context, command)
            refused = self._refusal(context, command.audience, changes=command.changes(arguments))
            return refused or await command.run(context, arguments)

        return await self._answer(requester, now, run)

    async def change(self, requester: Requester, wanted: Mapping[str, object], now: datetime) -> Reply:
        """Change preferences, given by name, all at once: for forms. Returns the reply, as `ask` does."""

        async def run(context: Context) -> Reply:
            refused = self._refusal(context, Audience.SUBSCRIBERS, changes=True)
            return refused or await preference_commands.change(context, wanted)

        return await self._answer(requester, now, run)

    async def _answer(self, requester: Requester, now: datetime, run: Callable[[Context], Awaitable[Reply]]) -> Reply:
        """Run a command within its rate limit; an exception is logged and becomes a reply."""
        w = words(self._fallback.language)
        try:
            context = await self._context(requester, now)
            w = context.w
            person = _rate_limit_key(requester)
            wait = self._requests.take(person, now)
            if wait is None:
                return await run(context)
            seconds = ceil(wait.total_seconds())
            says = w.ngettext("errors.too_fast", seconds)
            return replace(context.reply(says, ok=False), repeated=self._requests.warn(person))
        except Exception:  # whatever goes wrong here, somebody waits for a reply
            log.exception("command failed, nothing changed", extra={"channel": requester.address.channel})
            says = w.gettext("errors.our_fault")
            return Reply(w.language, w.direction, [says], ok=False)

    async def suggest(self, requester: Requester, command: str, typed: str, now: datetime) -> Sequence[Suggestion]:
        """Completions of what is being typed behind a command, the likeliest first; none where it may not be run."""
        try:
            if self._completions.take(_rate_limit_key(requester), now) is not None:
                return []
            context = await self._context(requester, now)
            found = context.commands.get(command)
            if found is None or found.suggest is None or not self._is_admitted(context):
                return []
            return (await found.suggest(context, " ".join(printable(typed).split())))[:MOST]
        except Exception:  # without suggestions the command can still be typed
            log.exception("autocomplete failed", extra={"channel": requester.address.channel, "command": command})
            return []

    async def _context(self, requester: Requester, now: datetime) -> Context:
        async with self._store.read() as connection:
            reader = await subscriber_queries.get(connection, requester.address)
        preferences = self._guessed(requester) if reader is None else reader.preferences
        w = _words(requester, preferences)
        operates = self.operates(requester.address)
        commands = {
            name: command
            for name, command in self._commands[requester.address.via].items()
            if operates or command.audience is not Audience.OPERATORS
        }
        return Context(requester, reader, preferences, w, now, self._services, commands)

    def _is_admitted(self, context: Context) -> bool:
        known = context.reader is not None and context.reader.reason_code != Reason.REMOVED
        return known or self._services.access.admits(context.requester.address)

    def _refusal(self, context: Context, audience: Audience, *, changes: bool) -> Reply | None:
        """Why a command may not be run, None where it may."""
        if changes and not context.requester.may_change:
            return context.reply(context.w.gettext("errors.admins_only"), ok=False)
        if audience is not Audience.EVERYBODY and not self._is_admitted(context):
            return context.reply(subscription.refusal(context, self._services.access), ok=False)
        if audience is Audience.SUBSCRIBERS and context.reader is None:
            return subscription.not_subscribed(context)
        return None

    def _guessed(self, requester: Requester) -> Preferences:
        """The preferences of a new reader, guessed from the language of their app or of the shared place."""
        locale = requester.place_locale or requester.locale
        language = match(locale, self._fallback.language)
        zone = timezones.guess(locale) or self._fallback.timezone
        return replace(self._fallback, language=language, timezone=zone)

    async def permitted(self, address: Address) -> bool:
        """Resume a chat that has granted the right to post. Returns whether it was paused for lack of it."""
        async with self._store.write() as connection:
            resumed = [
                await subscriber_queries.resume_barred(connection, each) for each in await _within(connection, address)
            ]
        return any(resumed)

    async def gone(self, address: Address, reason: str, now: datetime) -> None:
        """Stop sending to a reader who blocked us, or to a place that removed us, until they come back."""
        async with self._store.write() as connection:
            for each in await _within(connection, address):
                reader = await subscriber_queries.get(connection, each, lock=True)
                here = reader is not None and reader.address.via == each.via  # another bot may well reach them
                if reader is not None and here and reader.status in STILL_SUBSCRIBED:
                    await subscriber_queries.mark_gone(connection, reader.id, reason, now=now)

    async def back(self, address: Address) -> bool:
        """Reactivate a subscriber who came back by themselves. Returns whether they were `gone`. Sends nothing."""
        was_gone = False
        async with self._store.write() as connection:
            await audience.lock_editions(connection)
            for each in await _within(connection, address):
                reader = await subscriber_queries.get(connection, each, lock=True)
                if reader is None:
                    continue
                is_gone = reader.status is Status.GONE
                if is_gone or reader.address.via not in self._services.channels:
                    await accounts.hand_over(connection, reader.id, each)
                if is_gone:
                    await subscriber_queries.resume(connection, reader.id)
                    was_gone = True
        return was_gone

    async def moved(self, address: Address, recipient: str) -> None:
        """Give a subscriber the new recipient id that their place has."""
        async with self._store.write() as connection:
            reader = await subscriber_queries.get(connection, address, lock=True)
            if reader is not None:
                await subscriber_queries.move(connection, reader.id, recipient)

    async def listening(self, channel: str, now: datetime) -> None:
        """Note that a channel receives what readers write."""
        await self._monitor.working(channel, now)

    async def not_listening(self, channel: str, reason: str, now: datetime) -> None:
        """Note that a channel receives nothing for now, and why."""
        await self._monitor.failed(channel, reason, now)

    async def acquire(self, address: Address) -> None:
        """Wait until the channel's rate limit allows a reply to `address`; replies go before editions."""
        await self._rate_limiters[address.via].acquire(address.recipient, urgent=True)

    def languages(self) -> Sequence[str]:
        """The languages there are, as BCP 47 tags."""
        return languages()

    def introduction(self, language: str) -> tuple[str, str]:
        """A description of the newsletter in a language: one sentence, and a few."""
        return help_command.introduction(words(language), self._services.styles)

    def admits(self, address: Address, invite: str) -> bool:
        """Whether an address may subscribe with this invite code."""
        return self._services.access.admits(address, invite or None)

    @property
    def by_invitation(self) -> bool:
        """Whether subscribing takes an invite code."""
        return self._services.access.by is Admission.INVITE

    def operates(self, address: Address) -> bool:
        """Whether an address is an operator's."""
        return self._services.access.operates(address)

    def listed(self, channel: str, language: str) -> Sequence[CommandInfo]:
        """A channel's commands in the order in which menus list them, those of operators included."""
        w = words(language)
        return [command.info(w) for command in self._commands[channel].values()]

    async def subscribe(self, address: Address, wanted: Preferences, now: datetime) -> bool:
        """Subscribe an address that did not ask, such as an outbox. Returns False for a known or suppressed one."""
        async with self._store.write() as connection:
            await audience.lock_editions(connection)
            if await subscriber_queries.is_suppressed(connection, address):
                return False
            return await subscription.add(connection, address, wanted, welcome_at=now, now=now)


async def _within(connection: AsyncConnection, address: Address) -> Sequence[Address]:
    """An address and those of the places within it, such as the topics of a group."""
    return [address, *await shared_places.within(connection, address)]


def _words(requester: Requester, preferences: Preferences) -> Words:
    """The words to reply in: a reader's chosen language; for a member of a shared place that of their own app."""
    if requester.person is not None and requester.locale:
        return words(match(requester.locale, preferences.language))
    return words(preferences.language)


def _rate_limit_key(requester: Requester) -> str:
    return requester.rate_limit_key or requester.person or str(requester.address)
