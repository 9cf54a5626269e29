"""A second opinion: asked of each sentence once, with the source; what it refuses is asked again, then cut."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from sqlalchemy import delete

from bot.model import Style
from bot.runtime.text import sentences
from bot.store import Store, opinions, text_queries
from bot.store.text_queries import StoredText, TextState
from bot.store.text_tables import texts as texts_table
from bot.summaries.llm import Endpoint, Model
from bot.summaries.second_opinion import RESTS_FOR, SecondOpinion, without, yes_or_no
from tests.support.authors import SENTENCES, good, spoilt
from tests.support.command import papers_command
from tests.support.fake_channel import NOW
from tests.support.model_server import Asked, Author, ModelServer
from tests.support.newsroom import Newsroom, about, reader

on_sqlite = pytest.mark.parametrize("database", ["sqlite"], indirect=True)
"""For what asks nothing of a database that the other tests do not."""
TURNED = "Earlier methods never broke and needed no tuning at all, whatever the surroundings were like."
TRUE = SENTENCES["English"][0]


class Room(Newsroom):
    """A newsroom with a second model; `checker` is its endpoint, `second` asks it."""

    checker: ModelServer
    second: SecondOpinion

    @property
    def claims(self) -> list[str]:
        return [each.user.rpartition("\nClaim: ")[2] for each in self.checker.asked]

    async def write(self) -> list[StoredText]:
        await self.write_all(self.writer(second=self.second, concurrency=1))
        async with self.store.read() as connection:
            return await text_queries.newest(connection, 0)


def refusing(*claims: str, yes: str = "Yes", no: str = "No") -> Author:
    return lambda asked: no if asked.user.rpartition("\nClaim: ")[2] in claims else yes


@pytest.fixture
async def make(store: Store) -> AsyncIterator[Any]:
    async with AsyncExitStack() as stack:

        async def opened(author: Author, checks: Author, *, model: str = "bespoke-minicheck") -> Room:
            server = await stack.enter_async_context(ModelServer(author))
            checker = await stack.enter_async_context(ModelServer(checks, tokens=200))
            first = await stack.enter_async_context(Model([Endpoint(server.url, server.key, "m")], timeout=5))
            other = await stack.enter_async_context(Model([Endpoint(checker.url, checker.key, model)], timeout=5))
            room = Room(store, server, first)
            room.checker, room.second = checker, SecondOpinion(store, other)
            return room

        yield opened


def answering(*answers: Callable[[Asked], str]) -> Author:
    """Answers in turn, then always the last one."""
    left = list(answers)

    def author(asked: Asked) -> str:
        return (left.pop(0) if len(left) > 1 else left[0])(asked)

    return author


async def test_each_sentence_is_asked_about_once_with_the_source_and_costs_tokens(make: Any) -> None:
    room: Room = await make(good, refusing())
    await room.publish({"e": reader("en", papers=1)}, count=1)
    [text] = await room.write()
    said = {each for part in text.parts.values() for each in sentences(part)}
    assert text.verdict is TextState.ACCEPTED
    assert sorted(room.claims) == sorted(said)
    assert text.tokens == 1000 + 200 * len(said)
    asked = room.checker.asked[0]
    assert [each["role"] for each in asked.body["messages"]] == ["user"]  # MiniCheck knows what to do
    assert asked.user.startswith("Document: Method1X: Learning Step by Step\n\n")
    assert about(1).abstract in asked.user
    assert not asked.structured


async def test_a_claim_turned_round_is_asked_for_again(make: Any) -> None:
    room: Room = await make(
        answering(lambda asked: spoilt(asked, "problem", f"{TRUE} {TURNED}"), good), refusing(TURNED)
    )
    await room.publish({"e": reader("en", papers=1)}, count=1)
    [text] = await room.write()
    assert text.verdict is TextState.ACCEPTED
    again = room.server.asked[1]
    assert again.fields == ["problem"]
    assert TURNED[:30] in again.user
    assert TURNED not in " ".join(text.parts.values())
    assert room.claims.count(TURNED) == 1
    assert len(room.claims) == len(set(room.claims))


@on_sqlite
@pytest.mark.parametrize(("problem", "left"), [(f"{TRUE} {TURNED}", TRUE), (TURNED, None)])
async def test_what_is_refused_twice_is_cut_if_the_part_still_stands(make: Any, problem: str, left: str | None) -> None:
    room: Room = await make(lambda asked: spoilt(asked, "problem", problem), refusing(TURNED))
    await room.publish({"e": reader("en", papers=1)}, count=1)
    [text] = await room.write()
    assert len(room.server.asked) == 2
    assert room.claims.count(TURNED) == 1  # its answer is known
    assert text.verdict is TextState.ACCEPTED
    assert text.parts.get("problem") == left  # a part that does not stand is left out, and the text goes without it
    if left is None:
        assert "does not follow" in " ".join(text.faults) or "empty" in " ".join(text.faults)


@on_sqlite
async def test_minicheck_is_asked_about_english_only_and_a_chat_model_about_all(make: Any) -> None:
    room: Room = await make(good, refusing())
    await room.publish({"k": reader("ko", papers=1)}, count=1)
    [text] = await room.write()
    assert (text.verdict, room.checker.asked) == (TextState.ACCEPTED, [])
    async with Model([Endpoint(room.checker.url, room.checker.key, "chat")], timeout=5) as chat:
        assert SecondOpinion(room.store, chat).reads("ko")
        follows, _ = await SecondOpinion(room.store, chat).ask("Document.", "주장.")
    assert follows
    assert "Yes or No" in room.checker.asked[0].system
    assert room.checker.asked[0].user == "Document: Document.\nClaim: 주장."


@on_sqlite
@pytest.mark.parametrize(
    "checks",
    [lambda asked: web.Response(status=500), lambda asked: web.Response(text="<html>"), lambda asked: "Perhaps."],
)
async def test_an_opinion_that_cannot_be_had_refuses_nothing(make: Any, checks: Author) -> None:
    room: Room = await make(good, checks)
    await room.publish({"e": reader("en", papers=3)})
    texts = await room.write()
    assert {each.verdict for each in texts} == {TextState.ACCEPTED}
    if checks(None) != "Perhaps.":  # type: ignore[arg-type]
        assert len(room.checker.asked) == 1  # it is not asked for a while
        later = NOW + RESTS_FOR
        async with room.store.write() as connection:
            await connection.execute(delete(texts_table))
        await room.write_all(room.writer(second=room.second, concurrency=1), later)
        assert len(room.checker.asked) == 2


@on_sqlite
async def test_of_a_whole_paper_only_parts_with_a_doubt_are_asked_about(make: Any) -> None:
    async def whole(*_: Any) -> str:
        return about(1).abstract + " Nothing more is said." * 800

    named = "They suggest a way of learning like ZephyrNet that keeps what was useful before and adds to it."
    room: Room = await make(lambda asked: spoilt(asked, "method", named), refusing(), model="chat")
    await room.publish({"e": reader("en", Style.REVIEW, papers=1)}, count=1)
    await room.write_all(room.writer(second=room.second, source=whole))
    assert room.claims == [named]


async def test_opinions_are_kept_for_a_while(store: Store) -> None:
    async with store.write() as connection:
        for follows in (False, True):  # the first answer stays
            await opinions.keep(connection, "m", "S", "A.", follows=follows, now=NOW)
        assert await opinions.of(connection, "m", "S", ["A.", "B."]) == {"A.": False}
        assert await opinions.of(connection, "m", "other", ["A."]) == {}
        assert await opinions.forget(connection, before=NOW) == 0
        assert await opinions.forget(connection, before=NOW + timedelta(seconds=1)) == 1


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        ("Yes", True),
        ("no.", False),
        ("**No**, the paper says yes to the opposite.", False),
        ('{"answer": "yes"}', True),
        ("There is no such number, but it follows. Answer: Yes", True),
        ("Nobody knows, yesterday.", None),
        ("", None),
    ],
)
def test_an_answer_is_yes_or_no_or_neither(answer: str, says: bool | None) -> None:
    assert yes_or_no(answer) is says


def test_a_sentence_is_cut_without_a_trace() -> None:
    assert without("一句话。另一句！第三句。", ["另一句！"]) == "一句话。第三句。"
    assert without("One. Two. Three.", ["Three."]) == "One. Two."


async def test_the_doctor_tries_it_and_names_its_settings(tmp_path: Path) -> None:
    checks: Author = lambda asked: "No" if "trees" in asked.user else "<think>Hm, no?</think>Yes"  # noqa: E731
    async with ModelServer(good) as server, ModelServer(checks) as checker:
        environ = {"LLM_BASE_URL": server.url, "LLM_MODEL": "m", "LLM_API_KEY": server.key}
        environ |= {"CHECK_BASE_URL": checker.url, "CHECK_MODEL": "minicheck", "CHECK_API_KEY": checker.key}
        environ |= {"FEED_URL": "http://127.0.0.1:9/"}
        done = await asyncio.to_thread(papers_command, tmp_path, "doctor", given=environ)
        assert "the second opinion (minicheck) tells true from untrue" in done.stdout
        environ |= {"CHECK_API_KEY": "wrong-key-of-ours"}
        done = await asyncio.to_thread(papers_command, tmp_path, "doctor", given=environ)
        assert "check CHECK_API_KEY, CHECK_MODEL" in done.stdout
        assert "wrong-key-of-ours" not in done.stdout + done.stderr
        del environ["LLM_BASE_URL"]
        done = await asyncio.to_thread(papers_command, tmp_path, "doctor", given=environ)
        assert "CHECK_BASE_URL needs LLM_BASE_URL" in done.stdout
