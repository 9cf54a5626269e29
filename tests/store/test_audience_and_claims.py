"""Editions in the store: their audience, and deliveries that are claimed and recorded by one worker each."""

import asyncio
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import func, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.model import (
    Address,
    Cadence,
    Delivery,
    Edition,
    Found,
    Preferences,
    Reason,
    State,
    Status,
)
from bot.rules.closing import rank
from bot.rules.outcomes import Consequence
from bot.rules.schedule import Rhythm, Window, window
from bot.store import (
    Store,
    audience,
    claiming,
    edition_queries,
    paper_queries,
    recording,
    subscriber_queries,
)
from bot.store.edition_report import Reach, reports
from bot.store.schema import deliveries as rows
from tests.support.stored_papers import CLOSED, HOUR, MONDAY, NOON, TUESDAY, keep, paper

# Editions and their audience


async def subscribe(connection: AsyncConnection, name: str, channel: str = "outbox", **wanted: Any) -> int:
    made = await subscriber_queries.add(connection, Address(channel, name), Preferences(**wanted), now=NOON)
    assert made is not None
    return made


async def close(connection: AsyncConnection, day: date = MONDAY, *, owe: bool = True) -> int:
    held = (paper(1), paper(2, votes=5))
    await paper_queries.keep(connection, Found(held))
    closed_at = CLOSED + (day - MONDAY)
    edition_id = await edition_queries.add(connection, Edition(Cadence.DAY, day, closed_at, rank(held)))
    assert edition_id is not None
    if owe:
        await audience.owe(connection, edition_id, Cadence.DAY, published_at=closed_at)
    return edition_id


async def test_an_edition_is_written_once_and_read_as_it_was_though_votes_go_on(store: Store) -> None:
    async with store.write() as connection:
        edition_id = await close(connection)
        again = Edition(Cadence.DAY, MONDAY, CLOSED + HOUR, rank([paper(1)]))
        assert await edition_queries.add(connection, again) is None
    await keep(store, paper(1, votes=99), paper(2, votes=0))
    async with store.read() as connection:
        read = await edition_queries.get(connection, edition_id)
        assert await edition_queries.of_day(connection, Cadence.DAY, MONDAY) == read
        assert await edition_queries.latest(connection, Cadence.DAY) == read
        assert await edition_queries.of_day(connection, Cadence.DAY, TUESDAY) is None
        assert await edition_queries.held(connection, ["2511.00001", "2511.00003"]) == {"2511.00001"}
    assert (read.day, read.closed_at, read.complete) == (MONDAY, CLOSED, True)
    assert [(each.rank, each.paper.id, each.votes) for each in read.papers] == [
        (1, "2511.00002", 5),
        (2, "2511.00001", 1),
    ]


RHYTHMS = [
    Rhythm("UTC", 480, 127),
    Rhythm("Asia/Seoul", 480, 127),
    Rhythm("America/New_York", 390, 0b0011111),
    Rhythm("Asia/Kathmandu", 1439, 0b1000000),
    Rhythm("Pacific/Chatham", 480, 127),
]


async def test_everybody_active_is_owed_an_edition_at_their_own_hour(store: Store) -> None:
    async with store.write() as connection:
        rhythms = {
            await subscribe(
                connection, f"{number}", timezone=each.timezone, hour=each.hour, weekdays=each.weekdays
            ): each
            for number, each in enumerate(RHYTHMS * 3)
        }
        left_out = [await subscribe(connection, "weekly", cadence=Cadence.WEEK)]
        for status in Status:
            if status is not Status.ACTIVE:
                left_out.append(await subscribe(connection, status))
                await subscriber_queries.set_status(connection, left_out[-1], status, Reason.OTHER, "test")
        edition_id = await close(connection)
        owed = (await connection.execute(select(rows))).all()
        [report] = await reports(connection)
    assert {each.subscriber_id for each in owed} == set(rhythms)
    assert len(owed) == len(rhythms)
    for each in owed:
        due = window(rhythms[each.subscriber_id], CLOSED)
        assert (each.edition_id, each.state, each.channel) == (edition_id, State.OWED, "outbox")
        assert (each.due_at, each.next_at, each.expires_at) == (due.due_at, due.due_at, due.expires_at)
    assert (report.audience, report.adds_up) == (15, True)
    at = {each.due_at for each in owed if rhythms[each.subscriber_id].timezone == "Asia/Seoul"}
    assert at == {datetime(2025, 11, 3, 23, tzinfo=UTC)}


async def test_a_rhythm_for_every_reader(store: Store) -> None:
    async with store.write() as connection:
        for minute in range(201):
            await subscribe(connection, f"{minute}", hour=minute)
        await close(connection)
        assert await connection.scalar(select(func.count(rows.c.due_at.distinct()))) == 201


async def test_a_newer_edition_takes_the_place_of_one_still_owed(store: Store) -> None:
    async with store.write() as connection:
        await subscribe(connection, "ada")
        first = await close(connection)
        second = await close(connection, TUESDAY)
        became = {each.edition_id: (each.state, each.reason) for each in await connection.execute(select(rows))}
        found = await reports(connection)
    assert became == {first: (State.EXPIRED, "superseded"), second: (State.OWED, None)}
    assert all(report.adds_up for report in found)


async def test_a_new_subscriber_is_owed_the_latest_edition_and_counted(store: Store) -> None:
    async with store.write() as connection:
        edition_id = await close(connection)
        newcomer = await subscribe(connection, "ada")
        await audience.owe_one(connection, edition_id, newcomer, "outbox", Window(CLOSED + HOUR, CLOSED + 9 * HOUR))
        [delivery] = await claiming.claim(connection, "outbox", owner="me", now=CLOSED + HOUR, limit=5)
        [report] = await reports(connection)
    assert (delivery.reader.id, delivery.due_at) == (newcomer, CLOSED + HOUR)
    assert (report.audience, report.adds_up) == (1, True)


async def test_an_address_subscribes_once(store: Store) -> None:
    async with store.write() as connection:
        await subscribe(connection, "ada", language="ko")
        again = Preferences(language="en")
        assert await subscriber_queries.add(connection, Address("outbox", "ada"), again, now=NOON) is None
        known = await subscriber_queries.get(connection, Address("outbox", "ada"))
        assert await subscriber_queries.get(connection, Address("other", "ada")) is None
        assert await subscriber_queries.count(connection) == 1
    assert known is not None
    assert (known.status, known.preferences) == (Status.ACTIVE, Preferences(language="ko"))


async def test_a_report_says_how_long_it_took(store: Store) -> None:
    async with store.write() as connection:
        for number in range(4):
            await subscribe(connection, f"{number}", timezone="Asia/Seoul")
        await close(connection)
        due = datetime(2025, 11, 3, 23, tzinfo=UTC)
        claimed = await claiming.claim(connection, "outbox", owner="me", now=due, limit=9)
        for minutes, delivery in enumerate(claimed):
            ending = [(delivery, Consequence(State.SENT if minutes < 3 else State.GONE))]
            await recording.record(connection, ending, owner="me", now=due + timedelta(minutes=minutes))
        [report] = await reports(connection)
    assert report.channels == {"outbox": Reach({State.SENT: 3, State.GONE: 1}, {50: 3660.0, 95: 3720.0, 100: 3720.0})}


# Claiming and recording


async def claim(store: Store, owner: str, limit: int, now: datetime) -> list[Delivery]:
    async with store.write() as connection:
        return await claiming.claim(connection, "outbox", owner=owner, now=now, limit=limit)


async def test_two_claimers_never_get_the_same_row(store: Store, database: str, tmp_path: Path) -> None:
    async with store.write() as connection:
        for number in range(60):
            await subscribe(connection, f"{number}", timezone="Asia/Seoul")
        await close(connection)
    now = CLOSED + 2 * HOUR
    other = Store.open(database, tmp_path)
    try:
        taken = [await claim(other, "two", 7, now)]  # whoever has a connection already might be done before the other
        turns = [claim(each, owner, 7, now) for _ in range(6) for each, owner in ((store, "one"), (other, "two"))]
        taken += await asyncio.gather(*turns)
        claimed = [delivery.id for each in taken for delivery in each]
    finally:
        await other.close()
    assert len(claimed) == len(set(claimed)) == 60
    async with store.read() as connection:
        owners = set(await connection.scalars(select(rows.c.owner)))
    assert owners == {"one", "two"}


async def test_what_is_not_due_is_not_claimed_and_what_is_too_late_expires(store: Store) -> None:
    async with store.write() as connection:
        await subscribe(connection, "ada", timezone="Asia/Seoul")
        await subscribe(connection, "bo")
        await subscribe(connection, "chi", channel="telegram", timezone="Asia/Seoul")
        await close(connection)
    assert await claim(store, "me", 9, CLOSED + timedelta(minutes=59)) == []
    assert await claim(store, "me", 0, CLOSED + HOUR) == []
    assert [each.reader.to for each in await claim(store, "me", 9, CLOSED + HOUR)] == ["ada"]
    assert await claim(store, "me", 9, CLOSED + 28 * HOUR) == []
    async with store.read() as connection:
        [report] = await reports(connection)
    assert report.channels["outbox"].states == {State.SENDING: 1, State.EXPIRED: 1}
    assert report.channels["telegram"].states == {State.OWED: 1}
    assert report.adds_up


async def test_only_the_owner_records_and_only_once(store: Store) -> None:
    async with store.write() as connection:
        await subscribe(connection, "ada", timezone="Asia/Seoul")
        await close(connection)
    [delivery] = await claim(store, "mine", 9, CLOSED + HOUR)

    async def record(owner: str, state: State) -> Any:
        async with store.write() as connection:
            ending = [(delivery, Consequence(state, receipt=owner))]
            await recording.record(connection, ending, owner=owner, now=CLOSED + 2 * HOUR)
            return (await connection.execute(select(rows.c.state, rows.c.receipt))).one()

    assert tuple(await record("another", State.GONE)) == (State.SENDING, None)
    assert tuple(await record("mine", State.SENT)) == (State.SENT, "mine")
    assert tuple(await record("mine", State.UNKNOWN)) == (State.SENT, "mine")


async def test_a_delivery_put_off_comes_back_at_its_time_with_the_choice_it_had(store: Store) -> None:
    async with store.write() as connection:
        reader = await subscribe(connection, "ada", timezone="Asia/Seoul", language="ko")
        await close(connection)
    [first] = await claim(store, "me", 9, CLOSED + HOUR)
    async with store.write() as connection:
        again = [(first, Consequence(State.OWED, "busy", next_at=CLOSED + 3 * HOUR))]
        await recording.record(connection, again, owner="me", now=CLOSED + HOUR)
        assert await claiming.next_due(connection, "outbox") == CLOSED + 3 * HOUR
        changed = await subscriber_queries.choose(connection, Preferences(language="en"))
        await connection.execute(
            text("update subscribers set choice_id = :choice where id = :id"), {"choice": changed, "id": reader}
        )
    assert await claim(store, "me", 9, CLOSED + 2 * HOUR) == []
    [second] = await claim(store, "me", 9, CLOSED + 3 * HOUR)
    assert (second.id, second.attempts, second.reader.preferences.language) == (first.id, first.attempts + 1, "ko")
