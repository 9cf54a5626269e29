"""What Discord's answers mean: every code that matters, mapped to an outcome. Pure.

The codes are in topics/opcodes-and-status-codes. Who is to blame decides: a place that is gone or closed is the
reader's affair, a message that is bad is ours, and everything else passes.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import aiohttp
import discord

from bot.channel import Barred, Deferred, Gone, Outcome, Rejected, Unknown
from channels.discord.api import Attempt, StoppedError, UndecidedError

BAN_WAIT = 900.0
"""Seconds to leave the service alone where the wall before it keeps us out without saying for how long."""
LOGIN_WAIT = 300.0
MISSING_ACCESS = 50001
UNKNOWN_CHANNEL = 10003

Says = Callable[[str], Outcome]

CODES: dict[int, Says] = {
    10003: Gone,  # unknown channel
    10004: Gone,  # unknown guild
    10013: Gone,  # unknown user
    10015: Gone,  # unknown webhook, which is never to be called again
    50007: Gone,  # cannot send messages to this user
    50278: Gone,  # no mutual guilds
    50001: Barred,  # missing access
    50013: Barred,  # missing permissions
    50008: Barred,  # a channel that takes no messages
    50083: Barred,  # thread is archived
    160005: Barred,  # thread is locked
    160006: Barred,  # too many active threads
    200000: Barred,  # the server's own automatic moderation
    200001: Barred,
    40067: Barred,  # a tag is required, and there is none that we may choose
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
    40001: lambda reason: Deferred(reason, scope="channel"),  # of the bot itself: unauthorised
    40002: lambda reason: Deferred(reason, scope="channel"),  # of the bot itself: its account is to be verified
    40003: lambda reason: Deferred(reason, scope="channel"),  # of the bot itself: it opens direct messages too fast
    40004: lambda reason: Deferred(reason, scope="channel"),  # sending is switched off at Discord
    20026: lambda reason: Deferred(reason, LOGIN_WAIT, scope="channel"),  # of the bot itself: it is in quarantine
    40333: lambda reason: Deferred(reason, scope="channel"),  # refused for the User-Agent
    130000: lambda reason: Deferred(reason, scope="channel"),  # overloaded
}
"""By code. What is not here is judged by its status."""


def outcome_of(error: Exception, attempt: Attempt | None = None) -> Outcome:
    """What an exception of discord.py's or the network's means for a message; `attempt` is what was seen of it.

    Raises the exception itself where it is none of theirs.
    """
    match error:
        case discord.RateLimited():
            everybody = attempt is not None and attempt.held_up
            return Deferred("asked to wait", error.retry_after, "channel" if everybody else "recipient")
        case discord.HTTPException():
            return _refused(error)
        case StoppedError():
            return Deferred("too many calls were refused", error.retry_after, scope="channel")
        case UndecidedError():
            return Unknown("nobody knows whether it arrived")
        case aiohttp.ClientError() | OSError() | asyncio.TimeoutError():
            reason = f"no answer ({type(error).__name__})"
            may_be_there = attempt is not None and attempt.may_be_there
            return Unknown(reason) if may_be_there else Deferred(reason, scope="channel")
        case _:
            raise error


def _refused(error: discord.HTTPException) -> Outcome:
    reason = f"{error.status} {error.code}: {error.text}" if error.code else f"{error.status}: {error.text[:200]}"
    if (says := CODES.get(error.code)) is not None:
        outcome = says(reason)
        if isinstance(outcome, Deferred):
            return Deferred(reason, _wait(error) or outcome.retry_after, outcome.scope)
        return outcome
    match error.status:
        case 401:
            return Deferred(reason, LOGIN_WAIT, scope="channel")
        case 403 if error.code:
            return Deferred(reason)  # nobody knows whose fault it is, and so it costs nobody
        case 403 | 404 | 405 if not error.code:
            return Deferred(reason, LOGIN_WAIT, scope="channel")  # not of this place: of us, or of the address
        case 429:
            return Deferred(reason, _wait(error) or BAN_WAIT, scope="channel")
        case status if status >= 500:
            return Deferred(reason, _wait(error), scope="channel")
        case _:
            return Rejected(reason)


def _wait(error: discord.HTTPException) -> float | None:
    written = error.response.headers.get("Retry-After", "")
    return float(written) if written.replace(".", "", 1).isdigit() else None
