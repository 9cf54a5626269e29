"""Has a language model write the texts that readers want: each once, the most wanted first, within a token budget.

Wanted are the papers of the newest edition of each cadence, in the languages and styles of active readers. Each answer
is checked against its source before it is stored.
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

from bot.model import ILLUSTRATED, Edition, Paper, Preferences, Style
from bot.render.styles import MISSING, TEXT_FIELDS
from bot.render.templates import prompt
from bot.render.words import english_name
from bot.store import Store, text_queries
from bot.store.text_queries import StoredText, TextState
from bot.summaries.guard.guard import Verdict, check
from bot.summaries.llm import LLMAnswer, Model, ModelError
from bot.summaries.wanted import WantedText, WantedTexts, fingerprint

log = logging.getLogger(__name__)

ATTEMPTS = 2
"""Times that a text is requested; after the first rejection with the reasons. Then it is stored as rejected."""
FIRST_BACKOFF = timedelta(seconds=30)
LONGEST_BACKOFF = timedelta(minutes=10)
"""Backoff after an error of the LLM endpoint, doubled each time up to LONGEST_BACKOFF."""
MOST_FAILURES = 3
"""Times that a text may fail while others succeed, before it is stored as rejected."""
MOST_FAULTS = 10
"""Faults of a text that are stored, and told to the model."""
MOST_AT_ONCE = 64
"""Texts of one step where no budget is set."""
TYPICAL_TOKENS = 2_000
"""Tokens assumed for a text until some have been written."""
FENCE = re.compile("={3,}")

Collect = Callable[[Sequence[Paper], datetime], Awaitable[Mapping[str, object]]]
"""Fetches pictures of papers; returns those that it has, by file name."""

Source = Callable[[Paper, Style, datetime], Awaitable[str]]
"""Gives the text that a style is written from: the abstract, or as much of the full text as fits the model."""


async def abstract(paper: Paper, style: Style, now: datetime) -> str:  # noqa: ARG001 - a Source
    """The source if full texts are not available: the abstract for every style."""
    return paper.abstract


class Writer:
    """Writes wanted texts, `concurrency` at once, for at most `budget` tokens a UTC day (0: no limit)."""

    def __init__(
        self,
        store: Store,
        model: Model | None,
        *,
        concurrency: int,
        budget: int,
        source: Source = abstract,
        collect: Collect | None = None,
    ) -> None:
        self._store = store
        self._wanted_texts = WantedTexts(store)
        self._model = model
        self._concurrency = concurrency
        self._budget = budget
        self._source = source
        self._collect = collect
        self._collecting: asyncio.Task[None] | None = None
        self._illustrated: set[str] = set()
        self._begun: dict[WantedText, tuple[int, list[str]]] = {}
        """Texts rejected once, whose second attempt met an endpoint error: tokens used, and the faults found."""
        self._waits_until: datetime | None = None
        self._backoff = FIRST_BACKOFF
        self._spent_out: date | None = None
        self._writing: set[asyncio.Task[None]] = set()
        self._failures: Counter[WantedText] = Counter()
        self.wrote = False
        """Whether the last step wrote any text."""

    async def step(self, now: datetime) -> bool:
        """Write a few missing texts. Returns whether any was written."""
        self.wrote = False
        if self._model is None:
            return False
        self._collect_pictures(now)
        if self._waits_until is not None and now < self._waits_until:
            return False
        missing = await self.missing(now)
        if missing and (affordable := await self.affordable(now)):
            self.wrote = await self.write(missing[: min(self._concurrency, affordable)], now)
        return self.wrote

    @property
    def has_model(self) -> bool:
        """Whether a model is configured."""
        return self._model is not None

    async def write(self, tasks: Sequence[WantedText], now: datetime) -> bool:
        """Write and store these texts concurrently. Returns False if the endpoint failed for all of them.

        A text that fails while others succeed is stored as rejected after MOST_FAILURES, so it does not block them.
        """
        writing = {asyncio.create_task(self._write(each, now)): each for each in tasks}
        self._writing = set(writing)
        await asyncio.wait(self._writing)  # unlike gather, does not cancel them if we are cancelled
        failed: dict[WantedText, ModelError] = {}
        for job, task in writing.items():
            error = job.exception()
            if isinstance(error, ModelError):
                failed[task] = error
            elif error is not None:
                log.error("text generation failed", exc_info=error, extra={"paper": task.paper.id})
                failed[task] = ModelError(f"unexpected error ({type(error).__name__})", about_text=True)
        for task, error in failed.items():
            self._failures[task] += 1
            counts = error.about_text or (
                len(failed) < len(tasks) and error.retry_after is None and not error.misconfigured
            )
            if counts and self._failures[task] >= MOST_FAILURES:
                await self._keep(task, self._rejected(task, [str(error)], 0, now))
        endpoint = [error for error in failed.values() if not error.about_text]
        waits = [error for error in endpoint if error.retry_after is not None]
        if waits or len(endpoint) == len(tasks):
            self._back_off((waits or endpoint)[0], now)
        else:
            self._backoff, self._waits_until = FIRST_BACKOFF, None
        return len(failed) < len(tasks)

    def _collect_pictures(self, now: datetime) -> None:
        """Start fetching pictures in the background, unless that is under way."""
        if self._collect is not None and (self._collecting is None or self._collecting.done()):
            self._collecting = asyncio.create_task(self._illustrate(self._collect, now))

    async def _illustrate(self, collect: Collect, now: datetime) -> None:
        """Fetch pictures of the papers that will be shown with some, once for each paper."""
        try:
            wanted = [each.paper for each in await self._wanted_texts.wanted(now) if each.style in ILLUSTRATED]
            papers = [paper for paper in dict.fromkeys(wanted) if paper.id not in self._illustrated]
            self._illustrated.update(paper.id for paper in papers)
            if papers:
                found = await collect(papers, now)
                log.info("pictures fetched", extra={"papers": len(papers), "pictures": len(found)})
        except Exception:
            log.exception("fetching pictures failed, publishing without them")

    async def finish(self, patience: float) -> None:
        """Wait up to `patience` seconds for the texts being written, then cancel what is left."""
        if self._writing:
            await asyncio.wait(self._writing, timeout=patience)
        ending = [*self._writing, *([self._collecting] if self._collecting is not None else [])]
        for task in ending:
            task.cancel()
        await asyncio.gather(*ending, return_exceptions=True)
        self._writing = set()

    async def missing(self, now: datetime) -> list[WantedText]:
        """The wanted texts that do not exist yet, the most wanted first and those that failed last."""
        found = await self._wanted_texts.missing(now, self._name)
        return sorted(found, key=lambda task: self._failures[task])

    async def missing_of(self, edition: Edition, wanted: Preferences) -> list[WantedText]:
        """The texts that do not exist yet of those that one choice of preferences would be shown of an edition."""
        return await self._wanted_texts.missing_of(edition, wanted, self._name)

    @property
    def _name(self) -> str:
        return "" if self._model is None else self._model.name

    async def _write(self, task: WantedText, now: datetime) -> None:
        await self._keep(task, await self.try_out(task, now))

    async def _keep(self, task: WantedText, written: StoredText) -> None:
        """Store a text, or that it was rejected."""
        async with self._store.write() as connection:
            await text_queries.keep(connection, written)
        self._failures.pop(task, None)
        fields = {"paper": task.paper.id, "language": task.language, "style": task.style.value}
        if written.verdict is TextState.REJECTED:
            log.warning("text rejected", extra=fields | {"tokens": written.tokens, "why": written.faults[0]})
        else:
            log.info("text written", extra=fields | {"tokens": written.tokens})

    async def try_out(self, task: WantedText, now: datetime) -> StoredText:
        """Request a text and check it, up to ATTEMPTS times, without storing it. Raises ModelError."""
        assert self._model is not None
        source = await self._source(task.paper, task.style, now)
        answer: LLMAnswer | None = None
        verdict: Verdict | None = None
        tokens, found = self._begun.pop(task, (0, []))
        for _ in range(ATTEMPTS - bool(found)):
            try:
                answer = await self._ask(task, source, found)
            except ModelError as error:
                tokens += error.tokens
                if not error.about_text:
                    if tokens:
                        self._begun[task] = (tokens, found)
                    raise
                answer, verdict, found = None, None, [str(error)]
                continue
            tokens += answer.tokens
            verdict = check(task.style, task.language, answer.parts, task.paper, source=source)
            found = [fault.message for fault in verdict.faults][:MOST_FAULTS]
            if not found:
                break
        rejected = self._rejected(task, found, tokens, now)
        if answer is None or verdict is None or found:
            return rejected
        return replace(rejected, model=answer.model, verdict=TextState.ACCEPTED, parts=verdict.parts)

    def _rejected(self, task: WantedText, why: Sequence[str], tokens: int, now: datetime) -> StoredText:
        return StoredText(
            paper_id=task.paper.id,
            language=task.language,
            style=task.style,
            model=self._name,
            prompt=fingerprint(task.style),
            verdict=TextState.REJECTED,
            parts={},
            faults=list(why),
            tokens=tokens,
            written_at=now,
        )

    async def _ask(self, task: WantedText, source: str, found: Sequence[str]) -> LLMAnswer:
        assert self._model is not None
        language = english_name(task.language)
        fields = [part.name for part in TEXT_FIELDS[task.style]]
        system = prompt("system", language=language, fields=fields)
        user = prompt(
            "paper",
            task=prompt(task.style.value, language=language, missing=MISSING),
            title=_fenced(task.paper.title),
            organisation=_fenced(task.paper.organisation or ""),
            source=FENCE.sub("==", source),
            faults=found,
        )
        return await self._model.fill(system, user, TEXT_FIELDS[task.style])

    async def affordable(self, now: datetime) -> int:
        """How many texts the rest of today's token budget pays for, by their usual cost. Logs once a day if none."""
        if not self._budget:
            return MOST_AT_ONCE
        today = now.astimezone(UTC).date()
        async with self._store.read() as connection:
            spent = await text_queries.tokens_spent(connection, today)
            typical = await text_queries.average_tokens(connection) or TYPICAL_TOKENS
        spent += sum(tokens for tokens, _ in self._begun.values())
        if spent < self._budget:
            return max(1, (self._budget - spent) // typical)
        if self._spent_out != today:
            log.warning(
                "token budget of today is spent, no more texts are written",
                extra={"tokens": spent, "budget": self._budget},
            )
            self._spent_out = today
        return 0

    def _back_off(self, error: ModelError, now: datetime) -> None:
        """Do not call the endpoint for a while after an error, longer each time."""
        wait = timedelta(seconds=error.retry_after) if error.retry_after else self._backoff
        wait = LONGEST_BACKOFF if error.misconfigured else wait
        self._waits_until, self._backoff = now + wait, min(self._backoff * 2, LONGEST_BACKOFF)
        log.warning("LLM endpoint failed, backing off", extra={"reason": str(error), "seconds": wait.total_seconds()})


def _fenced(text: str) -> str:
    """Text from outside on one line that cannot end its part of the prompt."""
    return FENCE.sub("==", " ".join(text.split()))
