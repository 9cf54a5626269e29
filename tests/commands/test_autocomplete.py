"""Autocomplete, and the language that a shared place begins with."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.channel import CommandName, Requester
from bot.model import Address, Cadence, Edition, Found, Paper, Ranked
from bot.rules.access import Access, Admission
from bot.store import Store, edition_queries, paper_queries
from tests.support.fake_channel import DAY, NOW, paper
from tests.support.shared_room import ADA, PLACE, Room

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


async def suggested(room: Room, command: str, typed: str, locale: str = "en") -> list[str]:
    found = await room.readers.suggest(Requester(ADA, locale), command, typed, NOW)
    return [each.value for each in found]


@pytest.mark.parametrize(
    ("command", "typed", "values"),
    [
        (CommandName.DATE, "", [f"{DAY}"]),
        (CommandName.DATE, "2025", [f"{DAY}", f"{EARLIER}"]),
        (CommandName.DATE, "monday", [f"{DAY}"]),
        (CommandName.WHY, "08-05", [f"{EARLIER}"]),
        (CommandName.DATE, "1999", []),
        (CommandName.PAPER, "", ["2511.00000", "2511.00001", "2511.00002"]),
        (CommandName.PAPER, "study au", ["2511.00002"]),
        (CommandName.PAPER, "https://arxiv.org/abs/2511.00001v2", ["2511.00001"]),
        (CommandName.PAPER, "nothing of that", []),
        (CommandName.TOPICS, "", ["agents", "video", "audio"]),
        (CommandName.TOPICS, "llm, -vi", ["llm, -vi", "llm, -video"]),
        (CommandName.ZONE, "seoul", ["Asia/Seoul"]),
        (CommandName.LANGUAGE, "한", ["ko"]),
        (CommandName.STYLE, "abs", ["abstract"]),
        (CommandName.TIME, "7:15", ["7:15"]),
        (CommandName.TIME, "25:00", []),
        (CommandName.COUNT, "all", ["all"]),
        (CommandName.WEEKDAYS, "", ["1,2,3,4,5", "1,2,3,4,5,6,7"]),
        (CommandName.HELP, "privacy", ["privacy"]),
        (CommandName.HELP, "silent", ["silent"]),
        (CommandName.HELP, "picture", ["cloud", "poster"]),
        (CommandName.TODAY, "x", []),
    ],
)
async def test_autocomplete_completes_the_text(room: Room, command: str, typed: str, values: list[str]) -> None:
    assert await suggested(room, command, typed) == values


async def test_suggestions_are_in_the_requesters_language(room: Room) -> None:
    [found] = await room.readers.suggest(Requester(ADA, "ko"), CommandName.DATE, "2025-11", NOW)
    assert found.label == "2025년 11월 3일 월요일"


async def test_who_is_not_admitted_gets_no_suggestions(room: Room) -> None:
    room.readers._services = replace(room.readers._services, access=Access(Admission.LIST))
    assert await suggested(room, CommandName.PAPER, "") == []


async def test_autocomplete_has_a_rate_limit_of_its_own(room: Room) -> None:
    for _ in range(100):
        await suggested(room, CommandName.DATE, "2025")
    assert (await room.ask("help", address=ADA, person=None)).ok


@pytest.mark.parametrize("typed", ["\x00", "\ud800", "%", "'" * 500, ",,,", "٣"])
async def test_no_text_makes_autocomplete_fail(room: Room, typed: str, caplog: pytest.LogCaptureFixture) -> None:
    for command in room.readers._commands["fake"]:
        await suggested(room, command, typed)
    assert caplog.records == []


async def test_a_shared_place_begins_in_its_own_language_and_members_get_replies_in_theirs(room: Room) -> None:
    requester = Requester(PLACE, "en", person="ada", place_locale="ko")
    answer = await room.readers.ask(requester, "subscribe", NOW)
    assert answer.language == "en"
    wanted = (await room.reader()).preferences
    assert (wanted.language, wanted.timezone) == ("ko", "Asia/Seoul")
    assert (await room.readers.ask(requester, "language ja", NOW)).language == "en"
    assert (await room.reader()).preferences.language == "ja"


async def test_another_language_for_a_place_changes_no_reply(room: Room) -> None:
    answer = await room.readers.ask(Requester(Address("fake", "other"), "en", person="ada"), "subscribe ko", NOW)
    assert answer.language == "en"
