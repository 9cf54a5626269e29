"""Has editions read aloud that somebody wants to hear: each once, the newest only, within a budget of characters.

Nothing waits for it: an edition goes out without its recording, which readers can ask for later.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from bot.delivery.rendering import PATIENCE, texts_for
from bot.media.media_store import MediaStore
from bot.media.speech import episodes
from bot.media.speech.episodes import Episode, EpisodeKey
from bot.media.speech.recorder import Recorder, Report, unreported
from bot.media.speech.script import script
from bot.media.speech.voices import Speaker, SpeechError
from bot.model import Cadence, Edition, Preferences, Style
from bot.render.styles import TEXT_FIELDS
from bot.store import Store, daily_spending, edition_queries, sent_recordings
from bot.store.daily_spending import Spending

log = logging.getLogger(__name__)

FRESH = timedelta(days=2)
"""Age up to which an edition is read aloud by itself."""
FIRST_BACKOFF = timedelta(minutes=1)
LONGEST_BACKOFF = timedelta(hours=1)
"""Backoff after a failure of the voice, doubled each time up to LONGEST_BACKOFF."""


@dataclass(frozen=True, slots=True)
class Podcast:
    """The languages that have a podcast, and the style that it reads."""

    languages: Sequence[str] = ()
    style: Style = Style.HEADLINE


class Narrator:
    """Makes recordings, one at a time, of at most `budget` characters a UTC day (0: no limit).

    With `writes` a language model writes texts: styles that need them wait until ten minutes after closing.
    """

    def __init__(
        self,
        store: Store,
        media: MediaStore,
        speaker: Speaker | None,
        *,
        podcast: Podcast,
        budget: int,
        writes: bool = False,
        recorder: Recorder | None = None,
    ) -> None:
        self._store = store
        self.media = media
        self.podcast = podcast
        self._speaker = speaker
        self._recorder = recorder or (None if speaker is None else Recorder(speaker))
        self._budget = budget
        self._writes = writes
        self._failures: Counter[EpisodeKey] = Counter()
        self._waits_until: datetime | None = None
        self._backoff = FIRST_BACKOFF
        self._spent_out: date | None = None
        self._unable: dict[str, date] = {}

    @property
    def has_voice(self) -> bool:
        """Whether a voice is configured."""
        return self._speaker is not None

    async def step(self, now: datetime) -> bool:
        """Make one recording that is wanted and missing. Returns whether one was made; never raises for a voice."""
        if self._speaker is None or (self._waits_until is not None and now < self._waits_until):
            return False
        for edition, key in await self._missing(now):
            if not await self._can_speak(key.language, now):
                continue
            try:
                made = await self.make(edition, key, now)
            except SpeechError as error:
                self._back_off(key, error, now)
                return False
            except OSError as error:
                self._back_off(key, SpeechError(f"MEDIA_DIR cannot be written ({error.strerror})"), now)
                return False
            if made is not None:
                self._backoff, self._waits_until = FIRST_BACKOFF, None
                self._failures.pop(key, None)
                return True
        return False

    async def make(
        self, edition: Edition, key: EpisodeKey, now: datetime, report: Report = unreported
    ) -> Episode | None:
        """Record an edition, whether or not there is a recording; None where today's budget does not pay for it.

        Raises SpeechError, and OSError where the recording cannot be kept.
        """
        assert self._recorder is not None
        wanted = Preferences(language=key.language, style=key.style)
        texts = await texts_for(self._store, [each.paper.id for each in edition.papers], wanted)
        said = await asyncio.to_thread(script, edition, key.language, key.style, texts)
        if not await self._affordable(said.characters, now):
            return None
        before = self._recorder.characters
        try:
            recorded = await self._recorder.record(said, report)
        finally:
            async with self._store.write() as connection:
                await daily_spending.add(connection, Spending.SPEECH, _day(now), self._recorder.characters - before)
        await asyncio.to_thread(episodes.keep, self.media, key, said, recorded, now)
        log.info(
            "edition read aloud",
            extra={
                "edition": key.owner,
                "language": key.language,
                "style": key.style.value,
                "seconds": round(recorded.seconds),
            },
        )
        return await asyncio.to_thread(episodes.find, self.media, key)

    async def unable(self, language: str) -> str | None:
        """Why a language cannot be spoken, in one sentence; None where it can."""
        return "no voice is set up (TTS)" if self._speaker is None else await self._speaker.unable(language)

    async def awaits(self, cadence: Cadence, day: date, language: str) -> bool:
        """Whether an edition is in the podcast of a language, and not read aloud yet."""
        if self._speaker is None or cadence is not Cadence.DAY or language not in self.podcast.languages:
            return False
        if await self.unable(language) is not None:
            return False
        key = EpisodeKey(cadence, day, language, self.podcast.style)
        return await asyncio.to_thread(episodes.find, self.media, key) is None

    async def _missing(self, now: datetime) -> list[tuple[Edition, EpisodeKey]]:
        """The recordings that are wanted and are not there, those that failed last."""
        found: list[tuple[Edition, EpisodeKey]] = []
        async with self._store.read() as connection:
            newest = [await edition_queries.latest(connection, cadence) for cadence in Cadence]
        for edition in newest:
            if edition is None or edition.closed_at <= now - FRESH or not edition.papers:
                continue
            for language, style in await self._wanted(edition.cadence):
                key = EpisodeKey(edition.cadence, edition.day, language, style)
                if self._writes and style in TEXT_FIELDS and now < edition.closed_at + PATIENCE:
                    continue
                if await asyncio.to_thread(episodes.find, self.media, key) is None:
                    found.append((edition, key))
        return sorted(found, key=lambda each: self._failures[each[1]])

    async def _wanted(self, cadence: Cadence) -> list[tuple[str, Style]]:
        """The languages and styles in which editions of a cadence are wanted: the podcast's, then readers' own."""
        podcast = [(language, self.podcast.style) for language in self.podcast.languages]
        async with self._store.read() as connection:
            listeners = await sent_recordings.wanted(connection, cadence)
        return list(dict.fromkeys([*(podcast if cadence is Cadence.DAY else []), *listeners]))

    async def _can_speak(self, language: str, now: datetime) -> bool:
        """Whether a language can be spoken; why it cannot is logged once a day."""
        why = await self.unable(language)
        if why is not None and self._unable.get(language) != _day(now):
            self._unable[language] = _day(now)
            log.warning("language cannot be read aloud, leaving it out", extra={"language": language, "why": why})
        return why is None

    async def _affordable(self, characters: int, now: datetime) -> bool:
        if not self._budget:
            return True
        today = _day(now)
        async with self._store.read() as connection:
            spent = await daily_spending.spent(connection, Spending.SPEECH, today)
        if spent + characters <= self._budget:
            return True
        if self._spent_out != today:
            self._spent_out = today
            fields = {"spent": spent, "wanted": characters, "budget": self._budget}
            log.warning("speech budget of today is spent, no more editions are read aloud", extra=fields)
        return False

    def _back_off(self, key: EpisodeKey, error: SpeechError, now: datetime) -> None:
        self._failures[key] += 1
        wait = timedelta(seconds=error.retry_after) if error.retry_after else self._backoff
        wait = LONGEST_BACKOFF if error.misconfigured else min(wait, LONGEST_BACKOFF)
        self._waits_until, self._backoff = now + wait, min(self._backoff * 2, LONGEST_BACKOFF)
        fields = {"edition": key.owner, "language": key.language, "reason": str(error)}
        log.warning("speech failed, backing off", extra={**fields, "seconds": wait.total_seconds()})


def _day(now: datetime) -> date:
    return now.astimezone(UTC).date()
