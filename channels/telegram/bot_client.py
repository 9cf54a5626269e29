"""The library's client of the Bot API."""

from __future__ import annotations

import os
import ssl
from functools import cache

import httpx
from telegram import Bot
from telegram.request import HTTPXRequest

from channels.telegram.settings import Settings


@cache
def _tls() -> ssl.SSLContext:
    """Which certificates are trusted; reading them takes 30 ms, and each client would do so by itself."""
    return httpx.create_ssl_context()


def make_bot(settings: Settings, connections: int) -> Bot:
    """The library's client, not yet logged in, with so many connections."""
    os.environ.setdefault("PTB_TIMEDELTA", "true")  # else the library warns of a coming change at every flood wait
    token = "0:0" if settings.token is None else settings.token.get_secret_value()
    origin = settings.api_url.rstrip("/")
    shared = {"verify": _tls()}
    request = HTTPXRequest(
        connections, read_timeout=30.0, write_timeout=30.0, connect_timeout=10.0, pool_timeout=30.0, httpx_kwargs=shared
    )
    updates = HTTPXRequest(1, httpx_kwargs=shared)
    return Bot(
        token,
        base_url=f"{origin}/bot",
        base_file_url=f"{origin}/file/bot",
        request=request,
        get_updates_request=updates,
    )
