"""A preview of a reader's next edition: the papers listed so far that pass their filters."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from bot.model import Preferences, Style, Subscriber
from bot.render.edition_page import today_page
from bot.render.words import words
from bot.rules.closing import DAY, WINDOW
from bot.rules.periods import period_of
from bot.store import Store, edition_queries, paper_queries
from bot.web.urls import Urls

MOST_SHOWN = 10
"""Papers that the preview names; the rest are counted."""


@dataclass(frozen=True, slots=True)
class PreviewedPaper:
    """One paper of the preview."""

    title: str
    url: str
    votes: str


@dataclass(frozen=True, slots=True)
class ComingEdition:
    """The preview. `lead` says how many of the papers listed so far the filters let through."""

    lead: str
    papers: Sequence[PreviewedPaper]
    more: str = ""
    """How many papers are not named; empty if all are."""


async def coming_edition(store: Store, reader: Subscriber, urls: Urls, now: datetime) -> ComingEdition | None:
    """The preview of a reader's next edition; None while no paper is listed for it.

    It has the papers that are listed so far and that no edition of the reader's cadence holds.
    """
    wanted = reader.preferences
    today = now.astimezone(UTC).date()
    period = period_of(wanted.cadence, today)
    async with store.read() as connection:
        listed = await paper_queries.listed(connection, min(period.first, today - WINDOW + DAY), today)
        held = await edition_queries.held(connection, [each.id for each in listed], wanted.cadence)
    coming = [each for each in listed if each.id not in held]
    if not coming:
        return None
    w = words(wanted.language)
    page = today_page(coming, today, _headlines(wanted), now=now)
    shown = page.blocks[:MOST_SHOWN]
    hidden = len(page.blocks) - len(shown)
    return ComingEdition(
        page.lead,
        [PreviewedPaper(each.title, urls.paper(w.language, each.paper.id), each.votes or "") for each in shown],
        w.ngettext("edition.more_papers", hidden) if hidden else "",
    )


def _headlines(wanted: Preferences) -> Preferences:
    """The same filters in a style that needs no text by a model: only titles are shown."""
    return replace(wanted, style=Style.HEADLINE)
