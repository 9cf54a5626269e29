"""Subscribing, pausing, unsubscribing and coming back, by command."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from bot.channel import Sent
from bot.delivery.dispatcher import Dispatcher
from bot.model import (
    Preferences,
    Reason,
    State,
    Status,
    Style,
)
from bot.rules.access import Access, Admission
from bot.runtime.locks import make_locks
from bot.store import Store, subscriber_queries
from tests.support.chat import ADA, LATER, Chat
from tests.support.fake_channel import NOW, publish, settle

# Subscribing and unsubscribing


async def test_a_new_reader_is_greeted_in_the_language_of_their_app_with_the_latest_edition(chat: Chat) -> None:
    answer = await chat.ask("subscribe", locale="ko-KR")
    assert answer.ok
    assert answer.language == "ko"
    assert "서울" in " ".join(answer.says)
    assert [option.line for option in answer.options] == ["zone", "time", "language", "settings"]
    wanted = await chat.preferences()
    assert (wanted.language, wanted.timezone) == ("ko", "Asia/Seoul")
    assert await chat.rows() == [("owed", None)]
    await settle(Dispatcher(chat.store, chat.channel, make_locks(chat.store.engine.url, chat.store.path)), chat.now)
    assert chat.channel.reached == ["ada"]


async def test_preferences_in_a_deep_link_win_over_guesses(chat: Chat) -> None:
    await chat.ask("subscribe ja-abstract", locale="ko-KR")
    wanted = await chat.preferences()
    assert (wanted.language, wanted.style, wanted.timezone) == ("ja", Style.ABSTRACT, "Asia/Seoul")


async def test_nobody_is_subscribed_twice(chat: Chat) -> None:
    await chat.ask("subscribe")
    assert "already" in await chat.says("subscribe")
    assert await chat.rows() == [("owed", None)]


@pytest.mark.parametrize("away", ["unsubscribe", "pause", "gone"])
async def test_preferences_are_kept_for_readers_who_come_back(chat: Chat, away: str) -> None:
    await chat.ask("subscribe")
    await chat.ask("time 7:30")
    if away == "gone":
        reader = await chat.reader()
        assert reader is not None
        async with chat.store.write() as connection:
            await subscriber_queries.set_status(connection, reader.id, Status.GONE, Reason.UNREACHABLE, "blocked")
    else:
        await chat.ask(away)
    before = await chat.preferences()
    assert "Welcome back" in await chat.says("subscribe")
    reader = await chat.reader()
    assert reader is not None
    assert (reader.status, reader.reason, reader.preferences) == (Status.ACTIVE, None, before)


async def test_unsubscribing_takes_one_word_and_skips_what_was_owed(chat: Chat) -> None:
    await chat.ask("subscribe")
    answer = await chat.ask("unsubscribe")
    assert answer.ok
    assert await chat.rows() == [("skipped", Reason.UNSUBSCRIBED)]
    assert "aren’t subscribed" in await chat.says("unsubscribe")


async def test_a_pause_ends_at_midnight_where_the_reader_lives(chat: Chat) -> None:
    await chat.ask("subscribe", locale="ko")
    await chat.ask("pause 2025-11-10")
    reader = await chat.reader()
    assert reader is not None
    assert reader.paused_until == datetime(2025, 11, 9, 15, tzinfo=UTC)
    assert await chat.rows() == [("skipped", Reason.PAUSED)]
    assert "11월 10일 00:00" in await chat.says("settings")
    await chat.ask("resume")
    reader = await chat.reader()
    assert reader is not None
    assert (reader.status, reader.paused_until) == (Status.ACTIVE, None)


async def test_a_link_resumes_a_paused_reader_and_changes_nothing_else(chat: Chat) -> None:
    await chat.ask("subscribe", locale="ko")
    await chat.ask("pause 2025-11-10")
    before = await chat.reader()
    await chat.ask("subscribe en-abstract")
    reader = await chat.reader()
    assert before is not None
    assert reader is not None
    assert reader.status is Status.ACTIVE
    assert reader.preferences == before.preferences


@pytest.mark.parametrize("line", ["pause", "resume", "settings", "time 8", "language", "zone Berlin", "why"])
async def test_without_a_subscription_there_is_nothing_to_change(chat: Chat, line: str) -> None:
    answer = await chat.ask(line)
    assert "subscribe" in [option.line for option in answer.options]
    assert await chat.reader() is None


async def test_subscribing_lifts_a_suppression(chat: Chat) -> None:
    async with chat.store.write() as connection:
        await subscriber_queries.suppress(connection, ADA, Reason.COMPLAINED, now=NOW)
    assert (await chat.ask("subscribe")).ok
    async with chat.store.read() as connection:
        assert not await subscriber_queries.is_suppressed(connection, ADA)


async def test_a_new_subscriber_learns_that_their_filters_leave_nothing_of_the_latest_edition(chat: Chat) -> None:
    await chat.ask("subscribe")
    await chat.ask("topics unicorns")
    await chat.ask("unsubscribe")
    assert "filters leave out every paper" in await chat.says("subscribe")


async def test_an_edition_that_is_due_after_a_pause_is_owed_though_it_is_closed_before(chat: Chat) -> None:
    await chat.ask("subscribe")
    await chat.ask("zone Europe/Berlin")
    await chat.ask("pause 2025-11-06")
    await publish(chat.store, {}, day=date(2025, 11, 4), now=NOW + timedelta(days=1))
    await publish(chat.store, {}, day=date(2025, 11, 5), now=NOW + timedelta(days=2))
    assert await chat.rows() == [("skipped", Reason.PAUSED), ("owed", None)]


async def test_a_reader_whom_the_operator_removed_must_be_admitted_again(store: Store) -> None:
    await publish(store, {})
    chat = Chat(store, access=Access(Admission.LIST, codes=("LAB_2026",), allowed=("fake:bo",)))
    await chat.readers.subscribe(ADA, Preferences(), LATER)
    assert (await chat.ask("today")).ok
    reader = await chat.reader()
    assert reader is not None
    async with store.write() as connection:
        await subscriber_queries.unsubscribe(connection, reader.id, now=LATER, reason=Reason.REMOVED)
        await subscriber_queries.suppress(connection, ADA, Reason.REMOVED, now=LATER)
    assert not (await chat.ask("today")).ok
    refused = await chat.ask("subscribe LAB_2026")
    assert not refused.ok
    assert "code" not in refused.says[0]
    async with store.read() as connection:
        assert await subscriber_queries.is_suppressed(connection, ADA)
    assert not await chat.readers.subscribe(ADA, Preferences(), LATER)


async def test_the_welcome_edition_is_sent_once_however_often_a_reader_resubscribes(chat: Chat) -> None:
    locks = make_locks(chat.store.engine.url, chat.store.path)
    for _ in range(3):
        await chat.ask("subscribe")
        await settle(Dispatcher(chat.store, chat.channel, locks), chat.now)
        await chat.ask("unsubscribe")
    assert chat.channel.reached == ["ada"]
    assert [state for state, _ in await chat.rows()] == [State.SENT]
    assert isinstance(chat.channel.answer("ada", None, None), Sent)  # type: ignore[arg-type]
