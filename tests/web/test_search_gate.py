"""Searches take turns, and leave time to everything else."""

import asyncio

import pytest

from bot.web.pages.search_gate import BusyError, SearchGate


async def test_few_searches_run_at_once_and_all_get_their_turn() -> None:
    gate, most, done = SearchGate(at_once=4, rest=0), 0, 0

    async def search() -> None:
        nonlocal most, done
        async with gate.turn():
            most = max(most, gate.running)
            await asyncio.sleep(0)
            done += 1

    await asyncio.gather(*(search() for _ in range(20)))
    assert (most, done, gate.running) == (4, 20, 0)


async def test_only_so_many_may_wait() -> None:
    gate, go_on = SearchGate(at_once=1, waiting=1, rest=0), asyncio.Event()

    async def search() -> None:
        async with gate.turn():
            await go_on.wait()

    first, second = asyncio.ensure_future(search()), asyncio.ensure_future(search())
    await asyncio.sleep(0)
    with pytest.raises(BusyError):
        await search()
    second.cancel()
    await asyncio.wait([second])
    go_on.set()
    await asyncio.gather(first, search())


async def test_a_place_rests_after_a_search_while_others_wait() -> None:
    gate = SearchGate(at_once=1, rest=1e9)
    for _ in range(3):
        async with gate.turn():  # nobody else searches
            await asyncio.sleep(0)
    async with gate.turn():
        second = asyncio.ensure_future(gate.turn().__aenter__())
        await asyncio.sleep(0)
    for _ in range(20):
        await asyncio.sleep(0)
    assert not second.done()
    second.cancel()
