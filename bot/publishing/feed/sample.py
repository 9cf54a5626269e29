"""The built-in sample edition, shown on a first start while the feed cannot be reached.

Papers, authors and votes are those of the list of 29 April 2026; the sentences were written for this program. They
are in templates/sample.json, in the form of the feed.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime

from bot.model import Cadence, Edition, Ranked
from bot.publishing.feed.huggingface import parse
from bot.render import folder

DAY = date(2026, 4, 29)


def edition() -> Edition:
    """Five papers of one real day, marked as a sample."""
    parsed = parse((folder() / "sample.json").read_bytes(), DAY)
    papers = [replace(paper, abstract=paper.sentence or "") for paper in parsed]
    ranked = tuple(Ranked(place, paper, paper.votes) for place, paper in enumerate(papers, start=1))
    return Edition(Cadence.DAY, DAY, datetime(2026, 4, 29, 22, tzinfo=UTC), ranked, sample=True)
