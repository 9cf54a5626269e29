"""The search index: one contract for SQLite's FTS5 and PostgreSQL's tsvector."""

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from bot.model import Found, Style
from bot.store import Store, paper_queries, search, text_queries
from bot.store.copy import copy, make_ready, snapshot
from bot.store.search import Order, Search
from bot.store.search.query import paper_id, parse
from bot.store.search.terms import terms
from bot.store.text_queries import StoredText, TextState
from tests.support.pages import paper
from tests.support.postgres import Postgres

LAST_YEAR = date(2025, 5, 5)
PAPERS = [
    paper(1, title="Scaling large language models", authors=("Ada Bengio",), organisation="Deep Lab", votes=5),
    paper(2, title="Language of the large", abstract="A model of birds.", authors=("Bo Lee",), votes=90),
    paper(3, title="Video diffusion", abstract="Bengio is thanked.", keywords=("video", "world model"), votes=7),
    paper(
        4,
        title="State of the art robots",
        listed_on=LAST_YEAR,
        organisation="Bengio Foundation",
        votes=1,
        abstract="Big.",
    ),
    paper(5, title="大语言模型的扩散", abstract="GPT-4.5 is compared.", votes=3),
]


@pytest.fixture
async def full(store: Store) -> Store:
    async with store.write() as connection:
        await paper_queries.keep(connection, Found(PAPERS, frozenset()))
    return store


async def found(store: Store, query: str, **more: Any) -> list[int]:
    """The numbers of the papers found, in order."""
    async with store.read() as connection:
        matches = await search.search(connection, Search(query, **more), 10)
    assert matches.number == len(matches.ids)
    return [int(each[-1]) for each in matches.ids]


@pytest.mark.parametrize(
    ("query", "papers"),
    [
        ("large language", [1, 2]),
        ('"large language model"', []),
        ('"large language models"', [1]),
        ("“large language models”", [1]),
        ("large language model", [1, 2]),  # the last word may still be being typed
        ("large -models", [2]),
        ("large −models", [2]),
        ('language -"large language"', [2]),
        ("-large", []),
        ("bengio", [1, 3, 4]),
        ("author:bengio", [1]),
        ("AUTHOR: Bengio", [1]),
        ('author:"ada bengio"', [1]),
        ('author:"bengio ada"', []),
        ("org:bengio", [4]),
        ("bengio -author:bengio", [3, 4]),
        ("the state of the art", [4]),
        ('"state of the art"', [4]),
        ("the", []),
        ("gpt-4.5", [5]),
        ("gpt-5.4", []),
        ("语言", [5]),
        ("语言模型 扩散", [5]),
        ('"语言模型的"', [5]),
        ("模语", []),
        ("world model", [3]),
        ('keyword:"world model"', [3]),
        ("keyword:vid", [3]),  # the last word may still be being typed
        ("keyword:diffusion", []),
        ("video -keyword:world", []),
    ],
)
async def test_both_databases_find_the_same_papers(full: Store, query: str, papers: list[int]) -> None:
    assert sorted(await found(full, query)) == papers


async def test_matches_come_in_the_order_and_of_the_year_and_topic_wanted(full: Store) -> None:
    assert await found(full, "bengio", order=Order.VOTES) == [3, 1, 4]
    assert (await found(full, "bengio", order=Order.DATE))[-1] == 4
    assert await found(full, "bengio", year=2025) == [4]
    assert await found(full, "bengio", order=Order.VOTES, year=2026) == [3, 1]
    assert await found(full, "bengio", topic="world model") == [3]
    assert await found(full, "", topic="world model") == [3]


async def test_matches_come_in_pages_with_their_number(full: Store) -> None:
    async with full.read() as connection:
        pages = [await search.search(connection, Search("bengio", Order.VOTES), 2, after) for after in (0, 2, 4)]
    assert [([each[-1] for each in page.ids], page.number) for page in pages] == [(["3", "1"], 3), (["4"], 3), ([], 3)]


async def test_of_very_many_matches_the_most_voted_are_ranked(full: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search, "MOST_RANKED", 2)
    async with full.read() as connection:
        best = await search.search(connection, Search("bengio"), 10)
        of_a_year = await search.search(connection, Search("bengio", year=2026), 10)
    assert (sorted(each[-1] for each in best.ids), best.number) == (["1", "3"], 3)
    assert of_a_year.number == 2


async def test_votes_of_a_later_poll_count(full: Store) -> None:
    async with full.write() as connection:
        await paper_queries.keep(connection, Found([paper(4, votes=500, listed_on=LAST_YEAR)], frozenset()))
    assert await found(full, "bengio", order=Order.VOTES) == [4, 3, 1]


async def test_what_a_model_wrote_is_found_in_its_language_once_it_is_accepted(full: Store) -> None:
    async def write(verdict: TextState, **parts: str) -> None:
        now = datetime(2026, 4, 29, tzinfo=UTC)
        text_ = StoredText("2604.00003", "ko", Style.TRANSLATION, "m", "p", verdict, parts, [], 1, now)
        async with full.write() as connection:
            await text_queries.keep(connection, text_)

    await write(TextState.REJECTED, title="비디오 확산 모델")
    assert await found(full, "확산 모델") == []
    await write(TextState.ACCEPTED, title="비디오 확산 모델")
    assert await found(full, "확산 모델") == [3]
    assert await found(full, "video") == [3]


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("bengoi", "bengio"),
        ("Langauge models", "language models"),
        ("robbots -video", "robots -video"),
        ("bengio", None),
        ("quetzalcoatl", None),
        ("语言谟型", None),
        ("", None),
    ],
)
async def test_a_misspelt_query_leads_to_one_that_finds_something(full: Store, typed: str, meant: str | None) -> None:
    async with full.read() as connection:
        assert await search.did_you_mean(connection, typed) == meant


@pytest.mark.parametrize("other", ["sqlite", "postgres"])
async def test_a_moved_database_finds_the_same(
    full: Store, other: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    server: Postgres | None = request.getfixturevalue("postgres") if other == "postgres" else None
    target = Store.open(server.url(server.create()) if server else "sqlite:///other.db", tmp_path)
    try:
        await make_ready(target)
        async with snapshot(full) as source:
            await copy(source, target)
        assert await found(target, "bengio", order=Order.VOTES) == [3, 1, 4]
        async with target.read() as connection:
            assert await search.did_you_mean(connection, "bengoi") == "bengio"
    finally:
        await target.close()


async def test_a_paper_of_megabytes_is_indexed_as_far_as_it_may_be(store: Store) -> None:
    huge = " ".join(f"w{n}" for n in range(40_000))
    longest = " ".join(f"{n}{'가나' * 20}" for n in range(30_000))
    async with store.write() as connection:
        await paper_queries.keep(connection, Found([paper(1, title=huge), paper(2, title=longest)], frozenset()))
    assert await found(store, "w15000") == [1]


async def test_a_database_from_before_is_indexed_when_it_is_upgraded(full: Store) -> None:
    async with full.write() as connection:
        await connection.execute(text("delete from search_documents"))
        await search.rebuild(connection)
    assert await found(full, "bengio", order=Order.VOTES) == [3, 1, 4]


@pytest.mark.parametrize(
    ("typed", "paper"),
    [
        ("2604.00001", "2604.00001"),
        ("arXiv:2604.00001v2", "2604.00001"),
        ("https://arxiv.org/pdf/2604.00001v1.pdf", "2604.00001"),
        ("https://huggingface.co/papers/2604.00001?x=y", "2604.00001"),
        ("２６０４.00001", "2604.00001"),
        ("about 2604.00001", None),
        ("12604.000012", None),
        ("3.5", None),
    ],
)
def test_an_arxiv_id_or_link_names_a_paper(typed: str, paper: str | None) -> None:
    assert paper_id(typed) == paper


def test_a_query_is_bounded() -> None:
    assert len(parse(" ".join(f"x{n}" for n in range(1_000))).wanted) == 12
    assert len(parse("가나다라마바사" * 100).wanted) <= 12
    assert len(parse('"' + "x y z " * 100).wanted[0].terms) == 12


def test_terms_are_words_and_pairs_without_stop_words() -> None:
    assert list(terms("The Ｑwen_3 of 강화학습 語")) == ["qwen", "3", "강화", "화학", "학습", "語"]
