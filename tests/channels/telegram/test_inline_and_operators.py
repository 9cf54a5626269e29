"""Telegram outside one's own chat: inline search in any chat, and the commands of operators."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.support.telegram_program import Station
from tests.support.telegram_replies import said
from tests.support.telegram_server import TelegramServer
from tests.support.telegram_server.people import Person

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("without_rate_limits")]


# Any chat


async def test_papers_are_found_in_any_chat_and_put_into_it(
    server: TelegramServer, station: Station, ada: Person
) -> None:
    await ada.asks_inline("diffusion")
    found = await ada.hears("inline")
    assert {result["id"] for result in found.results} == {"2604.00003", "2604.00004"}
    card = await ada.chooses_inline("2604.00003")
    assert "diffusion <3" in card.text
    await ada.asks_inline("")
    edition = await ada.hears("inline")
    assert edition.results[0]["id"] == "edition"
    assert len(edition.results) > 5
    await ada.asks_inline(f"{datetime.now(UTC).date()}")
    assert (await ada.hears("inline")).results[0]["id"] == "edition"
    await ada.asks_inline("2604.00001")
    assert [result["id"] for result in (await ada.hears("inline")).results] == ["2604.00001"]
    await ada.asks_inline("nothing like it")
    assert (await ada.hears("inline")).results == []


async def test_the_papers_of_a_day_follow_each_other_to_the_last(
    server: TelegramServer, station: Station, ada: Person
) -> None:
    for query in (f"{datetime.now(UTC).date()}", ""):
        seen: list[str] = []
        offset = ""
        for _ in range(20):
            await ada.asks_inline(query, offset=offset)
            heard = await ada.hears("inline")
            seen += [result["id"] for result in heard.results]
            offset = f"{heard.options.get('next_offset', '')}"
            if not offset:
                break
        assert seen[0] == "edition"
        assert len(seen) == len(set(seen)) == 24


async def test_more_results_follow_those_that_were_found(server: TelegramServer, station: Station, ada: Person) -> None:
    seen: list[str] = []
    offset = ""
    while True:
        await ada.asks_inline("thing", offset=offset)
        heard = await ada.hears("inline")
        seen += [result["id"] for result in heard.results]
        offset = f"{heard.options.get('next_offset', '')}"
        if not offset:
            break
    assert len(seen) == len(set(seen)) == 23


# Those who run the newsletter


async def test_operators_see_how_it_stands_and_announce_something_once(server: TelegramServer, tmp_path: Path) -> None:
    noon = f"Etc/GMT{datetime.now(UTC).hour - 12:+d}"  # where it is about that now: nobody is woken up
    async with Station(tmp_path, server, {"ADMINS": "telegram:7", "DEFAULT_TIMEZONE": noon}) as station:
        await station.publish()
        boss, ada = server.person(7, name="Boss"), server.person(42)
        await ada.writes("/start")
        while "#1" not in ((await ada.hears("message")).message or ada.chat.last).labels:
            pass
        await ada.writes("/stats")
        assert "didn’t understand" in await said(await ada.hears("message"))
        await boss.writes("/stats")
        assert "telegram" in await said(await boss.hears("message"))
        await server.polled()
        menus = [call.arguments for call in server.calls_of("setMyCommands") if "chat_id" in str(call.arguments)]
        assert any("broadcast" in str(each["commands"]) for each in menus)

        await boss.writes("/broadcast We are moving <soon>.\nThank you!")
        preview = (await boss.hears("message")).message
        assert preview is not None
        assert "We are moving <soon>.\nThank you!" in preview.text
        assert len(ada.messages) == 3
        await station.restart()
        for _ in range(2):
            await boss.taps(preview, preview.buttons[0]["callback_data"])
        assert "on its way" in await said(await boss.hears("edit"))
        told = await said(await ada.hears("message"))
        assert "We are moving <soon>.\nThank you!" in told
        assert "/unsubscribe" in told, "as the preview showed it"
        await server.polled()
        assert len(ada.messages) == 4
