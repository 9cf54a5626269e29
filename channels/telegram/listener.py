"""Long polling: what people do is taken from Telegram, handled, and only then confirmed.

https://core.telegram.org/bots/api#getupdates: a call with a higher offset confirms what came before it, so what is
being handled when the process is killed comes again at the next start.
"""

from __future__ import annotations

import asyncio
import logging
from collections import defaultdict
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import UTC, datetime

from telegram import Bot, Update
from telegram.error import BadRequest, Conflict, InvalidToken, NetworkError, RetryAfter, TelegramError

from bot.channel import LoginError
from channels.telegram import refusals

log = logging.getLogger(__name__)

WANTED = ["message", "channel_post", "callback_query", "inline_query", "my_chat_member"]
AT_ONCE = 100
HELD = 50
"""Seconds that Telegram holds a call while there is nothing to tell."""
CONFIRMED_AFTER = 2.0
"""Seconds that the next call waits for what the last one brought: something slow holds up nobody else for longer."""
FINISHED_IN = 3.0
"""Seconds for what is being handled when the listening ends."""
FIRST_BREAK, LONGEST_BREAK = 1.0, 60.0
SECOND_POLLER = (
    "Another program reads this bot's messages with the same token: stop it, or have @BotFather make a new token, "
    "and start this one again."
)

Handle = Callable[[Update], Awaitable[None]]


def clock() -> datetime:
    """Now: who listens to people lives in their time."""
    return datetime.now(UTC)


async def poll(bot: Bot, handle: Handle) -> None:
    """Hand every update to `handle`, those of one chat in their order, until cancelled. Raises LoginError."""
    if (await bot.get_webhook_info()).url:
        await bot.delete_webhook()
    crowd = Crowd(handle)
    offset: int | None = None
    rest = FIRST_BREAK
    try:
        while True:
            try:
                updates = await bot.get_updates(offset, AT_ONCE, HELD, allowed_updates=WANTED)
            except Conflict:
                raise LoginError(SECOND_POLLER) from None
            except InvalidToken:
                raise LoginError("Telegram does not know TELEGRAM_TOKEN any more.") from None
            except RetryAfter as wait:
                await asyncio.sleep(refusals.seconds(wait))
                continue
            except NetworkError as error:
                if isinstance(error, BadRequest):
                    raise
                if rest == FIRST_BREAK:
                    log.warning("Telegram is out of reach", extra={"reason": refusals.reason(error)})
                await asyncio.sleep(rest)
                rest = min(2 * rest, LONGEST_BREAK)
                continue
            rest = FIRST_BREAK
            for update in updates:
                offset = update.update_id + 1
                crowd.take(update)
            await crowd.settled(CONFIRMED_AFTER)
    finally:
        await crowd.settled(FINISHED_IN)
        if offset is not None:
            with suppress(TelegramError):
                await bot.get_updates(offset, limit=1, timeout=0, read_timeout=FINISHED_IN)


class Crowd:
    """Updates that are being handled: at once for different chats, one after the other for each."""

    def __init__(self, handle: Handle) -> None:
        self._handle = handle
        self._tasks: set[asyncio.Task[None]] = set()
        self._queues: dict[int, asyncio.Lock] = defaultdict(asyncio.Lock)

    def take(self, update: Update) -> None:
        """Begin to handle an update."""
        chat = update.effective_chat or update.effective_user
        task = asyncio.create_task(self._in_order(update, 0 if chat is None else chat.id))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def settled(self, seconds: float) -> None:
        """Wait for what is being handled, at most so long."""
        if self._tasks:
            await asyncio.wait(set(self._tasks), timeout=seconds)

    async def _in_order(self, update: Update, chat: int) -> None:
        queue = self._queues[chat]
        async with queue:
            try:
                await self._handle(update)
            except Exception:  # one update costs the others nothing
                log.exception("update failed", extra={"channel": "telegram"})
        if not queue.locked() and not getattr(queue, "_waiters", None):
            self._queues.pop(chat, None)
