"""A page rendered for Discord, twice: as a container, if a message holds one with all its papers, and as embeds.

Embeds hold more text, and are what is sent where Discord refuses the container. Limits:
resources/message#embed-object-embed-limits. Lengths are counted in UTF-16 units, which are never fewer than what
Discord counts.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from bot.channel import Block, Kit, Limits, Page, cloud_url, paper_line, utf16_units
from bot.model import MediaKind
from channels.discord import command_names
from channels.discord.components import Button, Choice, CustomId, Menu, ReplyMode, Row
from channels.discord.container import CHARACTERS as CONTAINED
from channels.discord.container import MENTION, Container
from channels.discord.markdown import escape, label, target
from channels.discord.wording import Words

EMBEDS, CHARACTERS = 10, 6_000
TITLE, DESCRIPTION, FOOTER, URL = 256, 4_096, 2_048, 2_048
PAPERS = EMBEDS
HEADED = EMBEDS - 1
"""Papers beside which an embed for the head has a place; with one more, the head is text above them."""
HEAD_TEXT = 1_500
"""Of the 2,000 characters above embeds; the rest is for a mention and for what an answer says."""
THREAD_NAME = 100  # characters
LIMITS = Limits(
    maxima={
        "embeds": EMBEDS,
        "characters": CHARACTERS,
        "characters of one embed": DESCRIPTION,
        "characters above": HEAD_TEXT,
    },
    preferred={"characters of a container": CONTAINED},
)
_BLANK_LINES = re.compile(r"\n{2,}")

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class DiscordMessage:
    """A page rendered for Discord."""

    name: str
    """Name of its thread or forum post."""
    language: str
    embeds: Sequence[Json]
    papers: Sequence[Choice]
    embed_count: int
    """Embeds that the page needs; no more are made than fit."""
    previous: str | None = None
    next: str | None = None
    menu_placeholder: str = ""
    content: str = ""
    """The head as text above the embeds, where they leave no place for it."""
    single: bool = False
    """Whether it shows the details of one paper."""
    container: Container | None = None
    """The same as a container, None where no message holds it."""
    container_characters: int = 0
    """Characters that a container needs at least."""

    def sizes(self) -> Mapping[str, int]:
        longest = max((utf16_units(embed.get("description", "")) for embed in self.embeds), default=0)
        characters = sum(map(_length, self.embeds))
        return {
            "embeds": self.embed_count,
            "characters": characters,
            "characters of one embed": longest,
            "characters above": utf16_units(self.content),
            "characters of a container": self.container_characters,
        }

    def parts(self) -> Mapping[str, str]:
        """The message as plain text with its Markdown."""
        if self.container is not None:
            return {"text": "\n\n".join(self.container.texts)}
        return {"text": "\n\n".join(filter(None, [self.content, *map(_plain, self.embeds)]))}

    def rows(self, mode: ReplyMode, recipient: str | None, mark: str = "papers") -> list[Row]:
        """The components below: a menu of the papers, answered in a new message, and buttons to turn the page."""
        rows: list[Row] = []
        if self.papers and not self.single:
            rows.append(Menu(ReplyMode.NEW_MESSAGE, recipient, mark, self.menu_placeholder, self.papers))
        turns = [("◀", self.previous), ("▶", self.next)]
        buttons = [Button(CustomId(mode, recipient, line), label) for label, line in turns if line is not None]
        return [*rows, buttons] if buttons else rows


class Composer:
    """Renders pages as messages. Pure."""

    def __init__(self, kit: Kit, words: Words) -> None:
        self._head = kit.template("discord/head.md", escape)
        self._paper = kit.template("discord/paper.md", escape)
        self._foot = kit.template("discord/foot.md", escape)
        self._words = words
        self._kit = kit
        self._colour = colour_of(kit)

    def compose(self, page: Page) -> DiscordMessage:
        """A page as a message, with no more papers than a message can hold."""
        shown, headed = page.blocks[:PAPERS], len(page.blocks) <= HEADED
        is_list = page.about.total > 0 or page.about.day is not None or len(page.blocks) != 1
        single = not is_list and page.paging.next is page.paging.previous is None
        texts = [self._text(page, block) for block in shown]
        message = DiscordMessage(
            name=_cut(page.heading, THREAD_NAME),
            language=page.language,
            embeds=self._embeds(page, texts, headed=headed, single=single),
            papers=[_choice(block) for block in shown],
            embed_count=headed + len(page.blocks),
            previous=page.paging.previous,
            next=page.paging.next,
            menu_placeholder=self._words(page.language)["more_about"],
            content="" if headed else f"**{_title(page.heading)}**\n{self._above(page)}".strip(),
            single=single,
        )
        if single or len(shown) < len(page.blocks) or not shown:
            return message
        rows, mention = message.rows(ReplyMode.NEW_MESSAGE, None), " " * MENTION
        whole = self._container(page, texts)
        if whole.fits(rows, mention):
            return replace(message, container=whole)
        brief = self._container(page, [texts[0], *(self._text(page, block, brief=True) for block in shown[1:])])
        container = brief if brief.fits(rows, mention) else None
        return replace(message, container=container, container_characters=brief.characters + MENTION)

    def _text(self, page: Page, block: Block, *, brief: bool = False) -> str:
        """The text about a paper below its title; if it is `brief`, without the organisation."""
        shown, full = block.paper.code or block.paper.project, len(page.blocks) == 1
        return _without_blank_lines(self._paper(page, block=block, full=full, brief=brief, shown=shown))

    def _above(self, page: Page, *, contained: bool = False) -> str:
        """The text above the papers, with commands as Discord mentions them."""
        words = self._words(page.language)
        notes = [command_names.plain(note, words) for note in page.notes]
        said = replace(page, lead=command_names.plain(page.lead, words), notes=notes)
        return self._head(said, contained=contained).strip()

    def _container(self, page: Page, texts: Sequence[str]) -> Container:
        lead, *others = page.blocks
        cloud = cloud_url(page, self._kit)
        return Container(
            head=f"**{_title(page.heading)}**\n{self._above(page, contained=True)}".strip(),
            lead=f"### {_linked(lead)}\n{texts[0]}".strip(),
            picture=cloud or _picture(lead),
            alt=page.heading if cloud else lead.title,
            papers=tuple(
                f"**{_linked(block)}**\n{text}".strip() for block, text in zip(others, texts[1:], strict=True)
            ),
            foot=self._foot(page, lines=_last_lines(page)).strip(),
            colour=self._colour,
        )

    def _embeds(self, page: Page, texts: Sequence[str], *, headed: bool, single: bool) -> Sequence[Json]:
        embeds = [
            _embed(block, text, page, self._colour, single=single)
            for block, text in zip(page.blocks, texts, strict=False)
        ]
        if headed:
            embeds = [self._head_embed(page), *embeds]
        lines = [line for line in (page.paging.more, *_last_lines(page)) if line]
        if lines:
            embeds[-1]["footer"] = {"text": _cut("\n".join(lines), FOOTER)}
        return embeds

    def _head_embed(self, page: Page) -> Json:
        embed: Json = {"title": _title(page.heading), "description": self._above(page), "color": self._colour}
        picture = cloud_url(page, self._kit) or next(filter(None, map(_picture, page.blocks)), None)
        if picture is not None and len(page.blocks) > 1:
            embed["image"] = {"url": picture}
        return embed


def colour_of(kit: Kit) -> int:
    """The brand's colour as Discord has colours: 0xRRGGBB."""
    return int(kit.colour.removeprefix("#"), 16)


def _embed(block: Block, text: str, page: Page, colour: int, *, single: bool) -> Json:
    embed: Json = {
        "title": _title(block.title, before="" if single else f"{block.rank}. "),
        "url": block.paper.page,
        "description": text,
        "color": colour,
    }
    picture = _picture(block)
    if picture is not None:
        embed["image" if len(page.blocks) == 1 else "thumbnail"] = {"url": picture}
    return embed


def _linked(block: Block) -> str:
    """A paper's rank and title as a link to its page."""
    return f"[{label(_cut(f'{block.rank}. {block.title}', TITLE))}]({target(block.paper.page)})"


def _last_lines(page: Page) -> Sequence[str]:
    """Whose words a page's texts are, which model wrote them, and where all of it comes from."""
    models = [] if page.alone else [block.said.byline for block in page.blocks if block.said.byline]
    return [*dict.fromkeys(models), *page.footer]


def _choice(block: Block) -> Choice:
    return Choice(f"{block.rank}. {block.title}", paper_line(block.paper.id), block.organisation or "")


def _title(text: str, before: str = "") -> str:
    """A title, cut so that it fits together with its escapes."""
    most = TITLE - len(before)
    while utf16_units(escaped := f"{before}{escape(_cut(text, most))}") > TITLE:
        most -= (utf16_units(escaped) - TITLE + 1) // 2  # a character with its escape counts two
    return escaped


def _cut(text: str, most: int) -> str:
    if utf16_units(text) <= most:
        return text
    while utf16_units(text) >= most:
        text = text[: -max(1, (utf16_units(text) - most) // 2)]
    return f"{text.rstrip()}…"


def _without_blank_lines(text: str) -> str:
    """Markdown without blank lines, which Discord would show."""
    lines = (line.rstrip() for line in text.splitlines())
    return _BLANK_LINES.sub("\n", "\n".join(lines)).strip("\n")


def _picture(block: Block) -> str | None:
    """The address of a paper's picture, if Discord accepts it."""
    paper = block.paper
    found = [paper.thumbnail, *(each.url for each in paper.media if each.kind is MediaKind.IMAGE)]
    return next((url for url in found if url and url.startswith("https://") and _is_accepted(url)), None)


def _is_accepted(url: str) -> bool:
    return url.isascii() and url.isprintable() and " " not in url and len(url) <= URL


def _length(embed: Json) -> int:
    """Characters that count towards the sum over all embeds."""
    texts = [embed.get("title", ""), embed.get("description", ""), embed.get("footer", {}).get("text", "")]
    return sum(map(utf16_units, texts))


def _plain(embed: Json) -> str:
    footer = embed.get("footer", {}).get("text", "")
    return "\n".join(filter(None, [embed["title"], embed.get("url"), embed.get("description"), footer]))
