"""Sends one edition to one chat: as a rich message or as HTML, by what the reader chose and what the server knows."""

from __future__ import annotations

import logging
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


def is_rich(personal: Personal) -> bool:
    """Whether a reader chose rich messages."""
    return personal.extras.get(RICH.name) == ON


class Poster:
    """Sends messages, and remembers what the server does not know: a Bot API server of one's own may be an old one."""

    def __init__(self, bot: Bot) -> None:
        self._bot = bot
        self._supports_rich = True
        """False once the server has refused rich messages as unknown (before Bot API 10.1)."""

    async def post(
        self, chat: ChatAddress, message: TelegramMessage, personal: Personal, keys: InlineKeyboardMarkup | None
    ) -> SentMessage:
        """Send as a rich message if the reader chose it and the server knows it, else as HTML. Raises TelegramError."""
        if is_rich(personal) and self._supports_rich and message.page.blocks:
            try:
                return await self._post_rich(chat, message, personal, keys)
            except (BadRequest, EndPointNotFound) as error:
                if errors.mentions(error, *errors.ABOUT_CHAT):
                    raise
                self._supports_rich = not isinstance(error, EndPointNotFound)
                log.info("rich message refused, sent as HTML", extra={"reason": errors.reason(error)})
        return await self._post_html(chat, message, personal, keys)

    async def _post_html(
        self, chat: ChatAddress, message: TelegramMessage, personal: Personal, keys: InlineKeyboardMarkup | None
    ) -> SentMessage:
        return await self._bot.send_message(
            chat.id,
            message.text,
            ParseMode.HTML,
            message_thread_id=chat.topic,
            link_preview_options=message.preview(personal.extras),
            disable_notification=personal.extras.get(SILENT.name) == ON,
            reply_markup=keys,
        )

    async def _post_rich(
        self, chat: ChatAddress, message: TelegramMessage, personal: Personal, keys: InlineKeyboardMarkup | None
    ) -> SentMessage:
        """Send by a raw request: the library has no types for rich messages yet."""
        is_rtl = message.page.direction == "rtl"
        arguments: dict[str, Any] = {
            "chat_id": chat.id,
            "rich_message": {"html": message.rich(personal.extras), "is_rtl": is_rtl, "skip_entity_detection": True},
            "disable_notification": personal.extras.get(SILENT.name) == ON,
        }
        if chat.topic is not None:
            arguments["message_thread_id"] = chat.topic
        if keys is not None:
            arguments["reply_markup"] = keys
        sent: SentMessage = await self._bot.do_api_request(
            "sendRichMessage", api_kwargs=arguments, return_type=SentMessage
        )
        return sent
