"""The writer has a language model say what readers want said: only what is needed, once, within a budget.

For the newest edition of each cadence it works out which papers active readers will be shown in which language and
style, asks for what is missing, those of most readers and the highest ranks first, and holds each answer against its
source.
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
from bot.summaries.guard.guard import faults
from bot.summaries.llm import LLMAnswer, Model, ModelError
from bot.summaries.wanted import Task, WantedTexts, fingerprint

log = logging.getLogger(__name__)

ASKED = 2
"""A text that is refused is asked for once more, with the reasons; then it is done without."""
FIRST_REST = timedelta(seconds=30)
LONGEST_REST = timedelta(minutes=10)
"""How long the model is left alone after a fault of its endpoint: twice as long each time."""
TRIED = 3
"""So often a text may fail while others succeed."""
MOST_FAULTS = 10
MOST_AT_ONCE = 64
TYPICAL = 2_000
"""Tokens that a text costs, as long as nobody knows."""
FENCE = re.compile("={3,}")

Collect = Callable[[Sequence[Paper], datetime], Awaitable[Mapping[str, object]]]
"""Fetches pictures of papers, and says which it has."""

Source = Callable[[Paper, Style, datetime], Awaitable[str]]
"""The text that a style is written from: the abstract, or as much of the whole paper as the model reads."""


async def abstract(paper: Paper, style: Style, now: datetime) -> str:  # noqa: ARG001 - a source may look at them
    """The source of every text where nothing more is to be had."""
    return paper.abstract


class Writer:
    """One `step` has the model write a few texts."""

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
        self._begun: dict[Task, tuple[int, list[str]]] = {}
        """What was refused once when the endpoint failed: its tokens, and why."""
        self._rests_until: datetime | None = None
        self._rest = FIRST_REST
        self._spent_out: date | None = None
        self._writing: set[asyncio.Task[None]] = set()
        self._failures: Counter[Task] = Counter()
        self.wrote = False
        """Whether the last step had anything written."""

    async def step(self, now: datetime) -> bool:
        """Have some of what is missing written; whether there was anything to do."""
        self.wrote = False
        if self._model is None:
            return False
        self._collect_pictures(now)
        if self._rests_until is not None and now < self._rests_until:
            return False
        missing = await self.missing(now)
        if missing and (affordable := await self.affordable(now)):
            self.wrote = await self.write(missing[: min(self._concurrency, affordable)], now)
        return self.wrote

    @property
    def has_model(self) -> bool:
        """Whether there is anybody to write."""
        return self._model is not None

    async def write(self, tasks: Sequence[Task], now: datetime) -> bool:
        """Have these texts written and stored, side by side; False where the endpoint failed for all of them.

        One that fails while others succeed is given up after a few times, so that it does not stand in their way.
        """
        writing = {asyncio.create_task(self._write(each, now)): each for each in tasks}
        self._writing = set(writing)
        await asyncio.wait(self._writing)  # which, unlike gather, leaves them alone where we are cut off ourselves
        failed: dict[Task, ModelError] = {}
        for job, task in writing.items():
            error = job.exception()
            if isinstance(error, ModelError):
                failed[task] = error
            elif error is not None:
                log.error("text cannot be written", exc_info=error, extra={"paper": task.paper.id})
                failed[task] = ModelError(f"it cannot be written ({type(error).__name__})", its_own=True)
        for task, error in failed.items():
            self._failures[task] += 1  # whose turn comes later then
            told = error.its_own or (len(failed) < len(tasks) and error.retry_after is None and not error.ours)
            if told and self._failures[task] >= TRIED:
                await self._keep(task, self._refused(task, [str(error)], 0, now))
        endpoint = [error for error in failed.values() if not error.its_own]
        waits = [error for error in endpoint if error.retry_after is not None]
        if waits or len(endpoint) == len(tasks):
            self._leave_alone((waits or endpoint)[0], now)
        else:
            self._rest, self._rests_until = FIRST_REST, None
        return len(failed) < len(tasks)

    def _collect_pictures(self, now: datetime) -> None:
        """Have pictures fetched beside the writing; it takes its time, and nobody waits for it."""
        if self._collect is not None and (self._collecting is None or self._collecting.done()):
            self._collecting = asyncio.create_task(self._illustrate(now))

    async def _illustrate(self, now: datetime) -> None:
        """Have pictures fetched of the papers that will be shown with some; each is asked for once."""
        assert self._collect is not None
        try:
            await self._illustrate_with(self._collect, now)
        except Exception:
            log.exception("pictures are left out")

    async def _illustrate_with(self, collect: Collect, now: datetime) -> None:
        wanted = [task.paper for task in await self._wanted_texts.wanted(now) if task.style in ILLUSTRATED]
        papers = [paper for paper in dict.fromkeys(wanted) if paper.id not in self._illustrated]
        self._illustrated.update(paper.id for paper in papers)
        if papers:
            found = await collect(papers, now)
            log.info("pictures collected", extra={"papers": len(papers), "pictures": len(found)})

    async def finish(self, patience: float) -> None:
        """Give what is being written so many seconds to be stored."""
        if self._writing:
            await asyncio.wait(self._writing, timeout=patience)
        ending = [*self._writing, *([self._collecting] if self._collecting is not None else [])]
        for task in ending:
            task.cancel()
        await asyncio.gather(*ending, return_exceptions=True)
        self._writing = set()

    async def missing(self, now: datetime) -> list[Task]:
        """What readers will be shown and nobody has written yet, the most wanted first."""
        found = await self._wanted_texts.missing(now, self._name)
        return sorted(found, key=lambda task: self._failures[task])  # those that failed come after the others

    async def missing_of(self, edition: Edition, wanted: Preferences) -> list[Task]:
        """What nobody has written yet of what one choice of readers would be shown of an edition."""
        return await self._wanted_texts.missing_of(edition, wanted, self._name)

    @property
    def _name(self) -> str:
        return "" if self._model is None else self._model.name

    async def _write(self, task: Task, now: datetime) -> None:
        await self._keep(task, await self.try_out(task, now))

    async def _keep(self, task: Task, written: StoredText) -> None:
        """Write down what became of a text."""
        async with self._store.write() as connection:
            await text_queries.keep(connection, written)
        self._failures.pop(task, None)
        fields = {"paper": task.paper.id, "language": task.language, "style": task.style.value}
        if written.verdict is TextState.REJECTED:
            log.warning("text refused", extra=fields | {"tokens": written.tokens, "why": written.faults[0]})
        else:
            log.info("text written", extra=fields | {"tokens": written.tokens})

    async def try_out(self, task: Task, now: datetime) -> StoredText:
        """Ask, hold the answer against its source, ask once more if need be. Raises ModelError."""
        assert self._model is not None
        source = await self._source(task.paper, task.style, now)
        answer: LLMAnswer | None = None
        tokens, found = self._begun.pop(task, (0, []))
        for _ in range(ASKED - bool(found)):
            try:
                answer = await self._ask(task, source, found)
            except ModelError as error:
                tokens += error.tokens
                if not error.its_own:
                    if tokens:
                        self._begun[task] = (tokens, found)
                    raise
                answer, found = None, [str(error)]
                continue
            tokens += answer.tokens
            wrong = faults(task.style, task.language, answer.parts, task.paper, source=source, others=task.others)
            found = [fault.says for fault in wrong][:MOST_FAULTS]
            if not found:
                break
        refused = self._refused(task, found, tokens, now)
        if answer is None or found:
            return refused
        return replace(refused, model=answer.model, verdict=TextState.ACCEPTED, parts=answer.parts)

    def _refused(self, task: Task, why: Sequence[str], tokens: int, now: datetime) -> StoredText:
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

    async def _ask(self, task: Task, source: str, refused: Sequence[str]) -> LLMAnswer:
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
            faults=refused,
        )
        return await self._model.fill(system, user, TEXT_FIELDS[task.style])

    async def affordable(self, now: datetime) -> int:
        """How many texts today's tokens are enough for, by what one has cost so far; said once where it is none."""
        if not self._budget:
            return MOST_AT_ONCE
        today = now.astimezone(UTC).date()
        async with self._store.read() as connection:
            spent = await text_queries.tokens_spent(connection, today)
            typical = await text_queries.average_tokens(connection) or TYPICAL
        spent += sum(tokens for tokens, _ in self._begun.values())
        if spent < self._budget:
            return max(1, (self._budget - spent) // typical)
        if self._spent_out != today:
            log.warning("today's tokens are spent", extra={"tokens": spent, "budget": self._budget})
            self._spent_out = today
        return 0

    def _leave_alone(self, error: ModelError, now: datetime) -> None:
        """Leave an endpoint that failed alone for a while, longer each time."""
        rest = timedelta(seconds=error.retry_after) if error.retry_after else self._rest
        rest = LONGEST_REST if error.ours else rest
        self._rests_until, self._rest = now + rest, min(self._rest * 2, LONGEST_REST)
        log.warning("model fails", extra={"reason": str(error), "rests": rest.total_seconds()})


def _fenced(text: str) -> str:
    """A stranger's line that cannot end the part of a prompt that it stands in."""
    return FENCE.sub("==", " ".join(text.split()))
