"""One button reports a wrong summary: counted per text and model, and shown to the operator."""

from __future__ import annotations

import asyncio
import json
from datetime import time, timedelta
from pathlib import Path

from bot.channel import Requester
from bot.commands.reader_commands import ReaderCommands
from bot.model import Address, Found, Preferences, Style
from bot.store import Store, paper_queries, subscriber_queries, text_queries, text_reports
from bot.store.text_queries import StoredText, TextState
from tests.support.command import papers_command
from tests.support.databases import fresh_store
from tests.support.fake_channel import NOW, FakeChannel, paper

PAPER = paper(1)
ADA = Requester(Address("fake", "ada"))
LINE = f"paper {PAPER.id}"


async def write(store: Store, style: Style = Style.PLAIN) -> None:
    text = StoredText(PAPER.id, "en", style, "m", "p", TextState.ACCEPTED, {"idea": "An idea."}, [], 1, NOW)
    async with store.write() as connection:
        await paper_queries.keep(connection, Found([PAPER], frozenset({PAPER.listed_on})))
        await text_queries.keep(connection, text)
        await subscriber_queries.add(
            connection, Address("fake", "ada"), Preferences(style=Style.PLAIN), now=NOW - timedelta(hours=1)
        )


async def test_a_reader_reports_a_text_with_one_tap_and_the_operator_sees_it(store: Store) -> None:
    await write(store)
    commands = ReaderCommands(store, [FakeChannel()], fallback=Preferences(), closes=time(22))
    shown = await commands.ask(ADA, LINE, NOW)
    [option] = [each for each in shown.options if "wrong" in each.line]
    assert option.line == f"{LINE} wrong plain"
    for _ in range(2):
        reply = await commands.ask(ADA, option.line, NOW)
    assert reply.says[0].startswith("Thank you")
    assert reply.page is not None  # the paper stays in sight
    assert not [each for each in reply.options if "wrong" in each.line]
    async with store.read() as connection:
        assert await text_reports.of(connection, [PAPER.id]) == {(PAPER.id, "en", "plain", "m"): 2}
        assert await text_reports.by_model(connection, NOW) == [text_reports.Reported("m", 1, 2)]
        assert await text_reports.by_model(connection, NOW + timedelta(seconds=1)) == []


async def test_what_no_model_wrote_has_no_such_button_and_a_made_up_report_counts_nothing(store: Store) -> None:
    await write(store, Style.REVIEW)
    commands = ReaderCommands(store, [FakeChannel()], fallback=Preferences(), closes=time(22))
    for line in (f"{LINE} wrong plain", f"{LINE} wrong headline", f"{LINE} wrong"):
        await commands.ask(ADA, line, NOW)
    async with store.write() as connection:
        assert await text_reports.of(connection, [PAPER.id]) == {}


async def test_papers_texts_counts_the_reports(tmp_path: Path) -> None:
    store = fresh_store(tmp_path)
    await write(store)
    async with store.write() as connection:
        text = (await text_queries.of(connection, [PAPER.id], "en"))[PAPER.id][Style.PLAIN]
        await text_reports.add(connection, text, NOW)
    await store.close()
    done = await asyncio.to_thread(papers_command, tmp_path, "texts", "--json")
    assert [each["reports"] for each in json.loads(done.stdout)] == [1]
