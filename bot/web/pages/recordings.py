"""Recordings of editions, as pages look for them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from bot.media.media_store import MediaStore
from bot.media.speech import episodes
from bot.media.speech.episodes import Episode, EpisodeKey
from bot.media.speech.narrator import Podcast
from bot.model import Cadence, Style


@dataclass(frozen=True, slots=True)
class Recordings:
    """Where recordings are kept, and what the podcast is."""

    media: MediaStore
    podcast: Podcast

    def find(self, language: str, cadence: Cadence, day: date, style: Style) -> Episode | None:
        """A recording, if there is one. Blocks."""
        return episodes.find(self.media, EpisodeKey(cadence, day, language, style))
