"""Paid broadcasts before the local Bot API server, which takes Stars for what is over the free rate."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select, update

from bot.channel import Deferred, Personal
from bot.doctor import services
from bot.model import Address, Preferences
from bot.settings import SettingsError, read
from bot.store import audience, paid_sends, subscriber_queries
from bot.store.schema import deliveries
from channels.telegram import Settings
from tests.support.pages import page, paper
from tests.support.telegram_program import Station
from tests.support.telegram_program import channel as telegram_channel
from tests.support.telegram_server import Fault, Rates, TelegramServer

READERS = 30
PAID = {"TELEGRAM_PAID": "yes", "TELEGRAM_RATE": "10"}


@pytest.fixture
async def server() -> AsyncIterator[TelegramServer]:
    async with TelegramServer(everybody=True, rates=Rates(per_second=10)) as opened:
        yield opened
        assert not opened.violations


async def to_everybody(station: Station, readers: int = READERS) -> None:
    """Subscribe readers, and publish an edition that is due to all at once."""
    now = datetime.now(UTC)
    async with station.store.write() as connection:
        await audience.lock_editions(connection)
        for number in range(readers):
            await subscriber_queries.add(connection, Address("telegram", f"{number + 1}"), Preferences(), now=now)
    await station.publish(5)
    async with station.store.write() as connection:
        late = now + timedelta(hours=1)
        await connection.execute(update(deliveries).values(due_at=now, next_at=now, expires_at=late))


async def until_sent(station: Station, readers: int = READERS) -> None:
    """Until everybody has the edition, but for one whom a flood wait puts off; each look lets the others work.

    On a busy machine messages come closer than they were sent. That none is refused on another is seen without a
    network, in `tests/delivery/test_paid_turns.py`.
    """
    await station.server.answered(readers, "sendMessage")
    unsent = select(deliveries.c.next_at).where(deliveries.c.state != "sent")
    while True:
        async with station.store.read() as connection:
            left = (await connection.scalars(unsent)).all()
        if not [at for at in left if at <= datetime.now(UTC)]:
            assert len(left) <= 1
            return


def paid(server: TelegramServer) -> int:
    return sum(1 for call in server.calls_of("sendMessage") if call.arguments.get("allow_paid_broadcast"))


@pytest.mark.slow
async def test_the_cap_of_a_day_is_kept_and_the_rest_goes_free(server: TelegramServer, tmp_path: Path) -> None:
    assert server.rates is not None
    server.rates.stars = 200_000
    async with Station(tmp_path, server, {**PAID, "TELEGRAM_PAID_DAILY": "20"}) as station:
        await to_everybody(station)
        await until_sent(station)
        assert await paid_sends.counted(station.store, "telegram") == (f"{datetime.now(UTC):%Y-%m-%d}", 20)
    assert 0 < paid(server) <= 20
    assert 200_000 - 2.01 <= server.rates.stars < 200_000  # only what was over the free rate costs


@pytest.mark.slow
async def test_without_stars_everybody_gets_it_at_the_free_rate(server: TelegramServer, tmp_path: Path) -> None:
    async with Station(tmp_path, server, {**PAID, "TELEGRAM_PAID_DAILY": "100000"}) as station:
        await to_everybody(station, 60)
        await until_sent(station, 60)
    assert 0 < paid(server) < 30  # those under way when the first was refused


@pytest.mark.slow
async def test_without_the_setting_nothing_is_paid(server: TelegramServer, tmp_path: Path) -> None:
    assert server.rates is not None
    server.rates.stars = 200_000
    async with Station(tmp_path, server, {"TELEGRAM_RATE": "10"}) as station:
        await to_everybody(station)
        await until_sent(station)
    assert paid(server) == 0
    assert server.rates.stars == 200_000


@pytest.mark.parametrize("rich", ["on", "off"])
async def test_a_refusal_for_want_of_stars_ends_paying_and_costs_no_reader(
    server: TelegramServer, tmp_path: Path, rich: str
) -> None:
    server.rates = None
    async with telegram_channel(server, tmp_path) as bot:
        server.fail(Fault.refuse(400, "Bad Request: BALANCE_TOO_LOW"), method="*")
        card = bot.compose(page(paper(1), paper(2)))
        outcome = await bot.send("42", card, Personal("1.1", extras={"rich": rich}, paid=True))
        assert isinstance(outcome, Deferred)
        assert (outcome.unpaid, outcome.scope) == (True, "recipient")


async def test_the_doctor_tells_the_price(server: TelegramServer, tmp_path: Path) -> None:
    assert server.rates is not None
    given = {**PAID, "TELEGRAM_PAID_DAILY": "50000", "TELEGRAM_TOKEN": server.token, "TELEGRAM_API_URL": server.origin}
    async with Station(tmp_path, server, given) as station:
        async with station.store.write() as connection:
            for number in range(25):
                address = Address("telegram", f"{number + 1}")
                await subscriber_queries.add(connection, address, Preferences(), now=datetime.now(UTC))
        found = await services.check_channels(given, tmp_path, station.store, datetime.now(UTC))
        said = [each.says for each in found]
        price = (
            "an edition to its 25 readers costs up to 2.5 Stars if all have the same hour; at most 5,000.0 Stars a day"
        )
        assert price in said
        assert any(each.startswith("has 0 Stars; paid broadcasts need 100,000 Stars") for each in said)
        server.rates.stars = 250_000
        found = await services.check_channels(given, tmp_path, station.store, datetime.now(UTC))
        assert "has 250,000 Stars" in [each.says for each in found]
        server.fail(Fault.refuse(404, "Not Found"), method="getMyStarBalance")  # a Bot API server of before 9.1
        found = await services.check_channels(given, tmp_path, station.store, datetime.now(UTC))
        assert [each.ok for each in found if "getMyStarBalance" in each.says and each.advice] == [True]


def test_paying_needs_a_limit() -> None:
    with pytest.raises(SettingsError, match="TELEGRAM_PAID_DAILY"):
        read(Settings, {"TELEGRAM_PAID": "yes"})
