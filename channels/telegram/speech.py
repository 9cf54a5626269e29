"""Answers on their way: as messages, as edits, as files; at Telegram's pace."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from telegram import Bot, InlineKeyboardMarkup, LinkPreviewOptions, Message
from telegram.constants import ParseMode
from telegram.error import BadRequest, Forbidden, RetryAfter, TelegramError

from bot.channel import Answer, Commands, Kit
from bot.model import Address, Extra
from channels.telegram import refusals
from channels.telegram.card import NO_PREVIEW, Card
from channels.telegram.keys import Rows, keyboard
from channels.telegram.layout import in_messages, rows_of, text_of, without_papers
from channels.telegram.markup import escape, units
from channels.telegram.pictures import Pictures
from channels.telegram.places import Place
from channels.telegram.profile import introduce_in

log = logging.getLogger(__name__)

LONGEST = 4096
LONGEST_WAIT = 5.0
"""Seconds of a flood wait that an answer is worth; later nobody waits for it any more."""


@dataclass(frozen=True, slots=True)
class _Said:
    """One message of an answer."""

    text: str
    keys: InlineKeyboardMarkup | None
    preview: LinkPreviewOptions = NO_PREVIEW


class Speech:
    """Says answers in chats."""

    def __init__(
        self, bot: Bot, commands: Commands, kit: Kit, *, offered: Sequence[Extra], clock: Callable[[], datetime]
    ) -> None:
        self._clock = clock
        self._bot = bot
        self._commands = commands
        self._memory = kit.memory
        self._offered = offered
        self._fill = kit.template("telegram/answer.html", escape)
        self._pictures = Pictures(kit.pictures, kit.memory)

    async def say(
        self, place: Place, answer: Answer, *, instead: Message | None = None, of: Place | None = None, title: str = ""
    ) -> None:
        """Say an answer in a place, in place of the message `instead` where it can be.

        `of` is the place that it is about where that is another, and `title` what that is called. Whoever has shut the
        door meanwhile is gone; whatever else Telegram has against an answer is logged, since nobody can be told.
        """
        try:
            await self._say(place, answer, instead, of, title)
            if not place.is_shared:
                await self._introduce(place, answer.language)
        except Forbidden as error:
            if not place.is_shared:
                await self._commands.gone(_address(place), refusals.reason(error), self._clock())
        except TelegramError as error:
            log.warning("answer not sent", extra={"channel": "telegram", "reason": refusals.reason(error)})

    async def _say(self, place: Place, answer: Answer, instead: Message | None, of: Place | None, title: str) -> None:
        if answer.file is not None:
            await self._send_file(place, answer)
            return
        messages = await self._messages(place, answer, of, title)
        page = answer.page
        if instead is None and page is not None and page.alone:
            figure = await self._pictures.find(page.blocks[0].paper.id)
            if figure is not None:
                await self._turn(place)
                await self._pictures.send(self._bot, place, figure)
        for said in messages:
            await self._post(place, said, instead)
            instead = None

    async def _messages(self, place: Place, answer: Answer, of: Place | None, title: str) -> list[_Said]:
        """An answer as messages: one, or a second where its sentences do not fit above the papers."""
        card = answer.message
        if not isinstance(card, Card):
            texts = in_messages(self._under(title, text_of(answer, self._fill)))
            keys = await self._keys(rows_of(answer, of))
            return [_Said(text, keys if text is texts[-1] else None) for text in texts]
        keys = await self._keys(card.rows(place, self._bot.username))
        shown = _Said(card.text, keys, card.preview(answer.extras))
        above = text_of(without_papers(answer), self._fill)
        if not above:
            return [shown]
        if units(f"{above}\n\n{card.text}") <= LONGEST:
            return [_Said(f"{above}\n\n{card.text}", keys, shown.preview)]
        return [_Said(above, None), shown]

    def _under(self, title: str, text: str) -> str:
        return f"<b>{escape(title)}</b>\n{text}" if title and text else text

    async def _keys(self, rows: Rows) -> InlineKeyboardMarkup | None:
        return await keyboard(rows, self._memory)

    async def _post(self, place: Place, said: _Said, instead: Message | None, *, again: bool = True) -> None:
        """Send or edit; where Telegram wants a short wait, once more after it."""
        await self._turn(place)
        try:
            if instead is not None and await self._edit(instead, said):
                return
            await self._bot.send_message(
                place.chat,
                said.text,
                ParseMode.HTML,
                message_thread_id=place.topic,
                link_preview_options=said.preview,
                reply_markup=said.keys,
            )
        except RetryAfter as wait:
            if not again or refusals.seconds(wait) > LONGEST_WAIT:
                raise
            await asyncio.sleep(refusals.seconds(wait))
            await self._post(place, said, instead, again=False)

    async def _edit(self, message: Message, said: _Said) -> bool:
        """Put an answer in a message's place; False where that message cannot be changed any more."""
        try:
            await self._bot.edit_message_text(
                said.text,
                message.chat_id,
                message.message_id,
                parse_mode=ParseMode.HTML,
                link_preview_options=said.preview,
                reply_markup=said.keys,
            )
        except BadRequest as error:
            if refusals.says(error, *refusals.SAME):
                return True
            if refusals.says(error, *refusals.NOT_EDITABLE):
                return False
            raise
        return True

    async def _send_file(self, place: Place, answer: Answer) -> None:
        assert answer.file is not None
        await self._turn(place)
        await self._bot.send_document(
            place.chat,
            answer.file.content,
            caption=text_of(without_papers(answer), self._fill)[:1000],
            parse_mode=ParseMode.HTML,
            filename=answer.file.name,
            message_thread_id=place.topic,
        )

    async def _turn(self, place: Place) -> None:
        await self._commands.turn(_address(place))

    async def _introduce(self, place: Place, language: str) -> None:
        await introduce_in(
            self._bot,
            place.chat,
            language,
            self._commands,
            self._memory,
            offered=self._offered,
            operator=self._commands.operates(_address(place)),
        )


def _address(place: Place) -> Address:
    return Address("telegram", f"{place}")
