"""Deliveries of an announcement: once to each reader in waking hours, whatever fails meanwhile."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select

from bot.channel import (
    Deferred,
    Gone,
    Outcome,
    Personal,
    Rejected,
    Sent,
)
from bot.delivery.dead_senders import SWEEP
from bot.delivery.dispatcher import Dispatcher
from bot.delivery.housekeeping import Housekeeping
from bot.model import NOTE, Address, Cadence, Preferences, Reason, State, Style
from bot.rules.schedule import LIFETIME
from bot.runtime.locks import Locks
from bot.store import (
    Store,
    announcements,
    channel_state,
    edition_queries,
    reader_history,
    subscriber_queries,
)
from bot.store import claiming as deliveries_of
from bot.store.backup_file import mark
from bot.store.restore import skip_restored
from bot.store.retention import fold_old
from bot.store.schema import announcements as drafts
from tests.support.fake_channel import DAY, NOW, FakeChannel, Plain, publish, settle
from tests.support.operator_chat import EVERYWHERE, HOUR, NOON, ROOT, Chat, begun, deliver, id_of, notes, reported


@pytest.fixture
async def chat(store: Store) -> Chat:
    """Readers all over the world, who have had an edition that is older than a day."""
    return await begun(store, EVERYWHERE)


async def states(store: Store) -> list[str]:
    return [row.state for row in await notes(store)]


async def change(store: Store, name: str, now: datetime, **wanted: Any) -> None:
    async with store.write() as connection:
        reader = await subscriber_queries.get(connection, Address("fake", name))
        assert reader is not None
        await subscriber_queries.change(connection, reader, replace(reader.preferences, **wanted), now=now)


# Delivery


async def test_each_reader_gets_it_once_in_waking_hours_of_their_own_clock(chat: Chat, locks: Locks) -> None:
    await chat.announce("We are moving.\nOn Sunday.")
    got: dict[str, datetime] = {}
    now = NOON
    pages: dict[str, Any] = {}

    def answer(to: str, message: Plain, personal: Personal) -> Outcome:
        assert to not in got
        got[to], pages[to] = now, message.page
        return Sent()

    chat.channel.answer = answer
    dispatcher = Dispatcher(chat.store, chat.channel, locks)
    while now < NOON + LIFETIME + 8 * HOUR:
        await settle(dispatcher, now)
        now += timedelta(minutes=15)
    assert set(got) == set(EVERYWHERE)
    for name, at in got.items():
        local = at.astimezone(ZoneInfo(EVERYWHERE[name].timezone))
        assert time(7) <= local.time() < time(22), name
    assert got["cy"] == NOON + 3 * HOUR
    assert pages["ada"].lead == "We are moving.\nOn Sunday."
    assert (pages["bo"].language, pages["bo"].heading) == ("ko", "뉴스레터 운영자가 드리는 말씀")
    assert "unsubscribe" in pages["bo"].notes[0]
    report = await reported(chat.store)
    assert (report.audience, report.papers, dict(report.channels["fake"].states)) == (4, 0, {State.SENT: 4})


async def test_what_comes_late_wakes_nobody(chat: Chat, locks: Locks) -> None:
    """Ten minutes to ten in the evening in Seoul; the service comes back at a quarter past ten."""
    chat.now = NOON + timedelta(minutes=50)
    await chat.announce()
    chat.channel.answer = lambda to, message, personal: Deferred("down", 25 * 60, "channel")
    dispatcher = Dispatcher(chat.store, chat.channel, locks)
    await settle(dispatcher, chat.now)
    chat.channel.answer = lambda to, message, personal: Sent()
    await settle(dispatcher, chat.now + timedelta(minutes=26))
    assert await states(chat.store) == ["sent", "owed", "owed", "owed"]
    assert (await notes(chat.store))[1].next_at == datetime.fromisoformat("2025-11-05T07:00+09:00")


async def test_unsubscribed_readers_get_no_announcement(chat: Chat, locks: Locks) -> None:
    async with chat.store.write() as connection:
        await subscriber_queries.pause(connection, await id_of(chat.store, "ada"), until=None, now=NOW)
        await subscriber_queries.unsubscribe(connection, await id_of(chat.store, "bo"), now=NOW)
    await chat.announce()
    async with chat.store.write() as connection:
        await subscriber_queries.unsubscribe(connection, await id_of(chat.store, "cy"), now=chat.now)
    async with chat.store.write() as connection:
        await subscriber_queries.forget(connection, await id_of(chat.store, "di"), now=chat.now)
    await deliver(chat.store, chat.channel, locks, chat.now)
    assert chat.channel.alerts == []
    report = await reported(chat.store)
    assert (report.audience, dict(report.channels["fake"].states)) == (2, {State.SKIPPED: 2})


async def test_a_reader_whose_pause_is_over_gets_it(chat: Chat, locks: Locks) -> None:
    async with chat.store.write() as connection:
        await subscriber_queries.pause(connection, await id_of(chat.store, "ada"), until=NOON, now=NOW)
        await subscriber_queries.pause(connection, await id_of(chat.store, "bo"), until=NOON + HOUR, now=NOW)
    shown = await chat.ask("broadcast We move.")
    assert [row.value for row in shown.rows] == ["3"]
    await chat.ask(shown.options[0].line)
    ids = [await id_of(chat.store, name) for name in ("ada", "cy", "di")]
    assert [row.subscriber_id for row in await notes(chat.store)] == ids
    await deliver(chat.store, chat.channel, locks, chat.now)
    assert await states(chat.store) == ["sent"] * 3


async def test_a_pause_that_is_taken_back_in_time_costs_nobody_the_announcement(chat: Chat) -> None:
    await chat.announce()
    cy = Address("fake", "cy")
    await chat.ask("pause", cy)
    assert await states(chat.store) == ["owed", "owed", "skipped", "owed"]
    await chat.ask("resume", cy)
    assert await states(chat.store) == ["owed"] * 4


async def test_another_hour_or_cadence_moves_it_and_ends_it_not(chat: Chat) -> None:
    await chat.announce()
    await change(chat.store, "cy", chat.now, cadence=Cadence.DAY)
    assert await states(chat.store) == ["owed"] * 4
    made = chat.now
    await change(chat.store, "cy", made + HOUR, cadence=Cadence.WEEK, timezone="Europe/Berlin")
    cy = (await notes(chat.store))[2]
    assert (cy.state, cy.next_at, cy.expires_at) == ("owed", made + HOUR, made + LIFETIME)
    assert (await reported(chat.store)).audience == 4


async def test_an_edition_and_an_announcement_do_not_supersede_each_other(chat: Chat, locks: Locks) -> None:
    await chat.announce()
    await publish(chat.store, {}, day=DAY + timedelta(days=1), now=NOW + timedelta(days=1))
    assert "superseded" not in {row.reason_code for row in await notes(chat.store)}
    chat.now += timedelta(days=1)
    await chat.announce("Two.")
    assert await states(chat.store) == ["owed"] * 8
    async with chat.store.write() as connection:
        claimed = await deliveries_of.claim(connection, "fake", owner="me", now=chat.now, limit=9)
    assert await states(chat.store) == ["expired"] * 4 + ["sending", "sending", "owed", "sending"]
    assert [delivery.is_note for delivery in claimed] == [False, True, True, True]
    assert {delivery.missed for delivery in claimed} == {()}


async def test_who_subscribes_later_is_greeted_with_an_edition(chat: Chat) -> None:
    await chat.announce()
    eve = Address("fake", "eve")
    await chat.ask("subscribe", eve)
    assert len(await notes(chat.store)) == 4
    assert "3 November" in await chat.says("why", eve)
    assert "3 November" in await chat.says("why", Address("fake", "ada"))
    async with chat.store.read() as connection:
        assert await edition_queries.latest_day(connection, Cadence.DAY) == DAY
        assert [entry.cadence for entry in await reader_history.entries(connection, 1)] == [NOTE, Cadence.DAY]


async def test_killed_between_the_confirmation_and_the_delivery_everybody_gets_it_once(
    chat: Chat, locks: Locks
) -> None:
    await chat.announce()
    later = chat.now
    channel = FakeChannel()
    lost = Dispatcher(chat.store, channel, locks)
    async with chat.store.write() as connection:  # two were claimed, and nobody knows whether they left
        claimed = await deliveries_of.claim(connection, "fake", owner=lost.owner, now=later, limit=2)
    assert {delivery.is_note for delivery in claimed} == {True}
    chat.restart()
    restarted = Dispatcher(chat.store, channel, locks)
    await settle(restarted, later)
    assert sorted(await states(chat.store)) == ["owed", "sent", "sent", "sent"]
    await deliver(chat.store, channel, locks, later + SWEEP)
    assert await states(chat.store) == ["sent"] * 4
    assert len(channel.alerts) == 4
    assert [row.repeats for row in await notes(chat.store)].count(1) == 2
    assert (await reported(chat.store)).audience == 4


async def test_a_refused_announcement_ends_and_halts_no_channel(store: Store, locks: Locks) -> None:
    styles = [Style.HEADLINE, Style.ABSTRACT]
    readers = {f"r{n}": Preferences(style=styles[n % 2], papers=1 + n // 4) for n in range(16)}
    chat = await begun(store, readers)
    chat.channel.answer = lambda to, message, personal: Rejected("no such words here")
    await chat.announce()
    dispatcher = Dispatcher(store, chat.channel, locks)
    for minutes in range(0, 200, 5):
        await settle(dispatcher, chat.now + timedelta(minutes=minutes))
    async with store.read() as connection:
        assert (await channel_state.load(connection, "fake")).halted_at is None
    assert set(await states(store)) == {"rejected"}
    assert (await reported(store)).audience == 16


async def test_an_announcement_waits_for_no_model(store: Store, locks: Locks) -> None:
    chat = await begun(store, {"ada": Preferences(style=Style.PLAIN)})
    await chat.announce()
    await settle(Dispatcher(store, chat.channel, locks, writes=True), chat.now)
    assert await states(store) == ["sent"]


async def test_spam_halts_the_channel_whatever_it_was_in(store: Store, locks: Locks) -> None:
    chat = await begun(store, {f"r{n}": Preferences() for n in range(4)})
    await chat.announce()
    domains = iter(["one.example", "two.example", "one.example", "two.example"])
    chat.channel.answer = lambda to, message, personal: Rejected("5.7.1 spam", next(domains))
    await settle(Dispatcher(store, chat.channel, locks), chat.now)
    async with store.read() as connection:
        assert (await channel_state.load(connection, "fake")).halted_for == "5.7.1 spam"


async def test_a_reader_who_is_gone_ends_with_it(chat: Chat, locks: Locks) -> None:
    await chat.announce()
    chat.channel.answer = lambda to, message, personal: Gone("blocked")
    await deliver(chat.store, chat.channel, locks, chat.now)
    assert dict((await reported(chat.store)).channels["fake"].states) == {State.GONE: 4}


# What is kept


async def test_the_end_of_an_announcement_is_an_alert(chat: Chat, locks: Locks) -> None:
    await chat.announce()
    await deliver(chat.store, chat.channel, locks, chat.now)
    housekeeping = Housekeeping(chat.store, chat.heard, closes=time(22))
    await housekeeping.step(chat.now + 36 * HOUR)
    assert ("announcement finished", {"day": "2025-11-04", "deliveries": {"sent": 4}}) in chat.heard.alerts


async def test_old_announcements_become_counts(chat: Chat, locks: Locks) -> None:
    await chat.announce()
    await deliver(chat.store, chat.channel, locks, chat.now)
    await fold_old(chat.store, before=NOON + HOUR)
    assert await notes(chat.store) == []
    report = await reported(chat.store)
    assert (report.audience, dict(report.channels["fake"].states)) == (4, {State.SENT: 4})


async def test_a_restored_copy_sends_no_announcement_and_keeps_no_draft(chat: Chat) -> None:
    shown = await chat.ask("broadcast Two.")
    await chat.announce("One.")
    async with chat.store.write() as connection:
        await mark(connection, chat.now)
    await skip_restored(chat.store, chat.now)
    assert {(row.state, row.reason_code) for row in await notes(chat.store)} == {("skipped", Reason.RESTORED)}
    assert "Please write it again" in await chat.says(shown.options[0].line)
    async with chat.store.read() as connection:
        assert list(await connection.scalars(select(drafts.c.text))) == ["One."]
    assert (await reported(chat.store)).audience == 4


async def test_an_authors_announcements_are_exported_and_erased(chat: Chat) -> None:
    await chat.ask("subscribe")
    await chat.announce("Ours.")
    answer = await chat.ask("export")
    assert answer.file is not None
    assert b"Ours." in answer.file.content
    await chat.ask("forget confirmed")
    async with chat.store.read() as connection:
        assert await announcements.written_by(connection, str(ROOT)) == []
        assert list(await connection.scalars(select(drafts.c.text))) == ["Ours."]
