"""The subject and the preheader of a mail."""

from __future__ import annotations

import re

from bot.channel import Kit, Page
from bot.runtime.text import display_width, without_controls, wrapped

MAX_SUBJECT = 100
"""Characters up to which a notice is its own subject."""
NAMED = 2
"""Papers whose titles make the subject."""
PREVIEWED = 4
"""Papers, of which all but the first are named in the preheader."""
TITLE_COLUMNS = 56
"""Columns of a title in the subject; an inbox on a phone shows about forty, one on a desk a hundred."""
LEAST_NAME = 3
"""Columns of the shortest name before a colon that stands for a title."""
_COLON = re.compile(r":\s|：")


def subject(page: Page, kit: Kit) -> str:
    """The titles of the first two papers, so that subjects differ from their beginning and are not threaded."""
    if not page.blocks:
        return page.lead if len(page.lead) <= MAX_SUBJECT and "\n" not in page.lead else page.heading
    titles = [short_title(block.title) for block in page.blocks[:NAMED]]
    others = len(page.blocks) - len(titles)
    return kit.template("email/subject.txt", without_controls)(page, titles=titles, others=others).strip()


def short_title(title: str) -> str:
    """A title as a subject has room for it: the name before a colon, else as many whole words as fit."""
    name = _COLON.split(title, maxsplit=1)[0]
    shown = name if display_width(name) >= LEAST_NAME else title
    if display_width(shown) <= TITLE_COLUMNS:
        return shown
    cut = next(wrapped("", shown, TITLE_COLUMNS - 1))
    if display_width(cut) > TITLE_COLUMNS:  # one long word
        cut = cut[: TITLE_COLUMNS // 2]
    return cut.rstrip(" ,;:-–—") + "…"


def preheader(page: Page) -> str:
    """The preheader, which inboxes show behind the subject: the titles that follow in the list."""
    return " · ".join(block.title for block in page.blocks[1:PREVIEWED]) or page.lead
