"""Counts what a channel's service answers in a day, and decides by shares who has to wait. Pure.

From `ENOUGH` answers on, a few refusals are no verdict on us: a tenth of all answers is. A judge is the one that
decides about messages to a recipient; for e-mail that is the recipient's domain.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from datetime import date, datetime, timedelta
from typing import Self

ENOUGH = 200
"""Answers from which on shares are looked at."""
SHARE = 0.1
"""Share of refusals that is a verdict on us."""
FEWEST = 2
"""Refusals of one judge before its share is looked at."""
JUDGE_WAITS = timedelta(hours=1)
"""How long messages to a judge wait whose share of refusals is too large."""
MOST_JUDGES = 50
"""Judges that are counted one by one: those that have to wait, and those that refused most."""


@dataclass(frozen=True, slots=True)
class JudgeCount:
    """Counts of one judge's answers; `waits_until` is when messages to it may go on."""

    judge: str
    answers: int = 0
    refused: int = 0
    waits_until: datetime | None = None

    @property
    def refuses(self) -> bool:
        """Whether too large a share was refused."""
        return self.refused >= FEWEST and self.refused >= SHARE * self.answers


@dataclass(frozen=True, slots=True)
class AnswerCounts:
    """Counts of a service's answers on one UTC day; judges are listed from their first refusal on."""

    day: date | None = None
    answers: int = 0
    refused: int = 0
    judges: tuple[JudgeCount, ...] = ()

    @property
    def is_enough(self) -> bool:
        """Whether there are enough answers for shares to mean something."""
        return self.answers >= ENOUGH

    @property
    def refuses(self) -> bool:
        """Whether the channel as a whole is refused: too large a share, and by more than one judge that is named."""
        refusing = sum(each.refuses for each in self.judges)
        return self.refused >= SHARE * self.answers and (refusing >= FEWEST or not self.judges)

    @property
    def waiting(self) -> set[tuple[str, datetime]]:
        """The judges that have to wait or had to, and until when."""
        return {(each.judge, each.waits_until) for each in self.judges if each.waits_until is not None}

    def of(self, judge: str) -> JudgeCount | None:
        """The count of a judge that has refused something today."""
        return next((each for each in self.judges if each.judge == judge), None)

    def on(self, day: date) -> Self:
        """The counts of a day: those of another day are over, but who has to wait still waits."""
        return self if self.day == day else replace(self.restarted(), day=day)

    def restarted(self) -> Self:
        """The counts from zero; who has to wait still waits."""
        waiting = tuple(
            JudgeCount(each.judge, waits_until=each.waits_until) for each in self.judges if each.waits_until
        )
        return replace(self, answers=0, refused=0, judges=waiting)

    def with_accepted(self, number: int, now: datetime) -> Self:
        """That many messages accepted by judges that have refused nothing today."""
        today = self.on(now.date())
        return replace(today, answers=today.answers + number)

    def with_answer(self, judge: str | None, now: datetime, *, refused: bool, before: int = 0) -> Self:
        """One answer more; `before` is how many messages a judge accepted today before its first refusal."""
        today = self.on(now.date())
        counted = replace(today, answers=today.answers + 1, refused=today.refused + refused)
        known = None if judge is None else today.of(judge)
        if judge is None or (known is None and not refused):
            return counted
        count = known or JudgeCount(judge, answers=before)
        if count.waits_until is not None and now >= count.waits_until:  # it is asked again
            count = JudgeCount(judge)
        count = replace(count, answers=count.answers + 1, refused=count.refused + refused)
        if counted.is_enough and count.refuses and refused and count.waits_until is None:
            count = replace(count, waits_until=now + JUDGE_WAITS)
        others = (each for each in today.judges if each.judge != judge)
        return replace(counted, judges=_listed(count, others, now))

    def waits_until(self, judge: str | None, now: datetime) -> datetime | None:
        """Until when messages to a judge have to wait; None where they need not."""
        count = None if judge is None else self.of(judge)
        return None if count is None or count.waits_until is None or count.waits_until <= now else count.waits_until

    def in_words(self, now: datetime) -> str:
        """The counts as one line for the operator; "" where nothing was refused today."""
        today = self.on(now.date())
        waiting = [each for each in today.judges if self.waits_until(each.judge, now)]
        if not (today.refused or waiting):
            return ""
        line = f"{today.answers - today.refused} accepted and {today.refused} refused today"
        named = ", ".join(f"{each.judge} {each.refused} of {each.answers}" for each in today.judges[:5] if each.refused)
        waits = ", ".join(f"{each.judge} until {each.waits_until:%H:%M} UTC" for each in waiting[:5])
        return line + (f" ({named})" if named else "") + (f"; waits: {waits}" if waits else "")

    def dump(self) -> str:
        """The counts as they are stored."""
        return json.dumps(asdict(self), default=str) if self.day else ""

    @classmethod
    def load(cls, stored: str) -> Self:
        """The counts that `dump` wrote; no counts where it is empty."""
        if not stored:
            return cls()
        known = json.loads(stored)
        judges = tuple(JudgeCount(**each | {"waits_until": _moment(each["waits_until"])}) for each in known["judges"])
        return cls(date.fromisoformat(known["day"]), known["answers"], known["refused"], judges)


def _moment(written: str | None) -> datetime | None:
    return None if written is None else datetime.fromisoformat(written)


def _listed(counted: JudgeCount, others: Iterable[JudgeCount], now: datetime) -> tuple[JudgeCount, ...]:
    """The counts that are kept, most refusals first: the one just `counted`, those that wait, and who refused most."""

    def rank(each: JudgeCount) -> tuple[bool, int, str]:
        return (each.waits_until is None or each.waits_until <= now, -each.refused, each.judge)

    kept = [counted, *sorted(others, key=rank)[: MOST_JUDGES - 1]]
    return tuple(sorted(kept, key=lambda each: (-each.refused, each.judge)))
