"""The words of the system as frozen data: no I/O, no decisions (the glossary is docs/design.md, section "Words")."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Final, Literal, Self

ARXIV_ID = re.compile(r"\d{4}\.\d{4,5}")
"""An arXiv id since April 2007, without its version (https://info.arxiv.org/help/arxiv_identifier.html)."""


class MediaKind(StrEnum):
    """What a file shown beside a paper is."""

    IMAGE = "image"
    VIDEO = "video"


@dataclass(frozen=True, slots=True)
class Media:
    """One picture or film that the authors put beside their paper."""

    kind: MediaKind
    url: str


@dataclass(frozen=True, slots=True)
class Paper:
    """One paper as the feed gave it, known by its arXiv id.

    `votes` is None where the feed counts none (RSS); then `position`, the paper's place in the feed's own
    order, ranks it. `listed_on` is the UTC day of the list that the paper stands on, `listed_at` the instant
    it was put there as far as the feed tells.
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
        """The paper's page at arXiv."""
        return f"https://arxiv.org/abs/{self.id}"

    @property
    def pdf(self) -> str:
        """The paper itself."""
        return f"https://arxiv.org/pdf/{self.id}"

    @property
    def page(self) -> str:
        """The paper's page at Hugging Face, where readers vote and talk."""
        return f"https://huggingface.co/papers/{self.id}"


class Cadence(StrEnum):
    """The period that an edition covers."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"


NOTE: Final = "note"
"""The kind of edition that is an announcement of the operator's: it covers no period, and nobody can choose it."""

Kind = Cadence | Literal["note"]
"""What an edition is: the papers of a period, or an announcement."""


def kind_of(written: str) -> Kind:
    """The kind of edition that is written so; ValueError for what is none."""
    return NOTE if written == NOTE else Cadence(written)


class Style(StrEnum):
    """How much is said about each paper; one file per style in templates/styles."""

    HEADLINE = "headline"
    ABSTRACT = "abstract"
    HIGHLIGHTS = "highlights"
    PLAIN = "plain"
    TRANSLATION = "translation"
    REVIEW = "review"


ILLUSTRATED = frozenset({Style.HIGHLIGHTS})
"""Styles that are shown with pictures of their papers, where a channel shows any."""


@dataclass(frozen=True, slots=True)
class Ranked:
    """One paper's place in an edition, with the votes it had when the edition closed."""

    rank: int
    paper: Paper
    votes: int | None


@dataclass(frozen=True, slots=True)
class Edition:
    """The ranked list of one period, fixed once it is closed.

    `day` is the period's last day (UTC). `complete` is False where the feed was down at closing time and the
    list was closed from what was stored. `sample` marks the built-in example, which is never stored.
    """

    cadence: Cadence
    day: date
    closed_at: datetime
    papers: tuple[Ranked, ...]
    complete: bool = True
    sample: bool = False
    id: int | None = None


class Source(StrEnum):
    """Whose words a text is: a reader can always see which."""

    FEED = "feed"
    AUTHORS = "authors"
    MODEL = "model"


@dataclass(frozen=True, slots=True)
class Text:
    """What a language model wrote about one paper in one language and style, found true to its source.

    `parts` has the fields of the style's schema (`bot.render.styles.PARTS`), in their order.
    """

    paper_id: str
    language: str
    style: Style
    parts: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Address:
    """A channel's name and its own recipient id, written `telegram:42`."""

    channel: str
    recipient: str

    @classmethod
    def parse(cls, written: str) -> Self:
        """Read `channel:recipient`; ValueError where either half is missing."""
        channel, colon, recipient = written.strip().partition(":")
        if not (colon and channel and recipient):
            raise ValueError(f"an address is written channel:recipient, not {written!r}")
        return cls(channel, recipient)

    def __str__(self) -> str:
        return f"{self.channel}:{self.recipient}"


class Status(StrEnum):
    """Where a subscriber stands: pending → active; active ⇄ paused; any → unsubscribed or gone."""

    PENDING = "pending"
    ACTIVE = "active"
    PAUSED = "paused"
    UNSUBSCRIBED = "unsubscribed"
    GONE = "gone"


ALL_WEEK = 0b1111111
"""All seven weekdays: bit n is set for weekday n, Monday = 0."""

MORNING = 8 * 60
"""The default hour, in minutes after the reader's midnight."""

ALL_PAPERS = 0
"""`Preferences.papers` for a reader who wants every paper of an edition."""

MOST_PAPERS = 50
"""The most papers of an edition that can be chosen by number."""

MOST_VOTES = 10_000
"""The most that `Preferences.min_votes` may ask for."""


@dataclass(frozen=True, slots=True)
class Preferences:
    """What a subscriber chose. `hour` is in minutes after local midnight, `weekdays` a bit per day (Monday = bit 0)."""

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
    """One address with a status and preferences."""

    id: int
    address: Address
    status: Status
    preferences: Preferences
    created_at: datetime | None = None
    reason: str | None = None
    reason_code: Reason | None = None
    paused_until: datetime | None = None
    extras: Mapping[Extra, str] = field(default_factory=dict, hash=False)
    set_up_by: Address | None = None
    """Who subscribed a place that many share."""

    def is_paused(self, now: datetime) -> bool:
        """Whether nothing is to be sent just now; a pause that is over ends with the next publication."""
        return self.status is Status.PAUSED and (self.paused_until is None or self.paused_until > now)


class Extra(StrEnum):
    """What only some channels can do, and each subscription may have or not; a channel says which it offers."""

    PICTURE = "picture"
    """The first paper's picture above the edition."""
    RICH = "rich"
    """A richer layout that only new apps of the service show."""
    SILENT = "silent"
    """No sound on arrival."""
    THREAD = "thread"
    """A thread of its own for each edition."""
    PING = "ping"
    """Somebody who is mentioned with each edition, by the service's own id."""
    PUBLISH = "publish"
    """Passed on to the places that follow this one."""


ON, OFF = "on", "off"
"""The values of an extra that is a switch; `PING` has an id in place of `ON`."""
NO_EXTRAS: Mapping[Extra, str] = MappingProxyType({})


class State(StrEnum):
    """Where a delivery stands. A row starts as `owed` (or `skipped`) and each ends in one of the last seven."""

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
class Delivery:
    """One edition owed to one subscriber, as claimed for sending."""

    id: int
    edition_id: int
    subscriber_id: int
    to: str
    preferences: Preferences
    due_at: datetime
    expires_at: datetime
    attempts: int = 0
    repeats: int = 0
    """How often it was sent again without knowing whether it had arrived."""
    rejections: int = 0
    """How often the service refused it."""
    fell_back: bool = False
    """Whether it, or its variant, fell back to the plainest style."""
    extras: Mapping[Extra, str] = field(default_factory=dict, hash=False)
    missed: tuple[date, ...] = ()
    """The days of earlier editions that expired since the reader was last sent one."""
    subscribed_at: datetime | None = None
    """When the reader subscribed: a number that somebody left may be another's by now."""
    is_note: bool = False
    """Whether the edition is an announcement."""


@dataclass(frozen=True, slots=True)
class Found:
    """What a poll brought: the papers, and the list days that were read to their end."""

    papers: Sequence[Paper]
    days: frozenset[date] = field(default_factory=frozenset)
