"""Days and papers for tests of closing."""

from datetime import UTC, date, datetime, time, timedelta

from bot.model import Edition, Found, Paper
from bot.publishing.feed import FeedError
from bot.publishing.publisher import Publisher
from bot.store import Store

CLOSES = time(22)
QUARTER = timedelta(minutes=15)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
MONDAY = date(2025, 11, 3)
TUESDAY, WEDNESDAY, THURSDAY, FRIDAY, SATURDAY, SUNDAY, NEXT_MONDAY = (MONDAY + n * DAY for n in range(1, 8))


def at(day: date, hour: int = 0, minute: int = 0) -> datetime:
    return datetime(day.year, day.month, day.day, hour, minute, tzinfo=UTC)


def paper(number: int, listed_at: datetime, votes: int | None = 1, position: int = 0) -> Paper:
    return Paper(
        id=f"2511.{number:05}",
        title=f"Paper {number}",
        abstract="We study it.",
        listed_on=listed_at.date(),
        listed_at=listed_at,
        votes=votes,
        position=position,
    )


def ids(edition: Edition) -> list[str]:
    return [ranked.paper.id for ranked in edition.papers]


START = at(MONDAY)


class Listed:
    """A feed with given papers, which fails while told to."""

    def __init__(self, *papers: Paper) -> None:
        self.papers = list(papers)
        self.fault: str | None = None
        self.asked: list[list[date]] = []

    async def newest_day(self, until: date) -> date | None:
        self._fail()
        return max((each.listed_on for each in self.papers if each.listed_on <= until), default=None)

    async def poll(self, days: list[date], *, now: datetime, progress: object = None) -> Found:
        self._fail()
        self.asked.append(days)
        found = [each for each in self.papers if each.listed_on in days and each.listed_at <= now]
        return Found(found, frozenset(days))

    def _fail(self) -> None:
        if self.fault:
            raise FeedError(self.fault)


def publisher(store: Store, feed: Listed) -> Publisher:
    return Publisher(store, feed, interval=QUARTER, closes=CLOSES)
