"""The bot's profile: command menus and descriptions, set in every language.

https://core.telegram.org/bots/api#setmycommands: menus are kept per scope and two-letter language code. Telegram's only
`zh` is used for Simplified Chinese; readers of Traditional Chinese get a menu for their own chat.
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Mapping, Sequence

import telegram
from telegram.error import InvalidToken, TelegramError

from bot.channel import CommandName, Commands, Kit
from channels.telegram.callbacks import READ_ONLY

log = logging.getLogger(__name__)

SYNCED = "menus"
"""The memory's key for the digest of what was set last."""
LONGEST_DESCRIPTION, LONGEST_SHORT = 512, 120
GROUP_COMMANDS = READ_ONLY | {CommandName.SETTINGS, CommandName.WHY, CommandName.HELP, CommandName.PRIVACY}
"""The commands offered to every member of a group; its administrators are offered all."""

Menu = Mapping[str, str]
"""Commands and what they are for, in their order."""


class Profile:
    """Keeps menus and descriptions as they should be, and sets only what has changed."""

    def __init__(self, bot: telegram.Bot, commands: Commands, kit: Kit) -> None:
        self._bot = bot
        self._commands = commands
        self._memory, self._account = kit.memory, kit.name

    async def update(self) -> None:
        """Set menus and descriptions in every language. A refusal is logged, and retried at the next start.

        Raises:
            InvalidToken: Telegram rejects the token.
        """
        menus = {tag: self._menu(tag) for tag in self._commands.languages()}
        texts = {tag: self._commands.introduction(tag) for tag in menus}
        state = [self._bot.id, menus, texts]
        digest = hashlib.sha256(json.dumps(state).encode()).hexdigest()
        if await self._memory.get(SYNCED) == digest:
            return
        try:
            for tag, menu in menus.items():
                code = _language_code(tag)
                if code is not None:
                    await self._set(code, menu, *texts[tag])
        except InvalidToken:
            raise
        except TelegramError as error:
            fields = {"channel": self._account, "reason": error.message}
            log.warning("command menus not set, next try at the next start", extra=fields)
            return
        await self._memory.put(SYNCED, digest)

    async def update_chat(self, chat_id: int, language: str, *, operator: bool) -> None:
        """Set a menu for one chat if the common one does not suit it: for Traditional Chinese and for operators."""
        key, needed = f"menu {chat_id}", operator or _language_code(language) is None
        menu = self._menu(language, operator=operator)
        state = f"{self._bot.id} {[*menu.items()]}"
        digest = hashlib.sha256(state.encode()).hexdigest()[:16] if needed else ""
        if (await self._memory.get(key) or "") == digest:
            return
        scope: telegram.BotCommandScope = telegram.BotCommandScopeChat(chat_id)
        try:
            if needed:
                await self._bot.set_my_commands(_bot_commands(menu), scope)
            else:
                await self._bot.delete_my_commands(scope)
        except TelegramError as error:
            log.warning("command menu of a chat not set", extra={"channel": self._account, "reason": error.message})
            return
        await self._memory.put(key, digest)

    async def _set(self, code: str, menu: Menu, short: str, long: str) -> None:
        await self._bot.set_my_short_description(short[:LONGEST_SHORT], language_code=code)
        await self._bot.set_my_description(long[:LONGEST_DESCRIPTION], language_code=code)
        for_members = {command: purpose for command, purpose in menu.items() if command in GROUP_COMMANDS}
        scopes: Sequence[tuple[telegram.BotCommandScope, Menu]] = [
            (telegram.BotCommandScopeAllPrivateChats(), menu),
            (telegram.BotCommandScopeAllGroupChats(), for_members),
            (telegram.BotCommandScopeAllChatAdministrators(), menu),
        ]
        for scope, offered in scopes:
            await self._bot.set_my_commands(_bot_commands(offered), scope, language_code=code)

    def _menu(self, language: str, *, operator: bool = False) -> Menu:
        listed = self._commands.listed(self._account, language)
        return {info.name: info.purpose for info in listed if operator or not info.for_operators}


def _bot_commands(menu: Menu) -> list[telegram.BotCommand]:
    return [telegram.BotCommand(name, purpose) for name, purpose in menu.items()]


def _language_code(tag: str) -> str | None:
    """Telegram's code of a language: empty for the default, None where Telegram has none."""
    if tag == "en":
        return ""
    language, _, script = tag.partition("-")
    return None if script == "Hant" or len(language) != 2 else language
