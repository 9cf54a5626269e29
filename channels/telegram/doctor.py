"""Checks of the bot's account for `papers doctor`."""

from __future__ import annotations

from collections.abc import Sequence

from telegram import Bot
from telegram.error import InvalidToken, TelegramError

from bot.channel import Finding
from channels.telegram import errors

WRONG_TOKEN = "Telegram rejects {setting}: copy it again from @BotFather, or create a new one there."  # noqa: S105 - a sentence


async def check(bot: Bot, account: str, setting: str) -> Sequence[Finding]:
    """The account, its webhook, and whether inline mode is on. `setting` holds its token."""
    try:
        me = await bot.get_me()
        webhook = await bot.get_webhook_info()
    except InvalidToken:
        return [Finding(account, False, WRONG_TOKEN.format(setting=setting))]
    except TelegramError as error:
        return [Finding(account, False, f"Telegram could not be asked ({errors.reason(error)})")]
    found = [Finding(account, True, f"@{me.username} is ready; subscribe at https://t.me/{me.username}")]
    if webhook.url:
        says = "a webhook is set for this bot; `papers run` replaces or removes it"
        found.append(Finding(account, True, says))
    if not me.supports_inline_queries:
        says = "inline mode is off: send /setinline to @BotFather to let people search papers from any chat"
        found.append(Finding(account, True, says))
    return found
