"""What Telegram shows of the bot before anybody has written to it: its menus of commands and its descriptions.

https://core.telegram.org/bots/api#setmycommands: menus are kept per scope and per language of two letters. Telegram has
one `zh`, which is Simplified Chinese here; whoever reads Traditional gets a menu of their own chat.
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Mapping, Sequence

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

from bot.channel import FOR_OPERATORS, Command, Commands, Memory
from bot.model import Extra

log = logging.getLogger(__name__)

SYNCED = "menus"
LONGEST_DESCRIPTION, LONGEST_SHORT = 512, 120
IN_GROUPS = (
    Command.TODAY,
    Command.WEEK,
    Command.MONTH,
    Command.DATE,
    Command.TOP,
    Command.SEARCH,
    Command.PAPER,
    Command.SETTINGS,
    Command.WHY,
    Command.HELP,
    Command.PRIVACY,
)
"""What everybody may ask in a group; those who run it see all."""


async def introduce(bot: Bot, commands: Commands, memory: Memory, *, offered: Sequence[Extra]) -> None:
    """Set menus and descriptions in every language, if they are not what they were when they were set last."""
    menus = {tag: _menu(commands.purposes(tag), offered) for tag in commands.languages()}
    texts = {tag: commands.introduction(tag) for tag in menus}
    state = json.dumps([bot.id, {tag: {c.value: p for c, p in menu.items()} for tag, menu in menus.items()}, texts])
    digest = hashlib.sha256(state.encode()).hexdigest()
    if await memory.get(SYNCED) == digest:
        return
    try:
        for tag, menu in menus.items():
            code = _code(tag)
            if code is None:
                continue
            short, whole = texts[tag]
            await bot.set_my_short_description(short[:LONGEST_SHORT], language_code=code)
            await bot.set_my_description(whole[:LONGEST_DESCRIPTION], language_code=code)
            everything = _commands(menu)
            for_all = _commands({command: menu[command] for command in IN_GROUPS})
            await bot.set_my_commands(everything, BotCommandScopeAllPrivateChats(), language_code=code)
            await bot.set_my_commands(for_all, BotCommandScopeAllGroupChats(), language_code=code)
            await bot.set_my_commands(everything, BotCommandScopeAllChatAdministrators(), language_code=code)
    except InvalidToken:
        raise
    except TelegramError as error:  # the bot works without; it is tried again at the next start
        log.warning("menus could not be set", extra={"channel": "telegram", "reason": error.message})
        return
    await memory.put(SYNCED, digest)


async def introduce_in(
    bot: Bot, chat: int, language: str, commands: Commands, memory: Memory, *, offered: Sequence[Extra], operator: bool
) -> None:
    """Give a chat a menu of its own, where the one for everybody is not it: Traditional Chinese, and operators."""
    key, needed = f"menu {chat}", operator or _code(language) is None
    menu = _menu(commands.purposes(language), offered, operator=operator)
    state = f"{bot.id} {[(command.value, purpose) for command, purpose in menu.items()]}"
    wanted = hashlib.sha256(state.encode()).hexdigest()[:16] if needed else ""
    if (await memory.get(key) or "") == wanted:
        return
    scope: BotCommandScope = BotCommandScopeChat(chat)
    try:
        if needed:
            await bot.set_my_commands(_commands(menu), scope)
        else:
            await bot.delete_my_commands(scope)
    except TelegramError as error:
        log.warning("menu could not be set", extra={"channel": "telegram", "reason": error.message})
        return
    await memory.put(key, wanted)


def _menu(
    purposes: Mapping[Command, str], offered: Sequence[Extra], *, operator: bool = False
) -> Mapping[Command, str]:
    unknown = {Command(extra.value) for extra in Extra if extra not in offered}
    if not operator:
        unknown |= FOR_OPERATORS
    return {command: purpose for command, purpose in purposes.items() if command not in unknown}


def _commands(menu: Mapping[Command, str]) -> list[BotCommand]:
    return [BotCommand(command.value, purpose) for command, purpose in menu.items()]


def _code(tag: str) -> str | None:
    """Telegram's code of a language: none for the one that everybody without another gets."""
    if tag == "en":
        return ""
    language, _, script = tag.partition("-")
    return None if script == "Hant" or len(language) != 2 else language
