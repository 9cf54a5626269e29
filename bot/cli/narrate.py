"""`papers narrate`: an edition read aloud, on request."""

from __future__ import annotations

import asyncio
from typing import Annotated

import typer

from bot.cli.console import complain, progress, say
from bot.cli.open_service import open_service
from bot.cli.open_store import require_edition
from bot.cli.options import Day, Language, require_language
from bot.cli.startup import DONE, FAILED, WrongError, command
from bot.media.speech import episodes
from bot.media.speech.episodes import Episode, EpisodeKey
from bot.media.speech.narrator import Narrator
from bot.media.speech.voices import SpeechError
from bot.model import Cadence, Edition, Style
from bot.render.words import match
from bot.runtime.supervisor import clock
from bot.service import Service

NO_VOICE = "No voice is set up: set TTS=espeak, TTS=edge or TTS_BASE_URL; see docs/audio.md."
SPENT = "Today's budget of characters (TTS_BUDGET) does not pay for it."


@command
async def narrate(
    date: Day = None,
    language: Language = None,
    style: Annotated[Style | None, typer.Option(metavar="NAME", help="In this style, such as headline.")] = None,
    cadence: Annotated[Cadence, typer.Option(metavar="NAME", help="day, week or month.")] = Cadence.DAY,
    force: Annotated[bool, typer.Option("--force", help="Record it again where there is a recording.")] = False,
) -> int:
    """Read an edition aloud, into an MP3 with chapters.

    That is the latest, or a day's, in the languages of PODCAST and in PODCAST_STYLE.

    What has been recorded is left as it is, unless --force is given.
    """
    wanted = None if language is None else require_language(language)
    async with open_service(only="outbox") as service:
        narrator = service.workers.narrator
        if not narrator.has_voice:
            raise WrongError(NO_VOICE)
        edition = await require_edition(service.store, date, cadence)
        chosen = style or narrator.podcast.style
        outcomes = [
            await _record(narrator, edition, EpisodeKey(edition.cadence, edition.day, tag, chosen), force)
            for tag in _languages(service, wanted)
        ]
    return max(outcomes)


def _languages(service: Service, wanted: str | None) -> list[str]:
    if wanted is not None:
        return [wanted]
    return list(service.workers.narrator.podcast.languages) or [match(service.settings.default_language)]


async def _record(narrator: Narrator, edition: Edition, key: EpisodeKey, force: bool) -> int:
    """Record one language, with a bar; say where the file is, or why there is none."""
    there = await asyncio.to_thread(episodes.find, narrator.media, key)
    if there is not None and not force:
        _tell(there, "is there already")
        return DONE
    why = await narrator.unable(key.language)
    if why is not None:
        complain(f"{key.language}: {why}.")
        return FAILED
    try:
        with progress(f"Reading aloud ({key.language})") as bar:
            made = await narrator.make(edition, key, clock(), bar)
    except SpeechError as error:
        complain(f"{key.language}: {error}.")
        return FAILED
    except OSError as error:
        complain(f"The recording cannot be written ({error.strerror}): check MEDIA_DIR.")
        return FAILED
    if made is None:
        complain(SPENT)
        return FAILED
    _tell(made, "recorded")
    return DONE


def _tell(episode: Episode, what: str) -> None:
    minutes, seconds = divmod(round(episode.seconds), 60)
    size = episode.size / (1 << 20)
    say(f"{episode.key.language}: {what}, {minutes}:{seconds:02}, {size:.1f} MiB: {episode.path}")
