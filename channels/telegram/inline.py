"""Inline mode: `@bot diffusion` searches from any chat; an empty query or a day is an edition, a number one paper.

https://core.telegram.org/bots/api#inline-mode
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence

from telegram import InlineQueryResultArticle, InputTextMessageContent
from telegram.constants import ParseMode

from bot.channel import Block, Page, Reply
from channels.telegram.message import TelegramMessage, single_paper

MOST_RESULTS = 50
"""Results of one answer (https://core.telegram.org/bots/api#answerinlinequery)."""
CACHE_TIME = 300
"""Seconds for which Telegram may repeat an answer to the same person."""
LONGEST_TITLE, LONGEST_DESCRIPTION = 128, 200
"""Characters that a list of results shows."""
_DAY = re.compile(r"\d{4}-\d\d-\d\d")
_PAPER = re.compile(r"\d{4}\.\d{4,5}")
_OFFSET = re.compile(r"\d{1,4}", re.ASCII)


def line_of(query: str, offset: str) -> str:
    """The command line for what was typed behind the bot's name."""
    query = " ".join(query.split())
    after = f"+{offset} " if _OFFSET.fullmatch(offset) else ""
    if not query or _DAY.fullmatch(query):
        return f"date {after}{query}".strip()
    if _PAPER.fullmatch(query):
        return f"paper {query}"
    return f"search {after}{query}"


def results(reply: Reply, compose: Callable[[Page], TelegramMessage]) -> Sequence[InlineQueryResultArticle]:
    """The results to choose from: the edition if one was asked for, then each paper."""
    page, message = reply.page, reply.message
    if page is None or not isinstance(message, TelegramMessage):
        return []
    found = []
    if page.about.day is not None and page.paging.previous is None:
        found.append(_result("edition", page.heading, page.lead, message, reply.extras))
    for index, block in enumerate(page.blocks):
        found.append(_paper_result(block, compose(single_paper(page, index)), reply.extras))
    return found[:MOST_RESULTS]


def next_offset(page: Page | None) -> str:
    """The offset of the next results; empty after the last."""
    found = re.search(r"\+(\d+)", page.paging.next) if page is not None and page.paging.next else None
    return found[1] if found else ""


def _paper_result(block: Block, message: TelegramMessage, extras: Mapping[str, str]) -> InlineQueryResultArticle:
    facts = " · ".join(filter(None, (block.votes, block.organisation, next(iter(block.said.parts.values()), ""))))
    return _result(block.paper.id, block.title, facts, message, extras)


def _result(
    key: str, title: str, description: str, message: TelegramMessage, extras: Mapping[str, str]
) -> InlineQueryResultArticle:
    picture = message.page.blocks[0].paper.thumbnail if len(message.page.blocks) == 1 else None
    return InlineQueryResultArticle(
        key,
        title[:LONGEST_TITLE],
        InputTextMessageContent(message.text, ParseMode.HTML, link_preview_options=message.preview(extras)),
        description=description[:LONGEST_DESCRIPTION],
        thumbnail_url=picture if (picture or "").startswith("https://") else None,
    )
