"""Many accounts of one process in a rush on PostgreSQL: each keeps a connection, and nobody waits for one."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from sqlalchemy import text, update
from sqlalchemy.exc import TimeoutError as NoConnectionError

from bot.channel import Pace
from bot.delivery.dispatcher import Dispatcher
from bot.doctor import database_checks
from bot.runtime.locks import make_locks
from bot.runtime.server_connection import KEPT_OPEN, MOST_CONNECTIONS, OTHER_CONNECTIONS, pool_arguments
from bot.store import Store, server_setup
from bot.store.schema import deliveries
from tests.support.dispatching import AT_ONCE, states
from tests.support.fake_channel import NOW, FakeChannel, publish, settle
from tests.support.postgres import Postgres

ACCOUNTS = 20
READERS = 12
"""Readers of each account."""


async def rush(store: Store, accounts: int) -> None:
    """Deliver by all accounts at once; each keeps its connection until all have one.

    Raises NoConnectionError where anybody would have to wait for a connection.
    """
    store.engine.sync_engine.pool._timeout = 0  # type: ignore[attr-defined]
    await publish(store, {f"{account}.{reader}": AT_ONCE for reader in range(READERS) for account in range(accounts)})
    async with store.write() as connection:
        account = text("'fake.' || (id % :accounts)").bindparams(accounts=accounts)
        await connection.execute(update(deliveries).values(channel=account))
    locks = make_locks(store.engine.url, None)
    going = asyncio.Event()
    channels = [FakeChannel(f"fake.{number}", pace=Pace(concurrency=4), hold=going) for number in range(accounts)]
    dispatchers = [Dispatcher(store, channel, locks) for channel in channels]
    await asyncio.gather(*(each.step(NOW) for each in dispatchers))
    assert store.engine.sync_engine.pool.checkedout() >= accounts  # type: ignore[attr-defined]
    going.set()
    await asyncio.gather(*(settle(each, NOW) for each in dispatchers))
    assert all(len(channel.sent) == READERS for channel in channels)
    await locks.close()


async def test_twenty_accounts_deliver_at_once_and_nobody_waits_for_a_connection(
    postgres: Postgres, migrated: str, tmp_path: Path
) -> None:
    with postgres.borrowed(template=migrated) as name:
        store = Store.open(postgres.url(name), tmp_path, accounts=ACCOUNTS)
        await rush(store, ACCOUNTS)
        assert await states(store) == {"sent": ACCOUNTS * READERS}
        await store.close()


async def test_a_pool_for_one_account_is_too_small_for_twenty(
    postgres: Postgres, migrated: str, tmp_path: Path
) -> None:
    with postgres.borrowed(template=migrated) as name:
        store = Store.open(postgres.url(name), tmp_path)
        with pytest.raises(NoConnectionError):
            await rush(store, ACCOUNTS)
        await store.close()


@pytest.mark.parametrize("accounts", [1, 2, 20, 26, 27, 90, 500])
def test_what_each_account_keeps_leaves_enough_for_the_rest(accounts: int) -> None:
    sizes = pool_arguments(accounts)
    most = sum(sizes.values())
    assert sizes["pool_size"] == KEPT_OPEN + accounts
    assert most >= accounts + OTHER_CONNECTIONS
    assert most <= max(MOST_CONNECTIONS, accounts + OTHER_CONNECTIONS)
    assert (pool_arguments(1)["max_overflow"], sum(pool_arguments(1).values())) == (9, 15)


async def test_the_doctor_says_where_a_server_allows_too_few(postgres: Postgres, migrated: str, tmp_path: Path) -> None:
    store = Store.open(postgres.url(postgres.create(template=migrated)), tmp_path)
    tokens = ",".join(f"{number}:{'a' * 35}" for number in range(100_000_000, 100_000_000 + ACCOUNTS))
    given = {"TELEGRAM_TOKENS": tokens}
    wanted = server_setup.most_connections(ACCOUNTS)

    async def said() -> list[str]:
        found, _ = await database_checks.check(store, tmp_path, given, NOW)
        return [each.says for each in found if each.subject == "connections"]

    assert await said() == []
    async with store.write() as connection:
        await connection.execute(text(f"alter database {store.engine.url.database} connection limit {wanted - 1}"))
    [says] = await said()
    assert f"allows {wanted - 1} connections, and one process that delivers by 20 accounts may take {wanted}" in says
    await store.close()
