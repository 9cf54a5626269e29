"""Migrations: a database is made, upgraded, copied before, and refused in one sentence."""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, text

from bot.store import (
    Store,
    StoreError,
)
from bot.store.schema import HEAD, metadata
from tests.support.stored_papers import FULL, keep

on_sqlite = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


# Migrations


def copies(folder: Path) -> list[Path]:
    return list(folder.glob("*.bak"))


async def test_the_migrations_make_what_the_schema_says(store: Store) -> None:
    def difference(connection: Connection) -> list[Any]:
        def here(item: Any, *_: object) -> bool:
            """Alembic compares what the schema says is not for this database, too, knows no index of words, and takes
            partitions for tables."""
            not_compared = ("search_words", "words", "ix_search_documents_words", "deliveries_")
            if (getattr(item, "name", None) or "").startswith(not_compared):
                return False
            rule = getattr(item, "_ddl_if", None)
            return rule is None or rule.dialect == connection.dialect.name

        context = MigrationContext.configure(connection, opts={"compare_type": True, "include_object": here})
        return list(compare_metadata(context, metadata))

    async with store.read() as connection:
        assert await connection.run_sync(difference) == []
        assert await store.version() == HEAD


async def test_migrating_again_does_nothing(store: Store) -> None:
    assert await store.migrate() is None


async def test_a_first_start_says_that_it_made_the_database(tmp_path: Path) -> None:
    store = Store.open("sqlite:///subscribers.db", tmp_path)
    try:
        assert await store.migrate() == f"database made, version {HEAD}"
    finally:
        await store.close()
    assert copies(tmp_path) == []


async def test_a_newer_database_is_refused_in_one_sentence(store: Store) -> None:
    async with store.write() as connection:
        await connection.execute(text("update alembic_version set version_num = '9999'"))
    with pytest.raises(StoreError, match=r"^The database is at version 9999, .* update Morning Papers\.$"):
        await store.migrate()


@on_sqlite
async def test_an_older_database_is_copied_before_it_is_migrated(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While there is but one migration, the newest version is pretended, and Alembic finds nothing to do."""
    await keep(store, FULL)
    monkeypatch.setattr("bot.store.schema.HEAD", f"{HEAD}+")
    done = await store.migrate()
    [copy] = copies(tmp_path)
    assert done == f"database brought from {HEAD} to {HEAD}+; the old one is kept as {copy.name}"
    with closing(sqlite3.connect(copy)) as opened:
        assert opened.execute("select id from papers").fetchall() == [(FULL.id,)]
        assert opened.execute("select version_num from alembic_version").fetchall() == [(HEAD,)]


@on_sqlite
@pytest.mark.parametrize(
    ("content", "place"),
    [(b"this is no database, whatever its name says" * 30, "subscribers.db"), (b"", "nowhere/subscribers.db")],
    ids=["no database", "no folder"],
)
async def test_a_file_that_cannot_be_used_is_one_sentence(
    database: str, content: bytes, place: str, tmp_path: Path
) -> None:
    if content:
        (tmp_path / place).write_bytes(content)
    store = Store.open(f"sqlite:///{place}", tmp_path)
    with pytest.raises(StoreError, match=r"^The (database .+ is damaged|folder of the database does not exist)"):
        await store.migrate()
    await store.close()


@on_sqlite
async def test_sqlite_keeps_its_promises_through_a_power_cut(store: Store) -> None:
    async with store.read() as connection:
        assert await connection.scalar(text("pragma journal_mode")) == "wal"
        assert await connection.scalar(text("pragma synchronous")) == 2  # FULL
        assert await connection.scalar(text("pragma foreign_keys")) == 1
