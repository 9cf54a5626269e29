"""What readers want a language model to say: which texts they will be shown, and which of those nobody has written yet.

Working it out groups all subscribers by what they chose, so it is kept for a while: it changes with a new edition at
once, and with a reader's choice within a minute.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache

from bot.model import Cadence, Edition, Paper, Preferences, Style
from bot.render.edition_page import choose
from bot.render.styles import MISSING, TEXT_FIELDS
from bot.render.templates import prompt
from bot.store import Store, edition_queries, text_queries

FRESH = timedelta(days=2)
"""Texts are written for editions that were closed this recently."""
KEPT = timedelta(minutes=1)
"""For so long what readers chose is taken to be as it was."""
LEAST_WORDS = 8
"""A paper whose abstract has fewer is left to its title; a model would make up the rest."""
NO_ABSTRACT = "join the discussion on this paper page"
"""What some feeds say in an abstract's place."""

Key = tuple[str, str, Style]
"""A text by its paper, language and style."""


@dataclass(frozen=True, slots=True)
class Task:
    """One text to be written. `others` are the papers beside it, for which it must not be mistaken."""

    paper: Paper
    language: str
    style: Style
    weight: float = field(compare=False)
    others: Sequence[Paper] = field(compare=False)


class WantedTexts:
    """What is wanted of the newest editions, the most wanted first."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._weights: Mapping[Key, float] = {}
        self._newest: Sequence[Edition] = ()
        self._known: tuple[object, ...] | None = None
        self._known_at: datetime | None = None

    async def wanted(self, now: datetime) -> list[Task]:
        """Every text that readers will be shown, written or not."""
        await self._look(now)
        return tasks(self._weights, self._newest)

    async def missing(self, now: datetime, model: str) -> list[Task]:
        """What nobody has written yet; texts of which `model` was refused are not asked for again."""
        await self._look(now)
        ids = [ranked.paper.id for edition in self._newest for ranked in edition.papers]
        if not self._weights:
            return []
        async with self._store.read() as connection:
            done = await text_queries.settled(
                connection, ids, model, {style: fingerprint(style) for style in TEXT_FIELDS}
            )
        return tasks({key: each for key, each in self._weights.items() if key not in done}, self._newest)

    async def missing_of(self, edition: Edition, wanted: Preferences, model: str) -> list[Task]:
        """What nobody has written yet of what one choice of readers would be shown of an edition."""
        ids = [ranked.paper.id for ranked in choose(edition.papers, wanted)]
        async with self._store.read() as connection:
            done = await text_queries.settled(connection, ids, model, {wanted.style: fingerprint(wanted.style)})
        keys = [(paper_id, wanted.language, wanted.style) for paper_id in ids]
        return tasks({key: 1 / place for place, key in enumerate(keys, start=1) if key not in done}, [edition])

    async def _look(self, now: datetime) -> None:
        """See what is wanted, unless that was done a moment ago and no edition has come since."""
        async with self._store.read() as connection:
            ids = tuple([await edition_queries.latest_id(connection, cadence) for cadence in Cadence])
            recent = self._known_at is not None and self._known_at <= now < self._known_at + KEPT
            if recent and ids == self._known:
                return
            newest = [await edition_queries.latest(connection, cadence) for cadence in Cadence]
            fresh = {each.cadence: each for each in newest if each is not None and each.closed_at > now - FRESH}
            wishes = await text_queries.wanted_choices(connection) if fresh else ()
        weights: defaultdict[Key, float] = defaultdict(float)
        for wish in wishes:
            edition = fresh.get(wish.cadence)
            for place, ranked in enumerate(choose(edition.papers, wish.preferences) if edition else (), start=1):
                weights[ranked.paper.id, wish.preferences.language, wish.preferences.style] += wish.readers / place
        self._weights, self._newest = dict(weights), list(fresh.values())
        self._known, self._known_at = ids, now


def tasks(weights: Mapping[Key, float], from_editions: Iterable[Edition]) -> list[Task]:
    """Tasks of so much weight each, the heaviest first."""
    known: dict[str, tuple[Paper, Sequence[Paper]]] = {}
    for edition in from_editions:
        everything = [ranked.paper for ranked in edition.papers]
        for paper in everything:
            known[paper.id] = (paper, everything)
    made = []
    for (paper_id, language, style), weight in weights.items():
        paper, beside = known[paper_id]
        if not _says_something(paper):
            continue
        made.append(Task(paper, language, style, weight, [other for other in beside if other.id != paper_id]))
    return sorted(made, key=lambda task: (-task.weight, task.paper.id, task.language, task.style))


@cache
def fingerprint(style: Style) -> str:
    """What a style's prompt is known by: another prompt or schema, and texts are asked for anew."""
    fields = [part.name for part in TEXT_FIELDS[style]]
    asked = [
        prompt("system", language="L", fields=fields),
        prompt(style.value, language="L", missing=MISSING),
        prompt("paper", task="T", title="P", organisation="O", source="S", faults=["F"]),
        repr(TEXT_FIELDS[style]),
    ]
    return hashlib.sha256("\n".join(asked).encode()).hexdigest()[:16]


def _says_something(paper: Paper) -> bool:
    """Whether there is anything to write from."""
    abstract = paper.abstract.strip()
    return len(abstract.split()) >= LEAST_WORDS and not abstract.casefold().startswith(NO_ABSTRACT)
