"""Builds the narrator from the settings: which voice, in which languages."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from bot import settings
from bot.media.media_store import MediaStore
from bot.media.speech.edge_voices import EdgeVoices
from bot.media.speech.espeak import Espeak
from bot.media.speech.narrator import Narrator, Podcast
from bot.media.speech.settings import SpeechSettings
from bot.media.speech.speech_endpoint import SpeechEndpoint
from bot.media.speech.voices import Speaker
from bot.render.catalogue import languages
from bot.render.words import match
from bot.settings import SettingsError
from bot.store import Store


def speaker(speech: SpeechSettings) -> Speaker | None:
    """The speech endpoint of the settings, else Edge's voices, else espeak-ng, as they say; None without any."""
    if speech.base_url is not None:
        key = "" if speech.api_key is None else speech.api_key.get_secret_value()
        return SpeechEndpoint(speech.base_url.get_secret_value(), key, speech.model, speech.voices)
    match speech.tts:
        case "edge":
            return EdgeVoices(speech.voices)
        case "espeak":
            return Espeak(speech.voices)
        case None:
            return None


def speech_settings(environ: Mapping[str, str]) -> SpeechSettings:
    """The settings of speech, with languages of the podcast that there are. Raises SettingsError."""
    speech = settings.read(SpeechSettings, environ)
    if not all(match(tag, default="") for tag in speech.podcast):
        raise SettingsError(f"PODCAST must list some of {', '.join(languages())}; see .env.example.")
    return speech


def make_narrator(environ: Mapping[str, str], folder: Path, store: Store, *, writes: bool) -> Narrator:
    """The narrator, which records into a folder with the voice of the settings, if any. Raises SettingsError."""
    speech = speech_settings(environ)
    podcast = Podcast([match(tag) for tag in speech.podcast], speech.podcast_style)
    return Narrator(store, MediaStore(folder), speaker(speech), podcast=podcast, budget=speech.budget, writes=writes)
