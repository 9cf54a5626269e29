"""`papers backup` and `papers move`: backups, restored backups, and moves to the other database."""

from __future__ import annotations

import asyncio
import errno
import json
import os
import re
from datetime import date, time, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, text

from bot.model import Address, Found, Preferences
from bot.publishing.publisher import Publisher
from bot.rules.closing import ClosingState, for_readers
from bot.runtime.locks import FileLocks, holding, make_locks
from bot.store import Store, StoreError, backups, closing_state, paper_queries, subscriber_queries
from bot.store.backup_file import MARK, back_up
from bot.store.edition_report import reports
from bot.store.restore import skip_restored
from bot.store.schema import system_state
from tests.support.command import papers_command
from tests.support.delivery_states import HOUR, READERS, one, set_states, states
from tests.support.fake_channel import DAY, NOW, paper, publish
from tests.support.postgres import Postgres

# Backups and restores


async def test_a_restored_backup_sends_nothing_it_was_owing(store: Store, tmp_path: Path, caplog: Any) -> None:
    await publish(store, READERS)
    left = {1: "sending", 2: "unknown", 3: "unknown", 4: "unknown", 5: "sent", 6: "gone"}
    await set_states(store, left, owner="somebody")
    await set_states(store, {3: "unknown"}, repeats=2)
    await set_states(store, {4: "unknown"}, next_at=NOW + 20 * HOUR, expires_at=NOW + 20 * HOUR)
    assert await skip_restored(store, NOW) is None
    await back_up(store, tmp_path / "copy.db", now=NOW)
    before = await states(store)

    copy = Store.open("sqlite:///copy.db", tmp_path)
    later = NOW + HOUR
    settled = await asyncio.gather(skip_restored(copy, later), skip_restored(copy, later))
    assert sorted(settled, key=str) == [4, None]
    ends = ["skipped", "skipped", "unknown", "unknown", "sent", "gone", "skipped", "skipped"]
    assert list((await states(copy)).values()) == ends
    row = await one(copy, 1)
    assert (row.reason, row.owner, row.ended_at) == ("restored", None, later)
    async with copy.read() as connection:
        assert (await closing_state.load(connection)).restored == later
        assert await connection.scalar(select(system_state.c.value).where(system_state.c.key == MARK)) is None
        (report,) = await reports(connection)
    assert report.adds_up
    assert [record.getMessage() for record in caplog.records].count(
        "this is a restored backup: what it still owed is skipped, and editions due before now get no audience"
    ) == 1
    assert await skip_restored(copy, later) is None
    await copy.close()
    assert await states(store) == before


class Silent:
    """A feed that is not asked."""

    async def newest_day(self, until: date) -> date | None:
        raise AssertionError

    async def poll(self, days: list[date], **_: object) -> Found:
        raise AssertionError


async def test_editions_due_before_a_restore_have_no_audience(store: Store) -> None:
    next_day = DAY + timedelta(days=1)
    publisher = Publisher(store, Silent(), interval=HOUR, closes=time(22))
    async with store.write() as connection:
        await subscriber_queries.add(connection, Address("fake", "ada"), Preferences(), now=NOW)
        await paper_queries.keep(connection, Found([paper(1), paper(2, next_day)], frozenset({DAY, next_day})))
        await closing_state.save(connection, origin=DAY, settled=DAY - timedelta(days=1), restored=NOW + HOUR)
        await closing_state.save(connection, polled_at=NOW + 2 * HOUR, attempted_at=NOW + 2 * HOUR)
    assert [(each.edition.day, each.audience) for each in await publisher.close(NOW + 2 * HOUR)] == [(DAY, 0)]
    async with store.write() as connection:
        await closing_state.save(connection, polled_at=NOW + 24 * HOUR, attempted_at=NOW + 24 * HOUR)
    assert [(each.edition.day, each.audience) for each in await publisher.close(NOW + 24 * HOUR)] == [(next_day, 1)]


def test_an_edition_due_at_the_instant_of_a_restore_has_no_audience() -> None:
    assert for_readers(ClosingState(), DAY, time(22))
    assert not for_readers(ClosingState(restored=NOW), DAY, time(22))
    assert for_readers(ClosingState(restored=NOW - timedelta(seconds=1)), DAY, time(22))


async def test_a_backup_is_made_while_another_process_writes(local: Store, tmp_path: Path) -> None:
    await publish(local, READERS)
    home, file = tmp_path / "restored", tmp_path / "copy.db"
    async with local.write() as connection:
        await subscriber_queries.add(connection, Address("fake", "not yet"), Preferences(), now=NOW)
        done = await asyncio.to_thread(papers_command, tmp_path, "backup", str(file))
    assert (done.returncode, done.stderr) == (0, "")
    assert str(file) in done.stdout
    again = papers_command(tmp_path, "backup", str(file))
    assert again.returncode == 1
    assert again.stderr == "copy.db exists already: a backup overwrites nothing.\n"

    home.mkdir()
    file.rename(home / "subscribers.db")
    started = papers_command(home, "editions", "--json")
    assert (
        json.loads(started.stdout)[0]["channels"]["fake"] | {"skipped": 8}
        == json.loads(started.stdout)[0]["channels"]["fake"]
    )
    assert json.loads(started.stdout)[0]["adds_up"]
    assert "restored backup" in started.stderr
    assert "skipped" not in set((await states(local)).values())
    assert papers_command(home, "editions").stderr == ""


async def test_a_postgresql_database_is_backed_up_to_a_file(postgres: Postgres, migrated: str, tmp_path: Path) -> None:
    url = postgres.url(postgres.create(template=migrated))
    server = Store.open(url, tmp_path)
    await publish(server, READERS)
    locks = make_locks(server.engine.url, None)
    async with holding(locks, "poll"):  # it goes on running
        done = await asyncio.to_thread(papers_command, tmp_path, "backup", str(tmp_path / "subscribers.db"), url=url)
    assert done.returncode == 0, done.stderr
    await locks.close()
    expected = await states(server)
    await server.close()
    copied = Store.open("sqlite:///subscribers.db", tmp_path)
    assert await states(copied) == expected
    async with copied.read() as connection:
        assert list(await connection.scalars(select(system_state.c.key))) == [MARK]
    await copied.close()
    assert papers_command(
        tmp_path, "backup", str(tmp_path / "other.db"), url=postgres.url(postgres.create())
    ).stderr == ("The database holds nothing yet: start Morning Papers on it first.\n")


# Moves


async def test_everything_moves_to_postgresql_and_back(local: Store, postgres: Postgres, tmp_path: Path) -> None:
    await publish(local, READERS)
    await set_states(local, {1: "sent", 2: "unknown"})
    url = postgres.url(postgres.create())
    moved = papers_command(tmp_path, "move", "--to", url)
    assert moved.returncode == 0, moved.stderr
    assert re.search(r"deliveries +8 +8\b", moved.stdout)
    assert "Set DATABASE_URL" in moved.stdout
    assert url not in moved.stdout + moved.stderr
    server = Store.open(url, tmp_path)
    assert await states(server) == await states(local)
    async with server.read() as connection:  # no lock's trace is left, and it is no restored copy
        assert list(await connection.scalars(select(system_state.c.key))) == []
    await server.close()

    refused = papers_command(tmp_path, "move", "--to", url)
    assert (refused.returncode, refused.stdout) == (1, "")
    assert refused.stderr.startswith("The target is not empty")

    back = papers_command(tmp_path, "move", "--to", "sqlite:///back.db", "--json", url=url)
    assert back.returncode == 0, back.stderr
    assert json.loads(back.stdout)["deliveries"] == 8
    home = Store.open("sqlite:///back.db", tmp_path)
    assert await states(home) == await states(local)
    await home.close()


async def test_the_old_database_sends_nothing_a_second_time(local: Store, tmp_path: Path) -> None:
    await publish(local, READERS)
    assert papers_command(tmp_path, "move", "--to", "sqlite:///new.db").returncode == 0
    assert set((await states(local)).values()) == {"owed"}
    assert "restored backup" in papers_command(tmp_path, "editions").stderr
    assert set((await states(local)).values()) == {"skipped"}
    started = papers_command(tmp_path, "editions", url="sqlite:///new.db")
    assert "8 owed" in started.stdout
    assert started.stderr == ""


@pytest.mark.parametrize(
    ("end", "role"),
    [("subscribers.db", "poll"), ("subscribers.db", "deliver:outbox"), ("new.db", "listen:outbox")],
)
async def test_move_is_refused_while_a_process_runs(local: Store, tmp_path: Path, role: str, end: str) -> None:
    locks = FileLocks(tmp_path / end)
    async with holding(locks, role):
        refused = await asyncio.to_thread(papers_command, tmp_path, "move", "--to", "sqlite:///new.db")
    assert refused.returncode == 3
    assert f"{role} is held by process {os.getpid()}" in refused.stderr
    assert refused.stderr.count("\n") == 1
    assert papers_command(tmp_path, "move", "--to", "sqlite:///new.db").returncode == 0


async def test_move_is_refused_while_a_process_sends_that_shares_its_channel(local: Store, tmp_path: Path) -> None:
    locks = FileLocks(tmp_path / "subscribers.db")
    async with holding(locks, "owner:0123456789abcdef"):
        refused = await asyncio.to_thread(papers_command, tmp_path, "move", "--to", "sqlite:///new.db")
    assert (refused.returncode, refused.stderr.count("\n")) == (3, 1)
    assert f"deliver is held by process {os.getpid()}" in refused.stderr


@pytest.mark.parametrize(
    ("to", "code"),
    [
        ("postgresql+psycopg://me:hushhush@127.0.0.1:1/name?password=hushhush", 1),
        ("postgresql+psycopg://me:hushhush@127.0.0.1:port/name", 2),
        ("mysql://me:hushhush@127.0.0.1/name", 2),
        ("sqlite:///subscribers.db", 2),
        ("sqlite:///nowhere/new.db", 1),
    ],
)
async def test_an_invalid_target_is_refused_in_one_sentence_without_its_password(
    local: Store, tmp_path: Path, to: str, code: int
) -> None:
    refused = papers_command(tmp_path, "move", "--to", to)
    assert (refused.returncode, refused.stdout) == (code, "")
    assert refused.stderr.count("\n") == 1
    assert "hushhush" not in refused.stderr


def test_move_and_backup_without_a_database_create_nothing(tmp_path: Path) -> None:
    assert papers_command(tmp_path, "move", "--to", "sqlite:///new.db").returncode == 1
    assert papers_command(tmp_path, "backup", str(tmp_path / "copy.db")).returncode == 1
    assert [path.name for path in tmp_path.iterdir()] == []


# Many backups, and the doctor


async def test_only_the_newest_backups_are_kept_and_the_doctor_knows_the_last(local: Store, tmp_path: Path) -> None:
    await publish(local, READERS)
    folder = tmp_path / "copies"
    folder.mkdir()
    given = {"FEED_URL": "http://127.0.0.1:9/"}
    assert "advice backup: no copy was made yet" in papers_command(tmp_path, "doctor", given=given).stdout
    for name in ("a.db", "b.db", "c.db"):
        done = papers_command(tmp_path, "backup", str(folder / name), "--keep", "2")
        assert done.returncode == 0, done.stderr
    assert "Deleted: a.db." in done.stdout
    assert sorted(file.name for file in folder.iterdir()) == ["b.db", "c.db"]
    assert {file.stat().st_mode & 0o777 for file in folder.iterdir()} == {0o600}
    (folder / "b.db").write_bytes(b"somebody's own file")
    done = papers_command(tmp_path, "backup", str(folder), "--keep", "1")
    names = sorted(file.name for file in folder.iterdir())
    assert (names[0], len(names)) == ("b.db", 2), "what is no longer the backup that was made stays"
    said = papers_command(tmp_path, "doctor", given=given).stdout
    assert re.search(rf"ok     backup: last made and restored in rehearsal at .* UTC: .*{re.escape(names[1])}", said)


async def test_a_backup_for_whose_rehearsal_the_disk_is_too_small_is_none(
    local: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("bot.store.backups.shutil.copyfile", full)
    with pytest.raises(StoreError, match=r"No space left on device.*was deleted"):
        await backups.make(local, tmp_path / "copy.db", tmp_path, now=NOW)
    assert not (tmp_path / "copy.db").exists()


async def test_a_backup_that_cannot_be_restored_is_none(local: Store, tmp_path: Path) -> None:
    await publish(local, READERS)
    async with local.write() as connection:
        await connection.execute(text("update editions set audience = audience + 1"))
    done = papers_command(tmp_path, "backup", str(tmp_path / "copy.db"))
    assert done.returncode == 1
    assert "could not be restored in rehearsal" in done.stderr
    assert not (tmp_path / "copy.db").exists()
