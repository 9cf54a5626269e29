"""Copies from one database to another: whole, proved, or not there at all; on both databases and between them."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import func, insert, select, text, update
from sqlalchemy.exc import OperationalError

from bot.model import Address, Preferences
from bot.rules.outcomes import ChannelState
from bot.store import Store, StoreError, channel_state, subscriber_queries
from bot.store import copy as copying
from bot.store.backup_file import MARK, back_up
from bot.store.channel_memory import ChannelMemory
from bot.store.copy import copy, counts, frozen, make_ready, open_target, require_current, snapshot
from bot.store.schema import deliveries, delivery_counts, editions, leases, metadata, system_state
from tests.support.fake_channel import DAY, NOW, publish
from tests.support.postgres import Postgres

READERS = {f"reader-{n}": Preferences(language="ko" if n % 2 else "en", topics=("로봇", "llm")) for n in range(7)}

Other = Callable[[], Store]


@pytest.fixture(params=["sqlite", "postgres"])
async def other(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Store]:
    """An empty database of either kind, without tables."""
    if request.param == "sqlite":
        opened = Store.open("sqlite:///other.db", tmp_path)
    else:
        server: Postgres = request.getfixturevalue("postgres")
        opened = Store.open(server.url(server.create()), tmp_path)
    yield opened
    await opened.close()


@pytest.fixture
async def full(store: Store) -> Store:
    """A database that holds something in every table that the newsletter fills."""
    first = await publish(store, READERS)
    await publish(store, {}, day=DAY + timedelta(days=1), now=NOW + timedelta(days=1))
    await ChannelMemory(store, "fake").put("key", "値")
    async with store.write() as connection:
        await channel_state.save(
            connection, "fake", ChannelState(halted_at=NOW, halted_for="spam", spam_domains=("a.example",))
        )
        await connection.execute(update(deliveries).where(deliveries.c.id == 3).values(subscriber_id=None))
        await connection.execute(
            insert(delivery_counts).values(edition_id=first, channel="fake", state="sent", count=4)
        )
        await connection.execute(insert(system_state), {"key": "settled", "value": "x"})
        held = {"role": "poll", "number": 1, "process": "p", "taken_at": NOW, "ends_at": NOW, "takeovers": 0}
        await connection.execute(insert(leases), held)
    return store


async def everything(store: Store) -> dict[str, list[tuple[object, ...]]]:
    """All rows of all tables, but for leases, which are of one server."""
    async with store.read() as connection:
        found = {}
        for table in metadata.sorted_tables:
            rows = [tuple(row) for row in await connection.execute(select(table).order_by(*table.primary_key))]
            found[table.name] = [] if table is leases else rows
    return found


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


async def test_everything_arrives_as_it_was(full: Store, other: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(copying, "BATCH", 2)
    steps: list[tuple[int, int]] = []
    await make_ready(other)
    async with snapshot(full) as source:
        found = await copy(source, other, lambda done, total: steps.append((done, total)))
    assert await everything(other) == await everything(full)
    assert found["deliveries"] == 14
    assert found["system_state"] == 1
    total = sum(found.values())
    assert steps[-1] == (total, total)
    assert all(2 >= later[0] - earlier[0] > 0 for earlier, later in pairwise(steps))


async def test_the_copy_goes_on_numbering_where_the_original_was(full: Store, other: Store) -> None:
    await make_ready(other)
    async with snapshot(full) as source:
        await copy(source, other)
    await publish(other, {"new": Preferences()}, day=DAY + timedelta(days=2), now=NOW + timedelta(days=2))
    async with other.read() as connection:
        assert await connection.scalar(select(func.max(editions.c.id))) == 3
        assert await connection.scalar(select(func.count()).select_from(deliveries)) == 14 + 8


async def test_what_is_written_meanwhile_is_not_half_in_it(full: Store, other: Store) -> None:
    await make_ready(other)
    async with snapshot(full) as source:
        before = await counts(source)
        await publish(full, {"late": Preferences()}, day=DAY + timedelta(days=2), now=NOW + timedelta(days=2))
        assert await copy(source, other) == before
    async with other.read() as connection:
        assert await subscriber_queries.count(connection) == len(READERS)


async def test_at_a_standstill_nobody_writes(full: Store) -> None:
    async with frozen(full) as connection:
        assert await subscriber_queries.count(connection) == len(READERS)
        if full.path is not None:
            with closing(sqlite3.connect(full.path, timeout=0)) as another:
                with pytest.raises(sqlite3.OperationalError, match="locked"):
                    another.execute("update subscribers set hour = 1")
                assert another.execute("select count(*) from subscribers").fetchone() == (7,)
        else:
            async with full.read() as another_one:
                await another_one.execute(text("set local lock_timeout = '1ms'"))
                assert await subscriber_queries.count(another_one) == len(READERS)
                with pytest.raises(OperationalError) as refused:
                    await another_one.execute(text("update subscribers set hour = 1"))
                assert isinstance(refused.value.orig, psycopg.errors.LockNotAvailable)


async def test_a_target_in_use_is_refused_and_left_alone(full: Store, other: Store) -> None:
    await make_ready(other)
    async with other.write() as connection:
        await subscriber_queries.add(connection, Address("fake", "resident"), Preferences(), now=NOW)
    with pytest.raises(StoreError, match="not empty, its table choices has rows"):
        await make_ready(other)
    async with snapshot(full) as source:
        with pytest.raises(StoreError, match="not empty"):
            await copy(source, other)
    async with other.read() as connection:
        assert await subscriber_queries.count(connection) == 1


@pytest.mark.parametrize(("version", "says"), [("9999", "update Morning Papers"), ("0001", "in use already")])
async def test_a_target_of_another_version_is_refused(store: Store, version: str, says: str) -> None:
    async with store.write() as connection:
        await connection.execute(text(f"update alembic_version set version_num = '{version}'"))
    with pytest.raises(StoreError, match=says):
        await make_ready(store)
    async with store.read() as connection:
        assert await connection.scalar(text("select version_num from alembic_version")) == version
    with pytest.raises(StoreError, match=f"at version {version}"):
        await require_current(store, "database")


async def test_a_target_whose_leases_are_held_is_still_an_empty_one(store: Store) -> None:
    held = {"role": "poll", "number": 1, "process": "p", "taken_at": NOW, "ends_at": NOW, "takeovers": 0}
    async with store.write() as connection:
        await connection.execute(insert(leases), held)
    await make_ready(store)


LOSES = {
    "sqlite": "create trigger loses before insert on deliveries when new.id = 5 begin select raise(ignore); end",
    "postgresql": "create rule loses as on insert to deliveries where new.id = 5 do instead nothing",
}
CHANGES = {
    "sqlite": "create trigger changes after insert on deliveries when new.id = 5 "
    "begin update deliveries set state = 'sent' where id = 5; end",
    "postgresql": "create rule changes as on insert to deliveries where new.id = 5 "
    "do also update deliveries set state = 'sent' where id = 5",
}


@pytest.mark.parametrize(
    ("fault", "says"), [(LOSES, "deliveries has 14 rows here and 13 there"), (CHANGES, "sums of an edition differ")]
)
async def test_a_copy_that_does_not_match_is_not_kept(
    full: Store, other: Store, fault: dict[str, str], says: str
) -> None:
    await make_ready(other)
    async with other.write() as connection:
        await connection.execute(text(fault[connection.dialect.name]))
    async with snapshot(full) as source:
        with pytest.raises(StoreError, match=says):
            await copy(source, other)
    async with other.read() as connection:
        assert sum((await counts(connection)).values()) == 0


async def test_what_the_target_cannot_hold_is_one_sentence(tmp_path: Path, postgres: Postgres) -> None:
    source = Store.open("sqlite:///subscribers.db", tmp_path)
    target = Store.open(postgres.url(postgres.create()), tmp_path)
    await source.migrate()
    await ChannelMemory(source, "fake").put("key", "a\x00b")
    await make_ready(target)
    async with snapshot(source) as connection:
        with pytest.raises(StoreError, match=r"^The copy failed \(.*NUL.*\); the target was left empty\.$"):
            await copy(connection, target)
    await source.close()
    await target.close()


def test_an_address_that_cannot_be_read_is_none() -> None:
    assert open_target("postgresql+psycopg://me:secret@host:port/name", Path()) is None


async def test_a_backup_is_one_readable_marked_file(full: Store, tmp_path: Path) -> None:
    made = datetime(2025, 11, 5, 6, tzinfo=UTC)
    file = tmp_path / "copies" / "backup.db"
    file.parent.mkdir()
    await back_up(full, file, now=made)
    assert [path.name for path in file.parent.iterdir()] == ["backup.db"]
    assert file.stat().st_mode & 0o077 == 0
    assert file.read_bytes()[18:20] == b"\x01\x01"  # no write-ahead log: it can be read from a read-only place
    copied = Store.open(f"sqlite:///{file}", tmp_path)
    expected = await everything(full)
    found = await everything(copied)
    assert found.pop("system_state") == sorted([*expected.pop("system_state"), (MARK, made.isoformat())])
    assert found == expected
    await copied.close()
    async with full.read() as connection:
        assert await connection.scalar(select(system_state.c.value).where(system_state.c.key == MARK)) is None


async def test_a_backup_overwrites_nothing_and_leaves_no_crumbs(full: Store, tmp_path: Path) -> None:
    folder = tmp_path / "copies"
    folder.mkdir()
    (folder / "backup.db").write_text("mine")
    with pytest.raises(StoreError, match="exists already"):
        await back_up(full, folder / "backup.db", now=NOW)
    assert (folder / "backup.db").read_text() == "mine"
    with pytest.raises(StoreError, match="could not be written to"):
        await back_up(full, folder / "nowhere" / "backup.db", now=NOW)
    async with full.write() as connection:
        await connection.execute(
            text("drop table system_state cascade" if full.path is None else "drop table system_state")
        )
    with pytest.raises(StoreError):
        await back_up(full, folder / "broken.db", now=NOW)
    assert [path.name for path in folder.iterdir()] == ["backup.db"]


async def test_a_backup_overwrites_nothing_that_came_meanwhile(
    migrated: str, postgres: Postgres, tmp_path: Path
) -> None:
    server, file = Store.open(postgres.url(postgres.create(template=migrated)), tmp_path), tmp_path / "backup.db"
    await publish(server, READERS)

    def interfere(done: int, total: int) -> None:
        file.write_text("mine")

    with pytest.raises(StoreError, match="exists already"):
        await back_up(server, file, now=NOW, progress=interfere)
    await server.close()
    assert contents(tmp_path) == {"backup.db": b"mine"}
