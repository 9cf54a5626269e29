"""A preference as one descriptor: its names, its kind, its bounds and its words.

The core's preferences are the table `bot.rules.preferences.PREFERENCES`. A channel declares what only it can do (a
silent message, a thread) with the same class, as `Channel.extras`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from bot.model import OFF, ON

WEEK = 7
"""Days in a week."""


class Kind(StrEnum):
    """The type of a preference's values: how they are typed, written, stored and chosen follows from it."""

    LANGUAGE = "language"
    """A tag that there is a catalogue for: `ko`."""
    STYLE = "style"
    """A `bot.model.Style`."""
    COUNT = "count"
    """A whole number within `bounds`, or 0 for all."""
    NUMBER = "number"
    """A whole number within `bounds`."""
    TOPICS = "topics"
    """A tuple of topics (`bot.rules.topics`)."""
    HOUR = "hour"
    """Minutes after midnight, on a quarter of an hour."""
    WEEKDAYS = "weekdays"
    """A bit per weekday, Monday = bit 0; at least one."""
    ZONE = "zone"
    """An IANA time zone name."""
    CADENCE = "cadence"
    """A `bot.model.Cadence`."""
    SWITCH = "switch"
    """True or False, written `on` and `off`."""
    TEXT = "text"
    """What group 1 of `pattern` finds in the typed text, or `off`: an id of the channel's own."""


class Decides(StrEnum):
    """The aspect of an edition that a preference decides."""

    PAPERS = "papers"
    """Which papers are in it: a filter."""
    LOOK = "look"
    """How they are shown."""
    TIME = "time"
    """When it comes."""


@dataclass(frozen=True, slots=True)
class Preference:
    """One preference. `title`, `purpose` and `hint` are message ids, marked with `N_` for extraction."""

    name: str
    """The field of `Preferences`, the column in the database and in CSV files, the field of the web form."""
    command: str
    """The command that changes it: `votes`."""
    kind: Kind
    title: str
    """What it is called: "Fewest votes"."""
    purpose: str
    """What its command is for, in at most 100 characters."""
    options: tuple[str, ...] = ()
    """Names of command-line and slash-command options, the first for Discord; without any, `name`."""
    hint: str = ""
    """A line above its menu."""
    choices: tuple[object, ...] = ()
    """The values its menu offers, where they do not follow from its kind; of a switch that is on until it is turned
    off, (True, False)."""
    bounds: tuple[int, int] = (0, 0)
    """The least and the most of a number."""
    decides: Decides = Decides.LOOK
    """What it decides; those that decide when are columns of `subscribers`, the others of `choices`."""
    examples: tuple[str, ...] = ()
    """What may be typed behind the command; `{all}`, `{topic}` and the like are filled in the reader's language."""
    pattern: str = ""
    """A regular expression with one group, for `Kind.TEXT`."""

    @property
    def shapes_message(self) -> bool:
        """Whether a message depends on it: readers who agree in all of these share one rendering."""
        return self.decides is not Decides.TIME

    @property
    def option(self) -> str:
        """The public name of its value: a slash command's option."""
        return self.options[0] if self.options else self.name

    @property
    def unset(self) -> str:
        """The written value of a channel's own preference for readers who never chose."""
        return self.write(self.choices[0]) if self.kind is Kind.SWITCH and self.choices else OFF

    def write(self, value: object) -> str:
        """A value as buttons, links and files hold it, in ASCII but for topics; parsing reads it back."""
        match self.kind, value:
            case Kind.COUNT, 0:
                return "all"
            case Kind.TOPICS, (list() | tuple()) as topics:
                return ", ".join(map(str, topics)) or "none"
            case Kind.HOUR, int(minutes):
                return "{:02}:{:02}".format(*divmod(minutes, 60))
            case Kind.WEEKDAYS, int(days):
                return ",".join(str(day + 1) for day in weekdays(days))
            case Kind.SWITCH, bool(is_on):
                return ON if is_on else OFF
            case _:
                return str(value)

    def line(self, value: object) -> str:
        """The command line that chooses a value: what a button holds."""
        return f"{self.command} {self.write(value)}"


def weekdays(bits: int) -> Sequence[int]:
    """The weekdays whose bits are set, Monday = 0."""
    return [day for day in range(WEEK) if bits >> day & 1]


def N_(message: str) -> str:  # noqa: N802 - gettext's own name for it
    """Mark a message id for extraction; the catalogue is asked later."""
    return message


AUDIO = Preference("audio", "audio", Kind.SWITCH, N_("preference.audio"), N_("help.audio"), examples=("{on}",))
"""The edition read aloud as a message of its own, on channels that play recordings."""

SILENT = Preference("silent", "silent", Kind.SWITCH, N_("preference.silent"), N_("help.silent"), examples=("{on}",))
"""Delivery without a notification sound, which several channels offer as an extra."""
