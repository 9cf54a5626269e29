"""Methods that send messages."""

import io
from typing import Any

from PIL import Image

from tests.support.telegram_server.admission import admit, pay
from tests.support.telegram_server.arguments import MEGABYTE, Arguments, Upload
from tests.support.telegram_server.chats import Chat, Message
from tests.support.telegram_server.keyboard import asks_for_location, read_keyboard
from tests.support.telegram_server.links import LinkError, check_link
from tests.support.telegram_server.refusal import bad_request
from tests.support.telegram_server.rich import read_rich
from tests.support.telegram_server.text import CAPTION, TEXT, formatted
from tests.support.telegram_server.world import World

Json = dict[str, Any]

PHOTO, SIDES, RATIO = 10 * MEGABYTE, 10_000, 20
"""Most bytes of a photo, sum of its sides in pixels, ratio of them; core.telegram.org/bots/api#sendphoto."""

ACTIONS = {
    *("typing", "upload_photo", "record_video", "upload_video", "record_voice", "upload_voice", "upload_document"),
    *("choose_sticker", "find_location", "record_video_note", "upload_video_note"),
}


def send_message(world: World, arguments: Arguments) -> Json:
    if "text" not in arguments:
        raise bad_request("message text is empty")
    text, entities = formatted(arguments, "text", "entities", TEXT)
    preview = read_preview(arguments)
    return _put(
        world, arguments, "text messages", text=text, entities=entities, preview=preview, html=arguments.text("text")
    )


def send_rich_message(world: World, arguments: Arguments) -> Json:
    rich, text = read_rich(arguments.object("rich_message", "rich message"))
    return _put(world, arguments, "text messages", text=text, rich=rich, html=rich.get("html", ""))


def send_photo(world: World, arguments: Arguments) -> Json:
    def measure(upload: Upload) -> Json:
        if len(upload.content) > PHOTO:
            raise bad_request("file is too big")
        try:
            with Image.open(io.BytesIO(upload.content)) as picture:
                width, height = picture.size
        except (OSError, ValueError):
            raise bad_request("IMAGE_PROCESS_FAILED") from None
        if width + height > SIDES or max(width, height) > RATIO * min(width, height):
            raise bad_request("PHOTO_INVALID_DIMENSIONS")
        return {"width": width, "height": height}

    photo = _file(world, arguments, "photo", measure) or {"width": 1280, "height": 720}
    return _put_media(world, arguments, "photos", {"photo": [{"width": 0, "height": 0, **photo}]})


def send_document(world: World, arguments: Arguments) -> Json:
    return _put_media(world, arguments, "documents", {"document": _file(world, arguments, "document", _named)})


def send_audio(world: World, arguments: Arguments) -> Json:
    audio = {"duration": arguments.integer("duration"), **_file(world, arguments, "audio", _named)}
    audio |= {name: arguments.text(name) for name in ("title", "performer") if name in arguments}
    return _put_media(world, arguments, "audios", {"audio": audio})


def send_chat_action(world: World, arguments: Arguments) -> bool:
    chat, _ = admit(world, arguments)
    if arguments.text("action") not in ACTIONS:
        raise bad_request("wrong parameter action in request")
    if chat.kind == "channel":
        raise bad_request("REFERENCE: channels show no action")
    if world.record:
        chat.actions.append(arguments.text("action"))
    return True


def read_preview(arguments: Arguments) -> Json | None:
    """The link preview options, their URL checked. Raises RefusalError."""
    preview = arguments.object("link_preview_options", "link preview options")
    if preview is None:
        return None
    if not isinstance(preview, dict):
        raise bad_request("object expected as link preview options")
    if preview.get("url"):
        try:
            check_link(str(preview["url"]))
        except LinkError:
            raise bad_request("WEBPAGE_URL_INVALID") from None
    return preview


def _put_media(world: World, arguments: Arguments, what: str, media: Json) -> Json:
    caption, entities = formatted(arguments, "caption", "caption_entities", CAPTION)
    return _put(world, arguments, what, text=caption, entities=entities, media=media, html=arguments.text("caption"))


def _put(world: World, arguments: Arguments, what: str, **content: Any) -> Json:
    """A new message of the bot's, if the keyboard, the chat and the rates allow it. Raises RefusalError."""
    markup = read_keyboard(arguments)
    chat, thread = admit(world, arguments, what=what)
    reply = _reply(chat, arguments)
    if asks_for_location(markup) and chat.kind != "private":
        raise bad_request("location can be requested in private chats only")
    pay(world, chat, pays=arguments.truth("allow_paid_broadcast"))
    message = Message(
        chat,
        chat.take_id(),
        world.date,
        None if chat.kind == "channel" else world.bot_user,
        from_bot=True,
        markup=markup,
        thread=thread,
        reply_to=reply,
        silent=arguments.truth("disable_notification"),
        protected=arguments.truth("protect_content"),
        **content,
    )
    world.keep(message)
    if markup and "keyboard" in markup:
        chat.keys = markup
    elif markup and markup.get("remove_keyboard"):
        chat.keys = None
    world.note(chat, "message", message, text=message.text)
    return message.json()


def _reply(chat: Chat, arguments: Arguments) -> Message | None:
    parameters = arguments.object("reply_parameters", "reply parameters")
    if not isinstance(parameters, dict):
        return None
    message = chat.find(int(parameters.get("message_id") or 0))
    if message is None and not parameters.get("allow_sending_without_reply"):
        raise bad_request("message to be replied not found")
    return message


def _named(upload: Upload) -> Json:
    return {"file_name": upload.name, "mime_type": upload.content_type}


def _file(world: World, arguments: Arguments, name: str, describe: Any) -> Json:
    """A file of the call: uploaded with it, known by its id, or to be fetched from the web. Raises RefusalError."""
    upload = arguments.files.get(name)
    given = arguments.text(name)
    if upload is None and given.startswith("attach://"):
        upload = arguments.files.get(given.removeprefix("attach://"))
    if upload is not None:
        if not upload.content:
            raise bad_request("file must be non-empty")
        described: Json = describe(upload)
        file_id = f"{name}-{world.bot['id']}-{len(world.files) + 1}"
        if world.record:
            world.files[file_id] = upload
        return {"file_id": file_id, "file_unique_id": f"u{file_id}", "file_size": len(upload.content)} | described
    if given in world.files:
        upload = world.files[given]
        described = describe(upload)
        return {"file_id": given, "file_unique_id": f"u{given}", "file_size": len(upload.content)} | described
    try:
        # Only what says that it is HTTP is fetched; anything else is an id that is not known.
        address = check_link(given) if given.lower().startswith(("http://", "https://")) else ""
    except LinkError:
        address = ""
    if not address:
        raise bad_request(
            f"there is no {name} in the request" if not given else "wrong file identifier/HTTP URL specified"
        )
    return {"file_id": address, "file_unique_id": f"u{abs(hash(address))}"}
