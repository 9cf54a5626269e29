"""What happens to a reader's deliveries when they change their mind."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import func, select

from bot.model import Address, Cadence, Preferences, Reason, State, Status, Subscriber
from bot.store import Store, subscriber_queries
from bot.store.edition_report import reports
from bot.store.schema import deliveries
from tests.support.fake_channel import DAY, NOW, publish

HOUR = timedelta(hours=1)
ADA = Address("fake", "ada")
SEOUL = Preferences(timezone="Asia/Seoul")  # 08:00 there is 23:00 UTC


async def reader(store: Store, address: Address = ADA) -> Subscriber:
    async with store.read() as connection:
        found = await subscriber_queries.get(connection, address)
    assert found is not None
    return found


async def change(store: Store, now: datetime, **changes: object) -> None:
    who = await reader(store)
    async with store.write() as connection:
        await subscriber_queries.change(connection, who, replace(who.preferences, **changes), now=now)  # type: ignore[arg-type]


async def rows(store: Store) -> list[tuple[str, datetime, str | None]]:
    async with store.read() as connection:
        query = select(deliveries.c.state, deliveries.c.next_at, deliveries.c.reason_code).order_by(deliveries.c.id)
        return [tuple(row) for row in await connection.execute(query)]


@pytest.mark.parametrize(
    ("now", "changes", "next_at"),
    [
        # Before the old hour, to a later one.
        (NOW + HOUR / 2, {"hour": 9 * 60}, NOW + 2 * HOUR),
        # To an hour that has passed since publication: at once, since it is morning there.
        (NOW + HOUR / 2, {"hour": 7 * 60}, NOW + HOUR / 2),
        # To another zone, where the hour is still to come: 08:00 in Berlin is 07:00 UTC.
        (NOW + HOUR / 2, {"timezone": "Europe/Berlin"}, datetime(2025, 11, 4, 7, tzinfo=UTC)),
        # To a weekday that is still to come: Friday in Seoul.
        (NOW + HOUR / 2, {"weekdays": 0b0010000}, datetime(2025, 11, 6, 23, tzinfo=UTC)),
        # What the message says may change without moving it.
        (NOW + HOUR / 2, {"papers": 3}, NOW + HOUR),
    ],
)
async def test_what_is_owed_moves_to_the_new_hour(
    store: Store, now: datetime, changes: dict[str, object], next_at: datetime
) -> None:
    await publish(store, {"ada": SEOUL})
    assert await rows(store) == [("owed", NOW + HOUR, None)]
    await change(store, now, **changes)
    assert await rows(store) == [("owed", next_at, None)]
    assert (await reader(store)).preferences == replace(SEOUL, **changes)  # type: ignore[arg-type]


async def test_what_had_expired_by_the_new_hour_comes_at_the_next_waking_moment(store: Store) -> None:
    await publish(store, {"ada": Preferences(weekdays=0b0000001)})  # due on Monday the 10th
    sunday_night = datetime(2025, 11, 9, 23, 30, tzinfo=UTC)
    await change(store, sunday_night, weekdays=0b0000010)  # as if Tuesday, which is long over
    assert await rows(store) == [("owed", datetime(2025, 11, 10, 7, tzinfo=UTC), None)]


async def test_another_cadence_skips_what_is_owed_of_the_old_one(store: Store) -> None:
    await publish(store, {"ada": SEOUL})
    await change(store, NOW, cadence=Cadence.WEEK)
    assert [(state, reason) for state, _, reason in await rows(store)] == [("skipped", Reason.CADENCE_CHANGED)]


async def test_a_pause_ends_by_itself_before_the_next_edition(store: Store) -> None:
    await publish(store, {"ada": SEOUL})
    who = await reader(store)
    async with store.write() as connection:
        await subscriber_queries.pause(connection, who.id, until=NOW + 12 * HOUR, now=NOW)
    assert (await reader(store)).status is Status.PAUSED
    async with store.write() as connection:
        await subscriber_queries.resume_due(connection, now=NOW + 11 * HOUR)
    assert (await reader(store)).status is Status.PAUSED
    async with store.write() as connection:
        await subscriber_queries.resume_due(connection, now=NOW + 12 * HOUR)
    assert (await reader(store)).status is Status.ACTIVE
    await publish(store, {}, day=DAY + timedelta(days=1), now=NOW + 24 * HOUR)
    assert [state for state, _, _ in await rows(store)] == ["skipped", "owed"]


async def test_a_pause_without_an_end_lasts_until_it_is_ended(store: Store) -> None:
    await publish(store, {"ada": SEOUL})
    who = await reader(store)
    async with store.write() as connection:
        await subscriber_queries.pause(connection, who.id, until=None, now=NOW)
        await subscriber_queries.resume_due(connection, now=NOW + 1000 * HOUR)
    assert (await reader(store)).status is Status.PAUSED
    async with store.write() as connection:
        await subscriber_queries.resume(connection, who.id)
    assert (await reader(store)).status is Status.ACTIVE


async def test_who_leaves_is_owed_nothing_and_keeps_their_preferences(store: Store) -> None:
    await publish(store, {"ada": SEOUL})
    who = await reader(store)
    async with store.write() as connection:
        await subscriber_queries.unsubscribe(connection, who.id, now=NOW)
    after = await reader(store)
    assert (after.status, after.preferences) == (Status.UNSUBSCRIBED, SEOUL)
    assert [state for state, _, _ in await rows(store)] == ["skipped"]


async def test_who_is_forgotten_leaves_a_nameless_row_so_that_the_sum_holds(store: Store) -> None:
    await publish(store, {"ada": SEOUL, "bo": SEOUL})
    who = await reader(store)
    async with store.write() as connection:
        await subscriber_queries.forget(connection, who.id, now=NOW)
        assert await subscriber_queries.get(connection, ADA) is None
        nameless = select(func.count()).where(deliveries.c.subscriber_id.is_(None))
        assert await connection.scalar(nameless) == 1
        [report] = await reports(connection)
    assert report.adds_up
    assert report.audience == 2
    assert report.channels["fake"].states == {State.SKIPPED: 1, State.OWED: 1}


async def test_a_suppressed_address_is_known_by_its_hash_alone(store: Store) -> None:
    async with store.write() as connection:
        await subscriber_queries.suppress(connection, Address("email", "Ada@Example.org"), Reason.COMPLAINED, now=NOW)
        assert await subscriber_queries.is_suppressed(connection, Address("email", "ada@example.org"))
        assert not await subscriber_queries.is_suppressed(connection, Address("telegram", "ada@example.org"))
        await subscriber_queries.unsuppress(connection, Address("email", "ada@example.org"))
        assert not await subscriber_queries.is_suppressed(connection, Address("email", "ada@example.org"))
