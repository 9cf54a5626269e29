"""What Discord is given: embeds within its limits, Markdown that strangers cannot write, commands that it registers."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.channel import CommandInfo, Page, Personal, Sent, utf16_units
from bot.commands import registry
from bot.model import Media, MediaKind, Style
from bot.render.catalogue import languages
from bot.render.fit import fit
from bot.render.words import words
from channels.discord import api, slash_commands
from channels.discord.components import Button, CustomId, ReplyMode, StoredLines, button_rows, menu_marks
from channels.discord.markdown import escape, target
from channels.discord.message import CHARACTERS, LIMITS, PAPERS, TITLE, Composer, DiscordMessage
from channels.discord.post_options import POST_OPTIONS
from channels.discord.slash_commands import Invocation, parse, payload, specs
from channels.discord.wording import Words
from tests.support import recorded_days
from tests.support.discord_server import DiscordServer
from tests.support.discord_server.commands import LOCALES, check_command
from tests.support.discord_server.messages import COMPONENTS_V2
from tests.support.discord_stage import Desk
from tests.support.pages import HOSTILE, Kept, kit, page, paper

TYPES = {"channel": slash_commands.CHANNEL, "role": slash_commands.ROLE}


@pytest.fixture(scope="module")
def composer(tmp_path_factory: pytest.TempPathFactory) -> Composer:
    lent = kit(tmp_path_factory.mktemp("home"))
    return Composer(lent, Words(lent))


@pytest.fixture
async def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Desk]:
    monkeypatch.setattr(api, "PER_SECOND", 10_000)
    async with DiscordServer() as server:
        opened = Desk(server, tmp_path)
        async with opened.channel:
            yield opened
        assert not server.violations


async def test_every_recorded_day_in_every_language_and_style_is_accepted(desk: Desk, long: bool) -> None:
    files = recorded_days.days()
    count = contained = 0
    for message in recorded_days.messages(desk.channel, files if long else files[::64], languages(), list(Style)):
        count += 1
        contained += isinstance(message, DiscordMessage) and message.container is not None
        assert isinstance(await desk.channel.send(desk.to, message, Personal(key=f"{count}.1")), Sent)
    assert desk.room.posted == count
    assert sum(bool(each.flags & COMPONENTS_V2) for each in desk.room.messages) == contained > 0
    assert desk.server.counts["status 400"] == 0


# Limits


def many(count: int) -> Page:
    return page(*(paper(number, thumbnail=f"https://cdn.example/{number}.png") for number in range(1, count + 1)))


@pytest.mark.parametrize("count", [10, 30])
def test_ten_papers_have_their_place_below_a_line_for_the_head(composer: Composer, count: int) -> None:
    fitted = fit(many(count), composer.compose, LIMITS, lambda shown: f"date +{shown} 2026-04-29 mine")
    post = fitted.message
    assert fitted.shown == len(post.embeds) == PAPERS == 10
    assert post.content.startswith("**Daily papers · Wednesday, 29 April 2026**\n")
    assert post.embeds[0]["title"] == "1. Paper number 1"
    assert ("+20 more papers" in post.embeds[-1]["footer"]["text"]) is (count == 30)
    assert post.next == ("date +10 2026-04-29 mine" if count == 30 else None)


def test_an_edition_has_a_head_and_one_embed_for_each_paper(composer: Composer) -> None:
    post = fit(many(9), composer.compose, LIMITS).message
    assert (len(post.embeds), post.content) == (10, "")
    head, first = post.embeds[0], post.embeds[1]
    assert head["title"] == "Daily papers · Wednesday, 29 April 2026"
    assert head["image"] == {"url": "https://cdn.example/1.png"}
    assert first["title"] == "1. Paper number 1"
    assert first["url"] == "https://huggingface.co/papers/2604.00001"
    assert first["thumbnail"] == {"url": "https://cdn.example/1.png"}
    assert first["description"].endswith("-# ▲ 99 · Somewhere")
    assert "arxiv.org" not in first["description"], "everything else is behind the menu"
    assert (post.previous, post.next) == (None, None)


@given(
    st.lists(st.tuples(st.text(max_size=400), st.text(max_size=3_000)), min_size=1, max_size=14),
    st.sampled_from([Style.HEADLINE, Style.ABSTRACT]),
)
def test_whatever_papers_say_a_message_fits(composer: Composer, said: list[tuple[str, str]], style: Style) -> None:
    papers = [
        paper(number, title=title, abstract=abstract, sentence=abstract[:500])
        for number, (title, abstract) in enumerate(said, start=1)
    ]
    post = fit(page(*papers, style=style), composer.compose, LIMITS).message
    assert len(post.embeds) <= 10
    assert sum(sizes(post)) <= CHARACTERS
    assert all(utf16_units(embed["title"]) <= TITLE for embed in post.embeds)
    assert all(utf16_units(embed.get("description", "")) <= 4_096 for embed in post.embeds)


def sizes(post: DiscordMessage) -> list[int]:
    texts = [embed[name] for embed in post.embeds for name in ("title", "description") if name in embed]
    return [
        utf16_units(text) for text in [*texts, *(embed["footer"]["text"] for embed in post.embeds if "footer" in embed)]
    ]


@pytest.mark.parametrize("title", ["*" * 300, "𝔸" * 200, "[x](https://evil.example) " * 12, "_" * 255 + "a"])
def test_a_title_is_cut_so_that_it_fits_with_its_escapes(composer: Composer, title: str) -> None:
    post = composer.compose(page(paper(1, title=title), paper(2)))
    shown = post.embeds[1]["title"]
    assert TITLE - 40 <= utf16_units(shown) <= TITLE
    assert not shown.replace("\\\\", "").removesuffix("…").endswith("\\")


@pytest.mark.parametrize(
    ("picture", "shown"),
    [
        ("https://cdn.example/a.png", True),
        ("http://cdn.example/a.png", False),
        ("https://cdn.example/a b.png", False),
        (f"https://cdn.example/{'a' * 3000}.png", False),
    ],
)
def test_a_picture_is_shown_that_the_service_takes(composer: Composer, picture: str, shown: bool) -> None:
    seen = paper(1, media=(Media(MediaKind.VIDEO, "https://cdn.example/a.mp4"), Media(MediaKind.IMAGE, picture)))
    post = composer.compose(page(seen, paper(2)))
    assert ("thumbnail" in post.embeds[1]) is shown


def test_one_paper_alone_is_shown_whole(composer: Composer) -> None:
    alone = page(paper(1), style=Style.ABSTRACT, day=None, total=0)
    post = composer.compose(alone)
    assert post.embeds[1]["title"] == "Paper number 1"
    assert "[PDF](https://arxiv.org/pdf/2604.00001)" in post.embeds[1]["description"]
    assert post.rows(ReplyMode.UPDATE, None) == []


def test_a_notice_has_a_head_alone(composer: Composer) -> None:
    said = page(paper(1))
    post = composer.compose(replace(said, blocks=[], footer=[]))
    assert (len(post.embeds), post.rows(ReplyMode.NEW_MESSAGE, None)) == (1, [])


def test_a_page_in_another_language_has_its_buttons_in_it(composer: Composer) -> None:
    post = composer.compose(page(paper(1), paper(2), language="ko"))
    assert post.menu_placeholder == words("ko").gettext("discord.pick_paper")


# Markdown

SPECIAL = re.compile(r"(?<!\\)(?:\\\\)*([*\[\]<`|])")


@given(st.text(alphabet=st.sampled_from("*_~`|[]()<>#-+1.@:/\\ abhtps\n"), max_size=60))
def test_nothing_that_strangers_write_is_markup(text: str) -> None:
    safe = escape(text)
    outside = re.sub(r"https?://\S+", "", safe)
    assert not SPECIAL.search(outside), safe
    assert not re.search(r"@(everyone|here)", safe)


@pytest.mark.parametrize(
    ("text", "safe"),
    [
        ("[free](https://evil.example)", "\\[free\\](https://evil.example)"),
        ("<@123456789012345678> <#1> <t:1> </x:1>", "\\<@123456789012345678> \\<#1> \\<t:1> \\</x:1>"),
        ("@everyone, @here", "@\u200beveryone, @\u200bhere"),
        ("# big", "\\# big"),
        ("  - item", "  \\- item"),
        ("12. item", "12\\. item"),
        ("> quoted", "\\> quoted"),
        ("||hidden|| ~~gone~~ __under__", "\\|\\|hidden\\|\\| \\~\\~gone\\~\\~ \\_\\_under\\_\\_"),
        ("snake_case_name", "snake_case_name"),
        ("see https://a.example/b_c*d", "see https://a.example/b_c\\*d"),
        ("https://a.example/b_(c)", "https://a.example/b_%28c%29"),
        ("one\n# two\n- three", "one\n\\# two\n\\- three"),
        ("3 < 5 > 2, 1.5 ~ 2", "3 \\< 5 > 2, 1.5 ~ 2"),
    ],
)
def test_text_says_itself(text: str, safe: str) -> None:
    assert escape(text) == safe


def test_what_would_end_a_link_is_written_in_percent() -> None:
    assert target("https://a.example/x(y)[z]?q=<>") == "https://a.example/x%28y%29%5Bz%5D?q=%3C%3E"


def test_hostile_papers_write_no_markup_into_an_edition(composer: Composer) -> None:
    said = {"title": HOSTILE, "sentence": HOSTILE, "organisation": HOSTILE, "abstract": HOSTILE}
    hostile = paper(1, authors=(HOSTILE,), code="https://a.example/x(y)", **said)
    post = composer.compose(page(hostile, paper(2)))
    shown = f"{post.embeds[1]['title']}\n{post.embeds[1]['description']}"
    links = re.findall(r"(?<!\\)\[([^\]]*)\]\(([^)]*)\)", shown)
    assert links == [("Code", "https://a.example/x%28y%29")]


# What buttons hold


@given(st.sampled_from(list(ReplyMode)), st.sampled_from([None, "user:123456789012345678"]), st.text(max_size=40))
def test_a_button_is_read_as_it_was_written(goes: ReplyMode, whose: str | None, line: str) -> None:
    made = CustomId(goes, whose, line)
    assert CustomId.parse(str(made)) == made


@pytest.mark.parametrize("custom_id", ["", "x", "|settings", "!|settings", "settings"])
def test_what_is_no_button_of_ours_is_not_read(custom_id: str) -> None:
    assert CustomId.parse(custom_id) is None


async def test_a_line_that_is_too_long_is_put_down() -> None:
    memory, stored = Kept(), StoredLines()
    long_line = "topics " + "x" * 200
    assert stored.shorten("short", 10) == "short"
    mark = stored.shorten(long_line, 98)
    await stored.save(memory)
    assert await StoredLines.find(mark, memory) == long_line
    assert await StoredLines.find("~0123456789abcdef", memory) is None
    assert await StoredLines.find("~../..", memory) is None
    assert len(mark) < 20


def test_no_two_buttons_ask_the_same() -> None:
    button = Button(CustomId(ReplyMode.UPDATE, None, "settings"), "Settings")
    assert button_rows([button] * 7) == [[button]]
    monday, every_day = replace(button, label="Mon"), replace(button, label="Every day")
    tuesday = Button(CustomId(ReplyMode.UPDATE, None, "tuesday"), "Tue")
    assert button_rows([monday, tuesday, every_day]) == [[monday, tuesday]], "days keep their places"
    several = [Button(CustomId(ReplyMode.UPDATE, None, f"{number}"), "x") for number in range(7)]
    assert [len(row) for row in button_rows(several)] == [5, 2]


def test_the_marks_of_a_message_are_found_in_its_menus() -> None:
    rows = [{"type": 1, "components": [{"type": 3, "custom_id": "+|#abc"}, {"type": 2, "custom_id": "+|today"}]}]
    assert list(menu_marks(rows)) == ["abc"]


# Commands


def listed(language: str) -> list[CommandInfo]:
    return [command.info(words(language)) for command in registry.commands(POST_OPTIONS).values()]


@pytest.fixture(scope="module")
def registered(tmp_path_factory: pytest.TempPathFactory) -> dict[str, object]:
    [group] = payload(listed, Words(kit(tmp_path_factory.mktemp("home"))))
    return group


def test_the_commands_are_what_discord_registers(registered: dict[str, object]) -> None:
    assert list(check_command(registered)) == []


def test_every_command_of_the_issue_of_readers_is_there() -> None:
    mine = {spec.command for spec in specs(listed("en"))}
    assert {info.name for info in listed("en")} - mine == {"stats", "broadcast"}
    assert mine <= set(registry.commands(POST_OPTIONS))


def test_names_are_in_every_language_that_discord_lists_and_we_have(registered: dict[str, object]) -> None:
    localised = registered["name_localizations"]
    assert isinstance(localised, dict)
    assert set(localised) == {"ar", "ja", "ko", "zh-CN", "zh-TW"}
    assert set(localised) <= LOCALES == set(slash_commands.LOCALES) | {"en-US", "en-GB"}


@pytest.mark.parametrize("tag", languages())
def test_names_of_commands_beside_each_other_differ_in_every_language(tmp_path: Path, tag: str) -> None:
    said = Words(kit(tmp_path))(tag)
    for in_set in (False, True):
        names = [said[f"name_{spec.command}"] for spec in specs(listed("en")) if spec.in_set is in_set]
        names += [] if in_set else [said["name_set"]]
        assert len(names) == len(set(names))
    for spec in specs(listed("en")):
        options = [said[f"name_{option.name}"] for option in spec.options]
        assert len(options) == len(set(options))


@pytest.mark.parametrize(
    ("written", "lines"),
    [
        ({"name": "today"}, ["today"]),
        ({"name": "date", "day": "2026-04-29"}, ["date 2026-04-29"]),
        ({"name": "subscribe", "language": "ko", "style": "abstract", "code": "OPEN"}, ["subscribe ko-abstract-OPEN"]),
        ({"name": "time", "hour": "7:30", "zone": "Berlin"}, ["time 7:30", "zone Berlin"]),
        ({"name": "time"}, ["time"]),
        ({"name": "topics", "topics": " a, b, "}, ["topics a, b"]),
        ({"name": "top", "days": 3}, ["top 3"]),
        ({"name": "silent", "on": False, "set": True}, ["silent off"]),
        ({"name": "ping", "role": "123456789012345678", "set": True}, ["ping 123456789012345678"]),
        ({"name": "search", "words": "a\nb " + "c" * 2_000}, ["search a b " + "c" * 996]),
    ],
)
def test_a_command_is_asked_as_a_line(written: dict[str, object], lines: list[str]) -> None:
    assert used(written).lines == lines


def used(written: dict[str, object]) -> Invocation:
    options = [
        {"name": name, "type": TYPES.get(name, 3), "value": value}
        for name, value in written.items()
        if name not in {"name", "set"}
    ]
    leaf = {"name": written["name"], "type": 1, "options": options}
    inner = {"name": "set", "type": 2, "options": [leaf]} if "set" in written else leaf
    found = parse({"name": "papers", "options": [inner]})
    assert found is not None
    return found


@pytest.mark.parametrize(
    "data",
    [
        {},
        {"name": "else"},
        {"name": "papers"},
        {"name": "papers", "options": [{"name": "nothing", "type": 1}]},
        {"name": "papers", "options": [{"name": "set", "type": 2, "options": []}]},
    ],
)
def test_what_is_no_command_of_ours_is_not_read(data: dict[str, object]) -> None:
    assert parse(data) is None


def test_a_page_without_papers_has_no_menu(composer: Composer) -> None:
    empty: Page = replace(page(paper(1)), blocks=[])
    assert composer.compose(empty).papers == []


def test_the_lines_of_an_announcement_are_kept(composer: Composer) -> None:
    said = replace(page(paper(1)), blocks=[], footer=[], lead="First *line*.\n\n# Second")
    assert composer.compose(said).embeds[0]["description"] == "First \\*line\\*.\n\n\\# Second"
