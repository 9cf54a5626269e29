"""The port of text-to-speech (TTS) backends, and their errors."""

from __future__ import annotations

from typing import Protocol

LONGEST_WAIT = 3_600.0
"""Seconds; a longer wait that a service asks for is shortened to these."""
LARGEST_SOUND = 32 << 20
"""Bytes of the sound of one text."""


class SpeechError(Exception):
    """No sound could be had. The message is one sentence for the operator, without addresses and keys.

    `misconfigured`: trying again is useless until somebody changes something. `retry_after` is how many seconds the
    service asked us to wait.
    """

    def __init__(self, message: str, *, misconfigured: bool = False, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.misconfigured = misconfigured
        self.retry_after = None if retry_after is None else min(retry_after, LONGEST_WAIT)


class Speaker(Protocol):
    """A speech backend."""

    @property
    def most(self) -> int:
        """Characters that may be spoken in one request."""

    async def unable(self, language: str) -> str | None:
        """Why a language cannot be spoken well, in one sentence; None where it can."""

    async def speak(self, text: str, language: str) -> bytes:
        """The sound of a text, as MP3 or as WAV of 16 bits. Raises SpeechError."""
