"""An operator's conversation with the commands, and readers in several zones."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, time, timedelta
from typing import Any

from sqlalchemy import select, update

from bot.channel import (
    Reply,
    Requester,
)
from bot.commands import ReaderCommands, announce
from bot.delivery.dispatcher import Dispatcher
from bot.model import NOTE, Address, Cadence, Preferences
from bot.rules.access import Access
from bot.runtime.locks import Locks
from bot.store import (
    Store,
    subscriber_queries,
)
from bot.store.edition_report import Report, reports
from bot.store.schema import announcements as drafts
from bot.store.schema import deliveries
from tests.support.alerts_heard import Heard
from tests.support.fake_channel import NOW, FakeChannel, publish, settle

HOUR = timedelta(hours=1)
ROOT = Address("fake", "root")
NOON = NOW + 14 * HOUR
"""12:00 UTC on the day after the first edition."""


EVERYWHERE = {
    "ada": Preferences(),
    "bo": Preferences(timezone="Asia/Seoul", cadence=Cadence.WEEK, language="ko"),
    "cy": Preferences(timezone="America/Los_Angeles", cadence=Cadence.MONTH),
    "di": Preferences(timezone="Asia/Seoul", hour=21 * 60, weekdays=0b1000000),
}
"""At noon in UTC it is 21:00 in Seoul and 04:00 in Los Angeles; the day is a Tuesday."""


class Chat:
    """An operator's conversation; every line comes ten seconds after the last."""

    def __init__(self, store: Store, *, access: Access | None = None, channel: FakeChannel | None = None) -> None:
        self.store = store
        self.heard = Heard()
        self.channel = channel or FakeChannel()
        self.access = access or Access(always=(ROOT,))
        self.now = NOON
        self.restart()

    def restart(self) -> None:
        """Nothing but the database is left."""
        self.readers = ReaderCommands(
            self.store,
            [self.channel],
            fallback=Preferences(),
            closes=time(22),
            access=self.access,
            alert=self.heard,
        )

    async def ask(self, line: str, who: Address = ROOT, **requester: Any) -> Reply:
        self.now += timedelta(seconds=10)
        return await self.readers.ask(replace(Requester(who), **requester), line, self.now)

    async def says(self, line: str, who: Address = ROOT, **requester: Any) -> str:
        return " ".join((await self.ask(line, who, **requester)).says)

    async def preview(self, text: str) -> Reply:
        """What the preview of any text says, also of one that no line can hold."""
        self.now += timedelta(seconds=10)
        return await self.readers._answer(Requester(ROOT), self.now, lambda asked: announce.preview(asked, text, None))

    async def announce(self, text: str = "We are moving on Sunday.") -> Reply:
        shown = await self.preview(text)
        assert shown.ok, shown.says
        return await self.ask(shown.options[0].line)


async def begun(store: Store, readers: Mapping[str, Preferences]) -> Chat:
    """A newsletter whose readers have had an edition."""
    await publish(store, readers)
    async with store.write() as connection:
        await connection.execute(update(deliveries).values(state="sent", ended_at=NOW))
    return Chat(store)


async def deliver(store: Store, channel: FakeChannel, locks: Locks, since: datetime) -> None:
    """Let a day and a half go by."""
    dispatcher = Dispatcher(store, channel, locks)
    for halves in range(72):
        await settle(dispatcher, since + halves * HOUR / 2)


async def notes(store: Store) -> list[Any]:
    """The deliveries of announcements, one after the other, in the order of their readers."""
    query = (
        select(deliveries)
        .where(deliveries.c.edition_id.in_(select(drafts.c.edition_id).where(drafts.c.edition_id.is_not(None))))
        .order_by(deliveries.c.edition_id, deliveries.c.subscriber_id)
    )
    async with store.read() as connection:
        return list((await connection.execute(query)).all())


async def reported(store: Store) -> Report:
    """The newest announcement's deliveries by state."""
    async with store.read() as connection:
        found = await reports(connection)
    assert all(report.adds_up for report in found)
    return next(report for report in found if report.cadence == NOTE)


async def id_of(store: Store, name: str) -> int:
    async with store.read() as connection:
        reader = await subscriber_queries.get(connection, Address("fake", name))
    assert reader is not None
    return reader.id
