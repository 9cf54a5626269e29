"""Commands that change preferences, and the settings that show them."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from bot.channel import CommandName
from bot.model import (
    Cadence,
    Preferences,
    Style,
)
from bot.store.edition_report import reports
from tests.support.chat import Chat


async def test_after_a_change_the_papers_are_a_tap_away(chat: Chat) -> None:
    await chat.ask("subscribe")
    for line in ("style headline", "count 2", "language ko", "topics agents"):
        saved = await chat.ask(line)
        assert "date mine" in [option.line for option in saved.options], line
    await chat.ask("topics none")
    shown = await chat.ask("date mine")
    assert shown.page is not None
    assert shown.page.language == "ko"
    assert len(shown.page.blocks) == 2
    assert "date mine" not in [option.line for option in (await chat.ask("time 9")).options], "no other papers"


@pytest.mark.parametrize("typed", ["de", "Deutsch", "klingon"])
async def test_a_language_that_is_not_offered_is_answered_with_those_there_are(chat: Chat, typed: str) -> None:
    await chat.ask("subscribe")
    answer = await chat.ask(f"language {typed}")
    assert not answer.ok
    assert "한국어" in answer.says[0]
    assert {"language ko", "language ar"} <= {option.line for option in answer.options}
    assert (await chat.preferences()).language == "en"


# Preferences


@pytest.mark.parametrize(
    ("line", "changed"),
    [
        ("language ko", {"language": "ko"}),
        ("style abstract", {"style": Style.ABSTRACT}),
        ("count all", {"papers": 0}),
        ("votes 5", {"min_votes": 5}),
        ("topics diffusion, -video", {"topics": ("diffusion", "-video")}),
        ("time 7:45", {"hour": 465}),
        ("weekdays mon-fri", {"weekdays": 0b0011111}),
        ("zone Asia/Seoul", {"timezone": "Asia/Seoul"}),
        ("cadence month", {"cadence": Cadence.MONTH}),
    ],
)
async def test_each_preference_is_changed_on_its_own(chat: Chat, line: str, changed: dict[str, Any]) -> None:
    await chat.ask("subscribe")
    before = await chat.preferences()
    answer = await chat.ask(line)
    assert answer.ok
    assert await chat.preferences() == replace(before, **changed)
    menu = await chat.ask(line.split(maxsplit=1)[0])
    assert menu.ok
    chosen = [option for option in menu.options if option.chosen]
    if line.split(maxsplit=1)[0] not in {CommandName.TOPICS, CommandName.TIME, CommandName.ZONE}:
        assert chosen
    for option in menu.options:
        assert (await chat.ask(option.line)).ok


async def test_a_language_guessed_wrong_is_one_tap_from_right(chat: Chat) -> None:
    answer = await chat.ask("subscribe", locale="ko")
    languages = next(option for option in answer.options if option.line == "language")
    menu = await chat.ask(languages.line)
    assert {option.label for option in menu.options} >= {
        "English",
        "한국어",
        "日本語",
        "中文 (简体)",
        "中文 (繁體)",
        "العربية",
    }
    right = next(option for option in menu.options if option.label == "日本語")
    assert (await chat.ask(right.line)).language == "ja"


async def test_a_zone_guessed_wrong_is_corrected_by_a_city_in_the_readers_language(chat: Chat) -> None:
    await chat.ask("subscribe", locale="ko")
    found = await chat.ask("zone 베를린")
    assert (await chat.ask(found.options[0].line)).ok
    assert (await chat.preferences()).timezone == "Europe/Berlin"
    lost = await chat.ask("zone 아틀란티스")
    assert not lost.ok


async def test_topics_are_shown_with_what_the_last_30_days_would_have_given(chat: Chat) -> None:
    await chat.ask("subscribe")
    answer = await chat.ask("topics 95580")
    assert "you’d have received 1 of 3" in " ".join(answer.says)
    answer = await chat.ask("topics Paper")
    assert "you’d have received 3 of 3" in " ".join(answer.says)
    assert len(answer.rows) == 3
    assert all(row.line for row in answer.rows)
    cleared = await chat.ask(next(option for option in answer.options if option.label == "Remove Paper").line)
    assert cleared.ok
    assert (await chat.preferences()).topics == ()


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"unknown": 1},
        {"language": "ko", "hour": 7},
        {"language": "xx"},
        {"papers": 51},
        {"papers": -1},
        {"min_votes": -5},
        {"topics": ("  ",)},
        {"topics": ("a",) * 40},
        {"topics": ("x" * 500,)},
        {"hour": 7},
        {"hour": 24 * 60},
        {"weekdays": 0},
        {"weekdays": 128},
        {"timezone": "Mars/Olympus"},
        {"timezone": "../../etc/passwd"},
    ],
)
async def test_what_cannot_be_chosen_changes_nothing(chat: Chat, change: dict[str, object]) -> None:
    await chat.ask("subscribe")
    before = await chat.preferences()
    assert not (await chat.readers.change(chat.requester, change, chat.now)).ok
    assert await chat.preferences() == before


async def test_settings_show_every_preference_and_lead_to_each(chat: Chat) -> None:
    await chat.ask("subscribe")
    answer = await chat.ask("settings")
    assert len(answer.rows) == 9
    for row in answer.rows:
        assert row.value
        assert row.line
        assert (await chat.ask(row.line)).ok
    assert [option.line for option in answer.options] == ["pause", "unsubscribe"]


# Concurrent changes, and changes taken back


async def test_concurrent_changes_are_all_stored(chat: Chat) -> None:
    await chat.ask("subscribe")
    lines = ("time 7", "zone Europe/Berlin", "count 3", "votes 2", "topics robots", "weekdays 1-5")
    answers = await asyncio.gather(*(chat.readers.ask(chat.requester, line, chat.now) for line in lines))
    assert [answer.says for answer in answers if not answer.ok] == []
    assert await chat.preferences() == Preferences(
        hour=420, timezone="Europe/Berlin", papers=3, min_votes=2, topics=("robots",), weekdays=0b0011111
    )


@pytest.mark.parametrize("lines", [("pause", "resume"), ("cadence week", "cadence day"), ("unsubscribe", "subscribe")])
async def test_a_change_that_is_taken_back_skips_no_edition(chat: Chat, lines: tuple[str, str]) -> None:
    await chat.ask("subscribe")
    for line in lines:
        await chat.ask(line)
    assert await chat.rows() == [("owed", None)]
    async with chat.store.read() as connection:
        assert all(report.adds_up for report in await reports(connection))


async def test_settings_say_that_a_reader_is_unsubscribed(chat: Chat) -> None:
    await chat.ask("subscribe")
    await chat.ask("unsubscribe")
    answer = await chat.ask("settings")
    assert list(answer.says) == ["You’re unsubscribed."]
    assert [option.line for option in answer.options] == ["subscribe"]
    assert "not subscribed" in await chat.says("pause")
    assert "not subscribed" in await chat.says("resume")
