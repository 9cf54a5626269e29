"""Topics typed in the reader's own language: English beside them with a model, English keywords to tap without."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime, timedelta

import pytest

from bot.model import Cadence, Edition, Found
from bot.rules.closing import rank
from bot.store import Store, edition_queries, paper_queries, text_queries
from bot.summaries import topic_translation
from bot.summaries.llm import Endpoint, Model
from bot.summaries.topic_translation import MOST_A_DAY
from bot.summaries.writer import Writer
from tests.support.chat import Chat
from tests.support.fake_channel import NOW
from tests.support.model_server import Asked, Author, ModelServer
from tests.support.pages import paper

ENGLISH = {"확산 모델": "diffusion models", "비디오": "video", "强化学习": "reinforcement learning"}
Translate = Callable[[Sequence[str], str, datetime], Awaitable[Mapping[str, str]]]
IN_ENGLISH = "Papers are in English, so English words find more."


class Translator:
    """Stands for the model; notes what it was asked."""

    def __init__(self) -> None:
        self.asked: list[Sequence[str]] = []

    async def __call__(self, phrases: Sequence[str], language: str, now: datetime) -> Mapping[str, str]:
        self.asked.append(phrases)
        return {phrase: ENGLISH[phrase] for phrase in phrases if phrase in ENGLISH}


@pytest.fixture
async def translator() -> Translator:
    return Translator()


@pytest.fixture
async def chat(store: Store, translator: Translator) -> Chat:
    ada = Chat(store, translate=translator)
    await ada.ask("subscribe")
    return ada


async def test_the_english_is_stored_and_shown_beside_what_was_typed(chat: Chat, translator: Translator) -> None:
    reply = await chat.ask("topics 확산 모델, -비디오, robots, author:김철수")
    assert (await chat.preferences()).topics == (
        *("확산 모델", "diffusion models", "-비디오", "-video", "robots", "author:김철수"),
    )
    assert "확산 모델, diffusion models" in reply.says[0]
    assert IN_ENGLISH not in reply.says
    assert translator.asked == [["확산 모델", "비디오"]]


async def test_what_is_known_is_not_asked_about_again_and_either_form_can_be_removed(
    chat: Chat, translator: Translator
) -> None:
    reply = await chat.ask("topics 확산 모델")
    removed = next(option for option in reply.options if option.line == "topics 확산 모델")
    await chat.ask(removed.line)
    assert (await chat.preferences()).topics == ("확산 모델",)
    assert len(translator.asked) == 1


async def test_english_words_ask_no_model(chat: Chat, translator: Translator) -> None:
    await chat.ask("topics diffusion, café, author:李")
    assert not translator.asked


async def test_without_a_translation_todays_keywords_are_offered(chat: Chat, store: Store) -> None:
    papers = [paper(n, keywords=("world models", "video generation")) for n in (1, 2, 3)]
    async with store.write() as connection:
        await paper_queries.keep(connection, Found(papers, frozenset({papers[0].listed_on})))
        await edition_queries.add(connection, Edition(Cadence.DAY, papers[0].listed_on, NOW, rank(papers)))
    reply = await chat.ask("topics 양자 컴퓨터")
    assert IN_ENGLISH in reply.says
    offered = {option.label: option.line for option in reply.options if option.label.startswith("+ ")}
    assert offered == {
        "+ world models": "topics 양자 컴퓨터, world models",
        "+ video generation": "topics 양자 컴퓨터, video generation",
    }
    again = await chat.ask(offered["+ world models"])
    assert IN_ENGLISH not in again.says


# The model


def author(answers: Mapping[str, str]) -> Author:
    def answer(asked: Asked) -> str:
        lines = dict(line.split(": ", 1) for line in asked.user.splitlines())
        return json.dumps({name: answers[topic] for name, topic in lines.items()})

    return answer


@asynccontextmanager
async def translating(store: Store, said: Author, budget: int = 0) -> AsyncIterator[tuple[Translate, ModelServer]]:
    async with ModelServer(said) as server, Model([Endpoint(server.url, server.key, "m")], timeout=5) as model:
        translate = Writer(store, model, concurrency=1, budget=budget).translate_topics
        assert translate is not None
        yield translate, server


async def test_a_model_is_asked_for_all_topics_at_once(store: Store) -> None:
    answers = {"확산 모델": "diffusion models", "강화 학습": "reinforcement learning"}
    async with translating(store, author(answers)) as (translate, server):
        assert await translate(list(answers), "ko", NOW) == answers
    assert len(server.asked) == 1


@pytest.mark.parametrize("answer", ["확산", "", "a, b", "-all", "author:X", "x" * 90, "no\u202eevil ✓", "word " * 60])
async def test_an_answer_that_is_no_topic_is_none(store: Store, answer: str) -> None:
    async with translating(store, author({"확산 모델": answer})) as (translate, _):
        assert await translate(["확산 모델"], "ko", NOW) == {}


async def test_a_model_that_fails_or_is_slow_leaves_topics_as_they_are(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with translating(store, lambda _: "no JSON at all") as (translate, server):
        assert await translate(["확산"], "ko", NOW) == {}
        server.hang = asyncio.Event()
        monkeypatch.setattr(topic_translation, "PATIENCE", 0.05)
        assert await translate(["확산"], "ko", NOW) == {}
    async with store.read() as connection:
        spent = await text_queries.tokens_spent(connection, NOW.date())
    assert 1000 < spent < 2000  # the answer that is none has its cost, and the question that was cut


async def test_nobody_can_spend_the_operators_tokens_by_typing_topics(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(topic_translation, "MOST_A_DAY", 1)
    async with translating(store, author({"확산": "diffusion"})) as (translate, server):
        assert await translate(["확산"], "ko", NOW)
        assert await translate(["확산"], "ko", NOW) == {}
        assert len(server.asked) == 1
    assert MOST_A_DAY > 1


async def test_topics_are_paid_from_the_budget_of_texts(store: Store) -> None:
    async with translating(store, author({"확산": "diffusion"}), budget=1500) as (translate, server):
        for asked in (1, 2, 2):
            await translate(["확산"], "ko", NOW)
            assert len(server.asked) == asked
        async with store.read() as connection:
            assert await text_queries.tokens_spent(connection, NOW.date()) == 2000
        assert await translate(["확산"], "ko", NOW + timedelta(days=1))
