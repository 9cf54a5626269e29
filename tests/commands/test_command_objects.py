"""A command is one object: help, Telegram's menu, Discord's slash commands and old buttons find it by that alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, time
from pathlib import Path
from typing import Any

import pytest

from bot.channel import Reply, Requester
from bot.commands import ReaderCommands, papers, registry
from bot.commands.command import Command, Typed, split
from bot.commands.context import Context
from bot.model import Address, Preferences
from bot.render.words import words
from bot.store import Store
from channels.discord.post_options import POST_OPTIONS
from channels.discord.slash_commands import parse, payload
from channels.discord.wording import Words
from channels.telegram import profile
from channels.telegram.message import PICTURE, RICH
from tests.support.fake_channel import NOW, FakeChannel
from tests.support.pages import kit

MADE_UP = "dice"
PURPOSE = words("en").gettext("help.pause")
OLD_LINES = [
    "subscribe zh-Hans-abstract-LAB_2026", "subscribe", "unsubscribe", "today +9", "date +9 2026-04-29 mine",
    "week 2026-05-03", "month", "paper 2604.12345", "search +5 video diffusion", "top +10 7", "settings", "style",
    "language ko", "style review", "count all", "count 15", "votes 10", "topics none", "topics diffusion, -video",
    "time 07:30", "weekdays 1,2,3,4,5", "zone Asia/Seoul", "cadence week", "picture on", "rich off", "silent on",
    "thread on", "publish on", "ping off", "ping 123456789012345678", "zone 52.5200,13.4050", "pause",
    "pause 2026-05-07", "resume", "why", "why 2026-04-29", "export", "forget", "forget confirmed", "help", "help time",
    "privacy", "stats", "broadcast confirmed 0a0a0a0a0a0a0a0a0a0a", "broadcast cancelled 0a0a0a0a0a0a0a0a0a0a",
    "settings zone",
]  # fmt: skip
"""Lines in buttons and deep links of messages that earlier versions sent."""


def parse_sides(typed: Typed) -> int:
    return int(typed.words or 6)


async def roll(context: Context, sides: int) -> Reply:
    return context.reply(f"One of {sides}.")


@pytest.fixture
def made_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """A command that only its group's file knows of."""
    command = Command(
        name=MADE_UP, purpose="help.pause", parse=parse_sides, run=roll, examples=("6",), argument="sides"
    )
    monkeypatch.setattr(papers, "COMMANDS", (*papers.COMMANDS, command))


@pytest.fixture
def commands(store: Store, made_up: None) -> ReaderCommands:
    channels = [FakeChannel(name="telegram"), FakeChannel(name="discord", extras=POST_OPTIONS)]
    return ReaderCommands(store, channels, fallback=Preferences(), closes=time(22))


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
async def test_a_new_command_runs_and_is_in_help(commands: ReaderCommands) -> None:
    requester = Requester(Address("telegram", "42"))
    assert (await commands.ask(requester, "/dice 20", NOW)).says == ["One of 20."]
    assert MADE_UP in {row.label for row in (await commands.ask(requester, "help", NOW)).rows}
    assert (await commands.ask(requester, "help dice", NOW)).says == [f"dice: {PURPOSE}.", "Send it like this: dice 6"]


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
async def test_a_new_command_is_in_telegrams_menu(commands: ReaderCommands) -> None:
    menu: Mapping[str, str] = profile.Profile(None, commands, replace(kit(Path()), name="telegram"))._menu("en")  # type: ignore[arg-type]
    assert menu[MADE_UP] == PURPOSE
    assert "stats" not in menu


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
async def test_a_new_command_is_a_slash_command(commands: ReaderCommands, tmp_path: Path) -> None:
    [group] = payload(lambda language: commands.listed("discord", language), Words(kit(tmp_path)))
    subcommands: list[dict[str, Any]] = group["options"]
    in_set = next(each for each in subcommands if each["name"] == "set")["options"]
    [found] = [each for each in in_set if each["name"] == MADE_UP]
    assert found["description"] == PURPOSE
    assert [option["name"] for option in found["options"]] == ["sides"]
    used = {"type": 1, "name": MADE_UP, "options": [{"name": "sides", "type": 3, "value": "20"}]}
    invoked = parse({"name": "papers", "options": [{"type": 2, "name": "set", "options": [used]}]}, {MADE_UP})
    assert invoked is not None
    assert invoked.lines == ["dice 20"]


@pytest.mark.parametrize("line", OLD_LINES)
def test_lines_in_buttons_of_earlier_versions_are_still_parsed(line: str) -> None:
    name, typed = split(line, words("en"), datetime(2026, 4, 30, 6, 30, tzinfo=UTC))
    registry.commands((*POST_OPTIONS, PICTURE, RICH))[name].parse(typed)


def test_every_command_has_a_name_of_its_own() -> None:
    listed = registry.commands((*POST_OPTIONS, PICTURE, RICH))
    assert all(command.name == name for name, command in listed.items())
    assert len({command.purpose for command in listed.values()}) == len(listed)
