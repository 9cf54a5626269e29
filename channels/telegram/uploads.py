"""Pictures of papers, and recordings: each is uploaded once and sent by Telegram's file id afterwards."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from telegram import Bot, Message
from telegram.constants import ParseMode
from telegram.error import BadRequest

from bot.channel import Memory, Recording
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


class UploadedRecordings:
    """Editions read aloud. File ids belong to one bot (https://core.telegram.org/bots/api#sending-files)."""

    def __init__(self, memory: Memory) -> None:
        self._memory = memory

    async def send(self, bot: Bot, chat: ChatAddress, recording: Recording, *, silent: bool = False) -> Message:
        """Send a recording as music with title, performer and length, by its file id if this bot has uploaded it.

        Raises:
            TelegramError: Telegram refused, for a reason other than an unknown file id.
            OSError: the file is gone.
        """
        key = f"audio {bot.id} {recording.digest}"
        shown: dict[str, Any] = {
            "title": recording.title,
            "performer": recording.performer,
            "duration": round(recording.seconds),
            "message_thread_id": chat.topic,
            "disable_notification": silent,
        }
        file_id = await self._memory.get(key)
        if file_id is not None:
            try:
                return await bot.send_audio(chat.id, file_id, **shown)
            except BadRequest as error:
                if errors.mentions(error, *errors.ABOUT_CHAT):
                    raise  # any other refusal means that Telegram dropped the file: upload it again
        content = await asyncio.to_thread(recording.path.read_bytes)
        sent = await bot.send_audio(chat.id, content, filename=recording.path.name, **shown)
        if sent.audio:
            await self._memory.put(key, sent.audio.file_id)
        return sent
