"""An announcement from its draft to its readers: shown first, confirmed once, delivered once, to whoever is there."""

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
    FOR_OPERATORS,
    Answer,
    Asker,
    Broadcast,
    BroadcastConfirmed,
    Deferred,
    Gone,
    Help,
    Limits,
    Outcome,
    Personal,
    Rejected,
    Request,
    Sent,
    written,
)
from bot.commands import ReaderCommands
from bot.delivery.dispatcher import SWEEP, Dispatcher
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


class Desk:
    """An operator's conversation; every question comes ten seconds after the last."""

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

    async def ask(self, request: Request | str, who: Address = ROOT, **asker: Any) -> Answer:
        self.now += timedelta(seconds=10)
        return await self.readers.ask(replace(Asker(who), **asker), request, self.now)

    async def says(self, request: Request | str, who: Address = ROOT, **asker: Any) -> str:
        return " ".join((await self.ask(request, who, **asker)).says)

    async def announce(self, text: str = "We are moving on Sunday.") -> Answer:
        shown = await self.ask(Broadcast(text))
        assert shown.ok, shown.says
        return await self.ask(written(shown.options[0].request))


async def begun(store: Store, readers: Mapping[str, Preferences]) -> Desk:
    """A newsletter whose readers have had an edition."""
    await publish(store, readers)
    async with store.write() as connection:
        await connection.execute(update(deliveries).values(state="sent", ended_at=NOW))
    return Desk(store)


@pytest.fixture
async def desk(store: Store) -> Desk:
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
async def test_what_is_for_operators_is_no_command_to_anybody_else(desk: Desk, line: str) -> None:
    ada = Address("fake", "ada")
    unknown = await desk.ask("no such command", ada)
    assert await desk.ask(line, ada) == unknown
    assert not FOR_OPERATORS & {row.label for row in unknown.rows}
    asked = await desk.ask("help", ada)
    for command in FOR_OPERATORS:
        assert await desk.ask(f"help {command}", ada) == asked
        assert await desk.ask(Help(command), ada) == asked
    assert await notes(desk.store) == []


async def test_an_operators_help_lists_what_is_for_operators(desk: Desk) -> None:
    assert {row.label for row in (await desk.ask("help")).rows} >= FOR_OPERATORS
    assert "broadcast telegram: " in await desk.says("broadcast")
    assert "stats" in await desk.says("help stats")


async def test_an_operator_is_known_however_the_address_is_written(store: Store) -> None:
    desk = Desk(store, access=Access(Admission.LIST, always=(Address("fake", "Root"),)))
    assert (await desk.ask("stats")).ok


async def test_in_a_place_of_operators_only_those_who_run_it_announce(desk: Desk) -> None:
    assert not (await desk.ask("broadcast We move.", person="7", may_change=False)).ok
    assert (await desk.ask("stats", person="7", may_change=False)).ok
    shown = await desk.ask("broadcast We move.", person="7")
    assert shown.ok
    for option in shown.options:
        assert not (await desk.ask(option.request, person="8", may_change=False)).ok
    assert await notes(desk.store) == []
    assert (await desk.ask(shown.options[0].request, person="7")).ok


# The preview


async def test_an_announcement_is_shown_as_readers_will_see_it_and_nothing_is_sent(desk: Desk) -> None:
    answer = await desk.ask("broadcast First line.\n\n\n\nSecond\u202e line.\x00")
    assert answer.says[1:4] == [
        "A message from those who run this newsletter",
        "First line.\n\nSecond line.",
        "You get this because you are subscribed. “unsubscribe” ends that.",
    ]
    assert answer.says[4] == (
        "4 readers get it, in waking hours by their own clock. "
        "The first is due on 4 November, 12:00 UTC, the last on 4 November, 15:00 UTC."
    )
    assert [(row.label, row.value) for row in answer.rows] == [("Readers on fake", "4")]
    assert [option.label for option in answer.options] == ["Send it", "Do not send it"]
    assert all(len(written(option.request).encode()) <= 64 for option in answer.options)
    assert await notes(desk.store) == []
    assert desk.heard.alerts == []


async def test_a_draft_outlasts_a_restart_and_is_sent_once_however_often_it_is_confirmed(
    desk: Desk, locks: Locks
) -> None:
    shown = await desk.ask("broadcast We are moving.")
    desk.restart()
    confirm = written(shown.options[0].request)
    first, second = await asyncio.gather(desk.ask(confirm), desk.ask(confirm))
    said = sorted(" ".join(answer.says) for answer in (first, second))
    assert said == ["It has been confirmed before, and is sent once.", "It is on its way to 4 readers."]
    assert "before" in await desk.says(confirm)
    await deliver(desk.store, desk.channel, locks, desk.now)
    assert len(desk.channel.alerts) == 4
    assert desk.heard.alerts == [("announcement published", {"audience": 4})]


async def test_what_was_cancelled_cannot_be_confirmed_and_the_other_way_round(desk: Desk) -> None:
    first, second = await desk.ask("broadcast One."), await desk.ask("broadcast Two.")
    assert (await desk.ask(first.options[1].request)).says == ["It is not sent."]
    assert "Write it again" in await desk.says(first.options[0].request)
    assert (await desk.ask(second.options[0].request)).ok
    late = await desk.ask(second.options[1].request)
    assert (late.ok, late.says) == (False, ["It has been confirmed before, and is sent once."])
    assert len(await notes(desk.store)) == 4


async def test_a_draft_can_be_confirmed_for_a_day(desk: Desk) -> None:
    shown = await desk.ask("broadcast One.")
    desk.now += LASTS - timedelta(seconds=15)
    other = await desk.ask("broadcast Two.")
    desk.now += timedelta(seconds=15)
    assert "Write it again" in await desk.says(shown.options[0].request)
    assert (await desk.ask(other.options[0].request)).ok
    desk.now += 2 * LASTS
    await desk.ask("broadcast Three.")
    async with desk.store.read() as connection:
        assert await connection.scalar(select(func.count()).select_from(drafts)) == 2


async def test_nobody_guesses_a_key(desk: Desk) -> None:
    shown = await desk.ask("broadcast One.")
    assert isinstance(shown.options[0].request, BroadcastConfirmed)
    assert "Write it again" in await desk.says(BroadcastConfirmed(shown.options[0].request.key[:-1]))
    assert "Write it again" in await desk.says(BroadcastConfirmed("%"))
    assert await notes(desk.store) == []


async def test_one_announcement_a_day_is_enough(desk: Desk) -> None:
    early = await desk.ask("broadcast Two.")
    await desk.announce("One.")
    for refused in (await desk.ask("broadcast Three."), await desk.ask(early.options[0].request)):
        assert (refused.ok, refused.options) == (False, ())
        assert "from 5 November, 00:00 UTC on" in refused.says[0]
    desk.now += timedelta(days=1) - HOUR
    assert (await desk.ask(early.options[0].request)).ok
    assert len(await notes(desk.store)) == 8


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("x" * (LONGEST + 1), "2,001 characters"),
        ("x\n" * 30_000, "60,000 characters"),
        ("\u202e\n \x00\n", "nothing in it"),
    ],
)
async def test_what_cannot_be_announced_is_refused_in_a_sentence(desk: Desk, text: str, says: str) -> None:
    answer = await desk.ask(Broadcast(text))
    assert (answer.ok, answer.options) == (False, ())
    assert says in answer.says[0]


async def test_the_longest_announcement_is_taken(desk: Desk) -> None:
    assert (await desk.ask(f"broadcast {'🙂' * LONGEST}")).ok


async def test_what_does_not_fit_into_a_channels_message_is_refused(store: Store) -> None:
    await publish(store, EVERYWHERE)
    desk = Desk(store, channel=FakeChannel(limits=Limits(maxima={"characters": 20})))
    assert "does not fit into a message on fake" in await desk.says("broadcast This is longer than that.")
    assert (await desk.ask("broadcast This is not.")).ok


async def test_where_nobody_reads_there_is_nothing_to_announce(store: Store) -> None:
    desk = Desk(store)
    assert "nobody" in await desk.says("broadcast We move.")
    await publish(store, {"ada": Preferences()})
    shown = await desk.ask("broadcast We move.")
    async with store.write() as connection:
        await subscriber_queries.unsubscribe(connection, 1, now=desk.now)
    assert "nobody" in await desk.says(shown.options[0].request)
    async with store.write() as connection:
        await subscriber_queries.resume(connection, 1)
    assert (await desk.ask(shown.options[0].request)).ok  # the day is not spent


async def test_an_announcement_for_one_channel_reaches_nobody_else(desk: Desk) -> None:
    async with desk.store.write() as connection:
        await subscriber_queries.add(connection, Address("other", "eve"), Preferences(), now=NOW)
    everybody = await desk.ask("broadcast Note: we move.")
    assert [row.label for row in everybody.rows] == ["Readers on fake", "Readers on other"]
    assert everybody.says[2] == "Note: we move."
    shown = await desk.ask("broadcast Other: we move.")
    assert [(row.label, row.value) for row in shown.rows] == [("Readers on other", "1")]
    assert shown.says[2] == "we move."
    await desk.ask(shown.options[0].request)
    assert [row.channel for row in await notes(desk.store)] == ["other"]
    assert (await reported(desk.store)).audience == 1


# Delivery


async def test_each_reader_gets_it_once_in_waking_hours_of_their_own_clock(desk: Desk, locks: Locks) -> None:
    await desk.announce("We are moving.\nOn Sunday.")
    got: dict[str, datetime] = {}
    now = NOON
    pages: dict[str, Any] = {}

    def answer(to: str, message: Plain, personal: Personal) -> Outcome:
        assert to not in got
        got[to], pages[to] = now, message.page
        return Sent()

    desk.channel.answer = answer
    dispatcher = Dispatcher(desk.store, desk.channel, locks)
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
    report = await reported(desk.store)
    assert (report.audience, report.papers, dict(report.channels["fake"].states)) == (4, 0, {State.SENT: 4})


async def test_what_comes_late_wakes_nobody(desk: Desk, locks: Locks) -> None:
    """Ten minutes to ten in the evening in Seoul; the service comes back at a quarter past ten."""
    desk.now = NOON + timedelta(minutes=50)
    await desk.announce()
    desk.channel.answer = lambda to, message, personal: Deferred("down", 25 * 60, "channel")
    dispatcher = Dispatcher(desk.store, desk.channel, locks)
    await settle(dispatcher, desk.now)
    desk.channel.answer = lambda to, message, personal: Sent()
    await settle(dispatcher, desk.now + timedelta(minutes=26))
    assert await states(desk.store) == ["sent", "owed", "owed", "owed"]
    assert (await notes(desk.store))[1].next_at == datetime.fromisoformat("2025-11-05T07:00+09:00")


async def test_whoever_is_not_there_gets_none(desk: Desk, locks: Locks) -> None:
    async with desk.store.write() as connection:
        await subscriber_queries.pause(connection, await id_of(desk.store, "ada"), until=None, now=NOW)
        await subscriber_queries.unsubscribe(connection, await id_of(desk.store, "bo"), now=NOW)
    await desk.announce()
    async with desk.store.write() as connection:
        await subscriber_queries.unsubscribe(connection, await id_of(desk.store, "cy"), now=desk.now)
    async with desk.store.write() as connection:
        await subscriber_queries.forget(connection, await id_of(desk.store, "di"), now=desk.now)
    await deliver(desk.store, desk.channel, locks, desk.now)
    assert desk.channel.alerts == []
    report = await reported(desk.store)
    assert (report.audience, dict(report.channels["fake"].states)) == (2, {State.SKIPPED: 2})


async def test_whoevers_pause_is_over_gets_it(desk: Desk, locks: Locks) -> None:
    async with desk.store.write() as connection:
        await subscriber_queries.pause(connection, await id_of(desk.store, "ada"), until=NOON, now=NOW)
        await subscriber_queries.pause(connection, await id_of(desk.store, "bo"), until=NOON + HOUR, now=NOW)
    shown = await desk.ask("broadcast We move.")
    assert [row.value for row in shown.rows] == ["3"]
    await desk.ask(shown.options[0].request)
    ids = [await id_of(desk.store, name) for name in ("ada", "cy", "di")]
    assert [row.subscriber_id for row in await notes(desk.store)] == ids
    await deliver(desk.store, desk.channel, locks, desk.now)
    assert await states(desk.store) == ["sent"] * 3


async def test_a_pause_that_is_taken_back_in_time_costs_nobody_the_announcement(desk: Desk) -> None:
    await desk.announce()
    cy = Address("fake", "cy")
    await desk.ask("pause", cy)
    assert await states(desk.store) == ["owed", "owed", "skipped", "owed"]
    await desk.ask("resume", cy)
    assert await states(desk.store) == ["owed"] * 4


async def test_another_hour_or_cadence_moves_it_and_ends_it_not(desk: Desk) -> None:
    await desk.announce()
    await change(desk.store, "cy", desk.now, cadence=Cadence.DAY)
    assert await states(desk.store) == ["owed"] * 4
    made = desk.now
    await change(desk.store, "cy", made + HOUR, cadence=Cadence.WEEK, timezone="Europe/Berlin")
    cy = (await notes(desk.store))[2]
    assert (cy.state, cy.next_at, cy.expires_at) == ("owed", made + HOUR, made + LIFETIME)
    assert (await reported(desk.store)).audience == 4


async def test_an_edition_and_an_announcement_leave_each_other_alone(desk: Desk, locks: Locks) -> None:
    await desk.announce()
    await publish(desk.store, {}, day=DAY + timedelta(days=1), now=NOW + timedelta(days=1))
    assert "superseded" not in {row.reason_code for row in await notes(desk.store)}
    desk.now += timedelta(days=1)
    await desk.announce("Two.")
    assert await states(desk.store) == ["owed"] * 8
    async with desk.store.write() as connection:
        claimed = await deliveries_of.claim(connection, "fake", owner="me", now=desk.now, limit=9)
    assert await states(desk.store) == ["expired"] * 4 + ["sending", "sending", "owed", "sending"]
    assert [delivery.is_note for delivery in claimed] == [False, True, True, True]
    assert {delivery.missed for delivery in claimed} == {()}


async def test_who_subscribes_later_is_greeted_with_an_edition(desk: Desk) -> None:
    await desk.announce()
    eve = Address("fake", "eve")
    await desk.ask("subscribe", eve)
    assert len(await notes(desk.store)) == 4
    assert "3 November" in await desk.says("why", eve)
    assert "3 November" in await desk.says("why", Address("fake", "ada"))
    async with desk.store.read() as connection:
        assert await edition_queries.latest_day(connection, Cadence.DAY) == DAY
        assert [entry.cadence for entry in await reader_history.entries(connection, 1)] == [NOTE, Cadence.DAY]


async def test_killed_between_the_confirmation_and_the_delivery_everybody_gets_it_once(
    desk: Desk, locks: Locks
) -> None:
    await desk.announce()
    later = desk.now
    channel = FakeChannel()
    lost = Dispatcher(desk.store, channel, locks)
    async with desk.store.write() as connection:  # two were claimed, and nobody knows whether they left
        claimed = await deliveries_of.claim(connection, "fake", owner=lost.owner, now=later, limit=2)
    assert {delivery.is_note for delivery in claimed} == {True}
    desk.restart()
    restarted = Dispatcher(desk.store, channel, locks)
    await settle(restarted, later)
    assert sorted(await states(desk.store)) == ["owed", "sent", "sent", "sent"]
    await deliver(desk.store, channel, locks, later + SWEEP)
    assert await states(desk.store) == ["sent"] * 4
    assert len(channel.alerts) == 4
    assert [row.repeats for row in await notes(desk.store)].count(1) == 2
    assert (await reported(desk.store)).audience == 4


async def test_a_refused_announcement_ends_and_halts_no_channel(store: Store, locks: Locks) -> None:
    styles = [Style.HEADLINE, Style.ABSTRACT]
    readers = {f"r{n}": Preferences(style=styles[n % 2], papers=1 + n // 4) for n in range(16)}
    desk = await begun(store, readers)
    desk.channel.answer = lambda to, message, personal: Rejected("no such words here")
    await desk.announce()
    dispatcher = Dispatcher(store, desk.channel, locks)
    for minutes in range(0, 200, 5):
        await settle(dispatcher, desk.now + timedelta(minutes=minutes))
    async with store.read() as connection:
        assert (await channel_state.load(connection, "fake")).halted_at is None
    assert set(await states(store)) == {"rejected"}
    assert (await reported(store)).audience == 16


async def test_an_announcement_waits_for_no_model(store: Store, locks: Locks) -> None:
    desk = await begun(store, {"ada": Preferences(style=Style.PLAIN)})
    await desk.announce()
    await settle(Dispatcher(store, desk.channel, locks, writes=True), desk.now)
    assert await states(store) == ["sent"]


async def test_spam_halts_the_channel_whatever_it_was_in(store: Store, locks: Locks) -> None:
    desk = await begun(store, {f"r{n}": Preferences() for n in range(4)})
    await desk.announce()
    domains = iter(["one.example", "two.example", "one.example", "two.example"])
    desk.channel.answer = lambda to, message, personal: Rejected("5.7.1 spam", next(domains))
    await settle(Dispatcher(store, desk.channel, locks), desk.now)
    async with store.read() as connection:
        assert (await channel_state.load(connection, "fake")).halted_for == "5.7.1 spam"


async def test_a_reader_who_is_gone_ends_with_it(desk: Desk, locks: Locks) -> None:
    await desk.announce()
    desk.channel.answer = lambda to, message, personal: Gone("blocked")
    await deliver(desk.store, desk.channel, locks, desk.now)
    assert dict((await reported(desk.store)).channels["fake"].states) == {State.GONE: 4}


# What is kept


async def test_the_end_of_an_announcement_is_told(desk: Desk, locks: Locks) -> None:
    await desk.announce()
    await deliver(desk.store, desk.channel, locks, desk.now)
    housekeeping = Housekeeping(desk.store, desk.heard, closes=time(22))
    await housekeeping.step(desk.now + 36 * HOUR)
    assert ("announcement finished", {"day": "2025-11-04", "deliveries": {"sent": 4}}) in desk.heard.alerts


async def test_old_announcements_become_counts(desk: Desk, locks: Locks) -> None:
    await desk.announce()
    await deliver(desk.store, desk.channel, locks, desk.now)
    await fold_old(desk.store, before=NOON + HOUR)
    assert await notes(desk.store) == []
    report = await reported(desk.store)
    assert (report.audience, dict(report.channels["fake"].states)) == (4, {State.SENT: 4})


async def test_a_restored_copy_sends_no_announcement_and_keeps_no_draft(desk: Desk) -> None:
    shown = await desk.ask("broadcast Two.")
    await desk.announce("One.")
    async with desk.store.write() as connection:
        await mark(connection, desk.now)
    await skip_restored(desk.store, desk.now)
    assert {(row.state, row.reason_code) for row in await notes(desk.store)} == {("skipped", Reason.RESTORED)}
    assert "Write it again" in await desk.says(shown.options[0].request)
    async with desk.store.read() as connection:
        assert list(await connection.scalars(select(drafts.c.text))) == ["One."]
    assert (await reported(desk.store)).audience == 4


async def test_whoever_wrote_it_is_told_of_it_and_forgotten(desk: Desk) -> None:
    await desk.ask("subscribe")
    await desk.announce("Ours.")
    answer = await desk.ask("export")
    assert answer.file is not None
    assert b"Ours." in answer.file.content
    await desk.ask("forget confirmed")
    async with desk.store.read() as connection:
        assert await announcements.written_by(connection, str(ROOT)) == []
        assert list(await connection.scalars(select(drafts.c.text))) == ["Ours."]


# Figures


async def test_stats_are_told_at_a_glance(desk: Desk, locks: Locks) -> None:
    async with desk.store.write() as connection:
        await subscriber_queries.pause(connection, await id_of(desk.store, "di"), until=None, now=NOW)
        await connection.execute(
            update(subscribers_table)
            .where(subscribers_table.c.recipient == "ada")
            .values(created_at=NOW - 8 * 24 * HOUR)
        )
        await closing_state.save(connection, polled_at=NOON, failing_since=NOON + HOUR)
        await channel_state.save(connection, "fake", ChannelState(halted_at=NOON, halted_for="no such words"))
        await channel_state.save(connection, "mail", ChannelState(waits_until=NOON + 24 * HOUR))
    await desk.announce()
    answer = await desk.ask("stats")
    assert answer.ok
    assert [(row.label, row.value) for row in answer.rows] == [
        ("Readers: active", "3"),
        ("Readers: paused", "1"),
        ("Readers on fake", "3"),
        ("Readers in English", "2"),
        ("Readers in 한국어", "1"),
        ("New in the last seven days", "3"),
        ("Daily papers · Monday, 3 November 2025", "sent: 2"),
        ("Announcement · Tuesday, 4 November 2025", "still owed: 3"),
        ("Channel fake", "halted since 4 November, 12:00 UTC: no such words"),
        ("Channel mail", "waits until 5 November, 12:00 UTC"),
        ("Feed", "cannot be read since 4 November, 13:00 UTC · last read on 4 November, 12:00 UTC"),
    ]


async def test_stats_of_a_newsletter_that_has_only_begun(store: Store) -> None:
    answer = await Desk(store).ask("stats", locale="ko")
    assert [row.value for row in answer.rows] == ["0", "발송 중", "아직 읽지 않음"]
