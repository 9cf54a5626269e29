"""Parts of a paper's page beside its texts: related papers, neighbours in the edition, citation, share links."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.channel import Link
from bot.model import Paper
from bot.render.words import Words
from bot.runtime.latex import plain_math
from bot.runtime.recent import Recent
from bot.runtime.text import one_line
from bot.store import DatabaseFault, NoConnectionError, Store, archive, paper_queries, search
from bot.web.pages import citations
from bot.web.pages.layout import Neighbours
from bot.web.pages.search_gate import BusyError, SearchGate
from bot.web.pages.share import share_links
from bot.web.urls import TopicKind, Urls

log = logging.getLogger(__name__)

MOST_RELATED = 6
"""Related papers on a page."""
AT_ONCE = 2
"""Pages whose related papers are looked for at the same time."""
MOST_WAITING = 20
"""Pages that may wait for that; others are shown without."""
MOST_LINKED = 20
"""Authors whose pages a paper's page links to."""
LONGEST_LOOK = 3.0
"""Seconds that a page waits for its related papers."""
REMEMBERED = 5_000
"""Papers whose related papers are kept in memory."""
LOOK_AGAIN = timedelta(hours=12)
"""Time for which they are kept; new papers come once a day."""


@dataclass(frozen=True, slots=True)
class RelatedPaper:
    """A link to another paper, and when that was listed."""

    title: str
    url: str
    listed_on: str


@dataclass(frozen=True, slots=True)
class PaperParts:
    """These parts of one page. `cite` links to files; `others` are authors that have no link, since they are many."""

    organisation: Link | None
    authors: Sequence[Link]
    others: Sequence[str]
    related: Sequence[RelatedPaper]
    bibtex: str
    cite: Sequence[Link]
    share: Sequence[Link]
    neighbours: Neighbours


class PaperPartsMaker:
    """Finds these parts for any paper."""

    def __init__(self, store: Store, urls: Urls) -> None:
        self._store = store
        self._urls = urls
        self._gate = SearchGate(AT_ONCE, MOST_WAITING)
        self._related: Recent[str, tuple[datetime, Sequence[str]]] = Recent(REMEMBERED)

    async def of(self, w: Words, paper: Paper, now: datetime) -> PaperParts:
        """The parts of a paper's page in a language."""
        urls, ids = self._urls, await self._ids(paper, now)
        async with self._store.read() as connection:
            papers = await paper_queries.by_ids(connection, ids)
            before, after = await archive.beside(connection, paper.id)

        def link(found: tuple[str, str] | None) -> Link | None:
            return None if found is None else Link(_plain(found[1]), urls.paper(w.language, found[0]))

        authors = [name for each in paper.authors if (name := one_line(each))]
        organisation = one_line(paper.organisation or "")
        return PaperParts(
            organisation=self._topic(w, organisation, TopicKind.ORGANISATION) if organisation else None,
            authors=[self._topic(w, each, TopicKind.AUTHOR) for each in authors[:MOST_LINKED]],
            others=authors[MOST_LINKED:],
            related=[
                RelatedPaper(_plain(each.title), urls.paper(w.language, each.id), w.short_day(each.listed_on))
                for each in papers
            ],
            bibtex=citations.bibtex(paper),
            cite=[
                Link("BibTeX (.bib)", urls.citation(paper.id, citations.BIBTEX)),
                Link("RIS (.ris)", urls.citation(paper.id, citations.RIS)),
            ],
            share=share_links(w, _plain(paper.title), urls.whole(urls.paper(w.language, paper.id))),
            neighbours=Neighbours(link(before), link(after)),
        )

    def _topic(self, w: Words, name: str, kind: TopicKind) -> Link:
        return Link(name, self._urls.topic(w.language, name, kind))

    async def _ids(self, paper: Paper, now: datetime) -> Sequence[str]:
        """The ids of related papers; none for now while too many are looked for, or if it takes too long."""
        known = self._related.get(paper.id)
        if known is not None and known[0] <= now < known[0] + LOOK_AGAIN:
            return known[1]
        try:
            async with asyncio.timeout(LONGEST_LOOK), self._gate.turn(), self._store.read() as connection:
                found = await search.related(connection, paper, MOST_RELATED)
        except (BusyError, DatabaseFault, NoConnectionError, TimeoutError) as error:
            log.warning("page goes without related papers", extra={"reason": type(error).__name__})
            return []
        return self._related.put(paper.id, (now, found))[1]


def _plain(title: str) -> str:
    return one_line(plain_math(title))
