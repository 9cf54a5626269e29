"""Behind a pooler, in either mode, everything goes out, and a process that dies there is found."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from alembic import command
from sqlalchemy import text, update

from bot.doctor import database_checks
from bot.model import Preferences
from bot.runtime.locks import HeldError, make_locks
from bot.store import Store, server_upgrade, upgrade
from bot.store.edition_report import reports
from bot.store.partitions import make_ahead
from bot.store.retention import KEEP, fold_old, kept_from
from bot.store.schema import deliveries
from bot.store.server_setup import Pooler, pooler, replicas_not_waited_for
from tests.delivery.test_kills import born, crowd, forget_the_dead, reading, verify, watch
from tests.support.fake_channel import DAY, NOW, publish
from tests.support.killable_process import DONE, Orders
from tests.support.pooler import pooling
from tests.support.postgres import Postgres


@pytest.mark.parametrize("mode", [Pooler.TRANSACTION, Pooler.SESSION])
async def test_everything_goes_out_through_a_pooler(
    postgres: Postgres, migrated: str, tmp_path: Path, mode: Pooler
) -> None:
    readers = 200
    name = postgres.create(template=migrated)
    with pooling(postgres, mode) as behind:
        orders = Orders(tmp_path, f"postgresql+psycopg://papers@/{name}{behind}")
        async with reading(orders) as store:
            assert await pooler(store) is mode
            [finding] = await database_checks._server(store, {})
            assert (finding.ok, f"sessions for each {mode}" in finding.says) == (True, True)
            await crowd(store, readers)
            ours = make_locks(store.engine.url, None)
        with born(orders) as first:
            watch([first], readers // 4)
            with pytest.raises(HeldError, match=f"held by process {first.pid} on "):
                await ours.take("deliver:fake")
            first.kill()
        await ours.close()
        await forget_the_dead(orders)
        with born(orders) as second:
            watch([second], 10 * readers)
            assert second.end() == DONE, (tmp_path / "log").read_text()
        await verify(replace(orders, database=postgres.url(name)), readers, kills=1)


async def test_without_a_pooler_none_is_seen(postgres: Postgres, migrated: str, tmp_path: Path) -> None:
    store = Store.open(postgres.url(postgres.create(template=migrated)), tmp_path)
    assert await pooler(store) is Pooler.NONE
    assert await database_checks._server(store, {}) == []
    async with store.read() as connection:
        assert await replicas_not_waited_for(connection) == 0
    await store.close()


async def test_an_address_with_several_hosts_leads_to_the_one_that_answers(
    postgres: Postgres, migrated: str, tmp_path: Path
) -> None:
    name = postgres.create(template=migrated)
    (tmp_path / "nobody").mkdir()
    for hosts in (f"host={tmp_path}/nobody,{postgres.folder}", f"host={tmp_path}/nobody&host={postgres.folder}"):
        store = Store.open(f"postgresql+psycopg://papers@/{name}?{hosts}", tmp_path)
        assert await store.version()
        locks = make_locks(store.engine.url, None)
        assert await locks.take("poll") == ["poll"]
        await locks.close()
        await store.close()


async def test_a_database_with_one_table_of_deliveries_gets_partitions_through_a_pooler(
    postgres: Postgres, tmp_path: Path
) -> None:
    name = postgres.create()
    place = text("select relfilenode from pg_class where relname = :name")
    with pooling(postgres, Pooler.TRANSACTION) as behind:
        store = Store.open(f"postgresql+psycopg://papers@/{name}{behind}", tmp_path)
        async with store.write() as connection:
            await connection.run_sync(lambda each: command.upgrade(upgrade.config(each), "0020"))
            await connection.execute(text("alter table subscribers add account varchar"))  # as readers have it today
            before = await connection.scalar(place, {"name": "deliveries"})
        await publish(store, {"ada": Preferences()})
        for _ in range(2):  # as after a start that was killed
            await server_upgrade.bound_deliveries(store)
            async with store.write() as sender:  # one of before, which goes on meanwhile
                await sender.execute(update(deliveries).values(state="sent", ended_at=NOW))
                await server_upgrade.check_deliveries(store)
        async with store.write() as connection:
            await connection.execute(text("alter table subscribers drop account"))
        await store.migrate()
        async with store.read() as connection:
            assert await connection.scalar(place, {"name": "deliveries_0"}) == before, "nothing is rewritten"
            left = text("select 1 from pg_constraint where conname = :name")
            assert await connection.scalar(left, {"name": server_upgrade.FITS}) is None
        await make_ahead(store, NOW + KEEP)
        await publish(store, {}, day=DAY + KEEP, now=NOW + KEEP)
        assert await fold_old(store, before=kept_from(NOW + KEEP)) == 1
        async with store.read() as connection:
            assert [report.adds_up for report in await reports(connection)] == [True, True]
            assert await connection.scalar(text("select last_value from deliveries_id_seq")) == 2
        await store.close()
