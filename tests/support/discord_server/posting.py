"""Routes of messages and threads (resources/message, resources/channel)."""

from __future__ import annotations

from typing import Any

from tests.support.discord_server.errors import MalformedError, RefusalError
from tests.support.discord_server.messages import COMPONENTS_V2, CROSSPOSTED, Json, Message
from tests.support.discord_server.places import ANNOUNCEMENT, FORUM, NEWS_THREAD, PRIVATE_THREAD, THREAD, Channel
from tests.support.discord_server.service import Call, Service


def create_message(service: Service, call: Call) -> Any:
    """POST a message; one that repeats a nonce is the first one again."""
    channel = service.places.visible(call.id("channel_id"))
    body = service.check_message(call, call.body)
    service.open_to_posts(channel, service.bot, rich=bool(body.get("embeds")), files=bool(call.files))
    _check_reference(channel, body)
    again = service.repeated(channel, body)
    return (again or service.make(channel, service.bot, body, call.files)).json()


def _check_reference(channel: Channel, body: Json) -> None:
    reference = body.get("message_reference")
    if reference and reference.get("fail_if_not_exists", True) and int(reference["message_id"]) not in channel.held:
        place = ("message_reference",)
        raise MalformedError([(place, "MESSAGE_REFERENCE_UNKNOWN_MESSAGE", "Unknown message")])


def list_messages(service: Service, call: Call) -> Any:
    """GET messages, newest first; nothing where history may not be read."""
    channel = service.places.visible(call.id("channel_id"))
    limit = call.number("limit")
    if limit is not None and not 1 <= limit <= 100:
        raise MalformedError([(("limit",), "NUMBER_TYPE_MAX", "int value should be between 1 and 100.")])
    if not channel.lets(service.bot, "read_message_history"):
        return []
    after, before, around = call.number("after"), call.number("before"), call.number("around")
    size = limit or 50
    held = sorted(channel.messages, key=lambda each: each.id)
    if after is not None:
        held = [each for each in held if each.id > after][:size]
    elif before is not None:
        held = [each for each in held if each.id < before][-size:]
    elif around is not None:
        older = [each for each in held if each.id < around][-(size // 2) :]
        held = older + [each for each in held if each.id >= around][: size - len(older)]
    else:
        held = held[-size:]
    return [_shown(service, each) for each in reversed(held)]


def _shown(service: Service, message: Message) -> Json:
    open_words = message.author is service.bot or bool(service.gateway.privileged & 1 << 15)
    return message.json(seen=open_words or message.channel.guild is None)


def get_message(service: Service, call: Call) -> Any:
    """GET one message."""
    channel = service.places.visible(call.id("channel_id"))
    if not channel.lets(service.bot, "read_message_history"):
        raise RefusalError(50001)
    return _shown(service, channel.find(call.id("message_id")))


def edit_message(service: Service, call: Call) -> Any:
    """PATCH the bot's own message."""
    channel = service.places.visible(call.id("channel_id"))
    message = channel.find(call.id("message_id"))
    if message.author is not service.bot:
        raise RefusalError(50005)
    if channel.archived:
        raise RefusalError(50083)
    body = service.check_message(call, call.body, before=message.flags, partial=True)
    return edited(service, message, body, call)


def edited(service: Service, message: Message, body: Json, call: Call) -> Json:
    """The message after an edit; refuses one that leaves nothing to see."""
    kept = body.get("attachments", message.attachments)
    shown = [
        body.get("content", message.content),
        body.get("embeds", message.embeds),
        body.get("components", message.components),
    ]
    if not any(shown) and not kept and not call.files:
        raise RefusalError(50006)
    _check_converted(message, body)
    message.change(body, call.files, service.clock.now)
    if not message.ephemeral:
        service.told("MESSAGE_UPDATE", message)
    service.bell.ring()
    return message.json()


def _check_converted(message: Message, body: Json) -> None:
    """Refuse the flag for Components V2 beside content or embeds that an edit leaves as they are."""
    if (message.flags | (body.get("flags") or 0)) & COMPONENTS_V2:
        kept = [name for name in ("content", "embeds") if body.get(name, getattr(message, name))]
        if kept:
            code = "MESSAGE_CANNOT_USE_LEGACY_FIELDS_WITH_COMPONENTS_V2"
            raise MalformedError([((name,), code, "The field cannot be used with the flag") for name in kept])


def delete_message(service: Service, call: Call) -> Any:
    """DELETE a message: the bot's own, or another's where it may."""
    channel = service.places.visible(call.id("channel_id"))
    message = channel.find(call.id("message_id"))
    if message.author is not service.bot:
        if channel.guild is None:
            raise RefusalError(50003)
        if not channel.lets(service.bot, "manage_messages"):
            raise RefusalError(50013)
    if channel.archived:
        raise RefusalError(50083)
    removed(service, message)


def removed(service: Service, message: Message) -> None:
    """Delete a message."""
    message.deleted = True
    message.channel.held.pop(message.id, None)
    if not message.ephemeral:
        service.told("MESSAGE_DELETE", message)
    service.bell.ring()


def crosspost(service: Service, call: Call) -> Any:
    """POST a message of an announcement channel on to those who follow it."""
    channel = service.places.visible(call.id("channel_id"))
    if channel.kind != ANNOUNCEMENT:
        raise RefusalError(50068)
    message = channel.find(call.id("message_id"))
    needed = "send_messages" if message.author is service.bot else "manage_messages"
    if not channel.lets(service.bot, needed):
        raise RefusalError(50013)
    if message.crossposted:
        raise RefusalError(40033)
    service.buckets.crosspost(channel.crossposts)
    message.flags |= CROSSPOSTED
    service.told("MESSAGE_UPDATE", message)
    return message.json()


def create_thread(service: Service, call: Call) -> Any:
    """POST a thread: in a forum with its first message, elsewhere empty."""
    channel = service.places.visible(call.id("channel_id"))
    body = call.body if isinstance(call.body, dict) else {}
    if channel.kind == FORUM:
        return _post(service, channel, body, call)
    if channel.guild is None or channel.kind not in (0, ANNOUNCEMENT):
        raise RefusalError(50024)
    if "message" in body:
        raise MalformedError([(("message",), "UNKNOWN_PROPERTY", "Only a forum's post has a message")])
    private = body.get("type", PRIVATE_THREAD) == PRIVATE_THREAD
    if body.get("type") == NEWS_THREAD and channel.kind != ANNOUNCEMENT:
        raise MalformedError([(("type",), "BASE_TYPE_CHOICES", "Only an announcement channel has such threads")])
    if not channel.lets(service.bot, "create_private_threads" if private else "create_public_threads"):
        raise RefusalError(50013)
    thread = channel.thread(_named(body), private=private, owner=service.bot)
    return thread.json()


def _named(body: Json) -> str:
    name = body.get("name")
    if not isinstance(name, str) or not name.strip() or len(name) > 100:
        raise MalformedError([(("name",), "BASE_TYPE_BAD_LENGTH", "Must be between 1 and 100 in length.")])
    return name


def _post(service: Service, forum: Channel, body: Json, call: Call) -> Json:
    message = body.get("message")
    if not isinstance(message, dict):
        raise MalformedError([(("message",), "BASE_TYPE_REQUIRED", "This field is required")])
    for name in ("nonce", "enforce_nonce"):
        if name in message or name in body:
            raise MalformedError([(("message", name), "UNKNOWN_PROPERTY", "A forum's post takes no nonce")])
    named = _named(body)
    service.check_message(call, message)
    needed = ["send_messages"] + ["embed_links"] * bool(message.get("embeds")) + ["attach_files"] * bool(call.files)
    if not forum.lets(service.bot, *needed):
        raise RefusalError(50013)
    tags = [int(each) for each in body.get("applied_tags") or []]
    if any(each not in forum.tags for each in tags):
        raise MalformedError([(("applied_tags",), "INVALID_FORUM_TAG", "There is no such tag")])
    if forum.required_tag and not tags:
        raise RefusalError(40067)
    thread = service.places.add_channel(THREAD, named, guild=forum.guild, parent=forum)
    thread.owner = service.bot
    thread.applied_tags = tags
    service.places.announce(
        "THREAD_CREATE", thread.json() | {"newly_created": True}, forum.guild.id if forum.guild else None
    )
    first = service.make(thread, service.bot, message, call.files, message_id=thread.id)
    return thread.json() | {"message": first.json()}


def create_thread_of_message(service: Service, call: Call) -> Any:
    """POST a thread that begins at a message."""
    channel = service.places.visible(call.id("channel_id"))
    message = channel.find(call.id("message_id"))
    if channel.kind not in (0, ANNOUNCEMENT):
        raise RefusalError(50024)
    if message.id in service.places.channels:
        raise RefusalError(160004)
    if not channel.lets(service.bot, "create_public_threads"):
        raise RefusalError(50013)
    named = _named(call.body if isinstance(call.body, dict) else {})
    thread = channel.thread(named, thread_id=message.id, owner=service.bot)
    return thread.json()


def edit_channel(service: Service, call: Call) -> Any:
    """PATCH a thread: archive, lock or rename it. Other channels are not the bot's to change here."""
    channel = service.places.visible(call.id("channel_id"))
    body = call.body if isinstance(call.body, dict) else {}
    if not channel.is_thread:
        raise RefusalError(50013)
    if channel.archived and body.get("archived", True):
        raise RefusalError(50083)
    moderates = channel.lets(service.bot, "manage_threads")
    if not moderates and (channel.locked or body.get("locked")):
        raise RefusalError(50013)
    channel.name = body.get("name") or channel.name
    channel.archive(archived=body.get("archived", channel.archived), locked=body.get("locked"))
    return channel.json()


def type_in(service: Service, call: Call) -> Any:
    """POST that the bot is typing."""
    service.places.visible(call.id("channel_id"))


def join_thread(service: Service, call: Call) -> Any:
    """PUT the bot among a thread's members."""
    if not service.places.visible(call.id("channel_id")).is_thread:
        raise RefusalError(50024)
