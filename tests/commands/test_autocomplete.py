"""Suggestions while somebody is still typing; what a place that many share begins with."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bot.channel import Command, Requester
from bot.model import Address, Cadence, Edition, Found, Paper, Ranked
from bot.rules.access import Access, Admission
from bot.store import Store, edition_queries, paper_queries
from tests.commands.test_shared_places import ADA, PLACE, Room
from tests.support.fake_channel import DAY, NOW, paper

WORDS = {0: ("agents", "Vision, language"), 1: ("agents", "video"), 2: ("audio",)}
EARLIER = DAY - timedelta(days=90)


@pytest.fixture
async def room(store: Store) -> Room:
    found = [_paper(number) for number in range(3)]
    ranked = tuple(Ranked(place, each, each.votes) for place, each in enumerate(found, start=1))
    async with store.write() as connection:
        await paper_queries.keep(connection, Found(found, frozenset({DAY})))
        await edition_queries.add(connection, Edition(Cadence.DAY, DAY, NOW, ranked))
        await edition_queries.add(connection, Edition(Cadence.DAY, EARLIER, NOW, ranked))
    return Room(store)


def _paper(number: int) -> Paper:
    made = paper(number)
    return Paper(
        made.id, f"A study of {WORDS[number][0]}", made.abstract, DAY, made.listed_at, votes=9 - number,
        keywords=WORDS[number],
    )  # fmt: skip


async def suggested(room: Room, command: Command, typed: str, locale: str = "en") -> list[str]:
    found = await room.readers.suggest(Requester(ADA, locale), command, typed, NOW)
    return [each.value for each in found]


@pytest.mark.parametrize(
    ("command", "typed", "values"),
    [
        (Command.DATE, "", [f"{DAY}"]),
        (Command.DATE, "2025", [f"{DAY}", f"{EARLIER}"]),
        (Command.DATE, "monday", [f"{DAY}"]),
        (Command.WHY, "08-05", [f"{EARLIER}"]),
        (Command.DATE, "1999", []),
        (Command.PAPER, "", ["2511.00000", "2511.00001", "2511.00002"]),
        (Command.PAPER, "study au", ["2511.00002"]),
        (Command.PAPER, "https://arxiv.org/abs/2511.00001v2", ["2511.00001"]),
        (Command.PAPER, "nothing of that", []),
        (Command.TOPICS, "", ["agents", "video", "audio"]),
        (Command.TOPICS, "llm, -vi", ["llm, -vi", "llm, -video"]),
        (Command.ZONE, "seoul", ["Asia/Seoul"]),
        (Command.LANGUAGE, "한", ["ko"]),
        (Command.STYLE, "abs", ["abstract"]),
        (Command.TIME, "7:15", ["7:15"]),
        (Command.TIME, "25:00", []),
        (Command.COUNT, "all", ["all"]),
        (Command.WEEKDAYS, "", ["1,2,3,4,5", "1,2,3,4,5,6,7"]),
        (Command.HELP, "privacy", ["privacy"]),
        (Command.HELP, "silent", ["silent"]),
        (Command.HELP, "picture", []),
        (Command.TODAY, "x", []),
    ],
)
async def test_what_is_typed_is_completed(room: Room, command: Command, typed: str, values: list[str]) -> None:
    assert await suggested(room, command, typed) == values


async def test_suggestions_are_in_the_askers_language(room: Room) -> None:
    [found] = await room.readers.suggest(Requester(ADA, "ko"), Command.DATE, "2025-11", NOW)
    assert found.label == "2025년 11월 3일 월요일"


async def test_who_is_not_let_in_is_suggested_nothing(room: Room) -> None:
    room.readers._access = Access(Admission.LIST)
    assert await suggested(room, Command.PAPER, "") == []


async def test_typing_uses_up_no_questions(room: Room) -> None:
    for _ in range(100):
        await suggested(room, Command.DATE, "2025")
    assert (await room.ask("help", address=ADA, person=None)).ok


@pytest.mark.parametrize("typed", ["\x00", "\ud800", "%", "'" * 500, ",,,", "٣"])
async def test_nothing_that_is_typed_breaks_it(room: Room, typed: str, caplog: pytest.LogCaptureFixture) -> None:
    for command in Command:
        await suggested(room, command, typed)
    assert caplog.records == []


async def test_a_place_begins_in_its_own_language_and_whoever_asks_is_answered_in_theirs(room: Room) -> None:
    asker = Requester(PLACE, "en", person="ada", place="ko")
    answer = await room.readers.ask(asker, "subscribe", NOW)
    assert answer.language == "en"
    wanted = (await room.reader()).preferences
    assert (wanted.language, wanted.timezone) == ("ko", "Asia/Seoul")
    assert (await room.readers.ask(asker, "language ja", NOW)).language == "en"
    assert (await room.reader()).preferences.language == "ja"


async def test_another_language_for_a_place_changes_no_answer(room: Room) -> None:
    answer = await room.readers.ask(Requester(Address("fake", "other"), "en", person="ada"), "subscribe ko", NOW)
    assert answer.language == "en"
