"""Outages of listening: retried for ever, known to every process, told once and on another channel."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from datetime import time, timedelta
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from bot import service
from bot.channel import Rate
from bot.delivery.alerts import ABOUT_A_CHANNEL, Alerts
from bot.delivery.housekeeping import Housekeeping
from bot.delivery.listening import ListeningMonitor, tell_long_outages
from bot.delivery.session import Session
from bot.doctor.services import channel_findings
from bot.model import Address
from bot.publishing.heartbeat import beat
from bot.runtime import supervisor
from bot.runtime.locks import holding, make_locks
from bot.store import Store, listening_outages
from bot.store.listening_outages import ListeningOutage
from bot.web import health
from bot.web.metrics import Metrics
from channels.telegram import channel, polling
from channels.telegram.doctor import WRONG_TOKEN
from channels.telegram.polling import SECOND_POLLER, TOKEN_REVOKED
from tests.support.alerts_heard import Heard
from tests.support.fake_channel import NOW, FakeChannel
from tests.support.telegram_program import Station
from tests.support.telegram_server import Fault, TelegramServer
from tests.support.telegram_server.people import Person

LIMIT = 20.0
MINUTE = timedelta(minutes=1)


@pytest.fixture(autouse=True)
def _short_breaks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(channel, "PER_CHAT", Rate(1000))
    monkeypatch.setattr(polling, "FIRST_BACKOFF", 0.01)
    monkeypatch.setattr(polling, "LONGEST_BACKOFF", 0.02)
    monkeypatch.setattr(supervisor, "SHORTEST_BACKOFF", 0.01)


@pytest.fixture
async def server() -> AsyncIterator[TelegramServer]:
    async with TelegramServer() as opened:
        yield opened


@pytest.fixture
async def station(server: TelegramServer, tmp_path: Path) -> AsyncIterator[Station]:
    async with Station(tmp_path, server) as opened:
        yield opened


async def outages(store: Store) -> Mapping[str, ListeningOutage]:
    async with store.read() as connection:
        return await listening_outages.load(connection)


async def until_outage(store: Store, *, lasts: bool) -> None:
    async with asyncio.timeout(LIMIT):
        while ("telegram" in await outages(store)) is not lasts:
            pass  # every look lets the others work


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        (Fault.conflict(), SECOND_POLLER),
        (Fault.unauthorized(), TOKEN_REVOKED),
        (Fault.bad_gateway(), "a proxy or firewall answered instead of Telegram"),
        (Fault.server_error(), "Telegram is unreachable (Internal Server Error)"),
        (Fault.refuse(400, "Bad Request: whatever"), "Telegram refuses to list messages (Whatever)"),
    ],
)
async def test_whatever_keeps_updates_away_may_pass(
    server: TelegramServer, station: Station, ada: Person, fault: Fault, reason: str
) -> None:
    server.fail(fault, method="getUpdates")
    await ada.writes("/help")
    await until_outage(station.store, lasts=True)
    assert (await outages(station.store))["telegram"].reason == reason
    server.heal()
    await ada.hears("message")
    await until_outage(station.store, lasts=False)


async def test_a_stop_while_the_service_says_nothing_takes_four_seconds_at_most(
    server: TelegramServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, long: bool
) -> None:
    assert max(service.PATIENCE, polling.SHUTDOWN_GRACE + polling.CONFIRM_SECONDS) <= 3.0
    for module, name in ((service, "PATIENCE"), (polling, "SHUTDOWN_GRACE"), (polling, "CONFIRM_SECONDS")):
        if not long:
            monkeypatch.setattr(module, name, 0.1)
    async with Station(tmp_path, server) as station:
        await station.publish()
        await server.polled()
        ada = server.person(42)
        server.fail(Fault.silent(), method="*")
        await ada.writes("/start")
        await server.answered(2, "sendMessage")  # the answer, and the newest edition
        started = asyncio.get_running_loop().time()
    assert asyncio.get_running_loop().time() - started <= 4.0


async def test_two_programs_that_poll_for_a_while_both_go_on_afterwards(
    server: TelegramServer, station: Station, ada: Person
) -> None:
    await server.polled()
    url = f"{server.base_url}{server.token}/getUpdates"
    async with aiohttp.ClientSession() as http:
        for _ in range(3):
            held = asyncio.ensure_future(http.post(url, data={"timeout": "20"}))
            async with asyncio.timeout(LIMIT):
                assert (await held).status == 409  # ended by ours, whose call theirs had ended
    await ada.writes("/help")
    await ada.hears("message")
    await until_outage(station.store, lasts=False)


async def test_short_conflicts_that_come_again_and_again_count_as_an_outage_that_lasts(
    server: TelegramServer, station: Station, ada: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def is_heard() -> None:
        for _ in range(2):  # the second message is fetched after what the first call proved was noted
            await ada.writes("/help")
            await ada.hears("message")

    for lasts in (False, False, False, False, True):
        server.fail(Fault.conflict(), method="getUpdates")
        await ada.writes("/privacy")
        await until_outage(station.store, lasts=True)
        server.heal()
        await ada.hears("message")
        await is_heard()
        assert ("telegram" in await outages(station.store)) is lasts
    assert (await outages(station.store))["telegram"].reason == SECOND_POLLER
    monkeypatch.setattr(polling, "CONTESTED", 0.0)  # time passes
    await is_heard()
    await until_outage(station.store, lasts=False)


async def test_a_webhook_that_somebody_else_sets_is_removed_again(
    server: TelegramServer, station: Station, ada: Person
) -> None:
    async with aiohttp.ClientSession() as http:
        await http.post(f"{server.base_url}{server.token}/setWebhook", data={"url": "https://example.org/hook"})
    await server.answered(1, "deleteWebhook")
    await ada.writes("/help")
    await ada.hears("message")


async def test_a_token_refused_at_the_start_is_told_at_once_and_taken_when_it_becomes_valid(
    server: TelegramServer, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    server.fail(Fault.unauthorized(), method="*")
    async with Station(tmp_path, server) as station:
        await until_outage(station.store, lasts=True)
        outage = (await outages(station.store))["telegram"]
        assert (outage.reason, outage.told) == (WRONG_TOKEN.format(setting="TELEGRAM_TOKEN"), True)
        server.heal()
        ada = server.person(42)
        await ada.writes("/privacy")
        await ada.hears("message")
        await until_outage(station.store, lasts=False)
    assert [record.message for record in caplog.records].count("login refused") == 1


async def test_every_place_where_an_operator_looks_says_since_when(store: Store) -> None:
    monitor = ListeningMonitor(store, Heard())
    await monitor.failed("telegram", "no luck", NOW)
    assert await health.listening(store) == {"telegram": "not listening since 2025-11-03T22:00:00Z"}
    assert await channel_findings(store, "telegram", NOW) == [], "nobody listens any more: it says nothing about now"
    locks = make_locks(store.engine.url, store.path)
    async with holding(locks, "listen:telegram"):
        found = await channel_findings(store, "telegram", NOW)
    await locks.close()
    assert [(each.ok, each.says) for each in found] == [(False, "not listening since 2025-11-03T22:00:00Z (no luck)")]
    written = (await Metrics(store).write(NOW + MINUTE)).decode()
    assert 'papers_not_listening_seconds{channel="telegram"} 60.0' in written
    for later, ready in ((MINUTE, True), (3 * MINUTE, False)):
        examined = await health.examine(store, ["telegram"], MINUTE, NOW + later)
        assert [each.ok for each in examined if each.subject == "telegram"] == [ready]
        assert "not listening since" in examined[-1].says
    await monitor.working("telegram", NOW + 5 * MINUTE)
    assert await health.listening(store) == {}
    assert await channel_findings(store, "telegram", NOW) == []


async def test_an_outage_is_told_after_three_minutes_once_and_its_end_as_well(store: Store) -> None:
    heard = Heard()
    monitor = ListeningMonitor(store, heard)
    await monitor.failed("telegram", "no luck", NOW)
    await monitor.failed("telegram", "no luck", NOW + 2 * MINUTE)
    assert not await tell_long_outages(store, heard, ["telegram"], NOW + 2 * MINUTE)
    await ListeningMonitor(store, heard).failed("telegram", "still no luck", NOW + 3 * MINUTE)  # another process
    assert not await tell_long_outages(store, heard, ["telegram"], NOW + 4 * MINUTE)
    await monitor.working("telegram", NOW + 5 * MINUTE)
    await monitor.working("telegram", NOW + 6 * MINUTE)
    told = {"channel": "telegram", "since": "2025-11-03 22:00 UTC", "reason": "still no luck"}
    assert heard.alerts == [("channel not listening", told), ("channel listens again", {"channel": "telegram"})]


async def test_a_short_outage_is_not_told(store: Store) -> None:
    heard = Heard()
    monitor = ListeningMonitor(store, heard)
    await monitor.failed("telegram", "no luck", NOW)
    await monitor.working("telegram", NOW + 2 * MINUTE)
    assert not await tell_long_outages(store, heard, ["telegram"], NOW + 4 * MINUTE)
    assert heard.alerts == []


async def test_a_channel_that_is_no_longer_configured_is_not_told_and_silences_no_heartbeat(store: Store) -> None:
    heard, beats = Heard(), 0

    async def count(_: web.Request) -> web.Response:
        nonlocal beats
        beats += 1
        return web.Response()

    async with store.write() as connection:
        await listening_outages.begin(connection, "removed", ListeningOutage(NOW, "no luck"))
        await listening_outages.begin(connection, "telegram", ListeningOutage(NOW, "no luck"))
    keeper = Housekeeping(store, heard, closes=time(22), channels=["telegram"])
    await ListeningMonitor(store, heard).failed("discord", "no luck", NOW + 5 * MINUTE)
    await keeper.step(NOW + 5 * MINUTE)
    assert [(event, fields["channel"]) for event, fields in heard.alerts] == [("channel not listening", "telegram")]
    app = web.Application()
    app.router.add_get("/", count)
    async with TestServer(app) as monitor:
        async with store.write() as connection:
            await listening_outages.begin(connection, "removed", ListeningOutage(NOW, "no luck", told=True))
        for configured, expected in (("telegram", 0), ("well", 1)):
            await beat(store, [FakeChannel(name=configured)], str(monitor.make_url("/")))
            assert beats == expected


@pytest.mark.parametrize("event", sorted(ABOUT_A_CHANNEL))
async def test_what_is_wrong_with_a_channel_is_told_on_another_one(event: str) -> None:
    deaf, well = FakeChannel(), FakeChannel(name="other")
    for admins, told in (
        ([Address("fake", "ada"), Address("other", "ada")], (0, 1)),
        ([Address("fake", "ada")], (1, 0)),  # better than not at all
    ):
        deaf.alerts.clear()
        well.alerts.clear()
        alerts = Alerts([Session(deaf), Session(well)], admins, "en")
        alerts.alert(event, NOW, channel="fake", since="now", reason="no luck")
        await alerts.flush()
        assert (len(deaf.alerts), len(well.alerts)) == told


async def test_what_is_wrong_with_a_channel_is_told_on_it_where_admins_have_no_other_one_in_this_process() -> None:
    deaf = FakeChannel()
    alerts = Alerts([Session(deaf)], [Address("fake", "ada"), Address("not here", "ada")], "en")
    alerts.alert("channel halted", NOW, channel="fake", reason="no luck")
    await alerts.flush()
    assert len(deaf.alerts) == 1


async def test_news_that_overlap_leave_no_outage_of_a_channel_that_listens(store: Store) -> None:
    monitor = ListeningMonitor(store, Heard())
    await monitor.failed("discord", "no luck", NOW)
    # Discord's client tells of a connection that comes and goes in tasks of their own.
    await asyncio.gather(monitor.working("discord", NOW), monitor.failed("discord", "no luck", NOW))
    await monitor.working("discord", NOW)
    assert await outages(store) == {}
