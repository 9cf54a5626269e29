"""Drawing tasks for the pictures of an edition in one language, from stored data. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path

from bot.channel import Block, Direction
from bot.media.keyword_words import NO_NAMES, NamesByFold
from bot.media.picture_specs import Bar, Card, Cloud, Entry, Poster, Task, Trend, Word
from bot.model import Cadence, Edition, Preferences, Style
from bot.render.branding import branding
from bot.render.edition_page import Texts, edition_page, edition_title, period_name
from bot.render.keyword_names import aliases, keyword_name
from bot.render.words import Words, words
from bot.rules.keyword_weights import Keyword, weigh
from bot.rules.periods import period_of
from bot.rules.trend import AVERAGED, by_day, by_month, scale

WORDS = 50
"""Words of a cloud."""
FEWEST_WORDS = 8
"""Words below which there is no cloud."""
MOST_NEW = 12
"""Words of a cloud that are drawn as new, the heaviest ones: most keywords of a day are."""
ON_POSTER, ON_CARD = 10, 3
"""Papers of a poster and of a card."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """Stored papers of other days, which an edition is compared with."""

    before: Sequence[Sequence[str]]
    """The keywords of each paper of the 30 days before the edition's period."""
    counts: Mapping[date, int]
    """How many papers each day had, up to the edition's last day."""
    begins: date | None
    """The first day of which there are papers."""
    photo: Path | None = None
    """The file of the first paper's thumbnail."""
    thumbnails: Mapping[str, Path] = field(default_factory=dict)
    """The files of other papers' thumbnails that are there, by arXiv id."""


def keywords(edition: Edition, around: Surroundings) -> list[Keyword]:
    """The keywords of an edition's cloud, the heaviest first; none where there are too few."""
    papers = [(ranked.paper.keywords, ranked.votes) for ranked in edition.papers]
    found = weigh(papers, around.before, most=WORDS, aliases=aliases())
    return found if len(found) >= FEWEST_WORDS else []


def tasks(
    edition: Edition,
    language: str,
    around: Surroundings,
    weighed: Sequence[Keyword],
    texts: Texts,
    *,
    names: NamesByFold = NO_NAMES,
) -> list[Task]:
    """The pictures of an edition in one language, and of a day's first papers the cards of their own.

    One that would show nothing is left out.

    Args:
        edition: the edition.
        language: a tag that there is a catalogue for.
        around: what the edition is compared with.
        weighed: its `keywords`.
        texts: what a model has written about its papers in that language.
        names: words that a model found for keywords of which our tables know none.
    """
    w = words(language)
    rtl = w.direction is Direction.RTL
    style = Style.TRANSLATION if texts else Style.HEADLINE
    page = edition_page(edition, Preferences(language=language, style=style, papers=ON_POSTER), texts=texts)
    title, period = edition_title(w, edition.cadence), period_name(w, edition.cadence, edition.day)
    entries = [_entry(block, w, rtl=rtl) for block in page.blocks]
    product = page.labels["product"]
    found = []
    if weighed:
        found.append(Task("keywords", _cloud(weighed, language, names), language, rtl))
    if (trend := _trend(edition, around, w)) is not None:
        found.append(Task("trend", trend, language, rtl))
    if entries:
        poster = Poster(product, title, period, page.lead, entries, page.footer[-1], around.photo)
        card = Card(product, title, period, entries[:ON_CARD], around.photo)
        found += [Task("poster", poster, language, rtl), Task("card", card, language, rtl)]
    if edition.cadence is Cadence.DAY:
        for block in page.blocks:
            by = " · ".join(part for part in (block.votes, block.organisation or block.authors) if part)
            photo = around.photo if block is page.blocks[0] else around.thumbnails.get(block.paper.id)
            about = Card(product, block.title, by, (), photo, is_latin=rtl and block.original_title is None)
            found.append(Task("card", about, language, rtl, block.paper.id))
    return [replace(task, accent=branding.accent) for task in found]


def _cloud(weighed: Sequence[Keyword], language: str, names: NamesByFold) -> Cloud:
    """A word for each name: keywords that have the same one in a language add up, and are new if all of them are."""
    same: dict[str, Word] = {}
    for each in weighed:
        name = keyword_name(each.folded, names.get(each.folded, each.text), language)
        there = same.get(name.casefold(), Word(name, 0.0, is_new=True))
        same[name.casefold()] = Word(there.text, there.weight + each.weight, there.is_new and each.is_new)
    shown, new = [], 0
    heaviest = max((word.weight for word in same.values()), default=1.0)
    for word in sorted(same.values(), key=lambda word: -word.weight):  # stable
        new += word.is_new
        shown.append(Word(word.text, word.weight / heaviest, word.is_new and new <= MOST_NEW))
    return Cloud(shown)


def _trend(edition: Edition, around: Surroundings, w: Words) -> Trend | None:
    """The last months for an edition of a month, where enough are known, else the last days."""
    if edition.cadence is Cadence.MONTH and (months := by_month(around.counts, around.begins, edition.day)):
        bars = [Bar(w.short_month(day), papers, w.number(papers)) for day, papers in months]
        bars[-1] = Bar(bars[-1].name, bars[-1].papers, bars[-1].written, is_marked=True)
        return Trend(w.gettext("picture.papers_a_month"), bars, numbers=_numbers(bars, w))
    shown, mean = by_day(around.counts, around.begins, edition.day)
    if not shown:
        return None
    marked = period_of(edition.cadence, edition.day)
    bars = [
        Bar(w.day_of_month(day), papers, w.number(papers or 0), is_marked=marked.first <= day <= marked.last)
        for day, papers in shown
    ]
    legend = w.gettext("picture.mean_of_days", n=w.number(AVERAGED))
    return Trend(w.gettext("picture.papers_a_day"), bars, mean, legend, _numbers(bars, w))


def _numbers(bars: Sequence[Bar], w: Words) -> list[tuple[int, str]]:
    return [(number, w.number(number)) for number in (0, *scale(max(bar.papers or 0 for bar in bars)))]


def _entry(block: Block, w: Words, *, rtl: bool) -> Entry:
    by = " · ".join(part for part in (block.votes, block.organisation) if part)
    return Entry(w.number(block.rank), block.title, by, is_latin=rtl and block.original_title is None)
