"""The recorded days lived through again: from the feed's own bytes to files in an outbox, with time as an argument."""

import io
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

import pytest
from rich.console import Console

from bot.channel import Message, Outcome, Personal
from bot.delivery.dispatcher import Dispatcher
from bot.model import ALL_PAPERS, Address, Cadence, Edition, Preferences, State
from bot.publishing.feed import Feed
from bot.publishing.publisher import Publisher
from bot.runtime.locks import holding, make_locks
from bot.store import Store, edition_queries, subscriber_queries
from bot.store.edition_report import Report, reports
from channels.outbox.channel import Outbox, OutboxMessage
from tests.support.feed_server import FeedServer, Row, recorded_days, row
from tests.support.pages import kit

DAY = timedelta(days=1)
CLOSES = time(22)
POLLS = (time(2), time(8), time(14), CLOSES, time(23, 30))
READERS = {
    "ada": Preferences(language="en", papers=ALL_PAPERS),
    "haneul": Preferences(language="ko", papers=ALL_PAPERS, timezone="Asia/Seoul"),
}
SAMPLE = slice(8, 23)
"""Recorded days of an ordinary run: two weekends, and a weekday that was not recorded."""


@dataclass
class Watched(Outbox):
    """The outbox itself, which also notes what it was given."""

    folder: Path
    sent: list[tuple[str, OutboxMessage]] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__(self.folder, kit(self.folder), Console(file=io.StringIO()))

    async def send(self, to: str, message: Message, personal: Personal) -> Outcome:
        assert isinstance(message, OutboxMessage)
        self.sent.append((to, message))
        return await super().send(to, message, personal)


@dataclass
class Past:
    """What came of living through it."""

    days: dict[date, list[Row]]
    editions: list[Edition]
    reports: Sequence[Report]
    sent: list[tuple[str, OutboxMessage]]
    limits: dict[str, int]
    folder: Path


async def live(days: dict[date, list[Row]], store: Store, folder: Path) -> Past:
    """Run the service by its own clock from the first day's closing time to the morning after the last."""
    first, last = min(days), max(days)
    async with store.write() as connection:
        for name, wanted in READERS.items():
            await subscriber_queries.add(connection, Address("outbox", name), wanted, now=datetime.now(UTC))
    now = datetime.combine(first, CLOSES, UTC)
    async with FeedServer(days, clock=lambda: now) as server, Feed(server.url) as feed, Watched(folder) as channel:
        publisher = Publisher(store, feed, interval=timedelta(minutes=15), closes=CLOSES)
        locks = make_locks(store.engine.url, store.path)
        dispatcher = Dispatcher(store, channel, locks)
        moments = (datetime.combine(first + n * DAY, at, UTC) for n in range((last - first).days + 2) for at in POLLS)
        async with holding(locks, *dispatcher.roles()):
            for now in (moment for moment in moments if moment >= now):  # the server's clock follows
                await publisher.step(now)
                while await dispatcher.step(now) or dispatcher.busy:
                    if dispatcher.busy:
                        await dispatcher.attempt_ended.wait()
    async with store.read() as connection:
        found = await reports(connection, limit=1000)
        days_of = [report.day for report in reversed(found) if report.cadence is Cadence.DAY]
        closed = [await edition_queries.of_day(connection, Cadence.DAY, day) for day in days_of]
    return Past(
        days=days,
        editions=[edition for edition in closed if edition is not None],
        reports=found,
        sent=channel.sent,
        limits=dict(channel.limits.maxima),
        folder=folder,
    )


def recorded(reference: Path, chosen: slice) -> dict[date, list[Row]]:
    """Recorded days, and one more that takes along what the last one listed after its closing time."""
    every = recorded_days(reference / "data" / "daily_papers")
    days = {day: filling(day, every[day]) for day in list(every)[chosen]}
    after = max(days) + DAY
    while after.weekday() >= 5:
        after += DAY
    return days | {after: [row("2699.00001", day=after, hour=1)]}


def filling(day: date, rows: list[Row]) -> list[Row]:
    """The rows as a day lists them: most in its first hours, some after closing time (recordings are of 08:00)."""
    start = datetime.combine(day, time(), UTC)
    for place, each in enumerate(sorted(rows, key=lambda each: str(each["paper"]["id"])), start=1):
        listed_at = start + (DAY - timedelta(seconds=1)) * (place / len(rows)) ** 3
        each["paper"]["submittedOnDailyAt"] = f"{listed_at:%Y-%m-%dT%H:%M:%S}.000Z"
    return rows


def judge(past: Past) -> None:
    listed_on = defaultdict[str, set[date]](set)  # 2604.07429 was listed twice, six days apart
    for day, rows in past.days.items():
        for each in rows:
            listed_on[each["paper"]["id"]].add(day)
    held = Counter(ranked.paper.id for edition in past.editions for ranked in edition.papers)
    assert set(held) == set(listed_on), "every listed paper is in an edition"
    assert set(held.values()) == {1}, "and in no other"

    days = [edition.day for edition in past.editions]
    assert days == sorted(past.days), "a day with a list has an edition, a weekend has none"
    assert all(edition.complete for edition in past.editions)
    assert all(edition.closed_at == datetime.combine(edition.day, CLOSES, UTC) for edition in past.editions)

    for edition in past.editions:
        window = {edition.day - n * DAY for n in range(7)}
        assert all(listed_on[each.paper.id] & window for each in edition.papers)
        votes = [each.votes or 0 for each in edition.papers]
        assert votes == sorted(votes, reverse=True)

    got = Counter((to, sheet.page.about.slug) for to, sheet in past.sent)
    assert got == {(name, f"{day}"): 1 for name in READERS for day in days}, "each edition once to every reader"
    for to, sheet in past.sent:
        assert set(sheet.sizes()) == set(past.limits)
        assert all(size <= past.limits[unit] for unit, size in sheet.sizes().items())
        assert sheet.page.language == READERS[to].language
        edition = past.editions[days.index(date.fromisoformat(sheet.page.about.slug))]
        assert [block.paper.id for block in sheet.page.blocks] == [each.paper.id for each in edition.papers]
        written = past.folder / f"{sheet.page.about.slug}.{to}.html"
        assert written.read_text(encoding="utf-8") == sheet.html

    for report in past.reports:
        if report.cadence is not Cadence.DAY:
            assert (report.audience, report.adds_up) == (0, True)  # nobody here reads by the week or the month
            continue
        assert (report.audience, report.adds_up) == (len(READERS), True)
        assert {channel: dict(reach.states) for channel, reach in report.channels.items()} == {
            "outbox": {State.SENT: len(READERS)}
        }


on_sqlite = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


@on_sqlite
async def test_three_weeks_lived_through_again(reference: Path, store: Store, tmp_path: Path) -> None:
    past = await live(recorded(reference, SAMPLE), store, tmp_path / "outbox")
    assert len(past.editions) == 16
    judge(past)


@on_sqlite
@pytest.mark.long
@pytest.mark.timeout(1200)
async def test_all_recorded_days_lived_through_again(reference: Path, long: bool, store: Store, tmp_path: Path) -> None:
    if not long:
        pytest.skip("only with --long")
    past = await live(recorded(reference, slice(None)), store, tmp_path / "outbox")
    assert len(past.editions) == 128
    judge(past)
