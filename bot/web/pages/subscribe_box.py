"""The box below a list of papers that offers to subscribe: by mail, and in the apps that have a bot."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from bot.channel import Link
from bot.commands import help_command
from bot.model import Style
from bot.render.words import Words


@dataclass(frozen=True, slots=True)
class SubscribeForm:
    """The form to subscribe by mail, and whether it asks for an invite code."""

    by_invitation: bool


@dataclass(frozen=True, slots=True)
class SubscribeBox:
    """The content of the subscribe box in one language."""

    tagline: str
    introduction: str
    invitations: Sequence[Link]
    form: SubscribeForm | None

    @property
    def is_empty(self) -> bool:
        """Whether there is no way to subscribe."""
        return not self.invitations and self.form is None


@dataclass(frozen=True, slots=True)
class SubscribeOffers:
    """The ways to subscribe; `styles` are those that readers may choose."""

    styles: Sequence[Style] = ()
    invitations: Callable[[str], Sequence[Link]] = lambda _: ()
    """Links to the apps, which run a command line there if they can and if it is not empty."""
    form: SubscribeForm | None = None

    def box(self, w: Words, line: str = "") -> SubscribeBox:
        """The box in a language; `line` is the command line that apps are opened with."""
        tagline, introduction = help_command.introduction(w, self.styles)
        return SubscribeBox(tagline, introduction, tuple(self.invitations(line)), self.form)
