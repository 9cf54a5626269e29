"""The context of a command: the requester, what is stored about them, and the services that commands use."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time
from typing import TYPE_CHECKING, Any

from bot.channel import Channel, File, MediaFinder, Option, Reply, Requester, Row, no_media
from bot.channel.preference import Preference
from bot.commands.fitted_pages import FittedPages
from bot.delivery.alerts import Alert, log_alert
from bot.delivery.rendering import FindRecording
from bot.model import Paper, Preferences, Status, Style, Subscriber
from bot.render.styles import TEXT_FIELDS
from bot.render.words import Words
from bot.rules.access import Access
from bot.store import Store

if TYPE_CHECKING:
    from bot.commands.command import Command

WITHOUT_MODEL = tuple(style for style in Style if style not in TEXT_FIELDS or style is Style.HIGHLIGHTS)
"""The styles that can be had without a language model; highlights are then sentences of the authors."""


def styles_with(has_model: bool) -> Sequence[Style]:
    """The styles that may be chosen where there is a language model, and where there is none."""
    return tuple(Style) if has_model else WITHOUT_MODEL


NO_EXTRAS: Mapping[str, str] = {}


PastList = Callable[[date, datetime], Awaitable[Sequence[Paper]]]
"""Gives what the feed lists on a past day, at the present time."""


async def no_past_list(day: date, now: datetime) -> Sequence[Paper]:  # noqa: ARG001 - it takes what every PastList takes
    """A `PastList` without a feed."""
    return ()


Translate = Callable[[Sequence[str], str, datetime], Awaitable[Mapping[str, str]]]
"""Gives the English of topics in a language, as far as it is known, at the present time."""


async def no_translation(phrases: Sequence[str], language: str, now: datetime) -> Mapping[str, str]:  # noqa: ARG001
    """A `Translate` without a language model."""
    return {}


@dataclass(frozen=True, slots=True)
class Services:
    """The services that commands use, the same for every request."""

    store: Store
    channels: Mapping[str, Channel] = field(default_factory=dict)
    closes: time = time(22)
    """When a day's edition is closed, in UTC."""
    access: Access = field(default_factory=Access)
    styles: Sequence[Style] = WITHOUT_MODEL
    """The styles that may be chosen."""
    alert: Alert = log_alert
    pages: FittedPages = field(default_factory=FittedPages)
    find_recording: FindRecording | None = None
    """None where nothing is read aloud."""
    past_list: PastList = no_past_list
    """What the feed lists on days of which nothing is stored."""
    translate: Translate = no_translation
    """Puts topics into English when they are set."""
    media: MediaFinder = no_media
    """Finds pictures of editions."""


@dataclass(frozen=True, slots=True)
class Context:
    """One request while it is handled. `reader` is None where nobody is subscribed at the requester's address."""

    requester: Requester
    reader: Subscriber | None
    preferences: Preferences
    """The reader's own, or what a new reader would be given."""
    w: Words
    now: datetime
    services: Services
    commands: Mapping[str, Command[Any]] = field(default_factory=dict)
    """The commands that the requester may know of, by name, in the order in which they are listed."""

    @property
    def store(self) -> Store:
        """The database."""
        return self.services.store

    @property
    def channel(self) -> Channel:
        """The requester's channel, by the account that they wrote to."""
        return self.services.channels[self.requester.address.via]

    def typed(self, line: str) -> str:
        """A command line as the requester would type it in their channel."""
        return self.channel.typed(line, self.w.language)

    @property
    def offered(self) -> Sequence[Preference]:
        """The channel's own preferences."""
        return self.channel.extras

    @property
    def is_reading(self) -> bool:
        """Whether there is a subscription here that has not ended."""
        return self.reader is not None and self.reader.status in {Status.ACTIVE, Status.PAUSED}

    @property
    def extras(self) -> Mapping[str, str]:
        """The subscription's values of the channel's own preferences."""
        return NO_EXTRAS if self.reader is None else self.reader.extras

    def reply(
        self,
        *says: str,
        rows: Sequence[Row] = (),
        options: Sequence[Option] = (),
        file: File | None = None,
        ok: bool = True,
    ) -> Reply:
        """A reply in the requester's language; empty sentences are left out."""
        return Reply(
            language=self.w.language,
            direction=self.w.direction,
            says=[line for line in says if line],
            rows=rows,
            options=options,
            file=file,
            ok=ok,
            extras=self.extras,
        )
