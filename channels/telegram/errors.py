"""Maps errors of the Bot API to outcomes of sending.

The texts are those of the official server (github.com/tdlib/telegram-bot-api, `Client.cpp`), in lower case. An error
with an unknown text is classified by its code.
"""

from __future__ import annotations

from datetime import timedelta

import httpx
from telegram.error import BadRequest, Conflict, Forbidden, InvalidToken, NetworkError, RetryAfter, TelegramError

from bot.channel import Barred, Deferred, Gone, Outcome, Rejected, Unknown
from channels.telegram.flood_waits import REASON

NOT_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.UnsupportedProtocol)
"""Faults that happen before the request is written."""

NO_RIGHTS = (
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
NOT_MODIFIED = ("message is not modified",)
NOT_EDITABLE = ("message can't be edited", "message to edit not found", "message_id_invalid")
QUERY_EXPIRED = ("query is too old", "query id is invalid")
ABOUT_CHAT = (*NO_RIGHTS, *GONE, *NO_CHAT, *NO_TOPIC, *CLOSED_TOPIC)
"""Refusals that are about the chat, not about the message."""

NOT_TELEGRAM = "a proxy or firewall answered instead of Telegram"
_NOT_JSON = ". Parsing the server response"
"""The library's words for a response that is not JSON."""


def mentions(error: TelegramError, *texts: str) -> bool:
    """Whether the error's message contains one of these texts."""
    message = error.message.casefold()
    return any(text in message for text in texts)


def outcome(error: TelegramError) -> Outcome:
    """The outcome of a message that ended in this error.

    BadRequest comes before NetworkError, of which it is a subclass in the library.
    """
    text = reason(error)
    if not is_from_telegram(error):
        return Deferred(NOT_TELEGRAM, scope="channel")
    if isinstance(error, RetryAfter):
        return Deferred(REASON, seconds(error))  # `FloodWaits` decides whether it is about more than this chat
    if isinstance(error, InvalidToken):
        return Deferred("Telegram rejects the bot's token", scope="channel")
    if isinstance(error, Conflict):
        return Deferred(text, scope="channel")
    if isinstance(error, BadRequest | Forbidden):
        if mentions(error, *NO_RIGHTS, *NO_TOPIC, *CLOSED_TOPIC):  # nobody can post if General is closed
            return Barred(text)
        if isinstance(error, Forbidden) or mentions(error, *GONE, *NO_CHAT):
            return Gone(text)
        return Rejected(text)
    if isinstance(error, NetworkError):
        return _network_outcome(error)
    return Unknown(text)


def seconds(error: RetryAfter) -> float:
    """Seconds of a flood wait."""
    wait = error.retry_after
    return wait.total_seconds() if isinstance(wait, timedelta) else float(wait)


def is_from_telegram(error: TelegramError) -> bool:
    """Whether Telegram itself answered, not a proxy or firewall on the way."""
    return _NOT_JSON not in error.message and not (
        isinstance(error.__cause__, TelegramError) and _NOT_JSON in f"{error.__cause__}"
    )


def reason(error: TelegramError) -> str:
    """The error's message, without the HTML page that a proxy may have sent."""
    return error.message.partition(_NOT_JSON)[0]


def _network_outcome(error: NetworkError) -> Outcome:
    cause = error.__cause__
    if isinstance(cause, NOT_SENT):
        return Deferred(f"Telegram is unreachable ({type(cause).__name__})", scope="channel")
    if isinstance(cause, httpx.HTTPError):
        return Unknown(f"no answer ({type(cause).__name__})")
    return Deferred(f"Telegram has an outage ({reason(error)})", scope="channel")
