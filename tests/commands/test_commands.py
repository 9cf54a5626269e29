"""Commands on both databases: who may run them, how often, and that every line gets a reply."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.channel import CommandName, Requester
from bot.commands import ReaderCommands
from bot.commands.token_buckets import BURST, REFILL, TokenBuckets
from bot.model import (
    Address,
)
from bot.rules.access import Access, Admission
from bot.store import Store
from channels.discord.post_options import POST_OPTIONS
from channels.telegram.message import PICTURE, RICH
from tests.support.chat import ADA, LATER, Chat
from tests.support.fake_channel import NOW, FakeChannel, publish


async def test_without_an_invite_code_nobody_reads_or_subscribes(store: Store) -> None:
    await publish(store, {})
    chat = Chat(store, access=Access(Admission.INVITE, codes=("LAB_2026", "OTHER_1")))
    for line in ("today", "search Paper", "subscribe", "subscribe LAB_2027", "subscribe ko-LAB"):
        answer = await chat.ask(line)
        assert not answer.ok
        assert "invitation" in answer.says[0]
    for line in ("help", "privacy", "forget", "export"):
        assert (await chat.ask(line)).ok
    assert (await chat.ask("subscribe ko-LAB_2026")).ok
    assert (await chat.ask("today")).ok
    await chat.ask("unsubscribe")
    assert (await chat.ask("subscribe")).ok


async def test_access_by_list_admits_the_addresses_it_names(store: Store) -> None:
    await publish(store, {})
    access = Access(Admission.LIST, allowed=("fake:ad?", "fake:*@lab.example"), always=(Address("fake", "root"),))
    chat = Chat(store, access=access)
    let_in = {
        name: (await chat.ask("subscribe", address=Address("fake", name))).ok
        for name in ("ada", "bo", "Bo@LAB.example", "root")
    }
    assert let_in == {"ada": True, "bo": False, "Bo@LAB.example": True, "root": True}


async def test_in_a_shared_place_only_its_managers_change_anything(chat: Chat) -> None:
    assert not (await chat.ask("subscribe", person="7", may_change=False)).ok
    assert (await chat.ask("subscribe", person="1", locale="ko")).ok
    before = await chat.preferences()
    for line in ("time 7", "unsubscribe", "pause", "resume", "forget confirmed", "export", "zone Berlin"):
        answer = await chat.ask(line, person="7", may_change=False, locale="ja")
        assert (answer.ok, answer.language) == (False, "ja")
    assert (await chat.ask("settings", person="7", may_change=False)).ok
    assert (await chat.ask("today", person="7", may_change=False)).ok
    assert await chat.preferences() == before


async def test_the_rate_limit_is_per_person(chat: Chat) -> None:
    async def at_once(person: str) -> list[bool]:
        requester = Requester(ADA, person=person)
        return [(await chat.readers.ask(requester, "help", LATER)).ok for _ in range(BURST + 2)]

    assert await at_once("1") == [*[True] * BURST, False, False]
    assert await at_once("2") == [*[True] * BURST, False, False]
    assert (await chat.readers.ask(Requester(ADA, person="1"), "help", LATER + REFILL)).ok


@given(st.lists(st.floats(0, 60), max_size=120))
def test_a_token_bucket_gives_no_more_than_its_burst_and_refill(gaps: list[float]) -> None:
    allowance, now, taken = TokenBuckets(), NOW, 0
    for gap in gaps:
        now += timedelta(seconds=gap)
        wait = allowance.take("ada", now)
        taken += wait is None
        assert wait is None or timedelta() < wait <= REFILL
    assert taken <= BURST + (now - NOW) / REFILL + 1


@pytest.mark.parametrize(
    ("line", "now", "said"),
    [
        ("date 2025-12-24", LATER, "is in the future"),
        ("date 2025-11-01", LATER, "weekends"),
        ("date 2025-10-31", LATER, "no edition for Friday"),
        ("paper 2001.00001", LATER, "https://arxiv.org/abs/2001.00001"),
        ("search unicorns", LATER, "Nothing found for “unicorns”"),
        ("top 3", NOW + timedelta(days=60), "No papers were listed"),
    ],
)
async def test_where_there_is_nothing_to_show_the_answer_says_why(
    chat: Chat, line: str, now: datetime, said: str
) -> None:
    chat.now = now
    answer = await chat.ask(line)
    assert not answer.ok
    assert said in answer.says[0]


async def test_before_the_first_edition_everything_has_an_answer(store: Store) -> None:
    chat = Chat(store)
    for line in ("today", "week", "month", "date", "top"):
        answer = await chat.ask(line)
        assert not answer.ok
        assert answer.says


# Robustness


@pytest.mark.parametrize(
    "line", ["topics a\x1b]0;x", "topics a\u202eb", "topics a\x00b", "search \ud83d x", "time\u30007:30"]
)
async def test_control_characters_are_neither_stored_nor_repeated(chat: Chat, line: str) -> None:
    await chat.ask("subscribe")
    answer = await chat.ask(line)
    assert all(said.isprintable() for said in answer.says)
    wanted = await chat.preferences()
    assert all(topic.isprintable() for topic in wanted.topics)
    if line.startswith("time"):
        assert wanted.hour == 450


@pytest.mark.parametrize(
    "line", ["", "hello", "/", "drop table", "time 99", "topics", "\x00", "x" * 100_000, "🙂" * 500]
)
async def test_every_line_gets_a_reply(chat: Chat, line: str) -> None:
    await chat.ask("subscribe")
    answer = await chat.ask(line)
    assert answer.says or answer.rows


async def test_help_knows_every_command(chat: Chat) -> None:
    for extras in ((), (*POST_OPTIONS, PICTURE, RICH)):
        chat.readers = ReaderCommands(chat.store, [FakeChannel(extras=extras)], **chat.options)
        answer = await chat.ask("help")
        expected = {info.name for info in chat.readers.listed("fake", "en") if not info.for_operators}
        assert {row.label for row in answer.rows} == expected
        with_audio = {CommandName.LISTEN}  # only where editions are read aloud
        assert expected >= {*CommandName, *(extra.command for extra in extras)} - with_audio
        for command in expected:
            chat.now += REFILL
            one = await chat.ask(f"help {command}")
            assert command in one.says[0]


async def test_an_internal_error_gets_a_reply_too(chat: Chat) -> None:
    class Broken(FakeChannel):
        def compose(self, page: Any) -> Any:
            raise RuntimeError("no such macro")

    chat.readers = ReaderCommands(chat.store, [Broken()], **chat.options)
    answer = await chat.ask("date 2025-11-03", locale="ko")
    assert (answer.ok, answer.language) == (False, "ko")
    assert "RuntimeError" not in " ".join(answer.says)
