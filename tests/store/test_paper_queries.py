"""Papers in the store: stored by id, refreshed by polls, found by their words."""

import pytest
from sqlalchemy import event

from bot.store import (
    Store,
    edition_queries,
    paper_queries,
    search,
)
from bot.store.search import Search
from tests.support.stored_papers import FULL, HOUR, MONDAY, NOON, TUESDAY, keep, on_list, paper


async def find(store: Store, query: str, limit: int = 10) -> list[str]:
    async with store.read() as connection:
        return (await search.search(connection, Search(query), limit)).ids


# Papers


async def test_a_paper_comes_back_as_it_went_in(store: Store) -> None:
    assert await keep(store, FULL) == 1
    assert await on_list(store) == {FULL.id: FULL}
    async with store.read() as connection:
        assert await paper_queries.by_ids(connection, ["2511.99999", FULL.id]) == [FULL]


async def test_a_poll_refreshes_what_readers_do_and_keeps_the_words(store: Store) -> None:
    await keep(store, paper(votes=1, sentence="First words.", authors=("Ada",)))
    reworded = paper(
        title="Other", abstract="Other.", sentence="Other words.", authors=("Bo",), votes=0, comments=9, stars=5
    )
    assert await keep(store, reworded) == 0
    kept = (await on_list(store))["2511.00001"]
    assert (kept.title, kept.abstract, kept.sentence, kept.authors) == (
        "Paper 1",
        "We study it.",
        "First words.",
        ("Ada",),
    )
    assert (kept.votes, kept.comments, kept.stars) == (0, 9, 5)


async def test_words_that_were_missing_may_still_come(store: Store) -> None:
    await keep(store, paper())
    await keep(store, paper(sentence="At last.", organisation="Somewhere"))
    kept = (await on_list(store))["2511.00001"]
    assert (kept.sentence, kept.organisation) == ("At last.", "Somewhere")


async def test_a_paper_that_left_a_list_is_listed_no_more_until_it_is_back(store: Store) -> None:
    await keep(store, paper(1), paper(2), days=[MONDAY])
    await keep(store, paper(1), days=[MONDAY])
    assert set(await on_list(store)) == {"2511.00001"}
    await keep(store, paper(2))
    assert set(await on_list(store)) == {"2511.00001", "2511.00002"}


async def test_only_a_list_that_was_read_to_its_end_tells_who_left(store: Store) -> None:
    await keep(store, paper(1), paper(2), days=[MONDAY])
    await keep(store, paper(1))
    assert len(await on_list(store)) == 2


async def test_a_list_that_is_suddenly_empty_is_a_fault_of_the_feeds(store: Store) -> None:
    await keep(store, paper(1), days=[MONDAY])
    await keep(store, days=[MONDAY])
    await keep(store, paper(2, listed_on=TUESDAY), days=[MONDAY, TUESDAY])
    assert len(await on_list(store)) == 2


async def test_a_paper_may_move_to_another_day(store: Store) -> None:
    await keep(store, paper(1), paper(2), days=[MONDAY])
    moved = paper(1, listed_on=TUESDAY, listed_at=NOON + 24 * HOUR, votes=30)
    await keep(store, moved, paper(2), days=[MONDAY, TUESDAY])
    async with store.read() as connection:
        assert await paper_queries.listed(connection, TUESDAY, TUESDAY) == [moved]
        assert [each.id for each in await paper_queries.listed(connection, MONDAY, MONDAY)] == ["2511.00002"]


async def test_more_papers_than_a_statement_holds(store: Store) -> None:
    many = [paper(number) for number in range(1000)]
    assert await keep(store, *many) == 1000
    assert await keep(store, *many, paper(1000), days=[MONDAY]) == 1
    async with store.read() as connection:
        assert len(await paper_queries.by_ids(connection, [each.id for each in many])) == 1000
        assert len(await edition_queries.held(connection, [each.id for each in many])) == 0


# Search


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("diffusion", [1]),
        ("DIFFUSION", [1]),
        ("diff", [1]),
        ("diffusion planning", [1]),
        ("diffusion nonsense", []),
        ("Example", [1, 2]),
        ("Ｄｉｆｆｕｓｉｏｎ", [1]),
        ("강화", [2]),
        ("강화학습", [2]),
        ("학습", [2]),
        ("화강", []),
        ("模型", [3]),
        ("语言模型", [3]),
        ("言語", [4]),
        ("モデル", [4]),
        ("语", [3]),
        ("diff 强化", []),
        ("3.5", [3]),
        ("café", [4]),
        ("", []),
        ("  ... !!! ", []),
    ],
)
async def test_papers_are_found_by_their_words(store: Store, query: str, found: list[int]) -> None:
    await keep(
        store,
        paper(1, title="Planning with Diffusion Models", authors=("Ada Example",)),
        paper(2, title="Robots", keywords=("강화학습",), authors=("Bo Example",), listed_on=TUESDAY),
        paper(3, title="大语言模型", abstract="GPT-3.5"),
        paper(4, title="大規模言語モデル", abstract="A café."),
    )
    assert sorted(await find(store, query)) == [f"2511.{number:05}" for number in found]


async def test_titles_count_more_than_abstracts_and_newer_papers_come_first(store: Store) -> None:
    await keep(
        store,
        paper(1, abstract="About agents."),
        paper(2, title="Agents"),
        paper(3, abstract="About agents.", listed_on=TUESDAY),
    )
    assert await find(store, "agents") == ["2511.00002", "2511.00003", "2511.00001"]
    assert await find(store, "agents", limit=1) == ["2511.00002"]


@pytest.mark.parametrize(
    "query",
    [
        "'; drop table papers; --",
        '" OR 1=1 --',
        "%",
        "_",
        "a%b_c",
        "*",
        "NEAR(a b)",
        "title:diffusion",
        "\\",
        "x" * 5000,
        "word " * 5000,
        "가" * 5000,
        "\U0001f600 \U0010ffff",
        "\u202e\u0301",
        "()[]{}^~?",
    ],
    ids=range(15),
)  # fmt: skip
async def test_a_hostile_query_finds_nothing_and_harms_nothing(store: Store, query: str) -> None:
    await keep(store, paper(1, title="Diffusion"))
    assert await find(store, query) == []
    assert await find(store, "diffusion") == ["2511.00001"]


async def test_words_that_come_later_are_found_too(store: Store) -> None:
    await keep(store, paper(1))
    await keep(store, paper(1, keywords=("diffusion",), organisation="Somewhere"))
    assert await find(store, "diffusion") == ["2511.00001"]
    assert await find(store, "somewhere") == ["2511.00001"]


async def test_a_large_day_takes_no_statement_for_each_paper(store: Store) -> None:
    asked: list[str] = []
    event.listen(store.engine.sync_engine, "before_cursor_execute", lambda *given: asked.append(given[2]))
    counts = []
    for size in (100, 400):
        asked.clear()
        await keep(store, *(paper(1000 * size + number) for number in range(size)))
        counts.append(len(asked))
    assert counts[1] < 2 * counts[0]
