"""Long polling: fetch updates, handle them, and only then confirm them.

https://core.telegram.org/bots/api#getupdates: a call confirms all updates below its offset and returns those from it on
again. The offset is the oldest update that is still being handled, so whatever a stop or a kill interrupts is fetched
again at the next start.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter, deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any
from weakref import WeakValueDictionary

from telegram import Bot, Update
from telegram.error import BadRequest, Conflict, EndPointNotFound, InvalidToken, NetworkError, RetryAfter, TelegramError

from bot.channel import Commands
from channels.telegram import errors

log = logging.getLogger(__name__)

UPDATE_TYPES = ["message", "channel_post", "callback_query", "inline_query", "my_chat_member"]
BATCH = 100
"""Updates of one call; Telegram returns no more."""
POLL_TIMEOUT = 50
"""Seconds that Telegram holds a call open while there are no updates."""
BUSY_INTERVAL = 0.1
"""Seconds between two calls while updates are being handled."""
MOST_PER_CHAT = 20
"""Updates of one chat that may wait for each other; further ones are dropped, so that one chat cannot block others."""
TRIAL_TIMEOUT = 5
"""The same after a failed call, and for the first: an answer shows that nobody else polls, and readers are told."""
SHUTDOWN_GRACE = 2.0
"""Seconds for updates in progress to finish at shutdown."""
CONFIRM_SECONDS = 1.0
"""Seconds for the last call at shutdown, which confirms what was handled."""
FIRST_BACKOFF, LONGEST_BACKOFF = 1.0, 60.0
"""Seconds to wait while Telegram is unreachable or refuses us."""
MOST_CONFLICTS, CONFLICTS_WITHIN = 5, 3600.0
"""Conflicts after calls that worked, and the seconds within which that number says that another program polls too."""
CONTESTED = 600.0
"""Seconds without a conflict after which it no longer does."""
SECOND_POLLER = (
    "Another program reads this bot's messages with the same token: stop it, or give it a bot of its own with "
    "@BotFather."
)
TOKEN_REVOKED = "Telegram rejects this bot's token, which worked before: create a new token with @BotFather."  # noqa: S105 - a sentence

Handle = Callable[[Update], Awaitable[None]]


def clock() -> datetime:
    """The present moment: updates are handled when they arrive."""
    return datetime.now(UTC)


async def poll(bot: Bot, handle: Handle, commands: Commands, account: str) -> None:
    """Pass every update of a bot to `handle`, those of one chat in order, until cancelled.

    Whatever keeps updates from us (another program that polls, a revoked token, an outage) is told to `commands`, and
    tried again for ever: all of it may pass by itself.
    """
    updates = UpdateQueue(handle)
    poller = _Poller(bot, updates, commands, account)
    try:
        await poller.run()
    except asyncio.CancelledError:
        await updates.end()
        # Not during an outage: the call would end another program's, or wait for an answer that does not come.
        if updates.oldest is not None and poller.is_working:
            with suppress(TelegramError, TimeoutError):
                async with asyncio.timeout(CONFIRM_SECONDS):
                    await _get_updates(bot, updates.oldest, 0, limit=1)
        raise


class _Poller:
    """Calls getUpdates again and again."""

    def __init__(self, bot: Bot, updates: UpdateQueue, commands: Commands, account: str) -> None:
        self._bot = bot
        self._account = account
        self._updates = updates
        self._commands = commands
        self.is_working = False
        """Whether the last call was answered as it should be."""
        self._conflicts: deque[float] = deque(maxlen=MOST_CONFLICTS)
        """When calls that had worked met another program's, the newest last."""

    async def run(self) -> None:
        """Poll until cancelled."""
        backoff = FIRST_BACKOFF
        while True:
            try:
                if not self.is_working:
                    await _remove_webhook(self._bot)
                await self._poll_while_it_works()
            except TelegramError as error:
                if self.is_working:
                    backoff = FIRST_BACKOFF
                    if isinstance(error, Conflict):
                        self._conflicts.append(asyncio.get_running_loop().time())
                self.is_working = False
                backoff = await back_off(error, backoff, self._commands, self._account)

    async def _poll_while_it_works(self) -> None:
        while True:
            if self._updates.is_busy:
                await self._updates.wait_for_one(BUSY_INTERVAL)
            hold = 0 if self._updates.is_busy else POLL_TIMEOUT if self.is_working else TRIAL_TIMEOUT
            found = await _get_updates(self._bot, self._updates.oldest, hold)
            for raw in found:
                self._updates.add(raw, self._bot)
            # Two programs that poll end each other's calls: one that was answered at once proves nothing.
            if self.is_working or hold or found:
                self.is_working = True
                if not self._is_contested():
                    await self._commands.listening(self._account, clock())

    def _is_contested(self) -> bool:
        """Whether another program polls again and again: each outage is short, so it must count as one that lasts."""
        if len(self._conflicts) < MOST_CONFLICTS:
            return False
        quiet = asyncio.get_running_loop().time() - self._conflicts[-1]
        return self._conflicts[-1] - self._conflicts[0] < CONFLICTS_WITHIN and quiet < CONTESTED


async def back_off(error: TelegramError, seconds: float, commands: Commands, account: str) -> float:
    """Report that updates do not reach us, and wait, as long as Telegram asks if it does.

    Returns the seconds of the next wait.
    """
    await commands.not_listening(account, fault(error), clock())
    await asyncio.sleep(errors.seconds(error) if isinstance(error, RetryAfter) else seconds)
    return min(2 * seconds, LONGEST_BACKOFF)


def fault(error: TelegramError) -> str:
    """Why no updates come, as a sentence for the operator; never with the token, which the library's words may hold."""
    if not errors.is_from_telegram(error):
        return errors.NOT_TELEGRAM
    if isinstance(error, Conflict):
        return SECOND_POLLER
    if isinstance(error, InvalidToken | EndPointNotFound):
        return TOKEN_REVOKED
    if isinstance(error, NetworkError) and not isinstance(error, BadRequest):
        return f"Telegram is unreachable ({errors.reason(error)})"
    return f"Telegram refuses to list messages ({errors.reason(error)})"


async def _remove_webhook(bot: Bot) -> None:
    """Telegram refuses polling while a webhook is set."""
    if (await bot.get_webhook_info()).url:
        await bot.delete_webhook()


async def _get_updates(
    bot: Bot, offset: int | None, timeout: int, *, limit: int = BATCH
) -> Sequence[Mapping[str, Any]]:
    """The updates as JSON: one that the library cannot parse must not keep the others from being handled."""
    arguments: dict[str, Any] = {"limit": limit, "timeout": timeout, "allowed_updates": UPDATE_TYPES}
    if offset is not None:
        arguments["offset"] = offset
    # Telegram ignores case in method names; by its usual name the library would parse the answer itself.
    found: Sequence[Mapping[str, Any]] = await bot.do_api_request(
        "getupdates", api_kwargs=arguments, read_timeout=timeout + 15.0
    )
    return found


class ChatQueues:
    """Handles updates of different chats concurrently, and those of one chat in order."""

    def __init__(self, handle: Handle) -> None:
        self._handle = handle
        self._locks: WeakValueDictionary[int, asyncio.Lock] = WeakValueDictionary()

    async def handle(self, update: Update) -> None:
        """Handle an update after those of its chat that came before; a failure is logged."""
        lock = self._locks.setdefault(chat_id_of(update), asyncio.Lock())
        async with lock:
            try:
                await self._handle(update)
            except Exception:
                log.exception("update failed", extra={"channel": "telegram"})


def chat_id_of(update: Update) -> int:
    """The chat or the person that an update came from, 0 for neither."""
    sender = update.effective_chat or update.effective_user
    return 0 if sender is None else sender.id


class UpdateQueue:
    """The updates in progress, and the offset up to which Telegram may forget them."""

    def __init__(self, handle: Handle) -> None:
        self._chats = ChatQueues(handle)
        self._tasks: dict[int, asyncio.Task[None]] = {}
        self._waiting: Counter[int] = Counter()
        self._next: int | None = None

    @property
    def is_busy(self) -> bool:
        """Whether any update is being handled."""
        return bool(self._tasks)

    @property
    def oldest(self) -> int | None:
        """The id of the oldest update in progress, or of the next one; None before the first."""
        return min(self._tasks, default=self._next)

    def add(self, raw: Mapping[str, Any], bot: Bot) -> None:
        """Start handling an update, unless it was seen before."""
        update_id = int(raw["update_id"])
        if self._next is not None and update_id < self._next:
            return
        self._next = update_id + 1
        try:
            update = Update.de_json(dict(raw), bot)
        except Exception as error:  # noqa: BLE001 - skip one that the library cannot parse, whatever it raises
            log.warning(
                "update cannot be parsed, skipped", extra={"channel": "telegram", "error": type(error).__name__}
            )
            return
        chat_id = chat_id_of(update)
        if self._waiting[chat_id] >= MOST_PER_CHAT:
            return
        self._waiting[chat_id] += 1
        self._tasks[update_id] = asyncio.create_task(self._handle(update, chat_id))

    async def wait_for_one(self, timeout: float) -> None:
        """Wait until an update was handled, for at most `timeout` seconds."""
        await asyncio.wait(self._tasks.values(), timeout=timeout, return_when=asyncio.FIRST_COMPLETED)

    async def end(self) -> None:
        """Give updates in progress a moment to finish, then cancel them: Telegram sends them again."""
        tasks = list(self._tasks.values())
        if tasks:
            await asyncio.wait(tasks, timeout=SHUTDOWN_GRACE)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _handle(self, update: Update, chat_id: int) -> None:
        await self._chats.handle(update)  # one that is cancelled stays in `_tasks`, and so is not confirmed
        del self._tasks[update.update_id]
        self._waiting[chat_id] -= 1
        if not self._waiting[chat_id]:
            del self._waiting[chat_id]
