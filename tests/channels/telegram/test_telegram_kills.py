"""Killed in the middle of a broadcast: nobody misses the edition, and only what was in flight may come twice."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import select

from bot.model import Address, Preferences, State
from bot.store import Store, subscriber_queries
from bot.store.edition_report import reports
from bot.store.schema import deliveries
from bot.store.schema import subscribers as table
from channels.telegram.channel import CONCURRENCY
from tests.support.databases import fresh_store
from tests.support.telegram_program import many, put
from tests.support.telegram_server import TelegramServer

ROOT = Path(__file__).resolve().parents[3]
LIMIT = 60.0


@asynccontextmanager
async def program(home: Path, server: TelegramServer) -> AsyncIterator[asyncio.subprocess.Process]:
    """`papers run --only deliver` as a process of its own; killed at the end without a warning."""
    environ = {
        **{name: value for name, value in os.environ.items() if not name.startswith(("TELEGRAM", "PAPERS"))},
        "PAPERS_HOME": str(home),
        "TELEGRAM_TOKEN": server.token,
        "TELEGRAM_API_URL": server.origin,
        "TELEGRAM_RATE": "1000",
        "FEED_URL": "http://127.0.0.1:9/",
    }
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bot", "run", "--only", "deliver", "--standby", cwd=ROOT, env=environ,
        stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    try:
        yield process
    finally:
        with suppress(ProcessLookupError):
            process.send_signal(signal.SIGKILL)
        await process.wait()


async def test_a_broadcast_outlives_being_killed(tmp_path: Path, long: bool) -> None:
    kills, readers = (10, 1_000) if long else (2, 150)
    store = fresh_store(tmp_path)
    now = datetime.now(UTC)
    async with store.write() as connection:
        for number in range(readers):
            hour = now.hour * 60 + now.minute // 15 * 15
            await subscriber_queries.add(
                connection, Address("telegram", f"{1000 + number}"), Preferences(hour=hour), now=now
            )
    await put(store, many(5, now), closed_at=now)
    async with TelegramServer(everybody=True) as server:
        server.delay = 0.02
        for kill in range(kills):
            async with program(tmp_path, server):
                await server.answered(readers * (kill + 1) // (kills + 1), "sendMessage", limit=LIMIT)
        async with program(tmp_path, server):
            await _all_delivered(store, server, readers)
        reached = Counter(
            int(call.arguments["chat_id"]) for call in server.calls_of("sendMessage") if call.status == 200
        )
        assert set(reached) == {1000 + number for number in range(readers)}
        twice = {chat for chat, count in reached.items() if count > 1}
        assert sum(reached.values()) - readers <= kills * CONCURRENCY
        async with store.read() as connection:
            [report] = await reports(connection)
            query = select(table.c.recipient).join(deliveries, deliveries.c.subscriber_id == table.c.id)
            in_doubt = {int(each) for each in await connection.scalars(query.where(deliveries.c.repeats > 0))}
        assert report.adds_up
        assert report.channels["telegram"].states == {State.SENT: readers}
        assert twice <= in_doubt  # each repeat was listed before it was sent
    await store.close()


async def _all_delivered(store: Store, server: TelegramServer, readers: int) -> None:
    async with asyncio.timeout(LIMIT):
        done = 0
        while True:
            async with store.read() as connection:
                left = select(deliveries.c.id).where(deliveries.c.state != State.SENT).limit(1)
                if await connection.scalar(left) is None:
                    return
            with suppress(TimeoutError):
                done = await server.answered(done + 1, "sendMessage", limit=0.2)


async def test_a_first_start_with_telegram_alone_shows_a_sample_and_stays_up(tmp_path: Path) -> None:
    async with TelegramServer() as server:
        environ = {
            **{name: value for name, value in os.environ.items() if not name.startswith(("TELEGRAM", "PAPERS"))},
            "PAPERS_HOME": str(tmp_path),
            "TELEGRAM_TOKEN": server.token,
            "TELEGRAM_API_URL": server.origin,
            "FEED_URL": "http://127.0.0.1:9/",
        }
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "bot", "run", cwd=ROOT, env=environ,
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL,
        )  # fmt: skip
        await server.polled(limit=LIMIT)
        process.send_signal(signal.SIGTERM)
        said, _ = await process.communicate()
        assert process.returncode == 0
        assert "This is what an edition looks like" in said.decode()
        assert "@papers_bot is ready" in said.decode()
