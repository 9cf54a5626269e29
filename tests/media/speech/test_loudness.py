"""How loud recordings are, as ffmpeg measures it by EBU R 128: what podcast directories ask for, whoever speaks."""

from __future__ import annotations

import asyncio
import re
import shutil
from pathlib import Path

import pytest

from bot.media.speech.espeak import Espeak
from bot.media.speech.recorder import Recorder
from bot.media.speech.script import Chapter, Script, Utterance
from bot.media.speech.speech_endpoint import SpeechEndpoint
from bot.media.speech.voices import Speaker
from tests.support.speech_servers import SpeechServer, wav

MONO, STEREO = -19.0, -16.0
"""LUFS: in stereo both channels add up to 3 more."""
TOLERANCE = 1.0
HIGHEST_PEAK = -1.0
"""Decibels below full scale, between the samples too."""
CALIBRATED = 1_000
"""Hertz of the tone by which the measure is defined; a voice is measured about alike, a lower tone as quieter."""
SAID = {
    "en": "Recursive agents pass a memory on. Their answers are half as long! Do they agree?",
    "ko": "재귀적인 에이전트는 기억을 건네줍니다. 답은 절반으로 줄어듭니다! 서로 동의할까요?",
}

pytestmark = pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="ffmpeg is not installed")


async def measured(speaker: Speaker, language: str, folder: Path) -> tuple[float, float]:
    """The integrated loudness in LUFS of a recording, and its true peak in decibels."""
    script = Script(language, "Papers", [Chapter(f"{n}", [Utterance(SAID[language], language)]) for n in range(3)])
    recorded = await Recorder(speaker, assemble=asyncio.to_thread).record(script)
    path = folder / "episode.mp3"
    await asyncio.to_thread(path.write_bytes, recorded.content)
    asked = ("-hide_banner", "-nostats", "-i", str(path), "-af", "ebur128=peak=true", "-f", "null", "-")
    process = await asyncio.create_subprocess_exec("ffmpeg", *asked, stderr=asyncio.subprocess.PIPE)
    _, told = await process.communicate()
    summary = told.decode().rsplit("Summary:", 1)[1]
    loudness, peak = re.search(r"I:\s+(\S+) LUFS", summary), re.search(r"Peak:\s+(\S+) dBFS", summary)
    assert loudness is not None
    assert peak is not None
    return float(loudness[1]), float(peak[1])


@pytest.mark.skipif(shutil.which("espeak-ng") is None, reason="espeak-ng is not installed")
@pytest.mark.parametrize("language", SAID)
async def test_espeak_is_as_loud_as_podcasts_are(language: str, tmp_path: Path) -> None:
    loudness, peak = await measured(Espeak({}), language, tmp_path)
    assert loudness == pytest.approx(MONO, abs=TOLERANCE)
    assert peak <= HIGHEST_PEAK


@pytest.mark.parametrize(("channels", "loudness"), [(1, MONO), (2, STEREO)])
@pytest.mark.parametrize("loud", [0.05, 0.9])
async def test_samples_of_an_endpoint_are_brought_there(
    channels: int, loudness: float, loud: float, tmp_path: Path
) -> None:
    async with SpeechServer(sound=wav(2.0, channels=channels, loud=loud, hertz=CALIBRATED)) as server:
        found, peak = await measured(SpeechEndpoint(server.url, server.key, "tts-1", {"": "alloy"}), "en", tmp_path)
    assert found == pytest.approx(loudness, abs=TOLERANCE)
    assert peak <= HIGHEST_PEAK
