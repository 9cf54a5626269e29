"""Telegram as a channel: each of the service's answers has its outcome, through the real client and a strict server."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from bot.channel import Barred, Channel, Deferred, Gone, Outcome, Personal, Rejected, Sent, Unknown
from channels.telegram.channel import Telegram
from channels.telegram.flood_waits import FloodWaits
from tests.support.channel_contract import FLOOD, Contract, Stage
from tests.support.pages import page, paper
from tests.support.telegram_program import channel
from tests.support.telegram_server import Fault
from tests.support.telegram_server.faults import How
from tests.support.telegram_server.town import Town

PERSONAL = Personal(key="1.1")

SECOND = 7000


class Desk(Stage):
    """The channel before the local server, and Ada."""

    def __init__(self, town: Town, opened: Telegram, home: Path) -> None:
        self.town, self.channel, self._home = town, opened, home
        self.server = town.server
        self.to, self.secret = "42", town.server.token.partition(":")[2]

    async def arrived(self) -> int:
        return len(self.town.ada.messages)

    async def turns_away(self) -> None:
        await self.town.ada.blocks_bot()

    async def bars(self) -> None:
        self.to = "-2051"

    async def slows(self) -> float | None:
        self.server.fail(Fault.flood(int(FLOOD)), method="sendMessage")
        return FLOOD

    async def floods(self) -> float | None:
        self.server.fail(Fault.flood(2 * int(FLOOD)), method="sendMessage", chat=self.town.ada)
        await self.send()
        self.to = "-1001"  # a group that is refused says nothing about the bot
        self.server.fail(Fault.flood(int(FLOOD)), method="sendMessage", times=1)
        await self.send()
        self.to = f"{SECOND}"
        self.server.person(SECOND).chat.started = True
        self.server.fail(Fault.flood(int(FLOOD)), method="sendMessage")
        return FLOOD

    async def breaks_down(self) -> None:
        self.server.fail(Fault.bad_gateway(), method="sendMessage")

    async def goes_away(self) -> None:
        await self.server.__aexit__()

    async def forgets_us(self) -> None:
        self.server.fail(Fault.unauthorized(), method="*")

    async def finds_fault(self) -> None:
        self.server.fail(Fault.refuse(400, "Bad Request: can't parse entities: Unsupported start tag"))

    async def cuts_off(self) -> None:
        self.server.fail(Fault.drop_late(), method="sendMessage", times=1)

    async def hangs(self) -> None:
        self.server.fail(Fault.silent(), method="sendMessage", times=1)

    async def heals(self) -> None:
        self.server.heal()

    def stranger(self) -> Channel:
        return channel(self.server, self._home, token=f"987654321:{self.secret}")


class TestContract(Contract):
    @pytest.fixture
    def stage(self, town: Town, bot: Telegram, tmp_path: Path) -> Desk:
        return Desk(town, bot, tmp_path)


async def send(bot: Telegram, to: str, extras: Mapping[str, str] | None = None) -> Outcome:
    card = bot.compose(page(paper(1, thumbnail="https://cdn.example/1.png"), paper(2)))
    return await bot.send(to, card, replace(PERSONAL, extras=extras or {}))


# Every state that a chat may be in, as the server itself answers it


@pytest.mark.parametrize(
    ("to", "becomes"),
    [
        ("42", Sent),
        ("-10", Sent),
        ("-1001", Sent),
        ("-1003", Sent),
        ("44", Gone),  # blocked
        ("45", Gone),  # no account any more
        ("999", Gone),  # nobody
        ("43", Gone),  # never wrote to the bot
        ("-21", Gone),  # kicked
        ("-22", Gone),  # left
        ("-23", Gone),  # deleted
        ("-2021", Gone),
        ("-2020", Gone),
        ("-2031", Gone),
        ("-2040", Barred),  # an admin that may not post
        ("-2050", Barred),
        ("-2051", Barred),
        ("-2052", Barred),
    ],
)
async def test_the_state_of_a_chat_decides(bot: Telegram, town: Town, to: str, becomes: type[Outcome]) -> None:
    assert isinstance(await send(bot, to), becomes)


@pytest.mark.parametrize(
    ("fault", "becomes"),
    [
        (Fault.deactivated(), Gone),
        (Fault.kicked("supergroup"), Gone),
        (Fault.group_deleted(), Gone),
        (Fault.chat_not_found(), Deferred),  # for the chat is there, if one looks
        (Fault(How.PAGE, status=403), Deferred),  # a firewall's word is not Telegram's
        (Fault(How.PAGE, status=400), Deferred),
        (Fault(How.PAGE, status=404), Deferred),
        (Fault.refuse(400, "Bad Request: TOPIC_CLOSED"), Barred),
        (Fault.refuse(400, "Bad Request: have no write access to the chat"), Barred),
        (Fault.refuse(400, "Bad Request: CHAT_WRITE_FORBIDDEN"), Barred),
        (Fault.refuse(400, "Bad Request: need administrator rights in the channel chat"), Barred),
        (Fault.refuse(400, "Bad Request: message is too long"), Rejected),
        (Fault.refuse(400, "Bad Request: message text is empty"), Rejected),
        (Fault.refuse(400, "Bad Request: wrong HTTP URL"), Rejected),
        (Fault.refuse(400, "Bad Request: something nobody has heard of"), Rejected),
        (Fault.refuse(403, "Forbidden: something nobody has heard of"), Gone),
        (Fault.server_error(), Deferred),
        (Fault.bad_gateway(), Deferred),
        (Fault.conflict(), Deferred),
        (Fault.garbage(), Unknown),
        (Fault.drop_late(), Unknown),
    ],
    ids=lambda value: value.__name__ if isinstance(value, type) else None,
)
async def test_every_answer_has_its_outcome(bot: Telegram, town: Town, fault: Fault, becomes: type[Outcome]) -> None:
    town.server.fail(fault, method="sendMessage", times=1)
    outcome = await send(bot, "42")
    assert isinstance(outcome, becomes)
    assert town.server.token not in repr(outcome)
    assert "<html" not in repr(outcome)


async def test_a_flood_wait_of_hours_is_told_as_it_is(bot: Telegram, town: Town) -> None:
    town.server.fail(Fault.flood(43_837), method="sendMessage")
    assert await send(bot, "42") == Deferred("flood wait", 43_837.0, slow_down=True)
    calls = len(town.server.calls)
    town.server.heal()
    again = await send(bot, "42")
    assert isinstance(again, Deferred)
    assert again.scope == "recipient"
    assert again.retry_after is not None
    assert 43_800 < again.retry_after < 43_837
    assert len(town.server.calls) == calls  # not asked again


async def test_a_flood_wait_of_one_chat_leaves_the_others_alone(bot: Telegram, town: Town) -> None:
    town.server.fail(Fault.flood(600), method="sendMessage", chat=town.ada)
    assert isinstance(await send(bot, "42"), Deferred)
    assert isinstance(await send(bot, "-1001"), Sent)
    town.server.person(SECOND).chat.started = True
    assert isinstance(await send(bot, f"{SECOND}"), Sent)
    assert isinstance(await send(bot, "42"), Deferred)


async def test_two_chats_within_a_minute_mean_the_bot_which_waits_the_shorter_of_the_two(
    bot: Telegram, town: Town
) -> None:
    for first, second in ((600, 7), (7, 600)):
        bot._flood = FloodWaits()
        people = [town.server.person(SECOND + first + each) for each in (1, 2)]
        for person, seconds in zip(people, (first, second), strict=True):
            person.chat.started = True
            town.server.fail(Fault.flood(seconds), method="sendMessage", chat=person)
        await send(bot, f"{people[0].chat_id}")
        outcome = await send(bot, f"{people[1].chat_id}")
        assert isinstance(outcome, Deferred)
        assert outcome.scope == "channel"
        assert outcome.retry_after is not None
        assert 6 < outcome.retry_after <= 7
        other = await send(bot, "-1001")
        assert isinstance(other, Deferred)
        assert other.scope == "channel"


async def test_a_group_that_became_a_supergroup_is_followed(bot: Telegram, town: Town) -> None:
    outcome = await send(bot, "-24")
    assert isinstance(outcome, Sent)
    assert outcome.moved_to is not None
    assert int(outcome.moved_to) < -1_000_000_000_000


async def test_a_deleted_topic_gives_way_to_general_for_good_and_a_closed_one_for_now(
    bot: Telegram, town: Town
) -> None:
    numbers = {name: topic.thread_id for name, topic in town.topics.items()}
    there = await send(bot, f"-1002/{numbers['open']}")
    assert there == Sent(there.receipt) if isinstance(there, Sent) else False
    deleted = await send(bot, f"-1002/{numbers['deleted']}")
    closed = await send(bot, f"-1002/{numbers['closed']}")
    assert isinstance(deleted, Sent)
    assert isinstance(closed, Sent)
    assert (deleted.moved_to, closed.moved_to) == ("-1002", None)
    assert [message.thread for message in town.forum.messages] == [numbers["open"], None, None]


async def test_a_general_that_is_closed_bars_that_group_alone(bot: Telegram, town: Town) -> None:
    town.forum.chat.general_closed = True
    assert isinstance(await send(bot, "-1002"), Barred)
    assert isinstance(await send(bot, f"-1002/{town.topics['deleted'].thread_id}"), Barred)
    assert isinstance(await send(bot, f"-1002/{town.topics['open'].thread_id}"), Sent)


async def test_what_cannot_be_asked_of_a_group_has_not_left(bot: Telegram, town: Town) -> None:
    town.server.fail(Fault.drop_late(), method="getChat")
    outcome = await send(bot, "-1001")
    assert isinstance(outcome, Deferred)
    assert not town.super.messages


async def test_a_place_that_bars_us_is_called_by_its_name(bot: Telegram, town: Town) -> None:
    outcome = await send(bot, "-2051")
    assert isinstance(outcome, Barred)
    assert outcome.place == "Reading group"


# What a subscription may have


async def test_a_picture_stands_above_the_text_only_for_who_wants_it(bot: Telegram, town: Town) -> None:
    await send(bot, "42")
    await send(bot, "42", {"picture": "on", "silent": "on"})
    plain, pictured = town.server.calls_of("sendMessage")
    assert plain.arguments["link_preview_options"] == {"is_disabled": True}
    assert pictured.arguments["link_preview_options"] == {
        "url": "https://cdn.example/1.png",
        "prefer_large_media": True,
        "show_above_text": True,
    }
    assert pictured.arguments["disable_notification"]


async def test_rich_messages_are_for_who_wants_them_and_fall_back(bot: Telegram, town: Town) -> None:
    assert isinstance(await send(bot, "42", {"rich": "on"}), Sent)
    assert town.server.counts["sendRichMessage"] == 1
    town.server.world.rich = False
    for _ in range(2):
        assert isinstance(await send(bot, "42", {"rich": "on"}), Sent)
    assert town.server.counts["sendRichMessage"] <= 2  # an old server is asked once
    assert len(town.ada.messages) == 3


@pytest.mark.parametrize("fault", [Fault.refuse(400, "Bad Request: RICH_MESSAGE_INVALID"), Fault.flood(3)])
async def test_a_refused_rich_message_is_sent_as_it_always_was(bot: Telegram, town: Town, fault: Fault) -> None:
    town.server.fail(fault, method="sendRichMessage")
    outcome = await send(bot, "42", {"rich": "on"})
    assert isinstance(outcome, Deferred if fault.status == 429 else Sent)
