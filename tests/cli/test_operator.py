"""The operator's commands as real processes: backup and restore, moves, single deliveries, halts."""

from __future__ import annotations

import asyncio
import json
import os
import pty
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, update

from bot.app import CHANNELS
from bot.model import Address, Cadence, Found, Preferences, Reason, State, Status
from bot.publishing.publisher import Publisher
from bot.rules.closing import ClosingState, for_readers
from bot.rules.outcomes import ChannelState
from bot.rules.schedule import LIFETIME
from bot.runtime.locks import FileLocks, holding, make_locks
from bot.store import Store, channel_state, closing_state, operator_queries, paper_queries, subscriber_queries
from bot.store.backup_file import MARK, back_up
from bot.store.edition_report import reports
from bot.store.operator_queries import DeliveryFilter
from bot.store.restore import settle_restored
from bot.store.schema import deliveries, facts
from tests.support.command import papers_command
from tests.support.databases import fresh_store
from tests.support.fake_channel import DAY, NOW, paper, publish
from tests.support.postgres import Postgres

HOUR = timedelta(hours=1)
READERS = {f"ada{n}@mail.example": Preferences(timezone="Asia/Seoul" if n % 2 else "UTC") for n in range(8)}
"""22:00 UTC is 07:00 in Seoul: half of them may be disturbed when the edition closes."""


@pytest.fixture
async def local(tmp_path: Path) -> AsyncIterator[Store]:
    """The database that a process started in `tmp_path` uses."""
    opened = fresh_store(tmp_path)
    yield opened
    await opened.close()


async def stand(store: Store, states: dict[int, str], **more: object) -> None:
    """Make deliveries stand as told, by id; ended ones with a reason."""
    async with store.write() as connection:
        for delivery_id, state in states.items():
            values = {"state": state, "reason": f"why {state}", "ended_at": None if state == "owed" else NOW} | more
            await connection.execute(update(deliveries).where(deliveries.c.id == delivery_id).values(**values))


async def states(store: Store) -> dict[int, str]:
    async with store.read() as connection:
        query = select(deliveries.c.id, deliveries.c.state).order_by(deliveries.c.id)
        return dict(tuple(row) for row in await connection.execute(query))


async def one(store: Store, delivery_id: int) -> Any:
    async with store.read() as connection:
        return (await connection.execute(select(deliveries).where(deliveries.c.id == delivery_id))).one()


# Backups and restores


async def test_a_restored_backup_sends_nothing_it_was_owing(store: Store, tmp_path: Path, caplog: Any) -> None:
    await publish(store, READERS)
    left = {1: "sending", 2: "unknown", 3: "unknown", 4: "unknown", 5: "sent", 6: "gone"}
    await stand(store, left, owner="somebody")
    await stand(store, {3: "unknown"}, repeats=2)
    await stand(store, {4: "unknown"}, next_at=NOW + 20 * HOUR, expires_at=NOW + 20 * HOUR)
    assert await settle_restored(store, NOW) is None
    await back_up(store, tmp_path / "copy.db", now=NOW)
    before = await states(store)

    copy = Store.open("sqlite:///copy.db", tmp_path)
    later = NOW + HOUR
    settled = await asyncio.gather(settle_restored(copy, later), settle_restored(copy, later))
    assert sorted(settled, key=str) == [4, None]
    ends = ["skipped", "skipped", "unknown", "unknown", "sent", "gone", "skipped", "skipped"]
    assert list((await states(copy)).values()) == ends
    row = await one(copy, 1)
    assert (row.reason, row.owner, row.ended_at) == ("restored", None, later)
    async with copy.read() as connection:
        assert (await closing_state.load(connection)).restored == later
        assert await connection.scalar(select(facts.c.value).where(facts.c.key == MARK)) is None
        (report,) = await reports(connection)
    assert report.adds_up
    assert [record.getMessage() for record in caplog.records].count(
        "this is a restored backup: what it still owed is skipped, and editions due before now get no audience"
    ) == 1
    assert await settle_restored(copy, later) is None
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
        assert list(await connection.scalars(select(facts.c.key))) == [MARK]
    await copied.close()
    assert papers_command(
        tmp_path, "backup", str(tmp_path / "other.db"), url=postgres.url(postgres.create())
    ).stderr == ("The database holds nothing yet: start Morning Papers on it first.\n")


# Moves


async def test_everything_moves_to_postgresql_and_back(local: Store, postgres: Postgres, tmp_path: Path) -> None:
    await publish(local, READERS)
    await stand(local, {1: "sent", 2: "unknown"})
    url = postgres.url(postgres.create())
    moved = papers_command(tmp_path, "move", "--to", url)
    assert moved.returncode == 0, moved.stderr
    assert "deliveries       8           8" in moved.stdout
    assert "Set DATABASE_URL" in moved.stdout
    assert url not in moved.stdout + moved.stderr
    server = Store.open(url, tmp_path)
    assert await states(server) == await states(local)
    async with server.read() as connection:  # no lock's trace is left, and it is no restored copy
        assert list(await connection.scalars(select(facts.c.key))) == []
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


# The desk


async def test_list_shows_every_delivery_and_no_address(local: Store, tmp_path: Path) -> None:
    await publish(local, READERS)
    await stand(local, {1: "gone"}, reason="no <ada1@mail.example>")
    await stand(local, {2: "unknown"}, repeats=1)
    shown = papers_command(tmp_path, "deliveries", "list")
    assert shown.returncode == 0, shown.stderr
    assert "no <…@…>" in shown.stdout
    listed = papers_command(tmp_path, "deliveries", "list", "--json")
    assert "mail.example" not in shown.stdout + listed.stdout
    lines = json.loads(listed.stdout)
    assert [line["id"] for line in lines] == [8, 7, 6, 5, 4, 3, 2, 1]
    assert lines[-2] == {
        "id": 2,
        "edition": str(DAY),
        "cadence": "day",
        "channel": "fake",
        "subscriber": 2,
        "state": "unknown",
        "reason": "why unknown",
        "attempts": 0,
        "repeats": 1,
        "due": "2025-11-03 23:00:00+00:00",
        "ended": "2025-11-03 22:00:00+00:00",
    }
    few = papers_command(tmp_path, "deliveries", "list", "--limit", "3", "--json")
    assert [line["id"] for line in json.loads(few.stdout)] == [8, 7, 6]
    assert few.stderr == "These are the newest 3; --limit 0 shows all.\n"


async def test_filters_select_deliveries(store: Store) -> None:
    await publish(store, READERS)
    await publish(store, {}, day=DAY + timedelta(days=1), now=NOW + timedelta(days=1))
    await stand(store, {1: "rejected", 2: "unknown"})
    await stand(store, {3: "rejected"}, reason="100 % WRONG")
    await stand(store, {4: "sent"}, repeats=2)

    async def ids(**wanted: Any) -> list[int]:
        async with store.read() as connection:
            return sorted(line.id for line in await operator_queries.find(connection, DeliveryFilter(**wanted), 0))

    assert await ids() == list(range(1, 17))
    assert await ids(day=DAY) == list(range(1, 9))
    assert await ids(cadence=Cadence.WEEK) == []
    assert await ids(cadence=Cadence.DAY, channel="fake", day=DAY + timedelta(days=1)) == list(range(9, 17))
    assert await ids(channel="other") == []
    assert await ids(state=State.REJECTED) == [1, 3]
    assert await ids(state=State.REJECTED, reason="wrong") == [3]
    assert await ids(reason="100 %") == [3]
    assert await ids(reason="1%w") == []
    assert await ids(repeated=True) == [4]


async def test_retry_requeues_what_is_still_wanted(store: Store) -> None:
    await publish(store, READERS)
    async with store.read() as connection:
        ids = list(await connection.scalars(select(deliveries.c.id).order_by(deliveries.c.subscriber_id)))
    ended = ["unknown", "rejected", "expired", "barred", "sent", "gone", "skipped", "expired"]
    await stand(store, dict(zip(ids, ended, strict=True)), rejections=3)
    await stand(store, {ids[7]: "expired"}, reason="superseded")
    async with store.write() as connection:
        await subscriber_queries.set_status(connection, 4, Status.PAUSED, None)
    now = NOW + HOUR
    async with store.write() as connection:
        assert await operator_queries.count_retryable(connection, DeliveryFilter()) == 3
        assert await operator_queries.retry(connection, DeliveryFilter(), now=now) == 3
    stands = await states(store)
    assert [stands[each] for each in ids] == ["owed"] * 3 + ["barred", *ended[4:]]
    first, second, third = [await one(store, each) for each in ids[:3]]
    assert second.next_at == now  # 08:00 in Seoul
    assert first.next_at == third.next_at == datetime(2025, 11, 4, 7, tzinfo=UTC)
    assert {row.expires_at for row in (first, second, third)} == {now + LIFETIME}
    assert (first.repeats, second.repeats) == (1, 0)
    assert (second.rejections, second.ended_at, second.reason) == (0, None, None)
    async with store.read() as connection:
        (report,) = await reports(connection)
    assert report.adds_up


async def test_drop_cancels_what_is_owed_or_unknown(store: Store) -> None:
    await publish(store, READERS)
    await stand(store, {1: "unknown", 2: "sending", 3: "sent"})
    async with store.write() as connection:
        assert await operator_queries.count_droppable(connection, DeliveryFilter(channel="fake")) == 6
        assert await operator_queries.drop(connection, DeliveryFilter(channel="other"), now=NOW) == 0
        assert await operator_queries.drop(connection, DeliveryFilter(channel="fake"), now=NOW) == 6
    assert list((await states(store)).values()) == ["skipped", "sending", "sent", *["skipped"] * 5]
    row = await one(store, 1)
    assert (row.reason, row.ended_at) == (Reason.DROPPED, NOW)


async def test_retry_and_drop_report_what_they_changed(local: Store, tmp_path: Path) -> None:
    await publish(local, READERS)
    await stand(local, {1: "unknown", 2: "expired"})
    assert papers_command(tmp_path, "deliveries", "retry", "--state", "unknown").stdout == "1 delivery requeued.\n"
    assert papers_command(tmp_path, "deliveries", "retry", "--all").stdout == "1 delivery requeued.\n"
    dropped = papers_command(tmp_path, "deliveries", "drop", "--edition", str(DAY), "--channel", "fake")
    assert (dropped.returncode, dropped.stdout) == (0, "8 deliveries cancelled.\n")
    assert set((await states(local)).values()) == {"skipped"}


@pytest.mark.parametrize(
    "words", [["retry"], ["drop", "--yes"], ["retry", "--state", "sent"], ["drop", "--state", "expired"],
              ["list", "--state", "lost"], ["list", "--cadence", "hour"], ["list", "--edition", "monday"]]
)  # fmt: skip
async def test_wrong_options_change_nothing(local: Store, tmp_path: Path, words: list[str]) -> None:
    await publish(local, READERS)
    before = await states(local)
    refused = papers_command(tmp_path, "deliveries", *words)
    assert (refused.returncode, refused.stdout) == (2, "")
    assert await states(local) == before


@pytest.mark.parametrize(("answer", "becomes"), [(b"n\n", "owed"), (b"y\n", "skipped")])
async def test_on_a_terminal_it_asks_for_confirmation(
    local: Store, tmp_path: Path, answer: bytes, becomes: str
) -> None:
    await publish(local, READERS)
    ours, theirs = pty.openpty()
    try:
        os.write(ours, answer)
        done = papers_command(tmp_path, "deliveries", "drop", "--all", stdin=theirs)
    finally:
        os.close(ours)
        os.close(theirs)
    assert "8 deliveries will be cancelled. Go on?" in done.stderr
    assert done.returncode == 0
    assert set((await states(local)).values()) == {becomes}


# Halts


async def test_resume_ends_a_halt_and_says_why_it_was(local: Store, tmp_path: Path) -> None:
    async with local.write() as connection:
        await channel_state.save(
            connection, "outbox", ChannelState(halted_at=NOW, halted_for="disk of ada@mail.example")
        )
    done = papers_command(tmp_path, "resume", "outbox")
    assert done.returncode == 0
    assert done.stdout == (
        "outbox was halted since 2025-11-03 22:00 UTC (disk of …@…); it delivers again.\n"
    )  # fmt: skip
    async with local.read() as connection:
        assert await channel_state.load(connection, "outbox") == ChannelState()
    nothing = papers_command(tmp_path, "resume", "outbox")
    assert (nothing.returncode, nothing.stdout) == (0, "outbox was neither halted nor waiting.\n")


async def test_resume_ends_a_wait(local: Store, tmp_path: Path) -> None:
    async with local.write() as connection:
        until = datetime(2999, 1, 1, tzinfo=UTC)
        await channel_state.save(connection, "outbox", ChannelState(waits_until=until, waits_for="flood"))
    done = papers_command(tmp_path, "resume", "outbox")
    assert done.stdout == "outbox was to wait until 2999-01-01 00:00 UTC (flood); it delivers again.\n"


def test_resume_refuses_an_unknown_channel(tmp_path: Path) -> None:
    refused = papers_command(tmp_path, "resume", "pigeon")
    says = f"There is no channel named pigeon; there are: {', '.join(CHANNELS)}.\n"
    assert (refused.returncode, refused.stderr) == (2, says)
    assert list(tmp_path.iterdir()) == []
