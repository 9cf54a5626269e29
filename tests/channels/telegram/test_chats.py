"""Groups, topics and channels on Telegram: set up by those who run them, followed where they move, and left."""

from __future__ import annotations

import pytest

from bot.model import Status
from bot.render.words import words
from tests.support.telegram_program import Station
from tests.support.telegram_replies import said
from tests.support.telegram_server import TelegramServer
from tests.support.telegram_server.people import Person

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("without_rate_limits")]


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
    assert greeting.text.startswith(words("en").gettext("newsletter.tagline"))
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
