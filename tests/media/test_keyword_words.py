"""Keywords in the reader's language by a language model: asked once, checked, kept, and in nobody's way."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import NoReturn

import pytest

from bot.media.edition_pictures import Surroundings, keywords, tasks
from bot.media.illustrator import Illustrator
from bot.media.keyword_words import MOST_TRIES, NAMES, KeywordWords, Translate
from bot.media.media_store import MediaStore
from bot.media.picture_specs import Cloud, Word
from bot.model import Cadence, Edition, Found, Paper
from bot.rules.closing import rank
from bot.rules.keyword_weights import Keyword
from bot.store import Store, edition_queries, paper_queries, text_queries
from bot.summaries import keyword_translation, phrase_translation
from bot.summaries.llm import Endpoint, Model
from bot.summaries.writer import Writer
from tests.support.model_server import Asked, Author, ModelServer

DAY = date(2026, 4, 29)
CLOSED = datetime(2026, 4, 29, 22, tzinfo=UTC)
KNOWN = ("large language models", "reinforcement learning", "chain-of-thought")
"""Keywords that the table of Korean has a word for."""
KOREAN = {
    "latent handovers": "잠재 인계",
    "chart repair": "도표 복구",
    "LoRA merging": "LoRA 병합",
    "3D tides": "3D 조석",
}
NO_WORDS = (
    *(
        "",
        "잠재 인계 " * 6,
        "잠재\u0301" + "\u0301" * 40,
        "**잠재 인계**",
        "잠재 <b>인계</b>",
        "잠재 인계 (latent)",
        "…",
    ),
    *("ㅤㅤ", "잠재\u034f\u034f 인계", "잠재 인계.", "---잠재", "잠재-", "바보.com/abc", "잠재.인계", "잠" + "\u0301" * 4),
    *("잠재 인계 buy bitcoin now", "잠재 인계 openai", "잠재 인계 ｏｐｅｎａｉ"),
    *("evil.com/잠재", "잠재 인계 7", "Evil Corp 인계", "潜在切换", "隠れた引き継ぎ", "잠재 인계 ✨", "잠재\U00020000"),
)
"""Answers that are no word of Korean for a latent handover."""
WORDS = (
    *(("ko", "잠재 인계"), ("ko", "잠재 handover"), ("ko", "LH"), ("zh-Hant", "潛在交接"), ("zh-Hans", "潜在交接")),
    *(("ko", "잠재 인계 LLM"), ("ko", "잠재 인계++"), ("ko", "잠재 · 인계"), ("ar", "تسليمًا كامنًا")),
    *(("ar", "تسليم كامن"), ("ja", "潜在的引き継ぎ"), ("de", "Latente Übergaben")),
)
AROUND = Surroundings([], {}, None)


def edition(cadence: Cadence = Cadence.DAY, day: date = DAY, *more: str) -> Edition:
    papers = [
        Paper(
            f"2604.{n:05}", f"Paper {n}", "", day, CLOSED, votes=9 - n, keywords=(*KNOWN, *KOREAN, *more, f"topic {n}")
        )
        for n in range(1, 4)
    ]
    return Edition(cadence, day, CLOSED, rank(papers))


def author(words: Mapping[str, str]) -> Author:
    """Answers with these words; a keyword that it does not know as it stands."""

    def answer(asked: Asked) -> str:
        lines = dict(line.split(": ", 1) for line in asked.user.splitlines())
        return json.dumps({name: words.get(keyword, keyword) for name, keyword in lines.items()})

    return answer


@asynccontextmanager
async def asking(store: Store, said: Author, budget: int = 0) -> AsyncIterator[tuple[Translate | None, ModelServer]]:
    async with ModelServer(said) as server, Model([Endpoint(server.url, server.key, "m")], timeout=5) as model:
        yield Writer(store, model, concurrency=1, budget=budget).translate_keywords, server


@pytest.fixture
def media(tmp_path: Path) -> MediaStore:
    return MediaStore(tmp_path / "media")


async def cloud(words: KeywordWords, shown: Edition, language: str = "ko", now: datetime = CLOSED) -> set[str]:
    """The words of an edition's cloud."""
    weighed = keywords(shown, AROUND)
    names = await words.of(shown, weighed, language, now)
    drawn = next(
        task.spec for task in tasks(shown, language, AROUND, weighed, {}, names=names) if task.stem == "keywords"
    )
    assert isinstance(drawn, Cloud)
    return {word.text for word in drawn.words}


def kept(media: MediaStore, owner: str) -> dict[str, str | None]:
    path = media.path(owner, "ko", NAMES)
    assert path is not None
    return dict(json.loads(path.read_bytes()))


async def test_a_model_is_asked_once_for_what_no_table_knows(store: Store, media: MediaStore) -> None:
    async with asking(store, author(KOREAN)) as (translate, server):
        words = KeywordWords(media, translate)
        for _ in range(2):
            assert await cloud(words, edition()) >= {"강화 학습", "LLM", *KOREAN.values(), "topic 1"}
        (asked,) = server.asked
        assert "Korean" in asked.system
        assert {line.split(": ", 1)[1] for line in asked.user.splitlines()} == {
            *KOREAN,
            "topic 1",
            "topic 2",
            "topic 3",
        }
    found = kept(media, f"{DAY}")
    assert found["latent handovers"] == "잠재 인계"
    assert found["reinforcement learning"] == "강화 학습"


async def test_weeks_and_later_days_say_what_a_day_said(store: Store, media: MediaStore) -> None:
    async with asking(store, author(KOREAN)) as (translate, server):
        words = KeywordWords(media, translate)
        await cloud(words, edition())
        assert await cloud(words, edition(Cadence.WEEK)) >= set(KOREAN.values())
        assert len(server.asked) == 1
        later = edition(Cadence.DAY, DAY + timedelta(days=1), "late arrivals")
        assert await cloud(words, later) >= {*KOREAN.values(), "late arrivals"}
        assert [line.split(": ", 1)[1] for line in server.asked[1].user.splitlines()] == ["late arrivals"]


async def test_english_asks_no_model_and_without_one_there_are_the_tables(store: Store, media: MediaStore) -> None:
    async with asking(store, author(KOREAN)) as (translate, server):
        words = KeywordWords(media, translate)
        assert await cloud(words, edition(), "en") >= {*KNOWN, *KOREAN}
        assert server.asked == []
    assert await cloud(KeywordWords(media, None), edition()) >= {"강화 학습", *KOREAN}


async def test_an_answer_that_is_no_word_is_refused(store: Store) -> None:
    answers = {f"latent handover {chr(97 + place)}": answer for place, answer in enumerate(NO_WORDS)}
    async with asking(store, author(answers)) as (translate, _):
        assert translate is not None
        assert await translate(list(answers), "ko", CLOSED) == dict.fromkeys(answers)


async def test_a_word_of_the_language_is_taken(store: Store) -> None:
    said: dict[str, str] = {}
    async with asking(store, author(said)) as (translate, _):
        assert translate is not None
        for language, said["latent handovers"] in WORDS:
            assert await translate(["latent handovers"], language, CLOSED) == said


async def test_a_model_that_fails_is_left_alone_until_tomorrow(store: Store, media: MediaStore) -> None:
    async with asking(store, lambda _: "no JSON at all") as (translate, server):
        words = KeywordWords(media, translate)
        for _ in range(MOST_TRIES + 2):
            assert await cloud(words, edition()) >= {"강화 학습", *KOREAN}
        assert len(server.asked) == MOST_TRIES
        await cloud(words, edition(), now=CLOSED + timedelta(days=1))
        assert len(server.asked) == MOST_TRIES + 1


async def test_a_slow_model_does_not_hold_up_the_pictures(
    store: Store, media: MediaStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keyword_translation, "PATIENCE", 0.05)
    async with asking(store, author(KOREAN)) as (translate, server):
        words = KeywordWords(media, translate)
        server.hang = asyncio.Event()
        assert await cloud(words, edition()) >= {"강화 학습", *KOREAN}


async def test_what_cannot_be_kept_is_asked_once(store: Store, tmp_path: Path) -> None:
    (tmp_path / "media").write_bytes(b"no folder")
    async with asking(store, author(KOREAN)) as (translate, server):
        words = KeywordWords(MediaStore(tmp_path / "media"), translate)
        for cadence in (Cadence.DAY, Cadence.DAY, Cadence.WEEK):
            assert await cloud(words, edition(cadence)) >= set(KOREAN.values())
        assert len(server.asked) == 1


async def test_a_file_that_a_power_cut_emptied_is_written_again(store: Store, media: MediaStore) -> None:
    async with asking(store, author(KOREAN)) as (translate, server):
        await cloud(KeywordWords(media, translate), edition())
        path = media.path(f"{DAY}", "ko", NAMES)
        assert path is not None
        path.write_bytes(b"")
        for _ in range(2):
            await cloud(KeywordWords(media, translate), edition())
        assert len(server.asked) == 2
    assert kept(media, f"{DAY}")["chart repair"] == "도표 복구"


async def test_what_was_refused_is_asked_again_for_the_next_edition_only(store: Store, media: MediaStore) -> None:
    said = {**KOREAN, "chart repair": "도표 복구 openai"}
    async with asking(store, author(said)) as (translate, server):
        for _ in range(2):
            assert "chart repair" in await cloud(KeywordWords(media, translate), edition())
        assert len(server.asked) == 1
        assert kept(media, f"{DAY}")["chart repair"] is None
        said["chart repair"] = "도표 복구"
        assert "도표 복구" in await cloud(KeywordWords(media, translate), edition(Cadence.DAY, DAY + timedelta(days=1)))
        assert "chart repair" in server.asked[1].user
        assert "LoRA merging" not in server.asked[1].user


async def test_what_a_model_left_out_is_asked_again_a_few_times(store: Store, media: MediaStore) -> None:
    def leaves_out(asked: Asked) -> str:
        lines = dict(line.split(": ", 1) for line in asked.user.splitlines())
        return json.dumps({name: KOREAN.get(text, text) for name, text in lines.items() if text != "chart repair"})

    async with asking(store, leaves_out) as (translate, server):
        words = KeywordWords(media, translate)
        await cloud(words, edition())
        assert "chart repair" not in kept(media, f"{DAY}")
        for _ in range(MOST_TRIES + 2):
            await cloud(words, edition())
        assert [asked.user for asked in server.asked[1:]] == ["phrase_1: chart repair"] * (MOST_TRIES - 1)


async def test_questions_wait_for_their_turn_beside_their_patience(
    store: Store, media: MediaStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(phrase_translation, "MOST_AT_ONCE", 1)
    monkeypatch.setattr(keyword_translation, "PATIENCE", 0.05)
    sent = []

    async def never_answers(_: Model, system: str, *rest: object) -> NoReturn:
        sent.append(system)
        await asyncio.Event().wait()
        raise AssertionError

    monkeypatch.setattr(Model, "fill", never_answers)
    async with asking(store, author(KOREAN)) as (translate, _):
        words = KeywordWords(media, translate)
        await asyncio.gather(*(cloud(words, edition(), language) for language in ("ko", "ja", "ar")))
    assert len(sent) == 3
    async with store.read() as connection:
        assert 300 < await text_queries.tokens_spent(connection, CLOSED.date()) < 3_000  # what was cut was sent


async def test_what_is_not_sent_counts_as_no_try(
    store: Store, media: MediaStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with asking(store, author(KOREAN)) as (translate, server):
        words = KeywordWords(media, translate)
        with monkeypatch.context() as spent:
            spent.setattr(keyword_translation, "MOST_A_DAY", 0)
            for _ in range(MOST_TRIES + 1):
                await cloud(words, edition())
        assert not server.asked
        assert await cloud(words, edition()) >= set(KOREAN.values())


def test_keywords_of_one_name_are_one_word() -> None:
    weighed = [
        Keyword("chart repair", "chart repair", 1.0, is_new=True),
        Keyword("tide generation", "tide generation", 0.75, is_new=False),
        Keyword("tide generative models", "tide generative model", 0.75, is_new=True),
    ]
    names = {"tide generation": "조석 생성", "tide generative model": "조석 생성"}
    drawn = next(task.spec for task in tasks(edition(), "ko", AROUND, weighed, {}, names=names))
    assert drawn == Cloud([Word("조석 생성", 1.0), Word("chart repair", 1 / 1.5, is_new=True)])


async def test_words_are_paid_from_the_budget_of_texts(store: Store, media: MediaStore) -> None:
    async with asking(store, author(KOREAN), budget=1000) as (translate, server):
        words = KeywordWords(media, translate)
        await cloud(words, edition())
        async with store.read() as connection:
            assert await text_queries.tokens_spent(connection, CLOSED.date()) == 1000
        assert "다른" not in await cloud(words, edition(Cadence.DAY, DAY, "another"))
        assert len(server.asked) == 1
        await cloud(words, edition(Cadence.DAY, DAY, "another"), now=CLOSED + timedelta(days=1))
        assert len(server.asked) == 2


async def test_pictures_are_drawn_with_them(store: Store, media: MediaStore) -> None:
    made = edition()
    async with store.write() as connection:
        await paper_queries.keep(connection, Found([each.paper for each in made.papers]))
        made = replace(made, id=await edition_queries.add(connection, made))
    async with (
        ModelServer(author(KOREAN)) as server,
        Model([Endpoint(server.url, server.key, "m")], timeout=5) as model,
    ):
        translate = Writer(store, model, concurrency=1, budget=0).translate_keywords
        illustrator = Illustrator(store, media, translate=translate)
        assert (await illustrator.illustrate(made, ["ko", "en"], CLOSED)).reasons == []
        assert len(server.asked) == 1
    drawn = media.path(f"{DAY}", "ko", "keywords.json")
    assert drawn is not None
    assert "도표 복구" in drawn.read_text(encoding="utf-8")
