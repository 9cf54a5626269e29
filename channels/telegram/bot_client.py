"""The library's client of the Bot API."""

from __future__ import annotations

import os

from telegram import Bot
from telegram.request import HTTPXRequest

from channels.telegram.settings import Settings


def make_bot(settings: Settings, connections: int) -> Bot:
    """The library's client, not yet logged in, with a pool of this many connections."""
    os.environ.setdefault("PTB_TIMEDELTA", "true")  # else the library warns of a coming change at every flood wait
    token = "0:0" if settings.token is None else settings.token.get_secret_value()
    origin = settings.api_url.rstrip("/")
    request = HTTPXRequest(connections, read_timeout=30.0, write_timeout=30.0, connect_timeout=10.0, pool_timeout=30.0)
    return Bot(token, base_url=f"{origin}/bot", base_file_url=f"{origin}/file/bot", request=request)
