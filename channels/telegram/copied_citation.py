"""One line to cite a paper by, for a button that copies it."""

from __future__ import annotations

from bot.channel import Block, utf16_units
from bot.runtime.text import one_line

LONGEST = 256
"""Characters that a button copies (https://core.telegram.org/bots/api#copytextbutton)."""
_LONGEST_NAME = 60
_LONGEST_BYLINE = 128
"""UTF-16 units of names that leave room for a title; letters beyond the basic plane are two units each."""
_CENTURY = 2000
"""Of the year in an arXiv id, whose first two digits are its last two."""


def citation(block: Block) -> str:
    """Authors, year, title and arXiv id of a paper, in English as papers are cited; a long title is cut at a word."""
    names = [name[:_LONGEST_NAME] for each in block.paper.authors if (name := one_line(each))]
    by = " and ".join(names)
    if len(names) > 2 or utf16_units(by) > _LONGEST_BYLINE:
        by = f"{names[0]} et al."
    before = f"{by} ({_CENTURY + int(block.paper.id[:2])}). "
    behind = f" {block.paper.arxiv}"
    title = (block.original_title or block.title).rstrip(".")
    room = LONGEST - utf16_units(before + behind)
    whole = title
    while utf16_units(title) + 1 > room:
        whole = whole.rsplit(" ", 1)[0] if " " in whole else whole[: len(whole) // 2]
        title = f"{whole.rstrip(' ,:;-')}…"
    return f"{before}{title}{'' if title.endswith(('…', '?', '!')) else '.'}{behind}".lstrip()
