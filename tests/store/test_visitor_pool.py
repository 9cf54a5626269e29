"""What visitors of the web pages ask of the database: from a pool of their own, within a deadline."""

from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from bot.store import NoConnectionError, Store, database
from tests.support.postgres import Postgres

ENDLESS = "with recursive n (i) as (select 1 union all select i + 1 from n) select count(*) from n"


async def test_statements_for_visitors_have_a_deadline_and_may_only_read(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "VISITORS_DEADLINE", 0.02)
    visitors = store.for_visitors()
    try:
        for _ in range(2):
            with pytest.raises(DBAPIError, match=r"interrupted|statement timeout"):
                async with visitors.read() as connection:
                    await connection.execute(text(ENDLESS))
        with pytest.raises(DBAPIError, match=r"readonly|read-only"):
            async with visitors.write() as connection:
                await connection.execute(text("insert into system_state values ('a', 'b')"))
        async with visitors.read() as connection:
            assert await connection.scalar(text("select count(*) from system_state")) == 0
    finally:
        await visitors.close()


async def test_the_program_has_connections_however_many_visitors_wait(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "VISITORS", 1)
    monkeypatch.setattr(database, "VISITORS_WAIT", 0.0)
    visitors = store.for_visitors()
    try:
        async with visitors.read() as busy:
            await busy.execute(text("select 1"))
            with pytest.raises(NoConnectionError):
                async with visitors.read():
                    raise AssertionError
            async with store.read() as connection:
                assert await connection.scalar(text("select 1")) == 1
    finally:
        await visitors.close()


async def test_nothing_waits_for_ever_for_a_server(postgres: Postgres, tmp_path: Path) -> None:
    store = Store.open(postgres.url(postgres.create()) + "&connect_timeout=7", tmp_path)
    try:
        async with store.read() as connection:
            assert await connection.scalar(text("show statement_timeout")) == "10min"
            raw = await connection.get_raw_connection()
            given = raw.driver_connection.info.get_parameters()  # type: ignore[union-attr]
            assert {name: given[name] for name in ("connect_timeout", "tcp_user_timeout", "keepalives_idle")} == {
                "connect_timeout": "7",
                "tcp_user_timeout": "10000",
                "keepalives_idle": "5",
            }
    finally:
        await store.close()
