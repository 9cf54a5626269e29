"""Telegram as a channel: each of the service's answers has its outcome, through the real client and a strict server."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.channel import Barred, Channel, Deferred, Gone, Outcome, Paging, Personal, Rejected, Reply, Sent, Unknown
from bot.model import Style
from bot.render.catalogue import languages
from bot.render.fit import fit
from bot.render.words import words
from channels import telegram
from channels.telegram.callbacks import LONGEST_DATA, READ_ONLY, Callback, decode, deep_link, encode, line_of_payload
from channels.telegram.channel import FIRST_BOT, Telegram
from channels.telegram.chats import ChatAddress, kind_of
from channels.telegram.flood_waits import FloodWaits
from channels.telegram.markup import entity_count, escape, link_bytes, text_length
from channels.telegram.reply_layout import text_of
from tests.support import recorded_days
from tests.support.channel_contract import FLOOD, Contract, Stage
from tests.support.pages import HOSTILE, Kept, kit, page, paper
from tests.support.telegram_program import channel
from tests.support.telegram_server import Fault
from tests.support.telegram_server.chats import Message
from tests.support.telegram_server.faults import How
from tests.support.telegram_server.markup import parse_html
from tests.support.telegram_server.town import Town, open_town

SECOND = 7000
OTHER_TOKEN = "987654321:AAanother-token-of-the-local-server-0"
PERSONAL = Personal(key="1.1")


@pytest.fixture
async def town() -> AsyncIterator[Town]:
    async with open_town() as opened:
        yield opened
        assert not opened.server.violations


@pytest.fixture
async def bot(town: Town, tmp_path: Path) -> AsyncIterator[Telegram]:
    async with channel(town.server, tmp_path) as opened:
        yield opened


class Desk(Stage):
    """The channel before the local server, and Ada."""

    def __init__(self, town: Town, opened: Telegram, home: Path) -> None:
        self.town, self.channel, self._home = town, opened, home
        self.server = town.server
        self.to, self.secret = "42", town.server.token.partition(":")[2]

    async def arrived(self) -> int:
        return len(self.town.ada.messages)

    async def turns_away(self) -> None:
        await self.town.ada.blocks_bot()

    async def bars(self) -> None:
        self.to = "-2051"

    async def slows(self) -> float | None:
        self.server.fail(Fault.flood(int(FLOOD)), method="sendMessage")
        return FLOOD

    async def floods(self) -> float | None:
        self.server.fail(Fault.flood(2 * int(FLOOD)), method="sendMessage", chat=self.town.ada)
        await self.send()
        self.to = "-1001"  # a group that is refused says nothing about the bot
        self.server.fail(Fault.flood(int(FLOOD)), method="sendMessage", times=1)
        await self.send()
        self.to = f"{SECOND}"
        self.server.person(SECOND).chat.started = True
        self.server.fail(Fault.flood(int(FLOOD)), method="sendMessage")
        return FLOOD

    async def breaks_down(self) -> None:
        self.server.fail(Fault.bad_gateway(), method="sendMessage")

    async def goes_away(self) -> None:
        await self.server.__aexit__()

    async def forgets_us(self) -> None:
        self.server.fail(Fault.unauthorized(), method="*")

    async def finds_fault(self) -> None:
        self.server.fail(Fault.refuse(400, "Bad Request: can't parse entities: Unsupported start tag"))

    async def cuts_off(self) -> None:
        self.server.fail(Fault.drop_late(), method="sendMessage", times=1)

    async def hangs(self) -> None:
        self.server.fail(Fault.silent(), method="sendMessage", times=1)

    async def heals(self) -> None:
        self.server.heal()

    def stranger(self) -> Channel:
        return channel(self.server, self._home, token=f"987654321:{self.secret}")


class TestContract(Contract):
    @pytest.fixture
    def stage(self, town: Town, bot: Telegram, tmp_path: Path) -> Desk:
        return Desk(town, bot, tmp_path)


async def send(bot: Telegram, to: str, extras: Mapping[str, str] | None = None) -> Outcome:
    card = bot.compose(page(paper(1, thumbnail="https://cdn.example/1.png"), paper(2)))
    return await bot.send(to, card, replace(PERSONAL, extras=extras or {}))


def buttons(message: Message) -> list[dict[str, Any]]:
    return [button for row in (message.markup or {})["inline_keyboard"] for button in row]


# Every state that a chat may be in, as the server itself answers it


@pytest.mark.parametrize(
    ("to", "becomes"),
    [
        ("42", Sent),
        ("-10", Sent),
        ("-1001", Sent),
        ("-1003", Sent),
        ("44", Gone),  # blocked
        ("45", Gone),  # no account any more
        ("999", Gone),  # nobody
        ("43", Gone),  # never wrote to the bot
        ("-21", Gone),  # kicked
        ("-22", Gone),  # left
        ("-23", Gone),  # deleted
        ("-2021", Gone),
        ("-2020", Gone),
        ("-2031", Gone),
        ("-2040", Barred),  # an admin that may not post
        ("-2050", Barred),
        ("-2051", Barred),
        ("-2052", Barred),
    ],
)
async def test_the_state_of_a_chat_decides(bot: Telegram, town: Town, to: str, becomes: type[Outcome]) -> None:
    assert isinstance(await send(bot, to), becomes)


@pytest.mark.parametrize(
    ("fault", "becomes"),
    [
        (Fault.deactivated(), Gone),
        (Fault.kicked("supergroup"), Gone),
        (Fault.group_deleted(), Gone),
        (Fault.chat_not_found(), Deferred),  # for the chat is there, if one looks
        (Fault(How.PAGE, status=403), Deferred),  # a firewall's word is not Telegram's
        (Fault(How.PAGE, status=400), Deferred),
        (Fault(How.PAGE, status=404), Deferred),
        (Fault.refuse(400, "Bad Request: TOPIC_CLOSED"), Barred),
        (Fault.refuse(400, "Bad Request: have no write access to the chat"), Barred),
        (Fault.refuse(400, "Bad Request: CHAT_WRITE_FORBIDDEN"), Barred),
        (Fault.refuse(400, "Bad Request: need administrator rights in the channel chat"), Barred),
        (Fault.refuse(400, "Bad Request: message is too long"), Rejected),
        (Fault.refuse(400, "Bad Request: message text is empty"), Rejected),
        (Fault.refuse(400, "Bad Request: wrong HTTP URL"), Rejected),
        (Fault.refuse(400, "Bad Request: something nobody has heard of"), Rejected),
        (Fault.refuse(403, "Forbidden: something nobody has heard of"), Gone),
        (Fault.server_error(), Deferred),
        (Fault.bad_gateway(), Deferred),
        (Fault.conflict(), Deferred),
        (Fault.garbage(), Unknown),
        (Fault.drop_late(), Unknown),
    ],
    ids=lambda value: value.__name__ if isinstance(value, type) else None,
)
async def test_every_answer_has_its_outcome(bot: Telegram, town: Town, fault: Fault, becomes: type[Outcome]) -> None:
    town.server.fail(fault, method="sendMessage", times=1)
    outcome = await send(bot, "42")
    assert isinstance(outcome, becomes)
    assert town.server.token not in repr(outcome)
    assert "<html" not in repr(outcome)


async def test_a_flood_wait_of_hours_is_told_as_it_is(bot: Telegram, town: Town) -> None:
    town.server.fail(Fault.flood(43_837), method="sendMessage")
    assert await send(bot, "42") == Deferred("flood wait", 43_837.0, slow_down=True)
    calls = len(town.server.calls)
    town.server.heal()
    again = await send(bot, "42")
    assert isinstance(again, Deferred)
    assert again.scope == "recipient"
    assert again.retry_after is not None
    assert 43_800 < again.retry_after < 43_837
    assert len(town.server.calls) == calls  # not asked again


async def test_a_flood_wait_of_one_chat_leaves_the_others_alone(bot: Telegram, town: Town) -> None:
    town.server.fail(Fault.flood(600), method="sendMessage", chat=town.ada)
    assert isinstance(await send(bot, "42"), Deferred)
    assert isinstance(await send(bot, "-1001"), Sent)
    town.server.person(SECOND).chat.started = True
    assert isinstance(await send(bot, f"{SECOND}"), Sent)
    assert isinstance(await send(bot, "42"), Deferred)


async def test_two_chats_within_a_minute_mean_the_bot_which_waits_the_shorter_of_the_two(
    bot: Telegram, town: Town
) -> None:
    for first, second in ((600, 7), (7, 600)):
        bot._flood = FloodWaits()
        people = [town.server.person(SECOND + first + each) for each in (1, 2)]
        for person, seconds in zip(people, (first, second), strict=True):
            person.chat.started = True
            town.server.fail(Fault.flood(seconds), method="sendMessage", chat=person)
        await send(bot, f"{people[0].chat_id}")
        outcome = await send(bot, f"{people[1].chat_id}")
        assert isinstance(outcome, Deferred)
        assert outcome.scope == "channel"
        assert outcome.retry_after is not None
        assert 6 < outcome.retry_after <= 7
        other = await send(bot, "-1001")
        assert isinstance(other, Deferred)
        assert other.scope == "channel"


async def test_a_group_that_became_a_supergroup_is_followed(bot: Telegram, town: Town) -> None:
    outcome = await send(bot, "-24")
    assert isinstance(outcome, Sent)
    assert outcome.moved_to is not None
    assert int(outcome.moved_to) < -1_000_000_000_000


async def test_a_deleted_topic_gives_way_to_general_for_good_and_a_closed_one_for_now(
    bot: Telegram, town: Town
) -> None:
    numbers = {name: topic.thread_id for name, topic in town.topics.items()}
    there = await send(bot, f"-1002/{numbers['open']}")
    assert there == Sent(there.receipt) if isinstance(there, Sent) else False
    deleted = await send(bot, f"-1002/{numbers['deleted']}")
    closed = await send(bot, f"-1002/{numbers['closed']}")
    assert isinstance(deleted, Sent)
    assert isinstance(closed, Sent)
    assert (deleted.moved_to, closed.moved_to) == ("-1002", None)
    assert [message.thread for message in town.forum.messages] == [numbers["open"], None, None]


async def test_a_general_that_is_closed_bars_that_group_alone(bot: Telegram, town: Town) -> None:
    town.forum.chat.general_closed = True
    assert isinstance(await send(bot, "-1002"), Barred)
    assert isinstance(await send(bot, f"-1002/{town.topics['deleted'].thread_id}"), Barred)
    assert isinstance(await send(bot, f"-1002/{town.topics['open'].thread_id}"), Sent)


async def test_what_cannot_be_asked_of_a_group_has_not_left(bot: Telegram, town: Town) -> None:
    town.server.fail(Fault.drop_late(), method="getChat")
    outcome = await send(bot, "-1001")
    assert isinstance(outcome, Deferred)
    assert not town.super.messages


async def test_a_place_that_bars_us_is_called_by_its_name(bot: Telegram, town: Town) -> None:
    outcome = await send(bot, "-2051")
    assert isinstance(outcome, Barred)
    assert outcome.place == "Reading group"


async def test_another_bots_token_costs_no_reader(bot: Telegram, town: Town, tmp_path: Path) -> None:
    other = channel(town.server, tmp_path)
    memory = other._kit.memory
    await memory.put(FIRST_BOT, "1")
    async with other:
        outcome = await send(other, "999")
    assert isinstance(outcome, Deferred)
    assert outcome.scope == "recipient"


# What a subscription may have


async def test_a_picture_stands_above_the_text_only_for_who_wants_it(bot: Telegram, town: Town) -> None:
    await send(bot, "42")
    await send(bot, "42", {"picture": "on", "silent": "on"})
    plain, pictured = town.server.calls_of("sendMessage")
    assert plain.arguments["link_preview_options"] == {"is_disabled": True}
    assert pictured.arguments["link_preview_options"] == {
        "url": "https://cdn.example/1.png",
        "prefer_large_media": True,
        "show_above_text": True,
    }
    assert pictured.arguments["disable_notification"]


async def test_rich_messages_are_for_who_wants_them_and_fall_back(bot: Telegram, town: Town) -> None:
    assert isinstance(await send(bot, "42", {"rich": "on"}), Sent)
    assert town.server.counts["sendRichMessage"] == 1
    town.server.world.rich = False
    for _ in range(2):
        assert isinstance(await send(bot, "42", {"rich": "on"}), Sent)
    assert town.server.counts["sendRichMessage"] <= 2  # an old server is asked once
    assert len(town.ada.messages) == 3


@pytest.mark.parametrize("fault", [Fault.refuse(400, "Bad Request: RICH_MESSAGE_INVALID"), Fault.flood(3)])
async def test_a_refused_rich_message_is_sent_as_it_always_was(bot: Telegram, town: Town, fault: Fault) -> None:
    town.server.fail(fault, method="sendRichMessage")
    outcome = await send(bot, "42", {"rich": "on"})
    assert isinstance(outcome, Deferred if fault.status == 429 else Sent)


# Buttons


async def test_buttons_fit_the_place(bot: Telegram, town: Town) -> None:
    whole = page(*(paper(number, abstract="word " * 200) for number in range(1, 12)), style=Style.ABSTRACT)
    whole = replace(whole, paging=Paging(pages=4))
    cut = fit(whole, bot.compose, bot.limits, lambda shown: f"date +{shown} 2026-04-29 mine").message
    for to in ("42", "-1001", "-1003"):
        assert isinstance(await bot.send(to, cut, PERSONAL), Sent)
    private, group, post = town.ada.messages[-1], town.super.messages[-1], town.channel.messages[-1]
    assert {"▶ 2/4", "#1"} <= {button["text"] for button in buttons(private)}
    assert not [button for button in buttons(group) if "callback_data" in button]
    more = next(button["url"] for button in buttons(group) if "▶" in button["text"])
    assert more.startswith("https://t.me/papers_bot?start=")
    assert not post.markup


@given(st.text(max_size=200))
def test_whatever_a_button_held_is_read_as_something(data: str) -> None:
    Callback.parse(data)


@given(
    st.builds(
        Callback,
        st.from_regex(r"[a-z]{1,9}( [ -~é日]{0,90})?", fullmatch=True),
        st.booleans(),
        st.none() | st.builds(ChatAddress, st.integers(-(10**13), -1), st.none() | st.integers(1, 10**6)),
    )
    | st.builds(
        Callback,
        st.from_regex(r"paper \d{4}\.\d{5}", fullmatch=True),
        st.booleans(),
        back=st.from_regex(r"[a-z]{1,9}( [ -~é日]{0,90})?", fullmatch=True),
    )
)
async def test_what_is_too_long_for_a_button_is_kept_and_found_again(press: Callback) -> None:
    memory = Kept()
    data = await encode(press, memory)
    assert len(data.encode()) <= LONGEST_DATA
    assert await decode(data, memory) == press


async def test_a_button_that_was_sent_before_papers_opened_in_place_still_opens_one() -> None:
    assert await decode("+paper 2604.00001", Kept()) == Callback("paper 2604.00001", new_message=True)


@given(st.sampled_from(sorted(READ_ONLY)), st.text(max_size=40))
def test_a_deep_link_shows_what_it_was_made_for(command: str, argument: str) -> None:
    line = f"{command} {argument}"
    url = deep_link("papers_bot", line)
    if url is not None:
        payload = url.partition("?start=")[2]
        assert len(payload) <= 64
        assert line_of_payload(payload) == line


@pytest.mark.parametrize(("begins", "payload"), [("ko", "ko"), ("zh-Hans-abstract", "zh-Hans-abstract")])
def test_a_link_that_subscribes_reads_like_one(begins: str, payload: str) -> None:
    assert deep_link("papers_bot", f"subscribe {begins}") == f"https://t.me/papers_bot?start={payload}"


@pytest.mark.parametrize("line", ["forget confirmed", "unsubscribe", "topics x", "settings", "broadcast confirmed 1"])
def test_a_deep_link_changes_nothing(line: str) -> None:
    url = deep_link("papers_bot", line)
    assert url is not None
    assert line_of_payload(url.partition("?start=")[2]) is None


@pytest.mark.parametrize("data", ["@42 settings", "+@42 stats", "@42 forget confirmed", "@0 x", "@x y"])
def test_a_button_speaks_for_no_other_person(data: str) -> None:
    assert not Callback.parse(data).line


@given(st.text(max_size=80))
def test_whatever_follows_start_is_read_as_something(payload: str) -> None:
    with suppress(UnicodeEncodeError):
        payload.encode()
        line_of_payload(payload)


# Markup, measured against a parser that was written apart from it


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=120))
def test_text_is_escaped_as_telegram_reads_it(text: str) -> None:
    markup = f'<b>{escape(text)}</b> <a href="https://a.example/{escape("x&y")}">{escape(text)}</a>'
    assert text_length(markup) >= len(parse_html(markup)[0].encode("utf-16-le")) // 2
    assert entity_count(markup) == 2
    assert link_bytes(markup) == len("https://a.example/x&y")


@pytest.mark.parametrize("language", languages())
@pytest.mark.parametrize("style", [Style.HEADLINE, Style.ABSTRACT])
async def test_hostile_papers_arrive_as_they_are(bot: Telegram, town: Town, language: str, style: Style) -> None:
    hostile = paper(1, title=HOSTILE, abstract=HOSTILE * 9, organisation=HOSTILE, authors=(HOSTILE,), sentence=HOSTILE)
    for whole in (page(hostile, paper(2), language=language, style=style), replace(page(hostile), alone=True)):
        fitted = fit(whole, bot.compose, bot.limits)
        assert isinstance(await bot.send("42", fitted.message, PERSONAL), Sent)
    assert " ".join(HOSTILE.split()) in town.ada.messages[-2].text


@pytest.mark.parametrize("written", ["42", "-100123", "-100123/45"])
def test_a_place_is_read_as_it_is_written(written: str) -> None:
    assert f"{ChatAddress.parse(written)}" == written
    assert kind_of(written) == ("shared" if written.startswith("-") else "")


@pytest.mark.parametrize("written", ["42/7", "0", "@papers", "-0", "-12/0", "4 2", "９", "12345678901234567890123"])
def test_what_is_no_place_is_none(written: str) -> None:
    with pytest.raises(ValueError, match="not a Telegram chat"):
        ChatAddress.parse(written)


async def test_the_doctor_says_who_the_bot_is(bot: Telegram, town: Town) -> None:
    [finding] = await bot.check()
    assert finding.ok
    assert "@papers_bot" in finding.says
    town.server.fail(Fault.unauthorized(), method="*")
    [finding] = await bot.check()
    assert not finding.ok
    assert "TELEGRAM_TOKEN" in finding.says


async def test_every_recorded_day_in_every_language_and_style_is_accepted(
    bot: Telegram, town: Town, long: bool
) -> None:
    files = recorded_days.days()
    for message in recorded_days.messages(bot, files if long else files[::64], languages(), list(Style)):
        outcome = await bot.send("42", message, PERSONAL)
        assert isinstance(outcome, Sent), outcome
        town.ada.chat._all.clear()
        town.server.calls.clear()


def test_what_is_folded_up_has_room_in_a_message_of_its_own_alone(tmp_path: Path) -> None:
    bot = telegram.open(telegram.Settings.model_validate({"TELEGRAM_TOKEN": OTHER_TOKEN}), kit(tmp_path))
    part = dict.fromkeys(("input_output", "problem", "idea"), "A plain word.") | {"abstract": "The authors' own words."}
    whole = page(paper(1))
    [block] = whole.blocks
    plain = replace(whole, blocks=[replace(block, said=replace(block.said, style="plain", parts=part))])
    assert "own words" not in bot.compose(plain).text
    assert "own words" in bot.compose(replace(plain, alone=True)).text


@pytest.mark.parametrize("language", languages())
def test_a_command_that_a_sentence_names_can_be_tapped(language: str) -> None:
    w = words(language)
    reply = Reply(language, w.direction, [w.gettext("privacy.export_and_forget")])
    text = text_of(reply, kit(Path()).template("telegram/answer.html", escape))
    assert {"/export", "/forget"} <= set(re.findall(r"/[a-z]+", text))
