"""What a channel is, and what the core hands to it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Protocol, Self, runtime_checkable

from bot.channel.message import Limits, Message, Pace, Personal
from bot.channel.outcome import Outcome
from bot.channel.page import Link, Page
from bot.channel.requests import Command, Reply, Request, Requester, Suggestion
from bot.channel.tokens import Links, Unsigned
from bot.model import Address, Extra


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of `papers doctor`: what was looked at, whether it is well, and if not, what to do."""

    subject: str
    ok: bool
    says: str


class LoginError(Exception):
    """The service does not let us in, and trying again would not help: one sentence that says what to do.

    `__aenter__` and `listen` may raise it; it stops this channel alone.
    """


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
    (None: HTML's own). `home` is where the channel may keep files, `pictures` where those of papers are found, as
    `{arxiv id}.thumb.jpg` and `{arxiv id}.fig.jpg` or `.fig.png`, as far as they could be had. `links` signs what is
    to be known again when it comes back.
    """

    home: Path
    pictures: Path
    memory: Memory
    template: Callable[[str, Escape | None], Template]
    links: Links = field(default_factory=Unsigned)


class Commands(Protocol):
    """What a reader may ask, once, for every channel."""

    async def ask(self, requester: Requester, request: Request | str, now: datetime) -> Reply:
        """Do what is asked and say so, in the requester's language. A `str` is what a person typed, or a button held.

        Never raises for what a person may ask or type.
        """
        ...

    async def suggest(self, requester: Requester, command: Command, typed: str, now: datetime) -> Sequence[Suggestion]:
        """What may be meant by what somebody is typing behind a command, the likeliest first, at most 25.

        Never raises for what a person may type.
        """
        ...

    def languages(self) -> Sequence[str]:
        """The languages there are, as BCP 47 tags."""
        ...

    def introduction(self, language: str) -> tuple[str, str]:
        """What the newsletter is, in a language: in one sentence of at most 120 characters, and in at most 500."""
        ...

    def operates(self, address: Address) -> bool:
        """Whether an address is of somebody who runs the newsletter."""
        ...

    def purposes(self, language: str) -> Mapping[Command, str]:
        """What each command is for, in a language: for a channel's own menus and descriptions."""
        ...

    async def permitted(self, address: Address) -> bool:
        """A place that did not let us post lets us again; whether it was paused for that, and is not any more."""
        ...

    async def gone(self, address: Address, reason: str, now: datetime) -> None:
        """A reader has shut the door, or a place has thrown us out: nothing is sent until they come back.

        As with `back` and `permitted`, the places within it are meant as well: those whose recipient id begins with its
        own and a slash, such as the topics of a group.
        """
        ...

    async def back(self, address: Address) -> bool:
        """Who was gone can be reached again, by an act of their own; whether they were gone. Nothing is sent for it."""
        ...

    async def moved(self, address: Address, recipient: str) -> None:
        """A place has a new recipient id."""
        ...

    async def acquire(self, address: Address) -> None:
        """Wait until an answer to `address` may leave: at the channel's pace, ahead of editions."""
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
    def extras(self) -> Sequence[Extra]:
        """What else each subscription may have here, in the order in which it is offered."""
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

    def recipient(self, written: str) -> str:
        """A recipient's id in the one form in which it is stored.

        Raises ValueError, whose message is a sentence, for what is none.
        """
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


@runtime_checkable
class Mailing(Protocol):
    """A channel whose recipients anybody can type, so that whoever owns one is asked by a letter first."""

    def letter(self, page: Page) -> Message:
        """A page as a message that belongs to no subscription: it came because somebody asked for it."""
        ...


@dataclass(frozen=True, slots=True)
class Hook:
    """What a service posted to the web side: its headers, whatever their capitals, and the body."""

    headers: Mapping[str, str]
    body: bytes


Handler = Callable[[Hook, Commands], Awaitable[int]]
"""Deals with what was posted; the HTTP status to answer with."""


@runtime_checkable
class Hooked(Protocol):
    """A channel to which its service can post."""

    def webhooks(self) -> Mapping[str, Handler]:
        """By the name that stands behind `/hooks/`, what the web side hands over; none where it listens by itself."""
        ...


@runtime_checkable
class Inviting(Protocol):
    """A channel that people can be led to from a web page."""

    @property
    def invitation(self) -> Link | None:
        """What the service is called, and where a new reader begins there; None before the channel has logged in."""
        ...
