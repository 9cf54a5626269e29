"""Editions and answers as containers of Components V2: what is in them, what they hold, what is sent in their place."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.channel import Link, Page, Personal, Rejected, Sent, Unknown, utf16_units
from bot.model import Style
from bot.render.fit import fit
from channels.discord import api
from channels.discord.components import Choice, Menu, ReplyMode, StoredLines
from channels.discord.container import CHARACTERS, COMPONENTS, Container, layout_of
from channels.discord.markdown import label
from channels.discord.message import LIMITS, Composer, DiscordMessage
from channels.discord.responses import Response
from channels.discord.wording import Words
from tests.support.discord_server import DiscordServer, Fault
from tests.support.discord_server.messages import COMPONENTS_V2, Message, walk
from tests.support.discord_stage import FORUM_POST, POST, Desk
from tests.support.pages import HOSTILE, kit, page, paper

ROW, SELECT, SECTION, TEXT, THUMBNAIL, SEPARATOR, CONTAINER = 1, 3, 9, 10, 11, 14, 17


@pytest.fixture(scope="module")
def composer(tmp_path_factory: pytest.TempPathFactory) -> Composer:
    lent = kit(tmp_path_factory.mktemp("home"))
    return Composer(lent, Words(lent))


@pytest.fixture
async def stage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Desk]:
    monkeypatch.setattr(api, "PER_SECOND", 10_000)
    async with DiscordServer() as server:
        opened = Desk(server, tmp_path)
        async with opened.channel:
            yield opened


def ten(count: int = 10, **changes: Any) -> Page:
    made = [
        paper(number, thumbnail=f"https://cdn.example/{number}.png", code=f"https://github.com/ada/{number}")
        for number in range(1, count + 1)
    ]
    return page(*made, **changes)


async def sent(stage: Desk, shown: Page, **personal: Any) -> Message:
    message = fit(shown, stage.channel.compose, LIMITS, lambda count: f"date +{count} 2026-04-29 mine").message
    outcome = await stage.channel.send(stage.to, message, Personal(**{"key": "1.1"} | personal))
    assert isinstance(outcome, Sent)
    return stage.room.messages[-1]


async def test_ten_papers_are_one_container(stage: Desk) -> None:
    message = await sent(stage, ten(14))
    assert message.flags & COMPONENTS_V2
    assert (message.content, message.embeds) == ("", [])
    [box] = message.components
    assert (box["type"], box["accent_color"]) == (CONTAINER, 0xA8410B)
    kinds = [each["type"] for each in box["components"]]
    assert kinds == [TEXT, SEPARATOR, SECTION, SEPARATOR, *[TEXT] * 9, ROW, ROW, SEPARATOR, TEXT]
    assert not stage.server.violations


async def test_the_lead_stands_beside_its_picture_and_the_foot_comes_last(stage: Desk) -> None:
    [box] = (await sent(stage, ten(14))).components
    head, _, lead, _, second, *others = box["components"]
    assert head["content"].startswith("**Daily papers · Wednesday, 29 April 2026**\n-# ")
    [said] = lead["components"]
    assert said["content"].splitlines() == [
        "### [1. Paper number 1](https://huggingface.co/papers/2604.00001)",
        "Thing 1 is measured.",
        "Thing 1 is large, e.g. larger than 3.5 apples. (from the abstract)",
        "-# ▲ 99 · Somewhere · [Code](https://github.com/ada/1)",
    ]
    assert lead["accessory"]["media"]["url"] == "https://cdn.example/1.png"
    assert lead["accessory"]["description"] == "Paper number 1"
    assert second["content"].startswith("**[2. Paper number 2](https://huggingface.co/papers/2604.00002)**\n")
    foot = others[-1]["content"].splitlines()
    assert foot[0] == "+4 more papers"
    assert all(line.startswith("-# ") for line in foot[1:])


async def test_a_lead_without_a_picture_is_a_text(stage: Desk) -> None:
    [box] = (await sent(stage, page(paper(1), paper(2)))).components
    assert [each["type"] for each in box["components"]] == [
        TEXT,
        SEPARATOR,
        TEXT,
        SEPARATOR,
        TEXT,
        ROW,
        SEPARATOR,
        TEXT,
    ]


async def test_a_role_is_mentioned_above_the_container(stage: Desk) -> None:
    role = stage.guild.role("readers")
    message = await sent(stage, ten(), extras={"ping": str(role.id), "silent": "on"})
    mention, box = message.components
    assert (mention["type"], mention["content"], box["type"]) == (TEXT, f"<@&{role.id}>", CONTAINER)
    assert message.allowed_mentions == {"parse": [], "roles": [role.id]}
    assert message.silent


async def test_the_menu_opens_every_paper(stage: Desk) -> None:
    [menu] = [each for each in walk((await sent(stage, ten())).components) if each["type"] == SELECT]
    assert [each["value"] for each in menu["options"]] == [f"paper 2604.{number:05}" for number in range(1, 11)]


def test_missed_editions_and_models_stand_in_the_foot(composer: Composer) -> None:
    shown = ten(3, actions=[Link("Missed: 28 April", "https://huggingface.co/papers/date/2026-04-28")])
    blocks = [replace(each, said=replace(each.said, byline="gpt (29 Apr 2026)")) for each in shown.blocks]
    container = contained(composer, replace(shown, blocks=blocks))
    lines = container.foot.splitlines()
    assert lines[0] == "-# [Missed: 28 April](https://huggingface.co/papers/date/2026-04-28)"
    assert lines[1] == "-# gpt (29 Apr 2026)"
    assert "Missed" not in container.head


def test_the_lead_says_what_came_of_it(composer: Composer) -> None:
    shown = ten(2)
    first, second = shown.blocks
    lead = contained(composer, replace(shown, blocks=[replace(first, outcome="It is 3× faster."), second])).lead
    assert lead.splitlines()[2] == "It is 3× faster. (from the abstract)"


async def test_the_organisations_go_before_a_container_is_given_up(composer: Composer) -> None:
    sentence = "A word is a word. " * 10
    shown = page(*(paper(number, organisation=f"Organisation {number}", sentence=sentence) for number in range(1, 11)))
    assert "Organisation 10" in contained(composer, shown).papers[-1]
    longer = page(*(paper(n, organisation="O" * 120 + f" {n}", sentence=sentence) for n in range(1, 11)))
    container = contained(composer, longer)
    assert "O 1" in container.lead
    assert "O 10" not in container.papers[-1]


def contained(composer: Composer, shown: Page) -> Container:
    container = composer.compose(shown).container
    assert container is not None
    return container


# Limits


@given(
    st.lists(st.tuples(st.text(max_size=200), st.text(max_size=500)), min_size=1, max_size=12),
    st.sampled_from([Style.HEADLINE, Style.ABSTRACT, Style.HIGHLIGHTS]),
)
@settings(max_examples=40)
def test_whatever_papers_say_a_container_fits(composer: Composer, said: list[tuple[str, str]], style: Style) -> None:
    papers = [
        paper(number, title=title, abstract=abstract, sentence=abstract)
        for number, (title, abstract) in enumerate(said, start=1)
    ]
    message = fit(page(*papers, style=style), composer.compose, LIMITS).message
    if message.container is not None:
        assert sum(map(utf16_units, message.container.texts)) <= CHARACTERS
        assert message.container.fits(message.rows(ReplyMode.NEW_MESSAGE, None), "<@&12345678901234567890>")


async def test_components_are_counted_as_the_library_counts_them() -> None:
    menu = Menu(ReplyMode.NEW_MESSAGE, None, "m", "…", [Choice("a", "a")])
    for picture in (None, "https://cdn.example/1.png"):
        for lead in ("", "lead"):
            made = Container("head", lead, picture, papers=("x",) * 7, foot="foot")
            layout = layout_of(made, [menu], StoredLines())
            assert made._components([menu]) == len(list(layout.walk_children()))


def test_a_message_holds_forty_components_and_four_thousand_characters() -> None:
    assert Container("h", "l", None, papers=("x",) * 33, foot="f").fits([])
    assert not Container("h", "l", None, papers=("x",) * 34, foot="f").fits([])
    assert COMPONENTS == 40
    assert Container("h" * 4_000).fits([])
    assert not Container("h" * 4_000).fits([], above="x")
    assert not Container("😀" * 2_001).fits([])


async def test_what_a_container_does_not_hold_is_sent_as_embeds(stage: Desk) -> None:
    long = page(*(paper(number, sentence="A word is a word. " * 25) for number in range(1, 11)))
    message = await sent(stage, long)
    assert not message.flags & COMPONENTS_V2
    assert len(message.embeds) == 10
    assert not stage.server.violations


@pytest.mark.parametrize("title", ["see https://evil.example", HOSTILE, "](https://evil.example) [x", "-# small"])
def test_titles_write_no_markup(composer: Composer, title: str) -> None:
    container = contained(composer, page(paper(1, title=title), paper(2, title=title)))
    for text in (container.lead, container.papers[0]):
        first = text.splitlines()[0]
        links = re.findall(r"(?<!\\)\[((?:[^\]\\]|\\.)*)(?<!\\)\]\(([^)]*)\)", first)
        assert [url for _, url in links] in (
            [["https://huggingface.co/papers/2604.00001"], ["https://huggingface.co/papers/2604.00002"]]
        )
        assert "://" not in links[0][0]


def test_a_label_is_no_address() -> None:
    assert label("see https://a.example [now]") == "see https:\u200b//a.example \\[now\\]"


# Where Discord refuses it


@pytest.mark.parametrize("code", [50035, 50006])
async def test_a_refused_container_is_sent_as_embeds_and_not_tried_again(stage: Desk, code: int) -> None:
    stage.server.fails(Fault.refusal(code), route=POST, times=1)
    first = await sent(stage, ten())
    assert (len(first.embeds), first.flags & COMPONENTS_V2) == (10, 0)
    calls = stage.server.counts[POST]
    again = await sent(stage, ten(), key="1.2")
    assert (len(again.embeds), stage.server.counts[POST]) == (10, calls + 1)
    other = await sent(stage, ten(9), key="1.3")
    assert other.flags & COMPONENTS_V2
    assert stage.room.posted == 3


async def test_a_refused_post_of_a_forum_is_made_of_embeds(stage: Desk) -> None:
    forum = stage.guild.forum("ai")
    stage.server.fails(Fault.refusal(50035), route=FORUM_POST, times=1)
    message = stage.channel.compose(ten())
    assert isinstance(await stage.channel.send(f"forum:{forum.id}", message, Personal(key="1.1")), Sent)
    [post] = [each for each in stage.guild.channels.values() if each.parent is forum]
    assert len(post.messages[0].embeds) == 10


async def test_what_is_refused_in_both_shapes_is_our_fault(stage: Desk) -> None:
    stage.server.fails(Fault.refusal(50035), route=POST)
    message = stage.channel.compose(ten())
    outcome = await stage.channel.send(stage.to, message, Personal(key="1.1"))
    assert isinstance(outcome, Rejected)
    assert stage.room.posted == 0


async def test_a_container_whose_answer_was_lost_is_found_by_its_menu(stage: Desk) -> None:
    stage.server.fails(Fault.lost(), route=POST, times=1)
    message = stage.channel.compose(ten())
    outcome = await stage.channel.send(stage.to, message, Personal(key="1.1"))
    assert isinstance(outcome, Sent | Unknown)
    stage.server.clock.move(timedelta(hours=1))
    assert isinstance(await stage.channel.send(stage.to, message, Personal(key="1.1", repeat=1)), Sent)
    assert stage.room.posted == 1
    assert stage.room.messages[0].flags & COMPONENTS_V2


# Answers


@pytest.mark.parametrize(
    ("response", "held"),
    [
        (Response(embeds=[{"description": "Saved.", "color": 0xA8410B}]), "Saved."),
        (Response(embeds=[{"description": "x" * 4_001, "color": 0xA8410B}]), None),
        (Response(embeds=[{"description": "x", "title": "T"}]), None),
        (Response("above", embeds=[{"description": "x"}]), None),
        (Response(), None),
    ],
)
def test_sentences_are_put_into_a_container_that_holds_them(response: Response, held: str | None) -> None:
    container = response.contained()
    assert (None if container is None else container.head) == held


def texts_of(message: DiscordMessage) -> Mapping[str, str]:
    return message.parts()


def test_a_preview_shows_what_is_sent(composer: Composer) -> None:
    shown = texts_of(composer.compose(ten(3)))["text"]
    assert "### [1. Paper number 1]" in shown
    assert "-# ▲ 98" in shown


def test_the_themes_of_a_brief_edition_are_no_small_print(composer: Composer) -> None:
    shown = replace(ten(3, style=Style.BRIEF), lead="These papers look at agents.")
    assert contained(composer, shown).head.splitlines()[1] == "These papers look at agents."
