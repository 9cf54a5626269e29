"""Has a language model write the texts that readers want: each once, the most wanted first, within a token budget.

Wanted are the papers of the newest edition of each cadence, in the languages and styles of active readers. Several
texts are written at once by a pool of workers; each takes a lease, so that no other process pays for the same text.
"""

from __future__ import annotations

import asyncio
import logging
import uuid
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta

from bot.model import Edition, Preferences
from bot.store import Store, endpoint_faults, text_leases, text_queries
from bot.store.text_queries import StoredText, TextState
from bot.summaries.drafting import Drafter, Source, abstract
from bot.summaries.keyword_translation import KeywordTranslator
from bot.summaries.llm import Model
from bot.summaries.llm_errors import ModelError
from bot.summaries.prompts import fingerprint
from bot.summaries.second_opinion import SecondOpinion
from bot.summaries.topic_translation import TopicTranslator
from bot.summaries.wanted import Key, WantedText, WantedTexts

log = logging.getLogger(__name__)

FIRST_BACKOFF = timedelta(seconds=30)
LONGEST_BACKOFF = timedelta(minutes=10)
"""Backoff after an error of the LLM endpoint, doubled each time up to LONGEST_BACKOFF."""
MOST_FAILURES = 3
"""Times that a text may fail while others succeed, before it is stored as failed."""
MOST_AT_ONCE = 64
"""Texts of one step where no budget is set."""
TYPICAL_TOKENS = 2_000
"""Tokens assumed for a text until some have been written."""
LEASE_SPARE = timedelta(minutes=1)
"""Time that a lease outlasts the longest request by."""
RATED_OVER = timedelta(days=1)
"""Time over which the share of accepted texts is counted for alerts."""


def log_only(event: str, now: datetime, *, level: int = logging.INFO, **fields: object) -> None:  # noqa: ARG001
    """An alert that is only logged."""
    log.log(level, event, extra=fields)


class Writer:
    """Writes wanted texts, `concurrency` at once, for at most `budget` tokens a UTC day (0: no limit).

    `second` is asked about each sentence that is accepted. `alert` tells the operator which language a model writes so
    badly that most texts are rejected.
    """

    def __init__(
        self,
        store: Store,
        model: Model | None,
        *,
        concurrency: int,
        budget: int,
        source: Source = abstract,
        second: SecondOpinion | None = None,
        alert: Callable[..., None] = log_only,
    ) -> None:
        self._store = store
        self._wanted_texts = WantedTexts(store)
        self._model = model
        self._drafter = None if model is None else Drafter(model, source, second)
        self._topics = None if model is None else TopicTranslator(model, store, self.affordable)
        self._keywords = None if model is None else KeywordTranslator(model, store, self.affordable)
        self._concurrency = concurrency
        self._budget = budget
        self._alert = alert
        self._alerted: set[tuple[date, str, str]] = set()
        self._owner = uuid.uuid4().hex
        self._waits_until: datetime | None = None
        self._backoff = FIRST_BACKOFF
        self._spent_out: date | None = None
        self._running: dict[Key, asyncio.Task[None]] = {}
        self._failures: Counter[Key] = Counter()
        self._successes = 0
        self._stored = 0
        self._endpoint_failed = True
        """Whether a failure of the endpoint may be stored; at the start one may be, of an earlier process."""
        self.unaccepted = 0
        """Texts that were stored as rejected or failed."""
        self.wrote = False
        """Whether the last step stored any text."""
        self.fault: str | None = None
        """Why the endpoint failed last, in one sentence; None if it has answered since."""

    async def step(self, now: datetime) -> bool:
        """Write missing texts until at least one is stored. Returns whether any was.

        Texts that take longer stay in work; the next step fills the places that are free.
        """
        self.wrote = False
        if self._model is None:
            return False
        before = self._stored
        if self._waits_until is None or now >= self._waits_until:
            await self._start(await self.missing(now), now)
        while self._running and self._stored == before:
            await self._one_ended()
        self.wrote = self._stored > before
        return self.wrote

    @property
    def has_model(self) -> bool:
        """Whether a model is configured."""
        return self._model is not None

    @property
    def translate_topics(self) -> Callable[[Sequence[str], str, datetime], Awaitable[Mapping[str, str]]] | None:
        """Puts readers' topics into English; None without a model."""
        return None if self._topics is None else self._topics.translate

    @property
    def translate_keywords(
        self,
    ) -> Callable[[Sequence[str], str, datetime], Awaitable[Mapping[str, str | None] | None]] | None:
        """Puts papers' keywords into a reader's language; None without a model."""
        return None if self._keywords is None else self._keywords.translate

    async def write(
        self, tasks: Sequence[WantedText], clock: Callable[[], datetime], report: Callable[[int], None]
    ) -> int:
        """Write and store these texts, until the endpoint fails or the budget is spent. Returns how many were stored.

        `report` is told after each text how many are stored so far.
        """
        before, waiting = self._stored, list(tasks)
        while waiting or self._running:
            now = clock()
            if self._waits_until is None or now >= self._waits_until:
                await self._start(waiting, now)
                waiting = [task for task in waiting if task.key not in self._running]
            if not self._running:
                break
            await self._one_ended()
            report(self._stored - before)
        return self._stored - before

    async def finish(self, patience: float) -> None:
        """Wait up to `patience` seconds for the texts being written, then cancel what is left."""
        if self._running:
            await asyncio.wait(self._running.values(), timeout=patience)
        for task in self._running.values():
            task.cancel()
        await asyncio.gather(*self._running.values(), return_exceptions=True)
        self._running = {}

    async def missing(self, now: datetime) -> list[WantedText]:
        """The wanted texts that do not exist yet, the most wanted first and those that failed last."""
        found = await self._wanted_texts.missing(now, self._name, self._owner)
        return sorted(found, key=lambda task: self._failures[task.key])

    async def missing_of(self, edition: Edition, wanted: Preferences, now: datetime) -> list[WantedText]:
        """The texts that do not exist yet of those that one choice of preferences would be shown of an edition."""
        return await self._wanted_texts.missing_of(edition, wanted, self._name, now)

    async def affordable(self, now: datetime) -> int:
        """How many texts the rest of today's token budget pays for, by their usual cost. Logs once a day if none."""
        if not self._budget:
            return MOST_AT_ONCE
        today = now.astimezone(UTC).date()
        async with self._store.read() as connection:
            spent = await text_queries.tokens_spent(connection, today)
            averages = await text_queries.average_tokens(connection)
        typical = max(averages.values(), default=TYPICAL_TOKENS)
        spent += 0 if self._drafter is None else self._drafter.unfinished_tokens
        if spent < self._budget:
            return max(1, (self._budget - spent) // typical)
        if self._spent_out != today:
            log.warning(
                "token budget of today is spent, no more texts are written",
                extra={"tokens": spent, "budget": self._budget},
            )
            self._spent_out = today
        return 0

    @property
    def _name(self) -> str:
        return "" if self._model is None else self._model.name

    async def _start(self, tasks: Sequence[WantedText], now: datetime) -> None:
        """Give the first of `tasks` to workers that are free, as far as the budget pays for them."""
        free = self._concurrency - len(self._running)
        if free <= 0 or not tasks:
            return
        free = min(free, await self.affordable(now) - len(self._running))
        for task in [each for each in tasks if each.key not in self._running][: max(free, 0)]:
            self._running[task.key] = asyncio.create_task(self._work(task, now))

    async def _one_ended(self) -> None:
        """Wait until at least one worker has ended; being cancelled meanwhile cancels none of them."""
        await asyncio.wait(self._running.values(), return_when=asyncio.FIRST_COMPLETED)
        self._running = {key: job for key, job in self._running.items() if not job.done()}

    async def _work(self, task: WantedText, now: datetime) -> None:
        """Write one text under its lease. Never raises for what an endpoint or a source answered."""
        assert self._drafter is not None
        successes, began = self._successes, asyncio.get_running_loop().time()

        async def renew() -> None:
            passed = timedelta(seconds=asyncio.get_running_loop().time() - began)
            async with self._store.write() as connection:
                await text_leases.renew(connection, task.key, owner=self._owner, until=self._lease_ends(now + passed))

        try:
            if not await self._lease(task, now):
                return
            try:
                await self._keep(task, await self._drafter.draft(task, now, renew=renew), now)
            except ModelError as error:
                await self._failed(task, error, now, others_succeed=self._successes > successes)
            finally:
                async with self._store.write() as connection:
                    await text_leases.release(connection, task.key, owner=self._owner)
        except Exception as error:
            log.exception("text generation failed", extra={"paper": task.paper.id})
            self._failures[task.key] += 1
            if self._failures[task.key] >= MOST_FAILURES:
                await self._keep_failed(task, f"unexpected error ({type(error).__name__})", 0, now)

    async def _lease(self, task: WantedText, now: datetime) -> bool:
        """Take the lease of a text. Returns False if another process has it, or has written the text meanwhile."""
        until = self._lease_ends(now)
        async with self._store.write() as connection:
            if not await text_leases.claim(connection, task.key, owner=self._owner, now=now, until=until):
                return False
            done = await text_queries.settled(connection, [task.paper.id], self._name, fingerprint, now)
            if task.key in done:
                await text_leases.release(connection, task.key, owner=self._owner)
        return task.key not in done

    def _lease_ends(self, now: datetime) -> datetime:
        """When a lease ends unless it is renewed: one request has come to its end by then, even if it failed."""
        longest = 0.0 if self._model is None else self._model.longest
        return now + timedelta(seconds=longest) + LEASE_SPARE

    async def _failed(self, task: WantedText, error: ModelError, now: datetime, *, others_succeed: bool) -> None:
        """Store a text as failed if it alone is concerned, else leave the endpoint alone for a while."""
        self._failures[task.key] += 1
        if error.about_text:
            await self._keep_failed(task, str(error), error.tokens, now)
        elif others_succeed and error.retry_after is None:
            if self._failures[task.key] >= MOST_FAILURES:
                await self._keep_failed(task, str(error), 0, now)
        else:
            await self._back_off(error, now)

    async def _keep_failed(self, task: WantedText, why: str, tokens: int, now: datetime) -> None:
        """Store a text as failed, which has cost `tokens`, or what an interrupted draft of it has cost."""
        assert self._drafter is not None
        tokens += self._drafter.give_up(task)
        await self._keep(task, self._drafter.unwritten(task, TextState.FAILED, [why], tokens, now), now)

    async def _keep(self, task: WantedText, written: StoredText, now: datetime) -> None:
        """Store a text, or why there is none."""
        answered = written.verdict is not TextState.FAILED
        async with self._store.write() as connection:
            await text_queries.keep(connection, written)
            if answered and self._endpoint_failed:
                await endpoint_faults.clear(connection)
        self._failures.pop(task.key, None)
        self._stored += 1
        if answered:
            self._successes += 1
            self._backoff, self._waits_until, self._endpoint_failed, self.fault = FIRST_BACKOFF, None, False, None
        fields = {"paper": task.paper.id, "language": task.language, "style": task.style.value}
        if written.verdict is TextState.ACCEPTED:
            log.info("text written", extra=fields | {"tokens": written.tokens})
            return
        self.unaccepted += 1
        event = "text rejected" if answered else "text not written"
        log.warning(event, extra=fields | {"tokens": written.tokens, "why": written.faults[0]})
        if answered:
            await self._rate(now)

    async def _rate(self, now: datetime) -> None:
        """Alert the operator, once a day for each language and model, if too few of its texts are accepted."""
        async with self._store.read() as connection:
            rated = await text_queries.acceptance(connection, now - RATED_OVER)
        for each in rated:
            seen = (now.date(), each.language, each.model)
            if each.too_low and seen not in self._alerted:
                self._alerted.add(seen)
                self._alert(
                    "most texts of a language are rejected",
                    now,
                    level=logging.WARNING,
                    language=each.language,
                    model=each.model,
                    accepted=each.accepted,
                    asked=each.accepted + each.rejected,
                )

    async def _back_off(self, error: ModelError, now: datetime) -> None:
        """Do not call the endpoint for a while after an error, longer each time."""
        if self._waits_until is not None and self._waits_until > now and error.retry_after is None:
            return  # several requests failed together
        wait = timedelta(seconds=error.retry_after) if error.retry_after else self._backoff
        wait = LONGEST_BACKOFF if error.misconfigured else wait
        self._waits_until, self._backoff = now + wait, min(self._backoff * 2, LONGEST_BACKOFF)
        self.fault, self._endpoint_failed = str(error), True
        log.warning("LLM endpoint failed, backing off", extra={"reason": str(error), "seconds": wait.total_seconds()})
        async with self._store.write() as connection:
            await endpoint_faults.save(connection, str(error), now)
