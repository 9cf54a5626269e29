"""Commands that show papers: today, an edition, search, the top papers."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

from bot.channel import Limits
from bot.commands import ReaderCommands
from bot.model import (
    Cadence,
    Edition,
    Found,
    Ranked,
)
from bot.store import edition_queries, paper_queries
from tests.support.chat import Chat
from tests.support.fake_channel import DAY, NOW, FakeChannel, Plain, paper

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


async def test_a_missing_week_is_not_blamed_on_the_weekend(chat: Chat) -> None:
    assert "weekend" not in await chat.says("week 2025-W05")
    assert "weekend" not in await chat.says("month 2025-02")


async def test_the_papers_too_are_shown_in_the_language_of_who_asks(chat: Chat) -> None:
    await chat.ask("subscribe", locale="ko")
    answer = await chat.ask("date 2025-11-03", person="7", locale="ja")
    assert answer.page is not None
    assert (answer.language, answer.page.language) == ("ja", "ja")
