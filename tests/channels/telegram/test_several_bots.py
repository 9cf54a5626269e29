"""Several Telegram bots for one newsletter: each reader has one of them, and nobody waits for another's."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete, select, update

from bot import channel_loader
from bot.channel import FIRST_ACCOUNT, Finding, Rate
from bot.cli.startup import WRONG
from bot.commands import ReaderCommands, token_buckets
from bot.commands.context import Context
from bot.delivery.alerts import Alerts
from bot.doctor import database_checks, services
from bot.model import Address, Status
from bot.runtime import logs
from bot.service import Role
from bot.settings import SettingsError, read
from bot.store import Store, accounts, health_figures, listening_outages, stats
from bot.store.schema import channel_memory, deliveries
from channels.telegram import Settings, channel
from channels.telegram.settings import bot_of
from tests.support import telegram_program
from tests.support.command import papers_command
from tests.support.telegram_program import Station
from tests.support.telegram_server import Fault, TelegramServer
from tests.support.telegram_server.people import Person

FIRST, SECOND = "123456789:AAtest-token-of-the-local-server-00", "987654321:AAtest-token-of-another-bot-here-00"
OTHER = f"telegram.{bot_of(SECOND)}"
Bots = tuple[TelegramServer, TelegramServer]


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(channel, "PER_CHAT", Rate(1000))
    monkeypatch.setattr(channel, "PER_GROUP", Rate(1000))
    monkeypatch.setattr(token_buckets, "BURST", 10_000)


@pytest.fixture
async def bots() -> AsyncIterator[Bots]:
    async with TelegramServer(token=FIRST) as first, TelegramServer(token=SECOND, username="more_papers_bot") as second:
        first.host(second)
        yield first, second
        assert not first.violations
        assert not second.violations


def program(home: Path, bots: Bots, *tokens: str, **given: str) -> Station:
    """The program with these bots, all in TELEGRAM_TOKENS."""
    return Station(home, bots[0], {"TELEGRAM_TOKEN": "", "TELEGRAM_TOKENS": ", ".join(tokens), **given})


@pytest.fixture
async def station(bots: Bots, tmp_path: Path) -> AsyncIterator[Station]:
    async with program(tmp_path, bots, FIRST, SECOND) as opened:
        yield opened


async def starts(server: TelegramServer, number: int) -> Person:
    """A person presses Start at a bot, and gets its answer; no edition was published yet."""
    person = server.person(number)
    await person.writes("/start")
    await person.hears("message")
    return person


async def gets_an_edition(person: Person) -> None:
    heard = await person.hears("message")
    assert heard.message is not None
    assert heard.message.text.count("\n") > 3, heard


async def publish(station: Station) -> None:
    """An edition that is due to everybody at once."""
    await station.publish(5)
    now = datetime.now(UTC)
    async with station.store.write() as connection:
        await connection.execute(
            update(deliveries).values(due_at=now, next_at=now, expires_at=now + timedelta(hours=1))
        )


async def accounts_of_deliveries(store: Store) -> dict[str, str]:
    """The states of deliveries, by the account that they go out by; one of each in these tests."""
    async with store.read() as connection:
        rows = await connection.execute(select(deliveries.c.channel, deliveries.c.state))
        return {row[0]: row[1] for row in rows}


async def test_each_reader_gets_editions_from_the_bot_that_they_started(bots: Bots, station: Station) -> None:
    ada, bo = await starts(bots[0], 42), await starts(bots[1], 43)
    await publish(station)
    await gets_an_edition(ada)
    await gets_an_edition(bo)
    assert (await station.reader("42")).address.via == "telegram"
    assert (await station.reader("43")).address.via == OTHER
    async with station.store.read() as connection:
        assert (await stats.census(connection, since=datetime.now(UTC))).channels == {"telegram": 1, OTHER: 1}
        assert set(await health_figures.readers(connection)) == {("telegram", "active"), (OTHER, "active")}
    roles = {f"{role}:{name}" for role in ("deliver", "listen") for name in ("telegram", OTHER)}
    assert roles <= set(station.service.status.jobs)


async def test_the_last_start_wins_and_takes_along_what_is_owed(bots: Bots, station: Station) -> None:
    ada = await starts(bots[0], 42)
    bots[0].fail(Fault.flood(600), method="sendMessage")
    await publish(station)
    await bots[0].answered(2, "sendMessage")  # the answer to /start, and the edition that is refused
    there = bots[1].person(42)
    await there.writes("/start")
    await there.hears("message")
    await gets_an_edition(there)
    await ada.blocks_bot()
    await bots[0].polled()
    reader = await station.reader("42")
    assert (reader.address.via, reader.status) == (OTHER, Status.ACTIVE)  # the bot she left says nothing about her
    assert set(await accounts_of_deliveries(station.store)) == {OTHER}
    await there.blocks_bot()
    await bots[1].polled()
    assert (await station.reader("42")).status is Status.GONE


async def test_a_refusal_by_the_bot_before_ends_nothing(bots: Bots, station: Station) -> None:
    ada = await starts(bots[0], 42)
    async with station.store.write() as connection:
        reader = await station.reader("42")
        await accounts.hand_over(connection, reader.id, Address("telegram", "42", OTHER))
        assert not await accounts.reaches(connection, "telegram", reader.id)
        assert await accounts.reaches(connection, OTHER, reader.id)
    await ada.blocks_bot()
    await bots[0].polled()
    assert (await station.reader("42")).status is Status.ACTIVE


@pytest.mark.parametrize(
    "fault",
    [Fault.flood(600), Fault.unauthorized(), Fault.conflict(), Fault.bad_gateway()],
    ids=["flood wait", "revoked", "conflict", "outage"],
)
async def test_nobody_waits_for_another_bot(bots: Bots, station: Station, fault: Fault) -> None:
    ada, bo = await starts(bots[0], 42), await starts(bots[1], 43)
    bots[1].fail(fault, method="*")
    await publish(station)
    await gets_an_edition(ada)
    await ada.writes("/help")
    await ada.hears("message")
    assert (await station.reader("43")).status is Status.ACTIVE
    bots[1].heal()
    assert bo.chat.next_heard() is None


async def test_one_bots_conflict_is_its_own_outage(bots: Bots, station: Station) -> None:
    await starts(bots[0], 42)
    bots[1].fail(Fault.conflict(), method="getUpdates")
    await bots[1].person(43).writes("/help")
    outages: set[str] = set()
    while not outages:
        async with station.store.read() as connection:
            outages = set(await listening_outages.load(connection))
    assert outages == {OTHER}


@pytest.mark.parametrize("by", ["polling", "webhook"])
async def test_lines_of_the_log_say_which_bot_they_are_about(
    bots: Bots,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    by: str,
) -> None:
    async def fails(*_: object) -> Context:
        raise ConnectionError("the database is gone")

    root = logging.getLogger()
    monkeypatch.setattr(root, "handlers", list(root.handlers))
    monkeypatch.setattr(ReaderCommands, "_context", fails)
    monkeypatch.setattr(telegram_program, "WORK", frozenset({Role.DELIVER, Role.LISTEN, Role.WEB}))
    given = {"PUBLIC_URL": "https://papers.example", "WEB_PORT": "0"} if by == "webhook" else {}
    async with program(tmp_path, bots, FIRST, SECOND, **given) as station:
        if by == "webhook":
            web = station.service.web
            assert web is not None
            await web.listening.wait()
            assert web.address is not None
            for server in bots:
                server.route_webhook(f"http://127.0.0.1:{web.address[1]}")
        logs.configure("json")
        for server, number in zip(bots, (42, 43), strict=True):
            await starts(server, number)
        told = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    failed = [each["account"] for each in told if each["event"] == "command failed, nothing changed"]
    assert failed == [bot_of(FIRST), bot_of(SECOND)]


async def test_readers_of_a_bot_that_was_removed_wait_and_are_taken_by_another(bots: Bots, tmp_path: Path) -> None:
    async with program(tmp_path, bots, FIRST) as station:
        await starts(bots[0], 42)
    async with program(tmp_path, bots, SECOND) as station:
        await publish(station)
        bo = await starts(bots[1], 43)
        await gets_an_edition(bo)
        assert (await accounts_of_deliveries(station.store))["telegram"] == "owed"
        assert (await station.reader("42")).status is Status.ACTIVE
        told = await findings(station.store, tmp_path, bots, SECOND)
        assert told["telegram"] == (
            "1 subscribers of bot 123456789 cannot be reached: add its token back, or have them press Start at another "
            "bot of yours"
        )
        there = await starts(bots[1], 42)
        await gets_an_edition(there)
        assert "telegram" not in await findings(station.store, tmp_path, bots, SECOND)


async def findings(store: Store, home: Path, bots: Bots, *tokens: str) -> dict[str, str]:
    """What the doctor finds wrong, by its subject."""
    environ = {"TELEGRAM_TOKENS": ",".join(tokens), "TELEGRAM_API_URL": bots[0].origin}
    now = datetime.now(UTC)
    found: list[Finding] = (await database_checks.check(store, home, environ, now))[0]
    found += await services.check_channels(environ, home, store, now)
    return {each.subject: each.says for each in found if not each.ok}


async def test_rows_of_before_belong_to_the_first_bot_whatever_the_order(bots: Bots, tmp_path: Path) -> None:
    async with Station(tmp_path, bots[0]):
        ada = await starts(bots[0], 42)
    async with program(tmp_path, bots, SECOND, FIRST) as station:
        await publish(station)
        await gets_an_edition(ada)
        assert await findings(station.store, tmp_path, bots, SECOND, FIRST) == {}
        assert [each.name for each in station.service.channels] == [OTHER, "telegram"]


async def test_the_first_start_with_several_bots_needs_to_know_whose_the_readers_are(
    bots: Bots, tmp_path: Path
) -> None:
    async with Station(tmp_path, bots[0]) as station:
        ada = await starts(bots[0], 42)
        async with station.store.write() as connection:  # as before there could be several
            await connection.execute(delete(channel_memory).where(channel_memory.c.key == FIRST_ACCOUNT))
    environ = {"TELEGRAM_TOKENS": f"{SECOND},{FIRST}"}
    with pytest.raises(SettingsError, match="start once with the token of that bot alone"):
        async with program(tmp_path, bots, SECOND, FIRST):
            pass
    store = Store.open("sqlite:///subscribers.db", tmp_path)
    (told,), usable = await database_checks.check(store, tmp_path, environ, datetime.now(UTC))
    await store.close()
    assert (told.ok, usable) == (False, False)
    assert "start once" in told.says
    async with Station(tmp_path, bots[0]):
        await bots[0].polled()
    async with program(tmp_path, bots, SECOND, FIRST) as station:
        await publish(station)
        await gets_an_edition(ada)


async def test_the_doctor_says_which_token_is_not_valid(bots: Bots, station: Station, tmp_path: Path) -> None:
    stale = f"{bot_of(SECOND)}:AAthis-token-was-revoked-some-time-ago"
    told = await findings(station.store, tmp_path, bots, FIRST, stale)
    assert told[OTHER].startswith("Telegram rejects bot 987654321 in TELEGRAM_TOKENS")
    assert stale not in f"{told}"


async def test_a_group_whose_bot_is_no_longer_ours_is_taken_by_the_one_that_is_added(
    bots: Bots, tmp_path: Path
) -> None:
    async with program(tmp_path, bots, FIRST) as station:
        ada = await starts(bots[0], 42)
        group = bots[0].group(-10)
        await group.adds(ada, "creator")
        await group.adds_bot(by=ada)
        await ada.writes("/start", to=group)
        await group.hears("message")
        await group.hears("message")
    async with program(tmp_path, bots, SECOND) as station:
        there = bots[1].group(-10)
        await there.adds_bot(by=bots[1].person(42))
        await bots[1].polled()
        assert (await station.reader("-10")).address.via == OTHER


async def test_web_pages_lead_to_the_last_bot(bots: Bots, tmp_path: Path) -> None:
    async with program(tmp_path, bots, FIRST, SECOND, WEB_PORT="0") as station:
        for each in station.service.channel_jobs:
            await each.session.open()
        assert station.service.web is not None
        (link,) = station.service.web._context.invitations("paper 2604.00001", "en")
        assert link.url.startswith("https://t.me/more_papers_bot?start=")


async def test_an_alert_finds_the_bot_that_the_admin_started(bots: Bots, station: Station) -> None:
    bo = await starts(bots[1], 43)
    alerts = Alerts([each.session for each in station.service.channel_jobs], [Address("telegram", "43")], "en")
    alerts.alert("whatever happened", datetime.now(UTC))
    await alerts.flush()
    heard = await bo.hears("message")
    assert heard.message is not None
    assert "whatever happened" in heard.message.text


async def test_a_test_message_goes_by_the_bot_that_is_named(bots: Bots, station: Station, tmp_path: Path) -> None:
    both = {"TELEGRAM_TOKENS": f"{SECOND}, {FIRST}", "TELEGRAM_API_URL": bots[0].origin}

    async def sends(address: str) -> Any:
        return await asyncio.to_thread(papers_command, tmp_path, "send-test", address, given=both)

    ada = await starts(bots[0], 42)
    assert (await sends(f"telegram.{bot_of(FIRST)}:42")).returncode == 0
    assert (await ada.hears("message")).message is not None
    refused = await sends("telegram.5:42")
    assert refused.returncode == WRONG, refused.stderr
    assert "telegram.5 is not set up" in refused.stderr


def test_an_address_is_the_same_whichever_bot_reaches_it() -> None:
    written = Address.parse(f"{OTHER}:42")
    assert written == Address("telegram", "42")
    assert (f"{written}", written.via) == ("telegram:42", OTHER)
    served = [accounts.Account("telegram", "telegram", "1"), accounts.Account("telegram", "telegram.2", "2")]
    resolved = {each: accounts.resolved(Address.parse(each), served).via for each in ("telegram:4", "telegram.1:4")}
    assert resolved == {"telegram:4": "telegram", "telegram.1:4": "telegram"}
    assert accounts.resolved(Address("telegram", "4"), served[1:]).via == "telegram.2"
    assert accounts.resolved(Address.parse("telegram.3:4"), served).via == "telegram.3"


@pytest.mark.parametrize("written", ["abc", f"{FIRST},{bot_of(FIRST)}:AAanother-token-of-the-same-bot-here"])
def test_tokens_that_are_wrong_are_named(written: str) -> None:
    with pytest.raises(SettingsError, match="TELEGRAM_TOKENS"):
        read(Settings, {"TELEGRAM_TOKENS": written})


def test_the_token_alone_comes_first() -> None:
    both = read(Settings, {"TELEGRAM_TOKEN": SECOND, "TELEGRAM_TOKENS": f"{FIRST}, {SECOND}"})
    assert both.accounts == (bot_of(SECOND), bot_of(FIRST))
    assert channel_loader.configured({"TELEGRAM_TOKENS": FIRST}) == ["telegram"]
