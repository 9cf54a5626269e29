"""Killed in the middle of a fan-out to channels: each has the edition once, however late the program is back."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from bot.model import Address, Preferences, State
from bot.store import Store, subscriber_queries
from bot.store.edition_report import reports
from bot.store.schema import deliveries
from tests.support.databases import fresh_store
from tests.support.discord_server import DiscordServer
from tests.support.telegram_program import many, put

ROOT = Path(__file__).resolve().parents[3]
LIMIT = 60.0
POST = "POST /channels/{channel_id}/messages"
OPEN = [State.OWED, State.SENDING, State.UNKNOWN]


@asynccontextmanager
async def program(home: Path, server: DiscordServer) -> AsyncIterator[None]:
    """`papers run --only deliver` as a process of its own; killed at the end without a warning."""
    environ = {
        **{name: value for name, value in os.environ.items() if not name.startswith(("DISCORD", "PAPERS"))},
        "PAPERS_HOME": str(home),
        "DISCORD_TOKEN": server.token,
        "DISCORD_API_URL": server.api,
        "FEED_URL": "http://127.0.0.1:9/",
    }
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bot", "run", "--only", "deliver", "--standby", cwd=ROOT, env=environ,
        stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    try:
        yield
    finally:
        with suppress(ProcessLookupError):
            process.send_signal(signal.SIGKILL)
        await process.wait()


@pytest.mark.timeout(600)
@pytest.mark.parametrize("away", [timedelta(), timedelta(minutes=10)], ids=["at once", "after the nonce's window"])
async def test_each_channel_has_the_edition_once(tmp_path: Path, long: bool, away: timedelta) -> None:
    kills, size = (10, 1_000) if long else (2, 60)
    store = fresh_store(tmp_path)
    async with DiscordServer() as server:
        guild = server.guild("Readers")
        rooms = [guild.text(f"papers-{number}") for number in range(size)]
        now = datetime.now(UTC)
        wanted = Preferences(hour=now.hour * 60 + now.minute // 15 * 15)
        async with store.write() as connection:
            for room in rooms:
                await subscriber_queries.add(connection, Address("discord", f"channel:{room.id}"), wanted, now=now)
        await put(store, many(5, now), closed_at=now)
        for kill in range(kills):
            async with program(tmp_path, server):
                posts = size * (kill + 1) // (kills + 1)
                await server.bell.until(lambda posts=posts: server.counts[POST] >= posts, limit=LIMIT)  # type: ignore[misc]
            server.clock.move(away)
        async with program(tmp_path, server):
            await _all_ended(store, server)
        assert [room.posted for room in rooms] == [1] * size
        assert server.counts["status 429"] == 0
        assert not server.violations
    async with store.read() as connection:
        [report] = await reports(connection)
    assert report.adds_up
    assert report.channels["discord"].states == {State.SENT: size}
    await store.close()


async def _all_ended(store: Store, server: DiscordServer) -> None:
    async with asyncio.timeout(LIMIT):
        while True:
            async with store.read() as connection:
                left = select(deliveries.c.id).where(deliveries.c.state.in_(OPEN)).limit(1)
                if await connection.scalar(left) is None:
                    return
            seen = server.counts[POST]
            with suppress(TimeoutError):
                await server.bell.until(lambda seen=seen: server.counts[POST] > seen, limit=0.2)  # type: ignore[misc]
