"""Sends answers as messages, edits and files, at the rate that Telegram allows."""

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

from bot.channel import CommandName, Commands, Deferred, Kit, Reply
from channels.telegram import errors
from channels.telegram.chats import ChatAddress
from channels.telegram.keyboards import keyboard
from channels.telegram.markup import escape, text_length
from channels.telegram.message import LONGEST_TEXT, NO_PREVIEW, TelegramMessage
from channels.telegram.profile import Profile
from channels.telegram.reply_layout import rows_of, split, text_of, without_papers
from channels.telegram.uploads import UploadedPictures

log = logging.getLogger(__name__)

LONGEST_CAPTION = 1024
"""UTF-16 code units (https://core.telegram.org/bots/api#senddocument)."""
LONGEST_WAIT = 5.0
"""Seconds that a reply may be delayed by a flood wait; after that it is dropped, since nobody waits for it."""
OUTAGE_WAIT = 1.0
"""Seconds before the one retry during an outage."""


class FloodWait:
    """The flood wait that Telegram asked for; editions and answers share it."""

    def __init__(self) -> None:
        self._until = 0.0

    def remaining(self) -> float:
        """Seconds that remain, 0 without a flood wait."""
        return max(0.0, self._until - asyncio.get_running_loop().time())

    def begin(self, seconds: float) -> None:
        """Wait at least this many seconds from now."""
        self._until = max(self._until, asyncio.get_running_loop().time() + seconds)


@dataclass(frozen=True, slots=True)
class _Part:
    """One message of a reply."""

    text: str
    keyboard: InlineKeyboardMarkup | None
    preview: LinkPreviewOptions = NO_PREVIEW


class Replies:
    """Sends answers to chats."""

    def __init__(
        self,
        bot: Bot,
        commands: Commands,
        kit: Kit,
        flood: FloodWait,
        *,
        profile: Profile,
        clock: Callable[[], datetime],
        inline: bool = True,
    ) -> None:
        self._bot = bot
        self._commands = commands
        self._memory = kit.memory
        self._flood = flood
        self._profile = profile
        self._clock = clock
        self._inline = inline
        self._template = kit.template("telegram/answer.html", escape)
        self._pictures = UploadedPictures(kit.pictures, kit.memory)

    async def send(
        self,
        chat: ChatAddress,
        reply: Reply,
        *,
        edit: Message | None = None,
        about: ChatAddress | None = None,
        title: str = "",
        line: str = "",
    ) -> None:
        """Send a reply to a chat, unless it repeats the one before.

        A reader who has blocked the bot becomes `gone`. Any other refusal is logged, since nobody can be told.

        Args:
            chat: where the reply goes.
            reply: what to send.
            edit: the message to put the reply in, if it can still be edited.
            about: the chat that the reply is about, if another.
            title: the name of that chat.
            line: the command line that is answered.
        """
        if reply.repeated:
            return
        try:
            parts = await self._parts(chat, reply, about, title, line)
            await self._send(chat, reply, parts, edit)
            if not chat.is_shared:
                operator = self._commands.operates(chat.address)
                await self._profile.update_chat(chat.id, reply.language, operator=operator)
        except Forbidden as error:
            if not chat.is_shared and errors.is_from_telegram(error):
                await self._commands.gone(chat.address, errors.reason(error), self._clock())
        except TelegramError as error:
            log.warning("reply not sent", extra={"channel": "telegram", "reason": errors.reason(error)})

    async def _send(self, chat: ChatAddress, reply: Reply, parts: Sequence[_Part], edit: Message | None) -> None:
        if reply.file is not None:
            await self._with_retry(partial(self._send_file, chat, reply), chat)
            return
        page = reply.page
        if edit is None and page is not None and page.alone:
            await self._send_figure(chat, page.blocks[0].paper.id)
        for part in parts:
            await self._with_retry(partial(self._post, chat, part, edit), chat)
            edit = None

    async def _send_figure(self, chat: ChatAddress, paper_id: str) -> None:
        """Send a paper's figure if there is one; the reply goes without it where pictures are refused."""
        figure = await self._pictures.find(paper_id)
        if figure is None:
            return
        await self._commands.acquire(chat.address)
        try:
            await self._pictures.send(self._bot, chat, figure)
        except Forbidden:
            raise
        except TelegramError as error:
            log.info(
                "figure refused, reply sent without it", extra={"channel": "telegram", "reason": errors.reason(error)}
            )

    async def _parts(
        self, chat: ChatAddress, reply: Reply, about: ChatAddress | None, title: str, line: str
    ) -> list[_Part]:
        """The messages of a reply: one, or a second if its sentences do not fit above the papers."""
        message, command = reply.message, line.partition(" ")[0]
        if not isinstance(message, TelegramMessage):
            text = text_of(reply, self._template, quotes_reader=command == CommandName.SEARCH)
            texts = split(f"<b>{escape(title)}</b>\n{text}" if title and text else text)
            keys = await keyboard(rows_of(reply, about, command), self._memory)
            return [_Part(each, keys if each is texts[-1] else None) for each in texts]
        keys = await keyboard(message.rows(chat, self._bot.username, inline=self._inline), self._memory)
        papers = _Part(message.text, keys, message.preview(reply.extras))
        above = text_of(without_papers(reply), self._template)
        if not above:
            return [papers]
        if text_length(f"{above}\n\n{message.text}") <= LONGEST_TEXT:
            return [_Part(f"{above}\n\n{message.text}", keys, papers.preview)]
        return [_Part(above, None), papers]

    async def _with_retry(self, send: Callable[[], Awaitable[None]], chat: ChatAddress) -> None:
        """Send, and retry once after a short flood wait or an outage, if nothing was sent."""
        if self._flood.remaining() > LONGEST_WAIT:
            return
        try:
            await send()
        except TelegramError as error:
            outcome = errors.outcome(error, chat)
            if not isinstance(outcome, Deferred):
                raise
            if isinstance(error, RetryAfter) and not chat.is_shared:
                self._flood.begin(errors.seconds(error))
            wait = outcome.retry_after or OUTAGE_WAIT
            if wait > LONGEST_WAIT:
                raise
            await asyncio.sleep(wait)
            await send()

    async def _post(self, chat: ChatAddress, part: _Part, edit: Message | None) -> None:
        """Edit the message if that is possible, else send a new one."""
        await self._commands.acquire(chat.address)
        if edit is not None and await self._edit(edit, part):
            return
        await self._bot.send_message(
            chat.id,
            part.text,
            ParseMode.HTML,
            message_thread_id=chat.topic,
            link_preview_options=part.preview,
            reply_markup=part.keyboard,
        )

    async def _edit(self, message: Message, part: _Part) -> bool:
        """Put a part into a message; False if that message cannot be edited any more."""
        try:
            await self._bot.edit_message_text(
                part.text,
                message.chat_id,
                message.message_id,
                parse_mode=ParseMode.HTML,
                link_preview_options=part.preview,
                reply_markup=part.keyboard,
            )
        except BadRequest as error:
            if errors.mentions(error, *errors.NOT_MODIFIED):
                return True
            if errors.mentions(error, *errors.NOT_EDITABLE):
                return False
            raise
        return True

    async def _send_file(self, chat: ChatAddress, reply: Reply) -> None:
        assert reply.file is not None
        captions = split(text_of(without_papers(reply), self._template), LONGEST_CAPTION)
        await self._commands.acquire(chat.address)
        await self._bot.send_document(
            chat.id,
            reply.file.content,
            caption=captions[0] if captions else None,
            parse_mode=ParseMode.HTML,
            filename=reply.file.name,
            message_thread_id=chat.topic,
        )
