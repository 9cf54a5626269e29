"""The newsletter's own name, where its operator gives it one (NEWSLETTER_NAME)."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class Branding:
    """What is set for the whole program when its settings are read."""

    name: str = ""
    """The newsletter's name in every language; empty for the ones in the catalogues."""


branding = Branding()
