"""Answers on their way: as messages, as edits, as files; at Telegram's pace."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from telegram import Bot, InlineKeyboardMarkup, LinkPreviewOptions, Message
from telegram.constants import ParseMode
from telegram.error import BadRequest, Forbidden, RetryAfter, TelegramError

from bot.channel import Command, Commands, Deferred, Kit, Reply
from bot.model import Address, Extra
from channels.telegram import errors
from channels.telegram.chats import ChatAddress
from channels.telegram.keyboards import Rows, keyboard
from channels.telegram.markup import escape, units
from channels.telegram.message import NO_PREVIEW, TelegramMessage
from channels.telegram.profile import introduce_in
from channels.telegram.reply_layout import in_messages, rows_of, text_of, without_papers
from channels.telegram.uploads import UploadedPictures

log = logging.getLogger(__name__)

LONGEST = 4096
LONGEST_CAPTION = 1024
"""https://core.telegram.org/bots/api#senddocument"""
LONGEST_WAIT = 5.0
"""Seconds of a wait that an answer is worth; later nobody waits for it any more."""
A_MOMENT = 1.0
"""Seconds after which a service in trouble is asked once more."""


class FloodWait:
    """The wait that Telegram has asked for, whoever met it: editions and answers go to the same service."""

    def __init__(self) -> None:
        self._until = 0.0

    def left(self) -> float:
        """Seconds that are left of it, 0 where there is none."""
        return max(0.0, self._until - asyncio.get_running_loop().time())

    def meet(self, seconds: float) -> None:
        """Take note of a wait."""
        self._until = max(self._until, asyncio.get_running_loop().time() + seconds)


@dataclass(frozen=True, slots=True)
class _Said:
    """One message of an answer."""

    text: str
    keys: InlineKeyboardMarkup | None
    preview: LinkPreviewOptions = NO_PREVIEW


class Replies:
    """Says answers in chats."""

    def __init__(
        self,
        bot: Bot,
        commands: Commands,
        kit: Kit,
        flood: FloodWait,
        *,
        offered: Sequence[Extra],
        clock: Callable[[], datetime],
        inline: bool = True,
    ) -> None:
        self._flood = flood
        self._inline = inline
        self._clock = clock
        self._bot = bot
        self._commands = commands
        self._memory = kit.memory
        self._offered = offered
        self._fill = kit.template("telegram/answer.html", escape)
        self._pictures = UploadedPictures(kit.pictures, kit.memory)

    async def say(
        self,
        place: ChatAddress,
        answer: Reply,
        *,
        instead: Message | None = None,
        of: ChatAddress | None = None,
        title: str = "",
        asked: str = "",
    ) -> None:
        """Say an answer in a place, in place of the message `instead` where it can be.

        `of` is the place that it is about where that is another, `title` what that is called, and `asked` the line that
        it answers. What was said a moment ago and is true still is not said again. Whoever has shut the
        door meanwhile is gone; whatever else Telegram has against an answer is logged, since nobody can be told.
        """
        if answer.repeated:
            return
        try:
            messages = await self._messages(place, answer, of, title, asked)
            await self._say(place, answer, messages, instead)
            if not place.is_shared:
                await self._introduce(place, answer.language)
        except Forbidden as error:
            if not place.is_shared and errors.is_telegrams(error):
                await self._commands.gone(_address(place), errors.reason(error), self._clock())
        except TelegramError as error:
            log.warning("answer not sent", extra={"channel": "telegram", "reason": errors.reason(error)})

    async def _say(self, place: ChatAddress, answer: Reply, messages: Sequence[_Said], instead: Message | None) -> None:
        if answer.file is not None:
            await self._patiently(partial(self._send_file, place, answer), place)
            return
        page = answer.page
        if instead is None and page is not None and page.alone:
            await self._show_figure(place, page.blocks[0].paper.id)
        for said in messages:
            await self._patiently(partial(self._post, place, said, instead), place)
            instead = None

    async def _show_figure(self, place: ChatAddress, paper_id: str) -> None:
        """Send a paper's figure, where there is one and the place takes pictures; it goes without otherwise."""
        figure = await self._pictures.find(paper_id)
        if figure is None:
            return
        await self._turn(place)
        try:
            await self._pictures.send(self._bot, place, figure)
        except Forbidden:
            raise
        except TelegramError as error:
            log.info("figure left out", extra={"channel": "telegram", "reason": errors.reason(error)})

    async def _messages(
        self, place: ChatAddress, answer: Reply, of: ChatAddress | None, title: str, asked: str
    ) -> list[_Said]:
        """An answer as messages: one, or a second where its sentences do not fit above the papers."""
        card, command = answer.message, asked.partition(" ")[0]
        if not isinstance(card, TelegramMessage):
            texts = in_messages(self._under(title, text_of(answer, self._fill, quoting=command == Command.SEARCH)))
            keys = await self._keys(rows_of(answer, of, command))
            return [_Said(text, keys if text is texts[-1] else None) for text in texts]
        keys = await self._keys(card.rows(place, self._bot.username, inline=self._inline))
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

    async def _patiently(self, work: Callable[[], Awaitable[None]], place: ChatAddress) -> None:
        """Do it, and once more where Telegram wants a short wait or is in trouble and nothing was done."""
        if self._flood.left() > LONGEST_WAIT:
            return
        try:
            await work()
        except TelegramError as error:
            outcome = errors.outcome(error, place)
            if not isinstance(outcome, Deferred):
                raise
            if isinstance(error, RetryAfter) and not place.is_shared:
                self._flood.meet(errors.seconds(error))
            wait = outcome.retry_after or A_MOMENT
            if wait > LONGEST_WAIT:
                raise
            await asyncio.sleep(wait)
            await work()

    async def _post(self, place: ChatAddress, said: _Said, instead: Message | None) -> None:
        """Send, or edit what is there."""
        await self._turn(place)
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
            if errors.says(error, *errors.SAME):
                return True
            if errors.says(error, *errors.NOT_EDITABLE):
                return False
            raise
        return True

    async def _send_file(self, place: ChatAddress, answer: Reply) -> None:
        assert answer.file is not None
        [*said] = in_messages(text_of(without_papers(answer), self._fill), LONGEST_CAPTION)
        await self._turn(place)
        await self._bot.send_document(
            place.chat,
            answer.file.content,
            caption=said[0] if said else None,
            parse_mode=ParseMode.HTML,
            filename=answer.file.name,
            message_thread_id=place.topic,
        )

    async def _turn(self, place: ChatAddress) -> None:
        await self._commands.acquire(_address(place))

    async def _introduce(self, place: ChatAddress, language: str) -> None:
        await introduce_in(
            self._bot,
            place.chat,
            language,
            self._commands,
            self._memory,
            offered=self._offered,
            operator=self._commands.operates(_address(place)),
        )


def _address(place: ChatAddress) -> Address:
    return Address("telegram", f"{place}")
