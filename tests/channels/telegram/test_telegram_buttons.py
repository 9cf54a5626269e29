"""Buttons, deep links and markup on Telegram, measured against a parser of its own."""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.channel import Paging, Personal, Reply, Row, Sent
from bot.model import Preferences, Style
from bot.render.catalogue import languages
from bot.render.edition_page import barren_page
from bot.render.fit import fit
from bot.render.words import words
from channels import telegram
from channels.telegram.callbacks import LONGEST_DATA, READ_ONLY, Callback, decode, deep_link, encode, line_of_payload
from channels.telegram.channel import Telegram
from channels.telegram.chats import ChatAddress, kind_of
from channels.telegram.markup import entity_count, escape, link_bytes, text_length
from channels.telegram.reply_layout import rows_of, text_of
from tests.support import recorded_days
from tests.support.pages import HOSTILE, Kept, kit, page, paper
from tests.support.telegram_server import Fault
from tests.support.telegram_server.chats import Message
from tests.support.telegram_server.markup import parse_html
from tests.support.telegram_server.town import Town

PERSONAL = Personal(key="1.1")

OTHER_TOKEN = "987654321:AAanother-token-of-the-local-server-0"


def buttons(message: Message) -> list[dict[str, Any]]:
    return [button for row in (message.markup or {})["inline_keyboard"] for button in row]


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
    hint = w.gettext("settings.topics_hint", most="1", longest="2", example="x")
    reply = Reply(language, w.direction, [w.gettext("privacy.export_and_forget"), hint])
    text = text_of(reply, kit(Path()).template("telegram/answer.html", escape))
    assert {"/export", "/forget", "/topics"} <= set(re.findall(r"(?<!\w)/[a-z]+\b", text)), "no letter touches it"


@pytest.mark.parametrize("language", languages())
def test_the_notice_that_filters_leave_nothing_leads_to_the_settings(bot: Telegram, language: str) -> None:
    notice = bot.compose(barren_page(5, Preferences(language=language), datetime(2026, 4, 29, tzinfo=UTC)))
    assert re.search(r"(?<!\w)/settings\b", notice.text)


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("서울(대한민국), 현재 04:31", "서울(대한민국)…"),
        ("\u2068UTC\u2069، الآن \u206819:32 UTC\u2069", "\u2068UTC\u2069…"),
        ("南韓首爾，現在 04:53", "南韓首爾…"),
        ("Tue, Wed, Thu, Fri", "Tue, Wed, Thu…"),
        ("one-long-word-without-commas", "one-long-word-w…"),
        ("every day", "every day"),
    ],
)
def test_a_value_on_a_button_ends_with_a_whole_part(value: str, shown: str) -> None:
    [[button]] = rows_of(Reply("en", words("en").direction, rows=[Row("Zone", value, "zone")]))
    assert button.label == f"Zone: {shown}"
