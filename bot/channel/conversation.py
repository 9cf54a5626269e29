"""A conversation with a reader: who runs a command, and the reply, which each channel lays out in its own way."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from bot.channel.audio import Recording
from bot.channel.message import Message
from bot.channel.page import Direction, Page
from bot.model import Address


@dataclass(frozen=True, slots=True)
class Requester:
    """The requester of a command, and the address it is for.

    In a shared place (a group, a channel) `person` is the id of the member who asks, and `may_change` says whether
    they manage the place: others may look but change nothing.
    """

    address: Address
    locale: str | None = None
    """The language of their app, as a BCP 47 tag."""
    person: str | None = None
    may_change: bool = True
    rate_limit_key: str | None = None
    """Whose rate limit applies, where it is not the person's or the address's."""
    place_locale: str | None = None
    """The language of the shared place, where the service knows one; new subscriptions begin with it."""


@dataclass(frozen=True, slots=True)
class CommandInfo:
    """A command as a channel's menus list it."""

    name: str
    purpose: str
    """What it is for, in the language that was asked for; at most 100 characters."""
    argument: str = ""
    """The name of what follows it, such as "day"; empty where nothing does."""
    for_operators: bool = False
    """Whether only operators may run it, so that no reader's menu offers it."""
    for_subscribers: bool = False
    """Whether it is about one subscription: that of this place, or of another that is named."""


@dataclass(frozen=True, slots=True)
class Option:
    """A button: its label, the command line that it holds, and whether it is what is chosen now."""

    label: str
    line: str
    chosen: bool = False
    is_value: bool = False
    """Whether it chooses a value of the preference that the reply is about."""


@dataclass(frozen=True, slots=True)
class Row:
    """A line of a list: its subject, its value, and the command line that a tap on it runs (empty: none)."""

    label: str
    value: str
    line: str = ""
    group: str = ""
    """What stands above the first row of a group, empty for a list without groups."""

    @property
    def command(self) -> str:
        """The name of the command that a tap runs, empty where there is none."""
        return self.line.partition(" ")[0]


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A completion of what somebody is typing: what is shown, and what would be typed."""

    label: str
    value: str


@dataclass(frozen=True, slots=True)
class File:
    """A file to download."""

    name: str
    content: bytes
    media_type: str


@dataclass(frozen=True, slots=True)
class Reply:
    """The reply to a command, to be laid out from the top: sentences, rows, papers, a file, options.

    A sentence that quotes may have line breaks. `message` is `page` composed and fitted for the requester's channel.
    """

    language: str
    direction: Direction
    says: Sequence[str] = ()
    rows: Sequence[Row] = ()
    options: Sequence[Option] = ()
    page: Page | None = None
    message: Message | None = None
    file: File | None = None
    recording: Recording | None = None
    """An edition read aloud, for a channel that plays them (`bot.channel.Playing`)."""
    ok: bool = True
    """False where nothing was done: refused, or not understood."""
    extras: Mapping[str, str] = field(default_factory=dict)
    """The subscription's values of the channel's own preferences (`Channel.extras`), by name."""
    repeated: bool = False
    """Whether the requester was told to wait a moment ago already, so that the reply may be left out."""
