"""Long polling: what people do is taken from Telegram, handled, and only then confirmed.

https://core.telegram.org/bots/api#getupdates: a call confirms everything below its offset, and gives everything from it
on again. So the offset is the oldest update that is still being handled; what a stop or a kill cuts off comes again at
the next start.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

from telegram import Bot, Update
from telegram.error import (
    BadRequest,
    Conflict,
    EndPointNotFound,
    InvalidToken,
    NetworkError,
    RetryAfter,
    TelegramError,
)

from bot.channel import LoginError
from channels.telegram import errors

log = logging.getLogger(__name__)

WANTED = ["message", "channel_post", "callback_query", "inline_query", "my_chat_member"]
AT_ONCE = 100
"""Updates that may be on hand at a time; Telegram gives no more in one call."""
HELD = 50
"""Seconds that Telegram holds a call while there is nothing to tell."""
GLANCE = 0.1
"""Seconds between two looks at what is new while something is being handled."""
A_CHAT = 20
"""Updates of one chat that may wait for each other; whoever does more at once is not heard, and holds up nobody."""
FINISHED_IN = 3.0
"""Seconds for what is being handled when the listening ends."""
FIRST_BREAK, LONGEST_BREAK = 1.0, 60.0
SECOND_POLLER = (
    "Another program reads this bot's messages with the same token: stop it, or have @BotFather make a new token, "
    "and start this one again."
)
NOT_KNOWN = "Telegram does not know the token in TELEGRAM_TOKEN any more: have @BotFather make a new one."

Handle = Callable[[Update], Awaitable[None]]


def clock() -> datetime:
    """Now: who listens to people lives in their time."""
    return datetime.now(UTC)


async def poll(bot: Bot, handle: Handle) -> None:
    """Hand every update to `handle`, those of one chat in their order, until cancelled. Raises LoginError."""
    update_queue = UpdateQueue(handle)
    try:
        await _take_down_webhook(bot)
        await _take_for_ever(bot, update_queue)
    except Conflict:  # a last call would end the other's
        await update_queue.end()
        raise LoginError(SECOND_POLLER) from None
    except (InvalidToken, EndPointNotFound) as error:
        await update_queue.end()
        if not errors.is_telegrams(error):
            raise ConnectionError("something between us and Telegram answered in its place") from None
        raise LoginError(NOT_KNOWN) from None
    except asyncio.CancelledError:
        await update_queue.end()
        if update_queue.oldest is not None:
            with suppress(TelegramError):
                await _updates(bot, update_queue.oldest, 0, limit=1)
        raise


async def _take_for_ever(bot: Bot, update_queue: UpdateQueue) -> None:
    """Take what is new; what is wrong with the network passes."""
    rest = FIRST_BREAK
    while True:
        if update_queue.is_busy:
            await update_queue.moved_on(GLANCE)
        try:
            for raw in await _updates(bot, update_queue.oldest, 0 if update_queue.is_busy else HELD):
                update_queue.take(raw, bot)
            rest = FIRST_BREAK
        except RetryAfter as wait:
            await asyncio.sleep(errors.seconds(wait))
        except NetworkError as error:
            if isinstance(error, BadRequest):
                raise
            if rest == FIRST_BREAK:
                log.warning("Telegram is out of reach", extra={"reason": errors.reason(error)})
            await asyncio.sleep(rest)
            rest = min(2 * rest, LONGEST_BREAK)


async def _take_down_webhook(bot: Bot) -> None:
    """Where a web hook is set, Telegram gives nothing to who asks."""
    if (await bot.get_webhook_info()).url:
        await bot.delete_webhook()


async def _updates(bot: Bot, offset: int | None, held: int, *, limit: int = AT_ONCE) -> Sequence[Mapping[str, Any]]:
    """The updates as they came: one that the library cannot read must not keep the others from being read."""
    given: dict[str, Any] = {"limit": limit, "timeout": held, "allowed_updates": WANTED}
    if offset is not None:
        given["offset"] = offset
    # In small letters, which Telegram takes as well: asked for by its name, the library would rather read them itself.
    found: Sequence[Mapping[str, Any]] = await bot.do_api_request(
        "getupdates", api_kwargs=given, read_timeout=held + 15.0
    )
    return found


class UpdateQueue:
    """Updates that are being handled: at once for different chats, one after the other for each."""

    def __init__(self, handle: Handle) -> None:
        self._handle = handle
        self._tasks: dict[int, asyncio.Task[None]] = {}
        self._queues: defaultdict[int, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._waiting: Counter[int] = Counter()
        self._next: int | None = None

    @property
    def is_busy(self) -> bool:
        """Whether anything is being handled."""
        return bool(self._tasks)

    @property
    def oldest(self) -> int | None:
        """The number of the oldest update that is still being handled, or of the next one; None before the first."""
        return min(self._tasks, default=self._next)

    def take(self, raw: Mapping[str, Any], bot: Bot) -> None:
        """Begin to handle an update, unless that was done before."""
        number = int(raw["update_id"])
        if self._next is not None and number < self._next:
            return
        self._next = number + 1
        try:
            update = Update.de_json(dict(raw), bot)
        except Exception as error:  # noqa: BLE001 - whatever is odd about it, the next one may be sound
            log.warning("update cannot be read", extra={"channel": "telegram", "error": type(error).__name__})
            return
        whom = update.effective_chat or update.effective_user
        chat = 0 if whom is None else whom.id
        if self._waiting[chat] >= A_CHAT:
            return
        self._waiting[chat] += 1
        self._tasks[number] = asyncio.create_task(self._in_order(update, chat))

    async def moved_on(self, seconds: float) -> None:
        """Wait until something was handled, at most so long."""
        await asyncio.wait(self._tasks.values(), timeout=seconds, return_when=asyncio.FIRST_COMPLETED)

    async def end(self) -> None:
        """Give what is being handled a little time, then call it off: it comes again."""
        tasks = list(self._tasks.values())
        if tasks:
            await asyncio.wait(tasks, timeout=FINISHED_IN)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _in_order(self, update: Update, chat: int) -> None:
        queue = self._queues[chat]
        try:
            async with queue:
                await self._handle(update)
        except asyncio.CancelledError:  # not done, and so not confirmed
            raise
        except Exception:  # one update costs the others nothing
            log.exception("update failed", extra={"channel": "telegram"})
        self._done(update.update_id, chat)

    def _done(self, number: int, chat: int) -> None:
        self._tasks.pop(number, None)
        self._waiting[chat] -= 1
        if not self._waiting[chat]:
            del self._waiting[chat]
            self._queues.pop(chat, None)
