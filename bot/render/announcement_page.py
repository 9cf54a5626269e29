"""Announcements: an operator's text to the readers, cleaned, and its page in the reader's language."""

from __future__ import annotations

from datetime import date
from itertools import pairwise

from bot.channel import Page
from bot.render.labels import plain_page
from bot.render.words import Words
from bot.runtime.text import one_line

LONGEST = 2_000
"""Characters of a cleaned announcement."""


def clean_lines(text: str) -> str:
    """Clean a text line by line; of several empty lines one is left, and none at either end."""
    lines = [one_line(line) for line in text.splitlines()]
    kept = lines[:1] + [line for before, line in pairwise(lines) if before or line]
    return "\n".join(kept).strip("\n")


def announcement_page(text: str, w: Words, day: date) -> Page:
    """The page of an announcement: the operator's text, and how to unsubscribe in the reader's language.

    The latter is a note and not in the footer, which some channels leave out.
    """
    notes = [w.gettext("announcement.why_you_get_this")]
    return plain_page(w, w.gettext("announcement.title"), clean_lines(text), notes, slug=f"announcement-{day}")
