"""How often the bot may send at the local Bot API server."""

import math
from collections.abc import AsyncIterator

import pytest

from tests.support.telegram_server import Rates
from tests.support.telegram_server.town import Town, open_town


@pytest.fixture
async def town() -> AsyncIterator[Town]:
    async with open_town() as town:
        yield town


# How fast


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
async def timed() -> AsyncIterator[tuple[Town, Clock]]:
    clock = Clock()
    async with open_town(clock=clock) as town:
        yield town, clock


async def test_the_bot_sends_thirty_messages_in_any_second(timed: tuple[Town, Clock]) -> None:
    town, clock = timed
    town.server.rates = Rates(chat_per_second=math.inf)
    for _ in range(15):
        await town.done("sendMessage", chat_id=42, text="x")
    clock.now += 0.6
    for _ in range(15):
        await town.done("sendMessage", chat_id=42, text="x")
    clock.now += 0.3  # in this second there were thirty, in two halves of two seconds of the clock
    _, answer = await town.call("sendMessage", chat_id=42, text="x")
    assert answer["description"] == "Too Many Requests: retry after 1"
    assert answer["parameters"] == {"retry_after": 1}
    clock.now += 0.2
    await town.done("sendMessage", chat_id=42, text="x")
    assert (town.server.refusals[429], town.server.counters()["peak"]) == (1, 30)


async def test_one_person_gets_a_short_burst_and_then_one_message_a_second(timed: tuple[Town, Clock]) -> None:
    town, clock = timed
    await town.bo.writes("/start")
    town.server.rates = Rates(burst=2)
    for _ in range(2):
        sent = await town.done("sendMessage", chat_id=42, text="x")
    assert (await town.refused("sendMessage", chat_id=42, text="x")).startswith("429 Too Many Requests: retry after 1")
    edit = {"chat_id": 42, "message_id": sent["message_id"], "text": "y"}
    assert (await town.refused("editMessageText", **edit)).startswith("429")  # an edit counts
    await town.done("sendMessage", chat_id=43, text="x")  # nobody else waits
    clock.now += 1.01
    await town.done("editMessageText", **edit)
    assert (await town.refused("sendMessage", chat_id=42, text="x")).startswith("429")


async def test_a_group_gets_twenty_messages_in_any_minute(timed: tuple[Town, Clock]) -> None:
    town, clock = timed
    town.server.rates = Rates()
    for _ in range(20):
        await town.done("sendMessage", chat_id=-1001, text="x")
        clock.now += 1
    assert await town.refused("sendMessage", chat_id=-1001, text="x") == "429 Too Many Requests: retry after 40"
    async with town.http.post(
        f"{town.server.base_url}{town.server.token}/sendMessage", data={"chat_id": "-1001", "text": "x"}
    ) as answer:
        assert (answer.status, answer.headers["Retry-After"]) == (429, "40")
    await town.done("sendMessage", chat_id=-10, text="x")
    clock.now += 40.01
    await town.done("sendMessage", chat_id=-1001, text="x")


async def test_answers_and_questions_are_not_counted(timed: tuple[Town, Clock]) -> None:
    town, _ = timed
    town.server.rates = Rates(per_second=0)
    assert (await town.refused("sendMessage", chat_id=42, text="x")).startswith("429")
    assert await town.refused("sendMessage", chat_id=44, text="x") == "403 Forbidden: bot was blocked by the user"
    query = town.server.world.ask(town.ada.chat)
    await town.done("answerCallbackQuery", callback_query_id=query.query_id)
    query = town.server.world.ask(town.ada.chat)
    await town.done("answerInlineQuery", inline_query_id=query.query_id, results=[])
    await town.done("getChatMember", chat_id=42, user_id=42)
    await town.done("setMyCommands", commands=[])
    await town.done("getUpdates")
