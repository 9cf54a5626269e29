"""The bot's profile: command menus and descriptions, set in every language.

https://core.telegram.org/bots/api#setmycommands: menus are kept per scope and two-letter language code. Telegram's only
`zh` is used for Simplified Chinese; readers of Traditional Chinese get a menu for their own chat.
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Mapping

from telegram import (
    Bot,
    BotCommand,
    BotCommandScope,
    BotCommandScopeAllChatAdministrators,
    BotCommandScopeAllGroupChats,
    BotCommandScopeAllPrivateChats,
    BotCommandScopeChat,
)
from telegram.error import InvalidToken, TelegramError

from bot.channel import CommandName, Commands, Memory

log = logging.getLogger(__name__)

SYNCED = "menus"
"""The memory's key for the digest of what was set last."""
LONGEST_DESCRIPTION, LONGEST_SHORT = 512, 120
GROUP_COMMANDS = (
    CommandName.TODAY,
    CommandName.WEEK,
    CommandName.MONTH,
    CommandName.DATE,
    CommandName.TOP,
    CommandName.SEARCH,
    CommandName.PAPER,
    CommandName.SETTINGS,
    CommandName.WHY,
    CommandName.HELP,
    CommandName.PRIVACY,
)
"""The commands offered to every member of a group; its administrators are offered all."""


async def update_profile(bot: Bot, commands: Commands, memory: Memory) -> None:
    """Set menus and descriptions in every language, unless they are set already.

    A refusal is logged and retried at the next start.

    Raises:
        InvalidToken: Telegram rejects the token.
    """
    menus = {tag: _menu(commands, tag) for tag in commands.languages()}
    texts = {tag: commands.introduction(tag) for tag in menus}
    state = json.dumps([bot.id, menus, texts])
    digest = hashlib.sha256(state.encode()).hexdigest()
    if await memory.get(SYNCED) == digest:
        return
    try:
        for tag, menu in menus.items():
            code = _language_code(tag)
            if code is None:
                continue
            short, long = texts[tag]
            await bot.set_my_short_description(short[:LONGEST_SHORT], language_code=code)
            await bot.set_my_description(long[:LONGEST_DESCRIPTION], language_code=code)
            everything = _bot_commands(menu)
            for_members = _bot_commands({name: menu[name] for name in GROUP_COMMANDS})
            await bot.set_my_commands(everything, BotCommandScopeAllPrivateChats(), language_code=code)
            await bot.set_my_commands(for_members, BotCommandScopeAllGroupChats(), language_code=code)
            await bot.set_my_commands(everything, BotCommandScopeAllChatAdministrators(), language_code=code)
    except InvalidToken:
        raise
    except TelegramError as error:
        log.warning(
            "command menus not set, next try at the next start", extra={"channel": "telegram", "reason": error.message}
        )
        return
    await memory.put(SYNCED, digest)


async def update_chat_menu(
    bot: Bot,
    chat_id: int,
    language: str,
    commands: Commands,
    memory: Memory,
    *,
    operator: bool,
) -> None:
    """Set a menu for one chat if it needs another than the common one: for Traditional Chinese and for operators."""
    key, needed = f"menu {chat_id}", operator or _language_code(language) is None
    menu = _menu(commands, language, operator=operator)
    state = f"{bot.id} {[*menu.items()]}"
    digest = hashlib.sha256(state.encode()).hexdigest()[:16] if needed else ""
    if (await memory.get(key) or "") == digest:
        return
    scope: BotCommandScope = BotCommandScopeChat(chat_id)
    try:
        if needed:
            await bot.set_my_commands(_bot_commands(menu), scope)
        else:
            await bot.delete_my_commands(scope)
    except TelegramError as error:
        log.warning("command menu of a chat not set", extra={"channel": "telegram", "reason": error.message})
        return
    await memory.put(key, digest)


def _menu(commands: Commands, language: str, *, operator: bool = False) -> Mapping[str, str]:
    """The commands of a menu with their descriptions."""
    listed = commands.listed("telegram", language)
    return {info.name: info.purpose for info in listed if operator or not info.for_operators}


def _bot_commands(menu: Mapping[str, str]) -> list[BotCommand]:
    return [BotCommand(name, purpose) for name, purpose in menu.items()]


def _language_code(tag: str) -> str | None:
    """Telegram's code of a language: empty for the default, None where Telegram has none."""
    if tag == "en":
        return ""
    language, _, script = tag.partition("-")
    return None if script == "Hant" or len(language) != 2 else language
