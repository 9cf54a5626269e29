"""Updates by webhook: Telegram posts them to the web side, one after another, until each is accepted.

https://core.telegram.org/bots/api#setwebhook: https alone; what is posted carries the secret that was given.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections import OrderedDict
from hmac import compare_digest
from weakref import WeakValueDictionary

from telegram import Bot, Update
from telegram.error import InvalidToken, TelegramError

from bot.channel import Hook, LoginError
from channels.telegram import errors
from channels.telegram.listener import WANTED, Handle

log = logging.getLogger(__name__)

SECRET = "X-Telegram-Bot-Api-Secret-Token"  # noqa: S105 - a header's name
FINISHED_IN = 12.0
"""Seconds for one update; what takes longer goes on, and is not posted again."""
REMEMBERED = 2_000
"""Updates by whose numbers a second post of the same is known."""
LOOK = 600.0
"""Seconds between two looks at whether Telegram still posts to us."""
FIRST_BREAK, LONGEST_BREAK = 1.0, 60.0


async def hold(bot: Bot, address: str, secret: str) -> None:
    """Have updates posted to `address`, until cancelled. Raises LoginError."""
    rest, is_ours = FIRST_BREAK, False
    while True:
        try:
            if not is_ours or (await bot.get_webhook_info()).url != address:
                await bot.set_webhook(address, allowed_updates=WANTED, secret_token=secret)
            is_ours, rest = True, FIRST_BREAK
        except InvalidToken:
            raise LoginError("Telegram does not know TELEGRAM_TOKEN any more.") from None
        except TelegramError as error:
            if rest == FIRST_BREAK:
                log.warning("Telegram is out of reach", extra={"reason": errors.reason(error)})
            await asyncio.sleep(rest)
            rest = min(2 * rest, LONGEST_BREAK)
            continue
        await asyncio.sleep(LOOK)


async def take(hook: Hook, bot: Bot, secret: str, posted: WebhookUpdates) -> int:
    """Handle one update that was posted; the status to answer with, which accepts it or not."""
    if not compare_digest(hook.headers.get(SECRET, "").encode("utf-8", "replace"), secret.encode()):
        return 403
    try:
        update = Update.de_json(json.loads(hook.body), bot)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return 400
    await posted.take(update)
    return 200


class WebhookUpdates:
    """Updates that were posted: at once for different chats, one after the other for each, each once.

    Several may be posted at the same time, and not in their order.
    """

    def __init__(self, handle: Handle) -> None:
        self._handle = handle
        self._seen: OrderedDict[int, None] = OrderedDict()
        self._tasks: set[asyncio.Task[None]] = set()
        self._queues: WeakValueDictionary[int, asyncio.Lock] = WeakValueDictionary()

    async def take(self, update: Update) -> None:
        """Handle an update, unless that was begun before; what takes too long goes on by itself."""
        if update.update_id in self._seen:
            return
        self._seen[update.update_id] = None
        if len(self._seen) > REMEMBERED:
            self._seen.popitem(last=False)
        task = asyncio.create_task(self._in_order(update))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        await asyncio.wait([task], timeout=FINISHED_IN)

    async def _in_order(self, update: Update) -> None:
        whom = update.effective_chat or update.effective_user
        queue = self._queues.setdefault(0 if whom is None else whom.id, asyncio.Lock())
        async with queue:
            try:
                await self._handle(update)
            except Exception:  # one update costs the others nothing
                log.exception("update failed", extra={"channel": "telegram"})
