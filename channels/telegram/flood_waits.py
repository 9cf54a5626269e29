"""Flood waits (429): of one chat, which delays nobody else, and of the whole bot; editions and answers share them.

Telegram does not say whom a 429 is about. One chat alone is refused for reasons of its own; when a second one is
refused within a minute, the bot is too fast (https://core.telegram.org/bots/faq#my-bot-is-hitting-limits-how-do-i-avoid-this).
"""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict

from bot.channel import Deferred
from channels.telegram.chats import ChatAddress

log = logging.getLogger(__name__)

TOGETHER = 60.0
"""Seconds within which refusals of two chats mean that the bot as a whole is too fast."""
MOST_CHATS = 10_000
"""Chats whose waits are remembered; the oldest are forgotten, and would be refused again."""
REASON = "flood wait"


class FloodWaits:
    """The waits that Telegram asked for, since the start; those of deliveries are stored with them."""

    def __init__(self, account: str = "telegram") -> None:
        """`account` is the bot's name in the log."""
        self._account = account
        self._bot_until = 0.0
        self._until: OrderedDict[int, float] = OrderedDict()
        """When a chat may be written to again."""
        self._last: tuple[int, float, float] | None = None
        """The private chat that was refused last, when, and until when it has to wait."""

    def of_bot(self) -> float:
        """Seconds that the whole bot has to wait."""
        return max(0.0, self._bot_until - _now())

    def of_chat(self, chat: ChatAddress) -> float:
        """Seconds that a chat has to wait, the bot's own wait included."""
        return max(0.0, self._until.get(chat.id, 0.0) - _now(), self.of_bot())

    def outcome_now(self, chat: ChatAddress) -> Deferred | None:
        """The outcome of a message that need not be tried now; None if it may be sent."""
        if (wait := self.of_bot()) > 0:
            return Deferred(REASON, wait, "channel")
        return Deferred(REASON, wait) if (wait := self.of_chat(chat)) > 0 else None

    def begin(self, chat: ChatAddress, seconds: float) -> Deferred:
        """Note that a message to a chat was refused for `seconds`. Returns its outcome."""
        now = _now()
        self._until[chat.id] = max(now + seconds, self._until.pop(chat.id, 0.0))
        if len(self._until) > MOST_CHATS:
            self._until.popitem(last=False)
        if chat.is_shared:  # groups have a limit of their own
            return Deferred(REASON, seconds)
        before, self._last = self._last, (chat.id, now, now + seconds)
        if before is None or before[0] == chat.id or now - before[1] > TOGETHER:
            log.warning("flood wait of one chat, others go on", extra={"channel": self._account, "seconds": seconds})
            return Deferred(REASON, seconds, slow_down=True)
        wait = min(seconds, max(before[2] - now, 0.0)) or seconds
        if (known := self.of_bot()) > 0:  # sent before the bot knew
            wait = known
        else:
            log.warning("flood wait of the bot", extra={"channel": self._account, "seconds": round(wait)})
            self._bot_until = now + wait
        return Deferred(REASON, wait, "channel", slow_down=True)


def _now() -> float:
    return asyncio.get_running_loop().time()
