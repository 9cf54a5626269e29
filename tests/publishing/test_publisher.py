"""The publisher closes editions in a real store."""

from datetime import date

import pytest

from bot.model import Address, Cadence, Preferences
from bot.publishing.publisher import Published
from bot.rules.closing import (
    ClosingState,
    close,
)
from bot.store import Store, closing_state, edition_queries, subscriber_queries
from bot.store.edition_report import reports
from tests.support.closing_days import (
    CLOSES,
    DAY,
    FRIDAY,
    HOUR,
    MONDAY,
    NEXT_MONDAY,
    QUARTER,
    SATURDAY,
    START,
    THURSDAY,
    TUESDAY,
    WEDNESDAY,
    Listed,
    at,
    ids,
    paper,
    publisher,
)


async def subscribe(store: Store, *names: str) -> None:
    async with store.write() as connection:
        for name in names:
            await subscriber_queries.add(connection, Address("outbox", name), Preferences(), now=START)


async def audiences(store: Store) -> dict[date, int]:
    async with store.read() as connection:
        return {each.day: each.audience for each in await reports(connection) if each.cadence is Cadence.DAY}


async def test_the_first_start_closes_the_newest_finished_day_without_being_asked_for_a_date(store: Store) -> None:
    await subscribe(store, "ada")
    feed = Listed(paper(1, at(MONDAY, 8)), paper(2, at(TUESDAY, 8)), paper(3, at(WEDNESDAY, 8)))
    assert await publisher(store, feed).step(at(WEDNESDAY, 9))
    assert await audiences(store) == {TUESDAY: 1}
    async with store.read() as connection:
        first = await edition_queries.latest(connection, Cadence.DAY)
        known = await closing_state.load(connection)
    assert first is not None
    assert ids(first) == ["2511.00002"]
    assert (known.origin, known.settled) == (TUESDAY, TUESDAY)


async def test_of_several_closable_days_only_the_newest_has_an_audience(store: Store) -> None:
    await subscribe(store, "ada", "bo")
    feed = Listed(*(paper(number, at(MONDAY + number * DAY, 8)) for number in range(4)))
    service = publisher(store, feed)
    await service.step(at(MONDAY, 22))
    await service.step(at(FRIDAY, 9))
    assert await audiences(store) == {MONDAY: 2, TUESDAY: 0, WEDNESDAY: 0, THURSDAY: 2}
    assert feed.asked[-1][0] == MONDAY


async def test_a_weekend_closes_nothing_and_loses_nothing(store: Store) -> None:
    feed = Listed(paper(1, at(FRIDAY, 8)), paper(2, at(FRIDAY, 23)), paper(3, at(NEXT_MONDAY, 8)))
    service = publisher(store, feed)
    now = at(FRIDAY, 22)
    while now <= at(NEXT_MONDAY, 22):
        await service.step(now)
        now += HOUR
    async with store.read() as connection:
        held = {each.day: each.papers for each in await reports(connection) if each.cadence is Cadence.DAY}
    assert held == {FRIDAY: 1, NEXT_MONDAY: 2}


async def test_a_feed_down_for_three_hours_is_closed_from_what_is_stored_and_marked_so(store: Store) -> None:
    feed = Listed(paper(1, at(MONDAY, 8)), paper(2, at(TUESDAY, 8)), paper(3, at(TUESDAY, 20)))
    service = publisher(store, feed)
    await service.step(at(MONDAY, 22))
    await service.step(at(TUESDAY, 12))
    feed.fault = "feed.example could not be reached"
    now = at(TUESDAY, 18)
    while now < at(WEDNESDAY, 1):
        await service.step(now)
        now += QUARTER
    assert set(await audiences(store)) == {MONDAY}
    await service.step(now)
    async with store.read() as connection:
        stored = await edition_queries.of_day(connection, Cadence.DAY, TUESDAY)
    assert stored is not None
    assert (ids(stored), stored.complete, stored.closed_at) == (["2511.00002"], False, at(WEDNESDAY, 1))
    feed.fault = None
    feed.papers.append(paper(4, at(WEDNESDAY, 8)))
    await service.step(at(WEDNESDAY, 22))
    async with store.read() as connection:
        caught_up = await edition_queries.latest(connection, Cadence.DAY)
    assert caught_up is not None
    assert (sorted(ids(caught_up)), caught_up.complete) == (["2511.00003", "2511.00004"], True)


async def test_a_step_returns_whether_it_did_something_and_when_to_run_next(store: Store) -> None:
    service = publisher(store, Listed(paper(1, at(MONDAY, 8))))
    now = at(MONDAY, 21, 50)
    assert not await service.step(now)  # no finished day yet: the feed answered, but with nothing to begin with
    assert await service.poller.next_poll(now) == at(MONDAY, 22)
    assert await service.step(at(MONDAY, 22))
    assert not await service.step(at(MONDAY, 22, 1))
    assert await service.poller.next_poll(at(MONDAY, 22, 1)) == at(MONDAY, 22, 15)


async def test_closing_today_early_leaves_the_rest_of_the_day_for_the_next_edition(store: Store) -> None:
    await subscribe(store, "ada")
    feed = Listed(paper(1, at(MONDAY, 8)), paper(2, at(TUESDAY, 8)), paper(3, at(TUESDAY, 20)), paper(4, at(WEDNESDAY)))
    service = publisher(store, feed)
    await service.step(at(MONDAY, 22))
    await service.poller.poll(at(TUESDAY, 9))
    [early] = await service.close_early(at(TUESDAY, 9))
    assert (early.edition.day, ids(early.edition), early.audience) == (TUESDAY, ["2511.00002"], 1)
    assert await service.close_early(at(TUESDAY, 10)) == []
    await service.step(at(TUESDAY, 22))
    await service.step(at(WEDNESDAY, 22))
    async with store.read() as connection:
        held = {each.day: each.papers for each in await reports(connection) if each.cadence is Cadence.DAY}
    assert held == {MONDAY: 1, TUESDAY: 1, WEDNESDAY: 2}


async def test_a_day_without_a_list_is_not_closed_early_either(store: Store) -> None:
    feed = Listed(paper(1, at(FRIDAY, 8)), paper(2, at(FRIDAY, 23)))
    service = publisher(store, feed)
    await service.step(at(FRIDAY, 22))
    await service.poller.poll(at(SATURDAY, 9))
    assert await service.close_early(at(SATURDAY, 9)) == []


@pytest.mark.parametrize(("deliver", "audience"), [(False, 0), (True, 1)])
async def test_a_past_day_is_published_to_the_archive_only_by_default(
    store: Store, deliver: bool, audience: int
) -> None:
    await subscribe(store, "ada")
    feed = Listed(paper(1, at(MONDAY, 8)), paper(2, at(TUESDAY, 8)), paper(3, at(WEDNESDAY, 8)))
    service = publisher(store, feed)
    await service.step(at(WEDNESDAY, 22))
    published = await service.backfill(MONDAY, at(THURSDAY, 9), deliver=deliver)
    assert [(each.edition.day, each.audience) for each in published] == [(MONDAY, audience)]
    again: list[Published] = await service.backfill(MONDAY, at(THURSDAY, 9), deliver=deliver)
    assert again == []


async def test_a_day_published_by_hand_delays_no_other_papers(store: Store) -> None:
    late = paper(2, at(MONDAY, 23))
    feed = Listed(paper(1, at(MONDAY, 8)), late, paper(3, at(TUESDAY, 8)), paper(4, at(WEDNESDAY, 8)))
    service = publisher(store, feed)
    await service.step(at(MONDAY, 22))
    await service.backfill(TUESDAY, at(WEDNESDAY, 9), deliver=False)
    await service.step(at(WEDNESDAY, 22))
    async with store.read() as connection:
        wednesday = await edition_queries.of_day(connection, Cadence.DAY, WEDNESDAY)
    assert wednesday is not None
    assert ids(wednesday) == [late.id, paper(4, at(WEDNESDAY, 8)).id]


def test_a_day_of_which_only_known_papers_are_stored_waits_for_the_feed() -> None:
    known = ClosingState(MONDAY, MONDAY, at(TUESDAY, 1), at(WEDNESDAY, 2), failing_since=at(TUESDAY, 2))
    relisted = paper(1, at(TUESDAY))
    assert close(known, [relisted], [relisted.id], closes=CLOSES, now=at(WEDNESDAY, 2)) == ([], MONDAY)
