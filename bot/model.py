"""The data types of the system, frozen: no I/O, no decisions. docs/design.md, "Words", is the glossary."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Final, Literal, Self

ARXIV_ID = re.compile(r"\d{4}\.\d{4,5}")
"""An arXiv id in the scheme since April 2007, without version (https://info.arxiv.org/help/arxiv_identifier.html)."""


class MediaKind(StrEnum):
    """The type of a media file."""

    IMAGE = "image"
    VIDEO = "video"


@dataclass(frozen=True, slots=True)
class Media:
    """A picture or video that the authors attached to their paper."""

    kind: MediaKind
    url: str


@dataclass(frozen=True, slots=True)
class Paper:
    """One paper from the feed, identified by its arXiv id.

    `listed_on` is the UTC day whose list the paper is on, `listed_at` when it was added, as far as the feed says.
    `votes` is None for feeds without votes (RSS); such papers are ranked by `position`, their place in the feed.
    """

    id: str
    title: str
    abstract: str
    listed_on: date
    listed_at: datetime
    position: int = 0
    votes: int | None = None
    comments: int | None = None
    sentence: str | None = None
    authors: tuple[str, ...] = ()
    organisation: str | None = None
    keywords: tuple[str, ...] = ()
    published: date | None = None
    code: str | None = None
    stars: int | None = None
    project: str | None = None
    thumbnail: str | None = None
    media: tuple[Media, ...] = ()

    @property
    def arxiv(self) -> str:
        """URL of the abstract page at arXiv."""
        return f"https://arxiv.org/abs/{self.id}"

    @property
    def pdf(self) -> str:
        """URL of the PDF at arXiv."""
        return f"https://arxiv.org/pdf/{self.id}"

    @property
    def page(self) -> str:
        """URL of the paper's page at Hugging Face, with votes and comments."""
        return f"https://huggingface.co/papers/{self.id}"


class Cadence(StrEnum):
    """The period that an edition covers."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"


NOTE: Final = "note"
"""The kind of an operator's announcement: delivered like an edition, but no cadence that can be chosen."""

Kind = Cadence | Literal["note"]
"""The kind of an edition: papers of a period, or an announcement."""


def kind_of(written: str) -> Kind:
    """Parse a stored kind. Raises ValueError for an unknown one."""
    return NOTE if written == NOTE else Cadence(written)


class Style(StrEnum):
    """How much an edition says about each paper; one file per style in templates/styles."""

    HEADLINE = "headline"
    BRIEF = "brief"
    ABSTRACT = "abstract"
    HIGHLIGHTS = "highlights"
    PLAIN = "plain"
    TRANSLATION = "translation"
    REVIEW = "review"


ILLUSTRATED = frozenset({Style.HIGHLIGHTS})
"""Styles that show pictures of papers, on channels that can."""


@dataclass(frozen=True, slots=True)
class Ranked:
    """A paper with its rank in an edition (from 1) and its votes when the edition closed."""

    rank: int
    paper: Paper
    votes: int | None


@dataclass(frozen=True, slots=True)
class Edition:
    """The ranked papers of one period, fixed once closed.

    `day` is the period's last day (UTC). `complete` is False if the feed was down at closing time, so that papers may
    be missing. `sample` marks the built-in example, which is never stored.
    """

    cadence: Cadence
    day: date
    closed_at: datetime
    papers: tuple[Ranked, ...]
    complete: bool = True
    sample: bool = False
    id: int | None = None


class Source(StrEnum):
    """The author of a text; every page names it."""

    FEED = "feed"
    AUTHORS = "authors"
    MODEL = "model"


@dataclass(frozen=True, slots=True)
class Text:
    """A language model's text about one paper in one language and style, accepted by the guard.

    `parts` has the fields of the style's schema (`bot.render.styles.TEXT_FIELDS`), in that order.
    """

    paper_id: str
    language: str
    style: Style
    parts: Mapping[str, str]
    model: str = ""
    """The model's name, as the operator set it; empty if it is not known."""
    written_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Address:
    """A channel's name and a recipient id of that channel, written `telegram:42`; the same whichever bot reaches it."""

    channel: str
    recipient: str
    account: str | None = field(default=None, compare=False)
    """The account (a bot) that reaches it, if it is not the channel's first one: `telegram.987654321`."""

    @classmethod
    def parse(cls, written: str) -> Self:
        """Parse `channel:recipient`. Raises ValueError if either half is missing."""
        via, colon, recipient = written.strip().partition(":")
        if not (colon and channel_of(via) and recipient):
            raise ValueError(f"an address is written channel:recipient, not {written!r}")
        return cls(channel_of(via), recipient, via if via != channel_of(via) else None)

    @property
    def via(self) -> str:
        """The name of the account that reaches it."""
        return self.account or self.channel

    def __str__(self) -> str:
        return f"{self.channel}:{self.recipient}"


def channel_of(account: str) -> str:
    """The channel of an account: `telegram` of `telegram.987654321`; a channel's first account has its own name."""
    return account.partition(".")[0]


class Status(StrEnum):
    """The state of a subscription: pending → active; active ⇄ paused; any → unsubscribed or gone."""

    PENDING = "pending"
    ACTIVE = "active"
    PAUSED = "paused"
    UNSUBSCRIBED = "unsubscribed"
    GONE = "gone"


ALL_WEEK, MORNING = 0b1111111, 8 * 60
"""All seven weekdays, one bit each, Monday = bit 0; the default hour, in minutes after midnight."""
ALL_PAPERS, MOST_PAPERS, MOST_VOTES = 0, 50, 10_000
"""Values of preferences: every paper of an edition, and the largest numbers that can be chosen."""


@dataclass(frozen=True, slots=True)
class Preferences:
    """The preferences of a subscriber; each field is described by its row in `bot.rules.preferences.PREFERENCES`.

    `hour` is in minutes after local midnight, `weekdays` has one bit per day (Monday = bit 0).
    """

    language: str = "en"
    style: Style = Style.HEADLINE
    papers: int = 10
    min_votes: int = 0
    topics: tuple[str, ...] = ()
    hour: int = MORNING
    weekdays: int = ALL_WEEK
    timezone: str = "UTC"
    cadence: Cadence = Cadence.DAY


@dataclass(frozen=True, slots=True)
class Subscriber:
    """A subscription: an address with its status and preferences."""

    id: int
    address: Address
    status: Status
    preferences: Preferences
    created_at: datetime | None = None
    reason: str | None = None
    reason_code: Reason | None = None
    paused_until: datetime | None = None
    extras: Mapping[str, str] = field(default_factory=dict, hash=False)
    set_up_by: Address | None = None
    """The person who subscribed a shared place, such as a group."""

    def is_paused(self, now: datetime) -> bool:
        """Whether nothing is sent at `now`. The status outlives an expired pause until the next publication."""
        return self.status is Status.PAUSED and (self.paused_until is None or self.paused_until > now)


ON, OFF = "on", "off"
"""The values of a preference that is a switch, as they are written."""


class State(StrEnum):
    """The state of a delivery. It starts as `owed` (or `skipped`) and ends in one of the last seven."""

    OWED = "owed"
    SENDING = "sending"
    SENT = "sent"
    GONE = "gone"
    BARRED = "barred"
    REJECTED = "rejected"
    EXPIRED = "expired"
    SKIPPED = "skipped"
    UNKNOWN = "unknown"


class Reason(StrEnum):
    """Why a delivery ended or a subscriber gets nothing: a code that rules depend on, and `text` for operators.

    Where a service gave its own words, they are stored beside the code, which is then often `OTHER`.
    """

    text: str

    def __new__(cls, code: str, text: str = "") -> Self:
        member = str.__new__(cls, code)
        member._value_ = code
        member.text = text
        return member

    SUPERSEDED = "superseded", "superseded"
    TOO_LATE = "too_late", "too late"
    NO_MATCH = "no_match", "no paper matches"
    PAUSED = "paused", "paused"
    UNSUBSCRIBED = "unsubscribed", "unsubscribed"
    INACTIVE = "inactive", "the reader has paused or left"
    CADENCE_CHANGED = "cadence_changed", "another cadence was chosen"
    FORGOTTEN = "forgotten", "forgotten"
    NO_RIGHT = "no_right", "no right to post"
    RESTORED = "restored", "restored"
    DROPPED = "dropped", "dropped by the operator"
    REMOVED = "removed", "removed by the operator"
    COMPLAINED = "complained", "complained"
    MERGED = "merged", "its place has another subscription"
    UNREACHABLE = "unreachable", "unreachable"
    NOT_REACHED = "not_reached", "not reached"
    """This edition did not reach its reader, through no fault of ours: several in a row end the subscription."""
    NOT_RENDERED = "not_rendered", "cannot be composed"
    INTERRUPTED = "interrupted", "the process that was sending it is gone"
    OTHER = "other", "other"

    def because(self, detail: str) -> str:
        """This reason's text with a service's own words behind it."""
        return f"{self.text}: {detail}"


@dataclass(frozen=True, slots=True)
class Reader:
    """The subscriber that a delivery goes to, as they are when it is claimed."""

    id: int
    to: str
    """Their recipient id."""
    preferences: Preferences
    extras: Mapping[str, str] = field(default_factory=dict, hash=False)
    subscribed_at: datetime | None = None
    """Tells apart two subscribers who have had the same recipient id."""
    is_first: bool = False
    """Whether they subscribed lately and were sent nothing yet."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """One edition for one subscriber, as claimed for sending."""

    id: int
    edition_id: int
    reader: Reader
    due_at: datetime
    expires_at: datetime
    attempts: int = 0
    repeats: int = 0
    """How often it was resent because its arrival was unconfirmed."""
    rejections: int = 0
    fell_back: bool = False
    """Whether it, or its variant, fell back to the plainest style."""
    missed: tuple[date, ...] = ()
    """The days of editions that expired since the last one that the reader was sent."""
    is_note: bool = False


@dataclass(frozen=True, slots=True)
class Found:
    """The result of a poll: the papers, and the list days that were read completely.

    `failed` are the days that could not be read although others could, each with a sentence that says why.
    `retry_after` is how many seconds the feed asked us to wait, None if it did not.
    """

    papers: Sequence[Paper]
    days: frozenset[date] = field(default_factory=frozenset)
    failed: Mapping[date, str] = field(default_factory=dict)
    retry_after: float | None = None
