"""Webhooks: posts to channels, and bounces and complaints that mail services report as signed JSON.

    POST /hooks/mail
    X-Papers-Timestamp: 1777500000
    X-Papers-Signature: sha256=<HMAC-SHA256 of timestamp, a dot, and the body, by MAIL_HOOK_SECRET>

    {"events": [{"type": "bounce", "message_id": "<…@example.org>", "permanent": true, "reason": "550 5.1.1"}]}

A mail is identified by its Message-ID or by its envelope sender (`return_path`); both hold a token that we signed.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import logging
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from aiohttp import web

from bot.channel import MAIL, Commands, Feedback, Hook, Hooked, WeighsBounces
from bot.commands.process_feedback import FeedbackProcessor
from bot.delivery.session import Session
from bot.runtime.logs import logged_account

log = logging.getLogger(__name__)

FRESH = timedelta(minutes=5)
"""Time that a signature is good for, in both directions; an older one may have been recorded and replayed."""
MOST_EVENTS = 500
"""Events that one post may hold."""
LONGEST_REASON = 200
"""Characters of a reason that are kept."""
MEANINGS: Mapping[str, Feedback] = {
    "bounce": Feedback.GONE,
    "dropped": Feedback.GONE,
    "complaint": Feedback.COMPLAINT,
    "spamreport": Feedback.COMPLAINT,
    "unsubscribe": Feedback.UNSUBSCRIBE,
    "deferred": Feedback.STRIKE,
}
"""The feedback that the `type` of an event stands for; a bounce that is not `permanent` is a strike. Others are
ignored."""
_TOKEN = re.compile(r"[0-9a-z.]{1,40}-[0-9a-f]{32}", re.IGNORECASE)
LARGEST_POST = 1 << 20
"""Bytes that a channel's service may post."""


class ChannelHooks:
    """Hands posts of services to their channels, which check that a post is genuine."""

    def __init__(self, sessions: Sequence[Session], commands: Commands) -> None:
        self._sessions = {
            name: session
            for session in sessions
            if isinstance(session.channel, Hooked)
            for name in session.channel.webhooks()
        }
        self._commands = commands

    async def take(self, request: web.Request) -> web.StreamResponse:
        """Hand one post to its channel, logged in; the status is what the channel returns, 404 without one."""
        name = request.match_info["channel"]
        session = self._sessions.get(name)
        if session is None:
            raise web.HTTPNotFound
        body = await request.clone(client_max_size=LARGEST_POST).read()
        with logged_account(session.account):
            channel = await session.open()
            assert isinstance(channel, Hooked)
            status = await channel.webhooks()[name](Hook(request.headers, body), self._commands)
        return web.Response(status=status, headers={"Cache-Control": "no-store"})


class WebhookRoutes:
    """Takes events of mail services that are signed with `secret`."""

    def __init__(
        self, feedback: FeedbackProcessor, secret: str, clock: Callable[[], datetime], *, weigher: object = None
    ) -> None:
        """`weigher` may be a channel that understands the reasons of bounces (`WeighsBounces`)."""
        self._weigher = weigher if isinstance(weigher, WeighsBounces) else None
        self._feedback = feedback
        self._secret = secret.encode()
        self._clock = clock

    async def mail(self, request: web.Request) -> web.StreamResponse:
        """Process every event; malformed ones are ignored. A post that is not signed is answered with 403."""
        body, now = await request.read(), self._clock()
        if not self._is_signed(request.headers, body, now):
            raise web.HTTPForbidden
        done = 0
        for event in _events(body):
            found = understood(event, self._weigher)
            if found is not None and await self._feedback.process(found[0], MAIL, found[1], found[2], now):
                done += 1
        log.info("mail events processed", extra={"done": done})
        return web.json_response({"done": done}, headers={"Cache-Control": "no-store"})

    def _is_signed(self, headers: Mapping[str, str], body: bytes, now: datetime) -> bool:
        written = headers.get("X-Papers-Timestamp", "")
        signed = hmac.new(self._secret, f"{written}.".encode() + body, hashlib.sha256).hexdigest()
        shown = headers.get("X-Papers-Signature", "").encode("utf-8", "replace")
        if not hmac.compare_digest(shown, f"sha256={signed}".encode()):
            return False
        if not re.fullmatch(r"\d{1,11}", written, re.ASCII):
            return False
        return abs(now - datetime.fromtimestamp(int(written), UTC)) <= FRESH


def understood(event: object, weigher: WeighsBounces | None = None) -> tuple[Feedback, str, str] | None:
    """An event's feedback, the token of the mail that it is about, and its reason. Pure.

    None if it is malformed, or if by its reason it is not the reader's matter: policy, rates, reputation.
    """
    if not isinstance(event, dict):
        return None
    kind = event.get("type")
    what = MEANINGS.get(kind.lower()) if isinstance(kind, str) else None
    names = [event.get(name) for name in ("message_id", "return_path")]
    tokens = [found[0] for name in names if isinstance(name, str) and (found := _TOKEN.search(name[:400]))]
    if what is None or not tokens:
        return None
    if what is Feedback.GONE and event.get("permanent") is not True:
        what = Feedback.STRIKE
    reason = event.get("reason")
    said = "".join(char if char.isprintable() else " " for char in reason) if isinstance(reason, str) else ""
    if weigher is not None and what in {Feedback.GONE, Feedback.STRIKE}:
        what = weigher.weigh(what, said[:LONGEST_REASON])
    return None if what is None else (what, tokens[0], said[:LONGEST_REASON] or str(kind)[:20])


def _events(body: bytes) -> list[Any]:
    try:
        said = json.loads(body)
    except (ValueError, RecursionError):
        raise web.HTTPBadRequest from None
    events = said.get("events") if isinstance(said, dict) else None
    if not isinstance(events, list) or len(events) > MOST_EVENTS:
        raise web.HTTPBadRequest
    return events
