"""Methods for the bot's profile: its commands and texts in each language."""

import json
import re
from typing import Any

from tests.support.telegram_server.arguments import Arguments
from tests.support.telegram_server.refusal import bad_request
from tests.support.telegram_server.world import World

COMMANDS, DESCRIPTION = 100, 256
TEXTS = {"description": 512, "short_description": 120, "name": 64}
"""Most commands; most characters of a command's description and of each text. core.telegram.org/bots/api."""

COMMAND = re.compile(r"[a-z0-9_]{1,32}", re.ASCII)
LANGUAGE = re.compile(r"[a-z]{2}", re.ASCII)
WITH_CHAT = {"chat": (), "chat_administrators": (), "chat_member": ("user_id",)}
SCOPES = {"default", "all_private_chats", "all_group_chats", "all_chat_administrators", *WITH_CHAT}


def get_me(world: World, _: Arguments) -> dict[str, Any]:
    return world.bot


def get_my_star_balance(world: World, _: Arguments) -> dict[str, Any]:
    return {"amount": int(world.rates.stars) if world.rates else 0}


def set_my_commands(world: World, arguments: Arguments) -> bool:
    commands = arguments.object("commands", "bot commands")
    key = _key(world, arguments)
    if not isinstance(commands, list):
        raise bad_request("expected an Array of BotCommand")
    if len(commands) > COMMANDS:
        raise bad_request("BOT_COMMANDS_TOO_MUCH")
    for command in commands:
        name, description = str(command.get("command", "")), str(command.get("description", ""))
        if not COMMAND.fullmatch(name.removeprefix("/")):
            raise bad_request("BOT_COMMAND_INVALID")
        if not 1 <= len(description.strip()) <= DESCRIPTION:
            raise bad_request("BOT_COMMAND_DESCRIPTION_INVALID")
    world.commands[key] = [
        {"command": command["command"].removeprefix("/"), "description": command["description"]} for command in commands
    ]
    return True


def get_my_commands(world: World, arguments: Arguments) -> list[dict[str, str]]:
    return world.commands.get(_key(world, arguments), [])


def delete_my_commands(world: World, arguments: Arguments) -> bool:
    world.commands.pop(_key(world, arguments), None)
    return True


def set_text(name: str) -> Any:
    """The method that sets the bot's `description`, `short_description` or `name`."""

    def method(world: World, arguments: Arguments) -> bool:
        text, language = arguments.text(name), _language(arguments)
        if len(text) > TEXTS[name]:
            raise bad_request(f"{name.replace('_', ' ')} is too long")
        world.descriptions[name, language] = text
        return True

    return method


def get_text(name: str) -> Any:
    """The method that gives it back: that of the language, else that of all others."""

    def method(world: World, arguments: Arguments) -> dict[str, str]:
        texts = world.descriptions
        default = world.bot["first_name"] if name == "name" else ""
        return {name: texts.get((name, _language(arguments))) or texts.get((name, ""), default)}

    return method


def _key(world: World, arguments: Arguments) -> tuple[str, str]:
    scope = arguments.object("scope", "BotCommandScope") or {"type": "default"}
    if not isinstance(scope, dict) or scope.get("type") not in SCOPES:
        raise bad_request("can't parse BotCommandScope: Unsupported type specified")
    if scope["type"] in WITH_CHAT:
        chat = world.find(str(scope.get("chat_id", "")))
        if chat is None:
            raise bad_request("chat not found")
        scope = {**scope, "chat_id": chat.chat_id}
    return json.dumps(scope, sort_keys=True), _language(arguments)


def _language(arguments: Arguments) -> str:
    language = arguments.text("language_code")
    if language and not LANGUAGE.fullmatch(language):
        raise bad_request("invalid language code specified")
    return language
