"""An edition, its readers, a language model's endpoint, and the writer between them."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import timedelta
from typing import Any

from bot.channel import Page
from bot.delivery.dispatcher import Dispatcher
from bot.model import Address, Cadence, Edition, Found, Paper, Preferences, Ranked, Style
from bot.runtime.locks import make_locks
from bot.store import Store, audience, edition_queries, paper_queries, subscriber_queries, text_queries
from bot.summaries.llm import Model
from bot.summaries.writer import Writer
from tests.support.fake_channel import DAY, NOW, FakeChannel, paper, settle
from tests.support.model_server import ModelServer

HOUR = timedelta(hours=1)
EVENING = 22 * 60
"""The hour at which editions close here: due at once."""


def about(number: int) -> Paper:
    """A paper with something to say."""
    made = paper(number, votes=100 - number)
    abstract = (
        f"Systems of kind {number} break when their surroundings change. We present Method{number}X, which learns step "
        f"by step and keeps what it knew. On three benchmarks it is 12.5% better than before and 2.5 times faster."
    )
    return replace(made, title=f"Method{number}X: Learning Step by Step", abstract=abstract, sentence=f"Feed {number}.")


class Newsroom:
    """An edition of some papers, readers, a model's endpoint, and everything between."""

    def __init__(self, store: Store, server: ModelServer, model: Model) -> None:
        self.store, self.server, self.model = store, server, model
        self.pages: list[tuple[str, Page]] = []

    async def publish(self, readers: dict[str, Preferences], count: int = 3) -> None:
        async with self.store.write() as connection:
            for name, wanted in readers.items():
                await subscriber_queries.add(connection, Address("fake", name), wanted, now=NOW - HOUR)
            found = [about(number) for number in range(1, count + 1)]
            await paper_queries.keep(connection, Found(found, frozenset({DAY})))
            ranked = tuple(Ranked(place, each, each.votes) for place, each in enumerate(found, start=1))
            edition_id = await edition_queries.add(connection, Edition(Cadence.DAY, DAY, NOW, ranked))
            assert edition_id is not None
            await audience.owe(connection, edition_id, Cadence.DAY, published_at=NOW)

    def writer(self, **options: Any) -> Writer:
        return Writer(self.store, self.model, **{"concurrency": 4, "budget": 0} | options)

    async def write_all(self, writer: Writer | None = None, now: Any = NOW) -> None:
        writer = writer or self.writer()
        while await writer.step(now):
            pass

    async def deliver(self, *moments: Any) -> dict[str, Page]:
        """The page that each reader got, of those that came at these moments."""
        channel = FakeChannel(answer=self._note)
        dispatcher = Dispatcher(self.store, channel, make_locks(self.store.engine.url, self.store.path), writes=True)
        self.pages.clear()
        for now in moments:
            await settle(dispatcher, now)
        return dict(self.pages)

    def _note(self, to: str, message: Any, personal: Any) -> Any:
        from bot.channel import Sent

        self.pages.append((to, message.page))
        return Sent()

    async def verdicts(self) -> Counter[str]:
        async with self.store.read() as connection:
            return Counter(str(each.verdict) for each in await text_queries.newest(connection, 0))


def reader(language: str, style: Style = Style.HIGHLIGHTS, **more: Any) -> Preferences:
    return Preferences(language=language, style=style, hour=EVENING, **more)
