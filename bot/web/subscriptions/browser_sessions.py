"""Browser sessions: a cookie with a random key, and the reader that is stored for the key."""

from __future__ import annotations

import re
from datetime import datetime

from aiohttp import web

from bot.model import Subscriber
from bot.store import one_time_tokens
from bot.store.one_time_tokens import KEY_LENGTH, LASTS, Purpose
from bot.web.subscriptions.forms import FormPages

_KEY = re.compile(rf"[0-9a-z]{{{KEY_LENGTH}}}", re.ASCII)


class BrowserSessions:
    """Begins, finds and ends browser sessions."""

    def __init__(self, forms: FormPages) -> None:
        self._forms = forms
        self._secure = forms.urls.origin.startswith("https:")
        # With this prefix no other host below the same domain can set it (RFC 6265bis section 4.1.3.2).
        self._name = "__Host-papers" if self._secure else "papers"

    async def reader(self, request: web.Request, now: datetime) -> Subscriber | None:
        """The reader whose browser sent a request, None without a session."""
        key = self._key(request)
        if key is None:
            return None
        async with self._forms.store.read() as connection:
            token = await one_time_tokens.look(connection, Purpose.SESSION, key, now)
        return None if token is None else await self._forms.numbered(token.subscriber_id)

    async def begin(self, answer: web.Response, reader: Subscriber, now: datetime) -> web.Response:
        """Add a session cookie for a reader to an answer."""
        async with self._forms.store.write() as connection:
            key = await one_time_tokens.make(
                connection, Purpose.SESSION, reader.address, now=now, subscriber_id=reader.id
            )
        answer.set_cookie(
            self._name,
            key,
            max_age=int(LASTS[Purpose.SESSION].total_seconds()),
            path="/",
            secure=self._secure,
            httponly=True,
            samesite="Lax",
        )
        return answer

    async def end(self, request: web.Request, answer: web.Response) -> web.Response:
        """End the session, and delete the cookie with an answer."""
        key = self._key(request)
        if key is not None:
            async with self._forms.store.write() as connection:
                await one_time_tokens.end(connection, key)
        answer.del_cookie(self._name, path="/", secure=self._secure, httponly=True, samesite="Lax")
        return answer

    def _key(self, request: web.Request) -> str | None:
        key = request.cookies.get(self._name, "")
        return key if _KEY.fullmatch(key) else None
