"""The read-aloud voices of Microsoft Edge, through the library edge-tts: free of charge, without a key or a promise."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

from bot.media.speech.voices import LARGEST_SOUND, SpeechError

VOICES = {
    "ar": "ar-SA-ZariyahNeural",
    "de": "de-DE-KatjaNeural",
    "en": "en-US-AriaNeural",
    "es": "es-ES-ElviraNeural",
    "fr": "fr-FR-DeniseNeural",
    "hi": "hi-IN-SwaraNeural",
    "ja": "ja-JP-NanamiNeural",
    "ko": "ko-KR-SunHiNeural",
    "pt-BR": "pt-BR-FranciscaNeural",
    "ru": "ru-RU-SvetlanaNeural",
    "zh-Hans": "zh-CN-XiaoxiaoNeural",
    "zh-Hant": "zh-TW-HsiaoChenNeural",
}
"""The voice of each language where the operator names none."""
TOTAL = 120.0
"""Seconds for the sound of one text."""
SILENT = 30
"""Seconds without a byte after which the service counts as silent."""
CONNECT = 10
AFTER_REFUSAL = 900.0
"""Seconds before the service is asked again that refuses us."""


@dataclass(frozen=True, slots=True)
class EdgeVoices:
    """The service, with the operator's voices by language."""

    voices: Mapping[str, str]
    most: int = 2_500
    """Characters of one request: the library sends at most 4,096 bytes at once."""
    silent: int = SILENT

    async def unable(self, language: str) -> str | None:
        return None if self._voice(language) else f"TTS=edge has no voice for {language}: name one in TTS_VOICE_…"

    async def speak(self, text: str, language: str) -> bytes:
        import aiohttp
        from edge_tts import Communicate
        from edge_tts.exceptions import EdgeTTSException, NoAudioReceived

        voice = self._voice(language) or VOICES["en"]
        sound = bytearray()
        try:
            asked = Communicate(text, voice, connect_timeout=CONNECT, receive_timeout=self.silent)
            async with asyncio.timeout(TOTAL):
                async for part in asked.stream():
                    if part["type"] == "audio":
                        sound += part["data"]
                    if len(sound) > LARGEST_SOUND:
                        raise SpeechError("Edge's voices answer without an end")
            # The library counts sound only when the service has said that a text is done.
            if sound and asked.state["cumulative_audio_bytes"] != len(sound):
                raise SpeechError("Edge's voices broke off")
        except NoAudioReceived:
            raise SpeechError(f"Edge's voices gave no sound: check the voice for {language} (TTS_VOICE_…)") from None
        except aiohttp.ClientResponseError as error:
            wait = "refuse us for now" if error.status == 403 else "failed"
            raise SpeechError(f"Edge's voices {wait} (HTTP {error.status})", retry_after=AFTER_REFUSAL) from None
        except TimeoutError:
            raise SpeechError("Edge's voices fell silent") from None
        except (EdgeTTSException, aiohttp.ClientError, OSError, ValueError) as error:
            raise SpeechError(f"Edge's voices cannot be reached ({type(error).__name__})") from None
        return bytes(sound)

    def _voice(self, language: str) -> str | None:
        return self.voices.get(language) or self.voices.get("") or VOICES.get(language)
