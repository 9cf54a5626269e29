"""A page as a message of Discord's: one embed at its head, one for each paper, and what its buttons ask.

What a message may hold is in resources/message (embed limits). Lengths are counted in UTF-16 units, which are never
fewer than what Discord counts.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bot.channel import Block, Kit, Limits, Page, ShowPaper, utf16_units, written
from bot.model import MediaKind
from channels.discord.components import AnswerPlace, Button, Choice, Menu, Row, Target
from channels.discord.markdown import escape
from channels.discord.wording import Words

EMBEDS, CHARACTERS = 10, 6_000
TITLE, DESCRIPTION, FOOTER, URL = 256, 4_096, 2_048, 2_048
PAPERS = EMBEDS - 1
THREAD_NAME = 100
COLOUR = 0xC2571A
LIMITS = Limits(maxima={"embeds": EMBEDS, "characters": CHARACTERS, "characters of one embed": DESCRIPTION})
PREVIOUS, NEXT = "◀", "▶"
_BLANK = re.compile(r"\n{2,}")

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Post:
    """A page composed for Discord."""

    name: str
    """What a thread or a post of it is called."""
    language: str
    embeds: Sequence[Json]
    papers: Sequence[Choice]
    count: int
    """How many embeds there would have to be; no more are made than fit."""
    previous: str | None = None
    next: str | None = None
    more_about: str = ""
    alone: bool = False
    """Whether it is all about one paper."""

    def sizes(self) -> Mapping[str, int]:
        longest = max((utf16_units(embed.get("description", "")) for embed in self.embeds), default=0)
        characters = sum(map(_length, self.embeds))
        return {"embeds": self.count, "characters": characters, "characters of one embed": longest}

    def parts(self) -> Mapping[str, str]:
        """The message as plain text: what Discord would show, with its Markdown."""
        return {"text": "\n\n".join(_plain(embed) for embed in self.embeds)}

    def rows(self, goes: AnswerPlace, whose: str | None, mark: str = "papers") -> list[Row]:
        """Its buttons: all about one of the papers, in a message of its own; the papers before, the papers after."""
        rows: list[Row] = []
        if self.papers and not self.alone:
            rows.append(Menu(AnswerPlace.NEW, whose, mark, self.more_about, self.papers))
        turns = [(PREVIOUS, self.previous), (NEXT, self.next)]
        buttons = [Button(Target(goes, whose, line), label) for label, line in turns if line is not None]
        return [*rows, buttons] if buttons else rows


class Composer:
    """Turns pages into posts. Pure."""

    def __init__(self, kit: Kit, words: Words) -> None:
        self._head = kit.template("discord/head.md", escape)
        self._paper = kit.template("discord/paper.md", escape)
        self._words = words

    def compose(self, page: Page) -> Post:
        """A page as a post; of one with more papers than a message can ever hold, as many as can."""
        shown = page.blocks[:PAPERS]
        alone = page.total == 0 and page.day is None and len(page.blocks) == 1 and page.next is page.previous is None
        full = len(shown) == 1
        return Post(
            name=_cut(page.heading, THREAD_NAME),
            language=page.language,
            embeds=[self._head_of(page), *(self._embed(page, block, full=full, alone=alone) for block in shown)],
            papers=[_choice(block) for block in shown],
            count=1 + len(page.blocks),
            previous=page.previous,
            next=page.next,
            more_about=self._words(page.language)["more_about"],
            alone=alone,
        )

    def _head_of(self, page: Page) -> Json:
        embed: Json = {"title": _title(page.heading), "description": self._head(page).strip(), "color": COLOUR}
        picture = next(filter(None, map(_picture, page.blocks[:PAPERS])), None)
        if picture is not None and len(page.blocks) > 1:
            embed["image"] = {"url": picture}
        if page.footer:
            embed["footer"] = {"text": _cut("\n".join(page.footer), FOOTER)}
        return embed

    def _embed(self, page: Page, block: Block, *, full: bool, alone: bool) -> Json:
        paper = block.paper
        shown = {paper.arxiv, paper.code, paper.project}
        embed: Json = {
            "title": _title(block.title, before="" if alone else f"{block.rank}. "),
            "url": paper.page,
            "description": _tidy(self._paper(page, block=block, full=full, shown=shown)),
            "color": COLOUR,
        }
        picture = _picture(block)
        if picture is not None:
            embed["image" if full else "thumbnail"] = {"url": picture}
        return embed


def _choice(block: Block) -> Choice:
    return Choice(f"{block.rank}. {block.title}", written(ShowPaper(block.paper.id)), block.organisation or "")


def _title(text: str, before: str = "") -> str:
    """A title, cut so that it fits with its escapes."""
    most = TITLE - len(before)
    while utf16_units(safe := f"{before}{escape(_cut(text, most))}") > TITLE:
        most -= (utf16_units(safe) - TITLE + 1) // 2  # a character with its escape is two
    return safe


def _cut(text: str, most: int) -> str:
    if utf16_units(text) <= most:
        return text
    while utf16_units(text) >= most:
        text = text[: -max(1, (utf16_units(text) - most) // 2)]
    return f"{text.rstrip()}…"


def _tidy(text: str) -> str:
    """Markdown without empty lines, which Discord would show."""
    lines = (line.rstrip() for line in text.splitlines())
    return _BLANK.sub("\n", "\n".join(lines)).strip("\n")


def _picture(block: Block) -> str | None:
    """The address of a paper's picture, if the service can be given it."""
    paper = block.paper
    found = [paper.thumbnail, *(each.url for each in paper.media if each.kind is MediaKind.IMAGE)]
    return next((url for url in found if url and url.startswith("https://") and _fits(url)), None)


def _fits(url: str) -> bool:
    return url.isascii() and url.isprintable() and " " not in url and len(url) <= URL


def _length(embed: Json) -> int:
    """What counts towards the sum over all embeds."""
    texts = [embed.get("title", ""), embed.get("description", ""), embed.get("footer", {}).get("text", "")]
    return sum(map(utf16_units, texts))


def _plain(embed: Json) -> str:
    footer = embed.get("footer", {}).get("text", "")
    return "\n".join(filter(None, [embed["title"], embed.get("url"), embed.get("description"), footer]))
