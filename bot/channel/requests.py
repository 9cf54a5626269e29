"""What a reader may ask, and what is answered: typed, without markup, in no channel's words.

A channel makes requests from taps, options and typed commands, and lays answers out in its own way. The form in
which a button can hold a request is `bot.channel.command_lines`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum

from bot.channel.message import Message
from bot.channel.page import Direction, Page
from bot.model import Address, Cadence, Extra, Style


class Command(StrEnum):
    """The commands, by the names that they have on every channel."""

    SUBSCRIBE = "subscribe"
    UNSUBSCRIBE = "unsubscribe"
    TODAY = "today"
    WEEK = "week"
    MONTH = "month"
    DATE = "date"
    PAPER = "paper"
    SEARCH = "search"
    TOP = "top"
    SETTINGS = "settings"
    LANGUAGE = "language"
    STYLE = "style"
    COUNT = "count"
    VOTES = "votes"
    TOPICS = "topics"
    TIME = "time"
    WEEKDAYS = "weekdays"
    ZONE = "zone"
    CADENCE = "cadence"
    PICTURE = "picture"
    RICH = "rich"
    SILENT = "silent"
    THREAD = "thread"
    PING = "ping"
    PUBLISH = "publish"
    PAUSE = "pause"
    RESUME = "resume"
    WHY = "why"
    EXPORT = "export"
    FORGET = "forget"
    HELP = "help"
    PRIVACY = "privacy"
    STATS = "stats"
    BROADCAST = "broadcast"


FOR_OPERATORS = frozenset({Command.STATS, Command.BROADCAST})
"""What only those whom the settings name as operators may ask: no reader's menu offers it."""


@dataclass(frozen=True, slots=True)
class Requester:
    """Who asks, and for which address.

    `locale` is the language that the service says their app has (a BCP 47 tag). In a place that many share, `person`
    tells who of them it is, and `may_change` whether they run it: others may look, and change nothing. `counted_as` is
    whose allowance of questions is used, where it is not the person's or the address's.
    """

    address: Address
    locale: str | None = None
    person: str | None = None
    may_change: bool = True
    counted_as: str | None = None
    place: str | None = None
    """The language that the place itself is in, where the service knows one: what a new subscription begins with."""


@dataclass(frozen=True, slots=True)
class Subscribe:
    """Send the editions here; what is not said here is guessed or kept. `invite` is a code, where one is needed."""

    language: str | None = None
    style: Style | None = None
    invite: str | None = None


@dataclass(frozen=True, slots=True)
class Unsubscribe:
    """Send nothing any more."""


@dataclass(frozen=True, slots=True)
class Today:
    """The papers of the current UTC day, closed or not, from the one `after` so many."""

    after: int = 0


@dataclass(frozen=True, slots=True)
class ShowEdition:
    """The edition of the period that `day` is in, None for the latest; from the paper `after` so many.

    All of it, or with `mine` as the reader gets it: their style, their filters, as many papers as they chose.
    """

    cadence: Cadence = Cadence.DAY
    day: date | None = None
    after: int = 0
    mine: bool = False


@dataclass(frozen=True, slots=True)
class ShowPaper:
    """All there is to say about one paper."""

    id: str


@dataclass(frozen=True, slots=True)
class Search:
    """Papers that have every one of these words."""

    query: str
    after: int = 0


@dataclass(frozen=True, slots=True)
class Top:
    """The papers with the most votes of the last so many days."""

    days: int = 7
    after: int = 0


@dataclass(frozen=True, slots=True)
class ShowSettings:
    """Everything that was chosen, at a glance."""


@dataclass(frozen=True, slots=True)
class Menu:
    """What can be chosen for one preference."""

    of: Command


@dataclass(frozen=True, slots=True)
class Change:
    """Choose anew what is not None; units and values as in `bot.model.Preferences`."""

    language: str | None = None
    style: Style | None = None
    papers: int | None = None
    min_votes: int | None = None
    topics: tuple[str, ...] | None = None
    hour: int | None = None
    weekdays: int | None = None
    timezone: str | None = None
    cadence: Cadence | None = None
    extra: tuple[Extra, str] | None = None


@dataclass(frozen=True, slots=True)
class FindZone:
    """Time zones by a city, a country, an offset or a place on earth (`52.5,13.4`), as the reader writes them."""

    query: str


@dataclass(frozen=True, slots=True)
class Pause:
    """Send nothing before that day, or until resumed."""

    until: date | None = None


@dataclass(frozen=True, slots=True)
class Resume:
    """Send editions again."""


@dataclass(frozen=True, slots=True)
class Why:
    """Why the edition of a day came or did not come; None for the latest."""

    day: date | None = None


@dataclass(frozen=True, slots=True)
class Export:
    """All that is stored about the reader."""


@dataclass(frozen=True, slots=True)
class Forget:
    """Erase it; asked back unless `confirmed`."""

    confirmed: bool = False


@dataclass(frozen=True, slots=True)
class Help:
    """What can be asked, or how one command is used."""

    of: Command | None = None


@dataclass(frozen=True, slots=True)
class Privacy:
    """What is stored, and what is not."""


@dataclass(frozen=True, slots=True)
class Stats:
    """How many readers there are, what became of the latest editions, how channels and feed stand."""


@dataclass(frozen=True, slots=True)
class Broadcast:
    """Preview an announcement to every reader, or to those of one channel; nothing is sent.

    `channel` is what stood before a colon; where no channel has that name, it is a part of the text.
    """

    text: str
    channel: str | None = None


@dataclass(frozen=True, slots=True)
class BroadcastConfirmed:
    """Send the announcement that was previewed under this key."""

    key: str


@dataclass(frozen=True, slots=True)
class BroadcastCancelled:
    """Forget the announcement that was previewed under this key."""

    key: str


@dataclass(frozen=True, slots=True)
class Misread:
    """A command was meant, but what followed it made no sense; None where not even the command did."""

    of: Command | None


Request = (
    Subscribe
    | Unsubscribe
    | Today
    | ShowEdition
    | ShowPaper
    | Search
    | Top
    | ShowSettings
    | Menu
    | Change
    | FindZone
    | Pause
    | Resume
    | Why
    | Export
    | Forget
    | Help
    | Privacy
    | Stats
    | Broadcast
    | BroadcastConfirmed
    | BroadcastCancelled
    | Misread
)


@dataclass(frozen=True, slots=True)
class Option:
    """Something to tap: what it says, what it asks, and whether it is what is chosen now."""

    label: str
    request: Request
    chosen: bool = False


@dataclass(frozen=True, slots=True)
class Suggestion:
    """What may be meant by somebody who is still typing: what is shown, and what would be typed."""

    label: str
    value: str


@dataclass(frozen=True, slots=True)
class Row:
    """A line of a list: what it is about, how it stands, and what a tap on it asks."""

    label: str
    value: str
    request: Request | None = None


@dataclass(frozen=True, slots=True)
class File:
    """Something to keep."""

    name: str
    content: bytes
    media_type: str


@dataclass(frozen=True, slots=True)
class Reply:
    """What is answered, to be laid out from the top: sentences, rows, papers, a file, options.

    A sentence that quotes may have line breaks. `message` is `page` composed and fitted for the channel that asked;
    there are papers in it. `ok` is False where nothing was done: refused, or not understood.
    """

    language: str
    direction: Direction
    says: Sequence[str] = ()
    rows: Sequence[Row] = ()
    options: Sequence[Option] = ()
    page: Page | None = None
    message: Message | None = None
    file: File | None = None
    ok: bool = True
    extras: Mapping[Extra, str] = field(default_factory=dict)
    """What the reader's subscription has of the channel's extras."""
    repeated: bool = False
    """Whether the same was said a moment ago, and may be left unsaid: somebody asks too fast."""
