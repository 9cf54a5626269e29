"""Reads the papers of given days from a feed, whether it is the JSON API or RSS."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Collection, Sequence
from datetime import UTC, date, datetime, time, timedelta
from types import TracebackType
from typing import Self
from urllib.parse import urlencode, urlsplit, urlunsplit

from bot.model import Found, Paper
from bot.publishing.feed import huggingface, rss
from bot.publishing.feed.errors import FeedError
from bot.runtime.clock import ClockError
from bot.runtime.http import Fetcher, FetchError

log = logging.getLogger(__name__)

PAGE = 100
"""Papers of one request, the most that the API allows (docs/feed.md, "Requests")."""
MOST_PAGES = 10
"""Pages of one day."""
MOST_AT_ONCE = 4
"""Concurrent requests."""
MOST_FAILED = 8
"""Days that may fail in one poll before the feed counts as down, while no day could be read."""
_BEFORE_MARKUP = b"\xef\xbb\xbf\xff\xfe\0 \t\r\n"

Progress = Callable[[int, int], None]


class _KindError(FeedError):
    """The feed answered with XML, after JSON so far."""


class Feed:
    """One feed of papers. Whether it is JSON or RSS is detected from its answers, and may change."""

    def __init__(self, url: str, *, fetcher: Fetcher | None = None) -> None:
        self._url = url
        self._fetcher = fetcher or Fetcher(cache=True)
        self._slots = asyncio.Semaphore(MOST_AT_ONCE)
        self._json = False
        """Whether the feed is known to be the JSON API; detected again at each poll until it is."""

    async def __aenter__(self) -> Self:
        await self._fetcher.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._fetcher.__aexit__(kind, error, trace)

    async def server_time(self) -> datetime | None:
        """The time by the feed's own clock; None if it does not say. Raises FetchError, ClockError."""
        try:
            return await self._fetcher.server_time(self._url)
        except FetchError as error:
            if error.expired:
                raise ClockError(str(error)) from None
            raise

    async def newest_day(self, until: date) -> date | None:
        """The newest list day up to `until` that has papers; None if there is none. Raises FeedError."""
        # Entries of RSS without a date count as listed now. With tomorrow as now they cannot count for `until`.
        papers = await self._bare(datetime.combine(until + timedelta(days=1), time(), UTC))
        if papers is not None:
            return max((paper.listed_on for paper in papers if paper.listed_on <= until), default=None)
        try:
            return await self._newest_listed(until)
        except _KindError:
            self._json = False
            raise

    async def poll(self, days: Sequence[date], *, now: datetime, progress: Progress | None = None) -> Found:
        """The papers listed on `days`, without duplicates; from RSS all that it holds now.

        `progress` is called with (days done, days in total) after each day. A day that cannot be read is named in the
        result. Raises FeedError if none can be.
        """
        papers = await self._bare(now)
        if papers is None:
            try:
                return await self._days(sorted(set(days)), progress or _no_progress)
            except _KindError:
                self._json = False
                papers = await self._bare(now)
                if papers is None:
                    raise
        if progress:
            progress(1, 1)
        return Found(papers)

    async def _bare(self, now: datetime) -> list[Paper] | None:
        """The papers at the address without parameters if that is RSS; None if it is the JSON API. Raises FeedError."""
        if self._json:
            return None
        body = await self._get(self._url)
        if _is_markup(body):
            return await asyncio.to_thread(rss.parse, body, now)
        await asyncio.to_thread(huggingface.parse, body, None)  # raises FeedError if it is not one
        self._json = True
        return None

    async def _newest_listed(self, until: date) -> date | None:
        # Without a date, rows come by publication, so the newest list day may be on a later page: read on until
        # `until` is found or a page brings no newer day.
        newest: date | None = None
        seen: set[str] = set()
        for page in range(MOST_PAGES):
            papers = await self._page(page, None, len(seen))
            if seen.issuperset(paper.id for paper in papers):
                break
            seen.update(paper.id for paper in papers)
            here = max((paper.listed_on for paper in papers if paper.listed_on <= until), default=None)
            if newest and (here is None or here <= newest):
                break
            newest = here
            if newest == until:
                break
        return newest

    async def _days(self, days: Sequence[date], progress: Progress) -> Found:
        """The papers of `days`, each read by itself: one that fails costs no other. Raises FeedError if all fail."""
        found: dict[date, tuple[dict[str, Paper], bool]] = {}
        failed: dict[date, FeedError] = {}
        turns = asyncio.Semaphore(MOST_AT_ONCE)

        async def read(day: date) -> None:
            async with turns:
                try:
                    if (error := _hopeless(failed.values(), any_read=bool(found))) is not None:
                        raise error
                    found[day] = await self._day(day)
                except FeedError as error:
                    failed[day] = error
            progress(len(found) + len(failed), len(days))

        async with asyncio.TaskGroup() as group:
            for day in reversed(days):  # the newest first: readers wait for it
                group.create_task(read(day))
        waits = [error.retry_after for error in failed.values() if error.retry_after is not None]
        if days and not found:
            raise _of_all(list(failed.values()), max(waits, default=None))
        papers: dict[str, Paper] = {}
        for paper in (paper for day in days if day in found for paper in found[day][0].values()):
            # Listed on several days: the newest listing counts (docs/feed.md, "Papers").
            if paper.id not in papers or papers[paper.id].listed_at < paper.listed_at:
                papers[paper.id] = paper
        whole = frozenset(day for day, (_, to_its_end) in found.items() if to_its_end)
        reasons = {day: str(failed[day]) for day in days if day in failed}
        return Found(list(papers.values()), whole, reasons, max(waits, default=None))

    async def _day(self, day: date) -> tuple[dict[str, Paper], bool]:
        """The papers of a day, by id, and whether its list was read to the end."""
        found: dict[str, Paper] = {}
        for page in range(MOST_PAGES):
            # A short page need not be the last one (docs/feed.md, "Requests").
            papers = await self._page(page, day, len(found))
            if found.keys() >= {paper.id for paper in papers}:
                return found, True
            for paper in papers:
                found.setdefault(paper.id, paper)
        log.warning(
            "list of a day has too many pages, using what was read",
            extra={"day": str(day), "pages": MOST_PAGES, "papers": len(found)},
        )
        return found, False

    async def _page(self, page: int, day: date | None, start: int) -> list[Paper]:
        period = {"date": day.isoformat()} if day else {}
        body = await self._get(_with(self._url, period | {"limit": str(PAGE), "p": str(page)}))
        if _is_markup(body):
            raise _KindError("the feed, so far JSON, answered with XML or a web page")
        return await asyncio.to_thread(huggingface.parse, body, day, start)

    async def _get(self, url: str) -> bytes:
        async with self._slots:
            try:
                return (await self._fetcher.get(url)).body
            except FetchError as error:
                raise FeedError(str(error), retry_after=error.retry_after) from None


def _hopeless(failed: Collection[FeedError], *, any_read: bool) -> FeedError | None:
    """Why the days that are left are not asked for: the feed wants to be left alone, or seems to be down."""
    waits = (error for error in failed if error.retry_after is not None)
    return next(waits, None) or (None if any_read or len(failed) < MOST_FAILED else next(iter(failed)))


def _of_all(failed: Sequence[FeedError], retry_after: float | None) -> FeedError:
    """The error of a poll of which every day failed; a change of the feed's kind comes before any other."""
    changed = next((error for error in failed if isinstance(error, _KindError)), None)
    return changed or FeedError(str(failed[0]), retry_after=retry_after)


def _is_markup(body: bytes) -> bool:
    return body[:4096].lstrip(_BEFORE_MARKUP).startswith(b"<")


def _with(url: str, parameters: dict[str, str]) -> str:
    """`url` with more query parameters; those that it has are left unchanged."""
    parts = urlsplit(url)
    query = "&".join(filter(None, (parts.query, urlencode(parameters))))
    return urlunsplit((parts.scheme, parts.netloc, parts.path, query, ""))


def _no_progress(done: int, total: int) -> None:
    """For callers that do not want to be told about progress."""
