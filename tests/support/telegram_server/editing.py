"""Methods that edit or delete messages."""

from typing import Any

from tests.support.telegram_server.admission import enter, pay
from tests.support.telegram_server.arguments import Arguments
from tests.support.telegram_server.chats import Chat, Message
from tests.support.telegram_server.keyboard import read_keyboard
from tests.support.telegram_server.refusal import bad_request
from tests.support.telegram_server.rich import read_rich
from tests.support.telegram_server.sending import read_preview
from tests.support.telegram_server.text import TEXT, formatted
from tests.support.telegram_server.world import World

UNCHANGED = (
    "message is not modified: specified new message content and reply markup are exactly the same as a current "
    "content and reply markup of the message"
)


def edit_message_text(world: World, arguments: Arguments) -> Any:
    content: dict[str, Any]
    if world.rich and "rich_message" in arguments:
        rich, text = read_rich(arguments.object("rich_message", "rich message"))
        content = {"rich": rich, "text": text, "entities": [], "preview": None, "html": rich.get("html", "")}
    else:
        text, entities = formatted(arguments, "text", "entities", TEXT)
        content = {"rich": None, "text": text, "entities": entities, "preview": read_preview(arguments)}
        content["html"] = arguments.text("text")
    return _edit(world, arguments, content)


def edit_message_reply_markup(world: World, arguments: Arguments) -> Any:
    return _edit(world, arguments, {})


def delete_message(world: World, arguments: Arguments) -> bool:
    chat = enter(world, arguments)
    message = chat.find(arguments.integer("message_id"))
    if message is None:
        raise bad_request("message to delete not found")
    may = world.standing(chat).status == "administrator" and world.standing(chat).may("can_delete_messages")
    if not (message.from_bot or chat.kind == "private" or may):
        raise bad_request("message can't be deleted")
    message.deleted = True
    world.note(chat, "deletion", message)
    return True


def _edit(world: World, arguments: Arguments, content: dict[str, Any]) -> Any:
    """Put new content and a new keyboard in the place of the old. Raises RefusalError."""
    markup = read_keyboard(arguments)
    if "inline_message_id" in arguments:
        inline = world.inline_messages.get(arguments.text("inline_message_id"))
        if inline is None:
            raise bad_request("MESSAGE_ID_INVALID")
        _change(world, inline.chat, inline, content | {"markup": markup})
        return True
    chat = enter(world, arguments)
    if not arguments.integer("message_id"):
        raise bad_request("message identifier is not specified")
    if not world.record:  # nothing is kept that could be changed
        pay(world, chat)
        return Message(
            chat, arguments.integer("message_id"), world.date, world.bot_user, markup=markup, **content
        ).json()
    message = chat.find(arguments.integer("message_id"))
    if message is None:
        raise bad_request("message to edit not found")
    if not message.from_bot:
        raise bad_request("message can't be edited")
    if content and message.media:
        raise bad_request("there is no text in the message to edit")
    _change(world, chat, message, content | {"markup": markup})
    return message.json()


def _change(world: World, chat: Chat, message: Message, content: dict[str, Any]) -> None:
    compared = [name for name in content if name != "html"]
    if all(getattr(message, name) == content[name] for name in compared):
        raise bad_request(UNCHANGED)
    pay(world, chat)
    for name, value in content.items():
        setattr(message, name, value)
    message.edits, message.edit_date, message.when = message.edits + 1, world.date, world.clock()
    world.note(chat, "edit", message, text=message.text)
