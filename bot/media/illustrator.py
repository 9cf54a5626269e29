"""Draws the pictures of editions after they are published: word cloud, trend, poster and card, in every language."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from bot.media import drawing_process
from bot.media.edition_pictures import ON_POSTER, Surroundings, keywords, tasks
from bot.media.keyword_words import KeywordWords, Translate
from bot.media.media_store import MediaStore, fingerprint
from bot.media.picture_specs import Task
from bot.model import Cadence, Edition, Paper, Style
from bot.render.catalogue import languages
from bot.render.edition_page import NO_TEXTS, slug
from bot.rules.closing import DAY
from bot.rules.periods import period_of
from bot.rules.trend import DAYS, MONTHS, first_counted
from bot.runtime.background_process import BackgroundError
from bot.runtime.recent import Recent
from bot.store import Store, edition_queries, paper_queries, picture_queries, stats, text_queries

log = logging.getLogger(__name__)

FRESH = timedelta(days=2)
"""Age up to which pictures are drawn of an edition without being asked for."""
LOOK_AGAIN = timedelta(minutes=10)
"""Time between two looks at whether an edition's pictures would differ now: translations and thumbnails come later."""
FETCH_SECONDS = 30.0
"""Seconds that the fetching of a thumbnail may take, before a poster goes without."""
DRAWN_AS = 5
"""Raised with every change in how pictures are drawn, so that those there are are drawn again."""
REMEMBERED = 1_000

Thumbnail = Callable[[Paper, datetime], Awaitable[Path | None]]
"""Gives the file of a paper's thumbnail, None where there is none."""
Report = Callable[[int, int], None]
"""Is told how many pictures of how many are done."""


async def no_thumbnail(paper: Paper, now: datetime) -> Path | None:  # noqa: ARG001 - it takes what every Thumbnail takes
    """A `Thumbnail` that never has one."""
    return None


@dataclass(slots=True)
class Drawn:
    """The result of drawing an edition's pictures: how many were drawn, how many were there, and why some cannot be."""

    drawn: int = 0
    there: int = 0
    reasons: list[str] = field(default_factory=list)


class Illustrator:
    """Draws pictures into `media`. Each `step` does what is due; nothing waits for it."""

    def __init__(
        self,
        store: Store,
        media: MediaStore,
        *,
        thumbnail: Thumbnail = no_thumbnail,
        cache: Path | None = None,
        always: Sequence[str] | None = None,
        translate: Translate | None = None,
    ) -> None:
        """Pictures are drawn in the languages of `always` and of readers; with None in all that are offered.

        `thumbnail` fetches that of an edition's first paper; `cache` is the folder of those that are there.
        `translate` finds words for keywords of which our tables know none.
        """
        self._store = store
        self._always = always
        self._media = media
        self._thumbnail = thumbnail
        self._cache = cache
        self._words = KeywordWords(media, translate)
        self._looked: Recent[int, datetime] = Recent(REMEMBERED)
        """When each edition was looked at last."""
        self._impossible: Recent[str, str] = Recent(REMEMBERED)
        """Pictures that cannot be drawn, by what they are made from, and why."""

    async def step(self, now: datetime) -> bool:
        """Draw what is missing of the newest editions. Returns whether anything was drawn."""
        drawn = 0
        for cadence in Cadence:
            async with self._store.read() as connection:
                edition_id = await edition_queries.latest_id(connection, cadence)
                if edition_id is None or self._was_looked_at(edition_id, now):
                    continue
                edition = await edition_queries.get(connection, edition_id)
            self._looked.put(edition_id, now)
            if now - edition.closed_at < FRESH:
                drawn += (await self.illustrate(edition, await self._languages(), now)).drawn
        return drawn > 0

    async def _languages(self) -> list[str]:
        """The languages that pictures are shown in."""
        if self._always is None:
            return list(languages())
        async with self._store.read() as connection:
            read = await stats.active_by_language(connection)
        return [tag for tag in languages() if tag in read or tag in self._always]

    async def illustrate(
        self,
        edition: Edition,
        tags: Sequence[str],
        now: datetime,
        *,
        force: bool = False,
        report: Report | None = None,
    ) -> Drawn:
        """Draw an edition's pictures in these languages, with `force` also those that are there.

        Never raises for a picture. `report` is told how many are done.
        """
        owner, result = slug(edition.cadence, edition.day), Drawn()
        wanted = await self._tasks(edition, tags, now)
        missing = [each for each in wanted if force or not await self._is_settled(owner, each, result)]
        if report is not None:
            report(0, len(missing))
        try:
            async with aclosing(drawing_process.draw(missing)) as drawing:
                async for task, files in drawing:
                    await self._keep(owner, task, files, now, result)
                    if report is not None:
                        report(result.drawn + len(result.reasons), len(missing))
        except (BackgroundError, OSError) as error:
            reason = str(error)
            if isinstance(error, OSError):
                reason = f"MEDIA_DIR cannot be written to ({error.strerror or type(error).__name__})"
            result.reasons.append(reason)
            log.error("pictures of an edition cannot be drawn", extra={"edition": owner, "reason": reason})
        if result.drawn:
            log.info("pictures drawn", extra={"edition": owner, "pictures": result.drawn})
        return result

    async def _tasks(self, edition: Edition, tags: Sequence[str], now: datetime) -> list[Task]:
        around = await self._surroundings(edition, now)
        weighed = keywords(edition, around)
        named = await asyncio.gather(*(self._words.of(edition, weighed, tag, now) for tag in tags))
        found: list[Task] = []
        for tag, names in zip(tags, named, strict=True):
            async with self._store.read() as connection:
                ids = [ranked.paper.id for ranked in edition.papers]
                written = await text_queries.of(connection, ids, tag)
            has_titles = any(Style.TRANSLATION in styles for styles in written.values())
            found += tasks(edition, tag, around, weighed, written if has_titles else NO_TEXTS, names=names)
        return found

    async def _surroundings(self, edition: Edition, now: datetime) -> Surroundings:
        first = period_of(edition.cadence, edition.day).first
        since = first_counted(edition.day)
        if edition.cadence is Cadence.MONTH:
            since = min(since, edition.day - MONTHS * timedelta(days=31))
        async with self._store.read() as connection:
            before = await picture_queries.keywords_between(connection, first - DAYS * DAY, first - DAY)
            counts = await picture_queries.papers_a_day(connection, since, edition.day)
            begins = await paper_queries.first_day(connection)
        photo = await self._photo(edition.papers[0].paper, now) if edition.papers else None
        shown = [ranked.paper.id for ranked in edition.papers[1:ON_POSTER]]
        return Surroundings(before, counts, begins, photo, await asyncio.to_thread(self._cached, shown))

    def _cached(self, paper_ids: Sequence[str]) -> dict[str, Path]:
        """The thumbnails that are there already: none is fetched for the sake of a card."""
        files = {} if self._cache is None else {each: self._cache / f"{each}.thumb.jpg" for each in paper_ids}
        return {paper_id: path for paper_id, path in files.items() if path.is_file()}

    async def _photo(self, paper: Paper, now: datetime) -> Path | None:
        try:
            async with asyncio.timeout(FETCH_SECONDS):
                return await self._thumbnail(paper, now)
        except Exception as error:  # noqa: BLE001 - a poster without its thumbnail is a poster
            log.info("thumbnail not fetched, poster goes without", extra={"reason": type(error).__name__})
            return None

    async def _is_settled(self, owner: str, task: Task, result: Drawn) -> bool:
        """Whether a picture is there, or cannot be drawn; `result` counts it then."""
        made_from, owner = _made_from(task), task.paper or owner
        if (reason := self._impossible.get(made_from)) is not None:
            result.reasons.append(reason)
            return True
        found = await asyncio.to_thread(self._media.find, owner, task.language, f"{task.stem}.png")
        is_there = found is not None and found.fingerprint == made_from
        result.there += is_there
        return is_there

    async def _keep(self, owner: str, task: Task, files: drawing_process.Drawn, now: datetime, result: Drawn) -> None:
        made_from = _made_from(task)
        if isinstance(files, str):
            result.reasons.append(files)
            self._impossible.put(made_from, files)
            fields = {"edition": owner, "picture": task.stem, "language": task.language, "reason": files}
            log.warning("picture left out", extra=fields)
            return
        # Its PNG last: that is what tells whether a picture is there.
        for name, content in reversed(files):
            await asyncio.to_thread(
                self._media.put, task.paper or owner, task.language, name, content, made_from=made_from, now=now
            )
        result.drawn += 1

    def _was_looked_at(self, edition_id: int, now: datetime) -> bool:
        last = self._looked.get(edition_id)
        return last is not None and last <= now < last + LOOK_AGAIN


def _made_from(task: Task) -> str:
    return fingerprint(DRAWN_AS, task)
