"""The job that draws: what is missing, once, in a process of its own; nothing that fails stops it."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image

from bot.media import drawing_process
from bot.media.drawing_process import Drawn, draw
from bot.media.edition_pictures import Surroundings, keywords, tasks
from bot.media.illustrator import FRESH, LOOK_AGAIN, Illustrator
from bot.media.media_store import MediaStore
from bot.media.picture_specs import Card, Cloud, Poster, Task, Trend, Word
from bot.model import Cadence, Edition, Found, Paper, Style, Text
from bot.render.catalogue import languages
from bot.rules.closing import rank
from bot.runtime.background_process import BackgroundError
from bot.store import Store, edition_queries, paper_queries

DAY = date(2026, 4, 29)
CLOSED = datetime(2026, 4, 29, 22, tzinfo=UTC)
KEYWORDS = ("large language models", "world models", "reinforcement learning", "video generation", "planning")


def paper(number: int, day: date = DAY) -> Paper:
    return Paper(
        id=f"2604.{number:05}",
        title=f"Paper number {number}",
        abstract="",
        listed_on=day,
        listed_at=datetime(day.year, day.month, day.day, 5, tzinfo=UTC),
        votes=number,
        keywords=(*KEYWORDS, f"topic of {number}"),
    )


def edition(cadence: Cadence = Cadence.DAY, papers: int = 6) -> Edition:
    return Edition(cadence, DAY, CLOSED, rank([paper(n) for n in range(1, papers + 1)]))


COUNTS = {DAY - timedelta(days=n): 5 + n % 3 for n in range(120)}
AROUND = Surroundings(before=[["large language models"]] * 20, counts=COUNTS, begins=DAY - timedelta(days=120))


async def published(store: Store, *, papers: int = 6) -> Edition:
    made = edition(papers=papers)
    past = [paper(1000 + n, DAY - timedelta(days=n)) for n in range(1, 12)]
    async with store.write() as connection:
        await paper_queries.keep(connection, Found([*(each.paper for each in made.papers), *past]))
        return replace(made, id=await edition_queries.add(connection, made))


def specs(*found: Task) -> dict[str, object]:
    return {each.stem: each.spec for each in found if not each.paper}


def test_an_edition_has_four_pictures_in_each_language() -> None:
    made = edition()
    found = specs(*tasks(made, "ko", AROUND, keywords(made, AROUND), {}))
    assert list(found) == ["keywords", "trend", "poster", "card"]
    cloud, trend, poster, card = found.values()
    assert isinstance(cloud, Cloud)
    assert isinstance(trend, Trend)
    assert isinstance(poster, Poster)
    assert isinstance(card, Card)
    assert "LLM" in {word.text for word in cloud.words}
    assert "월드 모델" in {word.text for word in cloud.words}
    assert [bar.is_marked for bar in trend.bars] == [False] * 29 + [True]
    assert trend.legend == "7일 평균"
    assert (poster.entries[0].rank, poster.entries[0].title) == ("1", "Paper number 6")
    assert [entry.rank for entry in card.entries] == ["1", "2", "3"]


def test_titles_are_in_the_readers_language_where_a_model_has_translated_them() -> None:
    made = edition()
    best = made.papers[0].paper.id
    text = Text(best, "ko", Style.TRANSLATION, {"title": "여섯 번째 논문", "abstract": "그것에 관한 초록."})
    found = specs(*tasks(made, "ko", AROUND, [], {best: {Style.TRANSLATION: text}}))
    poster = found["poster"]
    assert isinstance(poster, Poster)
    assert [entry.title for entry in poster.entries[:2]] == ["여섯 번째 논문", "Paper number 5"]
    arabic = specs(*tasks(made, "ar", AROUND, [], {}))["poster"]
    assert isinstance(arabic, Poster)
    assert all(entry.is_latin for entry in arabic.entries)


def test_a_month_has_a_chart_of_months_and_a_week_marks_its_days() -> None:
    month = specs(*tasks(edition(Cadence.MONTH), "en", AROUND, [], {}))["trend"]
    assert isinstance(month, Trend)
    assert [bar.name for bar in month.bars] == ["Jan 2026", "Feb 2026", "Mar 2026", "Apr 2026"]
    week = specs(*tasks(edition(Cadence.WEEK), "en", AROUND, [], {}))["trend"]
    assert isinstance(week, Trend)
    assert sum(bar.is_marked for bar in week.bars) == 3


def test_what_would_show_nothing_is_not_drawn() -> None:
    bare = Edition(Cadence.DAY, DAY, CLOSED, rank([replace(paper(1), keywords=())]))
    around = replace(AROUND, counts={}, begins=DAY)
    assert list(specs(*tasks(bare, "en", around, keywords(bare, around), {}))) == ["poster", "card"]


def test_the_first_papers_of_a_day_have_cards_of_their_own(tmp_path: Path) -> None:
    made = edition(papers=12)
    second = made.papers[1].paper.id
    around = replace(AROUND, thumbnails={second: tmp_path / "thumb.jpg"})
    cards = {each.paper: each.spec for each in tasks(made, "ar", around, [], {}) if each.paper}
    assert list(cards) == [each.paper.id for each in made.papers[:10]]
    card = cards[second]
    assert isinstance(card, Card)
    assert (card.title, card.entries, card.photo) == ("Paper number 11", (), tmp_path / "thumb.jpg")
    assert card.is_latin
    assert not [each for each in tasks(edition(Cadence.WEEK), "ar", around, [], {}) if each.paper]


@pytest.mark.slow
async def test_pictures_are_drawn_once_and_again_when_they_would_differ(store: Store, tmp_path: Path) -> None:
    made, media = await published(store), MediaStore(tmp_path)
    illustrator = Illustrator(store, media)
    first = await illustrator.illustrate(made, ["en", "ar"], CLOSED)
    assert (first.drawn, first.there, first.reasons) == (20, 0, [])
    found = media.find("2026-04-29", "ar", "card.png")
    assert found is not None
    with Image.open(BytesIO(found.path.read_bytes())) as opened:
        assert opened.size == (1200, 630)
    again = await illustrator.illustrate(made, ["en", "ar"], CLOSED)
    assert (again.drawn, again.there) == (0, 20)
    fewer = replace(made, papers=made.papers[:-1])
    assert (await illustrator.illustrate(fewer, ["en"], CLOSED)).drawn >= 1
    told: list[tuple[int, int]] = []
    forced = await illustrator.illustrate(
        made, ["en"], CLOSED, force=True, report=lambda done, total: told.append((done, total))
    )
    assert forced.drawn == 10
    assert told == [(n, 10) for n in range(11)]


async def drawn_at_once(tasks: list[Task]) -> object:  # a stand-in for the process
    for task in tasks:
        yield task, [(f"{task.stem}.png", b"png")]


async def test_the_job_draws_the_newest_editions_and_looks_again_later(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(drawing_process, "draw", drawn_at_once)
    await published(store)
    media = MediaStore(tmp_path)
    illustrator = Illustrator(store, media)
    assert not await illustrator.step(CLOSED + FRESH)
    illustrator = Illustrator(store, media)
    assert await illustrator.step(CLOSED)
    assert all(media.find("2026-04-29", tag, "poster.png") for tag in languages())
    assert not await illustrator.step(CLOSED + LOOK_AGAIN / 2)
    assert not await illustrator.step(CLOSED + LOOK_AGAIN)


async def test_without_pages_they_are_drawn_in_the_languages_of_readers(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(drawing_process, "draw", drawn_at_once)
    await published(store)
    media = MediaStore(tmp_path)
    assert await Illustrator(store, media, always=["ko"]).step(CLOSED)
    assert [tag for tag in languages() if media.find("2026-04-29", tag, "card.png")] == ["ko"]


async def test_a_picture_that_cannot_be_drawn_is_left_out_and_told_once(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def refused(tasks: list[Task]) -> object:
        for task in tasks:
            files: Drawn = "no font has it" if task.stem == "poster" else [(f"{task.stem}.png", b"png")]
            yield task, files

    monkeypatch.setattr(drawing_process, "draw", refused)
    made = await published(store)
    illustrator = Illustrator(store, MediaStore(tmp_path))
    result = await illustrator.illustrate(made, ["en"], CLOSED)
    assert (result.drawn, result.reasons) == (9, ["no font has it"])
    again = await illustrator.illustrate(made, ["en"], CLOSED)
    assert (again.drawn, again.there, again.reasons) == (0, 9, ["no font has it"])
    assert caplog.text.count("picture left out") == 1


async def test_a_process_that_dies_costs_its_pictures_alone(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def dies(tasks: list[Task]) -> object:
        yield tasks[0], [(f"{tasks[0].stem}.png", b"png")]
        raise BackgroundError("the process that draws has ended")

    monkeypatch.setattr(drawing_process, "draw", dies)
    made = await published(store)
    result = await Illustrator(store, MediaStore(tmp_path)).illustrate(made, ["en"], CLOSED)
    assert (result.drawn, result.reasons) == (1, ["the process that draws has ended"])


async def test_a_poster_goes_without_a_thumbnail_that_cannot_be_had(store: Store, tmp_path: Path) -> None:
    async def broken(paper: Paper, now: datetime) -> Path | None:
        raise ConnectionError

    made = await published(store)
    illustrator = Illustrator(store, MediaStore(tmp_path), thumbnail=broken)
    assert [each.stem for each in await illustrator._tasks(made, ["en"], CLOSED)][-1] == "card"


async def test_drawing_is_a_process_that_ends() -> None:
    task = Task("it", Cloud([Word("LLM", 1.0)]), "en")
    async with aclosing(draw([task, replace(task, language="ko")])) as drawing:
        async for _, files in drawing:
            assert isinstance(files, list)
            assert [name for name, _ in files] == ["it.png", "it-dark.png", "it.json"]
            break
    assert not [each for each in asyncio.all_tasks() if each is not asyncio.current_task()]
