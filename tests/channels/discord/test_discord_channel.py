"""Discord as a channel: each of the service's answers has its outcome; the account is checked."""

from __future__ import annotations

import asyncio

import pytest

from bot.channel import Barred, Deferred, Gone, Kit, LoginError, Outcome, Personal, Rejected, Sent
from bot.render.templates import template
from channels import discord
from channels.discord import Settings
from channels.discord.api import INVALID_LIMIT
from channels.discord.channel import APPLICATION
from channels.discord.destinations import Destination, Directory, KnownChannel
from channels.discord.errors import CODES
from tests.support.channel_contract import Contract
from tests.support.discord_server import Fault, Rates
from tests.support.discord_stage import LONG, POST, Desk
from tests.support.pages import Kept


class TestContract(Contract):
    pass


# What answers mean


@pytest.mark.parametrize(
    ("code", "becomes"),
    [
        (10003, Gone),
        (10004, Gone),
        (10013, Gone),
        (10015, Gone),
        (50007, Gone),
        (50278, Gone),
        (50001, Barred),
        (50013, Barred),
        (50008, Barred),
        (50083, Barred),
        (160005, Barred),
        (200000, Barred),
        (40067, Barred),
        (40005, Rejected),
        (50006, Rejected),
        (50035, Rejected),
        (10062, Rejected),
        (40060, Rejected),
        (10008, Rejected),
    ],
)
async def test_each_refusal_has_its_outcome(stage: Desk, code: int, becomes: type[Outcome]) -> None:
    stage.server.fails(Fault.refusal(code), route=POST)
    outcome = await stage.sends()
    assert isinstance(outcome, becomes)
    assert str(code) in str(outcome)


@pytest.mark.parametrize("code", [40333, 130000])
async def test_a_refusal_of_the_whole_account_holds_up_the_channel(stage: Desk, code: int) -> None:
    stage.server.fails(Fault.refusal(code), route=POST)
    outcome = await stage.sends()
    assert isinstance(outcome, Deferred)
    assert outcome.scope == "channel"


@pytest.mark.parametrize("code", [40001, 40002, 40003, 40004, 20026])
async def test_what_is_said_of_the_bot_costs_no_reader(stage: Desk, code: int) -> None:
    ada = stage.server.person("ada")
    for to in (stage.to, f"user:{ada.id}"):
        stage.server.fails(Fault.refusal(code), times=1)
        outcome = await stage.sends(to)
        assert isinstance(outcome, Deferred)
        assert outcome.scope == "channel"


async def test_another_bot_than_before_is_not_let_near_the_readers(stage: Desk) -> None:
    async with stage.opened():
        pass
    stage.memory.kept[APPLICATION] = "1"
    with pytest.raises(LoginError, match="another bot"):
        async with stage.opened():
            pass


@pytest.mark.parametrize("code", [20016, 20022, 20028, 20029])
async def test_a_limit_of_one_channel_holds_up_that_channel_alone(stage: Desk, code: int) -> None:
    stage.server.fails(Fault.refusal(code, retry_after=LONG), route=POST)
    assert await stage.sends() == Deferred("rate limited", LONG)


def test_every_code_of_the_table_is_judged() -> None:
    codes = {10003, 10004, 10015, 30007, 50001, 50013, 50007, 50278, 50008, 50083, 160005, 20016, 20028, 20029}
    assert codes | {20022, 200000, 50035, 40005, 10062, 40060, 40333, 130000} <= CODES.keys()


@pytest.mark.parametrize(
    ("status", "becomes"), [(401, "channel"), (403, "channel"), (404, "channel"), (503, "channel")]
)
async def test_a_refusal_without_a_code_is_none_of_the_readers(stage: Desk, status: int, becomes: str) -> None:
    stage.server.fails(Fault.answers(status), route=POST)
    outcome = await stage.sends()
    assert isinstance(outcome, Deferred)
    assert outcome.scope == becomes


async def test_the_wall_before_the_service_is_left_alone_for_a_while(stage: Desk) -> None:
    stage.server.fails(Fault.banned(), route=POST)
    outcome = await stage.sends()
    assert isinstance(outcome, Deferred)
    assert outcome.scope == "channel"
    assert (outcome.retry_after or 0) >= 60


class Unhurried(Kept):
    """A memory that lets others go on between being asked and answering, as a database does."""

    async def get(self, key: str) -> str | None:
        found = await super().get(key)
        await asyncio.sleep(0)
        return found


async def test_places_of_a_server_that_subscribe_at_once_are_all_remembered() -> None:
    directory = Directory(Unhurried())
    places = [Destination.parse(f"channel:{10**17 + number}") for number in range(10)]
    await asyncio.gather(*(directory.add(place, KnownChannel(1, "#papers", "Readers")) for place in places))
    assert sorted(map(str, await directory.of_guild(1))) == sorted(map(str, places))


async def test_a_place_that_bars_us_is_called_as_people_call_it(stage: Desk) -> None:
    known = KnownChannel(stage.guild.id, "#papers", "Readers")
    await Directory(stage.memory).add(Destination.parse(stage.to), known)
    stage.room.deny(stage.guild.everyone, "send_messages")
    outcome = await stage.sends()
    assert isinstance(outcome, Barred)
    assert outcome.place == "#papers · Readers"


async def test_a_hidden_channel_is_barred_and_one_of_a_server_that_threw_us_out_is_gone(stage: Desk) -> None:
    await Directory(stage.memory).add(Destination.parse(stage.to), KnownChannel(stage.guild.id, "#papers", "Readers"))
    stage.room.deny(stage.guild.everyone, "view_channel")
    assert isinstance(await stage.sends(), Barred)
    stage.guild.remove_bot()
    assert isinstance(await stage.sends(), Gone)


async def test_who_takes_no_direct_messages_is_gone(stage: Desk) -> None:
    ada = stage.server.person("ada").can(stage.guild)
    assert isinstance(await stage.sends(f"user:{ada.id}"), Sent)
    ada.closes_messages()
    assert isinstance(await stage.sends(f"user:{ada.id}", key="2.1"), Gone)
    assert isinstance(await stage.sends(f"user:{stage.server.person('bo').id}"), Gone)
    assert isinstance(await stage.sends("user:123456789012345"), Gone)


async def test_what_is_no_address_is_gone(stage: Desk) -> None:
    assert isinstance(await stage.sends("nowhere"), Gone)


async def test_no_call_is_made_long_before_refusals_would_mean_a_ban(stage: Desk) -> None:
    stage.channel._api._invalid.extend([asyncio.get_running_loop().time()] * INVALID_LIMIT)
    outcome = await stage.sends()
    assert isinstance(outcome, Deferred)
    assert outcome.scope == "channel"
    assert (outcome.retry_after or 0) > 500
    assert stage.room.posted == 0


async def test_refusals_are_counted_but_for_those_that_others_share(stage: Desk) -> None:
    stage.server.fails(Fault.refusal(50013), route=POST, times=1)
    await stage.sends()
    stage.server.fails(Fault.limited(LONG, scope="shared"), route=POST, times=1)
    await stage.sends(key="2.1")
    assert stage.channel._api.invalid == 1


# The account


async def test_the_account_is_looked_at(stage: Desk) -> None:
    findings = await stage.channel.check()
    assert all(finding.ok for finding in findings)
    assert "permissions=" in " ".join(finding.says for finding in findings)


async def test_a_token_that_is_not_good_any_more_is_found(stage: Desk) -> None:
    await stage.forgets_us()
    [finding] = await stage.channel.check()
    assert not finding.ok
    assert "DISCORD_TOKEN" in finding.says


async def test_however_many_send_at_once_no_limit_is_met(stage: Desk) -> None:
    stage.server.rates = Rates(everything=50)
    rooms = [stage.guild.text(f"papers-{number}") for number in range(60)]
    outcomes = await asyncio.gather(*(stage.sends(f"channel:{room.id}") for room in rooms))
    assert all(isinstance(outcome, Sent) for outcome in outcomes)
    assert stage.server.counts["status 429"] == 0


@pytest.mark.parametrize("written", ["HTTP://127.0.0.1:{port}/api/v10", "http://127.0.0.1:{port}/api/./v10/"])
async def test_calls_are_watched_however_the_address_is_written(stage: Desk, written: str) -> None:
    given = {"DISCORD_TOKEN": stage.server.token, "DISCORD_API_URL": written.format(port=stage.server.port)}
    opened = discord.open(Settings.model_validate(given), Kit(stage.home, stage.home, stage.memory, template))
    stage.server.fails(Fault.refusal(50013), route=POST)
    async with opened:
        await opened.send(stage.to, stage.message(), Personal("1.1"))
        assert opened._api.invalid == 1


async def test_no_token_is_a_wrong_login(stage: Desk) -> None:
    empty = discord.open(Settings.model_validate({}), Kit(stage.home, stage.home, stage.memory, template))
    with pytest.raises(LoginError, match="DISCORD_TOKEN"):
        await empty.__aenter__()


async def test_a_service_out_of_reach_is_no_wrong_login(stage: Desk) -> None:
    await stage.server.__aexit__()
    with pytest.raises(OSError, match="connect"):
        await stage.opened().__aenter__()


@pytest.mark.parametrize(
    ("written", "stored"),
    [
        ("channel:123456789012345678", "channel:123456789012345678"),
        ("123456789012345678", "channel:123456789012345678"),
        ("<#123456789012345678>", "channel:123456789012345678"),
        ("<@123456789012345678>", "user:123456789012345678"),
        ("FORUM:123456789012345678", "forum:123456789012345678"),
        ("https://discord.com/channels/111111111111111111/123456789012345678", "channel:123456789012345678"),
    ],
)
def test_a_recipient_has_one_form(stage: Desk, written: str, stored: str) -> None:
    assert stage.channel.recipient(written) == stored


@pytest.mark.parametrize("written", ["", "papers", "channel:", "user:1", "role:123456789012345678", "١٢٣٤٥٦٧٨٩٠١٢٣٤٥٦"])
def test_what_is_no_recipient_is_refused(stage: Desk, written: str) -> None:
    with pytest.raises(ValueError, match="not a Discord recipient"):
        stage.channel.recipient(written)
