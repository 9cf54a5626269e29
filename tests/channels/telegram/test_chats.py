"""Groups, topics and channels, other chats, and all that goes wrong around an answer."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image

from bot.channel import Rate
from bot.commands import token_buckets
from bot.media.media_store import MediaStore
from bot.model import Status
from channels.telegram import channel, polling, replies
from tests.support.telegram_program import Station
from tests.support.telegram_server import Fault, TelegramServer
from tests.support.telegram_server.chats import Heard
from tests.support.telegram_server.people import Person

pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def _all_the_time_in_the_world(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(channel, "PER_CHAT", Rate(1000))
    monkeypatch.setattr(channel, "PER_GROUP", Rate(1000))
    monkeypatch.setattr(token_buckets, "BURST", 10_000)
    monkeypatch.setattr(polling, "FIRST_BACKOFF", 0.01)


@pytest.fixture
async def server() -> AsyncIterator[TelegramServer]:
    async with TelegramServer() as opened:
        yield opened
        assert not opened.violations


@pytest.fixture
async def station(server: TelegramServer, tmp_path: Path) -> AsyncIterator[Station]:
    async with Station(tmp_path, server) as opened:
        await opened.publish()
        yield opened


@pytest.fixture
async def ada(server: TelegramServer, station: Station) -> Person:
    """Somebody the bot has met."""
    person = server.person(42)
    await person.writes("/privacy")
    await person.hears("message")
    return person


async def said(heard: Heard) -> str:
    assert heard.message is not None
    return heard.message.text


# Groups and topics


async def test_a_group_is_greeted_set_up_by_its_admins_and_read_by_all(
    server: TelegramServer, station: Station, ada: Person
) -> None:
    lab, bo = server.supergroup(-1001, title="The Lab"), server.person(43, language="ko", name="Bo")
    await lab.adds(ada, "creator")
    await lab.adds(bo)
    await lab.adds_bot(by=ada)
    greeting = (await lab.hears("message")).message
    assert greeting is not None
    assert "not subscribed here" in greeting.text

    await bo.taps(greeting, "subscribe")
    refusal = await bo.hears("answer")
    assert refusal.alert
    assert "바꿀 수 있습니다" in refusal.text
    assert greeting.edits == 0

    await ada.taps(greeting, "subscribe")
    assert "You’re subscribed" in await said(await lab.hears("edit"))
    edition = (await lab.hears("message")).message
    assert edition is not None
    assert [button for button in edition.buttons if "callback_data" in button] == []
    reader = await station.reader("-1001")
    assert reader.set_up_by is not None
    assert reader.set_up_by.recipient == "42"

    await bo.writes("/time 9:00", to=lab)
    assert "바꿀 수 있습니다" in await said(await lab.hears("message"))
    await bo.writes("/search diffusion", to=lab)
    assert "diffusion" in await said(await lab.hears("message"))
    await ada.writes("/time@papers_bot 9:00", to=lab)
    await lab.hears("message")
    assert (await station.reader("-1001")).preferences.hour == 540


async def test_what_is_more_than_a_group_sees_opens_in_ones_own_chat(
    server: TelegramServer, station: Station, ada: Person
) -> None:
    lab = server.supergroup(-1001)
    await lab.adds(ada, "creator")
    await lab.adds_bot(by=ada)
    await ada.writes("/start", to=lab)
    while (edition := (await lab.hears("message")).message) is None or "#1" not in edition.labels:
        pass
    links = {button["text"]: button["url"] for button in edition.buttons if "url" in button}
    for label in ("#2", next(label for label in links if "▶" in label)):
        await ada.writes(f"/start {links[label].partition('?start=')[2]}")
        assert "▲" in await said(await ada.hears("message"))
    assert (await station.reader("-1001")).status is Status.ACTIVE
    with pytest.raises(AssertionError):
        await station.reader("42")  # looking is no subscribing


async def test_a_topic_is_a_subscription_of_its_own(server: TelegramServer, station: Station, ada: Person) -> None:
    forum = server.supergroup(-1002, forum=True)
    await forum.adds(ada, "administrator")
    await forum.adds_bot(by=ada)
    await forum.hears("message")
    papers, other = await forum.opens_topic("papers"), await forum.opens_topic("other")
    await ada.writes("/start ko", to=forum, topic=papers)
    for _ in range(2):
        assert (heard := await forum.hears("message")).message is not None
        assert heard.message.thread == papers.thread_id
    assert (await station.reader(f"-1002/{papers.thread_id}")).preferences.language == "ko"
    await ada.writes("/start", to=forum, topic=other)
    assert (await station.reader(f"-1002/{papers.thread_id}")).status is Status.ACTIVE


async def test_a_button_of_which_the_topic_is_unknown_is_refused(
    server: TelegramServer, station: Station, ada: Person
) -> None:
    forum = server.supergroup(-1002, forum=True)
    await forum.adds(ada, "administrator")
    await forum.adds_bot(by=ada)
    await forum.hears("message")
    topic = await forum.opens_topic("papers")
    for where in (topic, None):
        await ada.writes("/start", to=forum, topic=where)
        for _ in range(2):
            await forum.hears("message")
    await ada.writes("/settings", to=forum, topic=topic)
    menu = (await forum.hears("message")).message
    assert menu is not None
    await ada.taps(menu, "unsubscribe", accessible=False)
    answer = await ada.hears("answer")
    assert (answer.text, answer.alert) == ("This button has expired. Please use a command instead.", True)
    for place in ("-1002", f"-1002/{topic.thread_id}"):
        assert (await station.reader(place)).status is Status.ACTIVE


async def test_a_group_that_becomes_a_supergroup_is_followed_before_anything_is_sent(
    server: TelegramServer, station: Station, ada: Person
) -> None:
    group = server.group(-10)
    await group.adds(ada, "creator")
    await group.adds_bot(by=ada)
    await ada.writes("/start", to=group)
    for _ in range(3):
        await group.hears("message")
    grown = await group.migrates()
    await server.polled()
    assert (await station.reader(f"{grown.chat_id}")).status is Status.ACTIVE


async def test_thrown_out_and_let_in_again(server: TelegramServer, station: Station, ada: Person) -> None:
    lab = server.supergroup(-1001)
    await lab.adds(ada, "creator")
    await lab.adds_bot(by=ada)
    await ada.writes("/start", to=lab)
    for _ in range(3):
        await lab.hears("message")
    await lab.removes_bot(by=ada)
    await server.polled()
    assert (await station.reader("-1001")).status is Status.GONE
    await lab.adds_bot(by=ada)
    await server.polled()
    assert (await station.reader("-1001")).status is Status.ACTIVE


async def test_what_other_bots_are_told_is_none_of_our_business(
    server: TelegramServer, station: Station, ada: Person
) -> None:
    lab = server.supergroup(-1001)
    await lab.adds(ada, "creator")
    await lab.adds_bot(by=ada)
    await lab.hears("message")
    await lab.promotes_bot(by=ada)  # it is told everything now
    for line in ("/weather", "/today@other_bot", "hello", "today"):
        await ada.writes(line, to=lab)
    await server.polled()
    assert len(lab.messages) == 1


async def test_topics_go_and_come_back_with_their_group(server: TelegramServer, station: Station, ada: Person) -> None:
    forum = server.supergroup(-1002, forum=True)
    await forum.adds(ada, "administrator")
    await forum.adds_bot(by=ada)
    topic = await forum.opens_topic("papers")
    await ada.writes("/start", to=forum, topic=topic)
    await server.polled()
    place = f"-1002/{topic.thread_id}"
    await forum.removes_bot(by=ada)
    await server.polled()
    assert (await station.reader(place)).status is Status.GONE
    await forum.adds_bot(by=ada)
    await server.polled()
    assert (await station.reader(place)).status is Status.ACTIVE


async def test_a_stranger_turns_nobodys_settings(server: TelegramServer, station: Station, ada: Person) -> None:
    lab, bo = server.supergroup(-1001), server.person(43, language="ko", name="Bo")
    await lab.adds(ada, "creator")
    await lab.adds(bo)
    await lab.adds_bot(by=ada)
    await ada.writes("/start", to=lab)
    await ada.writes("/settings", to=lab)
    await server.polled()
    panel = lab.chat.last
    for wanted in ("language", "topics"):
        await bo.taps(panel, wanted)
        assert (await bo.hears("answer")).alert
    await bo.replies(panel, "lol")
    await server.polled()
    assert lab.chat.last.message_id == panel.message_id
    assert lab.chat.last.edits == 0
    await bo.writes("/settings", to=lab)
    await server.polled()
    seen = lab.chat.last
    assert seen.message_id != panel.message_id
    assert not seen.buttons, "who may change nothing is shown no menus"


async def test_a_switch_in_the_settings_takes_one_tap_and_every_button_says_what_is_set(
    server: TelegramServer, station: Station, ada: Person
) -> None:
    await ada.writes("/start")
    await ada.writes("/settings")
    await server.polled()
    panel = ada.chat.last
    assert {"Language: English", "Silent: off"} <= set(panel.labels)
    assert {len(row) for row in panel.keyboard[:-1]} <= {1, 2}
    await ada.taps(panel, "silent on")
    await ada.hears("edit")
    assert "Silent: on" in ada.chat.last.labels
    assert (await station.reader("42")).extras["silent"] == "on"
    await ada.taps(ada.chat.last, "silent off")
    await ada.hears("edit")
    assert (await station.reader("42")).extras["silent"] == "off"


# Channels


async def test_a_channel_is_set_up_from_its_admins_own_chat(
    server: TelegramServer, station: Station, ada: Person
) -> None:
    channel = server.channel(-1003, title="Papers of the day")
    await channel.adds(ada, "creator")
    await channel.adds_bot(by=ada)
    panel = (await ada.hears("message")).message
    assert panel is not None
    assert panel.text.startswith("Papers of the day")

    await station.restart()
    await ada.taps(panel, "@-1003 subscribe")
    assert "You’re subscribed" in await said(await ada.hears("edit"))
    post = (await channel.hears("message")).message
    assert post is not None
    assert "Daily papers" in post.text
    assert not post.keyboard

    panel = ada.chat.last
    await ada.taps(panel, "@-1003 settings")
    await ada.hears("edit")
    await ada.taps(ada.chat.last, "@-1003 language")
    menu = (await ada.hears("edit")).message
    assert menu is not None
    await ada.taps(menu, "@-1003 language ko")
    await ada.hears("edit")
    assert (await station.reader("-1003")).preferences.language == "ko"

    await ada.writes("/settings", to=channel)
    again = (await ada.hears("message")).message
    assert again is not None
    assert again.text.startswith("Papers of the day")
    assert len(channel.messages) == 1

    mallory = server.person(66)
    await mallory.writes("/help")
    await mallory.hears("message")
    stolen = mallory.chat.last  # whoever makes up what a button holds has no more rights for it
    stolen.markup = {"inline_keyboard": [[{"text": "x", "callback_data": "@-1003 unsubscribe"}]]}
    await mallory.taps(stolen, "@-1003 unsubscribe")
    await mallory.hears("answer")
    assert (await station.reader("-1003")).status is Status.ACTIVE


async def test_whoever_runs_a_channel_sets_it_up_by_name_and_in_their_own_words(
    server: TelegramServer, station: Station, ada: Person
) -> None:
    channel, bo = server.channel(-1003, title="Papers of the day", username="daily_papers"), server.person(43)
    await channel.adds(ada, "creator")
    await channel.adds(bo, "administrator")
    await channel.adds_bot(by=ada)
    await ada.hears("message")
    mallory = server.person(66)
    for person, sees in ((bo, True), (mallory, False)):
        await person.writes("/settings @daily_papers")
        assert ("Papers of the day" in await said(await person.hears("message"))) is sees
    await bo.taps(bo.chat.last, "@-1003 subscribe")
    await bo.hears("edit")
    await bo.taps(bo.chat.last, "@-1003 settings")
    await bo.hears("edit")
    await bo.taps(bo.chat.last, "@-1003 topics")
    menu = (await bo.hears("edit")).message
    assert menu is not None
    await bo.replies(menu, "diffusion, -video")
    await bo.hears("message")
    assert (await station.reader("-1003")).preferences.topics == ("diffusion", "-video")


async def test_a_channel_that_takes_the_right_away_is_paused_and_its_setter_told_until_it_gives_it_back(
    server: TelegramServer, station: Station, ada: Person
) -> None:
    channel = server.channel(-1003, title="Papers of the day")
    await channel.adds(ada, "creator")
    await channel.adds_bot(by=ada)
    panel = (await ada.hears("message")).message
    assert panel is not None
    await channel.adds_bot(by=ada, status="administrator", can_post_messages=False)
    await ada.taps(panel, "@-1003 subscribe")
    told = await ada.hears("message")
    assert "post in Papers of the day" in await said(told)
    assert (await station.reader("-1003")).status is Status.PAUSED
    await channel.promotes_bot(by=ada, can_post_messages=True)
    await server.polled()
    assert (await station.reader("-1003")).status is Status.ACTIVE


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
        await server.polled()
        assert len(ada.messages) == 4


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
