"""Papers and days for tests of the store."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

from bot.model import (
    Found,
    Media,
    MediaKind,
    Paper,
)
from bot.store import (
    Store,
    paper_queries,
)

MONDAY, TUESDAY = date(2025, 11, 3), date(2025, 11, 4)
NOON = datetime(2025, 11, 3, 12, tzinfo=UTC)
CLOSED = datetime(2025, 11, 3, 22, tzinfo=UTC)
HOUR = timedelta(hours=1)


def paper(number: int = 1, **changes: Any) -> Paper:
    known: dict[str, Any] = {
        "id": f"2511.{number:05}",
        "title": f"Paper {number}",
        "abstract": "We study it.",
        "listed_on": MONDAY,
        "listed_at": NOON,
        "votes": 1,
    }
    return Paper(**(known | changes))


FULL = paper(
    7,
    comments=3,
    position=4,
    sentence="It is studied.",
    authors=("Ada Example", "하늘 김"),
    organisation="Somewhere",
    keywords=("diffusion", "강화학습"),
    published=date(2025, 11, 1),
    code="https://github.com/a/b",
    stars=12,
    project="https://a.example",
    thumbnail="https://a.example/t.png",
    media=(Media(MediaKind.VIDEO, "https://a.example/v.mp4"),),
)


async def keep(store: Store, *found: Paper, days: Sequence[date] = ()) -> int:
    async with store.write() as connection:
        return await paper_queries.keep(connection, Found(found, frozenset(days)))


async def on_list(store: Store) -> dict[str, Paper]:
    async with store.read() as connection:
        return {each.id: each for each in await paper_queries.listed(connection, date.min, date.max)}
