"""Permissions as bits, and how roles and overwrites add up (topics/permissions)."""

from __future__ import annotations

from collections.abc import Iterable

BITS = {
    "create_instant_invite": 0,
    "kick_members": 1,
    "ban_members": 2,
    "administrator": 3,
    "manage_channels": 4,
    "manage_guild": 5,
    "add_reactions": 6,
    "view_channel": 10,
    "send_messages": 11,
    "manage_messages": 13,
    "embed_links": 14,
    "attach_files": 15,
    "read_message_history": 16,
    "mention_everyone": 17,
    "use_external_emojis": 18,
    "connect": 20,
    "speak": 21,
    "change_nickname": 26,
    "manage_roles": 28,
    "manage_webhooks": 29,
    "use_application_commands": 31,
    "manage_threads": 34,
    "create_public_threads": 35,
    "create_private_threads": 36,
    "send_messages_in_threads": 38,
    "use_external_apps": 50,
    "pin_messages": 51,
}


def bits(*names: str) -> int:
    """Permissions by their names, as one number; KeyError for a name that is none."""
    return sum({1 << BITS[name] for name in names})


EVERYTHING = bits(*BITS)
ORDINARY = bits(
    "add_reactions",
    "view_channel",
    "send_messages",
    "embed_links",
    "attach_files",
    "read_message_history",
    "connect",
    "speak",
    "change_nickname",
    "use_application_commands",
    "create_public_threads",
    "send_messages_in_threads",
    "use_external_apps",
)
"""What @everyone may do in a new guild."""


def granted(base: Iterable[int], *, everything: bool = False) -> int:
    """What roles give together; an administrator, or an owner, may do everything."""
    total = 0
    for each in base:
        total |= each
    return EVERYTHING if everything or total & bits("administrator") else total


def overwritten(total: int, overwrites: dict[int, tuple[int, int]], everyone: int, roles: set[int], user: int) -> int:
    """What is left in a channel: @everyone's overwrite first, then the roles' together, then the member's own.

    `overwrites` are allowed and denied bits by the id of a role or a user.
    """
    if total & bits("administrator"):
        return EVERYTHING
    allow, deny = overwrites.get(everyone, (0, 0))
    total = total & ~deny | allow
    theirs = [overwrites[role] for role in roles if role in overwrites and role != everyone]
    for _, deny in theirs:
        total &= ~deny
    for allow, _ in theirs:
        total |= allow
    allow, deny = overwrites.get(user, (0, 0))
    total = total & ~deny | allow
    if not total & bits("view_channel"):
        return 0
    if not total & bits("send_messages"):
        total &= ~bits("mention_everyone", "embed_links", "attach_files")
    return total
