"""Pacing ahead of time: rates are kept, and answers go past a broadcast."""

from __future__ import annotations

import asyncio
import random

import pytest

from bot.channel import Pace, Rate
from bot.delivery.rate_limit import RECIPIENTS, RateLimiter
from channels.telegram.channel import MARGIN
from tests.support.loop_time import Time


@pytest.fixture
def time(monkeypatch: pytest.MonkeyPatch) -> Time:
    return Time(asyncio.new_event_loop())


def test_an_account_never_exceeds_its_rate_in_any_second(time: Time) -> None:
    passed: list[float] = []

    async def broadcast() -> None:
        rate_limiter = RateLimiter(Pace(account=Rate(30)))

        async def one(number: int) -> None:
            await rate_limiter.acquire(f"r{number}")
            passed.append(time.now)

        await asyncio.gather(*(one(number) for number in range(120)))

    time.run(broadcast())
    busiest = max(sum(1 for other in passed if at <= other < at + 1) for at in passed)
    assert busiest <= 31  # thirty, and one more where the window's edge meets a message
    assert time.now == pytest.approx(119 / 30, rel=0.03)


def test_what_a_busy_machine_delays_is_caught_up_with_and_no_second_sees_too_much(time: Time) -> None:
    passed: list[float] = []
    chance = random.Random(7)
    time.late = lambda: chance.expovariate(200)  # 5 ms more often than not, and now and then much more

    async def broadcast() -> None:
        rate_limiter = RateLimiter(Pace(account=Rate(30, 1.01)))
        for number in range(600):
            await rate_limiter.acquire(f"r{number}")
            passed.append(time.now)

    time.run(broadcast())
    assert max(sum(1 for other in passed if at <= other < at + 1.01) for at in passed) <= 30
    assert time.now <= 600 / 30 * 1.03


@pytest.mark.parametrize("late", [0.0, 0.005])
def test_telegrams_margin_holds_where_messages_travel_for_up_to_50_ms(time: Time, late: float) -> None:
    arrived: list[float] = []
    chance = random.Random(7)
    time.late = lambda: chance.uniform(0, late)
    rate = Rate(30, 1 + MARGIN)

    async def broadcast() -> None:
        rate_limiter = RateLimiter(Pace(account=rate))
        for number in range(2_600):
            await rate_limiter.acquire(f"r{number}")
            arrived.append(time.now + chance.uniform(0, 0.05))

    time.run(broadcast())
    arrived.sort()
    assert all(later - first >= 1 for first, later in zip(arrived, arrived[30:], strict=False))
    assert time.now <= 2_600 / 30 * 1.09  # and no slower than that needs


def test_a_service_that_finds_us_too_fast_gets_four_fifths_for_a_minute(time: Time) -> None:
    passed: list[float] = []

    async def broadcast() -> None:
        rate_limiter = RateLimiter(Pace(account=Rate(30)))
        await rate_limiter.acquire("first")
        rate_limiter.slow_down()
        while time.now < 120:
            await rate_limiter.acquire(f"r{len(passed)}")
            passed.append(time.now)

    time.run(broadcast())
    for begin, per_second in ((1, 24), (90, 30)):
        counted = sum(1 for at in passed if begin <= at < begin + 10)
        assert counted == pytest.approx(10 * per_second, rel=0.03)


def test_an_answer_waits_for_no_more_than_one_message_of_a_broadcast(time: Time) -> None:
    order: list[str] = []

    async def work() -> None:
        rate_limiter = RateLimiter(Pace(account=Rate(10)))

        under_way = asyncio.Event()

        async def one(name: str, *, urgent: bool = False) -> None:
            await rate_limiter.acquire(name, urgent=urgent)
            order.append(name)
            if len(order) == 10:
                under_way.set()

        broadcast = [asyncio.create_task(one(f"r{number}")) for number in range(50)]
        await under_way.wait()
        await one("answer", urgent=True)
        await asyncio.gather(*broadcast)

    time.run(work())
    assert order.index("answer") <= 12
    assert len(order) == 51


def test_one_group_is_spared_while_others_are_served(time: Time) -> None:
    passed: list[tuple[str, float]] = []

    async def work() -> None:
        pace = Pace(recipient=Rate(1), kinds={"group": [Rate(20, 60)]}, kind=lambda to: "group" if to < "0" else "")
        rate_limiter = RateLimiter(pace)

        async def one(to: str) -> None:
            await rate_limiter.acquire(to)
            passed.append((to, time.now))

        await asyncio.gather(*(one("-7") for _ in range(5)), *(one("42") for _ in range(5)))

    time.run(work())
    assert [at for to, at in passed if to == "42"] == pytest.approx([0, 1, 2, 3, 4], abs=0.05)
    assert [at for to, at in passed if to == "-7"] == pytest.approx([0, 3, 6, 9, 12], abs=0.15)


def test_memory_does_not_grow_with_the_readers(time: Time) -> None:
    async def work() -> None:
        rate_limiter = RateLimiter(Pace(recipient=Rate(1)))
        for number in range(RECIPIENTS + 100):
            await rate_limiter.acquire(f"r{number}")
        assert len(rate_limiter._recipients) == RECIPIENTS

    time.run(work())
