"""Finds the recording of an edition for a reader: in their style, else in the podcast's."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import date

from bot.channel.audio import Recording
from bot.channel.command_lines import CommandName, command_line
from bot.media.media_store import MediaStore
from bot.media.speech import episodes
from bot.media.speech.episodes import Episode, EpisodeKey
from bot.media.speech.narrator import Podcast
from bot.model import Cadence, Style
from bot.render.words import words


@dataclass(frozen=True, slots=True)
class RecordingFinder:
    """Looks in the store of media. `public` is PUBLIC_URL, empty without a web server."""

    media: MediaStore
    podcast: Podcast
    public: str = ""

    async def find(self, cadence: Cadence, day: date, language: str, style: Style) -> Recording | None:
        """The recording of an edition in a language, in this style or in the podcast's; None where there is neither."""
        for each in dict.fromkeys((style, self.podcast.style)):
            key = EpisodeKey(cadence, day, language, each)
            found = await asyncio.to_thread(episodes.find, self.media, key)
            if found is not None:
                return self._recording(found)
        return None

    def _recording(self, found: Episode) -> Recording:
        key = found.key
        minutes, seconds = divmod(round(found.seconds), 60)
        query = "" if key.style is self.podcast.style else f"?style={key.style.value}"
        url = f"{self.public}/podcast/{key.language}/{key.owner}.mp3{query}" if self.public else ""
        return Recording(
            path=found.path,
            title=found.title,
            performer=found.performer,
            seconds=found.seconds,
            digest=found.digest,
            line=command_line(CommandName.LISTEN, key.owner),
            label=f"{words(key.language).gettext('audio.listen')} · {minutes}:{seconds:02}",
            url=url,
        )
