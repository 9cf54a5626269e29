"""The registry of commands: every group's `COMMANDS`, in the order in which help and menus list them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from bot.channel.preference import Preference
from bot.commands import (
    announce,
    help_command,
    operator_stats,
    papers,
    personal_data,
    preference_commands,
    subscription,
)
from bot.commands.command import Command


def commands(extras: Sequence[Preference] = ()) -> Mapping[str, Command[Any]]:
    """The commands of a channel with these preferences of its own, by name."""
    listed: list[Command[Any]] = [
        *papers.COMMANDS,
        *subscription.COMMANDS,
        *preference_commands.commands(extras),
        *personal_data.COMMANDS,
        *help_command.COMMANDS,
        *operator_stats.COMMANDS,
        *announce.COMMANDS,
    ]
    return {command.name: command for command in listed}
