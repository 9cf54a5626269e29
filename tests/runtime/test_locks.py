"""Locks, as files beside SQLite and as leases on PostgreSQL: one contract, and what only a lease can meet."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.runtime.locks import (
    OWNER,
    HeldError,
    Leases,
    Locks,
    LostError,
    holding,
    make_locks,
    take_from_the_dead,
    wait_for,
)
from bot.runtime.locks.leases import LAST_MOMENTS, LASTS
from bot.store import Store

Make = Callable[[], Locks]
LIMIT = 20.0
"""Seconds after which something that should happen is said to hang."""


@pytest.fixture
async def made(store: Store) -> AsyncIterator[Make]:
    """What makes locks, each as of a process of its own."""
    every: list[Locks] = []

    def make() -> Locks:
        every.append(make_locks(store.engine.url, store.path))
        return every[-1]

    yield make
    for each in every:
        await each.close()


@pytest.fixture
async def leased(postgres: object, request: pytest.FixtureRequest) -> AsyncIterator[tuple[Store, Leases, Leases]]:
    """A database on PostgreSQL, and the leases of two processes."""
    with request.getfixturevalue("postgres").borrowed(template=request.getfixturevalue("migrated")) as name:
        store = Store.open(request.getfixturevalue("postgres").url(name), request.getfixturevalue("tmp_path"))
        ours, theirs = Leases(store.engine.url), Leases(store.engine.url)
        yield store, ours, theirs
        await ours.close()
        await theirs.close()
        await store.close()


async def end(store: Store, seconds: float = 0.0) -> None:
    """Let every lease end that many seconds from now, by the server's clock."""
    async with store.write() as connection:
        query = "update leases set ends_at = clock_timestamp() + make_interval(secs => :seconds)"
        await connection.execute(text(query), {"seconds": seconds})


async def number(store: Store, role: str) -> int:
    async with store.read() as connection:
        return int(await connection.scalar(text("select number from leases where role = :role"), {"role": role}) or 0)


@contextmanager
def silent(locks: Leases, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The server cannot be reached from this process."""

    async def refuse(*_: object, **__: object) -> object:
        raise LostError("cut")

    with monkeypatch.context() as patch:
        patch.setattr(locks, "_rows", refuse)
        yield


# Both kinds


async def test_a_role_is_one_process_and_others_are_told_whose(made: Make) -> None:
    ours, theirs = made(), made()
    assert await ours.take("poll", "keep") == ["poll", "keep"]
    assert await ours.take("poll") == []
    with pytest.raises(HeldError, match=f"^keep is held by process {os.getpid()} on "):
        await theirs.take("write", "keep")
    assert await ours.is_free("write"), "all or none"
    assert not await theirs.is_free("poll")
    await ours.give_back("poll")
    assert await theirs.take("poll") == ["poll"]


async def test_an_owner_is_known_to_be_alive_until_its_process_is_gone(made: Make) -> None:
    ours, theirs = made(), made()
    async with holding(ours, f"{OWNER}a"):
        assert not await theirs.is_free(f"{OWNER}a")
        assert not await ours.is_free(f"{OWNER}a")
        assert await theirs.free_among(f"{OWNER}b", f"{OWNER}a") == [f"{OWNER}b"]
    assert await theirs.is_free(f"{OWNER}a")
    assert await theirs.is_free(f"{OWNER}never")


async def test_who_waits_gets_a_role_when_it_is_given_back(made: Make) -> None:
    ours, theirs = made(), made()
    await ours.take("poll")
    waiting = asyncio.ensure_future(wait_for(theirs, "poll", every=0.01))
    await asyncio.sleep(0)
    await ours.close()
    async with asyncio.timeout(LIMIT):
        await waiting


async def test_work_under_a_lock_goes_through_while_it_is_held(store: Store, made: Make) -> None:
    ours = made()
    await ours.take("poll")
    assert ours.may_begin("poll")
    fenced = store.fenced(ours, lambda: ["poll"])
    async with fenced.write() as connection:
        await connection.execute(text("insert into system_state values ('work', 'done')"))
    async with fenced.read() as connection:
        assert await connection.scalar(text("select value from system_state where key = 'work'")) == "done"
    watching = asyncio.ensure_future(ours.watch("poll"))
    assert await asyncio.wait([watching], timeout=0.05) == (set(), {watching})
    watching.cancel()


# Leases


async def work(connection: AsyncConnection) -> None:
    await connection.execute(text("insert into system_state values ('work', 'done') on conflict do nothing"))


async def test_a_lease_that_ended_is_another_s_and_its_last_holder_changes_nothing(
    leased: tuple[Store, Leases, Leases],
) -> None:
    store, ours, theirs = leased
    await ours.take("poll")
    before = await number(store, "poll")
    fenced = store.fenced(ours, lambda: ["poll"])
    await end(store)
    assert await theirs.take("poll") == ["poll"]
    assert await number(store, "poll") == before + 1
    with pytest.raises(LostError):
        async with fenced.write() as connection:
            await work(connection)
    with pytest.raises(LostError):
        await ours.watch("poll")
    assert not ours.may_begin("poll")
    with pytest.raises(HeldError):
        await ours.take("poll")
    with pytest.raises(LostError):  # and still, for it has not got it again
        async with fenced.write() as connection:
            await work(connection)
    await theirs.give_back("poll")
    await ours.take("poll")
    async with fenced.write() as connection:
        await work(connection)


async def test_a_lease_that_ended_is_not_renewed_though_nobody_took_it(leased: tuple[Store, Leases, Leases]) -> None:
    store, ours, theirs = leased
    await ours.take("poll", f"{OWNER}a")
    await ours._renew()
    assert not await theirs.is_free("poll")
    await end(store)
    assert await theirs.is_free(f"{OWNER}a")
    await ours._renew()
    for role in ("poll", f"{OWNER}a"):
        with pytest.raises(LostError):
            await ours.watch(role)


async def test_a_holder_that_cannot_renew_stops_by_its_own_clock(
    leased: tuple[Store, Leases, Leases], monkeypatch: pytest.MonkeyPatch
) -> None:
    _, ours, _ = leased
    await ours.take("deliver:fake")
    lease = ours._held["deliver:fake"]
    now = asyncio.get_running_loop().time()
    assert now + LASTS - LIMIT < lease.ends <= now + LASTS
    with silent(ours, monkeypatch):
        lease.ends = now + LAST_MOMENTS - 0.001
        assert not ours.may_begin("deliver:fake")
        lease.ends = now + 0.01
        async with asyncio.timeout(LIMIT):
            with pytest.raises(LostError):
                await ours.watch("deliver:fake")
        with pytest.raises(LostError):
            await ours.take("deliver:fake")


async def test_a_renewal_counts_from_its_beginning(
    leased: tuple[Store, Leases, Leases], monkeypatch: pytest.MonkeyPatch
) -> None:
    _, ours, _ = leased
    await ours.take("poll")
    loop, rows = asyncio.get_running_loop(), ours._rows

    async def slow(query: str, **values: object) -> object:
        answer = await rows(query, **values)
        ours._held["poll"].ends = 0.0  # time passes while the answer is under way
        return answer

    monkeypatch.setattr(ours, "_rows", slow)
    began = loop.time()
    await ours._renew()
    assert began <= ours._held["poll"].ends - LASTS <= loop.time()


async def test_a_role_is_not_taken_while_its_holder_s_work_is_being_committed(
    leased: tuple[Store, Leases, Leases],
) -> None:
    store, ours, theirs = leased
    await ours.take("poll")
    async with store.fenced(ours, lambda: ["poll"]).write() as connection:
        await ours._renew()  # which such work does not hold up
        await end(store)
        with pytest.raises(HeldError, match="has just ended"):
            await theirs.take("poll")
        await work(connection)
    await theirs.take("poll")


async def test_who_starts_after_a_crash_waits_for_the_dead_and_not_for_the_living(
    leased: tuple[Store, Leases, Leases],
) -> None:
    store, dead, heir = leased
    await dead.take("poll", "keep")
    assert dead._renewing is not None
    dead._renewing.cancel()
    waiting = asyncio.ensure_future(take_from_the_dead(heir, "poll", "keep", every=0.01))
    assert await asyncio.wait([waiting], timeout=0.1) == (set(), {waiting})
    await end(store)
    async with asyncio.timeout(LIMIT):
        await waiting
    late = Leases(store.engine.url)
    waiting = asyncio.ensure_future(take_from_the_dead(late, "keep", every=0.01))
    while not waiting.done():
        await heir._renew()
        await asyncio.sleep(0)
    with pytest.raises(HeldError):
        waiting.result()
    await late.close()


async def test_a_lease_from_before_the_server_s_clock_was_set_back_holds_nobody_up(
    leased: tuple[Store, Leases, Leases],
) -> None:
    store, ours, theirs = leased
    await ours.take("poll")
    await end(store, 20 * 3600)
    await theirs.take("poll")
    await ours._renew()
    with pytest.raises(LostError):
        await ours.watch("poll")


async def test_numbers_begin_with_the_timeline_which_a_promotion_moves_on(
    leased: tuple[Store, Leases, Leases],
) -> None:
    store, ours, _ = leased
    async with store.write() as connection:
        await ours.guard(connection, "poll")  # never taken, so nobody is kept out
    await ours.take("poll")
    first = await number(store, "poll")
    assert first >= 1_000_000
    assert first % 1_000_000 == 0
    for _ in range(2):
        await ours.give_back("poll")
        await ours.take("poll")
    assert await number(store, "poll") == first + 2


async def test_a_connection_that_breaks_costs_no_lease(leased: tuple[Store, Leases, Leases]) -> None:
    store, ours, theirs = leased
    await ours.take("poll")
    async with store.write() as connection:
        broken = "select pg_terminate_backend(pid) from pg_stat_activity where query like :query"
        await connection.execute(text(f"{broken} and pid <> pg_backend_pid()"), {"query": "%leases%"})
    with pytest.raises(LostError):
        await ours._renew()
    await ours._renew()
    assert ours.may_begin("poll")
    with pytest.raises(HeldError):
        await theirs.take("poll")


async def test_what_the_killed_left_behind_is_deleted(leased: tuple[Store, Leases, Leases]) -> None:
    store, ours, theirs = leased
    await ours.take("poll", f"{OWNER}a")
    await end(store, -7200)
    await theirs.take("keep")
    assert await number(store, f"{OWNER}a") == 0
    assert await number(store, "poll") > 0
