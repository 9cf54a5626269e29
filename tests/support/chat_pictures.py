"""Screenshots of editions as Telegram's and Discord's apps show them, drawn in Chromium.

By hand, to look at: python -m tests.support.chat_pictures FOLDER [--language ko] [--style plain] [--tall]

The windows imitate what matters for reading: widths, font sizes, the colours of both themes, quotes that open, buttons
below, embeds with their thumbnails.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from html import escape
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Any

from markdown_it import MarkdownIt

from bot.channel import Kit, Message
from bot.delivery.rendering import compose
from bot.model import Edition, Preferences, Style
from bot.publishing.feed import sample
from bot.render.styles import TEXT_FIELDS
from bot.render.templates import template
from bot.render.words import words
from bot.signing import SignedLinks
from channels import discord, telegram
from channels.discord.container import Container
from channels.discord.message import DiscordMessage
from channels.telegram.chats import ChatAddress
from channels.telegram.message import TelegramMessage
from tests.support.contact_sheet import contact_sheet
from tests.support.mail_pictures import LANGUAGES, SCHEMES, pictured, texts, window
from tests.support.pages import NoMemory

if TYPE_CHECKING:
    from playwright.sync_api import Page

PAPERS = 10
PHONE = (393, 852)
DESK = (760, 852)
TELEGRAM = """
body{margin:0;padding:10px;background:#9fc199;
 font:16px/21px 'Noto Sans','Noto Sans CJK KR','Noto Sans Arabic',sans-serif}
.bubble{background:#fff;color:#000;border-radius:14px;padding:8px 12px;white-space:pre-wrap;overflow-wrap:anywhere;
 unicode-bidi:plaintext}.bubble blockquote{unicode-bidi:plaintext}
a{color:#168acd;text-decoration:none}
blockquote{margin:4px 0;padding:2px 10px;border-inline-start:3px solid #168acd;background:#168acd18;border-radius:4px;
 font-size:14px;line-height:19px}
blockquote[expandable]{display:-webkit-box;-webkit-line-clamp:3;-webkit-box-orient:vertical;overflow:hidden}
.keys{display:flex;gap:4px;margin-top:4px}
.keys span{flex:1;text-align:center;background:#0005;color:#fff;border-radius:8px;padding:7px 2px;font-size:14px;
 white-space:nowrap;overflow:hidden;text-overflow:ellipsis}
.dark{background:#0e1621}.dark .bubble{background:#182533;color:#f5f5f5}.dark a{color:#6ab3f3}
"""
DISCORD = """
body{margin:0;padding:16px;background:#fff;color:#2e3338;
 font:16px/22px 'Noto Sans','Noto Sans CJK KR','Noto Sans Arabic',sans-serif}
.embed{border-inline-start:4px solid #a8410b;background:#f2f3f5;border-radius:4px;padding:8px 14px 12px;margin:4px 0;
 max-width:520px;display:grid;grid-template-columns:1fr auto;gap:0 14px;font-size:14px;line-height:18px}
.embed h3{margin:6px 0 2px;font-size:16px}.embed p{margin:4px 0}.embed a,a{color:#006ce7;text-decoration:none}
.embed .thumb{width:80px;height:60px;background:#8883;border-radius:4px;grid-row:1/4;grid-column:2;margin-top:8px}
.embed footer{font-size:12px;opacity:.8;margin-top:6px;white-space:pre-wrap}small{opacity:.75;font-size:12px}
.embed>div{grid-column:1;min-width:0;overflow-wrap:anywhere}
.menu,.keys span{display:inline-block;border-radius:4px;padding:8px 12px;background:#e3e5e8;margin:4px 4px 0 0}
.menu{width:360px}
.box{border-inline-start:4px solid #a8410b;background:#f2f3f5;border-radius:8px;padding:14px 16px;max-width:600px;
 overflow-wrap:anywhere}
.box>*+*{margin-top:8px}.box p{margin:0}.box h3{margin:0 0 2px;font-size:16px;line-height:20px}
.box a{color:#006ce7;text-decoration:none}.box hr{border:0;border-top:1px solid #8884;margin:10px 0 0}
.section{display:grid;grid-template-columns:1fr 85px;gap:14px}
.section .picture{width:85px;height:85px;border-radius:8px;
 background:linear-gradient(135deg,#d8c3ad,#a8b8c4 60%,#8fa6a0)}
.dark{background:#313338;color:#dbdee1}.dark .embed{background:#2b2d31}.dark a,.dark .embed a{color:#00a8fc}
.dark .menu,.dark .keys span{background:#1e1f22}.dark .box{background:#2b2d31}.dark .box a{color:#00a8fc}
"""
QUOTE_END = "</blockquote>"
"""With the line break behind it, since what follows a quote begins on a line of its own anyway."""
_MARKDOWN = MarkdownIt("commonmark", {"breaks": True})


def channel(name: str, home: Path) -> Any:
    """A chat channel that is not logged in."""
    kit = Kit(home, home, NoMemory(), template, SignedLinks(["k" * 32], "https://papers.example.org"))
    if name == "telegram":
        return telegram.open(telegram.Settings.model_validate({"TELEGRAM_TOKEN": "1:" + "a" * 35}), kit)
    return discord.open(discord.Settings.model_validate({"DISCORD_TOKEN": "a" * 60}), kit)


def message(name: str, edition: Edition, language: str, style: Style, papers: int = PAPERS) -> Message:
    """An edition as a channel's message, with example texts in the language."""
    said = {
        ranked.paper.id: {style: text} for ranked, text in zip(edition.papers, texts(language, style), strict=False)
    }
    wanted = Preferences(language=language, style=style, papers=papers)
    made = compose(edition, wanted, channel(name, Path()), texts=said if style in TEXT_FIELDS else {})
    assert made is not None
    return made


def html_of(made: Message, language: str, scheme: str) -> str:
    """A message in a window of its app."""
    if isinstance(made, TelegramMessage):
        body = f'<div class="bubble" dir="auto">{made.text.replace(f"{QUOTE_END}{chr(10)}", QUOTE_END)}</div>'
        for row in made.rows(ChatAddress(1), "papers_bot"):
            body += f'<div class="keys">{"".join(f"<span>{escape(each.label)}</span>" for each in row)}</div>'
        css = TELEGRAM
    else:
        assert isinstance(made, DiscordMessage)
        rows = f'<div><div class="menu">{escape(made.menu_placeholder)} ▾</div></div>'
        if made.next is not None:
            rows += '<div class="keys"><span>▶</span></div>'
        if made.container is not None:
            body = _container(made.container, rows)
        else:
            body = _markdown(made.content) + "".join(_embed(embed) for embed in made.embeds) + rows
        css = DISCORD
    direction = words(language).direction
    page = f'<!doctype html><meta charset="utf-8"><style>{css}</style>'
    return f'{page}<body class="{scheme}" lang="{language}" dir="{direction}">{body}'


def _container(container: Container, rows: str) -> str:
    lead = f'<div dir="auto">{_markdown(container.lead)}</div>'
    if container.picture:
        lead = f'<div class="section">{lead}<span class="picture"></span></div>'
    papers = "".join(f'<div dir="auto">{_markdown(text)}</div>' for text in container.papers)
    parts = [f'<div dir="auto">{_markdown(container.head)}</div>', lead, papers + rows, _markdown(container.foot)]
    return f'<div class="box">{"<hr>".join(part for part in parts if part)}</div>'


def _embed(embed: Mapping[str, Any]) -> str:
    title = escape(embed.get("title", "").replace("\\", ""))
    heading = f'<h3><a href="{escape(embed["url"])}">{title}</a></h3>' if embed.get("url") else f"<h3>{title}</h3>"
    thumb = '<span class="thumb"></span>' if "thumbnail" in embed else ""
    said = _markdown(embed.get("description", ""))
    footer = f"<footer>{escape(embed['footer']['text'])}</footer>" if "footer" in embed else ""
    return f'<div class="embed" dir="auto">{thumb}<div>{heading}{said}{footer}</div></div>'


def _markdown(text: str) -> str:
    lines = [f"<small>{line[3:]}</small>" if line.startswith("-# ") else line for line in text.splitlines()]
    return str(_MARKDOWN.render("\n".join(lines))) if text else ""


def shoot(window: Page, html: str, size: tuple[int, int], *, tall: bool) -> bytes:
    """The picture of a message: its first screen, or all of it."""
    window.set_viewport_size({"width": size[0], "height": size[1]})
    window.set_content(html, wait_until="load")
    return window.screenshot(full_page=tall)


def main(folder: Path, languages: Sequence[str], style: Style, *, tall: bool) -> None:
    """Save a picture for each app and language, light and dark beside each other."""
    folder.mkdir(parents=True, exist_ok=True)
    edition = pictured(sample.edition())
    with window() as there:
        for (name, size), language in product((("telegram", PHONE), ("discord", DESK)), languages):
            made = message(name, edition, language, style)
            found = [(scheme, shoot(there, html_of(made, language, scheme), size, tall=tall)) for scheme in SCHEMES]
            contact_sheet(folder / f"{name}-{language}.webp", found, columns=2, scale=1 if name == "telegram" else 0.7)


if __name__ == "__main__":
    arguments = argparse.ArgumentParser()
    arguments.add_argument("folder", type=Path)
    arguments.add_argument("--language", choices=LANGUAGES, action="append")
    arguments.add_argument("--style", type=Style, default=Style.HEADLINE)
    arguments.add_argument("--tall", action="store_true", help="the whole message instead of its first screen")
    given = arguments.parse_args()
    main(given.folder, given.language or LANGUAGES, given.style, tall=given.tall)
