"""Sends pages to chats: as rich messages (Bot API 10.1) or as HTML, by what the reader chose and the server knows."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Mapping
from typing import Any

from telegram import Bot, InlineKeyboardMarkup
from telegram import Message as SentMessage
from telegram.constants import ParseMode
from telegram.error import BadRequest, EndPointNotFound

from bot.channel import SILENT, Personal
from bot.model import ON
from channels.telegram import errors
from channels.telegram.chats import ChatAddress
from channels.telegram.message import RICH, TelegramMessage

log = logging.getLogger(__name__)

RichMessage = Mapping[str, object]
"""An `InputRichMessage` (https://core.telegram.org/bots/api#inputrichmessage)."""


class Poster:
    """Sends messages, and remembers what the server does not know: a Bot API server of one's own may be an old one."""

    def __init__(self, bot: Bot) -> None:
        self._bot = bot
        self._supports_rich = True
        """False once the server has refused rich messages as unknown (before Bot API 10.1)."""

    def rich(self, message: TelegramMessage, extras: Mapping[str, str]) -> RichMessage | None:
        """A list of papers as a rich message; None where the reader did not choose that, or the server knows none."""
        page = message.page
        if extras.get(RICH.name) != ON or not self._supports_rich or not page.blocks or page.alone:
            return None
        return {"html": message.rich(extras), "is_rtl": page.direction == "rtl", "skip_entity_detection": True}

    async def post(
        self, chat: ChatAddress, message: TelegramMessage, personal: Personal, keys: InlineKeyboardMarkup | None
    ) -> SentMessage:
        """Send as a rich message if the reader chose it and the server knows it, else as HTML. Raises TelegramError."""
        rich, silent = self.rich(message, personal.extras), personal.extras.get(SILENT.name) == ON
        if rich is not None:
            sent = await self.post_rich(chat, rich, keys, silent=silent, paid=personal.paid)
            if sent is not None:
                return sent
        return await self._bot.send_message(
            chat.id,
            message.text,
            ParseMode.HTML,
            message_thread_id=chat.topic,
            link_preview_options=message.preview(personal.extras),
            disable_notification=silent,
            reply_markup=keys,
            allow_paid_broadcast=personal.paid or None,
        )

    async def post_rich(
        self,
        chat: ChatAddress,
        rich: RichMessage,
        keys: InlineKeyboardMarkup | None,
        *,
        silent: bool = False,
        paid: bool = False,
    ) -> SentMessage | None:
        """Send a rich message by a raw request, since the library has no method for it yet; as `_unless_refused`."""
        arguments = {
            "chat_id": chat.id,
            "message_thread_id": chat.topic,
            "rich_message": rich,
            "disable_notification": silent,
            "reply_markup": keys,
            "allow_paid_broadcast": paid or None,
        }
        given = {name: value for name, value in arguments.items() if value is not None}
        request = self._bot.do_api_request("sendRichMessage", api_kwargs=given, return_type=SentMessage)
        return await self._unless_refused(request)

    async def edit_rich(
        self, message: SentMessage, rich: RichMessage, keys: InlineKeyboardMarkup | None
    ) -> SentMessage | None:
        """Put a rich message in the place of a message; as `_unless_refused`."""
        request = self._bot.edit_message_text(
            None,  # type: ignore[arg-type]  # which the library leaves out
            message.chat_id,
            message.message_id,
            reply_markup=keys,
            api_kwargs={"rich_message": rich},
        )
        return await self._unless_refused(request)

    async def _unless_refused(self, request: Awaitable[Any]) -> SentMessage | None:
        """What the server answers; None if it refuses rich messages, or this one as such. Raises TelegramError."""
        try:
            sent: SentMessage = await request
        except (BadRequest, EndPointNotFound) as error:
            if errors.mentions(error, *errors.ABOUT_CHAT, *errors.NOT_MODIFIED, *errors.NOT_EDITABLE):
                raise
            self._supports_rich = not isinstance(error, EndPointNotFound)
            log.info("rich message refused, sent as HTML", extra={"reason": errors.reason(error)})
            return None
        return sent
