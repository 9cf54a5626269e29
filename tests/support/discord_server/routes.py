"""Routes of accounts, guilds, channels and commands, and the table of all routes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.support.discord_server import answering, posting
from tests.support.discord_server.errors import MalformedError, RefusalError
from tests.support.discord_server.messages import Json
from tests.support.discord_server.service import Call, Service

Handler = Callable[[Service, Call], Any]


def get_me(service: Service, call: Call) -> Any:
    """GET the bot's account."""
    return service.bot.json() | {"verified": True, "mfa_enabled": False, "email": None, "flags": 0}


def get_user(service: Service, call: Call) -> Any:
    """GET an account."""
    user = service.places.users.get(call.id("user_id"))
    if user is None:
        raise RefusalError(10013)
    return user.json()


def get_application(service: Service, call: Call) -> Any:
    """GET what the bot's app is."""
    person = next((each for each in service.places.users.values() if not each.bot), service.bot)
    counts = {"approximate_guild_count": len(_guilds(service)), "approximate_user_install_count": 0}
    return counts | {
        "id": str(service.bot.id),
        "name": service.bot.name,
        "icon": None,
        "description": "",
        "bot_public": True,
        "bot_require_code_grant": False,
        "verify_key": "0" * 64,
        "flags": 0,
        "owner": person.json(),
        "team": None,
        "summary": "",
        "integration_types_config": {"0": {}, "1": {}},
    }


def _guilds(service: Service) -> list[Json]:
    return [each.json() for each in service.places.guilds.values() if each.has_bot]


def get_guilds(service: Service, call: Call) -> Any:
    """GET the guilds that the bot is in."""
    return _guilds(service)


def get_gateway(service: Service, call: Call) -> Any:
    """GET the gateway's URL."""
    return {"url": service.gateway.url}


def get_bot_gateway(service: Service, call: Call) -> Any:
    """GET where the gateway is, and how often one may identify."""
    gateway = service.gateway
    left = max(0, gateway.identify_limit - len(gateway.identifies))
    start = {"total": gateway.identify_limit, "remaining": left, "reset_after": 86_400_000, "max_concurrency": 1}
    shards = 1 + len(_guilds(service)) // 2_500
    return {"url": gateway.url, "shards": shards, "session_start_limit": start}


def get_guild(service: Service, call: Call) -> Any:
    """GET a guild."""
    guild = service.places.joined(call.id("guild_id"))
    count = {"approximate_member_count": len(guild.members)} if "with_counts" in call.query else {}
    return guild.json() | count


def get_guild_channels(service: Service, call: Call) -> Any:
    """GET a guild's channels, which are not its threads."""
    guild = service.places.joined(call.id("guild_id"))
    return [each.json() for each in guild.channels.values() if not each.is_thread]


def get_active_threads(service: Service, call: Call) -> Any:
    """GET a guild's threads that are not archived."""
    guild = service.places.joined(call.id("guild_id"))
    threads = [each.json() for each in guild.channels.values() if each.is_thread and not each.archived]
    return {"threads": threads, "members": []}


def get_archived_threads(service: Service, call: Call) -> Any:
    """GET a channel's archived threads."""
    channel = service.places.visible(call.id("channel_id"))
    threads = [each.json() for each in service.places.channels.values() if each.parent is channel and each.archived]
    return {"threads": threads, "members": [], "has_more": False}


def get_member(service: Service, call: Call) -> Any:
    """GET a member of a guild, or the bot as one."""
    guild = service.places.joined(call.id("guild_id"))
    who = service.bot.id if call.params["user_id"] == "@me" else call.id("user_id")
    return guild.member(who).json()


def get_roles(service: Service, call: Call) -> Any:
    """GET a guild's roles."""
    return [each.json() for each in service.places.joined(call.id("guild_id")).roles.values()]


def leave_guild(service: Service, call: Call) -> Any:
    """DELETE the bot from a guild."""
    service.places.joined(call.id("guild_id")).remove_bot()


def get_channel(service: Service, call: Call) -> Any:
    """GET a channel."""
    return service.places.visible(call.id("channel_id")).json()


def open_direct(service: Service, call: Call) -> Any:
    """POST for the channel of the bot and a user; there is one whether or not they take messages."""
    recipient = (call.body or {}).get("recipient_id") if isinstance(call.body, dict) else None
    if recipient is None or not str(recipient).isdigit():
        raise MalformedError([(("recipient_id",), "NUMBER_TYPE_COERCE", f'Value "{recipient}" is not snowflake.')])
    user = service.places.users.get(int(recipient))
    if user is None:
        raise RefusalError(10013)
    if user.bot:
        raise RefusalError(50007)
    return service.places.direct(user).json()


def _scope(service: Service, call: Call) -> int | None:
    """The guild that commands are asked about, None for everywhere; refuses another app's."""
    if call.id("application_id") != service.bot.id:
        raise RefusalError(10002)
    if "guild_id" not in call.params:
        return None
    guild_id = call.id("guild_id")
    if guild_id not in service.places.guilds or not service.places.guilds[guild_id].has_bot:
        raise RefusalError(50001)
    return guild_id


def get_commands(service: Service, call: Call) -> Any:
    """GET all commands."""
    return service.registry.listed(_scope(service, call))


def put_commands(service: Service, call: Call) -> Any:
    """PUT the whole list."""
    return service.registry.put(call.body, _scope(service, call))


def post_command(service: Service, call: Call) -> Any:
    """POST one."""
    return service.registry.post(call.body, _scope(service, call))


def get_command(service: Service, call: Call) -> Any:
    """GET one."""
    scope = _scope(service, call)
    return service.registry.find(call.id("command_id"), scope)


def patch_command(service: Service, call: Call) -> Any:
    """PATCH one."""
    scope = _scope(service, call)
    return service.registry.patch(call.id("command_id"), call.body, scope)


def delete_command(service: Service, call: Call) -> Any:
    """DELETE one."""
    scope = _scope(service, call)
    service.registry.delete(call.id("command_id"), scope)


COMMANDS = "/applications/{application_id}/commands"
GUILD_COMMANDS = "/applications/{application_id}/guilds/{guild_id}/commands"
MESSAGES = "/channels/{channel_id}/messages"
MESSAGE = "/channels/{channel_id}/messages/{message_id}"
WEBHOOK = "/webhooks/{webhook_id}/{webhook_token}"
CALLBACK = "/interactions/{interaction_id}/{interaction_token}/callback"
ROUTES: dict[str, tuple[Handler, int]] = {
    "GET /users/@me": (get_me, 200),
    "GET /users/@me/guilds": (get_guilds, 200),
    "DELETE /users/@me/guilds/{guild_id}": (leave_guild, 204),
    "POST /users/@me/channels": (open_direct, 200),
    "GET /users/{user_id}": (get_user, 200),
    "GET /oauth2/applications/@me": (get_application, 200),
    "GET /applications/@me": (get_application, 200),
    "GET /gateway": (get_gateway, 200),
    "GET /gateway/bot": (get_bot_gateway, 200),
    "GET /guilds/{guild_id}": (get_guild, 200),
    "GET /guilds/{guild_id}/channels": (get_guild_channels, 200),
    "GET /guilds/{guild_id}/threads/active": (get_active_threads, 200),
    "GET /guilds/{guild_id}/members/{user_id}": (get_member, 200),
    "GET /guilds/{guild_id}/roles": (get_roles, 200),
    "GET /channels/{channel_id}": (get_channel, 200),
    "PATCH /channels/{channel_id}": (posting.edit_channel, 200),
    "GET /channels/{channel_id}/threads/archived/public": (get_archived_threads, 200),
    "POST /channels/{channel_id}/typing": (posting.type_in, 204),
    "PUT /channels/{channel_id}/thread-members/@me": (posting.join_thread, 204),
    f"GET {MESSAGES}": (posting.list_messages, 200),
    f"POST {MESSAGES}": (posting.create_message, 200),
    f"GET {MESSAGE}": (posting.get_message, 200),
    f"PATCH {MESSAGE}": (posting.edit_message, 200),
    f"DELETE {MESSAGE}": (posting.delete_message, 204),
    f"POST {MESSAGE}/crosspost": (posting.crosspost, 200),
    f"POST {MESSAGE}/threads": (posting.create_thread_of_message, 201),
    "POST /channels/{channel_id}/threads": (posting.create_thread, 201),
    f"POST {CALLBACK}": (answering.answer, 200),
    f"POST {WEBHOOK}": (answering.follow_up, 200),
    f"GET {WEBHOOK}/messages/@original": (answering.get_answer, 200),
    f"PATCH {WEBHOOK}/messages/@original": (answering.edit_answer, 200),
    f"DELETE {WEBHOOK}/messages/@original": (answering.delete_answer, 204),
    f"GET {WEBHOOK}/messages/{{message_id}}": (answering.get_answer, 200),
    f"PATCH {WEBHOOK}/messages/{{message_id}}": (answering.edit_answer, 200),
    f"DELETE {WEBHOOK}/messages/{{message_id}}": (answering.delete_answer, 204),
    f"GET {COMMANDS}": (get_commands, 200),
    f"PUT {COMMANDS}": (put_commands, 200),
    f"POST {COMMANDS}": (post_command, 201),
    f"GET {COMMANDS}/{{command_id}}": (get_command, 200),
    f"PATCH {COMMANDS}/{{command_id}}": (patch_command, 200),
    f"DELETE {COMMANDS}/{{command_id}}": (delete_command, 204),
    f"GET {GUILD_COMMANDS}": (get_commands, 200),
    f"PUT {GUILD_COMMANDS}": (put_commands, 200),
    f"POST {GUILD_COMMANDS}": (post_command, 201),
    f"GET {GUILD_COMMANDS}/{{command_id}}": (get_command, 200),
    f"PATCH {GUILD_COMMANDS}/{{command_id}}": (patch_command, 200),
    f"DELETE {GUILD_COMMANDS}/{{command_id}}": (delete_command, 204),
}
"""Every route there is, by its name in the service's description, and the status of its good answer."""
OPEN = ("GET /gateway", f"POST {CALLBACK}")
"""Routes that need no token of the bot's; the webhooks' do not either."""
