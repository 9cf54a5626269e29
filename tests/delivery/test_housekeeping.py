"""The keeper's rounds, and the notices that reach the operator."""

from __future__ import annotations

import asyncio
import logging
from datetime import date, datetime, time, timedelta

import pytest
from sqlalchemy import func, select, text, update

from bot.channel import Deferred, Rejected, Sent
from bot.delivery.alerts import MOST, Alerts
from bot.delivery.dispatcher import Dispatcher
from bot.delivery.housekeeping import Housekeeping
from bot.delivery.session import Session
from bot.model import Address, Preferences, State
from bot.rules.outcomes import PROBE_EVERY
from bot.runtime.locks import make_locks
from bot.store import Store, channel_state, closing_state, one_time_tokens, pending_deliveries
from bot.store.edition_report import reports
from bot.store.retention import KEEP
from bot.store.schema import deliveries, editions
from tests.support.alerts_heard import Heard
from tests.support.dispatching import AT_ONCE
from tests.support.fake_channel import DAY, NOW, FakeChannel, publish, settle

CLOSES = time(22)
HOUR = timedelta(hours=1)
ADMIN = Address("fake", "admin")


async def test_the_end_of_an_edition_is_told_once_with_what_became_of_it(store: Store) -> None:
    heard = Heard()
    housekeeping = Housekeeping(store, heard, closes=CLOSES)
    locks = make_locks(store.engine.url, store.path)
    await publish(store, {"ada": AT_ONCE, "bo": AT_ONCE})
    await housekeeping.step(NOW)
    assert heard.alerts == []
    await settle(Dispatcher(store, FakeChannel(), locks), NOW)
    assert await housekeeping.step(NOW)
    assert not await housekeeping.step(NOW + HOUR / 60)
    assert heard.alerts == [("edition finished", {"day": "2025-11-03", "deliveries": {"sent": 2}})]
    await locks.close()


@pytest.mark.parametrize(
    ("now", "told"),
    [
        (NOW + HOUR, False),  # 23:00, too early to worry
        (NOW + 2 * HOUR, True),
        (NOW + 5 * 24 * HOUR + 3 * HOUR, False),  # Saturday's list stays empty
    ],
)
async def test_a_weekday_without_an_edition_is_told_once(store: Store, now: datetime, told: bool) -> None:
    heard = Heard()
    async with store.write() as connection:
        await closing_state.save(connection, origin=date(2025, 10, 1), settled=date(2025, 10, 31), polled_at=NOW - HOUR)
    for _ in range(2):
        await Housekeeping(store, heard, closes=CLOSES).step(now)
    assert [event for event, _ in heard.alerts] == (["no edition, the feed is unreachable"] if told else [])


async def test_nothing_is_missing_before_the_first_start_or_when_the_edition_is_there(store: Store) -> None:
    heard = Heard()
    await Housekeeping(store, heard, closes=CLOSES).step(NOW + 3 * HOUR)
    async with store.write() as connection:
        await closing_state.save(connection, origin=DAY)
    await publish(store, {"ada": AT_ONCE})
    await Housekeeping(store, heard, closes=CLOSES).step(NOW + 3 * HOUR)
    assert heard.alerts == []


async def test_old_deliveries_are_folded_once_a_day(store: Store) -> None:
    await publish(store, {"ada": AT_ONCE})
    housekeeping = Housekeeping(store, Heard(), closes=CLOSES)
    assert not await housekeeping.step(NOW + KEEP / 2)
    later = NOW + KEEP + HOUR / 2
    assert await housekeeping.step(later)
    async with store.read() as connection:
        assert await connection.scalar(select(func.count()).select_from(deliveries)) == 0
        [report] = await reports(connection)
    assert report.adds_up
    assert report.channels["fake"].states == {State.EXPIRED: 1}
    await housekeeping.step(later)  # the end of the edition
    assert not await housekeeping.step(later)


async def test_admins_are_told_in_their_language_and_the_log_too(caplog: pytest.LogCaptureFixture) -> None:
    channel = FakeChannel()
    alerts = Alerts([Session(channel)], [ADMIN], "ko")
    with caplog.at_level(logging.INFO):
        alerts.alert("channel resumed", NOW, channel="telegram")
    assert "channel resumed" in caplog.text
    await alerts.flush()
    [page] = channel.alerts
    assert page.lead == "telegram 채널이 다시 발송을 시작했습니다."


async def test_a_notice_that_cannot_be_sent_holds_nobody_up(caplog: pytest.LogCaptureFixture) -> None:
    channel = FakeChannel(answer=lambda to, message, personal: Deferred("busy"))
    alerts = Alerts([Session(channel)], [ADMIN, Address("gone", "x")], "en")
    for _ in range(MOST + 5):
        alerts.alert("channel resumed", NOW, channel="telegram")
    await alerts.flush()
    assert len(channel.alerts) == MOST
    channel.answer = lambda to, message, personal: RuntimeError("a bug")
    alerts.alert("channel resumed", NOW, channel="telegram")
    await alerts.flush()
    assert "alert failed" in caplog.text


async def test_a_halt_and_its_end_are_told(store: Store) -> None:
    heard = Heard()
    locks = make_locks(store.engine.url, store.path)
    channel = FakeChannel(answer=lambda to, message, personal: Rejected("bad markup"))
    dispatcher = Dispatcher(store, channel, locks, alert=heard)
    await publish(store, {f"r{number}": Preferences() for number in range(20)})
    for minute in range(30):
        await settle(dispatcher, NOW + 10 * HOUR + minute * HOUR / 60)
    async with store.read() as connection:
        probe_at = (await channel_state.load(connection, "fake")).probe_at
    assert probe_at is not None
    channel.answer = lambda to, message, personal: Sent()
    await settle(dispatcher, probe_at + PROBE_EVERY)
    assert [event for event, _ in heard.alerts] == ["channel halted", "channel resumed"]
    await locks.close()


async def test_tickets_go_when_their_time_is_over(store: Store) -> None:
    address = Address("email", "ada@example.org")
    async with store.write() as connection:
        await one_time_tokens.make(connection, one_time_tokens.Purpose.OPEN, address, now=NOW)
    housekeeping = Housekeeping(store, Heard(), closes=CLOSES)
    await housekeeping.step(NOW + timedelta(minutes=59))
    async with store.read() as connection:
        assert await one_time_tokens.last_unused(connection, address, one_time_tokens.Purpose.OPEN) == NOW
    await housekeeping.step(NOW + timedelta(minutes=60))
    async with store.read() as connection:
        assert await one_time_tokens.last_unused(connection, address, one_time_tokens.Purpose.OPEN) is None


async def test_old_files_are_deleted_once_a_day(store: Store) -> None:
    asked: list[datetime] = []

    def drop_old(now: datetime) -> int:
        asked.append(now)
        return 3

    housekeeping = Housekeeping(store, Heard(), closes=CLOSES, drop_files=drop_old)
    assert await housekeeping.step(NOW)
    assert not await housekeeping.step(NOW + HOUR)
    await housekeeping.step(NOW + 24 * HOUR)
    assert asked == [NOW, NOW + 24 * HOUR]


@pytest.mark.parametrize("database", ["postgres"], indirect=True)
async def test_an_edition_that_is_reopened_meanwhile_has_not_finished(store: Store) -> None:
    """Otherwise its delivery would be owed by an edition in which nobody looks for any."""
    edition_id = await publish(store, {"ada": AT_ONCE})
    async with store.write() as connection:
        [delivery_id] = await connection.scalars(update(deliveries).values(state="sent").returning(deliveries.c.id))
    async with store.write() as connection:
        await pending_deliveries.reopen(connection, delivery_id, edition_id, next_at=NOW)
        housekeeping = asyncio.create_task(Housekeeping(store, Heard(), closes=CLOSES).step(NOW))
        waits = text("select 1 from pg_locks where not granted")
        while not await connection.scalar(waits):  # noqa: ASYNC110 - it is the server that is waited for
            await asyncio.sleep(0)
    assert not await housekeeping
    async with store.read() as connection:
        assert await connection.scalar(select(editions.c.ended_at)) is None
