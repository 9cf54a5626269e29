"""The registry of commands: every group's `COMMANDS`, in the order in which help and menus list them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from bot.channel.preference import N_, Preference
from bot.commands import (
    announce,
    follow,
    help_command,
    operator_stats,
    papers,
    personal_data,
    picture_commands,
    preference_commands,
    subscription,
)
from bot.commands.command import Command
from bot.commands.listen_command import LISTEN


def commands(extras: Sequence[Preference] = (), *, reads_aloud: bool = False) -> Mapping[str, Command[Any]]:
    """The commands of a channel with these preferences of its own, by name; `listen` only where it `reads_aloud`."""
    groups: Mapping[str, Sequence[Command[Any]]] = {
        N_("help.group_read"): [*papers.COMMANDS, *picture_commands.COMMANDS, *([LISTEN] if reads_aloud else [])],
        N_("help.group_editions"): [*subscription.COMMANDS, *follow.COMMANDS, *preference_commands.commands(extras)],
        N_("help.group_data"): [*personal_data.COMMANDS, *help_command.COMMANDS],
        N_("help.group_operators"): [*operator_stats.COMMANDS, *announce.COMMANDS],
    }
    return {each.name: replace(each, group=group) for group, listed in groups.items() for each in listed}
