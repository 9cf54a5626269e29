"""Recordings that are kept: an MP3 with its tag, and beside it what must be known of it without reading it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

from bot.media.media_store import MediaFile, MediaStore
from bot.media.speech.artwork import artwork
from bot.media.speech.id3_tag import ChapterMark, Tags, tag
from bot.media.speech.recorder import Recorded
from bot.media.speech.script import Script
from bot.model import Cadence, Style
from bot.render.edition_page import slug
from bot.render.words import words
from bot.runtime.text import one_line

TAG_ARTWORK = 500
"""Pixels of the picture in a file's tag."""
FINGERPRINT = 16
"""Hexadecimal digits of a script's digest that name its files."""


@dataclass(frozen=True, slots=True)
class EpisodeKey:
    """Which recording: of an edition, in a language and style."""

    cadence: Cadence
    day: date
    language: str
    style: Style

    @property
    def owner(self) -> str:
        """The edition's name in the store of media."""
        return slug(self.cadence, self.day)

    def name(self, suffix: str) -> str:
        """A file's name there."""
        return f"episode-{self.style.value}.{suffix}"


@dataclass(frozen=True, slots=True)
class Episode:
    """A recording that is there."""

    key: EpisodeKey
    path: Path
    title: str
    performer: str
    seconds: float
    size: int
    """Bytes."""
    chapters: Sequence[ChapterMark]
    made_at: datetime
    digest: str
    """Of what it says: another recording of the same edition has another."""


def find(media: MediaStore, key: EpisodeKey) -> Episode | None:
    """The recording of a key; None where there is none, or where its files are damaged. Blocks."""
    described = media.find(key.owner, key.language, key.name("json"))
    sound = media.find(key.owner, key.language, key.name("mp3"))
    if described is None or sound is None or described.fingerprint != sound.fingerprint:
        return None
    try:
        said = json.loads(described.path.read_bytes())
        size = sound.path.stat().st_size
        return Episode(
            key=key,
            path=sound.path,
            title=str(said["title"]),
            performer=str(said["performer"]),
            seconds=float(said["seconds"]),
            size=size,
            chapters=[ChapterMark(str(name), float(start), float(end)) for name, start, end in said["chapters"]],
            made_at=datetime.fromisoformat(said["made_at"]),
            digest=sound.fingerprint,
        )
    except (OSError, ValueError, KeyError, TypeError):
        return None


def keep(media: MediaStore, key: EpisodeKey, script: Script, recorded: Recorded, now: datetime) -> MediaFile:
    """Tag and keep a recording; what describes it comes last, so that nobody finds half. Blocks; raises OSError."""
    performer = words(key.language).gettext("newsletter.name")
    shown = Tags(
        title=one_line(script.title),
        performer=performer,
        album=performer,
        language=key.language,
        year=key.day.year,
        chapters=recorded.chapters,
        artwork=artwork(TAG_ARTWORK),
    )
    content = tag(shown, recorded.seconds) + recorded.content
    made_from = script.digest[:FINGERPRINT]
    said = {
        "title": shown.title,
        "performer": performer,
        "seconds": round(recorded.seconds, 3),
        "chapters": [[each.title, round(each.start, 3), round(each.end, 3)] for each in recorded.chapters],
        "characters": script.characters,
        "made_at": now.isoformat(),
    }
    described = json.dumps(said, ensure_ascii=False).encode("utf-8", "replace")
    sound = media.put(key.owner, key.language, key.name("mp3"), content, made_from=made_from, now=now)
    media.put(key.owner, key.language, key.name("json"), described, made_from=made_from, now=now)
    return sound
