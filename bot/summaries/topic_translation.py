"""Topics that a reader types in their own language, put into English by a language model, since papers are in English.

Asked when topics are set, and only then: what is stored holds both forms, and no delivery waits for a model.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, date, datetime

from bot.render.styles import TextField
from bot.render.templates import prompt
from bot.render.words import english_name
from bot.rules.topics import parse
from bot.runtime.text import one_line
from bot.store import Store, daily_spending
from bot.store.daily_spending import Spending
from bot.summaries.llm import Model
from bot.summaries.llm_errors import ModelError

log = logging.getLogger(__name__)

PATIENCE = 15.0
"""Seconds that a reader waits for a translation; without one the topics are stored as they were typed."""
MOST_AT_ONCE = 2
"""Questions at the same time; texts for editions have the endpoint first."""
MOST_A_DAY = 300
"""Questions a UTC day, so that nobody can spend the operator's tokens by typing topics."""
LONGEST_ANSWER = 200
"""Characters of an answer about one topic that are looked at."""


class TopicTranslator:
    """Translates topics, a few readers' at once.

    `affordable` says how many texts the rest of a day's budget pays for; what topics cost is counted in it.
    """

    def __init__(self, model: Model, store: Store, affordable: Callable[[datetime], Awaitable[int]]) -> None:
        self._model = model
        self._store = store
        self._affordable = affordable
        self._places = asyncio.Semaphore(MOST_AT_ONCE)
        self._day: date | None = None
        self._asked = 0

    async def translate(self, phrases: Sequence[str], language: str, now: datetime) -> Mapping[str, str]:
        """The English of each phrase that the model knows; nothing where it cannot be asked. Never raises for that."""
        if not self._may_ask(now.astimezone(UTC).date()) or not await self._affordable(now):
            return {}
        fields = [TextField(f"topic_{number}", 1, 120) for number in range(1, len(phrases) + 1)]
        asked = dict(zip((field.name for field in fields), map(one_line, phrases), strict=True))
        system = prompt("topics", language=english_name(language), fields=list(asked))
        user = prompt("topic_list", topics=list(asked.items()))
        try:
            async with asyncio.timeout(PATIENCE), self._places:
                answer = await self._model.fill(system, user, fields)
        except (ModelError, TimeoutError) as error:
            log.info("topics not translated", extra={"error": type(error).__name__})
            await self._count(error.tokens if isinstance(error, ModelError) else 0, now)
            return {}
        await self._count(answer.tokens, now)
        english = {asked[name]: _phrase(answer.parts.get(name, "")) for name in asked}
        return {phrase: said for phrase, said in english.items() if said}

    async def _count(self, tokens: int, now: datetime) -> None:
        if tokens:
            async with self._store.write() as connection:
                await daily_spending.add(connection, Spending.TOPICS, now.astimezone(UTC).date(), tokens)

    def _may_ask(self, today: date) -> bool:
        if today != self._day:
            self._day, self._asked = today, 0
        self._asked += 1
        return self._asked <= MOST_A_DAY


def _phrase(answer: str) -> str:
    """One topic in Latin letters out of an answer; empty if it is anything else."""
    try:
        (found,) = parse(one_line(answer)[:LONGEST_ANSWER])
    except ValueError:  # none, several, or one that is too long
        return ""
    return "" if found.startswith("-") or ":" in found or not found.isascii() else found
