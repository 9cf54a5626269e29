"""A process whose clock is wrong expires nothing, folds nothing, says so once, and goes on when the clock is right."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta

import pytest
from sqlalchemy import func, select

from bot import settings
from bot.channel import Deferred, Outcome, Personal
from bot.delivery.dispatcher import Dispatcher
from bot.delivery.housekeeping import Housekeeping
from bot.doctor.services import check_clock
from bot.model import Preferences
from bot.publishing.feed import Feed
from bot.runtime.clock import AGREED, IN_DOUBT, IS_OFF, Clock
from bot.runtime.locks import holding, make_locks
from bot.settings import Settings
from bot.store import Store
from bot.store.schema import deliveries, delivery_counts
from tests.support.fake_channel import DAY, NOW, FakeChannel, Plain, publish, settle
from tests.support.feed_server import FeedServer, row

HOUR, NOTHING = timedelta(hours=1), timedelta()
MORNING = Preferences(hour=8 * 60)
READERS = {"ada": MORNING, "bo": MORNING, "cleo": MORNING}

wrong = pytest.mark.parametrize(
    "by", [20 * HOUR, -48 * HOUR, 2400 * HOUR], ids=["20 h ahead", "2 days back", "100 days ahead"]
)


@dataclass
class Sender:
    """A sending process with a clock of its own, and a feed that knows the time."""

    store: Store
    server: FeedServer
    clock: Clock
    dispatcher: Dispatcher
    housekeeping: Housekeeping
    channel: FakeChannel
    off: timedelta = NOTHING
    told: list[str] = field(default_factory=list)

    async def round(self, at: datetime) -> None:
        """One round of everything at the true time `at`."""
        self.server.now = at
        await self.clock.measure()
        await settle(self.dispatcher, self.clock.now())
        await self.housekeeping.step(self.clock.now())

    async def states(self) -> dict[str, int]:
        async with self.store.read() as connection:
            query = select(deliveries.c.state, func.count()).group_by(deliveries.c.state)
            return {row[0]: row[1] for row in await connection.execute(query)}

    async def folded(self) -> int:
        async with self.store.read() as connection:
            return await connection.scalar(select(func.count()).select_from(delivery_counts)) or 0


@asynccontextmanager
async def sending(store: Store, *, database: bool = False) -> AsyncIterator[Sender]:
    async with FeedServer({DAY: [row("2511.00001", day=DAY)]}) as server, Feed(server.url) as feed:
        server.tells_time = True
        told: list[str] = []
        channel, locks = FakeChannel(), make_locks(store.engine.url, store.path)

        async def database_time() -> datetime | None:
            return server.now if database else None

        def tell(event: str, now: datetime, **fields: object) -> None:
            told.append(event)

        clock = Clock(
            {"database": database_time, "feed": feed.server_time},
            tell,
            wall=lambda: server.now + sender.off,
            monotonic=lambda: 0.0,
        )
        dispatcher = Dispatcher(store, channel, locks, may_expire=clock.may_expire)
        housekeeping = Housekeeping(store, lambda *_, **__: None, closes=time(22), may_expire=clock.may_expire)
        sender = Sender(store, server, clock, dispatcher, housekeeping, channel, told=told)
        async with holding(locks, *dispatcher.roles()):
            yield sender
        await locks.close()


@wrong
async def test_a_wrong_clock_for_one_run_costs_nothing(store: Store, by: timedelta) -> None:
    async with sending(store) as sender:
        await publish(store, READERS, day=DAY - timedelta(days=30), now=NOW - timedelta(days=30))
        await sender.round(NOW - timedelta(days=30) + 10 * HOUR)
        assert await sender.states() == {"sent": 3}
        await publish(store, READERS)
        sender.off = by
        for minutes in range(3):
            await sender.round(NOW + timedelta(minutes=minutes))
        assert (await sender.states(), await sender.folded()) == ({"sent": 3, "owed": 3}, 0)
        assert sender.told == [IN_DOUBT]
        sender.off = NOTHING
        await sender.round(NOW + 10 * HOUR)
        assert (await sender.states(), sender.told) == ({"sent": 6}, [IN_DOUBT, AGREED])


@wrong
async def test_with_a_database_server_that_agrees_with_the_feed_work_goes_on(store: Store, by: timedelta) -> None:
    async with sending(store, database=True) as sender:
        await publish(store, READERS)
        sender.off = by
        await sender.round(NOW)
        assert await sender.states() == {"owed": 3}
        await sender.round(NOW + 10 * HOUR)
        assert (await sender.states(), sender.told) == ({"sent": 3}, [IS_OFF])


async def test_what_is_too_late_waits_while_clocks_differ_and_expires_when_they_agree(store: Store) -> None:
    async with sending(store) as sender:
        await publish(store, READERS)
        sender.off = 20 * HOUR
        await sender.round(NOW + 40 * HOUR)
        assert not await sender.dispatcher.step(sender.clock.now()), "it has nothing to do, and says so"
        assert await sender.states() == {"owed": 3}
        sender.off = NOTHING
        await sender.round(NOW + 40 * HOUR)
        assert await sender.states() == {"expired": 3}


async def test_a_retry_that_would_be_too_late_is_kept_while_clocks_differ(store: Store) -> None:
    def later(to: str, message: Plain, personal: Personal) -> Outcome:
        return Deferred("try later", retry_after=86_400)

    async with sending(store) as sender:
        await publish(store, READERS)
        sender.channel.answer, sender.off = later, 20 * HOUR
        await sender.round(NOW + 10 * HOUR)
        assert await sender.states() == {"owed": 3}
        await sender.round(NOW + 20 * HOUR)
        assert await sender.states() == {"owed": 3}


@pytest.mark.parametrize(("hours", "fine"), [(0, True), (20, False)])
async def test_doctor_has_a_line_for_it(store: Store, hours: int, fine: bool, caplog: pytest.LogCaptureFixture) -> None:
    async with FeedServer({}) as server:
        server.now = datetime.now(UTC) + hours * HOUR
        server.tells_time = True
        [finding] = await check_clock(settings.read(Settings, {"FEED_URL": server.url}), store)
    assert (finding.subject, finding.ok) == ("clock", fine)
    assert ("nothing expires until they agree" in finding.says) == (not fine)
    assert not caplog.records


async def test_the_database_servers_clock_can_be_asked(store: Store) -> None:
    told = await store.server_time()
    assert (told is None) == (store.path is not None)
    assert told is None or told.tzinfo is not None
