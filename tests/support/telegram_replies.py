"""What a person on Telegram is told, for tests."""

from __future__ import annotations

from tests.support.telegram_server.chats import Heard


async def said(heard: Heard) -> str:
    assert heard.message is not None
    return heard.message.text
