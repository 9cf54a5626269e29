"""Command lines: what people type, and what buttons and links hold.

A line is a command's name and what follows it, such as `time 7:30`. Lines are stored in buttons of messages that were
sent long ago, so a line that was accepted once stays accepted. The core parses them (`bot.commands`); channels pass
them on, and look at the name at most.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date
from enum import StrEnum

from bot.model import Cadence


class CommandName(StrEnum):
    """Names of the commands that other rooms than `bot.commands` refer to; a new command need not be here."""

    TODAY = "today"
    DATE = "date"
    WEEK = "week"
    MONTH = "month"
    TOP = "top"
    CLOUD = "cloud"
    TREND = "trend"
    POSTER = "poster"
    SEARCH = "search"
    PAPER = "paper"
    LISTEN = "listen"
    SUBSCRIBE = "subscribe"
    UNSUBSCRIBE = "unsubscribe"
    PAUSE = "pause"
    RESUME = "resume"
    SETTINGS = "settings"
    LANGUAGE = "language"
    STYLE = "style"
    COUNT = "count"
    VOTES = "votes"
    TOPICS = "topics"
    FOLLOW = "follow"
    TIME = "time"
    WEEKDAYS = "weekdays"
    ZONE = "zone"
    CADENCE = "cadence"
    WHY = "why"
    EXPORT = "export"
    FORGET = "forget"
    HELP = "help"
    PRIVACY = "privacy"


EDITIONS = {Cadence.DAY: CommandName.DATE, Cadence.WEEK: CommandName.WEEK, Cadence.MONTH: CommandName.MONTH}
"""The commands that show an edition, by its cadence."""
MINE = "mine"
"""Follows an edition's day where the edition is shown as the reader gets it."""
ABOUT = "about"
"""Follows the rest of the line that subscribes, before the topics that a new reader wants papers about."""
WRONG = "wrong"
"""Follows a paper's id, before the style of its text that a reader reports as wrong."""
CONFIRMED = "confirmed"
"""Follows the name of a command that was confirmed with a button."""


def command_line(name: str, *arguments: str, after: int = 0) -> str:
    """The line that runs a command; empty arguments are left out.

    `after` is the number of papers to skip, for commands that show papers page by page.
    """
    return " ".join(filter(None, (name, f"+{after}" if after else "", *arguments)))


def edition_line(cadence: Cadence, day: date | None = None, after: int = 0, *, mine: bool = False) -> str:
    """The line that shows the edition of the period that `day` is in, None for the latest.

    With `mine` it is shown as the reader gets it, otherwise whole.
    """
    return command_line(EDITIONS[cadence], "" if day is None else f"{day}", MINE if mine else "", after=after)


def paper_line(paper_id: str) -> str:
    """The line that shows one paper."""
    return command_line(CommandName.PAPER, paper_id)


def quoted_command(names: Iterable[str]) -> re.Pattern[str]:
    """A pattern for commands that a sentence quotes: group 1 is one of `names`, in the quotation marks of any language.

    In sentences that are read from the right the name stands between characters that isolate its direction.
    """
    return re.compile(rf"[“„「『«]\u2068?({'|'.join(names)})\u2069?[”“」』»]")
