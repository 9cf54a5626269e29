"""Sends answers as messages, edits and files, at the rate that Telegram allows."""

from __future__ import annotations

import asyncio
import logging
import math
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import cast

from telegram import (
    Bot,
    InlineKeyboardMarkup,
    KeyboardButton,
    LinkPreviewOptions,
    Message,
    ReplyKeyboardMarkup,
    ReplyKeyboardRemove,
)
from telegram.constants import ParseMode
from telegram.error import BadRequest, Forbidden, RetryAfter, TelegramError

from bot.channel import CommandName, Commands, Deferred, Direction, Kit, Recording, Reply
from channels.telegram import errors
from channels.telegram.callbacks import LOCATION, Callback
from channels.telegram.chats import ChatAddress
from channels.telegram.flood_waits import FloodWaits
from channels.telegram.keyboards import Button, keyboard
from channels.telegram.markup import escape, text_length
from channels.telegram.message import LONGEST_TEXT, NO_PREVIEW, TelegramMessage
from channels.telegram.own_words import OwnWords
from channels.telegram.posting import Poster, RichMessage
from channels.telegram.profile import Profile
from channels.telegram.reply_layout import rows_of, split, text_of, without_papers
from channels.telegram.uploads import UploadedPictures, UploadedRecordings

log = logging.getLogger(__name__)

LONGEST_CAPTION = 1024
"""UTF-16 code units (https://core.telegram.org/bots/api#senddocument)."""
LONGEST_WAIT = 3600.0
"""Seconds that a reply waits for the end of a flood wait; after that nobody remembers what was asked."""
IN_TURN = 5.0
"""Seconds of a flood wait after which the update counts as handled, so that it does not hold up others."""
MOST_WAITING = 1_000
"""Replies that may wait at the same time."""
OUTAGE_WAIT = 1.0
"""Seconds before the one retry during an outage."""
NO_CALLBACK = Callback("")

Keys = InlineKeyboardMarkup | ReplyKeyboardMarkup | ReplyKeyboardRemove


@dataclass(frozen=True, slots=True)
class _Part:
    """One message of a reply."""

    text: str
    keyboard: Keys | None
    preview: LinkPreviewOptions = NO_PREVIEW
    rich: RichMessage | None = None
    """The same as a rich message, which is sent if the server takes it."""

    @property
    def buttons(self) -> InlineKeyboardMarkup | None:
        """The keyboard, if it stands below the message itself."""
        return self.keyboard if isinstance(self.keyboard, InlineKeyboardMarkup) else None


class Replies:
    """Sends answers to chats."""

    def __init__(
        self,
        bot: Bot,
        commands: Commands,
        kit: Kit,
        flood: FloodWaits,
        *,
        poster: Poster,
        profile: Profile,
        clock: Callable[[], datetime],
        inline: bool = True,
    ) -> None:
        self._bot = bot
        self._commands = commands
        self._memory, self._account = kit.memory, kit.name
        self._flood = flood
        self._poster = poster
        self._profile = profile
        self._clock = clock
        self._inline = inline
        self._template = kit.template("telegram/answer.html", escape)
        self._words = OwnWords(kit)
        self._recordings = UploadedRecordings(kit.memory)
        self._pictures = UploadedPictures(kit.pictures, kit.memory)
        self._open: dict[asyncio.Task[None], asyncio.Event] = {}
        """Replies in progress, each with an event that is set when it waits for long."""

    async def send(
        self,
        chat: ChatAddress,
        reply: Reply,
        *,
        edit: Message | None = None,
        about: ChatAddress | None = None,
        title: str = "",
        callback: Callback = NO_CALLBACK,
        keys: Keys | None = None,
    ) -> None:
        """Send a reply to a chat, unless it repeats the one before.

        A reader who has blocked the bot becomes `gone`. Any other refusal is logged, since nobody can be told.

        Args:
            chat: where the reply goes.
            reply: what to send.
            edit: the message to put the reply in, if it can still be edited.
            about: the chat that the reply is about, if another.
            title: the name of that chat.
            callback: what is answered: its line, and the way back.
            keys: what stands below the reply in place of its own buttons.
        """
        if reply.repeated:
            return
        work = asyncio.create_task(
            self._deliver(chat, reply, edit=edit, about=about, title=title, callback=callback, keys=keys)
        )
        self._open[work] = asyncio.Event()
        work.add_done_callback(lambda _: self._open.pop(work, None))
        waits_long = asyncio.create_task(self._open[work].wait())
        try:
            await asyncio.wait([work, waits_long], return_when=asyncio.FIRST_COMPLETED)
        except asyncio.CancelledError:
            work.cancel()
            await asyncio.gather(work, return_exceptions=True)
            raise
        finally:
            waits_long.cancel()
        if work.done():
            work.result()

    def too_old(self, language: str) -> str:
        """The sentence for a press on a button that cannot be understood any more."""
        return self._words.say("too_old", language)

    async def ask_for_location(self, chat: ChatAddress, language: str) -> None:
        """Send a keyboard with one key, which sends the place where a person is; it goes away when it is used."""
        key = KeyboardButton(self._words.say("send_location", language), request_location=True)
        keys = ReplyKeyboardMarkup([[key]], resize_keyboard=True, one_time_keyboard=True)
        await self.send(chat, Reply(language, Direction.LTR, [self._words.say("ask_location", language)]), keys=keys)

    async def close(self) -> None:
        """Give up replies that still wait for the end of a flood wait, and say how many."""
        waiting = list(self._open)
        for work in waiting:
            work.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)
        if waiting:
            fields = {"channel": self._account, "count": len(waiting)}
            log.warning("replies given up at the stop, they waited for the end of a flood wait", extra=fields)

    async def _deliver(
        self,
        chat: ChatAddress,
        reply: Reply,
        *,
        edit: Message | None,
        about: ChatAddress | None,
        title: str,
        callback: Callback,
        keys: Keys | None,
    ) -> None:
        try:
            parts = await self._parts(chat, reply, about, title, callback)
            if keys is not None:
                parts = [*parts[:-1], replace(parts[-1], keyboard=keys)]
            await self._send(chat, reply, parts, edit)
            if not chat.is_shared:
                operator = self._commands.operates(chat.through(self._account))
                await self._profile.update_chat(chat.id, reply.language, operator=operator)
        except Forbidden as error:
            if not chat.is_shared and errors.is_from_telegram(error):
                await self._commands.gone(chat.through(self._account), errors.reason(error), self._clock())
        except TelegramError as error:
            log.warning("reply not sent", extra={"channel": self._account, "reason": errors.reason(error)})

    async def _send(self, chat: ChatAddress, reply: Reply, parts: Sequence[_Part], edit: Message | None) -> None:
        if reply.file is not None:
            await self._with_retry(partial(self._send_file, chat, reply), chat)
            return
        if reply.recording is not None:
            await self._with_retry(partial(self._send_recording, chat, reply.recording), chat)
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
        await self._commands.acquire(chat.through(self._account))
        try:
            await self._pictures.send(self._bot, chat, figure)
        except Forbidden:
            raise
        except TelegramError as error:
            log.info(
                "figure refused, reply sent without it",
                extra={"channel": self._account, "reason": errors.reason(error)},
            )

    async def _parts(
        self, chat: ChatAddress, reply: Reply, about: ChatAddress | None, title: str, callback: Callback
    ) -> list[_Part]:
        """The messages of a reply: one, or a second if its sentences do not fit above the papers."""
        message, command = reply.message, callback.line.partition(" ")[0]
        if not isinstance(message, TelegramMessage):
            text = text_of(reply, self._template, quotes_reader=command == CommandName.SEARCH)
            texts = split(f"<b>{escape(title)}</b>\n{text}" if title and text else text)
            rows = rows_of(reply, about, command, self._words.say("colon", reply.language))
            if command == CommandName.ZONE and about is None and not chat.is_shared and reply.ok:
                rows = [[Button(self._words.say("my_location", reply.language), Callback(LOCATION))], *rows]
            keys = await keyboard(rows, self._memory)
            return [_Part(each, keys if each is texts[-1] else None) for each in texts]
        rows = message.rows(chat, self._bot.username, inline=self._inline, back=callback.back, options=reply.options)
        keys = await keyboard(rows, self._memory)
        rich = self._poster.rich(message, reply.extras)
        papers = _Part(message.text, keys, message.preview(reply.extras), rich)
        above = text_of(without_papers(reply), self._template)
        if not above:
            return [papers]
        if rich is None and text_length(f"{above}\n\n{message.text}") <= LONGEST_TEXT:
            return [_Part(f"{above}\n\n{message.text}", keys, papers.preview)]
        return [_Part(above, None), papers]

    async def _with_retry(self, send: Callable[[], Awaitable[None]], chat: ChatAddress) -> None:
        """Send once flood waits are over, and again after one that was not foreseen; once more after an outage."""
        given_up, has_failed = asyncio.get_running_loop().time() + LONGEST_WAIT, False
        while True:
            await self._sit_out(chat, given_up)
            try:
                await send()
                return
            except RetryAfter as error:
                self._flood.begin(chat, errors.seconds(error))
            except TelegramError as error:
                if has_failed or not isinstance(errors.outcome(error), Deferred):
                    raise
                has_failed = True
                await asyncio.sleep(OUTAGE_WAIT)

    async def _sit_out(self, chat: ChatAddress, given_up: float) -> None:
        """Wait for the end of a flood wait. Raises RetryAfter where that takes too long, or too many wait already."""
        while (wait := self._flood.of_chat(chat)) > 0:
            waits_long = self._open.get(cast("asyncio.Task[None]", asyncio.current_task()))
            is_crowded = len(self._open) > MOST_WAITING
            if asyncio.get_running_loop().time() + wait > given_up or is_crowded or waits_long is None:
                raise RetryAfter(math.ceil(wait))
            if wait > IN_TURN and not waits_long.is_set():
                waits_long.set()
                fields = {"channel": self._account, "seconds": math.ceil(wait)}
                log.warning("reply waits for the end of a flood wait", extra=fields)
            await asyncio.sleep(wait)

    async def _post(self, chat: ChatAddress, part: _Part, edit: Message | None) -> None:
        """Edit the message if that is possible, else send a new one."""
        await self._commands.acquire(chat.through(self._account))
        if edit is not None and await self._edit(edit, part):
            return
        if part.rich is not None and await self._poster.post_rich(chat, part.rich, part.buttons) is not None:
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
            if part.rich is not None and await self._poster.edit_rich(message, part.rich, part.buttons) is not None:
                return True
            await self._bot.edit_message_text(
                part.text,
                message.chat_id,
                message.message_id,
                parse_mode=ParseMode.HTML,
                link_preview_options=part.preview,
                reply_markup=part.buttons,
            )
        except BadRequest as error:
            if errors.mentions(error, *errors.NOT_MODIFIED):
                return True
            if errors.mentions(error, *errors.NOT_EDITABLE):
                return False
            raise
        return True

    async def _send_recording(self, chat: ChatAddress, recording: Recording) -> None:
        await self._commands.acquire(chat.through(self._account))
        with suppress(OSError):  # deleted a moment ago
            await self._recordings.send(self._bot, chat, recording)

    async def _send_file(self, chat: ChatAddress, reply: Reply) -> None:
        assert reply.file is not None
        captions = split(text_of(without_papers(reply), self._template), LONGEST_CAPTION)
        await self._commands.acquire(chat.through(self._account))
        if reply.file.media_type.startswith("image/"):
            name, content = reply.file.name, reply.file.content
            caption = captions[0] if captions else None
            await self._pictures.send_once(self._bot, chat, name, lambda: content, caption=caption)
            return
        await self._bot.send_document(
            chat.id,
            reply.file.content,
            caption=captions[0] if captions else None,
            parse_mode=ParseMode.HTML,
            filename=reply.file.name,
            message_thread_id=chat.topic,
        )
