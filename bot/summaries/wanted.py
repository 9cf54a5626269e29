"""Works out which texts readers want from a language model, and which of them are missing.

That takes a query over all subscribers, so the result is cached: a new edition counts at once, a changed preference
within a minute.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from bot.model import Cadence, Edition, Paper, Preferences, Style
from bot.render.edition_page import choose
from bot.store import Store, edition_queries, text_leases, text_queries
from bot.summaries.prompts import fingerprint

FRESH = timedelta(days=2)
"""Age up to which texts are written for an edition."""
CACHED = timedelta(minutes=1)
"""How long the readers' preferences are cached."""
LEAST_WORDS = 8
"""Words of an abstract; from fewer no text is written, since a model would invent the rest."""
NO_ABSTRACT = "join the discussion on this paper page"
"""What Hugging Face writes where a paper has no abstract."""

Key = tuple[str, str, Style]
"""The arXiv id, language and style of a text."""


@dataclass(frozen=True, slots=True)
class WantedText:
    """A text to be written. A higher `weight` comes first."""

    paper: Paper
    language: str
    style: Style
    weight: float = field(compare=False)

    @property
    def key(self) -> Key:
        """What the text is stored under."""
        return self.paper.id, self.language, self.style


class WantedTexts:
    """The texts wanted for the newest edition of each cadence."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._weights: Mapping[Key, float] = {}
        self._newest: Sequence[Edition] = ()
        self._cached_for: tuple[object, ...] | None = None
        self._cached_at: datetime | None = None

    async def wanted(self, now: datetime) -> list[WantedText]:
        """Every text that readers will be shown, whether it exists or not, the most wanted first."""
        await self._refresh(now)
        return tasks(self._weights, self._newest)

    async def papers(self, styles: Collection[Style], now: datetime) -> list[Paper]:
        """The papers that readers will be shown in one of these styles, by rank."""
        await self._refresh(now)
        shown = {paper_id for paper_id, _, style in self._weights if style in styles}
        papers = (ranked.paper for edition in self._newest for ranked in edition.papers)
        return list({paper.id: paper for paper in papers if paper.id in shown}.values())

    async def missing(self, now: datetime, model: str, owner: str = "") -> list[WantedText]:
        """The wanted texts that do not exist and that `model` has not already failed to write, most wanted first.

        Those that somebody other than `owner` is having written are left to them.
        """
        await self._refresh(now)
        ids = [ranked.paper.id for edition in self._newest for ranked in edition.papers]
        if not self._weights:
            return []
        async with self._store.read() as connection:
            done = await text_queries.settled(connection, ids, model, fingerprint, now)
            done |= await text_leases.held(connection, ids, now=now, but=owner)
        return tasks({key: each for key, each in self._weights.items() if key not in done}, self._newest)

    async def missing_of(self, edition: Edition, wanted: Preferences, model: str, now: datetime) -> list[WantedText]:
        """The missing texts of those that one choice of preferences would be shown of an edition, by rank."""
        ids = [ranked.paper.id for ranked in choose(edition.papers, wanted)]
        async with self._store.read() as connection:
            done = await text_queries.settled(connection, ids, model, fingerprint, now)
        keys = [(paper_id, wanted.language, wanted.style) for paper_id in ids]
        return tasks({key: 1 / place for place, key in enumerate(keys, start=1) if key not in done}, [edition])

    async def _refresh(self, now: datetime) -> None:
        """Refresh the cache if it is older than CACHED or there is a new edition."""
        async with self._store.read() as connection:
            ids = tuple([await edition_queries.latest_id(connection, cadence) for cadence in Cadence])
            recent = self._cached_at is not None and self._cached_at <= now < self._cached_at + CACHED
            if recent and ids == self._cached_for:
                return
            newest = [await edition_queries.latest(connection, cadence) for cadence in Cadence]
            fresh = {each.cadence: each for each in newest if each is not None and each.closed_at > now - FRESH}
            choices = await text_queries.wanted_choices(connection) if fresh else ()
        weights: defaultdict[Key, float] = defaultdict(float)
        for chosen in choices:
            edition = fresh.get(chosen.cadence)
            for place, ranked in enumerate(choose(edition.papers, chosen.preferences) if edition else (), start=1):
                weights[ranked.paper.id, chosen.preferences.language, chosen.preferences.style] += (
                    chosen.readers / place
                )
        self._weights, self._newest = dict(weights), list(fresh.values())
        self._cached_for, self._cached_at = ids, now


def tasks(weights: Mapping[Key, float], from_editions: Iterable[Edition]) -> list[WantedText]:
    """The texts of these weights, the heaviest first, without papers that have nothing to write from."""
    known = {ranked.paper.id: ranked.paper for edition in from_editions for ranked in edition.papers}
    made = [
        WantedText(known[paper_id], language, style, weight)
        for (paper_id, language, style), weight in weights.items()
        if _has_enough(known[paper_id])
    ]
    return sorted(made, key=lambda task: (-task.weight, task.paper.id, task.language, task.style))


def _has_enough(paper: Paper) -> bool:
    """Whether the abstract is enough to write from."""
    abstract = paper.abstract.strip()
    return len(abstract.split()) >= LEAST_WORDS and not abstract.casefold().startswith(NO_ABSTRACT)
