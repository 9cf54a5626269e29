"""The commands that every channel offers, run on both databases: replies, and what is stored after them."""

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

from bot.channel import CommandName, Limits, Reply, Requester, Sent
from bot.commands import ReaderCommands
from bot.commands.token_buckets import BURST, REFILL, TokenBuckets
from bot.delivery.dispatcher import Dispatcher
from bot.model import (
    Address,
    Cadence,
    Edition,
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
from channels.discord.post_options import POST_OPTIONS
from channels.telegram.message import PICTURE, RICH
from tests.support.fake_channel import DAY, NOW, FakeChannel, Plain, paper, publish, settle

HOUR = timedelta(hours=1)
LATER = NOW + HOUR
ADA = Address("fake", "ada")


class Chat:
    """One reader's conversation; every line comes ten seconds after the last."""

    def __init__(self, store: Store, now: datetime = LATER, **options: Any) -> None:
        self.store = store
        self.channel = FakeChannel()
        self.now = now
        given: dict[str, Any] = {"fallback": Preferences(), "closes": time(22)}
        self.options = given | options
        self.readers = ReaderCommands(store, [self.channel], **self.options)
        self.requester = Requester(ADA)

    async def ask(self, line: str, **requester: Any) -> Reply:
        self.now += timedelta(seconds=10)
        return await self.readers.ask(replace(self.requester, **requester), line, self.now)

    async def says(self, line: str, **requester: Any) -> str:
        return " ".join((await self.ask(line, **requester)).says)

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
async def chat(store: Store) -> Chat:
    """A reader who has written nothing yet, the day after an edition of three papers was closed."""
    await publish(store, {})
    return Chat(store)


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


# Access, rate limits, cached pages


async def test_a_fitted_page_is_cached_until_it_changes(chat: Chat) -> None:
    composed: list[Any] = []
    chat.channel.compose_fault = composed.append
    first = await chat.ask("date 2025-11-03")
    made = len(composed)
    again = await chat.ask("date 2025-11-03")
    assert len(composed) == made > 0
    assert (again.page, again.message) == (first.page, first.message)
    await chat.ask("date 2025-11-03 mine")  # leads to other pages, though it says the same
    assert len(composed) > made
    made = len(composed)
    assert (await chat.ask("date 2025-11-03", locale="ko")).page != first.page
    assert len(composed) > made


async def test_without_an_invite_code_nobody_reads_or_subscribes(store: Store) -> None:
    await publish(store, {})
    chat = Chat(store, access=Access(Admission.INVITE, codes=("LAB_2026", "OTHER_1")))
    for line in ("today", "search Paper", "subscribe", "subscribe LAB_2027", "subscribe ko-LAB"):
        answer = await chat.ask(line)
        assert not answer.ok
        assert "invitation" in answer.says[0]
    for line in ("help", "privacy", "forget", "export"):
        assert (await chat.ask(line)).ok
    assert (await chat.ask("subscribe ko-LAB_2026")).ok
    assert (await chat.ask("today")).ok
    await chat.ask("unsubscribe")
    assert (await chat.ask("subscribe")).ok


async def test_access_by_list_admits_the_addresses_it_names(store: Store) -> None:
    await publish(store, {})
    access = Access(Admission.LIST, allowed=("fake:ad?", "fake:*@lab.example"), always=(Address("fake", "root"),))
    chat = Chat(store, access=access)
    let_in = {
        name: (await chat.ask("subscribe", address=Address("fake", name))).ok
        for name in ("ada", "bo", "Bo@LAB.example", "root")
    }
    assert let_in == {"ada": True, "bo": False, "Bo@LAB.example": True, "root": True}


async def test_after_a_change_the_papers_are_a_tap_away(chat: Chat) -> None:
    await chat.ask("subscribe")
    for line in ("style headline", "count 2", "language ko", "topics agents"):
        saved = await chat.ask(line)
        assert "date mine" in [option.line for option in saved.options], line
    await chat.ask("topics none")
    shown = await chat.ask("date mine")
    assert shown.page is not None
    assert shown.page.language == "ko"
    assert len(shown.page.blocks) == 2
    assert "date mine" not in [option.line for option in (await chat.ask("time 9")).options], "no other papers"


@pytest.mark.parametrize("typed", ["de", "Deutsch", "klingon"])
async def test_a_language_that_is_not_offered_is_answered_with_those_there_are(chat: Chat, typed: str) -> None:
    await chat.ask("subscribe")
    answer = await chat.ask(f"language {typed}")
    assert not answer.ok
    assert "한국어" in answer.says[0]
    assert {"language ko", "language ar"} <= {option.line for option in answer.options}
    assert (await chat.preferences()).language == "en"


async def test_in_a_shared_place_only_its_managers_change_anything(chat: Chat) -> None:
    assert not (await chat.ask("subscribe", person="7", may_change=False)).ok
    assert (await chat.ask("subscribe", person="1", locale="ko")).ok
    before = await chat.preferences()
    for line in ("time 7", "unsubscribe", "pause", "resume", "forget confirmed", "export", "zone Berlin"):
        answer = await chat.ask(line, person="7", may_change=False, locale="ja")
        assert (answer.ok, answer.language) == (False, "ja")
    assert (await chat.ask("settings", person="7", may_change=False)).ok
    assert (await chat.ask("today", person="7", may_change=False)).ok
    assert await chat.preferences() == before


async def test_the_rate_limit_is_per_person(chat: Chat) -> None:
    async def at_once(person: str) -> list[bool]:
        requester = Requester(ADA, person=person)
        return [(await chat.readers.ask(requester, "help", LATER)).ok for _ in range(BURST + 2)]

    assert await at_once("1") == [*[True] * BURST, False, False]
    assert await at_once("2") == [*[True] * BURST, False, False]
    assert (await chat.readers.ask(Requester(ADA, person="1"), "help", LATER + REFILL)).ok


@given(st.lists(st.floats(0, 60), max_size=120))
def test_a_token_bucket_gives_no_more_than_its_burst_and_refill(gaps: list[float]) -> None:
    allowance, now, taken = TokenBuckets(), NOW, 0
    for gap in gaps:
        now += timedelta(seconds=gap)
        wait = allowance.take("ada", now)
        taken += wait is None
        assert wait is None or timedelta() < wait <= REFILL
    assert taken <= BURST + (now - NOW) / REFILL + 1


# Papers


async def test_today_is_all_of_the_day_whatever_is_filtered(chat: Chat) -> None:
    await chat.ask("subscribe")
    await chat.ask("topics unicorns")
    await chat.ask("count 1")
    chat.now = datetime(2025, 11, 3, 12, tzinfo=UTC)
    answer = await chat.ask("today")
    assert answer.page is not None
    assert len(answer.page.blocks) == 3
    assert "usually holds" in answer.page.notes[0]


async def test_where_nothing_is_listed_today_the_latest_edition_is_shown_and_named(chat: Chat) -> None:
    chat.now = datetime(2025, 11, 8, 12, tzinfo=UTC)
    answer = await chat.ask("today")
    assert answer.page is not None
    assert "No papers are listed for today" in answer.says[0]
    assert "3 November 2025" in answer.page.heading


async def test_what_does_not_fit_is_shown_from_where_it_was_cut(chat: Chat) -> None:
    class Counted(Plain):
        def sizes(self) -> dict[str, int]:
            return {"papers": len(self.page.blocks)}

    class Narrow(FakeChannel):
        def compose(self, page: Any) -> Any:
            return Counted(page)

    channel = Narrow(limits=Limits(maxima={"papers": 2}))
    chat.readers = ReaderCommands(chat.store, [channel], **chat.options)
    first = await chat.ask("date 2025-11-03")
    assert first.page is not None
    assert [block.rank for block in first.page.blocks] == [1, 2]
    assert first.message is not None
    assert (first.page.paging.previous, first.page.paging.next) == (None, "date +2 2025-11-03")
    second = await chat.ask("date +2 2025-11-03")
    assert second.page is not None
    assert [block.rank for block in second.page.blocks] == [3]
    assert (second.page.paging.previous, second.page.paging.next) == ("date 2025-11-03", None)
    astray = await chat.ask("date +1 2025-11-03")  # nobody was led there, but somebody may come
    assert astray.page is not None
    assert (astray.page.paging.previous, astray.page.paging.next) == ("date 2025-11-03", None)
    assert not (await chat.ask("date +9 2025-11-03")).ok


@pytest.mark.parametrize(
    ("line", "now", "said"),
    [
        ("date 2025-12-24", LATER, "is in the future"),
        ("date 2025-11-01", LATER, "weekends"),
        ("date 2025-10-31", LATER, "no edition for Friday"),
        ("paper 2001.00001", LATER, "https://arxiv.org/abs/2001.00001"),
        ("search unicorns", LATER, "Nothing found for “unicorns”"),
        ("top 3", NOW + timedelta(days=60), "No papers were listed"),
    ],
)
async def test_where_there_is_nothing_to_show_the_answer_says_why(
    chat: Chat, line: str, now: datetime, said: str
) -> None:
    chat.now = now
    answer = await chat.ask(line)
    assert not answer.ok
    assert said in answer.says[0]


async def test_before_the_first_edition_everything_has_an_answer(store: Store) -> None:
    chat = Chat(store)
    for line in ("today", "week", "month", "date", "top"):
        answer = await chat.ask(line)
        assert not answer.ok
        assert answer.says


async def test_a_week_shows_its_edition_or_what_is_best_so_far(chat: Chat) -> None:
    so_far = await chat.ask("week")
    assert so_far.page is not None
    assert "hasn’t closed yet" in so_far.says[0]
    assert "last 7 days" in so_far.page.heading
    async with chat.store.write() as connection:
        [one] = await paper_queries.by_ids(connection, [f"2511.{DAY.toordinal() % 10_000 * 10:05}"])
        week = Edition(Cadence.WEEK, date(2025, 11, 9), NOW, (Ranked(1, one, 7),))
        await edition_queries.add(connection, week)
    chat.now = datetime(2025, 11, 10, 1, tzinfo=UTC)
    for line in ("week", "week 2025-W45", "week 2025-11-05"):
        closed = await chat.ask(line)
        assert closed.page is not None
        assert "Weekly papers" in closed.page.heading


async def test_search_and_top_rank_what_they_find(chat: Chat) -> None:
    async with chat.store.write() as connection:
        found = [
            replace(paper(number, DAY, votes), title=title)
            for number, votes, title in ((1, 5, "A robot"), (2, 9, "Two"))
        ]
        await paper_queries.keep(connection, Found(found, frozenset()))
    top = await chat.ask("top 7")
    assert top.page is not None
    assert [block.title for block in top.page.blocks][:2] == ["Two", "A robot"]
    misspelt = await chat.ask("search robbot")
    assert [option.line for option in misspelt.options] == ["search robot"]
    search = await chat.ask("search robot")
    assert search.page is not None
    assert [block.title for block in search.page.blocks] == ["A robot"]
    one = await chat.ask("paper arxiv.org/abs/2511.00001v3")
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
async def test_each_preference_is_changed_on_its_own(chat: Chat, line: str, changed: dict[str, Any]) -> None:
    await chat.ask("subscribe")
    before = await chat.preferences()
    answer = await chat.ask(line)
    assert answer.ok
    assert await chat.preferences() == replace(before, **changed)
    menu = await chat.ask(line.split(maxsplit=1)[0])
    assert menu.ok
    chosen = [option for option in menu.options if option.chosen]
    if line.split(maxsplit=1)[0] not in {CommandName.TOPICS, CommandName.TIME, CommandName.ZONE}:
        assert chosen
    for option in menu.options:
        assert (await chat.ask(option.line)).ok


async def test_a_language_guessed_wrong_is_one_tap_from_right(chat: Chat) -> None:
    answer = await chat.ask("subscribe", locale="ko")
    languages = next(option for option in answer.options if option.line == "language")
    menu = await chat.ask(languages.line)
    assert {option.label for option in menu.options} >= {
        "English",
        "한국어",
        "日本語",
        "中文 (简体)",
        "中文 (繁體)",
        "العربية",
    }
    right = next(option for option in menu.options if option.label == "日本語")
    assert (await chat.ask(right.line)).language == "ja"


async def test_a_zone_guessed_wrong_is_corrected_by_a_city_in_the_readers_language(chat: Chat) -> None:
    await chat.ask("subscribe", locale="ko")
    found = await chat.ask("zone 베를린")
    assert (await chat.ask(found.options[0].line)).ok
    assert (await chat.preferences()).timezone == "Europe/Berlin"
    lost = await chat.ask("zone 아틀란티스")
    assert not lost.ok


async def test_topics_are_shown_with_what_the_last_30_days_would_have_given(chat: Chat) -> None:
    await chat.ask("subscribe")
    answer = await chat.ask("topics 95580")
    assert "you’d have received 1 of 3" in " ".join(answer.says)
    answer = await chat.ask("topics Paper")
    assert "you’d have received 3 of 3" in " ".join(answer.says)
    assert len(answer.rows) == 3
    assert all(row.line for row in answer.rows)
    cleared = await chat.ask(next(option for option in answer.options if option.label == "Remove Paper").line)
    assert cleared.ok
    assert (await chat.preferences()).topics == ()


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"unknown": 1},
        {"language": "ko", "hour": 7},
        {"language": "xx"},
        {"papers": 51},
        {"papers": -1},
        {"min_votes": -5},
        {"topics": ("  ",)},
        {"topics": ("a",) * 40},
        {"topics": ("x" * 500,)},
        {"hour": 7},
        {"hour": 24 * 60},
        {"weekdays": 0},
        {"weekdays": 128},
        {"timezone": "Mars/Olympus"},
        {"timezone": "../../etc/passwd"},
    ],
)
async def test_what_cannot_be_chosen_changes_nothing(chat: Chat, change: dict[str, object]) -> None:
    await chat.ask("subscribe")
    before = await chat.preferences()
    assert not (await chat.readers.change(chat.requester, change, chat.now)).ok
    assert await chat.preferences() == before


async def test_settings_show_every_preference_and_lead_to_each(chat: Chat) -> None:
    await chat.ask("subscribe")
    answer = await chat.ask("settings")
    assert len(answer.rows) == 9
    for row in answer.rows:
        assert row.value
        assert row.line
        assert (await chat.ask(row.line)).ok
    assert [option.line for option in answer.options] == ["pause", "unsubscribe"]


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


# Concurrent changes, and changes taken back


async def test_concurrent_changes_are_all_stored(chat: Chat) -> None:
    await chat.ask("subscribe")
    lines = ("time 7", "zone Europe/Berlin", "count 3", "votes 2", "topics robots", "weekdays 1-5")
    answers = await asyncio.gather(*(chat.readers.ask(chat.requester, line, chat.now) for line in lines))
    assert [answer.says for answer in answers if not answer.ok] == []
    assert await chat.preferences() == Preferences(
        hour=420, timezone="Europe/Berlin", papers=3, min_votes=2, topics=("robots",), weekdays=0b0011111
    )


@pytest.mark.parametrize("lines", [("pause", "resume"), ("cadence week", "cadence day"), ("unsubscribe", "subscribe")])
async def test_a_change_that_is_taken_back_skips_no_edition(chat: Chat, lines: tuple[str, str]) -> None:
    await chat.ask("subscribe")
    for line in lines:
        await chat.ask(line)
    assert await chat.rows() == [("owed", None)]
    async with chat.store.read() as connection:
        assert all(report.adds_up for report in await reports(connection))


async def test_an_edition_that_is_due_after_a_pause_is_owed_though_it_is_closed_before(chat: Chat) -> None:
    await chat.ask("subscribe")
    await chat.ask("zone Europe/Berlin")
    await chat.ask("pause 2025-11-06")
    await publish(chat.store, {}, day=date(2025, 11, 4), now=NOW + timedelta(days=1))
    await publish(chat.store, {}, day=date(2025, 11, 5), now=NOW + timedelta(days=2))
    assert await chat.rows() == [("skipped", Reason.PAUSED), ("owed", None)]


async def test_settings_say_that_a_reader_is_unsubscribed(chat: Chat) -> None:
    await chat.ask("subscribe")
    await chat.ask("unsubscribe")
    answer = await chat.ask("settings")
    assert list(answer.says) == ["You’re unsubscribed."]
    assert [option.line for option in answer.options] == ["subscribe"]
    assert "not subscribed" in await chat.says("pause")
    assert "not subscribed" in await chat.says("resume")


async def test_a_missing_week_is_not_blamed_on_the_weekend(chat: Chat) -> None:
    assert "weekend" not in await chat.says("week 2025-W05")
    assert "weekend" not in await chat.says("month 2025-02")


async def test_the_papers_too_are_shown_in_the_language_of_who_asks(chat: Chat) -> None:
    await chat.ask("subscribe", locale="ko")
    answer = await chat.ask("date 2025-11-03", person="7", locale="ja")
    assert answer.page is not None
    assert (answer.language, answer.page.language) == ("ja", "ja")


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


# Robustness


@pytest.mark.parametrize(
    "line", ["topics a\x1b]0;x", "topics a\u202eb", "topics a\x00b", "search \ud83d x", "time\u30007:30"]
)
async def test_control_characters_are_neither_stored_nor_repeated(chat: Chat, line: str) -> None:
    await chat.ask("subscribe")
    answer = await chat.ask(line)
    assert all(said.isprintable() for said in answer.says)
    wanted = await chat.preferences()
    assert all(topic.isprintable() for topic in wanted.topics)
    if line.startswith("time"):
        assert wanted.hour == 450


@pytest.mark.parametrize(
    "line", ["", "hello", "/", "drop table", "time 99", "topics", "\x00", "x" * 100_000, "🙂" * 500]
)
async def test_every_line_gets_a_reply(chat: Chat, line: str) -> None:
    await chat.ask("subscribe")
    answer = await chat.ask(line)
    assert answer.says or answer.rows


async def test_help_knows_every_command(chat: Chat) -> None:
    for extras in ((), (*POST_OPTIONS, PICTURE, RICH)):
        chat.readers = ReaderCommands(chat.store, [FakeChannel(extras=extras)], **chat.options)
        answer = await chat.ask("help")
        expected = {info.name for info in chat.readers.listed("fake", "en") if not info.for_operators}
        assert {row.label for row in answer.rows} == expected
        with_audio = {CommandName.LISTEN}  # only where editions are read aloud
        assert expected >= {*CommandName, *(extra.command for extra in extras)} - with_audio
        for command in expected:
            chat.now += REFILL
            one = await chat.ask(f"help {command}")
            assert command in one.says[0]


async def test_an_internal_error_gets_a_reply_too(chat: Chat) -> None:
    class Broken(FakeChannel):
        def compose(self, page: Any) -> Any:
            raise RuntimeError("no such macro")

    chat.readers = ReaderCommands(chat.store, [Broken()], **chat.options)
    answer = await chat.ask("date 2025-11-03", locale="ko")
    assert (answer.ok, answer.language) == (False, "ko")
    assert "RuntimeError" not in " ".join(answer.says)


async def test_the_welcome_edition_is_sent_once_however_often_a_reader_resubscribes(chat: Chat) -> None:
    locks = make_locks(chat.store.engine.url, chat.store.path)
    for _ in range(3):
        await chat.ask("subscribe")
        await settle(Dispatcher(chat.store, chat.channel, locks), chat.now)
        await chat.ask("unsubscribe")
    assert chat.channel.reached == ["ada"]
    assert [state for state, _ in await chat.rows()] == [State.SENT]
    assert isinstance(chat.channel.answer("ada", None, None), Sent)  # type: ignore[arg-type]
