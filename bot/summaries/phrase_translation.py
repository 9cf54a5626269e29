"""Has a language model put phrases into another language: several in one question, paid from the budget of texts."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, date, datetime

from bot.render.styles import TextField
from bot.render.templates import prompt
from bot.render.words import english_name
from bot.runtime.text import one_line
from bot.store import Store, daily_spending
from bot.store.daily_spending import Spending
from bot.summaries.llm import Model
from bot.summaries.llm_errors import ModelError
from bot.summaries.request_parameters import estimate

log = logging.getLogger(__name__)

MOST_AT_ONCE = 2
"""Questions at the same time; texts for editions have the endpoint first."""

Affordable = Callable[[datetime], Awaitable[int]]
"""Says how many texts the rest of a day's budget pays for."""


class PhraseTranslator:
    """Asks for phrases, a few questions at once. What they cost is counted as `spending`."""

    def __init__(self, model: Model, store: Store, affordable: Affordable, spending: Spending) -> None:
        self._model = model
        self._store = store
        self._affordable = affordable
        self._spending = spending
        self._places = asyncio.Semaphore(MOST_AT_ONCE)
        self._day: date | None = None
        self._asked = 0

    async def ask(
        self,
        task: str,
        phrases: Sequence[str],
        language: str,
        now: datetime,
        *,
        patience: float,
        most_a_day: int,
        queues: float | None = None,
    ) -> dict[str, str] | None:
        """The model's answer for each phrase, unchecked; None where it was not asked. Never raises for that.

        A phrase that it left out is missing.

        Args:
            task: the name of the prompt that says what is to be done.
            phrases: what is to be translated.
            language: the tag of the readers' language.
            now: the time, which decides what day's budget pays.
            patience: seconds to wait for an answer.
            most_a_day: questions a UTC day.
            queues: seconds to wait for other questions before this one; None: as long as they take.
        """
        try:
            async with asyncio.timeout(queues):
                await self._places.acquire()
        except TimeoutError:
            log.info("phrases not translated", extra={"task": task, "error": "too many questions"})
            return None
        try:
            if not await self._affordable(now) or not self._may_ask(now.astimezone(UTC).date(), most_a_day):
                return None
            return await self._ask(task, phrases, language, now, patience)
        finally:
            self._places.release()

    async def _ask(
        self, task: str, phrases: Sequence[str], language: str, now: datetime, patience: float
    ) -> dict[str, str]:
        fields = [TextField(f"phrase_{number}", 1, 120) for number in range(1, len(phrases) + 1)]
        asked = dict(zip((field.name for field in fields), map(one_line, phrases), strict=True))
        system = prompt(task, language=english_name(language), fields=list(asked))
        user = prompt("phrase_list", phrases=list(asked.items()))
        try:
            async with asyncio.timeout(patience):
                answer = await self._model.fill(system, user, fields)
        except (ModelError, TimeoutError) as error:
            log.info("phrases not translated", extra={"task": task, "error": type(error).__name__})
            # Nobody says what a question costs that was cut: itself at least, and an answer of its length.
            cut = estimate(system) + 2 * estimate(user)
            await self._count(error.tokens if isinstance(error, ModelError) else cut, now)
            return {}
        await self._count(answer.tokens, now)
        return {phrase: answer.parts[name] for name, phrase in asked.items() if name in answer.parts}

    async def _count(self, tokens: int, now: datetime) -> None:
        if tokens:
            async with self._store.write() as connection:
                await daily_spending.add(connection, self._spending, now.astimezone(UTC).date(), tokens)

    def _may_ask(self, today: date, most: int) -> bool:
        if today != self._day:
            self._day, self._asked = today, 0
        if self._asked >= most:
            return False
        self._asked += 1
        return True
