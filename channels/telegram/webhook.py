"""Updates by webhook: Telegram posts each to the web server, and again until it is accepted.

https://core.telegram.org/bots/api#setwebhook: HTTPS only; each request carries the secret token that was set.
"""

from __future__ import annotations

import asyncio
import json
from collections import OrderedDict
from datetime import timedelta
from hmac import compare_digest

from telegram import Bot, Update, WebhookInfo
from telegram.error import TelegramError

from bot.channel import Commands, Hook
from bot.runtime.text import printable
from channels.telegram.polling import FIRST_BACKOFF, UPDATE_TYPES, ChatQueues, Handle, back_off, clock

SECRET = "X-Telegram-Bot-Api-Secret-Token"  # noqa: S105 - a header's name
ANSWER_WITHIN = 12.0
"""Seconds before a request is answered; an update that takes longer goes on in the background."""
LONGEST_ERROR = 200
"""Characters of Telegram's own words that are passed on."""
REMEMBERED = 2_000
"""Update ids kept to recognise an update that is posted again."""
CHECK_INTERVAL = 60.0
"""Seconds between two checks that the webhook is still ours, and that Telegram reaches it."""
RETRIED_WITHIN = timedelta(minutes=15)
"""How old Telegram's last failure to post may be while updates wait: between its attempts it says nothing new."""


async def keep_webhook(bot: Bot, url: str, secret: str, commands: Commands, account: str) -> None:
    """Keep a bot's webhook set until cancelled. Outages are told to `commands`, and tried again for ever."""
    backoff, is_set = FIRST_BACKOFF, False
    while True:
        try:
            info = await bot.get_webhook_info()
            if not is_set or info.url != url:
                await bot.set_webhook(url, allowed_updates=UPDATE_TYPES, secret_token=secret)
            backoff = FIRST_BACKOFF
        except TelegramError as error:
            backoff = await back_off(error, backoff, commands, account)
            continue
        if is_set and (refused := unreachable(info)) is not None:
            await commands.not_listening(account, refused, clock())
        else:
            await commands.listening(account, clock())
        is_set = True
        await asyncio.sleep(CHECK_INTERVAL)


def unreachable(info: WebhookInfo) -> str | None:
    """Why updates that wait do not reach us, as Telegram says; None if all is well."""
    if not info.pending_update_count or info.last_error_date is None:
        return None
    if clock() - info.last_error_date > RETRIED_WITHIN:
        return None
    said = printable(info.last_error_message or "")[:LONGEST_ERROR]
    return f"Telegram cannot reach the webhook below PUBLIC_URL ({said})"


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
