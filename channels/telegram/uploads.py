"""Pictures of papers, uploaded once and named by Telegram's id for them from then on."""

from __future__ import annotations

import asyncio
from pathlib import Path

from telegram import Bot, Message
from telegram.error import BadRequest

from bot.channel import Memory
from channels.telegram import errors
from channels.telegram.chats import ChatAddress

KINDS = ("fig.jpg", "fig.png")


class UploadedPictures:
    """The figures that lie in a folder, as `{arxiv id}.fig.jpg` or `.fig.png`."""

    def __init__(self, folder: Path, memory: Memory) -> None:
        self._folder = folder
        self._memory = memory

    async def find(self, paper_id: str) -> Path | None:
        """The file of a paper's figure, None where there is none."""
        files = [self._folder / f"{paper_id}.{kind}" for kind in KINDS]
        return await asyncio.to_thread(lambda: next((file for file in files if file.is_file()), None))

    async def send(self, bot: Bot, place: ChatAddress, file: Path) -> Message:
        """Send a picture: by its id where Telegram has it, else the file, whose id is then kept."""
        key = f"file {file.name}"
        known = await self._memory.get(key)
        if known is not None:
            try:
                return await bot.send_photo(place.chat, known, message_thread_id=place.topic)
            except BadRequest as error:
                if errors.says(error, *errors.OF_THE_PLACE):
                    raise  # else Telegram has forgotten the file, which is uploaded anew
        content = await asyncio.to_thread(file.read_bytes)
        sent = await bot.send_photo(place.chat, content, message_thread_id=place.topic, filename=file.name)
        if sent.photo:
            await self._memory.put(key, sent.photo[-1].file_id)
        return sent
