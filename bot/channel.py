"""The port: what a channel is, what the core hands to it, and what became of a message.

A channel turns a page into a message and a message into one outcome. It knows nothing of editions,
preferences or the database; who is to blame for a failure is said in the outcome's type, and the core draws
the consequences.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Literal, Protocol, Self, runtime_checkable

from bot.model import Address, Media, Paper, Preferences, Source


class Direction(StrEnum):
    """Which way a language is written; the value is HTML's `dir`."""

    LTR = "ltr"
    RTL = "rtl"


@dataclass(frozen=True, slots=True)
class Link:
    """Words that lead somewhere."""

    label: str
    url: str


@dataclass(frozen=True, slots=True)
class Said:
    """A style's words about one paper: named parts in the style's order, and whose words they are."""

    style: str
    source: Source
    parts: Mapping[str, str]
    language: str
    """The language the words are in, which is not the page's where a text fell back to the feed's English."""


@dataclass(frozen=True, slots=True)
class Block:
    """All that is said about one paper, in the reader's words but without markup."""

    rank: int
    paper: Paper
    title: str
    votes: str | None
    """"12 votes" in the reader's language, None where the feed counts none."""
    votes_count: int | None
    organisation: str | None
    authors: str | None
    said: Said
    links: Sequence[Link]


@dataclass(frozen=True, slots=True)
class Page:
    """What is to be said to a reader, before any channel's markup.

    `more` is the line that stands for papers left out to fit ("+7 more"); `notes` are said above the papers.
    """

    language: str
    direction: Direction
    heading: str
    lead: str
    blocks: Sequence[Block]
    labels: Mapping[str, str]
    """Words for the layout ("votes", "paper", "organisation") in the page's language."""
    notes: Sequence[str] = ()
    more: str | None = None
    actions: Sequence[Link] = ()
    footer: Sequence[str] = ()
    media: Sequence[Media] = ()
    slug: str = ""
    """A file-name-safe name for the page, the same on every rendering: "2026-04-29"."""


class Message(Protocol):
    """A page composed for one channel, ready to send, opaque to the core but for its size."""

    def sizes(self) -> Mapping[str, int]:
        """How large the message is, in the units that the channel's `Limits` name."""
        ...

    def parts(self) -> Mapping[str, str]:
        """The message as it would leave, part by part ("text", "html"), for `papers preview`."""
        ...


@dataclass(frozen=True, slots=True)
class Limits:
    """What one message may hold, as data: the core fits pages to it, the channel only measures.

    `maxima` names quantities that `Message.sizes` reports, with the most that the service takes of each.
    `text` is the most characters of one paper's text part before it is shortened at a sentence or a word.
    """

    maxima: Mapping[str, int] = field(default_factory=dict)
    text: int | None = None


def utf16_units(text: str) -> int:
    """How long services written in JavaScript or Java find a text: an emoji counts two.

    It stands here because channels measure with it and the core shortens with it, and both read this file.
    """
    return len(text) + sum(character > "\uffff" for character in text)


@dataclass(frozen=True, slots=True)
class Rate:
    """So many messages in so many seconds, evenly spaced."""

    count: int
    seconds: float = 1.0


def _one_kind(to: str) -> str:  # noqa: ARG001 - a channel with several kinds of recipient looks at it
    return ""


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast a channel may be used, as data: the core keeps to it ahead of time.

    `concurrency` is how many sends may be in flight at once, and so how many can be in doubt after a crash.
    `account` is the rate of the whole account, `recipient` of one recipient, `kinds` of one recipient of some
    kind (a group), as `kind` tells them apart. `exclusive` channels have one sender at a time per account.
    """

    concurrency: int = 20
    account: Rate | None = None
    recipient: Rate | None = None
    kinds: Mapping[str, Rate] = field(default_factory=dict)
    kind: Callable[[str], str] = _one_kind
    exclusive: bool = True


@dataclass(frozen=True, slots=True)
class Personal:
    """What differs per reader: the delivery's key, the same on every repeat, and links.

    The key makes a nonce or a Message-ID; `repeat` counts how often it was sent already without an answer.
    """

    key: str
    repeat: int = 0
    links: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Sent:
    """The service took the message; `moved_to` is the recipient's new id where it told one."""

    receipt: str | None = None
    moved_to: str | None = None


@dataclass(frozen=True, slots=True)
class Deferred:
    """Later: a busy recipient, or the whole channel (flood wait, outage, our login); in `retry_after` s."""

    reason: str
    retry_after: float | None = None
    scope: Literal["recipient", "channel"] = "recipient"


@dataclass(frozen=True, slots=True)
class Gone:
    """The reader cannot be reached any more."""

    reason: str


@dataclass(frozen=True, slots=True)
class Barred:
    """We have no right to post there."""

    reason: str


@dataclass(frozen=True, slots=True)
class Rejected:
    """Our message is bad; never the reader's fault.

    `judge` is set where the service takes us for spam: the recipient's domain, which tells one strict judge from
    a verdict.
    """

    reason: str
    judge: str | None = None


@dataclass(frozen=True, slots=True)
class Unknown:
    """The request left and no answer came."""

    reason: str


Outcome = Sent | Deferred | Gone | Barred | Rejected | Unknown


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of `papers doctor`: what was looked at, whether it is well, and if not, what to do."""

    subject: str
    ok: bool
    says: str


class Memory(Protocol):
    """A small key-value store of a channel's own (a file id, a command hash)."""

    async def get(self, key: str) -> str | None: ...

    async def put(self, key: str, value: str) -> None: ...


class Template(Protocol):
    """One of the channel's templates, ready to be filled."""

    def __call__(self, page: Page, **more: object) -> str: ...


Escape = Callable[[str], str]
"""How a channel makes text safe in its markup; plain text needs none."""


@dataclass(frozen=True, slots=True)
class Kit:
    """What the core lends to a channel when it is opened.

    `template("telegram/edition.html", escape)` finds a template below templates/, the one in the page's own
    language first (`edition.ko.html` before `edition.html`); everything put into it goes through `escape`
    (None: HTML's own). `home` is where the channel may keep files.
    """

    home: Path
    memory: Memory
    template: Callable[[str, Escape | None], Template]


class Commands(Protocol):
    """What a reader may ask, once, for every channel."""

    async def subscribe(self, address: Address, wanted: Preferences, now: datetime) -> bool:
        """Subscribe an address and owe it the latest edition, at once; False where it is known already."""
        ...

    async def permitted(self, address: Address) -> bool:
        """A place that did not let us post lets us again; whether it was paused for that, and is not any more."""
        ...


@runtime_checkable
class Channel(Protocol):
    """A way to reach people."""

    @property
    def name(self) -> str:
        """The channel's name, stored with every subscriber: "telegram"."""
        ...

    @property
    def limits(self) -> Limits:
        """What one message may hold."""
        ...

    @property
    def pace(self) -> Pace:
        """How fast the channel may be used."""
        ...

    @property
    def repeats_unknown(self) -> bool:
        """Whether a message that may or may not have arrived is sent again, or parked for the operator."""
        ...

    @property
    def residents(self) -> Sequence[str]:
        """Recipients that are there without having asked, and are subscribed at the first start."""
        ...

    @property
    def rehearsal(self) -> bool:
        """True where nothing leaves this machine, so that time may be pretended (`--now`)."""
        ...

    async def __aenter__(self) -> Self: ...

    async def __aexit__(self, *exc: object) -> None: ...

    async def listen(self, commands: Commands) -> None:
        """Receive until cancelled; returns at once where the channel cannot."""
        ...

    def compose(self, page: Page) -> Message:
        """Turn a page into this channel's markup. Pure: the core caches what comes out."""
        ...

    async def send(self, to: str, message: Message, personal: Personal) -> Outcome:
        """Send to one recipient. Never raises for what the service answered."""
        ...

    async def check(self) -> Sequence[Finding]:
        """Look at the account and the service, for `papers doctor`."""
        ...
