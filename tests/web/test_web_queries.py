"""The web server's queries on both databases: archive, metrics, one-time tokens."""

import asyncio
from datetime import date, timedelta
from pathlib import Path

from bot.channel import Deferred, Outcome, Personal, Sent
from bot.delivery.dispatcher import Dispatcher
from bot.model import Address, Cadence, Edition, Found, Preferences, Status
from bot.rules.closing import rank
from bot.runtime.locks import FileLocks, holding, make_locks
from bot.runtime.timing import Timed
from bot.store import (
    Store,
    archive,
    edition_queries,
    health_figures,
    one_time_tokens,
    paper_queries,
    subscriber_queries,
)
from bot.store.one_time_tokens import LASTS, Purpose
from bot.store.schema import editions as table
from bot.web import health
from bot.web.metrics import Metrics
from tests.support.fake_channel import DAY, NOW, FakeChannel, Plain, paper, publish, settle
from tests.support.web_program import Served

ADA = Address("email", "ada@example.org")


async def put(store: Store, cadence: Cadence, *days: date) -> None:
    async with store.write() as connection:
        for day in days:
            found = [paper(day.toordinal() % 10_000 * 10 + place, day) for place in range(2)]
            await paper_queries.keep(connection, Found(found, frozenset()))
            assert await edition_queries.add(connection, Edition(cadence, day, NOW, rank(found))) is not None


async def test_the_archive_knows_what_lies_above_and_below_an_edition(store: Store) -> None:
    monday, sunday = date(2026, 4, 27), date(2026, 5, 3)
    await put(store, Cadence.DAY, monday, date(2026, 4, 30), date(2026, 5, 4))
    await put(store, Cadence.WEEK, date(2026, 4, 26), sunday)
    await put(store, Cadence.MONTH, date(2026, 4, 30))
    april, week = (Cadence.MONTH, date(2026, 4, 30)), (Cadence.WEEK, sunday)
    async with store.read() as connection:
        assert await archive.around(connection, Cadence.DAY, monday) == [week, april]
        assert await archive.around(connection, *week) == [(Cadence.DAY, monday), (Cadence.DAY, date(2026, 4, 30))]
        assert await archive.around(connection, *april) == [(Cadence.WEEK, date(2026, 4, 26))]
        assert await edition_queries.latest_day(connection, Cadence.WEEK) == sunday
        assert await edition_queries.latest_day(connection, Cadence.MONTH) == date(2026, 4, 30)


async def test_the_archive_knows_an_editions_neighbours(store: Store) -> None:
    days = date(2025, 12, 30), date(2026, 1, 2), date(2026, 4, 29)
    await put(store, Cadence.DAY, *days)
    await put(store, Cadence.WEEK, date(2026, 1, 4))
    async with store.read() as connection:
        assert await archive.neighbours(connection, Cadence.DAY, days[1]) == (days[0], days[2])
        assert await archive.neighbours(connection, Cadence.WEEK, date(2026, 1, 4)) == (None, None)
        assert await archive.years(connection) == [2026, 2025]
        of_year = [(entry.cadence, entry.day, entry.papers) for entry in await archive.of_year(connection, 2026)]
        assert of_year == [(Cadence.DAY, days[2], 2), (Cadence.WEEK, date(2026, 1, 4), 2), (Cadence.DAY, days[1], 2)]
        assert len(await archive.newest(connection, Cadence.DAY, 2)) == 2
        one = paper(days[1].toordinal() % 10_000 * 10, days[1]).id
        assert await archive.holding(connection, one) == [(Cadence.DAY, days[1])]


async def test_announcements_are_not_in_the_archive(store: Store) -> None:
    async with store.write() as connection:
        await connection.execute(
            table.insert().values(cadence="note", day=DAY, closed_at=NOW, complete=True, audience=0, for_readers=True)
        )
    async with store.read() as connection:
        assert await archive.years(connection) == []
        assert await archive.of_year(connection, DAY.year) == []


async def test_metrics_count_deliveries_by_state_and_what_is_overdue(store: Store, tmp_path: Path) -> None:
    channel = FakeChannel(answer=lambda to, message, personal: Deferred("busy") if to == "b" else Sent())
    await publish(store, {"a": Preferences(hour=22 * 60), "b": Preferences(hour=22 * 60)})
    metrics = Metrics(store)
    dispatcher = Dispatcher(store, channel, FileLocks(tmp_path / "x.db"), observe=metrics.observe)
    await settle(dispatcher, NOW)
    later = NOW + timedelta(hours=1)
    async with store.read() as connection:
        assert await health_figures.count_states(connection, NOW - timedelta(days=1)) == {
            ("fake", "sent"): 1,
            ("fake", "owed"): 1,
        }
        assert await health_figures.readers(connection) == {("fake", Status.ACTIVE.value): 2}
        assert list(await health_figures.overdue(connection, later)) == ["fake"]
        assert await health_figures.overdue(connection, NOW) == {}
        assert await health_figures.halted(connection) == {}
        assert await health_figures.written(connection) == {}
    text = (await metrics.write(later)).decode()
    assert 'papers_deliveries{channel="fake",state="sent"} 1.0' in text
    assert 'papers_delivery_lag_seconds{channel="fake"}' in text
    assert f'papers_{Timed.SEND.value}_seconds_count{{channel="fake"}} 2.0' in text
    assert f'papers_{Timed.RENDER.value}_seconds_count{{channel="fake"}} 1.0' in text
    assert "ada" not in text


async def test_a_one_time_token_is_used_once_before_it_expires(store: Store) -> None:
    async with store.write() as connection:
        key = await one_time_tokens.make(connection, Purpose.JOIN, ADA, now=NOW, payload={"recipient": ADA.recipient})
        other = await one_time_tokens.make(connection, Purpose.OPEN, ADA, now=NOW)
        assert await one_time_tokens.look(connection, Purpose.OPEN, key, NOW) is None
        assert await one_time_tokens.use(connection, Purpose.JOIN, key, NOW + LASTS[Purpose.JOIN]) is None
        used = await one_time_tokens.use(connection, Purpose.JOIN, key, NOW)
        assert used is not None
        assert used.payload == {"recipient": ADA.recipient}
        assert await one_time_tokens.use(connection, Purpose.JOIN, key, NOW) is None
        assert await one_time_tokens.last_unused(connection, ADA, Purpose.OPEN) == NOW
        for who, purpose in ((ADA, Purpose.JOIN), (Address("email", "x@y.z"), Purpose.OPEN)):
            assert await one_time_tokens.last_unused(connection, who, purpose) is None, "used, or another's"
        await one_time_tokens.end(connection, other)
        assert await one_time_tokens.look(connection, Purpose.OPEN, other, NOW) is None


async def test_one_time_tokens_are_deleted_when_expired_or_their_reader_is_erased(store: Store) -> None:
    async with store.write() as connection:
        number = await subscriber_queries.add(connection, ADA, Preferences(), now=NOW)
        assert number is not None
        mine = await one_time_tokens.make(connection, Purpose.SESSION, ADA, now=NOW, subscriber_id=number)
        await one_time_tokens.make(connection, Purpose.OPEN, ADA, now=NOW)
        assert await one_time_tokens.drop_old(connection, NOW + timedelta(hours=1)) == 1
        assert await one_time_tokens.look(connection, Purpose.SESSION, mine, NOW) is not None
        await subscriber_queries.forget(connection, number, now=NOW)
        assert await one_time_tokens.look(connection, Purpose.SESSION, mine, NOW) is None
        await one_time_tokens.make(connection, Purpose.JOIN, ADA, now=NOW)
        await one_time_tokens.end_all(connection, ADA)
        assert await one_time_tokens.drop_old(connection, NOW + timedelta(days=99)) == 0


async def test_an_impossible_paper_id_is_not_found(store: Store, tmp_path: Path) -> None:
    async with Served(tmp_path, store=store) as served:
        for written in ("%00", "2604.00001%00", "%EF%BC%92604.00001", "a%ED%A0%80"):
            assert (await served.get(f"/en/papers/{written}")).status == 404


async def test_concurrent_requests_make_one_token_an_hour(store: Store) -> None:
    async def ask(minutes: int) -> str | None:
        async with store.write() as connection:
            at = NOW + timedelta(minutes=minutes)
            return await one_time_tokens.make_unless_recent(connection, Purpose.OPEN, ADA, now=at)

    keys = await asyncio.gather(*(ask(0) for _ in range(5)))
    assert len([key for key in keys if key is not None]) == 1
    async with store.write() as connection:
        assert await one_time_tokens.drop_old(connection, NOW + timedelta(minutes=59)) == 0, "it tells of the letter"
        assert not await one_time_tokens.any_old(connection, NOW + timedelta(minutes=59))
    assert await ask(59) is None
    assert await ask(60) is not None


async def test_a_relay_that_refuses_is_seen_within_two_minutes(store: Store) -> None:
    def refused(to: str, message: Plain, personal: Personal) -> Outcome:
        return Deferred("the relay refused the connection", None, "channel")

    await publish(store, {"ada": Preferences(hour=22 * 60)})
    channel, locks = FakeChannel(answer=refused), make_locks(store.engine.url, store.path)
    dispatcher = Dispatcher(store, channel, locks)
    async with holding(locks, *dispatcher.roles()):
        for seconds in range(0, 121, 10):
            await settle(dispatcher, NOW + timedelta(seconds=seconds))
            found = await health.examine(store, ["fake"], timedelta(hours=1), NOW + timedelta(seconds=seconds))
            if seconds == 0:
                assert found[-1].ok, "it may be a restart"
        assert (found[-1].ok, found[-1].says) == (False, "failed 2 times in a row, and waits")
        channel.answer = lambda to, message, personal: Sent()
        await settle(dispatcher, NOW + timedelta(minutes=10))
        found = await health.examine(store, ["fake"], timedelta(hours=1), NOW + timedelta(minutes=10))
        assert found[-1].ok
    await locks.close()
