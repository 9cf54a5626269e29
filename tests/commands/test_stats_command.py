"""The command `stats`: readers, editions, channels and the feed in figures."""

from __future__ import annotations

import pytest
from sqlalchemy import update

from bot.rules.outcomes import ChannelState
from bot.runtime.locks import Locks
from bot.store import (
    Store,
    channel_state,
    closing_state,
    subscriber_queries,
)
from bot.store.schema import subscribers as subscribers_table
from tests.support.fake_channel import NOW
from tests.support.operator_chat import EVERYWHERE, HOUR, NOON, Chat, begun, id_of


@pytest.fixture
async def chat(store: Store) -> Chat:
    """Readers all over the world, who have had an edition that is older than a day."""
    return await begun(store, EVERYWHERE)


# Figures


async def test_stats_show_readers_editions_channels_and_feed(chat: Chat, locks: Locks) -> None:
    async with chat.store.write() as connection:
        await subscriber_queries.pause(connection, await id_of(chat.store, "di"), until=None, now=NOW)
        await connection.execute(
            update(subscribers_table)
            .where(subscribers_table.c.recipient == "ada")
            .values(created_at=NOW - 8 * 24 * HOUR)
        )
        await closing_state.save(connection, polled_at=NOON, failing_since=NOON + HOUR)
        await channel_state.save(connection, "fake", ChannelState(halted_at=NOON, halted_for="no such words"))
        await channel_state.save(connection, "mail", ChannelState(waits_until=NOON + 24 * HOUR))
    await chat.announce()
    answer = await chat.ask("stats")
    assert answer.ok
    assert [(row.label, row.value) for row in answer.rows] == [
        ("Readers: active", "3"),
        ("Readers: paused", "1"),
        ("Readers on fake", "3"),
        ("Readers in English", "2"),
        ("Readers in 한국어", "1"),
        ("New in the last 7 days", "3"),
        ("Daily papers · Monday, 3 November 2025", "sent: 2"),
        ("Announcement · Tuesday, 4 November 2025", "waiting: 3"),
        ("Channel fake", "stopped since 4 November, 12:00 UTC: no such words"),
        ("Channel mail", "waiting until 5 November, 12:00 UTC"),
        ("Feed", "unreachable since 4 November, 13:00 UTC · last read on 4 November, 12:00 UTC"),
    ]


async def test_stats_of_a_newsletter_that_has_only_begun(store: Store) -> None:
    answer = await Chat(store).ask("stats", locale="ko")
    assert [row.value for row in answer.rows] == ["0", "발송 중", "아직 읽지 않음"]
