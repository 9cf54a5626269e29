"""Rate limits of a bot: messages a second in all and to one chat, messages a minute to one group."""

import math
from collections import deque
from dataclasses import dataclass, field

from tests.support.telegram_server.refusal import too_many

MOST_CHATS = 100_000  # whose last messages are remembered before those that no longer matter are forgotten
PRICE = 0.1  # Stars of a message over the free rate, core.telegram.org/bots/api#paid-broadcasts


@dataclass
class Rates:
    """Telegram's published figures (core.telegram.org/bots/faq, "broadcasting"), over sliding spans of time.

    Raised figures, or none at all (math.inf), are a test's business.
    """

    per_second: float = 30  # messages of the whole bot
    chat_per_second: float = 1  # messages to one person, when they come one after another
    burst: int = 3  # of which that many may come at once
    group_per_minute: float = 20  # messages to one group, supergroup or channel
    stars: float = 0  # the bot's balance; for 0.1 each, messages go beyond `per_second`
    paid_per_second: float = 1000  # of the whole bot, those that are free included
    _all: deque[float] = field(default_factory=deque)
    _chats: dict[int, deque[float]] = field(default_factory=dict)
    _filled: dict[int, float] = field(default_factory=dict)

    def take(self, chat_id: int, *, private: bool, now: float, pays: bool = False) -> None:
        """Count one message. Raises RefusalError, and counts nothing, where it is one too many.

        now  -- seconds of a monotonic clock
        pays -- allow_paid_broadcast: what is over the free rate costs Stars, if there are any
        """
        wait = _sliding(self._all, self.per_second, 1, now)
        costs = wait > 0 and pays and self.stars >= PRICE
        if costs:
            wait = _sliding(self._all, self.paid_per_second, 1, now)
        if private:
            filled = max(self._filled.get(chat_id, now), now)
            # A bucket: each message fills it by its share of a second, and it may hold a burst of them.
            wait = max(wait, filled - now - (self.burst - 1) / self.chat_per_second)
        else:
            sent = self._chats.setdefault(chat_id, deque())
            wait = max(wait, _sliding(sent, self.group_per_minute, 60, now))
        if wait > 0:
            raise too_many(max(1, math.ceil(wait)))
        self._all.append(now)
        self.stars -= PRICE if costs else 0
        if private:
            self._filled[chat_id] = filled + 1 / self.chat_per_second
        else:
            sent.append(now)
        if len(self._filled) > MOST_CHATS:
            self._filled = {chat: at for chat, at in self._filled.items() if at > now}
        if len(self._chats) > MOST_CHATS:
            self._chats = {chat: sent for chat, sent in self._chats.items() if sent and sent[-1] > now - 60}


def _sliding(sent: deque[float], most: float, span: float, now: float) -> float:
    """How long to wait until fewer than `most` were sent in the last `span` seconds."""
    while sent and sent[0] <= now - span:
        sent.popleft()
    return (sent[0] if sent else now) + span - now if len(sent) >= most else 0
