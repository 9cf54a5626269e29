"""A channel for tests: it returns the outcomes that a test chooses, and records every send."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime

from bot.channel import Channel, Limits, Message, Outcome, Pace, Page, Personal, Sent
from bot.channel.preference import Preference
from bot.delivery.dispatcher import Dispatcher
from bot.model import Address, Cadence, Edition, Found, Paper, Preferences, Ranked
from bot.store import Store, audience, edition_queries, paper_queries, subscriber_queries

NOW = datetime(2025, 11, 3, 22, 0, tzinfo=UTC)
DAY = date(2025, 11, 3)

Answer = Callable[[str, "Plain", Personal], Outcome | BaseException]


@dataclass(frozen=True)
class Plain:
    """A message that holds its page."""

    page: Page

    def sizes(self) -> Mapping[str, int]:
        return {"characters": len(self.page.lead)}

    def parts(self) -> Mapping[str, str]:
        return {"text": self.page.heading}


@dataclass
class FakeChannel(Channel):
    """Returns what `answer` says; `sent` lists every send in order."""

    name: str = "fake"
    answer: Answer = lambda to, message, personal: Sent()
    pace: Pace = field(default_factory=Pace)
    compose_fault: Callable[[Page], None] = lambda page: None
    limits: Limits = field(default_factory=Limits)
    repeats_unknown: bool = True
    rehearsal: bool = True
    shows_pictures: bool = True
    residents: Sequence[str] = ()
    extras: Sequence[Preference] = ()
    sent: list[tuple[str, str, Personal]] = field(default_factory=list)
    alerts: list[Page] = field(default_factory=list)
    hold: asyncio.Event | None = None
    """While this is given and not set, sends hang."""

    busy: asyncio.Event = field(default_factory=asyncio.Event)
    """Set by the first send."""

    def recipient(self, written: str) -> str:
        if not written.isprintable() or " " in written:
            raise ValueError(f"{written!r} is no recipient of this channel")
        return written.casefold()

    def compose(self, page: Page) -> Plain:
        self.compose_fault(page)
        return Plain(page)

    async def send(self, to: str, message: Message, personal: Personal) -> Outcome:
        assert isinstance(message, Plain)
        if not message.page.blocks:
            self.alerts.append(message.page)
            return self._answered(to, message, personal)
        style = message.page.blocks[0].said.style
        self.sent.append((to, style, personal))
        self.busy.set()
        if self.hold is not None:
            await self.hold.wait()
        return self._answered(to, message, personal)

    def _answered(self, to: str, message: Plain, personal: Personal) -> Outcome:
        outcome = self.answer(to, message, personal)
        if isinstance(outcome, BaseException):
            raise outcome
        return outcome

    @property
    def reached(self) -> list[str]:
        """The recipients of all sends, in order."""
        return [to for to, _, _ in self.sent]


def paper(number: int, day: date = DAY, votes: int = 1) -> Paper:
    """A paper listed on `day`."""
    listed_at = datetime(day.year, day.month, day.day, 8, tzinfo=UTC)
    return Paper(f"2511.{number:05}", f"Paper {number}", "What it is about.", day, listed_at, votes=votes)


async def publish(
    store: Store, readers: Mapping[str, Preferences], *, day: date = DAY, now: datetime = NOW, channel: str = "fake"
) -> int:
    """Subscribe new readers and publish a day's edition for them. Returns its id."""
    async with store.write() as connection:
        for recipient, wanted in readers.items():
            await subscriber_queries.add(connection, Address("fake", recipient), wanted, now=now)
        found = [paper(day.toordinal() % 10_000 * 10 + place, day) for place in range(3)]
        await paper_queries.keep(connection, Found(found, frozenset({day})))
        ranked = tuple(Ranked(place, each, each.votes) for place, each in enumerate(found, start=1))
        edition_id = await edition_queries.add(connection, Edition(Cadence.DAY, day, now, ranked))
        assert edition_id is not None
        await audience.owe(connection, edition_id, Cadence.DAY, published_at=now)
    return edition_id


async def settle(dispatcher: Dispatcher, now: datetime) -> None:
    """Step until nothing is left to do at `now`."""
    while await dispatcher.step(now) or dispatcher.busy:
        if dispatcher.busy and not dispatcher.attempt_ended.is_set():
            await dispatcher.attempt_ended.wait()
