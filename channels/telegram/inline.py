"""Papers for any chat: `@bot diffusion` finds them, an empty query or a day is an edition, a number one paper.

https://core.telegram.org/bots/api#inline-mode
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence

from telegram import InlineQueryResultArticle, InputTextMessageContent
from telegram.constants import ParseMode

from bot.channel import Block, Page, Reply
from bot.model import Extra
from channels.telegram.message import TelegramMessage, cut

MOST = 50
"""Results of one answer: https://core.telegram.org/bots/api#answerinlinequery."""
CACHED = 300
"""Seconds for which Telegram may give the same answer to the same person again."""
LONGEST_TITLE, LONGEST_DESCRIPTION = 128, 200
_DAY = re.compile(r"\d{4}-\d\d-\d\d")
_PAPER = re.compile(r"\d{4}\.\d{4,5}")
_OFFSET = re.compile(r"\d{1,4}", re.ASCII)


def line_of(query: str, offset: str) -> str:
    """What is asked by what somebody typed behind the bot's name."""
    query = " ".join(query.split())
    after = f"+{offset} " if _OFFSET.fullmatch(offset) else ""
    if not query or _DAY.fullmatch(query):
        return f"date {after}{query}".strip()
    if _PAPER.fullmatch(query):
        return f"paper {query}"
    return f"search {after}{query}"


def results(answer: Reply, compose: Callable[[Page], TelegramMessage]) -> Sequence[InlineQueryResultArticle]:
    """What can be put into the chat: the edition where one was asked for, then each paper."""
    page, card = answer.page, answer.message
    if page is None or not isinstance(card, TelegramMessage):
        return []
    found = []
    if page.day is not None and page.previous is None:
        found.append(_result("edition", page.heading, page.lead, card, answer.extras))
    for place, block in enumerate(page.blocks):
        found.append(_of_paper(block, compose(cut(page, place)), answer.extras))
    return found[:MOST]


def offset_of(page: Page | None) -> str:
    """Where what follows begins; empty where nothing does."""
    begun = re.search(r"\+(\d+)", page.next) if page is not None and page.next else None
    return begun[1] if begun else ""


def _of_paper(block: Block, card: TelegramMessage, extras: Mapping[Extra, str]) -> InlineQueryResultArticle:
    facts = " · ".join(filter(None, (block.votes, block.organisation, next(iter(block.said.parts.values()), ""))))
    return _result(block.paper.id, block.title, facts, card, extras)


def _result(
    key: str, title: str, description: str, card: TelegramMessage, extras: Mapping[Extra, str]
) -> InlineQueryResultArticle:
    picture = card.page.blocks[0].paper.thumbnail if len(card.page.blocks) == 1 else None
    return InlineQueryResultArticle(
        key,
        title[:LONGEST_TITLE],
        InputTextMessageContent(card.text, ParseMode.HTML, link_preview_options=card.preview(extras)),
        description=description[:LONGEST_DESCRIPTION],
        thumbnail_url=picture if (picture or "").startswith("https://") else None,
    )
