"""Sentences that name a command, and examples of what to type, as Discord's users have commands: slash commands."""

from __future__ import annotations

import re
from datetime import date, time
from pathlib import Path
from typing import Any

import pytest

from bot.channel import CommandName, Direction, Reply, Requester, Row
from bot.commands import ReaderCommands
from bot.model import Address, Preferences
from bot.render.announcement_page import announcement_page
from bot.render.catalogue import languages
from bot.render.words import words
from bot.rules.access import Access, Admission
from bot.store import Store
from channels.discord import command_names
from channels.discord.components import Menu, ReplyMode
from channels.discord.message import Composer
from channels.discord.post_options import POST_OPTIONS
from channels.discord.responses import Layout, Responses
from channels.discord.slash_commands import SUB_GROUP, payload
from channels.discord.wording import Words
from tests.support.fake_channel import NOW, FakeChannel, publish
from tests.support.pages import kit

IN_SQLITE = pytest.mark.parametrize("database", ["sqlite"], indirect=True)

KIT = kit(Path())
WORDS = Words(KIT)
ADA = Requester(Address("discord", "user:42"))
QUOTED = re.compile(rf"[“„「『«/]\u2068?({'|'.join(CommandName)}|ping)\u2069?[”“」』»]?(?![\w:])")
"""A command as other channels name it, in quotation marks or behind a slash alone."""


class Slashes(FakeChannel):
    """A channel on which commands are typed as on Discord."""

    def typed(self, line: str, language: str) -> str:
        return command_names.typed(line, WORDS(language))


def readers(store: Store, **given: Any) -> ReaderCommands:
    channel = Slashes(name="discord", extras=POST_OPTIONS)
    return ReaderCommands(store, [channel], fallback=Preferences(), closes=time(22), **given)


def shown(reply: Reply, layout: Layout) -> str:
    responses = Responses(KIT, WORDS)
    return "\n".join(embed["description"] for embed in responses.lay_out(reply, layout).embeds)


def without_commands(text: str, language: str) -> str:
    """A text without what is one of Discord's commands in this language."""
    for name in sorted([*CommandName, "ping"], key=len, reverse=True):
        text = text.replace(command_names.shown(name, WORDS(language)), "")
    return text


@IN_SQLITE
@pytest.mark.parametrize("language", languages())
async def test_no_sentence_names_a_command_that_discord_does_not_have(store: Store, language: str) -> None:
    await publish(store, {})
    talk = readers(store)
    await talk.ask(ADA, f"subscribe {language}", NOW)
    lines = ["topics", "time", "zone", "ping", "privacy", "settings", *(f"help {name}" for name in CommandName)]
    for line in [*lines, "forget", "unsubscribe"]:
        reply = await talk.ask(ADA, line, NOW)
        for layout in (Layout(ReplyMode.UPDATE), Layout(ReplyMode.UPDATE, command_id=77)):
            text = without_commands(re.sub(r"</papers [a-z ]+:77>", "", shown(reply, layout)), language)
            assert not QUOTED.search(text), line


@IN_SQLITE
async def test_commands_in_sentences_are_tappable_and_examples_have_their_options(store: Store) -> None:
    await publish(store, {})
    talk = readers(store)
    await talk.ask(ADA, "subscribe", NOW)
    tappable, plain = Layout(ReplyMode.UPDATE, command_id=77), Layout(ReplyMode.UPDATE)
    topics = await talk.ask(ADA, "topics", NOW)
    assert "Send </papers topics:77> and your words" in shown(topics, tappable)
    assert "/papers topics topics:diffusion, -robotics." in shown(topics, tappable)
    zone = await talk.ask(ADA, "zone", NOW)
    assert "Send **/papers set zone** and a city" in shown(zone, plain)
    assert "/papers set zone zone:" in shown(zone, plain)
    assert "</papers export:77> sends you everything" in shown(await talk.ask(ADA, "privacy", NOW), tappable)
    invited = readers(store, access=Access(Admission.INVITE, codes=("LAB",)))
    refused = await invited.ask(Requester(Address("discord", "user:43")), "subscribe", NOW)
    assert "/papers subscribe code:CODE" in shown(refused, plain)


def test_operators_commands_are_named_as_they_are_typed() -> None:
    rows = [Row(name, "what it does", f"help {name}") for name in ("today", "stats", "broadcast")]
    laid = Responses(KIT, WORDS).lay_out(Reply("en", Direction.LTR, rows=rows), Layout(ReplyMode.UPDATE))
    [menu] = [row for row in laid.rows if isinstance(row, Menu)]
    assert [choice.label for choice in menu.choices] == ["/papers today", "stats", "broadcast"]


@IN_SQLITE
async def test_what_a_user_wrote_is_shown_as_they_wrote_it(store: Store) -> None:
    await publish(store, {})
    reply = await readers(store).ask(ADA, "search settings", NOW)
    assert "“settings”" in shown(reply, Layout(ReplyMode.UPDATE, quotes_user=True))


@IN_SQLITE
@pytest.mark.parametrize("language", languages())
def test_every_example_is_a_registered_command_with_a_registered_option(language: str, store: Store) -> None:
    talk, w, own = readers(store), words(language), WORDS
    [group] = payload(lambda tag: talk.listed("discord", tag), own)
    leaves = {f"papers {each['name']}": each for each in group["options"] if each["type"] != SUB_GROUP}
    for nested in (each for each in group["options"] if each["type"] == SUB_GROUP):
        leaves |= {f"papers {nested['name']} {each['name']}": each for each in nested["options"]}
    for name, command in talk._commands["discord"].items():
        if name in {"stats", "broadcast"}:  # operators type these elsewhere
            continue
        leaf = leaves[command_names.path_of(name)]
        options = [each["name"] for each in leaf.get("options", [])]
        for line in command.lines(w):
            option = command_names.typed(line, {}).removeprefix(f"/{command_names.path_of(name)}").strip()
            assert not option or option.partition(":")[0] in options, line


@pytest.mark.parametrize("language", languages())
def test_an_announcement_ends_with_the_command_that_stops_it(language: str) -> None:
    page = announcement_page("We move.", words(language), date(2026, 4, 29))
    text = Composer(KIT, WORDS).compose(page).parts()["text"]
    assert command_names.shown(CommandName.UNSUBSCRIBE, WORDS(language)) in text
    assert not QUOTED.search(without_commands(text, language))
