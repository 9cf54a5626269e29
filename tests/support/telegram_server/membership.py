"""Methods that ask about chats and people, and files."""

from typing import Any

from tests.support.telegram_server.admission import enter, find_chat
from tests.support.telegram_server.arguments import MEGABYTE, Arguments
from tests.support.telegram_server.chats import Chat, Member
from tests.support.telegram_server.refusal import bad_request
from tests.support.telegram_server.world import World

LARGEST_DOWNLOAD = 20 * MEGABYTE  # core.telegram.org/bots/api#getfile


def get_chat(world: World, arguments: Arguments) -> dict[str, Any]:
    chat = find_chat(world, arguments)
    if chat.kind != "private":
        chat = enter(world, arguments)
    gifts = ("unlimited_gifts", "limited_gifts", "unique_gifts", "premium_subscription", "gifts_from_channels")
    said = chat.json() | {"accent_color_id": 0, "max_reaction_count": 11}
    said["accepted_gift_types"] = dict.fromkeys(gifts, False)
    return said | ({"permissions": chat.permissions} if chat.kind in {"group", "supergroup"} else {})


def get_chat_member(world: World, arguments: Arguments) -> dict[str, Any]:
    chat = enter(world, arguments)
    number = arguments.integer("user_id")
    if not number:
        raise bad_request("invalid user_id specified")
    if chat.kind == "private" and chat.user and number == chat.chat_id:
        return Member(chat.user, "member").json("private")
    member = chat.members.get(number)
    if member is None:
        person = world.find(str(number))
        if person is None or person.user is None:
            raise bad_request("PARTICIPANT_ID_INVALID" if chat.kind != "private" else "user not found")
        member = Member(person.user)
    return member.json(chat.kind)


def get_chat_administrators(world: World, arguments: Arguments) -> list[dict[str, Any]]:
    chat = enter(world, arguments)
    if chat.kind == "private":
        raise bad_request("there are no administrators in the private chat")
    members = [member for member in chat.members.values() if member.status in {"creator", "administrator"}]
    shown = [member for member in members if not member.user["is_bot"] or member.user["id"] == world.bot["id"]]
    return [member.json(chat.kind) for member in shown]


def get_chat_member_count(world: World, arguments: Arguments) -> int:
    chat = enter(world, arguments)
    return 2 if chat.kind == "private" else sum(member.inside for member in chat.members.values())


def leave_chat(world: World, arguments: Arguments) -> bool:
    chat = enter(world, arguments)
    if chat.kind == "private":
        raise bad_request("chat can't be left")
    change_standing(world, chat, "left", by=world.bot_user)
    return True


def get_file(world: World, arguments: Arguments) -> dict[str, Any]:
    file_id = arguments.text("file_id")
    upload = world.files.get(file_id)
    if upload is None:
        raise bad_request("invalid file_id" if not file_id else "wrong file_id or the file is temporarily unavailable")
    if len(upload.content) > LARGEST_DOWNLOAD:
        raise bad_request("file is too big")
    size = len(upload.content)
    return {"file_id": file_id, "file_unique_id": f"u{file_id}", "file_size": size, "file_path": f"files/{file_id}"}


def change_standing(world: World, chat: Chat, status: str, *, by: dict[str, Any], **rights: bool) -> dict[str, Any]:
    """Make the bot stand otherwise in a chat, and tell it so. Returns the update."""
    member = chat.member(world.bot_user)
    old = member.json(chat.kind)
    member.status, member.rights = status, rights
    change = {"chat": chat.json(), "from": by, "date": world.date, "old_chat_member": old}
    return world.alert("my_chat_member", change | {"new_chat_member": member.json(chat.kind)})
