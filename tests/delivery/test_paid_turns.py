"""Messages that are paid for: only beyond the free rate, and never more in a day than the operator allows."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest

from bot.channel import Pace, Paid, Rate
from bot.delivery import paid_turns
from bot.delivery.paid_turns import ANSWERED, CLOSED_SECONDS, SECOND, PaidTurns
from bot.delivery.rate_limit import RateLimiter, RateWindow
from bot.store import Store, paid_sends
from channels.telegram.channel import MARGIN
from tests.support.loop_time import Time
from tests.support.telegram_server import Rates

PAID = Paid(Rate(970), 1_000_000, 0.1, "Stars")


@pytest.fixture
def time() -> Time:
    return Time(asyncio.new_event_loop())


class Day:
    """Counts as the database does: up to a number a day."""

    def __init__(self, most: int) -> None:
        self.left = most

    async def count(self, wanted: int) -> int:
        granted = min(wanted, self.left)
        self.left -= granted
        return granted


def limiter(day: Day) -> RateLimiter:
    return RateLimiter(Pace(account=Rate(30)), paid=PaidTurns(PAID, day.count))


async def broadcast(rate_limiter: RateLimiter, count: int) -> list[bool]:
    """Send to as many readers at once; whether each message was paid for."""

    async def one(number: int) -> bool:
        paid = await rate_limiter.acquire(f"r{number}", may_pay=True)
        await asyncio.sleep(0.2)  # on its way
        rate_limiter.ended(paid=paid)
        return paid

    return await asyncio.gather(*(one(number) for number in range(count)))


def test_what_is_over_the_free_rate_is_paid_for_and_goes_at_once(time: Time) -> None:
    paid: list[bool] = []

    async def run() -> None:
        paid.extend(await broadcast(limiter(Day(1_000_000)), 5_000))

    time.run(run())
    assert 4.8 <= time.now <= 5.9  # some 1,000 a second, not 30
    assert paid[:2] == [False, True]
    assert paid.count(False) == 1  # the service would refuse one that is not paid for among those that are


@pytest.mark.parametrize("most", [1, 40, 120, 1_000_000], ids=lambda most: f"{most} a day")
@pytest.mark.parametrize("rate", [10, 30])
def test_the_service_refuses_nobody_before_and_after_those_that_are_paid_for(time: Time, most: int, rate: int) -> None:
    service, chance = Rates(per_second=rate, stars=1_000_000), random.Random(most)

    async def send(rate_limiter: RateLimiter, number: int) -> None:
        paid = await rate_limiter.acquire(f"r{number}", may_pay=True)
        await asyncio.sleep(chance.uniform(0.01, 0.06))
        service.take(number, private=True, now=time.now, pays=paid)
        await asyncio.sleep(0.05)
        rate_limiter.ended(paid=paid)

    async def run() -> None:
        pace = Pace(account=Rate(rate, 1 + MARGIN))
        rate_limiter = RateLimiter(pace, paid=PaidTurns(PAID, Day(most).count))
        for evening in range(3):
            await asyncio.gather(*(send(rate_limiter, 1_000 * evening + number) for number in range(90)))
            await asyncio.sleep(chance.uniform(0, 3))

    time.run(run())


def test_what_the_free_rate_allows_is_not_paid_for(time: Time) -> None:
    async def run() -> None:
        rate_limiter = limiter(Day(1_000_000))
        for _ in range(60):
            assert not await rate_limiter.acquire("ada", may_pay=True)
            await asyncio.sleep(0.05)

    time.run(run())


def test_no_more_are_paid_for_than_a_day_has(time: Time) -> None:
    paid: list[bool] = []

    async def run() -> None:
        paid.extend(await broadcast(limiter(Day(250)), 400))

    time.run(run())
    assert paid.count(True) == 250
    assert time.now >= 150 / 30 - 1  # the others go at the free rate


def test_a_free_turn_that_fails_is_tried_again(time: Time) -> None:
    class Account(RateWindow):
        fails = True

        async def wait(self) -> None:
            if self.fails:
                raise OSError("no line")
            await super().wait()

    async def run() -> None:
        account = Account(Rate(30))
        rate_limiter = RateLimiter(Pace(account=Rate(30)), account, PaidTurns(PAID, Day(0).count))
        with pytest.raises(OSError, match="no line"):
            await rate_limiter.acquire("ada")
        account.fails = False
        assert not await rate_limiter.acquire("ada")

    time.run(run())


def test_answers_are_never_paid_for(time: Time) -> None:
    async def run() -> None:
        rate_limiter = limiter(Day(1_000_000))
        sending = asyncio.ensure_future(broadcast(rate_limiter, 500))
        assert not any([await rate_limiter.acquire("ada", urgent=True) for _ in range(10)])
        assert True in await sending

    time.run(run())


def test_who_may_not_pay_goes_at_the_free_rate_once_nothing_is_paid_for(time: Time) -> None:
    async def run() -> None:
        rate_limiter = limiter(Day(1_000_000))
        sending = asyncio.ensure_future(broadcast(rate_limiter, 500))
        await asyncio.sleep(0.1)
        assert not await rate_limiter.acquire("a recording")
        assert sending.done()
        assert True in sending.result()
        await asyncio.sleep(0.1)
        assert not await rate_limiter.acquire("an edition", may_pay=True)  # nothing is left in flight

    time.run(run())
    assert time.now < 3


@pytest.mark.parametrize("may_pay", [True, False], ids=["an edition", "a recording"])
@pytest.mark.parametrize("answered_after", [0.5, 30.0])
def test_a_free_message_on_its_way_holds_the_paid_ones_back_once_and_a_second_at_most(
    time: Time, answered_after: float, may_pay: bool
) -> None:
    paid_at: list[float] = []

    async def run() -> None:
        rate_limiter = limiter(Day(1_000_000))

        async def send(number: int) -> None:
            if await rate_limiter.acquire(f"r{number}", may_pay=True):
                paid_at.append(time.now)
            rate_limiter.ended(paid=True)

        assert not await rate_limiter.acquire("the first", may_pay=may_pay)
        asyncio.get_running_loop().call_later(answered_after, partial(rate_limiter.ended, paid=False))
        await asyncio.gather(*(send(number) for number in range(3_000)))

    time.run(run())
    assert len(paid_at) == 3_000
    assert paid_at[0] == pytest.approx(min(answered_after, SECOND), abs=0.1)
    assert paid_at[-1] - paid_at[0] < 3.5  # some 1,000 a second, though the free one is not answered yet


def test_an_end_that_nobody_notes_stops_the_broadcast_for_a_while_only(time: Time) -> None:
    async def run() -> None:
        rate_limiter = limiter(Day(1))
        assert [await rate_limiter.acquire("ada", may_pay=True) for _ in range(4)] == [False, True, False, False]

    time.run(run())
    assert time.now == pytest.approx(ANSWERED + SECOND, abs=2)


def test_what_was_counted_for_a_day_is_not_spent_on_the_next(time: Time, monkeypatch: pytest.MonkeyPatch) -> None:
    night = datetime(2026, 4, 28, 23, 59, tzinfo=UTC)
    counted: list[int] = []

    async def count(wanted: int) -> int:
        counted.append(wanted)
        return wanted

    async def run() -> None:
        turns = PaidTurns(PAID, count)
        for now in (night, night, night + timedelta(minutes=1), night + timedelta(minutes=1)):
            monkeypatch.setattr(paid_turns, "clock", lambda now=now: now)
            assert await turns.take()

    time.run(run())
    assert counted == [97, 97]


def test_a_service_that_takes_no_money_is_not_asked_again_for_a_while(time: Time) -> None:
    async def run() -> None:
        rate_limiter = limiter(Day(1_000_000))
        assert True in await broadcast(rate_limiter, 50)
        rate_limiter.stop_paying()
        assert True not in await broadcast(rate_limiter, 50)
        await asyncio.sleep(CLOSED_SECONDS)
        assert True in await broadcast(rate_limiter, 50)

    time.run(run())


def test_a_database_that_does_not_count_costs_nothing(time: Time) -> None:
    async def run() -> None:
        async def count(wanted: int) -> int:
            raise OSError

        rate_limiter = RateLimiter(Pace(account=Rate(30)), paid=PaidTurns(PAID, count))
        assert await broadcast(rate_limiter, 40) == [False] * 40

    time.run(run())


async def test_processes_count_together_and_before_they_send(store: Store) -> None:
    granted = await asyncio.gather(*(paid_sends.count(store, "telegram", 7, 100) for _ in range(20)))
    assert sum(granted) == 100
    assert await paid_sends.count(store, "telegram", 7, 100) == 0  # whatever became of those that were granted them
    assert await paid_sends.count(store, "telegram.2", 7, 100) == 7  # another bot's
    assert await paid_sends.counted(store, "telegram") == (f"{datetime.now(UTC):%Y-%m-%d}", 100)


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
async def test_a_day_begins_anew_and_none_comes_back(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    def on(day: int) -> Callable[[], Coroutine[None, None, datetime]]:
        async def time_there() -> datetime:
            return datetime(2026, 4, day, 12, tzinfo=UTC)

        return time_there

    for day, granted in ((28, 5), (29, 5), (28, 0), (29, 0)):  # the clock was set back
        monkeypatch.setattr(store, "server_time", on(day))
        assert await paid_sends.count(store, "telegram", 9, 5) == granted
