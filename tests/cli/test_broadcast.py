"""`papers broadcast` as a process: shown, confirmed on a terminal, sent once."""

from __future__ import annotations

import json
import os
import pty
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from bot.model import NOTE, Address, Cadence, Preferences
from bot.store import Store, operator_queries, subscriber_queries
from bot.store.operator_queries import DeliveryFilter
from bot.store.schema import announcements, deliveries
from tests.support.command import papers_command
from tests.support.databases import fresh_store
from tests.support.fake_channel import NOW
from tests.support.postgres import Postgres

READERS = {f"r{n}": Preferences(timezone="Asia/Seoul" if n % 2 else "UTC") for n in range(3)}


@pytest.fixture
async def local(tmp_path: Path) -> AsyncIterator[Store]:
    """The database that a process started in `tmp_path` uses, with readers and no edition yet."""
    opened = fresh_store(tmp_path)
    async with opened.write() as connection:
        for name, wanted in READERS.items():
            await subscriber_queries.add(connection, Address("outbox", name), wanted, now=NOW)
    yield opened
    await opened.close()


async def count(store: Store, table: Any) -> int:
    async with store.read() as connection:
        return int(await connection.scalar(select(func.count()).select_from(table)) or 0)


async def test_an_announcement_is_shown_and_sent_once_a_day(local: Store, tmp_path: Path) -> None:
    done = papers_command(tmp_path, "broadcast", "We move.\nOn Sunday.", "--yes")
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert lines[1:4] == ["A message from the people who run this newsletter", "We move.", "On Sunday."]
    assert "Readers on outbox: 3" in lines
    assert lines[-1] == "It’s on its way to 3 readers."
    again = papers_command(tmp_path, "broadcast", "We move.", "--yes")
    assert (again.returncode, again.stdout) == (1, "")
    assert again.stderr.startswith("Only one announcement a day")
    assert await count(local, deliveries) == 3

    shown = papers_command(tmp_path, "editions", "--json")
    assert shown.returncode == 0
    (report,) = json.loads(shown.stdout)
    assert (report["cadence"], report["papers"], report["audience"], report["adds_up"]) == ("note", 0, 3, True)
    async with local.read() as connection:
        assert [line.cadence for line in await operator_queries.find(connection, DeliveryFilter(cadence=NOTE), 0)] == [
            "note"
        ] * 3
        assert await operator_queries.find(connection, DeliveryFilter(cadence=Cadence.DAY), 0) == []
    dropped = papers_command(tmp_path, "deliveries", "drop", "--cadence", "note")
    assert dropped.stdout == "3 deliveries cancelled.\n"


async def test_move_copies_announcements(local: Store, postgres: Postgres, tmp_path: Path) -> None:
    assert papers_command(tmp_path, "broadcast", "We move.", "--yes").returncode == 0
    url = postgres.url(postgres.create())
    moved = papers_command(tmp_path, "move", "--to", url, "--json")
    assert moved.returncode == 0, moved.stderr
    assert json.loads(moved.stdout)["announcements"] == 1
    server = Store.open(url, tmp_path)
    async with server.read() as connection:
        assert list(await connection.scalars(select(announcements.c.text))) == ["We move."]
    await server.close()


async def test_without_a_terminal_nothing_is_sent_unless_yes(local: Store, tmp_path: Path) -> None:
    done = papers_command(tmp_path, "broadcast", "We move.")
    assert done.returncode == 2
    assert done.stderr == "Nothing was sent: without a terminal it needs --yes.\n"
    assert "Readers on outbox: 3" in done.stdout
    assert (await count(local, deliveries), await count(local, announcements)) == (0, 0)


@pytest.mark.parametrize(("answer", "owed"), [(b"n\n", 0), (b"y\n", 3)])
async def test_on_a_terminal_it_asks_for_confirmation(local: Store, tmp_path: Path, answer: bytes, owed: int) -> None:
    ours, theirs = pty.openpty()
    try:
        os.write(ours, answer)
        done = papers_command(tmp_path, "broadcast", "telegram: is no channel here", stdin=theirs)
    finally:
        os.close(ours)
        os.close(theirs)
    assert done.returncode == 0
    assert "Send it?" in done.stderr
    assert "telegram: is no channel here" in done.stdout.splitlines()
    assert await count(local, deliveries) == owed


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (["We move.", "--channel", "pigeon"], 2, "There is no channel named pigeon; there are: "),
        (["We move.", "--channel", "site"], 1, "There are no readers to send it to."),
        (["", "--yes"], 1, "There is no text to send."),
        (["x" * 2001, "--yes"], 1, "Too long: 2,001 of"),
    ],
)
async def test_an_invalid_announcement_is_refused_in_one_sentence(
    local: Store, tmp_path: Path, words: list[str], code: int, says: str
) -> None:
    done = papers_command(tmp_path, "broadcast", *words)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (code, "", 1)
    assert done.stderr.startswith(says)
    assert (await count(local, deliveries), await count(local, announcements)) == (0, 0)
