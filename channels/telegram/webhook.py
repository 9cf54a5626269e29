"""Updates by webhook: Telegram posts each to the web server, and again until it is accepted.

https://core.telegram.org/bots/api#setwebhook: HTTPS only; each request carries the secret token that was set.
"""

from __future__ import annotations

import asyncio
import json
from collections import OrderedDict
from hmac import compare_digest

from telegram import Bot, Update
from telegram.error import InvalidToken, TelegramError

from bot.channel import Hook, LoginError
from channels.telegram.polling import FIRST_BACKOFF, TOKEN_REVOKED, UPDATE_TYPES, ChatQueues, Handle, back_off

SECRET = "X-Telegram-Bot-Api-Secret-Token"  # noqa: S105 - a header's name
ANSWER_WITHIN = 12.0
"""Seconds before a request is answered; an update that takes longer goes on in the background."""
REMEMBERED = 2_000
"""Update ids kept to recognise an update that is posted again."""
CHECK_INTERVAL = 600.0
"""Seconds between two checks that the webhook is still ours."""


async def keep_webhook(bot: Bot, url: str, secret: str) -> None:
    """Set the webhook and keep it set, until cancelled.

    Raises:
        LoginError: Telegram rejects the token.
    """
    backoff, is_set = FIRST_BACKOFF, False
    while True:
        try:
            if not is_set or (await bot.get_webhook_info()).url != url:
                await bot.set_webhook(url, allowed_updates=UPDATE_TYPES, secret_token=secret)
            backoff, is_set = FIRST_BACKOFF, True
        except InvalidToken:
            raise LoginError(TOKEN_REVOKED) from None
        except TelegramError as error:
            backoff = await back_off(error, backoff)
            continue
        await asyncio.sleep(CHECK_INTERVAL)


async def handle_request(hook: Hook, bot: Bot, secret: str, updates: WebhookUpdates) -> int:
    """Handle one request with an update; returns the HTTP status: 200, or 400 or 403 for what is not accepted."""
    if not compare_digest(hook.headers.get(SECRET, "").encode("utf-8", "replace"), secret.encode()):
        return 403
    try:
        update = Update.de_json(json.loads(hook.body), bot)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return 400
    await updates.handle(update)
    return 200


class WebhookUpdates:
    """Handles posted updates once each; several may be posted at the same time, and out of order."""

    def __init__(self, handle: Handle) -> None:
        self._chats = ChatQueues(handle)
        self._seen: OrderedDict[int, None] = OrderedDict()
        self._tasks: set[asyncio.Task[None]] = set()

    async def handle(self, update: Update) -> None:
        """Handle an update, unless it was seen before; returns after `ANSWER_WITHIN` at the latest."""
        if update.update_id in self._seen:
            return
        self._seen[update.update_id] = None
        if len(self._seen) > REMEMBERED:
            self._seen.popitem(last=False)
        task = asyncio.create_task(self._chats.handle(update))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        await asyncio.wait([task], timeout=ANSWER_WITHIN)
