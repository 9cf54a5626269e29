"""espeak-ng, a program that speaks without a network: a process of its own for every text."""

from __future__ import annotations

import asyncio
import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass

from bot.media.speech.voices import LARGEST_SOUND, SpeechError
from bot.runtime.background_process import lower_priority

PROGRAM = "espeak-ng"
VOICES = {
    "ar": "ar",
    "de": "de",
    "en": "en-us",
    "es": "es",
    "fr": "fr-fr",
    "hi": "hi",
    "ko": "ko",
    "pt-BR": "pt-br",
    "ru": "ru",
    "zh-Hans": "cmn",
    "zh-Hant": "cmn",
}
"""The voice of each language where the operator names none; Japanese has none, since its characters are not read."""
CHINESE_SINCE = (1, 52)
"""The version from which on Chinese is read aloud rather than spelled out."""
WORDS_A_MINUTE = 160
TOTAL = 60.0
"""Seconds for one text."""
SHORT = 10.0
"""Seconds for its version."""
_VERSION = re.compile(rb"(\d+)\.(\d+)")


@dataclass(frozen=True, slots=True)
class Espeak:
    """The program, with the operator's voices by language."""

    voices: Mapping[str, str]
    program: str = PROGRAM
    most: int = 3_000
    """Characters of one text, some three minutes."""

    async def unable(self, language: str) -> str | None:
        version = await self.version()
        if version is None:
            return "espeak-ng is not installed: install the package espeak-ng, or choose another voice (TTS)"
        if language == "ja":
            return "espeak-ng does not read Japanese: choose another voice (TTS)"
        if language.startswith("zh") and version < CHINESE_SINCE:
            return f"espeak-ng reads Chinese from 1.52 on, and this is {version[0]}.{version[1]}"
        return None if self._voice(language) else f"espeak-ng has no voice for {language}"

    async def version(self) -> tuple[int, int] | None:
        """The program's version; None where it is not installed."""
        path = shutil.which(self.program)
        if path is None:
            return None
        try:
            found = _VERSION.search(await _run(path, "--version", seconds=SHORT))
        except SpeechError:
            return None
        return (int(found[1]), int(found[2])) if found else None

    async def speak(self, text: str, language: str) -> bytes:
        path, voice = shutil.which(self.program), self._voice(language)
        if path is None or voice is None:
            why = await self.unable(language)
            raise SpeechError(why or f"espeak-ng has no voice for {language}", misconfigured=True)
        options = ("-v", voice, "-s", str(WORDS_A_MINUTE), "-b", "1", "--stdin", "--stdout")
        return await _run(path, *options, said=text.encode("utf-8", "replace"), seconds=TOTAL)

    def _voice(self, language: str) -> str | None:
        return self.voices.get(language) or self.voices.get("") or VOICES.get(language)


async def _run(path: str, *arguments: str, said: bytes = b"", seconds: float) -> bytes:
    """The output of the program, at most LARGEST_SOUND bytes; it is killed after `seconds`. Raises SpeechError."""
    pipe = asyncio.subprocess.PIPE
    try:
        process = await asyncio.create_subprocess_exec(
            path, *arguments, stdin=pipe, stdout=pipe, stderr=asyncio.subprocess.DEVNULL
        )
    except OSError as error:
        raise SpeechError(f"espeak-ng cannot be started ({error.strerror})", misconfigured=True) from None
    lower_priority(process.pid)
    try:
        async with asyncio.timeout(seconds):
            assert process.stdin is not None
            assert process.stdout is not None
            process.stdin.write(said)
            process.stdin.close()
            sound = bytearray()
            while chunk := await process.stdout.read(1 << 16):
                sound += chunk
                if len(sound) > LARGEST_SOUND:
                    raise SpeechError("espeak-ng speaks without an end")
            status = await process.wait()
    except TimeoutError:
        raise SpeechError(f"espeak-ng did not end within {seconds:.0f} seconds") from None
    except OSError:
        raise SpeechError("espeak-ng ended before it had read its text") from None
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if status != 0:
        raise SpeechError(f"espeak-ng failed (exit status {status})")
    return bytes(sound)
