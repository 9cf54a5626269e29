"""Several processes keep an account's rate together, by reservations in the database."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from itertools import pairwise
from pathlib import Path

import pytest
from sqlalchemy import text

from bot.channel import Pace, Rate
from bot.delivery.rate_limit import RateLimiter
from bot.delivery.shared_rate import SharedRate, shared_rate
from bot.store import Store, account_budgets
from tests.support.fake_channel import FakeChannel
from tests.support.loop_time import Time
from tests.support.postgres import Postgres


@pytest.fixture
def time() -> Time:
    return Time(asyncio.new_event_loop())


class Account:
    """The reservations of an account, as the database keeps them, some round trip away."""

    def __init__(self, trip: float) -> None:
        self.next = 0.0
        self.trip = trip

    async def reserve(self, count: int, apart: float) -> float:
        loop = asyncio.get_running_loop()
        await asyncio.sleep(self.trip / 2)
        first = max(self.next, loop.time())
        self.next = first + count * apart
        wait = first - loop.time()
        await asyncio.sleep(self.trip / 2)
        return max(wait, 0.0)


def busiest(passed: Sequence[float], seconds: float) -> int:
    return max(sum(1 for other in passed if at <= other < at + seconds) for at in passed[::7])


@pytest.mark.parametrize("trip", [0.001, 0.02, 0.1])
def test_ten_senders_send_as_many_together_as_one_may(time: Time, trip: float) -> None:
    passed: list[float] = []
    chance, account = random.Random(3), Account(trip)
    time.late = lambda: chance.expovariate(1_000)

    async def sender(number: int) -> None:
        limiter = RateLimiter(Pace(account=Rate(50)), SharedRate(Rate(50), account.reserve))
        for message in range(150):
            await limiter.acquire(f"{number}.{message}")
            passed.append(time.now)

    async def together() -> None:
        await asyncio.gather(*(sender(number) for number in range(10)))

    time.run(together())
    passed.sort()
    for begin in (2.0, 9.0, 15.0):  # 500 in ten seconds, whichever they are
        assert 480 <= sum(1 for at in passed if begin <= at < begin + 10) <= 520
    assert busiest(passed, 10.0) <= 520


def test_one_sender_alone_has_the_whole_rate_at_a_distance(time: Time) -> None:
    passed: list[float] = []
    account = Account(0.1)

    async def alone() -> None:
        limiter = RateLimiter(Pace(account=Rate(50)), SharedRate(Rate(50), account.reserve))
        for message in range(500):
            await limiter.acquire(f"{message}")
            passed.append(time.now)

    time.run(alone())
    assert 9.9 <= passed[-1] <= 10.8
    assert busiest(passed, 1.0) <= 51


def test_an_answer_now_and_then_reserves_no_more_than_itself(time: Time) -> None:
    account, reserved = Account(0.0), []

    async def reserve(count: int, apart: float) -> float:
        reserved.append(count)
        return await account.reserve(count, apart)

    async def now_and_then() -> None:
        limiter = RateLimiter(Pace(account=Rate(50)), SharedRate(Rate(50), reserve))
        for message in range(20):
            await limiter.acquire(f"{message}", urgent=True)
            await asyncio.sleep(5)

    time.run(now_and_then())
    assert sum(reserved) <= 60


def test_a_database_that_does_not_answer_is_asked_again(time: Time) -> None:
    account, answers = Account(0.0), [OSError("cut off"), OSError("still"), None]

    async def reserve(count: int, apart: float) -> float:
        if answers and (fault := answers.pop(0)) is not None:
            raise fault
        return await account.reserve(count, apart)

    async def one() -> None:
        await SharedRate(Rate(50), reserve).wait()

    time.run(one())
    assert time.now == pytest.approx(2.0, abs=0.1)


def test_a_service_that_found_us_too_fast_is_sent_less_by_everybody(time: Time) -> None:
    passed: list[float] = []
    account = Account(0.0)

    async def sender(number: int) -> None:
        shared = SharedRate(Rate(50), account.reserve)
        shared.slow_down()
        for _ in range(100):
            await shared.wait()
            passed.append(time.now)

    async def together() -> None:
        await asyncio.gather(*(sender(number) for number in range(2)))

    time.run(together())
    assert 199 / 50 / 0.8 <= max(passed) <= 5.5  # without it, four


@asynccontextmanager
async def stores(postgres: Postgres, migrated: str, home: Path, number: int) -> AsyncIterator[list[Store]]:
    url = postgres.url(postgres.create(template=migrated))
    async with AsyncExitStack() as stack:
        found = [Store.open(url, home) for _ in range(number)]
        for each in found:
            stack.push_async_callback(each.close)
        yield found


async def test_what_one_process_reserved_no_other_one_sends(postgres: Postgres, migrated: str, tmp_path: Path) -> None:
    async with stores(postgres, migrated, tmp_path, 3) as found:
        loop = asyncio.get_running_loop()

        async def firsts(store: Store) -> list[float]:
            return [loop.time() + await account_budgets.reserve(store, "fake", 2, 60.0) for _ in range(4)]

        taken = sorted(at for each in await asyncio.gather(*map(firsts, found)) for at in each)
    assert len(taken) == 12
    assert all(later - earlier > 100.0 for earlier, later in pairwise(taken))


async def test_reservations_from_before_the_servers_clock_was_set_back_hold_nobody_up(
    postgres: Postgres, migrated: str, tmp_path: Path
) -> None:
    async with stores(postgres, migrated, tmp_path, 1) as (store,):
        async with store.write() as connection:
            tomorrow = "extract(epoch from clock_timestamp())::float8 + 86400"
            await connection.execute(
                text(f"insert into system_state (key, value) values ('budget:fake', ({tomorrow})::text)")
            )
        assert await account_budgets.reserve(store, "fake", 1, 0.1) == 0.0
        assert 0.0 <= await account_budgets.reserve(store, "fake", 1, 0.1) <= 0.1


async def test_an_account_is_shared_on_postgres_alone(postgres: Postgres, migrated: str, tmp_path: Path) -> None:
    channel = FakeChannel(pace=Pace(account=Rate(30)))
    async with stores(postgres, migrated, tmp_path, 1) as (store,):
        assert shared_rate(store, channel) is not None
        assert shared_rate(store, FakeChannel(pace=Pace())) is None
    lite = Store.open("sqlite:///subscribers.db", tmp_path)
    assert shared_rate(lite, channel) is None
    await lite.close()
