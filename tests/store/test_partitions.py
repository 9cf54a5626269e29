"""Partitions of deliveries on PostgreSQL: made ahead, dropped as a whole, and never in anybody's way."""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from collections.abc import Sequence
from datetime import time, timedelta
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import select, text, update
from sqlalchemy.sql import ClauseElement

from bot.delivery.housekeeping import Housekeeping
from bot.model import Preferences, State
from bot.store import Store, claiming, partitions, recording, retention
from bot.store.copy import copy, make_ready, snapshot, sums
from bot.store.edition_report import reports
from bot.store.partitions import WIDTH, InUseError, in_editions, make_ahead, week_of
from bot.store.pipelined_turns import _sql
from bot.store.retention import KEEP, fold_old
from bot.store.schema import deliveries
from tests.support.fake_channel import DAY, NOW, publish
from tests.support.postgres import Postgres

pytestmark = pytest.mark.parametrize("database", ["postgres"], indirect=True)

READERS = {f"reader-{n}": Preferences() for n in range(3)}
WEEK = timedelta(days=7)


async def places(store: Store) -> dict[str, list[int]]:
    """The editions whose deliveries each partition holds, and the empty partitions."""
    async with store.read() as connection:
        names = [each.name for each in await partitions.partitions(connection)]
        query = text("select tableoid::regclass::text as name, edition_id from deliveries group by 1, 2 order by 2")
        found: dict[str, list[int]] = {name: [] for name in names}
        for row in await connection.execute(query):
            found.setdefault(row.name, []).append(row.edition_id)
    return found


async def published(store: Store, *weeks: int) -> Sequence[int]:
    """Publish an edition in each of these weeks, with a day of housekeeping before; their ids."""
    made: list[int] = []
    for week in weeks:
        await make_ahead(store, NOW + week * WEEK)
        readers = {} if made else READERS
        made.append(await publish(store, readers, day=DAY + week * WEEK, now=NOW + week * WEEK))
    return made


async def all_add_up(store: Store) -> bool:
    async with store.read() as connection:
        return all(report.adds_up for report in await reports(connection))


async def set_states(store: Store, edition_id: int, state: State) -> None:
    async with store.write() as connection:
        rows = update(deliveries).where(deliveries.c.edition_id == edition_id)
        await connection.execute(rows.values(state=state.value, ended_at=NOW))


async def test_each_week_has_a_partition_that_is_there_before_it_begins(store: Store) -> None:
    first, second, third = await published(store, 0, 1, 2)
    again = await publish(store, {}, day=DAY + 2 * WEEK + timedelta(days=1), now=NOW + 2 * WEEK + timedelta(days=1))
    assert (second % WIDTH, third % WIDTH, again - third) == (0, 0, 1)
    assert await places(store) == {
        "deliveries_0": [first],
        f"deliveries_{second}": [second],
        f"deliveries_{third}": [third, again],
        f"deliveries_{third + WIDTH}": [],
    }
    before = await places(store)
    await make_ahead(store, NOW + 2 * WEEK + timedelta(days=2))
    assert await places(store) == before


async def test_without_its_partition_an_edition_is_published_all_the_same(store: Store) -> None:
    async with store.write() as connection:
        await connection.execute(text(f"select setval('editions_id_seq', {7 * WIDTH})"))
    lost = await publish(store, READERS)
    assert (await places(store))["deliveries_default"] == [lost]
    await make_ahead(store, NOW + WEEK)
    after = await publish(store, {}, day=DAY + WEEK, now=NOW + WEEK)
    found = await places(store)
    assert found[f"deliveries_{after}"] == [after]
    assert found["deliveries_default"] == [lost]
    for edition_id in (lost, after):
        await set_states(store, edition_id, State.SENT)
    assert await fold_old(store, before=NOW + 2 * WEEK) == 2 * len(READERS)
    assert await all_add_up(store)


@pytest.mark.parametrize("state", [State.SENT, State.OWED, State.SENDING, State.UNKNOWN])
async def test_a_week_is_dropped_with_its_counts_and_younger_ones_stay(store: Store, state: State) -> None:
    old, young, _ = await published(store, 0, 1, 2)
    await set_states(store, old, state)
    async with store.read() as connection:
        before = {report.day: report for report in await reports(connection)}
    assert await fold_old(store, before=NOW + timedelta(days=1)) == len(READERS)
    assert "deliveries_0" not in await places(store)
    assert (await places(store))[f"deliveries_{young}"] == [young]
    async with store.read() as connection:
        after = {report.day: report for report in await reports(connection)}
    assert all(report.adds_up for report in after.values())
    ended = State.EXPIRED if state in {State.OWED, State.SENDING} else state
    assert after.pop(DAY).channels["fake"].states == {ended: len(READERS)}
    del before[DAY]
    assert after == before


async def test_what_may_still_change_keeps_its_partition(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """An operator may requeue something after the rest was expired."""
    old, _ = await published(store, 0, 1)
    await set_states(store, old, State.OWED)
    before = await places(store)

    async def none_expired(*_: object) -> int:
        return 0

    monkeypatch.setattr(retention, "_expire", none_expired)
    with pytest.raises(InUseError, match="may still change"):
        await fold_old(store, before=NOW + timedelta(days=1))
    assert await places(store) == before
    assert await all_add_up(store)


async def test_nobody_waits_for_partitions_that_others_hold(store: Store) -> None:
    old, _ = await published(store, 0, 1)
    await set_states(store, old, State.SENT)
    before = await places(store)
    async with store.read() as connection:
        await connection.execute(select(deliveries))
        with pytest.raises(InUseError):
            await fold_old(store, before=NOW + timedelta(days=1))
    assert await places(store) == before
    assert await all_add_up(store)


async def test_housekeeping_makes_and_drops_partitions_and_tries_again_later(
    store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    old, young = await published(store, 0, 1)
    await set_states(store, old, State.SENT)
    housekeeping = Housekeeping(store, lambda *_, **__: None, closes=time(22))
    now = week_of(NOW) + KEEP
    async with store.read() as connection:
        await connection.execute(select(deliveries))
        await housekeeping.step(now)
    assert "trying again in an hour" in caplog.text
    await housekeeping.step(now + timedelta(minutes=59))
    assert (await places(store))["deliveries_0"] == [old]
    await housekeeping.step(now + timedelta(minutes=60))
    assert await places(store) == {
        f"deliveries_{young}": [young],
        f"deliveries_{young + WIDTH}": [],
        f"deliveries_{young + 2 * WIDTH}": [],
    }


async def test_a_copy_has_the_partitions_of_its_editions(store: Store, postgres: Postgres, tmp_path: Path) -> None:
    made = await published(store, 0, 1, 2)
    file = Store.open("sqlite:///copy.db", tmp_path)
    back = Store.open(postgres.url(postgres.create()), tmp_path)
    for source, target in ((store, file), (file, back)):
        await make_ready(target)
        async with snapshot(source) as connection:
            await copy(connection, target)
    assert await places(back) == {
        "deliveries_0": [made[0]],
        f"deliveries_{made[1]}": [made[1]],
        f"deliveries_{made[2]}": [made[2]],
    }
    assert await publish(back, {}, day=DAY + 2 * WEEK + timedelta(days=1)) == made[2] + 1
    await file.close()
    await back.close()


async def test_a_copy_begins_before_a_partition_is_dropped_or_after(store: Store) -> None:
    old, _ = await published(store, 0, 1)
    await set_states(store, old, State.SENT)
    async with snapshot(store):
        with pytest.raises(InUseError):
            await fold_old(store, before=NOW + timedelta(days=1))


async def test_a_copy_that_begins_while_a_partition_is_dropped_has_its_counts(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    old, _ = await published(store, 0, 1)
    await set_states(store, old, State.SENT)
    async with store.read() as connection:
        before = await sums(connection)
    monkeypatch.setattr(partitions, "LONGEST_WAIT", "30s")

    async def copied() -> Counter[tuple[int, str]]:
        async with snapshot(store) as connection:
            return await sums(connection)

    async with store.read() as reader:  # of that partition alone: dropping has locked the whole table by then
        await reader.execute(text("lock table deliveries_0 in access share mode"))
        dropping = asyncio.create_task(fold_old(store, before=NOW + timedelta(days=1)))
        await until_waiting(store, "AccessExclusiveLock", "deliveries_0")
        copying = asyncio.create_task(copied())
        await until_waiting(store, "AccessShareLock", "deliveries")
    assert await dropping == len(READERS)
    assert await copying == before


async def until_waiting(store: Store, mode: str, table: str) -> None:
    """Until somebody waits for a lock."""
    waiting = text("select 1 from pg_locks where not granted and mode = :mode and relation = cast(:table as regclass)")
    found = None
    while found is None:
        async with store.read() as connection:
            found = await connection.scalar(waiting, {"mode": mode, "table": table})


def of_an_edition(statement: str, edition_id: int) -> tuple[str, dict[str, object]]:
    """A statement about an edition as the driver takes it, and its parameters."""
    statements: dict[str, ClauseElement] = {
        "claim": claiming._claiming(in_editions()).returning(deliveries.c.id),  # without their readers' past
        "record": recording._statement(),
        "record all": recording.all_accepted_statement(),
    }
    query, own = _sql(statements[statement])
    sets = {"editions": [edition_id], "ids": [1], "receipts": ["x"]}
    ours = {"of": "fake", "by": "me", "at": NOW, "most": 5, "of_edition": edition_id, "delivery_id": 1}
    return query, dict.fromkeys(re.findall(r"%\((\w+)\)s", query)) | own | sets | ours


async def planned(store: Store, query: str, given: dict[str, object]) -> str:
    """How PostgreSQL would carry a statement out."""
    url = store.engine.url.set(drivername="postgresql").render_as_string(hide_password=False)
    async with await psycopg.AsyncConnection.connect(url) as driver:
        explained = await (await driver.execute(f"explain {query}".encode(), given)).fetchall()
    return "\n".join(line for (line,) in explained)


@pytest.mark.parametrize("statement", ["claim", "record", "record all"])
async def test_work_on_an_edition_looks_at_its_partition_alone(store: Store, statement: str) -> None:
    *_, newest = await published(store, 0, 1, 2)
    query, given = of_an_edition(statement, newest)
    plan = await planned(store, query, given)
    assert set(re.findall(r" on (deliveries_\w+)", plan)) == {f"deliveries_{newest}"}, plan


@pytest.mark.parametrize("analysed", [False, True])
@pytest.mark.parametrize("statement", ["claim", "record all"])
async def test_rows_are_looked_up_by_their_keys_whatever_is_known_of_them(
    store: Store, statement: str, *, analysed: bool
) -> None:
    [edition_id] = await published(store, 0)
    many = """
        insert into deliveries (edition_id, channel, state, due_at, next_at, expires_at)
        select :edition, 'fake', 'owed', now(), now(), now() from generate_series(1, 20000)
    """
    async with store.write() as connection:
        await connection.execute(text(many), {"edition": edition_id})
        if analysed:
            await connection.execute(text("analyze deliveries"))
    query, given = of_an_edition(statement, edition_id)
    given |= {"ids": list(range(1, 1001)), "receipts": ["x"] * 1000, "most": 1000}
    plan = await planned(store, query, given)
    assert re.search(r"Index Scan using pk_deliveries_0 on deliveries_0", plan), plan
    assert not re.search(r"(Seq|Bitmap Heap) Scan on (deliveries|subscribers)", plan), plan
