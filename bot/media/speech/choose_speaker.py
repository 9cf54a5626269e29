"""Which voices the settings name."""

from __future__ import annotations

from bot.media.speech.edge_voices import EdgeVoices
from bot.media.speech.espeak import Espeak
from bot.media.speech.settings import SpeechSettings
from bot.media.speech.speech_endpoint import SpeechEndpoint
from bot.media.speech.voices import Speaker


def speaker(settings: SpeechSettings) -> Speaker | None:
    """The speech endpoint of the settings, else Edge's voices, else espeak-ng, as they say; None without any."""
    if settings.base_url is not None:
        key = "" if settings.api_key is None else settings.api_key.get_secret_value()
        return SpeechEndpoint(settings.base_url.get_secret_value(), key, settings.model, settings.voices)
    match settings.tts:
        case "edge":
            return EdgeVoices(settings.voices)
        case "espeak":
            return Espeak(settings.voices)
        case None:
            return None
