"""Raw HTTP to the local feed server."""

from datetime import date
from typing import Any

from aiohttp import ClientSession

from tests.support.feed_server import FeedServer

MONDAY, TUESDAY, WEDNESDAY = date(2025, 11, 3), date(2025, 11, 4), date(2025, 11, 5)


async def ids(http: ClientSession, server: FeedServer, **query: Any) -> list[str]:
    async with http.get(server.url, params={name: str(value) for name, value in query.items()}) as answer:
        assert answer.status == 200
        assert answer.content_type == "application/json"
        return [row["paper"]["id"] for row in await answer.json()]
