"""The time services work by: which clocks are believed, when nothing expires, and that the operator is told once."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.runtime.clock import AGREED, IN_DOUBT, IS_OFF, TOLERANCE, Clock, ClockError, compare

TRUE = datetime(2026, 11, 3, 9, tzinfo=UTC)
HOUR, DAY, NOTHING = timedelta(hours=1), timedelta(days=1), timedelta()

wrong = pytest.mark.parametrize("by", [20 * HOUR, -2 * DAY, 100 * DAY], ids=["20 h ahead", "2 d back", "100 d ahead"])


class Machine:
    """A machine whose clock is off by `off`, with clocks outside that are off by theirs."""

    def __init__(self, off: timedelta = NOTHING, **outside: timedelta) -> None:
        self.off, self.outside, self.ran = off, outside, 0.0
        self.told: list[str] = []
        self.silent: set[str] = set()
        sources = {name: lambda name=name: self._ask(name) for name in outside}
        self.clock = Clock(sources, self._tell, wall=lambda: self.true + self.off, monotonic=lambda: self.ran)

    @property
    def true(self) -> datetime:
        return TRUE + timedelta(seconds=self.ran)

    async def _ask(self, name: str) -> datetime | None:
        return None if name in self.silent else self.true + self.outside[name]

    def _tell(self, event: str, now: datetime, **fields: object) -> None:
        self.told.append(event)


@wrong
async def test_with_one_clock_outside_it_is_used_and_nothing_expires_while_they_differ(by: timedelta) -> None:
    machine = Machine(by, feed=NOTHING)
    for _ in range(3):
        await machine.clock.measure()
        assert (machine.clock.now(), machine.clock.may_expire()) == (machine.true, False)
        machine.ran += 60
    assert machine.told == [IN_DOUBT]
    machine.off = NOTHING
    await machine.clock.measure()
    assert (machine.clock.now(), machine.clock.may_expire()) == (machine.true, True)
    assert machine.told == [IN_DOUBT, AGREED]


@wrong
async def test_a_clock_outside_that_falls_silent_ends_no_doubt(by: timedelta) -> None:
    machine = Machine(by, feed=NOTHING)
    await machine.clock.measure()
    machine.silent.add("feed")
    for _ in range(2):
        machine.ran += 60
        await machine.clock.measure()
        assert (machine.clock.now(), machine.clock.may_expire(), machine.told) == (machine.true, False, [IN_DOUBT])
    machine.off = NOTHING
    machine.silent.clear()
    await machine.clock.measure()
    assert (machine.clock.now(), machine.clock.may_expire()) == (machine.true, True)
    assert machine.told == [IN_DOUBT, AGREED]


@wrong
async def test_two_clocks_outside_that_agree_win(by: timedelta) -> None:
    machine = Machine(by, database=NOTHING, feed=timedelta(seconds=3))
    for _ in range(3):
        await machine.clock.measure()
    assert (machine.clock.now(), machine.clock.may_expire(), machine.told) == (TRUE, True, [IS_OFF])


async def test_two_clocks_outside_that_differ_stop_expiry_and_the_database_is_used() -> None:
    machine = Machine(NOTHING, database=NOTHING, feed=20 * HOUR)
    await machine.clock.measure()
    assert (machine.clock.now(), machine.clock.may_expire(), machine.told) == (TRUE, False, [IN_DOUBT])


async def test_without_a_clock_outside_this_machines_is_believed() -> None:
    machine = Machine(20 * HOUR)
    await machine.clock.measure()
    assert (machine.clock.now(), machine.clock.may_expire(), machine.told) == (TRUE + 20 * HOUR, True, [])


async def test_a_jump_between_two_comparisons_changes_nothing() -> None:
    machine = Machine(NOTHING, feed=NOTHING)
    await machine.clock.measure()
    machine.off, machine.ran = 20 * HOUR, 22.0
    assert machine.clock.now() == machine.true


@pytest.mark.parametrize("answer", [None, datetime(1970, 1, 1, tzinfo=UTC), OSError("no route"), "slow"])
async def test_a_clock_that_cannot_say_is_left_out(answer: object, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.runtime.clock.LONGEST_MEASURE", 0.01)

    async def ask() -> datetime | None:
        if answer == "slow":
            await asyncio.Event().wait()
        if isinstance(answer, OSError):
            raise answer
        assert answer is None or isinstance(answer, datetime)
        return answer

    clock = Clock({"feed": ask}, Machine()._tell, wall=lambda: TRUE, monotonic=lambda: 0.0)
    await clock.measure()
    assert (clock.now(), clock.may_expire()) == (TRUE, True)


async def test_a_certificate_that_is_not_valid_by_this_clock_stops_expiry() -> None:
    async def ask() -> datetime | None:
        raise ClockError

    clock = Clock({"feed": ask}, Machine()._tell, wall=lambda: TRUE, monotonic=lambda: 0.0)
    await clock.measure()
    assert (clock.now(), clock.may_expire()) == (TRUE, False)


@given(st.dictionaries(st.sampled_from(["database", "feed"]), st.timedeltas(-DAY, DAY)))
def test_only_clocks_that_agree_let_anything_expire(outside: dict[str, timedelta]) -> None:
    verdict = compare(outside)
    offsets = list(outside.values())
    if not verdict.in_doubt:
        believed = offsets if len(offsets) > 1 and max(offsets) - min(offsets) <= TOLERANCE else [NOTHING, *offsets]
        assert max(believed) - min(believed) <= TOLERANCE
    assert verdict.offset in [NOTHING, *offsets]
