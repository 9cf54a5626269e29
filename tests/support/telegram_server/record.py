"""A record of calls and answers: in full, or only their numbers."""

import json
from collections import Counter, deque
from dataclasses import dataclass
from typing import Any

from tests.support.telegram_server.arguments import Arguments
from tests.support.telegram_server.refusal import RefusalError

MOST_VIOLATIONS = 100  # that are written down; a benchmark may make the same one for ever
COUNTED = {"sendMessage", "sendRichMessage", "sendPhoto", "sendDocument", "sendAudio", "editMessageText"}
"""What is a message, or the edit of one, to those who measure how fast the bot is."""


@dataclass(frozen=True)
class Call:
    """A call as it was made and answered. Instants are seconds of the monotonic clock."""

    method: str
    arguments: dict[str, Any]
    when: float
    ended: float
    status: int  # 0: no answer was given
    description: str = ""
    result: Any = None


class Record:
    """Every call, unless it is told to count only."""

    def __init__(self, *, full: bool) -> None:
        self.full = full
        self.calls: list[Call] = []
        self.counts: Counter[str] = Counter()  # calls by method
        self.refusals: Counter[int] = Counter()  # answers that were not ok, by code
        self.violations: list[str] = []
        self.peak = 0  # most messages and edits done in any one second
        self._sent: deque[float] = deque()

    def violate(self, problems: list[str]) -> None:
        self.violations += problems[: MOST_VIOLATIONS - len(self.violations)]

    def note(
        self,
        method: str,
        arguments: Arguments,
        *,
        when: float,
        now: float,
        refused: RefusalError | None = None,
        result: Any = None,
        status: int | None = None,
    ) -> None:
        """Write down a call; `status` is what was answered where that does not follow from the rest."""
        self.counts[method] += 1
        if refused is None and method in COUNTED and result is not None:
            self._sent.append(now)
            while self._sent[0] <= now - 1:
                self._sent.popleft()
            self.peak = max(self.peak, len(self._sent))
        if not self.full:
            return
        status = status if status is not None else refused.code if refused else 200
        description = refused.description if refused else ""
        # What is changed later must not change what is written down here.
        kept = json.loads(json.dumps(result)) if isinstance(result, (dict, list)) else result
        self.calls.append(Call(method, arguments.record(), when, now, status, description, kept))
