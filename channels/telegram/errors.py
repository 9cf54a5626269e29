"""What Telegram's answers mean: an error of the client library → whose fault it was, and what follows.

Texts as the official server writes them (github.com/tdlib/telegram-bot-api, `Client.cpp`), looked for in small letters;
what is not known is judged by its code.
"""

from __future__ import annotations

from datetime import timedelta

import httpx
from telegram.error import BadRequest, Conflict, Forbidden, InvalidToken, NetworkError, RetryAfter, TelegramError

from bot.channel import Barred, Deferred, Gone, Outcome, Rejected, Unknown
from channels.telegram.chats import ChatAddress

NOT_LEFT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.UnsupportedProtocol)
"""Faults that come before a request has left."""

NO_RIGHT = (
    "not enough rights",
    "chat_write_forbidden",
    "need administrator rights",
    "chat_send_plain_forbidden",
    "chat_restricted",
    "have no rights to send",
    "chat_admin_required",
    "have no write access",
)
GONE = (
    "bot was blocked by the user",
    "user is deactivated",
    "bot was kicked",
    "bot is not a member",
    "the group chat was deleted",
    "group chat was deactivated",
    "bot can't initiate conversation",
    "bots can't send messages to bots",
    "peer_id_invalid",
    "user_is_blocked",
    "input_user_deactivated",
)
NO_CHAT = ("chat not found",)
NO_TOPIC = ("message thread not found", "topic_deleted", "topic_id_invalid")
CLOSED_TOPIC = ("topic_closed",)
SAME = ("message is not modified",)
NOT_EDITABLE = ("message can't be edited", "message to edit not found", "message_id_invalid")
TOO_LATE = ("query is too old", "query id is invalid")


def says(error: TelegramError, *texts: str) -> bool:
    """Whether an error says one of these."""
    said = error.message.casefold()
    return any(text in said for text in texts)


def outcome(error: TelegramError, place: ChatAddress) -> Outcome:
    """What became of a message that was answered with this error.

    BadRequest comes first: the library counts it among the faults of the network.
    """
    said = reason(error)
    if not is_telegrams(error):
        return Deferred("something between us and Telegram answered in its place", scope="channel")
    if isinstance(error, RetryAfter):
        # A private chat's answer speaks for the whole bot; a group has a limit of its own.
        return Deferred("flood wait", seconds(error), "recipient" if place.is_shared else "channel")
    if isinstance(error, InvalidToken):
        return Deferred("Telegram does not know TELEGRAM_TOKEN any more", scope="channel")
    if isinstance(error, Conflict):
        return Deferred(said, scope="channel")
    if isinstance(error, BadRequest | Forbidden):
        if says(error, *NO_RIGHT, *NO_TOPIC, *CLOSED_TOPIC):  # a General that is closed lets nobody post
            return Barred(said)
        if isinstance(error, Forbidden) or says(error, *GONE, *NO_CHAT):
            return Gone(said)
        return Rejected(said)
    if isinstance(error, NetworkError):
        return _of_the_network(error)
    return Unknown(said)


def seconds(error: RetryAfter) -> float:
    """How long a flood wait lasts."""
    wait = error.retry_after
    return wait.total_seconds() if isinstance(wait, timedelta) else float(wait)


def _of_the_network(error: NetworkError) -> Outcome:
    cause = error.__cause__
    if isinstance(cause, NOT_LEFT):
        return Deferred(f"Telegram is out of reach ({type(cause).__name__})", scope="channel")
    if isinstance(cause, httpx.HTTPError):
        return Unknown(f"no answer came ({type(cause).__name__})")
    return Deferred(f"Telegram is in trouble ({reason(error)})", scope="channel")


OF_THE_PLACE = (*NO_RIGHT, *GONE, *NO_CHAT, *NO_TOPIC, *CLOSED_TOPIC)
"""Refusals that speak of where a message was to go, and not of what it says."""


_PAGE = ". Parsing the server response"
"""How the library begins to say that an answer was no JSON."""


def is_telegrams(error: TelegramError) -> bool:
    """Whether it was Telegram that answered so, and no proxy or firewall on the way."""
    return _PAGE not in error.message and not (
        isinstance(error.__cause__, TelegramError) and _PAGE in f"{error.__cause__}"
    )


def reason(error: TelegramError) -> str:
    """An error in a few words, without the page that a proxy may have answered with."""
    return error.message.partition(_PAGE)[0]
