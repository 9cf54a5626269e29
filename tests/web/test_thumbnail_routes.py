"""A thumbnail that a mail shows: fetched while its first reader waits, once for all of them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from bot.model import Paper
from bot.summaries.fulltext import figures
from bot.summaries.fulltext.figures import Size
from bot.web.pages import thumbnails as module
from bot.web.pages.thumbnails import Thumbnails
from tests.support.pages import paper
from tests.support.web_program import Served

WITH = [paper(number, thumbnail=f"https://cdn-thumbnails.huggingface.co/{number}.png") for number in (1, 2)]
LARGE = "/pictures/2604.00001.large.jpg"


class Source:
    """Stands for Hugging Face: writes thumbnails, or has none."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.has_any = True
        self.is_asked = asyncio.Event()
        self.answers = asyncio.Event()
        self.answers.set()

    async def resized(self, wanted: Paper, folder: Path, now: datetime, **_: Any) -> bool:
        self.asked.append(wanted.id)
        self.is_asked.set()
        await self.answers.wait()
        for size in Size if self.has_any else ():
            (folder / size.file_name(wanted.id)).write_bytes(b"\xff\xd8" + size.name.encode())
        return self.has_any


@pytest.fixture
def source(monkeypatch: pytest.MonkeyPatch) -> Source:
    made = Source()
    monkeypatch.setattr(figures, "resized", made.resized)
    return made


@asynccontextmanager
async def served(home: Path) -> AsyncIterator[Served]:
    (home / "cache").mkdir()
    async with Served(home, thumbnails=Thumbnails(home / "cache")) as there:
        await there.publish(*WITH, paper(3))
        yield there


async def test_readers_wait_for_one_that_is_missing_and_it_is_fetched_once(tmp_path: Path, source: Source) -> None:
    source.answers.clear()
    async with served(tmp_path) as there:
        readers = [asyncio.create_task(there.get(LARGE)) for _ in range(5)]
        await source.is_asked.wait()
        source.answers.set()
        answers = await asyncio.gather(*readers)
    assert [(each.status, each.body) for each in answers] == [(200, b"\xff\xd8LARGE")] * 5
    assert source.asked == ["2604.00001"]


async def test_one_that_cannot_be_had_is_not_waited_for_again(tmp_path: Path, source: Source) -> None:
    source.has_any = False
    async with served(tmp_path) as there:
        assert [(await there.get(LARGE)).status for _ in range(3)] == [404] * 3
    assert source.asked == ["2604.00001"]


async def test_a_source_that_does_not_answer_holds_nobody_for_long(
    tmp_path: Path, source: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "PATIENCE", 0.01)
    source.answers.clear()
    async with served(tmp_path) as there:
        assert (await there.get(LARGE)).status == 404


async def test_papers_without_one_and_strangers_are_not_asked_for(tmp_path: Path, source: Source) -> None:
    async with served(tmp_path) as there:
        for name in ("2604.00003", "2604.09999", "secret", "2604.00001.small"):
            assert (await there.get(f"/pictures/{name}.large.jpg")).status == 404
    assert source.asked == []
