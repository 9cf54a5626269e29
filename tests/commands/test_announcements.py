"""An announcement from its draft to its readers: previewed, confirmed once, delivered once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from datetime import datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import func, select, update

from bot.channel import (
    Deferred,
    Gone,
    Limits,
    Outcome,
    Personal,
    Rejected,
    Reply,
    Requester,
    Sent,
)
from bot.commands import ReaderCommands, announce
from bot.delivery.dead_senders import SWEEP
from bot.delivery.dispatcher import Dispatcher
from bot.delivery.housekeeping import Housekeeping
from bot.model import NOTE, Address, Cadence, Preferences, Reason, State, Style
from bot.render.announcement_page import LONGEST
from bot.rules.access import Access, Admission
from bot.rules.outcomes import ChannelState
from bot.rules.schedule import LIFETIME
from bot.runtime.locks import Locks, make_locks
from bot.store import (
    Store,
    announcements,
    channel_state,
    closing_state,
    edition_queries,
    reader_history,
    subscriber_queries,
)
from bot.store import claiming as deliveries_of
from bot.store.announcements import LASTS
from bot.store.backup_file import mark
from bot.store.edition_report import Report, reports
from bot.store.restore import skip_restored
from bot.store.retention import fold_old
from bot.store.schema import announcements as drafts
from bot.store.schema import deliveries
from bot.store.schema import subscribers as subscribers_table
from tests.delivery.test_housekeeping import Heard
from tests.support.fake_channel import DAY, NOW, FakeChannel, Plain, publish, settle

HOUR = timedelta(hours=1)
ROOT = Address("fake", "root")
NOON = NOW + 14 * HOUR
"""12:00 UTC on the day after the first edition."""
EVERYWHERE = {
    "ada": Preferences(),
    "bo": Preferences(timezone="Asia/Seoul", cadence=Cadence.WEEK, language="ko"),
    "cy": Preferences(timezone="America/Los_Angeles", cadence=Cadence.MONTH),
    "di": Preferences(timezone="Asia/Seoul", hour=21 * 60, weekdays=0b1000000),
}
"""At noon in UTC it is 21:00 in Seoul and 04:00 in Los Angeles; the day is a Tuesday."""

FOR_OPERATORS = {"stats", "broadcast"}


class Chat:
    """An operator's conversation; every line comes ten seconds after the last."""

    def __init__(self, store: Store, *, access: Access | None = None, channel: FakeChannel | None = None) -> None:
        self.store = store
        self.heard = Heard()
        self.channel = channel or FakeChannel()
        self.access = access or Access(always=(ROOT,))
        self.now = NOON
        self.restart()

    def restart(self) -> None:
        """Nothing but the database is left."""
        self.readers = ReaderCommands(
            self.store,
            [self.channel],
            fallback=Preferences(),
            closes=time(22),
            access=self.access,
            alert=self.heard,
        )

    async def ask(self, line: str, who: Address = ROOT, **requester: Any) -> Reply:
        self.now += timedelta(seconds=10)
        return await self.readers.ask(replace(Requester(who), **requester), line, self.now)

    async def says(self, line: str, who: Address = ROOT, **requester: Any) -> str:
        return " ".join((await self.ask(line, who, **requester)).says)

    async def preview(self, text: str) -> Reply:
        """What the preview of any text says, also of one that no line can hold."""
        self.now += timedelta(seconds=10)
        return await self.readers._answer(Requester(ROOT), self.now, lambda asked: announce.preview(asked, text, None))

    async def announce(self, text: str = "We are moving on Sunday.") -> Reply:
        shown = await self.preview(text)
        assert shown.ok, shown.says
        return await self.ask(shown.options[0].line)


async def begun(store: Store, readers: Mapping[str, Preferences]) -> Chat:
    """A newsletter whose readers have had an edition."""
    await publish(store, readers)
    async with store.write() as connection:
        await connection.execute(update(deliveries).values(state="sent", ended_at=NOW))
    return Chat(store)


@pytest.fixture
async def chat(store: Store) -> Chat:
    """Readers all over the world, who have had an edition that is older than a day."""
    return await begun(store, EVERYWHERE)


@pytest.fixture
async def locks(store: Store) -> AsyncIterator[Locks]:
    made = make_locks(store.engine.url, store.path)
    yield made
    await made.close()


async def deliver(store: Store, channel: FakeChannel, locks: Locks, since: datetime) -> None:
    """Let a day and a half go by."""
    dispatcher = Dispatcher(store, channel, locks)
    for halves in range(72):
        await settle(dispatcher, since + halves * HOUR / 2)


async def notes(store: Store) -> list[Any]:
    """The deliveries of announcements, one after the other, in the order of their readers."""
    query = (
        select(deliveries)
        .where(deliveries.c.edition_id.in_(select(drafts.c.edition_id).where(drafts.c.edition_id.is_not(None))))
        .order_by(deliveries.c.edition_id, deliveries.c.subscriber_id)
    )
    async with store.read() as connection:
        return list((await connection.execute(query)).all())


async def states(store: Store) -> list[str]:
    return [row.state for row in await notes(store)]


async def reported(store: Store) -> Report:
    """What became of the newest announcement."""
    async with store.read() as connection:
        found = await reports(connection)
    assert all(report.adds_up for report in found)
    return next(report for report in found if report.cadence == NOTE)


async def id_of(store: Store, name: str) -> int:
    async with store.read() as connection:
        reader = await subscriber_queries.get(connection, Address("fake", name))
    assert reader is not None
    return reader.id


async def change(store: Store, name: str, now: datetime, **wanted: Any) -> None:
    async with store.write() as connection:
        reader = await subscriber_queries.get(connection, Address("fake", name))
        assert reader is not None
        await subscriber_queries.change(connection, reader, replace(reader.preferences, **wanted), now=now)


# Who may


@pytest.mark.parametrize("line", ["stats", "broadcast We move.", "broadcast", f"broadcast confirmed {'0' * 20}"])
async def test_what_is_for_operators_is_no_command_to_anybody_else(chat: Chat, line: str) -> None:
    ada = Address("fake", "ada")
    unknown = await chat.ask("no such command", ada)
    assert await chat.ask(line, ada) == unknown
    assert not FOR_OPERATORS & {row.label for row in unknown.rows}
    asked = await chat.ask("help", ada)
    for command in FOR_OPERATORS:
        assert await chat.ask(f"help {command}", ada) == asked
        assert await chat.ask(f"/help /{command}", ada) == asked
    assert await notes(chat.store) == []


async def test_an_operators_help_lists_what_is_for_operators(chat: Chat) -> None:
    assert {row.label for row in (await chat.ask("help")).rows} >= FOR_OPERATORS
    assert "broadcast telegram: " in await chat.says("broadcast")
    assert "stats" in await chat.says("help stats")


async def test_an_operator_is_known_however_the_address_is_written(store: Store) -> None:
    chat = Chat(store, access=Access(Admission.LIST, always=(Address("fake", "Root"),)))
    assert (await chat.ask("stats")).ok


async def test_in_a_place_of_operators_only_those_who_run_it_announce(chat: Chat) -> None:
    assert not (await chat.ask("broadcast We move.", person="7", may_change=False)).ok
    assert (await chat.ask("stats", person="7", may_change=False)).ok
    shown = await chat.ask("broadcast We move.", person="7")
    assert shown.ok
    for option in shown.options:
        assert not (await chat.ask(option.line, person="8", may_change=False)).ok
    assert await notes(chat.store) == []
    assert (await chat.ask(shown.options[0].line, person="7")).ok


# The preview


async def test_an_announcement_is_shown_as_readers_will_see_it_and_nothing_is_sent(chat: Chat) -> None:
    answer = await chat.ask("broadcast First line.\n\n\n\nSecond\u202e line.\x00")
    assert answer.says[1:4] == [
        "A message from the people who run this newsletter",
        "First line.\n\nSecond line.",
        "You’re getting this because you’re subscribed. “unsubscribe” stops it.",
    ]
    assert answer.says[4] == (
        "4 readers will get it in their daytime: first 4 November, 12:00 UTC, last 4 November, 15:00 UTC."
    )
    assert [(row.label, row.value) for row in answer.rows] == [("Readers on fake", "4")]
    assert [option.label for option in answer.options] == ["Send it", "Cancel"]
    assert all(len(option.line.encode()) <= 64 for option in answer.options)
    assert await notes(chat.store) == []
    assert chat.heard.alerts == []


async def test_a_draft_outlasts_a_restart_and_is_sent_once_however_often_it_is_confirmed(
    chat: Chat, locks: Locks
) -> None:
    shown = await chat.ask("broadcast We are moving.")
    chat.restart()
    confirm = shown.options[0].line
    first, second = await asyncio.gather(chat.ask(confirm), chat.ask(confirm))
    said = sorted(" ".join(answer.says) for answer in (first, second))
    assert said == ["Already confirmed; it is sent only once.", "It’s on its way to 4 readers."]
    assert "Already confirmed" in await chat.says(confirm)
    await deliver(chat.store, chat.channel, locks, chat.now)
    assert len(chat.channel.alerts) == 4
    assert chat.heard.alerts == [("announcement published", {"audience": 4})]


async def test_what_was_cancelled_cannot_be_confirmed_and_the_other_way_round(chat: Chat) -> None:
    first, second = await chat.ask("broadcast One."), await chat.ask("broadcast Two.")
    assert (await chat.ask(first.options[1].line)).says == ["Discarded."]
    assert "Please write it again" in await chat.says(first.options[0].line)
    assert (await chat.ask(second.options[0].line)).ok
    late = await chat.ask(second.options[1].line)
    assert (late.ok, late.says) == (False, ["Already confirmed; it is sent only once."])
    assert len(await notes(chat.store)) == 4


async def test_a_draft_can_be_confirmed_for_a_day(chat: Chat) -> None:
    shown = await chat.ask("broadcast One.")
    chat.now += LASTS - timedelta(seconds=15)
    other = await chat.ask("broadcast Two.")
    chat.now += timedelta(seconds=15)
    assert "Please write it again" in await chat.says(shown.options[0].line)
    assert (await chat.ask(other.options[0].line)).ok
    chat.now += 2 * LASTS
    await chat.ask("broadcast Three.")
    async with chat.store.read() as connection:
        assert await connection.scalar(select(func.count()).select_from(drafts)) == 2


async def test_nobody_guesses_a_key(chat: Chat) -> None:
    shown = await chat.ask("broadcast One.")
    line = shown.options[0].line
    assert line.startswith("broadcast confirmed ")
    assert "Please write it again" in await chat.says(line[:-1] + f"{(int(line[-1], 16) + 1) % 16:x}")
    assert "Please write it again" in await chat.says(f"broadcast confirmed {'0' * 20}")
    for broken in (line[:-1], "broadcast confirmed %"):  # no key at all: one more text to be previewed
        assert "Nothing has been sent yet" in await chat.says(broken)
    assert await notes(chat.store) == []


async def test_one_announcement_a_day_is_enough(chat: Chat) -> None:
    early = await chat.ask("broadcast Two.")
    await chat.announce("One.")
    for refused in (await chat.ask("broadcast Three."), await chat.ask(early.options[0].line)):
        assert (refused.ok, refused.options) == (False, ())
        assert "from 5 November, 00:00 UTC" in refused.says[0]
    chat.now += timedelta(days=1) - HOUR
    assert (await chat.ask(early.options[0].line)).ok
    assert len(await notes(chat.store)) == 8


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("x" * (LONGEST + 1), "2,001 of"),
        ("x\n" * 30_000, "60,000 of"),
        ("\u202e\n \x00\n", "There is no text to send"),
    ],
)
async def test_what_cannot_be_announced_is_refused_in_a_sentence(chat: Chat, text: str, says: str) -> None:
    answer = await chat.preview(text)
    assert (answer.ok, answer.options) == (False, ())
    assert says in answer.says[0]


async def test_the_longest_announcement_is_taken(chat: Chat) -> None:
    assert (await chat.ask(f"broadcast {'🙂' * LONGEST}")).ok


async def test_what_does_not_fit_into_a_channels_message_is_refused(store: Store) -> None:
    await publish(store, EVERYWHERE)
    chat = Chat(store, channel=FakeChannel(limits=Limits(maxima={"characters": 20})))
    assert "doesn’t fit into one message on fake" in await chat.says("broadcast This is longer than that.")
    assert (await chat.ask("broadcast This is not.")).ok


async def test_where_nobody_reads_there_is_nothing_to_announce(store: Store) -> None:
    chat = Chat(store)
    assert "no readers" in await chat.says("broadcast We move.")
    await publish(store, {"ada": Preferences()})
    shown = await chat.ask("broadcast We move.")
    async with store.write() as connection:
        await subscriber_queries.unsubscribe(connection, 1, now=chat.now)
    assert "no readers" in await chat.says(shown.options[0].line)
    async with store.write() as connection:
        await subscriber_queries.resume(connection, 1)
    assert (await chat.ask(shown.options[0].line)).ok  # the day is not spent


async def test_an_announcement_for_one_channel_reaches_nobody_else(chat: Chat) -> None:
    async with chat.store.write() as connection:
        await subscriber_queries.add(connection, Address("other", "eve"), Preferences(), now=NOW)
    everybody = await chat.ask("broadcast Note: we move.")
    assert [row.label for row in everybody.rows] == ["Readers on fake", "Readers on other"]
    assert everybody.says[2] == "Note: we move."
    shown = await chat.ask("broadcast Other: we move.")
    assert [(row.label, row.value) for row in shown.rows] == [("Readers on other", "1")]
    assert shown.says[2] == "we move."
    await chat.ask(shown.options[0].line)
    assert [row.channel for row in await notes(chat.store)] == ["other"]
    assert (await reported(chat.store)).audience == 1


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
