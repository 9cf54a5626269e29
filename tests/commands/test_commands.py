"""What a reader asks, and what becomes of it: the same commands that every channel offers, on both databases."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select, update

from bot.channel import FOR_OPERATORS, Answer, Asker, Change, Command, Limits, Request, Sent, Today, written
from bot.commands import ReaderCommands
from bot.commands.quota import AT_ONCE, EVERY, Quota
from bot.delivery.dispatcher import Dispatcher
from bot.model import (
    Address,
    Cadence,
    Edition,
    Extra,
    Found,
    Preferences,
    Ranked,
    Reason,
    State,
    Status,
    Style,
    Subscriber,
)
from bot.rules.access import Access, Admission
from bot.runtime.locks import make_locks
from bot.store import Store, edition_queries, paper_queries, subscriber_queries
from bot.store.edition_report import reports
from bot.store.schema import deliveries, reason_columns
from tests.support.fake_channel import DAY, NOW, FakeChannel, Plain, paper, publish, settle

HOUR = timedelta(hours=1)
LATER = NOW + HOUR
ADA = Address("fake", "ada")


class Desk:
    """One reader's conversation; every question comes ten seconds after the last."""

    def __init__(self, store: Store, now: datetime = LATER, **options: Any) -> None:
        self.store = store
        self.channel = FakeChannel()
        self.now = now
        given: dict[str, Any] = {"fallback": Preferences(), "closes": time(22)}
        self.options = given | options
        self.readers = ReaderCommands(store, [self.channel], **self.options)
        self.asker = Asker(ADA)

    async def ask(self, request: Request | str, **asker: Any) -> Answer:
        self.now += timedelta(seconds=10)
        return await self.readers.ask(replace(self.asker, **asker), request, self.now)

    async def says(self, request: Request | str, **asker: Any) -> str:
        return " ".join((await self.ask(request, **asker)).says)

    async def reader(self, address: Address = ADA) -> Subscriber | None:
        async with self.store.read() as connection:
            return await subscriber_queries.get(connection, address)

    async def preferences(self) -> Preferences:
        reader = await self.reader()
        assert reader is not None
        return reader.preferences

    async def rows(self) -> list[tuple[str, str | None]]:
        async with self.store.read() as connection:
            query = select(deliveries.c.state, deliveries.c.reason_code).order_by(deliveries.c.id)
            return [(row.state, row.reason_code) for row in await connection.execute(query)]


@pytest.fixture
async def desk(store: Store) -> Desk:
    """A reader who has asked nothing yet, the day after an edition of three papers was closed."""
    await publish(store, {})
    return Desk(store)


# Coming and going


async def test_a_new_reader_is_greeted_in_the_language_of_their_app_with_the_latest_edition(desk: Desk) -> None:
    answer = await desk.ask("subscribe", locale="ko-KR")
    assert answer.ok
    assert answer.language == "ko"
    assert "서울" in " ".join(answer.says)
    assert [written(option.request) for option in answer.options] == ["zone", "time", "language", "settings"]
    wanted = await desk.preferences()
    assert (wanted.language, wanted.timezone) == ("ko", "Asia/Seoul")
    assert await desk.rows() == [("owed", None)]
    await settle(Dispatcher(desk.store, desk.channel, make_locks(desk.store.engine.url, desk.store.path)), desk.now)
    assert desk.channel.reached == ["ada"]


async def test_what_a_link_says_is_taken_before_what_is_guessed(desk: Desk) -> None:
    await desk.ask("subscribe ja-abstract", locale="ko-KR")
    wanted = await desk.preferences()
    assert (wanted.language, wanted.style, wanted.timezone) == ("ja", Style.ABSTRACT, "Asia/Seoul")


async def test_nobody_is_subscribed_twice(desk: Desk) -> None:
    await desk.ask("subscribe")
    assert "already" in await desk.says("subscribe")
    assert await desk.rows() == [("owed", None)]


@pytest.mark.parametrize("away", ["unsubscribe", "pause", "gone"])
async def test_whoever_comes_back_finds_everything_as_it_was(desk: Desk, away: str) -> None:
    await desk.ask("subscribe")
    await desk.ask("time 7:30")
    if away == "gone":
        reader = await desk.reader()
        assert reader is not None
        async with desk.store.write() as connection:
            await subscriber_queries.set_status(connection, reader.id, Status.GONE, Reason.UNREACHABLE, "blocked")
    else:
        await desk.ask(away)
    before = await desk.preferences()
    assert "Welcome back" in await desk.says("subscribe")
    reader = await desk.reader()
    assert reader is not None
    assert (reader.status, reader.reason, reader.preferences) == (Status.ACTIVE, None, before)


async def test_leaving_takes_one_word_and_ends_what_was_owed(desk: Desk) -> None:
    await desk.ask("subscribe")
    answer = await desk.ask("unsubscribe")
    assert answer.ok
    assert await desk.rows() == [("skipped", Reason.UNSUBSCRIBED)]
    assert "not subscribed" in await desk.says("unsubscribe")


async def test_a_pause_ends_at_midnight_where_the_reader_lives(desk: Desk) -> None:
    await desk.ask("subscribe", locale="ko")
    await desk.ask("pause 2025-11-10")
    reader = await desk.reader()
    assert reader is not None
    assert reader.paused_until == datetime(2025, 11, 9, 15, tzinfo=UTC)
    assert await desk.rows() == [("skipped", Reason.PAUSED)]
    assert "11월 10일 00:00" in await desk.says("settings")
    await desk.ask("resume")
    reader = await desk.reader()
    assert reader is not None
    assert (reader.status, reader.paused_until) == (Status.ACTIVE, None)


@pytest.mark.parametrize("line", ["pause", "resume", "settings", "time 8", "language", "zone Berlin", "why"])
async def test_without_a_subscription_there_is_nothing_to_change(desk: Desk, line: str) -> None:
    answer = await desk.ask(line)
    assert "subscribe" in [written(option.request) for option in answer.options]
    assert await desk.reader() is None


async def test_whoever_was_left_alone_comes_back_by_their_own_act(desk: Desk) -> None:
    async with desk.store.write() as connection:
        await subscriber_queries.suppress(connection, ADA, Reason.COMPLAINED, now=NOW)
    assert (await desk.ask("subscribe")).ok
    async with desk.store.read() as connection:
        assert not await subscriber_queries.is_suppressed(connection, ADA)


async def test_filters_that_leave_nothing_of_the_latest_edition_are_told_at_once(desk: Desk) -> None:
    await desk.ask("subscribe")
    await desk.ask("topics unicorns")
    await desk.ask("unsubscribe")
    assert "filters leave nothing" in await desk.says("subscribe")


# Who is let in


async def test_what_many_ask_for_at_once_is_composed_once_and_anew_where_it_changed(desk: Desk) -> None:
    composed: list[Any] = []
    desk.channel.compose_fault = composed.append
    first = await desk.ask("date 2025-11-03")
    made = len(composed)
    again = await desk.ask("date 2025-11-03")
    assert len(composed) == made > 0
    assert (again.page, again.message) == (first.page, first.message)
    await desk.ask("date 2025-11-03 mine")  # leads to other pages, though it says the same
    assert len(composed) > made
    made = len(composed)
    assert (await desk.ask("date 2025-11-03", locale="ko")).page != first.page
    assert len(composed) > made


async def test_without_an_invitation_nobody_reads_or_subscribes(store: Store) -> None:
    await publish(store, {})
    desk = Desk(store, access=Access(Admission.INVITE, codes=("LAB_2026", "OTHER_1")))
    for line in ("today", "search Paper", "subscribe", "subscribe LAB_2027", "subscribe ko-LAB"):
        answer = await desk.ask(line)
        assert not answer.ok
        assert "invitation" in answer.says[0]
    for line in ("help", "privacy", "forget", "export"):
        assert (await desk.ask(line)).ok
    assert (await desk.ask("subscribe ko-LAB_2026")).ok
    assert (await desk.ask("today")).ok
    await desk.ask("unsubscribe")
    assert (await desk.ask("subscribe")).ok


async def test_a_list_lets_in_whom_it_names(store: Store) -> None:
    await publish(store, {})
    access = Access(Admission.LIST, allowed=("fake:ad?", "fake:*@lab.example"), always=(Address("fake", "root"),))
    desk = Desk(store, access=access)
    let_in = {
        name: (await desk.ask("subscribe", address=Address("fake", name))).ok
        for name in ("ada", "bo", "Bo@LAB.example", "root")
    }
    assert let_in == {"ada": True, "bo": False, "Bo@LAB.example": True, "root": True}


async def test_in_a_place_that_many_share_only_those_who_run_it_change_anything(desk: Desk) -> None:
    assert not (await desk.ask("subscribe", person="7", may_change=False)).ok
    assert (await desk.ask("subscribe", person="1", locale="ko")).ok
    before = await desk.preferences()
    for line in ("time 7", "unsubscribe", "pause", "resume", "forget confirmed", "export", "zone Berlin"):
        answer = await desk.ask(line, person="7", may_change=False, locale="ja")
        assert (answer.ok, answer.language) == (False, "ja")
    assert (await desk.ask("settings", person="7", may_change=False)).ok
    assert (await desk.ask("today", person="7", may_change=False)).ok
    assert await desk.preferences() == before


async def test_one_person_who_asks_too_fast_is_asked_to_wait_and_others_are_not(desk: Desk) -> None:
    async def at_once(person: str) -> list[bool]:
        asker = Asker(ADA, person=person)
        return [(await desk.readers.ask(asker, "help", LATER)).ok for _ in range(AT_ONCE + 2)]

    assert await at_once("1") == [*[True] * AT_ONCE, False, False]
    assert await at_once("2") == [*[True] * AT_ONCE, False, False]
    assert (await desk.readers.ask(Asker(ADA, person="1"), "help", LATER + EVERY)).ok


@given(st.lists(st.floats(0, 60), max_size=120))
def test_nobody_gets_more_than_their_allowance(gaps: list[float]) -> None:
    allowance, now, taken = Quota(), NOW, 0
    for gap in gaps:
        now += timedelta(seconds=gap)
        wait = allowance.take("ada", now)
        taken += wait is None
        assert wait is None or timedelta() < wait <= EVERY
    assert taken <= AT_ONCE + (now - NOW) / EVERY + 1


# Papers


async def test_today_is_all_of_the_day_whatever_is_filtered(desk: Desk) -> None:
    await desk.ask("subscribe")
    await desk.ask("topics unicorns")
    await desk.ask("count 1")
    desk.now = datetime(2025, 11, 3, 12, tzinfo=UTC)
    answer = await desk.ask(Today())
    assert answer.page is not None
    assert len(answer.page.blocks) == 3
    assert "usually holds" in answer.page.notes[0]


async def test_where_nothing_is_listed_today_the_latest_edition_is_shown_and_named(desk: Desk) -> None:
    desk.now = datetime(2025, 11, 8, 12, tzinfo=UTC)
    answer = await desk.ask("today")
    assert answer.page is not None
    assert "No papers are listed for today" in answer.says[0]
    assert "3 November 2025" in answer.page.heading


async def test_what_does_not_fit_is_shown_from_where_it_was_cut(desk: Desk) -> None:
    class Counted(Plain):
        def sizes(self) -> dict[str, int]:
            return {"papers": len(self.page.blocks)}

    class Narrow(FakeChannel):
        def compose(self, page: Any) -> Any:
            return Counted(page)

    channel = Narrow(limits=Limits(maxima={"papers": 2}))
    desk.readers = ReaderCommands(desk.store, [channel], **desk.options)
    first = await desk.ask("date 2025-11-03")
    assert first.page is not None
    assert [block.rank for block in first.page.blocks] == [1, 2]
    assert first.message is not None
    assert (first.page.previous, first.page.next) == (None, "date +2 2025-11-03")
    second = await desk.ask("date +2 2025-11-03")
    assert second.page is not None
    assert [block.rank for block in second.page.blocks] == [3]
    assert (second.page.previous, second.page.next) == ("date 2025-11-03", None)
    astray = await desk.ask("date +1 2025-11-03")  # nobody was led there, but somebody may come
    assert astray.page is not None
    assert (astray.page.previous, astray.page.next) == ("date 2025-11-03", None)
    assert not (await desk.ask("date +9 2025-11-03")).ok


@pytest.mark.parametrize(
    ("line", "now", "said"),
    [
        ("date 2025-12-24", LATER, "has not come yet"),
        ("date 2025-11-01", LATER, "weekends"),
        ("date 2025-10-31", LATER, "There is no edition of Friday"),
        ("paper 2001.00001", LATER, "https://arxiv.org/abs/2001.00001"),
        ("search unicorns", LATER, "Nothing was found for “unicorns”"),
        ("top 3", NOW + timedelta(days=60), "No papers have been listed"),
    ],
)
async def test_where_there_is_nothing_to_show_the_answer_says_why(
    desk: Desk, line: str, now: datetime, said: str
) -> None:
    desk.now = now
    answer = await desk.ask(line)
    assert not answer.ok
    assert said in answer.says[0]


async def test_before_the_first_edition_everything_has_an_answer(store: Store) -> None:
    desk = Desk(store)
    for line in ("today", "week", "month", "date", "top"):
        answer = await desk.ask(line)
        assert not answer.ok
        assert answer.says


async def test_a_week_shows_its_edition_or_what_is_best_so_far(desk: Desk) -> None:
    so_far = await desk.ask("week")
    assert so_far.page is not None
    assert "No such period" in so_far.says[0]
    assert "last 7 days" in so_far.page.heading
    async with desk.store.write() as connection:
        [one] = await paper_queries.by_ids(connection, [f"2511.{DAY.toordinal() % 10_000 * 10:05}"])
        week = Edition(Cadence.WEEK, date(2025, 11, 9), NOW, (Ranked(1, one, 7),))
        await edition_queries.add(connection, week)
    desk.now = datetime(2025, 11, 10, 1, tzinfo=UTC)
    for line in ("week", "week 2025-W45", "week 2025-11-05"):
        closed = await desk.ask(line)
        assert closed.page is not None
        assert "Weekly papers" in closed.page.heading


async def test_search_and_top_rank_what_they_find(desk: Desk) -> None:
    async with desk.store.write() as connection:
        found = [
            replace(paper(number, DAY, votes), title=title)
            for number, votes, title in ((1, 5, "A robot"), (2, 9, "Two"))
        ]
        await paper_queries.keep(connection, Found(found, frozenset()))
    top = await desk.ask("top 7")
    assert top.page is not None
    assert [block.title for block in top.page.blocks][:2] == ["Two", "A robot"]
    search = await desk.ask("search robot")
    assert search.page is not None
    assert [block.title for block in search.page.blocks] == ["A robot"]
    one = await desk.ask("paper arxiv.org/abs/2511.00001v3")
    assert one.page is not None
    assert one.page.blocks[0].said.style == "abstract"


# Preferences


@pytest.mark.parametrize(
    ("line", "changed"),
    [
        ("language ko", {"language": "ko"}),
        ("style abstract", {"style": Style.ABSTRACT}),
        ("count all", {"papers": 0}),
        ("votes 5", {"min_votes": 5}),
        ("topics diffusion, -video", {"topics": ("diffusion", "-video")}),
        ("time 7:45", {"hour": 465}),
        ("weekdays mon-fri", {"weekdays": 0b0011111}),
        ("zone Asia/Seoul", {"timezone": "Asia/Seoul"}),
        ("cadence month", {"cadence": Cadence.MONTH}),
    ],
)
async def test_each_preference_is_changed_alone_and_said_back(desk: Desk, line: str, changed: dict[str, Any]) -> None:
    await desk.ask("subscribe")
    before = await desk.preferences()
    answer = await desk.ask(line)
    assert answer.ok
    assert await desk.preferences() == replace(before, **changed)
    menu = await desk.ask(line.split(maxsplit=1)[0])
    assert menu.ok
    chosen = [option for option in menu.options if option.chosen]
    command = Command(line.split(maxsplit=1)[0])
    if command not in {Command.TOPICS, Command.TIME, Command.ZONE}:
        assert chosen
    for option in menu.options:
        assert (await desk.ask(written(option.request))).ok


async def test_a_language_guessed_wrong_is_one_tap_from_right(desk: Desk) -> None:
    answer = await desk.ask("subscribe", locale="ko")
    languages = next(option for option in answer.options if written(option.request) == "language")
    menu = await desk.ask(languages.request)
    assert {option.label for option in menu.options} >= {
        "English",
        "한국어",
        "日本語",
        "中文 (简体)",
        "中文 (繁體)",
        "العربية",
    }
    right = next(option for option in menu.options if option.label == "日本語")
    assert (await desk.ask(right.request)).language == "ja"


async def test_a_zone_guessed_wrong_is_corrected_by_a_city_in_the_readers_language(desk: Desk) -> None:
    await desk.ask("subscribe", locale="ko")
    found = await desk.ask("zone 베를린")
    assert (await desk.ask(found.options[0].request)).ok
    assert (await desk.preferences()).timezone == "Europe/Berlin"
    lost = await desk.ask("zone 아틀란티스")
    assert not lost.ok


async def test_topics_are_shown_with_what_the_last_30_days_would_have_given(desk: Desk) -> None:
    await desk.ask("subscribe")
    answer = await desk.ask("topics 95580")
    assert "you would have got 1 of 3" in " ".join(answer.says)
    answer = await desk.ask("topics Paper")
    assert "you would have got 3 of 3" in " ".join(answer.says)
    assert len(answer.rows) == 3
    assert all(row.request is not None for row in answer.rows)
    cleared = await desk.ask(next(option for option in answer.options if option.label == "Remove Paper").request)
    assert cleared.ok
    assert (await desk.preferences()).topics == ()


@pytest.mark.parametrize(
    "change",
    [
        Change(),
        Change(language="xx"),
        Change(papers=51),
        Change(papers=-1),
        Change(min_votes=-5),
        Change(topics=("  ",)),
        Change(topics=("a",) * 40),
        Change(topics=("x" * 500,)),
        Change(hour=7),
        Change(hour=24 * 60),
        Change(weekdays=0),
        Change(weekdays=128),
        Change(timezone="Mars/Olympus"),
        Change(timezone="../../etc/passwd"),
    ],
)
async def test_what_cannot_be_chosen_changes_nothing(desk: Desk, change: Change) -> None:
    await desk.ask("subscribe")
    before = await desk.preferences()
    assert not (await desk.ask(change)).ok
    assert await desk.preferences() == before


async def test_settings_show_every_preference_and_lead_to_each(desk: Desk) -> None:
    await desk.ask("subscribe")
    answer = await desk.ask("settings")
    assert len(answer.rows) == 9
    for row in answer.rows:
        assert row.value
        assert row.request is not None
        assert (await desk.ask(row.request)).ok
    assert [written(option.request) for option in answer.options] == ["pause", "unsubscribe"]


# Why, export, forget


@pytest.mark.parametrize(
    ("state", "reason", "said"),
    [
        (State.OWED, None, "It is due on"),
        (State.SENDING, None, "It is being sent"),
        (State.SENT, None, "It was sent on"),
        (State.GONE, Reason.UNREACHABLE, "did not take messages"),
        (State.BARRED, Reason.NO_RIGHT, "no right to post"),
        (State.REJECTED, Reason.OTHER, "our fault"),
        (State.EXPIRED, Reason.SUPERSEDED, "took its place"),
        (State.EXPIRED, Reason.TOO_LATE, "dropped rather than sent late"),
        (State.SKIPPED, Reason.NO_MATCH, "filters left nothing"),
        (State.SKIPPED, Reason.PAUSED, "you had paused"),
        (State.SKIPPED, Reason.UNSUBSCRIBED, "you had unsubscribed"),
        (State.SKIPPED, Reason.CADENCE_CHANGED, "another kind"),
        (State.SKIPPED, Reason.RESTORED, "backup"),
        (State.SKIPPED, Reason.DROPPED, "whoever runs"),
        (State.UNKNOWN, Reason.OTHER, "never said"),
    ],
)
async def test_why_has_an_answer_for_whatever_became_of_it(
    desk: Desk, state: State, reason: Reason | None, said: str
) -> None:
    await desk.ask("subscribe")
    async with desk.store.write() as connection:
        ended = None if state in {State.OWED, State.SENDING} else LATER
        values = {} if reason is None else reason_columns(reason)
        await connection.execute(update(deliveries).values(state=state.value, ended_at=ended, **values))
    assert said in await desk.says("why")
    assert said in await desk.says("why 2025-11-03")


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("why 2025-11-04", "is closed on"),
        ("why 2025-11-02", "weekends"),
        ("why 2025-10-30", "no papers were listed"),
    ],
)
async def test_why_explains_a_day_without_an_edition(desk: Desk, line: str, said: str) -> None:
    await desk.ask("subscribe")
    assert said in await desk.says(line)


async def test_why_tells_who_was_not_there_and_who_was_not_meant(desk: Desk) -> None:
    await desk.ask("subscribe")
    async with desk.store.write() as connection:
        await connection.execute(deliveries.delete())
    assert "You subscribed after it was closed" in await desk.says("why")
    assert "no subscription here" in await desk.says("why", address=Address("fake", "bo"))


async def test_why_counts_what_filters_leave(desk: Desk) -> None:
    await desk.ask("subscribe")
    await desk.ask("topics unicorns")
    assert "0 of its 3 papers are left" in await desk.says("why")


async def test_an_export_is_all_there_is_and_what_is_forgotten_is_gone(desk: Desk) -> None:
    assert "Nothing is stored" in await desk.says("export")
    await desk.ask("subscribe", locale="ko")
    answer = await desk.ask("export")
    assert answer.file is not None
    told = json.loads(answer.file.content)
    assert told["address"] == "fake:ada"
    assert told["preferences"]["timezone"] == "Asia/Seoul"
    assert [entry["state"] for entry in told["deliveries"]] == ["owed"]
    asked_back = await desk.ask("forget")
    assert await desk.reader() is not None
    await desk.ask(asked_back.options[0].request)
    assert await desk.reader() is None
    assert await desk.rows() == [("skipped", Reason.FORGOTTEN)]
    assert (await desk.ask("forget")).file is None


# Several things at once, and taken back


async def test_of_changes_made_at_the_same_time_none_is_lost(desk: Desk) -> None:
    await desk.ask("subscribe")
    lines = ("time 7", "zone Europe/Berlin", "count 3", "votes 2", "topics robots", "weekdays 1-5")
    answers = await asyncio.gather(*(desk.readers.ask(desk.asker, line, desk.now) for line in lines))
    assert [answer.says for answer in answers if not answer.ok] == []
    assert await desk.preferences() == Preferences(
        hour=420, timezone="Europe/Berlin", papers=3, min_votes=2, topics=("robots",), weekdays=0b0011111
    )


@pytest.mark.parametrize("lines", [("pause", "resume"), ("cadence week", "cadence day"), ("unsubscribe", "subscribe")])
async def test_what_is_taken_back_costs_no_edition(desk: Desk, lines: tuple[str, str]) -> None:
    await desk.ask("subscribe")
    for line in lines:
        await desk.ask(line)
    assert await desk.rows() == [("owed", None)]
    async with desk.store.read() as connection:
        assert all(report.adds_up for report in await reports(connection))


async def test_an_edition_that_is_due_after_a_pause_is_owed_though_it_is_closed_before(desk: Desk) -> None:
    await desk.ask("subscribe")
    await desk.ask("zone Europe/Berlin")
    await desk.ask("pause 2025-11-06")
    await publish(desk.store, {}, day=date(2025, 11, 4), now=NOW + timedelta(days=1))
    await publish(desk.store, {}, day=date(2025, 11, 5), now=NOW + timedelta(days=2))
    assert await desk.rows() == [("skipped", Reason.PAUSED), ("owed", None)]


async def test_whoever_has_left_is_told_so_in_their_settings(desk: Desk) -> None:
    await desk.ask("subscribe")
    await desk.ask("unsubscribe")
    answer = await desk.ask("settings")
    assert list(answer.says) == ["You are unsubscribed."]
    assert [written(option.request) for option in answer.options] == ["subscribe"]
    assert "no subscription" in await desk.says("pause")
    assert "no subscription" in await desk.says("resume")


async def test_a_missing_week_is_not_blamed_on_the_weekend(desk: Desk) -> None:
    assert "weekend" not in await desk.says("week 2025-W05")
    assert "weekend" not in await desk.says("month 2025-02")


async def test_the_papers_too_are_shown_in_the_language_of_who_asks(desk: Desk) -> None:
    await desk.ask("subscribe", locale="ko")
    answer = await desk.ask("date 2025-11-03", person="7", locale="ja")
    assert answer.page is not None
    assert (answer.language, answer.page.language) == ("ja", "ja")


async def test_whoever_was_removed_has_to_be_let_in_anew(store: Store) -> None:
    await publish(store, {})
    desk = Desk(store, access=Access(Admission.LIST, codes=("LAB_2026",), allowed=("fake:bo",)))
    await desk.readers.subscribe(ADA, Preferences(), LATER)
    assert (await desk.ask("today")).ok
    reader = await desk.reader()
    assert reader is not None
    async with store.write() as connection:
        await subscriber_queries.unsubscribe(connection, reader.id, now=LATER, reason=Reason.REMOVED)
        await subscriber_queries.suppress(connection, ADA, Reason.REMOVED, now=LATER)
    assert not (await desk.ask("today")).ok
    refused = await desk.ask("subscribe LAB_2026")
    assert not refused.ok
    assert "code" not in refused.says[0]
    async with store.read() as connection:
        assert await subscriber_queries.is_suppressed(connection, ADA)
    assert not await desk.readers.subscribe(ADA, Preferences(), LATER)


# What is typed and what breaks


@pytest.mark.parametrize(
    "line", ["topics a\x1b]0;x", "topics a\u202eb", "topics a\x00b", "search \ud83d x", "time\u30007:30"]
)
async def test_nothing_that_commands_a_terminal_or_a_database_is_kept(desk: Desk, line: str) -> None:
    await desk.ask("subscribe")
    answer = await desk.ask(line)
    assert all(said.isprintable() for said in answer.says)
    wanted = await desk.preferences()
    assert all(topic.isprintable() for topic in wanted.topics)
    if line.startswith("time"):
        assert wanted.hour == 450


@pytest.mark.parametrize(
    "line", ["", "hello", "/", "drop table", "time 99", "topics", "\x00", "x" * 100_000, "🙂" * 500]
)
async def test_whatever_is_typed_is_answered(desk: Desk, line: str) -> None:
    await desk.ask("subscribe")
    answer = await desk.ask(line)
    assert answer.says or answer.rows


async def test_help_knows_every_command(desk: Desk) -> None:
    answer = await desk.ask("help")
    assert {row.label for row in answer.rows} == set(Command) - set(Extra) - FOR_OPERATORS  # a channel without extras
    for command in set(Command) - FOR_OPERATORS:
        one = await desk.ask(f"help {command}")
        assert command in one.says[0]


async def test_a_fault_of_ours_is_an_answer_too(desk: Desk) -> None:
    class Broken(FakeChannel):
        def compose(self, page: Any) -> Any:
            raise RuntimeError("no such macro")

    desk.readers = ReaderCommands(desk.store, [Broken()], **desk.options)
    answer = await desk.ask("date 2025-11-03", locale="ko")
    assert (answer.ok, answer.language) == (False, "ko")
    assert "RuntimeError" not in " ".join(answer.says)


async def test_the_welcome_goes_out_once_however_often_somebody_leaves_and_returns(desk: Desk) -> None:
    locks = make_locks(desk.store.engine.url, desk.store.path)
    for _ in range(3):
        await desk.ask("subscribe")
        await settle(Dispatcher(desk.store, desk.channel, locks), desk.now)
        await desk.ask("unsubscribe")
    assert desk.channel.reached == ["ada"]
    assert [state for state, _ in await desk.rows()] == [State.SENT]
    assert isinstance(desk.channel.answer("ada", None, None), Sent)  # type: ignore[arg-type]
