"""Maps errors of Discord's API to outcomes of sending. Pure.

Codes: topics/opcodes-and-status-codes#json. A deleted channel or a missing right is the reader's affair, a bad message
is ours, and everything else is temporary.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial

import aiohttp
import discord

from bot.channel import Barred, Deferred, Gone, Outcome, Rejected, Unknown
from channels.discord.api import Attempt, BlockedError, UnconfirmedError

BAN_WAIT = 900.0
"""Seconds to pause the channel after a ban that does not say how long it lasts."""
LOGIN_WAIT = 300.0
"""Seconds to pause the channel after its token or address was refused."""
MISSING_ACCESS = 50001
UNKNOWN_CHANNEL = 10003
UNACCEPTABLE = frozenset({50006, 50035})
"""Codes of a body that is not accepted: invalid, or, to a service without Components V2, empty."""

PauseChannel = partial(Deferred, scope="channel")

CODES: dict[int, Callable[[str], Outcome]] = {
    10003: Gone,  # unknown channel
    10004: Gone,  # unknown guild
    10013: Gone,  # unknown user
    10015: Gone,  # unknown webhook, which must never be called again
    50007: Gone,  # cannot send messages to this user
    50278: Gone,  # no mutual guilds
    50001: Barred,  # missing access
    50013: Barred,  # missing permissions
    50008: Barred,  # a channel that takes no messages
    50083: Barred,  # thread is archived
    160005: Barred,  # thread is locked
    160006: Barred,  # too many active threads
    200000: Barred,  # the server's AutoMod
    200001: Barred,
    40067: Barred,  # a tag is required, and there is none that the bot may choose
    20016: Deferred,  # slow mode
    20028: Deferred,  # write limit of the channel
    20029: Deferred,  # write limit of the server
    20022: Deferred,  # edits of announcements
    30007: Rejected,  # too many webhooks
    40005: Rejected,  # request entity too large
    50006: Rejected,  # an empty message
    50035: Rejected,  # invalid body
    10062: Rejected,  # unknown interaction
    40060: Rejected,  # already acknowledged
    40001: PauseChannel,  # the bot is unauthorised
    40002: PauseChannel,  # the bot's account must be verified
    40003: PauseChannel,  # the bot opens direct messages too fast
    40004: PauseChannel,  # sending is switched off at Discord
    20026: partial(PauseChannel, retry_after=LOGIN_WAIT),  # the bot is in quarantine
    40333: PauseChannel,  # refused for the User-Agent
    130000: PauseChannel,  # overloaded
}
"""Outcome by code; without one of these codes the status decides."""


def outcome_of(error: Exception, attempt: Attempt | None = None) -> Outcome:
    """The outcome of a message whose call raised `error`, with what was traced of the call.

    Raises:
        Exception: `error` itself, if it is neither discord.py's nor the network's.
    """
    match error:
        case discord.RateLimited():
            is_global = attempt is not None and attempt.globally_limited
            return Deferred("rate limited", error.retry_after, "channel" if is_global else "recipient")
        case discord.HTTPException():
            return _refusal(error)
        case BlockedError():
            return Deferred("too many invalid requests", error.retry_after, scope="channel")
        case UnconfirmedError():
            return Unknown("delivery unconfirmed")
        case aiohttp.ClientError() | OSError() | asyncio.TimeoutError():
            reason = f"no answer ({type(error).__name__})"
            may_have_arrived = attempt is not None and attempt.may_have_arrived
            return Unknown(reason) if may_have_arrived else Deferred(reason, scope="channel")
        case _:
            raise error


def _refusal(error: discord.HTTPException) -> Outcome:
    reason = f"{error.status} {error.code}: {error.text}" if error.code else f"{error.status}: {error.text[:200]}"
    if error.code in CODES:
        outcome = CODES[error.code](reason)
        if isinstance(outcome, Deferred):
            return Deferred(reason, _retry_after(error) or outcome.retry_after, outcome.scope)
        return outcome
    match error.status:
        case 401:
            return Deferred(reason, LOGIN_WAIT, scope="channel")
        case 403 if error.code:
            return Deferred(reason)  # unknown code: nobody is blamed
        case 403 | 404 | 405 if not error.code:
            return Deferred(reason, LOGIN_WAIT, scope="channel")  # about the bot or the API's address
        case 429:
            return Deferred(reason, _retry_after(error) or BAN_WAIT, scope="channel")
        case status if status >= 500:
            return Deferred(reason, _retry_after(error), scope="channel")
        case _:
            return Rejected(reason)


def _retry_after(error: discord.HTTPException) -> float | None:
    value = error.response.headers.get("Retry-After", "")
    return float(value) if value.replace(".", "", 1).isdigit() else None
