"""Pictures of papers: each is uploaded once and sent by Telegram's file id afterwards."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from pathlib import Path

from telegram import Bot, Message
from telegram.constants import ParseMode
from telegram.error import BadRequest

from bot.channel import Memory
from channels.telegram import errors
from channels.telegram.chats import ChatAddress

SUFFIXES = ("fig.jpg", "fig.png")


class UploadedPictures:
    """The figures in a folder, named `{arxiv id}.fig.jpg` or `.fig.png`."""

    def __init__(self, folder: Path, memory: Memory) -> None:
        self._folder = folder
        self._memory = memory

    async def find(self, paper_id: str) -> Path | None:
        """The file of a paper's figure, None if there is none."""
        files = [self._folder / f"{paper_id}.{suffix}" for suffix in SUFFIXES]
        return await asyncio.to_thread(lambda: next((file for file in files if file.is_file()), None))

    async def send(self, bot: Bot, chat: ChatAddress, file: Path) -> Message:
        """Send a picture, by its file id if it was uploaded before.

        Raises:
            TelegramError: Telegram refused, for a reason other than an unknown file id.
        """
        return await self.send_once(bot, chat, file.name, file.read_bytes)

    async def send_once(
        self, bot: Bot, chat: ChatAddress, name: str, read: Callable[[], bytes], *, caption: str | None = None
    ) -> Message:
        """Send the picture of that name, by its file id if it was uploaded before; `read` gives its bytes, and blocks.

        Raises:
            TelegramError: Telegram refused, for a reason other than an unknown file id.
        """
        key = f"file {name}"
        file_id = await self._memory.get(key)
        send = partial(
            bot.send_photo, chat.id, message_thread_id=chat.topic, caption=caption, parse_mode=ParseMode.HTML
        )
        if file_id is not None:
            try:
                return await send(photo=file_id)
            except BadRequest as error:
                if errors.mentions(error, *errors.ABOUT_CHAT):
                    raise  # any other refusal means that Telegram dropped the file: upload it again
        sent = await send(photo=await asyncio.to_thread(read), filename=name)
        if sent.photo:
            await self._memory.put(key, sent.photo[-1].file_id)
        return sent
