"""The port: the class of a channel, and the interfaces that the core hands to it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Literal, Protocol, Self, runtime_checkable

from bot.channel.audio import Recording
from bot.channel.conversation import CommandInfo, Reply, Requester, Suggestion
from bot.channel.message import Limits, Message, Pace, Personal
from bot.channel.outcome import Outcome
from bot.channel.page import Link, Page
from bot.channel.preference import Preference
from bot.channel.tokens import Links, Unsigned
from bot.model import Address, Paper, Style


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of `papers doctor`: what was checked, whether it is fine, and if not, what to do."""

    subject: str
    ok: bool
    """False for a fault: something does not work."""
    says: str
    advice: bool = False
    """It works, and could be better."""

    @property
    def level(self) -> Literal["ok", "advice", "fault"]:
        """How much it matters; only faults make `papers doctor` fail."""
        return "fault" if not self.ok else "advice" if self.advice else "ok"


FIRST_ACCOUNT = "first bot"
"""The memory's key under which a channel that may have several accounts notes, at login, the key of the first."""


class LoginError(Exception):
    """The service refuses our login. The message is one sentence that says what to do.

    `__aenter__` and `listen` may raise it. The operator is told at once, this channel tries again with backoff, and the
    others run.
    """


class Memory(Protocol):
    """A small key-value store of the channel's own, in the database (a file id, a hash of what was registered)."""

    async def get(self, key: str) -> str | None: ...

    async def put(self, key: str, value: str) -> None: ...


class Template(Protocol):
    """One of the channel's templates, ready to be rendered."""

    def __call__(self, page: Page, **more: object) -> str: ...


Escape = Callable[[str], str]
"""Escapes text for a channel's markup."""


MediaFinder = Callable[[str, str, str], Path | None]
"""Finds a picture or recording of an edition: by its slug, the language and a name such as `trend.png`. Blocks."""


PicturesKnown = Callable[[Paper], bool]
"""Whether it is known what pictures a paper has: each is in `Kit.pictures`, or cannot be had. Blocks."""


def no_media(slug: str, language: str, name: str) -> Path | None:  # noqa: ARG001 - it takes what every finder takes
    """A `MediaFinder` that finds nothing."""
    return None


def always_known(paper: Paper) -> bool:  # noqa: ARG001 - it takes what every PicturesKnown takes
    """A `PicturesKnown` for papers whose pictures nobody fetches."""
    return True


@dataclass(frozen=True, slots=True)
class Kit:
    """The services that a channel gets when it is opened."""

    home: Path
    """The folder below which the channel may keep files."""
    pictures: Path
    """The folder of papers' pictures, each of which may be missing: `ID.thumb.jpg`, `ID.fig.jpg` or `ID.fig.png`."""
    memory: Memory
    """Of this account alone: what a service calls a file, one bot cannot know from another."""
    template: Callable[[str, Escape | None], Template]
    """Finds a template below `templates/` by name, such as `telegram/edition.html`.

    The one in the page's language comes first (`edition.ko.html`). What is filled in goes through the given escape
    function, None for HTML's.
    """
    links: Links = field(default_factory=Unsigned)
    """Signs tokens that must be recognised when they come back."""
    reads_aloud: bool = False
    """Whether editions are read aloud."""
    media: MediaFinder = no_media
    """Finds pictures of editions: `keywords.png`, `trend.png`, `poster.png`, `card.png`, and `…-dark.png` of two."""
    pictures_known: PicturesKnown = always_known
    """Whether a paper's pictures, as far as it has any, are there."""
    logo: tuple[int, int] | None = None
    """Width and height in pixels of the newsletter's logo (`/logo.png` on the web server); None without one."""
    name: str = ""
    """The channel's name, or that of the account to open where there are several: `telegram.987654321`."""
    account: str = ""
    """The key of the account to open, out of those that the settings list (`HasAccounts`)."""
    colour: str = "#a8410b"
    """The brand's colour, `#rrggbb`."""


class Commands(Protocol):
    """Runs readers' commands, alike for every channel, and takes note of what a service says about a chat."""

    async def ask(self, requester: Requester, line: str, now: datetime) -> Reply:
        """Run the command in a line, typed or held by a button. Returns the reply, in the requester's language.

        Never raises for what the line says.
        """

    async def suggest(self, requester: Requester, command: str, typed: str, now: datetime) -> Sequence[Suggestion]:
        """Completions of what is being typed behind a command, the likeliest first, at most 25. Never raises."""

    def listed(self, channel: str, language: str) -> Sequence[CommandInfo]:
        """A channel's commands in the order in which menus list them, those of operators included."""

    def languages(self) -> Sequence[str]:
        """The languages there are, as BCP 47 tags."""

    def introduction(self, language: str) -> tuple[str, str]:
        """A description of the newsletter in a language: of at most 120 characters, and of at most 500."""

    def operates(self, address: Address) -> bool:
        """Whether an address is an operator's."""

    async def permitted(self, address: Address) -> bool:
        """Resume a chat that has granted the right to post. Returns whether it was paused for lack of it."""

    async def gone(self, address: Address, reason: str, now: datetime) -> None:
        """Stop sending to a reader who blocked us, or to a place that removed us, until they come back.

        As with `back` and `permitted` this includes the places within it: those whose recipient id begins with its own
        and a slash, such as the topics of a group.
        """

    async def back(self, address: Address) -> bool:
        """Reactivate a subscriber who came back by themselves. Returns whether they were `gone`. Sends nothing."""

    async def moved(self, address: Address, recipient: str) -> None:
        """Give a subscriber the new recipient id that their place has."""

    async def listening(self, channel: str, now: datetime) -> None:
        """Note that a channel receives what readers write; call it as often as you like."""

    async def not_listening(self, channel: str, reason: str, now: datetime) -> None:
        """Note that a channel receives nothing for now, and why, as a sentence for the operator; it tries again."""

    async def acquire(self, address: Address) -> None:
        """Wait until the channel's rate limit allows a reply to `address`; replies go before editions."""


class Channel(ABC):
    """A way to reach people: one service or kind of output.

    A channel overrides what is different for it. By default it needs no login, receives nothing and has no extras;
    `name`, `recipient`, `compose` and `send` have no default.
    """

    name: str
    """The channel's name, such as "telegram", or that of the account (`Kit.name`)."""
    limits: Limits = Limits()
    """How large one message may be."""
    pace: Pace = Pace()
    """How fast the channel may be used: its rate limits."""
    extras: Sequence[Preference] = ()
    """Preferences that only this channel has, in the order of menus; the core stores their values."""
    residents: Sequence[str] = ()
    """Built-in recipients, which are subscribed at the first start."""
    repeats_unknown: bool = True
    """Whether a message whose delivery is unconfirmed is sent again; otherwise it waits for the operator."""
    rehearsal: bool = False
    """Whether nothing leaves this machine, so that `--now` may pretend another time."""
    shows_pictures: bool = False
    """Whether it shows pictures of editions (`Kit.media`), so that they are drawn."""

    @abstractmethod
    def recipient(self, written: str) -> str:
        """A recipient's id in the one form in which it is stored.

        Raises ValueError, whose message is a sentence, for a text that is no recipient.
        """

    def judge(self, recipient: str) -> str | None:  # noqa: ARG002 - for channels whose recipients have own servers
        """The server that accepts messages to a recipient, such as a mail address's domain; None for none."""
        return None

    def typed(self, line: str, language: str) -> str:  # noqa: ARG002 - for channels where commands have another form
        """A command line as people type it here, whose app is in that language: `/time 7:45`."""
        return line

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc: object) -> None:
        return None

    async def listen(self, commands: Commands) -> None:  # noqa: ARG002 - for channels that receive
        """Receive commands until cancelled; returns at once where the channel receives none.

        Raises LoginError where the service no longer accepts us, ConnectionError with a sentence for the operator.
        """
        return

    @abstractmethod
    def compose(self, page: Page) -> Message:
        """Turn a page into this channel's markup. Pure: the core caches the result."""

    @abstractmethod
    async def send(self, to: str, message: Message, personal: Personal) -> Outcome:
        """Send to one recipient. Never raises for what the service answered."""

    async def check(self) -> Sequence[Finding]:
        """Check the account and the service, for `papers doctor`."""
        return []


@runtime_checkable
class HasAccounts(Protocol):
    """Settings of a channel that may send by several accounts of ours, such as bots.

    Each is opened as a channel of its own. Addresses that it hands over hold its name (`Address.account`).
    """

    @property
    def accounts(self) -> Sequence[str]:
        """The keys of the accounts, those of the settings, in their order."""
        ...


@runtime_checkable
class Mailing(Protocol):
    """A channel whose recipients anybody can type, so that subscribing takes a confirmation mail (double opt-in)."""

    def letter(self, page: Page) -> Message:
        """A page as a transactional message, which belongs to no subscription."""


@runtime_checkable
class Playing(Protocol):
    """A channel that plays recordings itself, so that it needs no link to them."""

    async def play(self, to: str, recording: Recording, personal: Personal) -> Outcome:
        """Send a recording to one recipient. Never raises for what the service answered."""


@dataclass(frozen=True, slots=True)
class Hook:
    """A webhook request of the service: its headers, case-insensitive, and its body."""

    headers: Mapping[str, str]
    body: bytes


Handler = Callable[[Hook, Commands], Awaitable[int]]
"""Handles a webhook request; returns the HTTP status to answer with."""


@runtime_checkable
class Hooked(Protocol):
    """A channel whose service can call webhooks."""

    def webhooks(self) -> Mapping[str, Handler]:
        """Webhook handlers by their names below `/hooks/`; empty where the channel polls instead."""


@runtime_checkable
class Inviting(Protocol):
    """A channel that web pages can link to."""

    @property
    def invitation(self) -> Link | None:
        """The service's name, and the URL where a new reader begins; None before the channel has logged in."""


@runtime_checkable
class AwaitsPictures(Protocol):
    """A channel whose pages stay: they wait for the pictures that they show, and are written again for late ones."""

    def lacks_pictures(self, slug: str, language: str, style: Style, papers: Sequence[Paper]) -> bool:
        """Whether a page of an edition with these papers would show pictures that may still come. Blocks."""


@runtime_checkable
class DeepLinking(Protocol):
    """A channel with links that run a command, as if the visitor who opens one had typed it."""

    def link_to(self, line: str) -> Link | None:
        """The service's name, and the URL that runs a line that changes nothing; None if no URL can hold it."""
