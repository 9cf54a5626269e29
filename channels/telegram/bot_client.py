"""The library's client of the Bot API."""

from __future__ import annotations

import os
import ssl
from functools import cache

import httpx
from pydantic import SecretStr
from telegram import Bot
from telegram.request import HTTPXRequest

from channels.telegram.settings import Settings

NO_TOKEN = SecretStr("0:0")
"""The library wants a token, also from those who only compose."""


@cache
def _tls() -> ssl.SSLContext:
    """Which certificates are trusted; reading them takes 30 ms, and each client would do so by itself."""
    return httpx.create_ssl_context()


def make_bot(settings: Settings, account: str, connections: int) -> Bot:
    """The client of a bot, the first one without an `account`: not yet logged in, with a pool of connections."""
    os.environ.setdefault("PTB_TIMEDELTA", "true")  # else the library warns of a coming change at every flood wait
    token = settings.bots.get(account) or next(iter(settings.bots.values()), NO_TOKEN)
    origin = settings.api_url.rstrip("/")
    shared = {"verify": _tls()}
    request = HTTPXRequest(
        connections, read_timeout=30.0, write_timeout=30.0, connect_timeout=10.0, pool_timeout=30.0, httpx_kwargs=shared
    )
    return Bot(
        token.get_secret_value(),
        base_url=f"{origin}/bot",
        base_file_url=f"{origin}/file/bot",
        request=request,
        get_updates_request=HTTPXRequest(1, httpx_kwargs=shared),
    )
