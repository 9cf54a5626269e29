"""A scripted evening: blocked readers, an outage, a long flood wait of one chat, two deployments that overlap."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from datetime import time, timedelta
from pathlib import Path

import aiohttp
import pytest
from sqlalchemy import select

from bot.channel import Pace, Rate
from bot.commands import ReaderCommands
from bot.delivery.dispatcher import Dispatcher
from bot.delivery.listening import ListeningMonitor
from bot.doctor.services import channel_findings
from bot.model import Address, Preferences
from bot.runtime.locks import Locks, make_locks
from bot.store import Store, listening_outages, subscriber_queries
from bot.store.edition_report import reports
from bot.store.schema import deliveries
from channels.telegram import polling
from channels.telegram.channel import Telegram
from tests.support import telegram_program
from tests.support.alerts_heard import Heard
from tests.support.fake_channel import NOW, publish, settle
from tests.support.telegram_server import Fault, TelegramServer

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)

FIRST = 1_000
FLOODED = FIRST + 7
LIMIT = 30.0
MINUTE = timedelta(minutes=1)


async def states(store: Store) -> Counter[str]:
    async with store.read() as connection:
        [report] = await reports(connection)
        assert report.adds_up
        return Counter(await connection.scalars(select(deliveries.c.state)))


async def subscribe(store: Store, server: TelegramServer, count: int) -> int:
    """That many readers, of whom one in a hundred blocks the bot. Returns how many did."""
    now = NOW - timedelta(days=1)
    async with store.write() as connection:
        for number in range(FIRST, FIRST + count):
            address = Address("telegram", f"{number}")
            await subscriber_queries.add(connection, address, Preferences(hour=22 * 60), now=now)
    blocked = range(FIRST, FIRST + count, 100)
    for number in blocked:
        server.person(number).chat.blocked = True
    await publish(store, {})
    return len(blocked)


async def overlap(channel: Telegram, commands: ReaderCommands, server: TelegramServer, store: Store) -> None:
    """Another deployment polls for a while; a reader who writes is answered all the same."""
    listening = asyncio.create_task(channel.listen(commands))
    await server.polled()
    async with aiohttp.ClientSession() as http, asyncio.timeout(LIMIT):
        for _ in range(3):
            other = await http.post(f"{server.base_url}{server.token}/getUpdates", data={"timeout": "20"})
            assert other.status == 409
    ada = server.person(42)
    await ada.writes("/privacy")
    await ada.hears("message")
    async with asyncio.timeout(LIMIT):
        while await outages(store):
            pass  # every look lets the others work
    listening.cancel()
    await asyncio.gather(listening, return_exceptions=True)


async def outages(store: Store) -> bool:
    async with store.read() as connection:
        return bool(await listening_outages.load(connection))


def dispatcher(store: Store, channel: Telegram, locks: Locks) -> Dispatcher:
    return Dispatcher(store, channel, locks)


@pytest.mark.timeout(1_200)  # 5,000 readers with --long
async def test_an_evening_on_which_much_goes_wrong_holds_up_nobody_else(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, *, long: bool
) -> None:
    caplog.set_level(logging.INFO, "bot")
    monkeypatch.setattr(polling, "FIRST_BACKOFF", 0.01)
    count, locks, heard = 5_000 if long else 200, make_locks(store.engine.url, store.path), Heard()
    async with TelegramServer(everybody=True) as server, telegram_program.channel(server, tmp_path) as channel:
        channel.pace = Pace(concurrency=30, account=Rate(10_000))
        monitor = ListeningMonitor(store, heard)
        commands = ReaderCommands(
            store, [channel], fallback=Preferences(), closes=time(22), monitor=monitor, alert=heard
        )
        blocked = await subscribe(store, server, count)
        flooded = server.person(FLOODED)
        flooded.chat.started = True
        server.fail(Fault.flood(600), method="sendMessage", chat=flooded)
        server.fail(Fault.bad_gateway(), method="sendMessage", times=40)

        # The outage begins with the evening: the channel waits, and no reader is lost.
        work = dispatcher(store, channel, locks)
        await settle(work, NOW)
        assert (await states(store))["gone"] <= blocked
        assert "channel waits" in caplog.messages
        said = await channel_findings(store, "telegram", NOW)
        assert ["waits until" in each.says for each in said] == [True]

        # Two minutes later all have it but those who left and the one chat, while two deployments overlap.
        server.heal()
        server.fail(Fault.flood(600), method="sendMessage", chat=flooded)
        await asyncio.gather(settle(work, NOW + 2 * MINUTE), overlap(channel, commands, server, store))
        assert await states(store) == {"sent": count - blocked - 1, "gone": blocked, "owed": 1}
        assert "flood wait of one chat, others go on" in caplog.messages
        assert "channel not listening, tried again until it does" in caplog.messages
        assert heard.alerts == []  # nothing of it lasted
        assert not await channel_findings(store, "telegram", NOW + 2 * MINUTE)
        server.heal()
    # After the wait, in another life of the program, the one chat has it as well: once.
    async with TelegramServer(everybody=True) as server, telegram_program.channel(server, tmp_path) as channel:
        await settle(dispatcher(store, channel, locks), NOW + 15 * MINUTE)
        assert [call.arguments["chat_id"] for call in server.calls_of("sendMessage")] == [FLOODED]
    assert await states(store) == {"sent": count - blocked, "gone": blocked}
    await locks.close()
