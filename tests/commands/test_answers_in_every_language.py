"""Every reply in every language: complete, and without English but for names, links and what is typed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, time, timedelta
from functools import cache, partial

import pytest
from sqlalchemy import update

from bot.channel import Limits, Reply, Requester
from bot.commands import ReaderCommands, announce, registry
from bot.model import Address, Preferences, Reason, State, Status
from bot.render.catalogue import DEFAULT, languages, likely, load
from bot.render.words import own_name, words
from bot.rules.access import Access, Admission
from bot.rules.outcomes import ChannelState
from bot.rules.preferences import PREFERENCES
from bot.store import Store, channel_state, closing_state, subscriber_queries
from bot.store.schema import deliveries, reason_columns
from bot.store.schema import subscribers as readers_table
from channels.discord.post_options import POST_OPTIONS
from channels.telegram.message import PICTURE, RICH
from tests.support.fake_channel import NOW, FakeChannel, publish

LATIN = re.compile(r"[A-Za-z\u00c0-\u024f]+")
PLACEHOLDER = re.compile(r"\{\w+\}")
LONGEST_PURPOSE = 100
"""What Discord takes as a command's description."""

EXTRAS = (*POST_OPTIONS, PICTURE, RICH)
COMMANDS = registry.commands(EXTRAS)
TYPED = {
    *COMMANDS,
    "author",
    "org",
    "keyword",
    "confirmed",
    "telegram",
    "CODE",
    "all",
    "none",
    "abstract",
    "headline",
    "ko",
    "UTC",
    "arXiv",
    "ID",
    "Paper",
    "diffusion",
    "robotics",
    "Hinton",
    "DeepMind",
    "RL",
    "Asia",
    "Seoul",
    "W",
    "unicorns",
    "xyz",
    "fake",
    "ada",
    "AI",
    "PDF",
    "alphaXiv",
    "Hugging",
    "Face",
    "What",
    "it",
    "is",
    "about",
    "Daily",
    "Papers",
    "JSON",
    "bo",
    "Morning",
    "Introduction",
    "Method",
    "Results",
    "Limitations",
    "Conclusion",
}
"""Commands and what is typed with them; names of people, places and services; what our own test papers say."""

LINES: list[str] = [
    "help",
    *(f"help {command}" for command in COMMANDS),
    "subscribe",
    "subscribe",
    "settings",
    *(each.command for each in PREFERENCES),
    "time 7:30",
    "weekdays 1-5",
    "zone +9",
    "zone xyz",
    "topics Paper, -unicorns",
    "topics",
    "count all",
    "votes 3",
    "style abstract",
    "cadence week",
    "cadence month",
    "cadence day",
    "why",
    "why 2025-11-02",
    "why 2025-11-05",
    "why 2025-10-30",
    "today",
    "week",
    "month",
    "date 2025-11-03",
    "date 2025-11-02",
    "date 2025-12-24",
    "date 2025-10-30",
    "top",
    "top 99",
    "search Paper",
    "search unicorns",
    "paper 2001.00001",
    "pause",
    "pause 7",
    "settings",
    "why",
    "resume",
    "export",
    "privacy",
    "hello",
    "unsubscribe",
    "unsubscribe",
    "why",
    "subscribe",
    "forget",
    "forget confirmed",
    "forget",
    "export",
    "why",
    "pause",
]


ROOT = Address("fake", "root")
SAID = "9 + 1 = 10."
"""An announcement that is in every language."""


def all_said(answer: Reply) -> Iterator[str]:
    yield from answer.says
    for row in answer.rows:
        yield row.label
        yield row.value
    yield from (option.label for option in answer.options)
    if answer.page is not None:
        page = answer.page
        yield from (page.heading, page.lead, page.paging.more or "", *page.notes, *page.footer, *page.labels.values())
        yield from (link.label for link in page.actions)
        for block in page.blocks:
            yield from filter(None, (block.votes, block.title, *(link.label for link in block.links)))


@cache
def vocabulary(tag: str) -> frozenset[str]:
    """The words that a language's catalogue is written in."""
    written = load(tag)
    assert written is not None
    forms = [form for each in written.messages.values() for form in each]
    return frozenset(word for form in forms for word in LATIN.findall(PLACEHOLDER.sub("", form)))


def english(said: str, language: str) -> list[str]:
    """The words of a sentence that are English and not the language's own, names and what is typed left aside.

    Where a language is not written in Latin letters, every Latin word counts as English.
    """
    text = re.sub(r"https?://\S+", "", said)
    for tag in languages():
        text = text.replace(own_name(tag), "")
    found = [word for word in LATIN.findall(text) if word not in TYPED]
    if likely(language)[1] == "Latn":
        return [word for word in found if word in vocabulary(DEFAULT) - vocabulary(language)]
    return found


async def conversation(store: Store, language: str) -> list[Reply]:
    """Everything that can be asked, by somebody whose app speaks that language."""
    now = NOW + timedelta(hours=1)
    readers = ReaderCommands(store, [FakeChannel()], fallback=Preferences(), closes=time(22))
    requester = Requester(Address("fake", "ada"), language)
    answers = []
    for line in LINES:
        now += timedelta(seconds=10)
        answers.append(await readers.ask(requester, line, now))
    await readers.ask(requester, "subscribe", now)
    for state in State:
        for reason in [None, *Reason]:
            async with store.write() as connection:
                ended = None if state in {State.OWED, State.SENDING} else now
                values = {} if reason is None else reason_columns(reason)
                await connection.execute(update(deliveries).values(state=state.value, ended_at=ended, **values))
            now += timedelta(seconds=10)
            answers.append(await readers.ask(requester, "why", now))
    for access in (Access(Admission.INVITE, codes=("LAB_2026",)), Access(Admission.LIST, allowed=("fake:x",))):
        closed = ReaderCommands(store, [FakeChannel()], fallback=Preferences(), closes=time(22), access=access)
        answers.append(await closed.ask(Requester(Address("fake", "bo"), language), "subscribe", now))
    shared = Requester(Address("fake", "ada"), language, person="7", may_change=False)
    answers.append(await readers.ask(shared, "time 8", now))
    answers += [await readers.ask(shared, "help", now) for _ in range(25)]
    answers += await operators_conversation(store, language, now)
    async with store.write() as connection:
        reader = await subscriber_queries.get(connection, Address("fake", "ada"))
        assert reader is not None
        await subscriber_queries.forget(connection, reader.id, now=now)
    return answers


async def operators_conversation(store: Store, language: str, now: datetime) -> list[Reply]:
    """Everything that only operators can ask, of a newsletter in every state."""
    narrow = FakeChannel(limits=Limits(maxima={"characters": 1}))
    open_to_all, to_nobody = (
        ReaderCommands(store, [channel], fallback=Preferences(), closes=time(22), access=Access(always=(ROOT,)))
        for channel in (FakeChannel(), narrow)
    )
    requester = Requester(ROOT, language)
    async with store.write() as connection:
        for place, status in enumerate(Status):
            added = await subscriber_queries.add(
                connection, Address("fake", f"{place}"), Preferences(language="ko"), now=now
            )
            assert added is not None
            await subscriber_queries.set_status(connection, added, status, None)
        await channel_state.save(connection, "fake", ChannelState(halted_at=now, halted_for="42"))
        await channel_state.save(connection, "xyz", ChannelState(waits_until=now + timedelta(days=9)))
        await closing_state.save(connection, polled_at=now, failing_since=now)
    answers = [await to_nobody.ask(requester, f"broadcast {SAID}", now)]
    lines = ("help", "help stats", "help broadcast", "broadcast", "stats")
    answers += [await open_to_all.ask(requester, line, now) for line in lines]
    shown = [await open_to_all.ask(requester, line, now) for line in [f"broadcast {SAID}"] * 2]
    for text in ("9" * 2_001, ""):
        run = partial(announce.preview, written=text, channel=None)
        shown.insert(0, await open_to_all._answer(requester, now, run))
    answers += shown
    for option in (*shown[2].options, *shown[2].options, *reversed(shown[3].options), *shown[3].options):
        answers.append(await open_to_all.ask(requester, option.line, now))
    async with store.write() as connection:
        await connection.execute(update(readers_table).values(status=Status.GONE.value))
        await channel_state.resume(connection, "fake")
        await closing_state.save(connection, polled_at=None)
    tomorrow = now + timedelta(days=1)
    return [*answers, *[await open_to_all.ask(requester, line, tomorrow) for line in ("stats", f"broadcast {SAID}")]]


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
@pytest.mark.parametrize("language", languages())
async def test_every_answer_is_in_words_of_the_readers_language_alone(store: Store, language: str) -> None:
    await publish(store, {})
    answers = await conversation(store, language)
    assert {answer.language for answer in answers} == {language}
    assert {answer.direction for answer in answers} == {words(language).direction}
    for answer in answers:
        assert list(all_said(answer))
        assert all(said == said.strip() for said in answer.says)
        assert not [said for said in all_said(answer) if re.search(r"\{\w*\}", said)]
        if language != DEFAULT:
            assert [(english(said, language), said) for said in all_said(answer) if english(said, language)] == []
    assert len({" ".join(all_said(answer)) for answer in answers}) > 100  # they are not all the same refusal


@pytest.mark.parametrize("language", languages())
def test_every_command_has_help_that_fits_into_a_menu(language: str) -> None:
    found = {name: words(language).gettext(command.purpose) for name, command in COMMANDS.items()}
    assert [text for text in found.values() if len(text) > LONGEST_PURPOSE or text.endswith((".", "。"))] == []
    assert len(set(found.values())) == len(found)


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
@pytest.mark.parametrize("language", languages())
async def test_every_example_in_help_is_understood(store: Store, language: str) -> None:
    w = words(language)
    await publish(store, {})
    now = datetime(2026, 6, 1, 12, tzinfo=UTC)
    readers = ReaderCommands(
        store, [FakeChannel(extras=EXTRAS)], fallback=Preferences(), closes=time(22), access=Access(always=(ROOT,))
    )
    requester = Requester(ROOT, language)
    await readers.ask(requester, "subscribe", now)
    misread = w.gettext("help.not_understood")
    for command in COMMANDS.values():
        for line in command.lines(w):
            now += timedelta(seconds=10)
            assert misread not in (await readers.ask(requester, line, now)).says, line
