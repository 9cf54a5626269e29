"""A feed on this machine, the command in a home of its own, and that home's database."""

from collections.abc import AsyncIterator
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from bot.store import Store
from tests.support.databases import fresh_store, put_database
from tests.support.feed_server import FeedServer, row
from tests.support.papers_program import EARLIER, FINISHED, Papers

MONDAY, TUESDAY, WEDNESDAY = date(2025, 11, 3), date(2025, 11, 4), date(2025, 11, 5)


@pytest.fixture
async def server() -> AsyncIterator[FeedServer]:
    """Three days long ago, and the last two weekdays before today."""
    days = {
        MONDAY: [row("2511.00101", day=MONDAY), row("2511.00102", day=MONDAY, votes=7, title="The <best> & only")],
        TUESDAY: [row("2511.00201", day=TUESDAY)],
        WEDNESDAY: [row("2511.00301", day=WEDNESDAY)],
        EARLIER: [row("2511.00401", day=EARLIER, hour=0)],
        FINISHED: [row(f"2511.0050{n}", day=FINISHED, hour=0, votes=n) for n in range(5)],
    }
    async with FeedServer(days, clock=lambda: datetime.now(UTC)) as server:
        yield server


@pytest.fixture
def papers(server: FeedServer, tmp_path: Path) -> Papers:
    """The command in a home that has a database."""
    put_database(tmp_path)
    return Papers(tmp_path, {"FEED_URL": server.url})


@pytest.fixture
def new_papers(server: FeedServer, tmp_path: Path) -> Papers:
    """The command in an empty home."""
    return Papers(tmp_path, {"FEED_URL": server.url})


@pytest.fixture
async def local(tmp_path: Path) -> AsyncIterator[Store]:
    """The database that a process started in `tmp_path` uses."""
    opened = fresh_store(tmp_path)
    yield opened
    await opened.close()
