"""Replies on Telegram when something is in the way: long answers, stops, floods, late taps, lost networks."""

from __future__ import annotations

from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image

from bot.commands import token_buckets
from bot.media.media_store import MediaStore
from channels.telegram import polling, replies
from tests.support.telegram_program import Station
from tests.support.telegram_replies import said
from tests.support.telegram_server import Fault, TelegramServer
from tests.support.telegram_server.people import Person

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("without_rate_limits")]


async def test_an_answer_that_is_too_long_for_one_message_comes_in_two(server: TelegramServer, tmp_path: Path) -> None:
    async with Station(tmp_path, server, {"ADMINS": "telegram:7"}) as station:
        await station.publish()
        boss, ada = server.person(7, name="Boss"), server.person(42)
        await ada.writes("/start")
        await ada.hears("message")
        await boss.writes("/broadcast " + "\n".join(["🙂" * 95] * 20))
        first, second = [(await boss.hears("message")).message for _ in range(2)]
        assert first is not None
        assert second is not None
        assert not first.keyboard
        assert second.keyboard


# What goes wrong around an answer


@pytest.mark.parametrize(
    ("text", "becomes"),
    [
        ("topics in rl", "Search: topics in rl"),
        ("language models", "Nothing found"),
        ("Time series forecasting", "Nothing found"),
        ("top methods", "Nothing found"),
        ("settings", "Delivery is on"),
        ("time 7:30", "Saved"),
        ("zone Berlin", "Saved. Time zone: Berlin"),
    ],
)
async def test_plain_words_are_looked_for_unless_they_can_only_be_a_command(
    server: TelegramServer, station: Station, ada: Person, text: str, becomes: str
) -> None:
    await ada.writes("/start")
    await server.polled()
    await ada.writes(text)
    await server.polled()
    shown = ada.chat.last.text
    assert becomes in shown or (becomes.startswith("Search") and "Nothing found" in shown)
    assert (await station.reader("42")).preferences.topics == ()


async def test_what_a_stop_cuts_off_is_answered_after_the_next_start(
    server: TelegramServer, station: Station, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(polling, "SHUTDOWN_GRACE", 0.0)
    people = [server.person(100 + number) for number in range(6)]
    server.delay = 0.3
    for person in people:
        await person.writes("/help")
    await server.answered(1, "getUpdates")
    await station.__aexit__()
    server.delay = 0.0
    await station.__aenter__()
    for person in people:
        await person.hears("message")


async def test_one_who_asks_without_end_delays_nobody(server: TelegramServer, station: Station, ada: Person) -> None:
    for _ in range(60):
        await ada.writes("/help")
    bo = server.person(43)
    await bo.writes("/help")
    await bo.hears("message")
    await server.polled(limit=60)
    assert len(ada.messages) < 60


async def test_who_has_to_wait_is_told_so_once(
    server: TelegramServer, station: Station, ada: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(token_buckets, "BURST", 3)
    for _ in range(8):
        await ada.writes("/privacy")
    await server.polled()
    assert sum("One moment" in message.text for message in ada.messages) == 1


async def test_an_update_that_nobody_can_read_keeps_no_other_from_being_read(
    server: TelegramServer, station: Station, ada: Person
) -> None:
    update = await ada.writes("/help")
    update["message"]["date"] = "yesterday"
    await ada.writes("/privacy")
    assert "We store" in await said(await ada.hears("message"))


async def test_a_service_in_trouble_is_asked_once_more(
    server: TelegramServer, station: Station, ada: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("channels.telegram.replies.OUTAGE_WAIT", 0.01)
    server.fail(Fault.bad_gateway(), method="sendMessage", times=1)
    await ada.writes("/privacy")
    old = (await ada.hears("message")).message
    assert old is not None
    server.fail(Fault.bad_gateway(), method="answerCallbackQuery", times=1)
    await ada.taps(old, "forget")
    assert (await ada.hears("edit")).message is not None


async def test_a_figure_that_a_place_does_not_take_costs_no_answer(
    server: TelegramServer, station: Station, ada: Person
) -> None:
    folder = station.home / "cache"
    folder.mkdir(exist_ok=True)
    Image.new("RGB", (64, 48), "teal").save(folder / "2604.00001.fig.jpg")
    server.fail(Fault.refuse(400, "Bad Request: not enough rights to send photos to the chat"), method="sendPhoto")
    await ada.writes("/paper 2604.00001")
    assert "apples" in await said(await ada.hears("message"))


async def test_a_newcomer_is_greeted_and_examples_can_be_typed_as_they_stand(
    server: TelegramServer, station: Station, ada: Person
) -> None:
    await ada.writes("Hello!")
    greeting = (await ada.hears("message")).message
    assert greeting is not None
    assert greeting.text.startswith("Hello!")
    assert len(greeting.buttons) == 3
    await ada.writes("/help time")
    assert "/time 7:30" in await said(await ada.hears("message"))
    await ada.writes("/date yesterday")
    assert "not understood" not in await said(await ada.hears("message"))


async def test_an_answer_waits_for_the_end_of_a_flood_wait_and_holds_up_nobody(
    server: TelegramServer,
    station: Station,
    ada: Person,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(replies, "IN_TURN", 0.5)
    server.fail(Fault.flood(1), method="sendMessage", chat=ada, times=1)
    await ada.writes("/privacy")
    await ada.writes("/help")
    bo = server.person(43)
    await bo.writes("/help")
    await bo.hears("message")
    await server.polled()  # the updates count as handled
    assert "reply waits for the end of a flood wait" in caplog.messages
    heard = [await said(await ada.hears("message")) for _ in range(2)]
    assert "We store" in heard[0]
    assert "/today" in heard[1]


async def test_an_answer_that_would_wait_for_hours_or_until_a_stop_is_given_up_and_said(
    server: TelegramServer, station: Station, ada: Person, caplog: pytest.LogCaptureFixture
) -> None:
    bo = server.person(43)
    bo.chat.started = True
    server.fail(Fault.flood(43_200), method="sendMessage", chat=ada)
    server.fail(Fault.flood(600), method="sendMessage", chat=bo)
    for person in (bo, ada):
        await person.writes("/help")
        await server.polled()
    assert caplog.messages.count("reply waits for the end of a flood wait") == 1
    assert caplog.messages.count("reply not sent") == 1
    await station.restart()
    assert "replies given up at the stop, they waited for the end of a flood wait" in caplog.messages


async def test_a_tap_that_changes_nothing_and_one_that_comes_too_late_are_no_fault(
    server: TelegramServer, station: Station, ada: Person, caplog: pytest.LogCaptureFixture
) -> None:
    await ada.writes("/start")
    await ada.hears("message")
    await ada.writes("/settings")
    while (panel := (await ada.hears("message")).message) is None or "Language: English" not in panel.labels:
        pass
    await ada.taps(panel, "style")
    menu = (await ada.hears("edit")).message
    assert menu is not None
    ada.chat.last.markup = panel.markup  # two taps on the same button, the second before the first was answered
    await ada.taps(panel, "style")
    await ada.hears("answer")
    ada.chat.last.markup = menu.markup
    await ada.taps(menu, "settings")
    server.expire_queries()
    await ada.hears("edit")
    await server.polled()
    assert "update failed" not in caplog.text


async def test_a_message_that_cannot_be_changed_any_more_is_answered_by_a_new_one(
    server: TelegramServer, station: Station, ada: Person
) -> None:
    await ada.writes("/help")
    old = (await ada.hears("message")).message
    assert old is not None
    server.fail(Fault.refuse(400, "Bad Request: message can't be edited"), method="editMessageText", times=1)
    await ada.taps(old, old.buttons[0]["callback_data"])
    assert (await ada.hears("message")).message is not None


async def test_a_network_that_comes_back_is_listened_to_again(
    server: TelegramServer, station: Station, ada: Person
) -> None:
    server.fail(Fault.bad_gateway(), method="getUpdates", times=2)
    await ada.writes("/help")
    await ada.hears("message")
    await ada.writes("/help")
    await ada.hears("message")


async def test_a_figure_is_uploaded_once(server: TelegramServer, station: Station, ada: Person) -> None:
    folder = station.home / "cache"
    folder.mkdir(exist_ok=True)
    Image.new("RGB", (64, 48), "teal").save(folder / "2604.00001.fig.jpg")
    bo = server.person(43)
    for person in (ada, bo, ada):
        await person.writes("/paper 2604.00001")
        first, second = [(await person.hears("message")).message for _ in range(2)]
        assert first is not None
        assert "photo" in first.media
        assert second is not None
    uploads = [call for call in server.calls_of("sendPhoto") if not isinstance(call.arguments["photo"], str)]
    assert len(uploads) == 1


async def test_a_picture_of_an_edition_is_a_photo_that_is_uploaded_once(
    server: TelegramServer, station: Station, ada: Person
) -> None:
    drawn = BytesIO()
    Image.new("RGB", (64, 48), "teal").save(drawn, "PNG")
    media = MediaStore(station.home / "media")
    media.put("2026-04-29", "en", "trend.png", drawn.getvalue(), made_from="a1", now=datetime.now(UTC))
    for person in (ada, server.person(43)):
        await person.writes("/trend 2026-04-29")
        shown = (await person.hears("message")).message
        assert shown is not None
        assert "photo" in shown.media
    uploads = [call for call in server.calls_of("sendPhoto") if not isinstance(call.arguments["photo"], str)]
    assert len(uploads) == 1
    assert "29 April 2026" in uploads[0].arguments["caption"]


async def test_menus_are_set_once_in_every_language_and_again_where_they_changed(
    server: TelegramServer, station: Station, ada: Person
) -> None:
    await server.polled()
    first = server.counts["setMyCommands"]
    assert first == 5 * 3  # English, Korean, Japanese, Chinese, Arabic; in private, in groups, for admins
    await station.restart()
    await server.polled()
    assert server.counts["setMyCommands"] == first
    wen = server.person(44, language="zh-hant")
    await wen.writes("/start")
    await wen.hears("message")
    await server.polled()
    assert server.counts["setMyCommands"] == first + 1


async def test_a_crowd_that_asks_at_once_is_answered_each_once(
    server: TelegramServer, station: Station, long: bool
) -> None:
    people = [server.person(1000 + number) for number in range(500 if long else 40)]
    for person in people:
        person.chat.started = True
        await person.writes("/privacy")
        await person.writes("/help")
    await server.answered(2 * len(people), "sendMessage", limit=110)
    await server.polled(limit=110)
    assert [len(person.messages) for person in people] == [2] * len(people)
    for person in people:
        assert "/today" in person.messages[1].text  # in the order in which they asked
