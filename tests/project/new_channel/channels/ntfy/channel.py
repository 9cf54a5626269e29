"""The ntfy channel: one HTTP request per message (https://docs.ntfy.sh/publish/)."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self

import aiohttp

from bot.channel import (
    Barred,
    Channel,
    Deferred,
    Finding,
    Gone,
    Kit,
    Limits,
    LoginError,
    Message,
    Outcome,
    Pace,
    Page,
    Personal,
    Rate,
    Rejected,
    Sent,
    Unknown,
)
from channels.ntfy.settings import Settings

TOPIC = re.compile(r"[A-Za-z0-9_-]{1,64}")
TIMEOUT = 5.0
"""Seconds after which a request without an answer counts as lost."""


@dataclass(frozen=True, slots=True)
class NtfyMessage:
    """A page as ntfy takes it: a title and a text."""

    title: str
    text: str

    def sizes(self) -> Mapping[str, int]:
        return {"bytes": len(self.text.encode())}

    def parts(self) -> Mapping[str, str]:
        return {"text": f"{self.title}\n\n{self.text}"}


class Ntfy(Channel):
    """Posts editions to topics of one ntfy server."""

    name = "ntfy"
    limits = Limits(maxima={"bytes": 4096})  # https://docs.ntfy.sh/publish/#limitations
    pace = Pace(concurrency=4, account=Rate(1, 5.0))
    repeats_unknown = True  # seeing a notification twice is better than missing it

    def __init__(self, settings: Settings, kit: Kit) -> None:
        self._url = settings.url.rstrip("/")
        self._headers = {"Authorization": f"Bearer {settings.token.get_secret_value()}"} if settings.token else {}
        self._text = kit.template("ntfy/edition.txt", str)
        self._client: aiohttp.ClientSession | None = None

    def recipient(self, written: str) -> str:
        if not TOPIC.fullmatch(written):
            raise ValueError(f"{written[:80]!r} is no topic: letters, digits, _ and -, at most 64")
        return written

    async def __aenter__(self) -> Self:
        self._client = aiohttp.ClientSession(
            headers=self._headers,
            timeout=aiohttp.ClientTimeout(total=TIMEOUT),
            connector=aiohttp.TCPConnector(force_close=True),  # a kept connection may be cut, and leave us in doubt
        )
        try:
            async with self._client.get(f"{self._url}/v1/account") as answer:
                refused = answer.status in {401, 403}
        except (aiohttp.ClientError, TimeoutError):
            return self  # out of reach: sending waits for it
        if refused:
            await self._client.close()
            raise LoginError("The ntfy server refuses the token; check NTFY_TOKEN.")
        return self

    async def __aexit__(self, *exc: object) -> None:
        if self._client is not None:
            await self._client.close()

    def compose(self, page: Page) -> NtfyMessage:
        return NtfyMessage(page.heading, self._text(page))

    async def send(self, to: str, message: Message, personal: Personal) -> Outcome:  # noqa: ARG002
        assert isinstance(message, NtfyMessage)
        assert self._client is not None
        posted = {"topic": to, "title": message.title, "message": message.text}
        try:
            async with self._client.post(self._url, json=posted) as answer:
                return _outcome(answer.status, answer.headers.get("Retry-After", ""))
        except aiohttp.ClientConnectorError as error:
            return Deferred(f"no connection: {error.strerror}", scope="channel")
        except (aiohttp.ClientError, TimeoutError) as error:
            return Unknown(f"no answer: {type(error).__name__}")

    async def check(self) -> Sequence[Finding]:
        return [Finding("NTFY_URL", ok=True, says=f"editions are posted to {self._url}")]


def _outcome(status: int, retry_after: str) -> Outcome:
    """What an HTTP status means (https://docs.ntfy.sh/publish/): who is to blame, and when to try again."""
    reason = f"HTTP {status}"
    if status < 300:
        return Sent()
    if status == 403:
        return Barred(reason)
    if status in {404, 410}:
        return Gone(reason)
    if status in {401, 429} or status >= 500:
        return Deferred(reason, float(retry_after) if retry_after.isdigit() else None, scope="channel")
    return Rejected(reason)
