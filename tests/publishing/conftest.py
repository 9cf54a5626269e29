"""A local feed of three days, and a client for it."""

from __future__ import annotations

from collections.abc import AsyncIterator

import aiohttp
import pytest
from aiohttp import ClientSession

from tests.support.feed_client import MONDAY, TUESDAY, WEDNESDAY
from tests.support.feed_server import FeedServer, row


@pytest.fixture
async def server() -> AsyncIterator[FeedServer]:
    """A feed with a short day, one of two pages, and one whose papers are hard to put in order."""
    days = {
        MONDAY: [row("2511.00001", day=MONDAY, votes=5), row("2511.00002", day=MONDAY, hour=20, votes=9)],
        TUESDAY: [row(f"2511.001{n:02}", day=TUESDAY, hour=n / 10, votes=n // 10) for n in range(60)],
        WEDNESDAY: [row("2511.00201", day=WEDNESDAY, hour=None), row("2511.00202", day=WEDNESDAY, hour=0)],
    }
    async with FeedServer(days) as server:
        yield server


@pytest.fixture
async def http() -> AsyncIterator[ClientSession]:
    async with ClientSession(timeout=aiohttp.ClientTimeout(total=30)) as http:
        yield http
