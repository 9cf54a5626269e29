"""An announcement from its draft to its confirmation: who may make one, its preview, what is refused."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from bot.channel import (
    Limits,
)
from bot.model import Address, Preferences
from bot.render.announcement_page import LONGEST
from bot.rules.access import Access, Admission
from bot.runtime.locks import Locks
from bot.store import (
    Store,
    subscriber_queries,
)
from bot.store.announcements import LASTS
from bot.store.schema import announcements as drafts
from tests.support.fake_channel import NOW, FakeChannel, publish
from tests.support.operator_chat import EVERYWHERE, HOUR, Chat, begun, deliver, notes, reported

FOR_OPERATORS = {"stats", "broadcast"}


@pytest.fixture
async def chat(store: Store) -> Chat:
    """Readers all over the world, who have had an edition that is older than a day."""
    return await begun(store, EVERYWHERE)


# Who may


@pytest.mark.parametrize("line", ["stats", "broadcast We move.", "broadcast", f"broadcast confirmed {'0' * 20}"])
async def test_what_is_for_operators_is_no_command_to_anybody_else(chat: Chat, line: str) -> None:
    ada = Address("fake", "ada")
    unknown = await chat.ask("no such command", ada)
    assert await chat.ask(line, ada) == unknown
    assert not FOR_OPERATORS & {row.label for row in unknown.rows}
    asked = await chat.ask("help", ada)
    for command in FOR_OPERATORS:
        assert await chat.ask(f"help {command}", ada) == asked
        assert await chat.ask(f"/help /{command}", ada) == asked
    assert await notes(chat.store) == []


async def test_an_operators_help_lists_what_is_for_operators(chat: Chat) -> None:
    assert {row.label for row in (await chat.ask("help")).rows} >= FOR_OPERATORS
    assert "broadcast telegram: " in await chat.says("broadcast")
    assert "stats" in await chat.says("help stats")


async def test_an_operator_is_known_however_the_address_is_written(store: Store) -> None:
    chat = Chat(store, access=Access(Admission.LIST, always=(Address("fake", "Root"),)))
    assert (await chat.ask("stats")).ok


async def test_in_a_place_of_operators_only_those_who_run_it_announce(chat: Chat) -> None:
    assert not (await chat.ask("broadcast We move.", person="7", may_change=False)).ok
    assert (await chat.ask("stats", person="7", may_change=False)).ok
    shown = await chat.ask("broadcast We move.", person="7")
    assert shown.ok
    for option in shown.options:
        assert not (await chat.ask(option.line, person="8", may_change=False)).ok
    assert await notes(chat.store) == []
    assert (await chat.ask(shown.options[0].line, person="7")).ok


# The preview


async def test_an_announcement_is_shown_as_readers_will_see_it_and_nothing_is_sent(chat: Chat) -> None:
    answer = await chat.ask("broadcast First line.\n\n\n\nSecond\u202e line.\x00")
    assert answer.says[1:4] == [
        "A message from the people who run this newsletter",
        "First line.\n\nSecond line.",
        "You’re getting this because you’re subscribed. “unsubscribe” stops it.",
    ]
    assert answer.says[4] == (
        "4 readers will get it in their daytime: first 4 November, 12:00 UTC, last 4 November, 15:00 UTC."
    )
    assert [(row.label, row.value) for row in answer.rows] == [("Readers on fake", "4")]
    assert [option.label for option in answer.options] == ["Send it", "Cancel"]
    assert all(len(option.line.encode()) <= 64 for option in answer.options)
    assert await notes(chat.store) == []
    assert chat.heard.alerts == []


async def test_a_draft_outlasts_a_restart_and_is_sent_once_however_often_it_is_confirmed(
    chat: Chat, locks: Locks
) -> None:
    shown = await chat.ask("broadcast We are moving.")
    chat.restart()
    confirm = shown.options[0].line
    first, second = await asyncio.gather(chat.ask(confirm), chat.ask(confirm))
    said = sorted(" ".join(answer.says) for answer in (first, second))
    assert said == ["Already confirmed; it is sent only once.", "It’s on its way to 4 readers."]
    assert "Already confirmed" in await chat.says(confirm)
    await deliver(chat.store, chat.channel, locks, chat.now)
    assert len(chat.channel.alerts) == 4
    assert chat.heard.alerts == [("announcement published", {"audience": 4})]


async def test_what_was_cancelled_cannot_be_confirmed_and_the_other_way_round(chat: Chat) -> None:
    first, second = await chat.ask("broadcast One."), await chat.ask("broadcast Two.")
    assert (await chat.ask(first.options[1].line)).says == ["Discarded."]
    assert "Please write it again" in await chat.says(first.options[0].line)
    assert (await chat.ask(second.options[0].line)).ok
    late = await chat.ask(second.options[1].line)
    assert (late.ok, late.says) == (False, ["Already confirmed; it is sent only once."])
    assert len(await notes(chat.store)) == 4


async def test_a_draft_can_be_confirmed_for_a_day(chat: Chat) -> None:
    shown = await chat.ask("broadcast One.")
    chat.now += LASTS - timedelta(seconds=15)
    other = await chat.ask("broadcast Two.")
    chat.now += timedelta(seconds=15)
    assert "Please write it again" in await chat.says(shown.options[0].line)
    assert (await chat.ask(other.options[0].line)).ok
    chat.now += 2 * LASTS
    await chat.ask("broadcast Three.")
    async with chat.store.read() as connection:
        assert await connection.scalar(select(func.count()).select_from(drafts)) == 2


async def test_nobody_guesses_a_key(chat: Chat) -> None:
    shown = await chat.ask("broadcast One.")
    line = shown.options[0].line
    assert line.startswith("broadcast confirmed ")
    assert "Please write it again" in await chat.says(line[:-1] + f"{(int(line[-1], 16) + 1) % 16:x}")
    assert "Please write it again" in await chat.says(f"broadcast confirmed {'0' * 20}")
    for broken in (line[:-1], "broadcast confirmed %"):  # no key at all: one more text to be previewed
        assert "Nothing has been sent yet" in await chat.says(broken)
    assert await notes(chat.store) == []


async def test_one_announcement_a_day_is_enough(chat: Chat) -> None:
    early = await chat.ask("broadcast Two.")
    await chat.announce("One.")
    for refused in (await chat.ask("broadcast Three."), await chat.ask(early.options[0].line)):
        assert (refused.ok, refused.options) == (False, ())
        assert "from 5 November, 00:00 UTC" in refused.says[0]
    chat.now += timedelta(days=1) - HOUR
    assert (await chat.ask(early.options[0].line)).ok
    assert len(await notes(chat.store)) == 8


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("x" * (LONGEST + 1), "2,001 of"),
        ("x\n" * 30_000, "60,000 of"),
        ("\u202e\n \x00\n", "There is no text to send"),
    ],
)
async def test_what_cannot_be_announced_is_refused_in_a_sentence(chat: Chat, text: str, says: str) -> None:
    answer = await chat.preview(text)
    assert (answer.ok, answer.options) == (False, ())
    assert says in answer.says[0]


async def test_the_longest_announcement_is_taken(chat: Chat) -> None:
    assert (await chat.ask(f"broadcast {'🙂' * LONGEST}")).ok


async def test_what_does_not_fit_into_a_channels_message_is_refused(store: Store) -> None:
    await publish(store, EVERYWHERE)
    chat = Chat(store, channel=FakeChannel(limits=Limits(maxima={"characters": 20})))
    assert "doesn’t fit into one message on fake" in await chat.says("broadcast This is longer than that.")
    assert (await chat.ask("broadcast This is not.")).ok


async def test_where_nobody_reads_there_is_nothing_to_announce(store: Store) -> None:
    chat = Chat(store)
    assert "no readers" in await chat.says("broadcast We move.")
    await publish(store, {"ada": Preferences()})
    shown = await chat.ask("broadcast We move.")
    async with store.write() as connection:
        await subscriber_queries.unsubscribe(connection, 1, now=chat.now)
    assert "no readers" in await chat.says(shown.options[0].line)
    async with store.write() as connection:
        await subscriber_queries.resume(connection, 1)
    assert (await chat.ask(shown.options[0].line)).ok  # the day is not spent


async def test_an_announcement_for_one_channel_reaches_nobody_else(chat: Chat) -> None:
    async with chat.store.write() as connection:
        await subscriber_queries.add(connection, Address("other", "eve"), Preferences(), now=NOW)
    everybody = await chat.ask("broadcast Note: we move.")
    assert [row.label for row in everybody.rows] == ["Readers on fake", "Readers on other"]
    assert everybody.says[2] == "Note: we move."
    shown = await chat.ask("broadcast Other: we move.")
    assert [(row.label, row.value) for row in shown.rows] == [("Readers on other", "1")]
    assert shown.says[2] == "we move."
    await chat.ask(shown.options[0].line)
    assert [row.channel for row in await notes(chat.store)] == ["other"]
    assert (await reported(chat.store)).audience == 1
