"""Whether the bot may post in a chat, and the error if it may not.

The words are those of the official server (Client.cpp) and of the service behind it.
"""

from tests.support.telegram_server.arguments import Arguments
from tests.support.telegram_server.chats import Chat
from tests.support.telegram_server.refusal import RefusalError, bad_request, forbidden
from tests.support.telegram_server.world import World

GENERAL = 1  # the thread id that General has within Telegram, and that sending does not take


def find_chat(world: World, arguments: Arguments) -> Chat:
    """The chat a call names. Raises RefusalError."""
    wanted = arguments.text("chat_id")
    if not wanted:
        raise bad_request("chat_id is empty")
    chat = world.find(wanted)
    if chat is None:
        raise bad_request("chat not found")
    return chat


def enter(world: World, arguments: Arguments) -> Chat:
    """The chat a call names, if the bot is in it. Raises RefusalError."""
    chat = find_chat(world, arguments)
    if chat.kind == "private":
        _enter_private(chat)
    else:
        _enter_shared(world, chat)
    return chat


def _enter_private(chat: Chat) -> None:
    if chat.deactivated:
        raise forbidden("user is deactivated")
    if chat.blocked:
        raise forbidden("bot was blocked by the user")
    if not chat.started:
        raise forbidden("bot can't initiate conversation with a user")


def _enter_shared(world: World, chat: Chat) -> None:
    if chat.migrated_to is not None:
        words = "Bad Request: group chat was upgraded to a supergroup chat"
        raise RefusalError(400, words, migrate_to_chat_id=chat.migrated_to)
    if chat.deleted:
        raise forbidden("the group chat was deleted") if chat.kind == "group" else bad_request("chat not found")
    standing = world.standing(chat)
    if standing.status == "kicked":
        raise forbidden(f"bot was kicked from the {chat.kind} chat")
    if not standing.inside:
        raise forbidden(f"bot is not a member of the {chat.kind} chat")


def admit(world: World, arguments: Arguments, *, what: str = "text messages") -> tuple[Chat, int | None]:
    """The chat and thread in which a call may say something of the kind `what`. Raises RefusalError."""
    chat = enter(world, arguments)
    standing = world.standing(chat)
    if chat.kind == "channel":
        if not (standing.status == "creator" or standing.rights.get("can_post_messages")):
            raise bad_request("need administrator rights in the channel chat")
    elif chat.kind != "private":
        if chat.write_forbidden:
            raise bad_request("CHAT_WRITE_FORBIDDEN")
        right = "can_send_messages" if what == "text messages" else f"can_send_{what}"
        allowed = standing.may(right) and (standing.status != "member" or chat.permissions.get(right, True))
        if not allowed:
            raise bad_request(f"not enough rights to send {what} to the chat")
    return chat, _thread(chat, arguments, manages=standing.may("can_manage_topics") and standing.status != "member")


def _thread(chat: Chat, arguments: Arguments, *, manages: bool) -> int | None:
    if "message_thread_id" not in arguments or not arguments.integer("message_thread_id"):
        if chat.general_closed and not manages:
            raise bad_request("TOPIC_CLOSED")
        return None
    thread = arguments.integer("message_thread_id")
    topic = chat.topics.get(thread)
    if not chat.is_forum or topic is None or thread == GENERAL:
        raise bad_request("message thread not found")
    if topic.state == "deleted":
        raise bad_request("TOPIC_DELETED")
    if topic.state == "closed" and not manages:
        raise bad_request("TOPIC_CLOSED")
    return thread


def pay(world: World, chat: Chat, *, pays: bool = False) -> None:
    """Count a message against the rates; one that `pays` may exceed them. Raises RefusalError."""
    if world.rates:
        world.rates.take(chat.chat_id, private=chat.kind == "private", now=world.clock(), pays=pays)
