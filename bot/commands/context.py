"""One question: who asks, what is known of them, in which words they are answered."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from bot.channel import File, Option, Reply, Requester, Row
from bot.commands.fitted_pages import FittedPages
from bot.model import NO_EXTRAS, Extra, Preferences, Status, Style, Subscriber
from bot.render.words import Words


@dataclass(frozen=True, slots=True)
class Context:
    """A question as it is being answered. `reader` is None where nobody is subscribed at the address."""

    requester: Requester
    reader: Subscriber | None
    preferences: Preferences
    """The reader's own, or what they would be given."""
    w: Words
    now: datetime
    styles: Sequence[Style]
    """What may be chosen: without a language model, only what needs none."""
    offered: Sequence[Extra] = ()
    """What else the channel can do."""
    is_operator: bool = False
    """Whether it is asked by one of those who run the newsletter."""
    fittings: FittedPages = field(default_factory=FittedPages)
    """What was composed for others a moment ago."""

    @property
    def is_reading(self) -> bool:
        """Whether there is a subscription here that is not over."""
        return self.reader is not None and self.reader.status in {Status.ACTIVE, Status.PAUSED}

    @property
    def extras(self) -> Mapping[Extra, str]:
        """What the subscription has of what the channel can do."""
        return NO_EXTRAS if self.reader is None else self.reader.extras

    def reply(
        self,
        *says: str,
        rows: Sequence[Row] = (),
        options: Sequence[Option] = (),
        file: File | None = None,
        ok: bool = True,
    ) -> Reply:
        """An answer in the requester's language; empty sentences are left out."""
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
