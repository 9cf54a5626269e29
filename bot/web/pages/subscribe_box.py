"""The box below a list of papers that offers to subscribe: by mail, and in the apps that have a bot."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from bot.commands import help_command
from bot.model import Style
from bot.render.words import Words


@dataclass(frozen=True, slots=True)
class SubscribeForm:
    """The form to subscribe by mail, and whether it asks for an invite code."""

    by_invitation: bool


@dataclass(frozen=True, slots=True)
class Invitation:
    """A link to an app that has a bot; `typed` is what to type there, empty where the link does it all."""

    label: str
    url: str
    typed: str = ""


@dataclass(frozen=True, slots=True)
class SubscribeBox:
    """The content of the subscribe box in one language."""

    tagline: str
    introduction: str
    invitations: Sequence[Invitation]
    form: SubscribeForm | None

    @property
    def is_empty(self) -> bool:
        """Whether there is no way to subscribe."""
        return not self.invitations and self.form is None


@dataclass(frozen=True, slots=True)
class SubscribeOffers:
    """The ways to subscribe; `styles` are those that readers may choose."""

    styles: Sequence[Style] = ()
    invitations: Callable[[str, str], Sequence[Invitation]] = lambda _line, _language: ()
    """Links to the apps, which run a command line there if they can, for visitors with a language."""
    form: SubscribeForm | None = None

    def box(self, w: Words, line: str) -> SubscribeBox:
        """The box in a language; `line` is the command line that apps are opened with."""
        tagline, introduction = help_command.introduction(w, self.styles)
        return SubscribeBox(tagline, introduction, tuple(self.invitations(line, w.language)), self.form)
