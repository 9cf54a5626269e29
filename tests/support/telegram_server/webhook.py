"""Updates posted to a webhook, one after another, each repeated until it is accepted."""

import asyncio
import contextlib
import math
import time
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import aiohttp

from tests.support.telegram_server.world import World

SECRET = "X-Telegram-Bot-Api-Secret-Token"
PAUSE = 0.02  # seconds before a refused update is posted again
PATIENCE = 5.0  # seconds for an answer


class Webhook:
    """The sender. Where no webhook is set it does nothing."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.origin: str | None = None
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        self._task = asyncio.create_task(self._post_all())

    async def stop(self) -> None:
        if self._task:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    def poke(self) -> None:
        """Something may have changed: a webhook was set or taken away."""
        self.world.bell.ring()

    def _due(self) -> dict[str, Any] | None:
        updates = self.world.updates
        return updates.pending[0] if updates.webhook and updates.pending else None

    async def _post_all(self) -> None:
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=PATIENCE)) as http:
            while True:
                update = await self.world.bell.until(self._due, lambda: "", limit=math.inf)
                if await self._post(http, update):
                    self.world.updates.confirm(update["update_id"] + 1)
                else:
                    await asyncio.sleep(PAUSE)

    async def _post(self, http: aiohttp.ClientSession, update: dict[str, Any]) -> bool:
        updates = self.world.updates
        parts = urlsplit(updates.webhook)
        address = updates.webhook
        if self.origin:
            local = urlsplit(self.origin)
            address = urlunsplit((local.scheme, local.netloc, parts.path, parts.query, ""))
        headers = {SECRET: updates.secret} if updates.secret else {}
        try:
            async with http.post(address, json=update, headers=headers, allow_redirects=False) as answer:
                if 200 <= answer.status < 300:
                    return True
                updates.last_error = f"Wrong response from the webhook: {answer.status} {answer.reason}"
        except (aiohttp.ClientError, TimeoutError):
            updates.last_error = "Connection refused"
        updates.last_error_date = int(time.time())
        return False
