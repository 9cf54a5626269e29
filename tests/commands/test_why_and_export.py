"""Commands about a reader's own data: why, export, forget."""

from __future__ import annotations

import json

import pytest
from sqlalchemy import update

from bot.model import (
    Address,
    Reason,
    State,
)
from bot.store.schema import deliveries, reason_columns
from tests.support.chat import LATER, Chat

# Why, export, forget


@pytest.mark.parametrize(
    ("state", "reason", "said"),
    [
        (State.OWED, None, "It’s due on"),
        (State.SENDING, None, "It’s being sent"),
        (State.SENT, None, "It was sent on"),
        (State.GONE, Reason.UNREACHABLE, "no longer accepts"),
        (State.BARRED, Reason.NO_RIGHT, "no permission to post"),
        (State.REJECTED, Reason.OTHER, "our fault"),
        (State.EXPIRED, Reason.SUPERSEDED, "replaced it"),
        (State.EXPIRED, Reason.TOO_LATE, "too late"),
        (State.SKIPPED, Reason.NO_MATCH, "filters left out"),
        (State.SKIPPED, Reason.PAUSED, "you had paused"),
        (State.SKIPPED, Reason.UNSUBSCRIBED, "you had unsubscribed"),
        (State.SKIPPED, Reason.CADENCE_CHANGED, "another schedule"),
        (State.SKIPPED, Reason.RESTORED, "backup"),
        (State.SKIPPED, Reason.DROPPED, "operator canceled"),
        (State.UNKNOWN, Reason.OTHER, "never confirmed"),
    ],
)
async def test_why_explains_every_state_and_reason(chat: Chat, state: State, reason: Reason | None, said: str) -> None:
    await chat.ask("subscribe")
    async with chat.store.write() as connection:
        ended = None if state in {State.OWED, State.SENDING} else LATER
        values = {} if reason is None else reason_columns(reason)
        await connection.execute(update(deliveries).values(state=state.value, ended_at=ended, **values))
    assert said in await chat.says("why")
    assert said in await chat.says("why 2025-11-03")


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("why 2025-11-04", "closes on"),
        ("why 2025-11-02", "weekends"),
        ("why 2025-10-30", "no papers were listed"),
    ],
)
async def test_why_explains_a_day_without_an_edition(chat: Chat, line: str, said: str) -> None:
    await chat.ask("subscribe")
    assert said in await chat.says(line)


async def test_why_explains_a_missing_delivery_and_a_missing_subscription(chat: Chat) -> None:
    await chat.ask("subscribe")
    async with chat.store.write() as connection:
        await connection.execute(deliveries.delete())
    assert "You subscribed after it closed" in await chat.says("why")
    assert "no subscription here" in await chat.says("why", address=Address("fake", "bo"))


async def test_why_counts_what_filters_leave(chat: Chat) -> None:
    await chat.ask("subscribe")
    await chat.ask("topics unicorns")
    assert "0 of its 3 papers remain" in await chat.says("why")


async def test_an_export_is_all_there_is_and_what_is_forgotten_is_gone(chat: Chat) -> None:
    assert "We store nothing" in await chat.says("export")
    await chat.ask("subscribe", locale="ko")
    answer = await chat.ask("export")
    assert answer.file is not None
    told = json.loads(answer.file.content)
    assert told["address"] == "fake:ada"
    assert told["preferences"]["timezone"] == "Asia/Seoul"
    assert [entry["state"] for entry in told["deliveries"]] == ["owed"]
    asked_back = await chat.ask("forget")
    assert await chat.reader() is not None
    await chat.ask(asked_back.options[0].line)
    assert await chat.reader() is None
    assert await chat.rows() == [("skipped", Reason.FORGOTTEN)]
    assert (await chat.ask("forget")).file is None
