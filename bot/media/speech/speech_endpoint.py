"""A speech endpoint that speaks OpenAI's `/audio/speech`: a hosted service, or a server on this machine.

https://platform.openai.com/docs/api-reference/audio/createSpeech
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit, urlunsplit

import aiohttp

from bot.media.speech.voices import LARGEST_SOUND, SpeechError
from bot.runtime.http import CHUNK, USER_AGENT, retry_after

USUAL_VOICE = "alloy"
"""The voice where the operator names none."""
TOTAL = 180.0
"""Seconds for the sound of one text."""
CONNECT = 10.0
MOST_CHARACTERS = 3_500
"""Characters of one request; the service takes 4,096."""
_REFUSED = {
    401: "refuses the key (HTTP 401): check TTS_API_KEY",
    403: "refuses us (HTTP 403): check TTS_API_KEY and what it may do",
    404: "has no such address or model (HTTP 404): check TTS_BASE_URL and TTS_MODEL",
    402: "wants to be paid (HTTP 402): check the account's balance",
}


@dataclass(frozen=True, slots=True)
class SpeechEndpoint:
    """The address, key and model of an endpoint, and its voices by language; the language "" is every other."""

    base_url: str
    key: str
    model: str
    voices: Mapping[str, str]
    most: int = MOST_CHARACTERS

    async def unable(self, language: str) -> str | None:  # noqa: ARG002 - what it speaks is the model's affair
        return None

    async def speak(self, text: str, language: str) -> bytes:
        parts = urlsplit(self.base_url)
        url = urlunsplit(parts._replace(path=f"{parts.path.rstrip('/')}/audio/speech"))
        asked = {
            "model": self.model,
            "input": text,
            "voice": self.voices.get(language) or self.voices.get("") or USUAL_VOICE,
            "response_format": "mp3",
        }
        headers = {"User-Agent": USER_AGENT} | ({"Authorization": f"Bearer {self.key}"} if self.key else {})
        timeout = aiohttp.ClientTimeout(total=TOTAL, connect=CONNECT)
        try:
            async with (
                aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar(), trust_env=True) as session,
                session.post(url, json=asked, headers=headers, timeout=timeout, allow_redirects=False) as answer,
            ):
                if answer.status != 200:
                    raise _refused(answer)
                return await _read(answer)
        except TimeoutError:
            raise SpeechError(f"the speech endpoint gave no sound within {TOTAL:.0f} seconds") from None
        except aiohttp.ClientConnectorError:
            raise SpeechError("the speech endpoint cannot be reached: check TTS_BASE_URL") from None
        except (aiohttp.ClientError, OSError, ValueError) as error:  # its own words may hold the address
            raise SpeechError(f"the speech endpoint broke off its answer ({type(error).__name__})") from None


def _refused(answer: aiohttp.ClientResponse) -> SpeechError:
    says = _REFUSED.get(answer.status)
    if says is not None:
        return SpeechError(f"the speech endpoint {says}", misconfigured=True)
    if answer.status in {400, 413, 422}:
        says = f"rejects the request (HTTP {answer.status}): check TTS_MODEL and the voices (TTS_VOICE)"
        return SpeechError(f"the speech endpoint {says}", misconfigured=True)
    wait = retry_after(answer.headers, limited=answer.status == 429)
    return SpeechError(f"the speech endpoint failed (HTTP {answer.status})", retry_after=wait)


async def _read(answer: aiohttp.ClientResponse) -> bytes:
    sound = bytearray()
    async for chunk in answer.content.iter_chunked(CHUNK):
        sound += chunk
        if len(sound) > LARGEST_SOUND:
            answer.close()
            raise SpeechError(f"the speech endpoint answers with more than {LARGEST_SOUND >> 20} MiB")
    return bytes(sound)
