"""Checks of the voice: that it is there, speaks each language that is wanted, and that the podcast can be reached."""

from __future__ import annotations

from collections.abc import Mapping

from bot.channel import Finding
from bot.media.speech import mp3_frames, wave_sound
from bot.media.speech.assembly import speaker, speech_settings
from bot.media.speech.voices import Speaker, SpeechError
from bot.render.words import match, words
from bot.settings import Settings


async def check_speech(core: Settings, environ: Mapping[str, str]) -> list[Finding]:
    """Have each language of the podcast, else the default language, speak the newsletter's name."""
    speech = speech_settings(environ)
    voice = speaker(speech)
    if voice is None:
        return []
    wanted = [match(tag) for tag in speech.podcast] or [match(core.default_language)]
    found = [finding for tag in dict.fromkeys(wanted) if (finding := await _unable(voice, tag)) is not None]
    if not found:
        found.append(Finding("speech", True, f"the voice speaks {', '.join(dict.fromkeys(wanted))}"))
    if speech.podcast and not core.public_url:
        says = "PODCAST needs PUBLIC_URL: podcast programs cannot fetch recordings from this machine's own addresses"
        found.append(Finding("podcast", True, says, advice=True))
    return found


async def _unable(voice: Speaker, language: str) -> Finding | None:
    """Why a language is not spoken; None where it is."""
    why = await voice.unable(language)
    if why is None:
        try:
            sound = await voice.speak(words(language).gettext("newsletter.name"), language)
        except SpeechError as error:
            why = str(error)
        else:
            if mp3_frames.frames(sound) is None and wave_sound.read_wave(sound) is None:
                why = "the voice gives something else than MP3 or WAV of 16 bits"
    return None if why is None else Finding("speech", False, f"{language}: {why}")
