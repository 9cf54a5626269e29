"""Related papers: one contract for both databases."""

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event

from bot.model import Cadence, Edition, Found, Paper
from bot.rules.closing import rank
from bot.store import Store, archive, edition_queries, paper_queries, search
from bot.store.search import likeness
from tests.support.pages import DAY, paper

SUBJECTS = {
    "gaussian splatting": "Gaussian splatting renders radiance fields of scenes from few views",
    "protein folding": "Folding of proteins is predicted from residues by equivariant networks",
    "speech recognition": "Recognition of spoken phonemes improves with acoustic pretraining",
    "扩散模型": "我们用扩散模型生成图像并比较采样方法",
}


def about(subject: str, number: int, **changes: Any) -> Paper:
    words = {"title": f"On {subject}, part {number}", "abstract": SUBJECTS[subject], "keywords": (subject,)}
    return paper(number, **(words | changes))


def papers() -> list[Paper]:
    return [
        about(subject, 10 * place + number) for place, subject in enumerate(SUBJECTS, start=1) for number in range(1, 4)
    ]


@pytest.fixture
async def full(store: Store) -> Store:
    async with store.write() as connection:
        await paper_queries.keep(connection, Found(papers(), frozenset()))
    return store


@pytest.mark.parametrize("place", range(4))
async def test_papers_about_the_same_are_related(full: Store, place: int) -> None:
    mine = papers()[3 * place + 1]
    async with full.read() as connection:
        found = await search.related(connection, mine, 6)
    others = {each.id for each in papers()[3 * place : 3 * place + 3]} - {mine.id}
    assert set(found) == others


async def test_what_every_paper_says_relates_none(store: Store) -> None:
    listed = [paper(number) for number in range(1, 9)]
    async with store.write() as connection:
        await paper_queries.keep(connection, Found(listed, frozenset()))
        assert await search.related(connection, listed[0], 6) == []
        assert await search.related(connection, paper(99, title="…", abstract="", keywords=()), 6) == []


async def test_likeness_counts_rare_terms_most(full: Store) -> None:
    twin = about("gaussian splatting", 90, keywords=("gaussian splatting", "zebra"))
    other = about("speech recognition", 91, keywords=("zebra",), abstract="Radiance.")
    mine = about("gaussian splatting", 92, keywords=("gaussian splatting", "zebra"))
    async with full.write() as connection:
        await paper_queries.keep(connection, Found([twin, other, mine], frozenset()))
        found = await search.related(connection, mine, 2)
    assert found[0] == twin.id


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
async def test_the_work_is_bounded_however_much_a_paper_says(full: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(likeness, "MOST_WITH_TERM", 1)
    asked: list[str] = []
    event.listen(full.engine.sync_engine, "before_cursor_execute", lambda *given: asked.append(given[2]))
    wordy = paper(99, title=" ".join(SUBJECTS.values()) * 50, abstract=" ".join(f"term{n}" for n in range(9_000)))
    async with full.read() as connection:
        await search.related(connection, wordy, 6)
    selects = [each for each in asked if each.lstrip().lower().startswith("select")]
    assert len(selects) <= likeness.CANDIDATES + likeness.TOP_TERMS + 2


async def test_a_papers_neighbours_are_those_in_its_newest_day_edition(store: Store, tmp_path: Path) -> None:
    listed = [paper(number) for number in range(1, 4)]
    closed = datetime(2026, 4, 29, 22, tzinfo=UTC)
    async with store.write() as connection:
        await paper_queries.keep(connection, Found(listed, frozenset()))
        for cadence, day, held in (
            (Cadence.DAY, DAY, listed),
            (Cadence.WEEK, date(2026, 5, 3), listed[1:]),
        ):
            assert await edition_queries.add(connection, Edition(cadence, day, closed, rank(held))) is not None
        first, second, third = ((each.id, each.title) for each in listed)
        assert await archive.beside(connection, listed[0].id) == (None, second)
        assert await archive.beside(connection, listed[1].id) == (first, third)
        assert await archive.beside(connection, "2604.99999") == (None, None)
