"""The writer has a language model say what readers want said: only what is needed, once, within a budget.

For the newest edition of each cadence it works out which papers active readers will be shown in which language and
style, asks for what is missing, those of most readers and the highest ranks first, and holds each answer against its
source.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from functools import cache

from bot.model import Cadence, Edition, Paper, Preferences, Style
from bot.pictures import ILLUSTRATED
from bot.render.page import choose
from bot.render.templates import prompt
from bot.render.words import english_name
from bot.store import Store, editions, texts
from bot.store.texts import Verdict, Written
from bot.texts.client import Answer, Model, ModelError
from bot.texts.guard import faults
from bot.texts.styles import MISSING, PARTS

log = logging.getLogger(__name__)

FRESH = timedelta(days=2)
"""Texts are written for editions that were closed this recently."""
ASKED = 2
"""A text that is refused is asked for once more, with the reasons; then it is done without."""
FIRST_REST = timedelta(seconds=30)
LONGEST_REST = timedelta(minutes=10)
"""How long the model is left alone after a fault of its endpoint: twice as long each time."""
TRIED = 3
"""So often a text may fail while others succeed."""
MOST_FAULTS = 10

Collect = Callable[[Sequence[Paper], datetime], Awaitable[Mapping[str, object]]]
"""Fetches pictures of papers, and says which it has."""

Source = Callable[[Paper, Style, datetime], Awaitable[str]]
"""The text that a style is written from: the abstract, or as much of the whole paper as the model reads."""


@dataclass(frozen=True, slots=True)
class Task:
    """One text to be written. `others` are the papers beside it, for which it must not be mistaken."""

    paper: Paper
    language: str
    style: Style
    weight: float = field(compare=False)
    others: Sequence[Paper] = field(compare=False)


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
        self._model = model
        self._concurrency = concurrency
        self._budget = budget
        self._source = source
        self._collect = collect
        self._illustrated: set[str] = set()
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
        if self._model is None or (self._rests_until is not None and now < self._rests_until):
            return False
        missing = (await self.missing(now))[: self._concurrency]
        if missing and await self._can_afford(now):
            self.wrote = await self.write(missing, now)
        elif not missing and self._collect is not None:
            await self._illustrate(now)
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
                raise error
        if len(failed) == len(tasks):
            self._leave_alone(next(iter(failed.values())), now)
            return False
        self._rest, self._rests_until = FIRST_REST, None
        for task, error in failed.items():
            self._failures[task] += 1
            if self._failures[task] >= TRIED:
                await self._keep(task, self._refused(task, [str(error)], 0, now))
        return True

    async def _illustrate(self, now: datetime) -> None:
        """Have pictures fetched of the papers that will be shown with some; each is asked for once."""
        assert self._collect is not None
        wanted = [task.paper for task in await self.missing(now, all_anew=True) if task.style in ILLUSTRATED]
        papers = [paper for paper in dict.fromkeys(wanted) if paper.id not in self._illustrated]
        self._illustrated.update(paper.id for paper in papers)
        if papers:
            found = await self._collect(papers, now)
            log.info("pictures collected", extra={"papers": len(papers), "pictures": len(found)})

    async def finish(self, patience: float) -> None:
        """Give what is being written so many seconds to be stored."""
        if self._writing:
            await asyncio.wait(self._writing, timeout=patience)
        for task in self._writing:
            task.cancel()
        await asyncio.gather(*self._writing, return_exceptions=True)
        self._writing = set()

    async def missing(self, now: datetime, *, all_anew: bool = False, model: str | None = None) -> list[Task]:
        """What readers will be shown and nobody has written yet, the most wanted first; `all_anew` as if nobody had.

        `model` names the one whose refused texts are not asked for again: the writer's own, unless told.
        """
        async with self._store.read() as connection:
            newest = [await editions.latest(connection, cadence) for cadence in Cadence]
            fresh = {each.cadence: each for each in newest if each is not None and each.closed_at > now - FRESH}
            wanted = await texts.wishes(connection)
            ids = [ranked.paper.id for edition in fresh.values() for ranked in edition.papers]
            prompts = {style: fingerprint(style) for style in PARTS}
            done = await texts.dealt_with(connection, ids, model or self._name, prompts)
        weights: defaultdict[tuple[str, str, Style], float] = defaultdict(float)
        for wish in wanted:
            edition = fresh.get(wish.cadence)
            for place, ranked in enumerate(choose(edition.papers, wish.preferences) if edition else (), start=1):
                weights[ranked.paper.id, wish.preferences.language, wish.preferences.style] += wish.readers / place
        return tasks({key: each for key, each in weights.items() if all_anew or key not in done}, fresh.values())

    async def missing_of(self, edition: Edition, wanted: Preferences) -> list[Task]:
        """What nobody has written yet of what one choice of readers would be shown of an edition."""
        chosen = choose(edition.papers, wanted)
        ids = [ranked.paper.id for ranked in chosen]
        async with self._store.read() as connection:
            done = await texts.dealt_with(connection, ids, self._name, {wanted.style: fingerprint(wanted.style)})
        keys = [(paper_id, wanted.language, wanted.style) for paper_id in ids]
        return tasks({key: 1 / place for place, key in enumerate(keys, start=1) if key not in done}, [edition])

    @property
    def _name(self) -> str:
        return "" if self._model is None else self._model.name

    async def _write(self, task: Task, now: datetime) -> None:
        await self._keep(task, await self.try_out(task, now))

    async def _keep(self, task: Task, written: Written) -> None:
        """Write down what became of a text."""
        async with self._store.write() as connection:
            await texts.keep(connection, written)
        self._failures.pop(task, None)
        fields = {"paper": task.paper.id, "language": task.language, "style": task.style.value}
        if written.verdict is Verdict.REJECTED:
            log.warning("text refused", extra=fields | {"tokens": written.tokens, "why": written.faults[0]})
        else:
            log.info("text written", extra=fields | {"tokens": written.tokens})

    async def try_out(self, task: Task, now: datetime) -> Written:
        """Ask, hold the answer against its source, ask once more if need be. Raises ModelError."""
        assert self._model is not None
        source = await self._source(task.paper, task.style, now)
        found: list[str] = []
        answer: Answer | None = None
        tokens = 0
        for _ in range(ASKED):
            try:
                answer = await self._ask(task, source, found)
                found = []
            except ModelError as error:
                if error.ours or not error.tokens:
                    raise
                answer, found = None, [str(error)]
                tokens += error.tokens
                continue
            tokens += answer.tokens
            wrong = faults(task.style, task.language, answer.parts, task.paper, source=source, others=task.others)
            found = [fault.says for fault in wrong][:MOST_FAULTS]
            if not found:
                break
        refused = self._refused(task, found, tokens, now)
        if answer is None or found:
            return refused
        return replace(refused, model=answer.model, verdict=Verdict.ACCEPTED, parts=answer.parts)

    def _refused(self, task: Task, why: Sequence[str], tokens: int, now: datetime) -> Written:
        return Written(
            paper_id=task.paper.id,
            language=task.language,
            style=task.style,
            model=self._name,
            prompt=fingerprint(task.style),
            verdict=Verdict.REJECTED,
            parts={},
            faults=list(why),
            tokens=tokens,
            written_at=now,
        )

    async def _ask(self, task: Task, source: str, refused: Sequence[str]) -> Answer:
        assert self._model is not None
        language = english_name(task.language)
        fields = [part.name for part in PARTS[task.style]]
        system = prompt("system", language=language, fields=fields)
        user = prompt(
            "paper",
            task=prompt(task.style.value, language=language, missing=MISSING),
            title=task.paper.title,
            organisation=task.paper.organisation,
            source=source,
            faults=refused,
        )
        return await self._model.fill(system, user, PARTS[task.style])

    async def _can_afford(self, now: datetime) -> bool:
        """Whether today's tokens are not spent yet; said once a day where they are."""
        today = now.astimezone(UTC).date()
        if not self._budget:
            return True
        async with self._store.read() as connection:
            spent = await texts.spent(connection, today)
        if spent < self._budget:
            return True
        if self._spent_out != today:
            log.warning("today's tokens are spent", extra={"tokens": spent, "budget": self._budget})
            self._spent_out = today
        return False

    def _leave_alone(self, error: ModelError, now: datetime) -> None:
        """Leave an endpoint that failed alone for a while, longer each time."""
        rest = timedelta(seconds=error.retry_after) if error.retry_after else self._rest
        rest = LONGEST_REST if error.ours else rest
        self._rests_until, self._rest = now + rest, min(self._rest * 2, LONGEST_REST)
        log.warning("model fails", extra={"reason": str(error), "rests": rest.total_seconds()})


def tasks(weights: Mapping[tuple[str, str, Style], float], from_editions: Iterable[Edition]) -> list[Task]:
    """Tasks of so much weight each, the heaviest first."""
    known: dict[str, tuple[Paper, Sequence[Paper]]] = {}
    for edition in from_editions:
        everything = [ranked.paper for ranked in edition.papers]
        for paper in everything:
            known[paper.id] = (paper, everything)
    made = []
    for (paper_id, language, style), weight in weights.items():
        paper, beside = known[paper_id]
        made.append(Task(paper, language, style, weight, [other for other in beside if other.id != paper_id]))
    return sorted(made, key=lambda task: (-task.weight, task.paper.id, task.language, task.style))


@cache
def fingerprint(style: Style) -> str:
    """What a style's prompt is known by: another prompt or schema, and texts are asked for anew."""
    fields = [part.name for part in PARTS[style]]
    asked = [
        prompt("system", language="L", fields=fields),
        prompt(style.value, language="L", missing=MISSING),
        prompt("paper", task="T", title="P", organisation="O", source="S", faults=["F"]),
        repr(PARTS[style]),
    ]
    return hashlib.sha256("\n".join(asked).encode()).hexdigest()[:16]
