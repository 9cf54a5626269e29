"""Makes pages from editions and a reader's preferences: which papers, and what is said, before any markup.

Pure except for reading catalogues. Text from outside is cleaned here, once for all channels: no control characters, no
direction overrides, no links other than http.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from types import MappingProxyType
from urllib.parse import urlsplit

from bot.channel import NOTICE, About, Block, Link, Page, Paging, Said
from bot.model import ALL_PAPERS, Cadence, Edition, Paper, Preferences, Ranked, Source, Style, Text
from bot.render import brief
from bot.render.attribution import NOTHING_WRITTEN, outcome, say
from bot.render.labels import footer, labels, plain_page
from bot.render.styles import SHOWN_IN
from bot.render.words import Words, words
from bot.rules.closing import rank
from bot.rules.topics import TopicFilter
from bot.runtime.latex import plain_math
from bot.runtime.text import one_line, visible

Texts = Mapping[str, Mapping[Style, Text]]
"""The model's texts in one language, by arXiv id and style."""
NO_TEXTS: Texts = MappingProxyType({})

MOST_MISSED = 3
"""Missed editions that are named, the newest ones."""
NAMES = 3
"""Authors that are named; the rest are counted."""

_FILLED = ((0, 0.0), (1, 0.25), (4, 0.54), (8, 0.70), (13, 0.84), (16, 0.90), (23, 0.97), (24, 1.0))
"""The share of a day's list that is usually there at an hour (UTC), measured over many days of the feed."""

_ALPHAXIV = {"ko": "ko/", "ja": "ja/", "zh-Hans": "zh/", "zh-Hant": "zh/"}
"""The languages of alphaXiv's overviews beside English, as in its URLs."""


def edition_page(
    edition: Edition, preferences: Preferences, *, missed: Sequence[date] = (), texts: Texts = NO_TEXTS
) -> Page:
    """The page of an edition for a reader with these preferences.

    `missed` are the days of editions that expired before this one, `texts` the model's in the reader's language.
    """
    w = words(preferences.language)
    chosen = choose(edition.papers, preferences)
    counted = _counts_votes(edition.papers)
    counted_at = votes_counted_at(edition, preferences)
    blocks = _with_outcome([block(ranked, preferences.style, w, texts) for ranked in chosen])
    return Page(
        language=w.language,
        direction=w.direction,
        heading=heading(w, edition.cadence, edition.day),
        lead=_lead(w, preferences, chosen, edition.papers),
        blocks=blocks,
        labels=labels(w, preferences.style),
        notes=_warnings(w, edition),
        actions=[_missed(w, edition.cadence, day) for day in missed[-MOST_MISSED:]],
        footer=footer(
            w, preferences.style, _sources(blocks), counted=counted, sample=edition.sample, counted_at=counted_at
        ),
        about=About(
            "sample" if edition.sample else slug(edition.cadence, edition.day),
            edition.day,
            edition.cadence,
            edition.closed_at,
            counted_at,
            preferences.style,
            len(edition.papers),
        ),
        paging=Paging(most=_most(preferences.style)),
    )


def votes_counted_at(edition: Edition, preferences: Preferences) -> str:
    """When an edition's votes were counted, in the reader's time zone and language; empty where none were.

    Readers for whom this differs do not share a rendering.
    """
    if edition.sample or not _counts_votes(edition.papers):
        return ""
    return words(preferences.language).moment(edition.closed_at, preferences.timezone)


def today_page(
    papers: Iterable[Paper], day: date, preferences: Preferences, *, now: datetime, texts: Texts = NO_TEXTS
) -> Page:
    """The page of a day's list as it is now, closed or not, with a note on how complete it is."""
    w = words(preferences.language)
    ranked = rank(papers)
    chosen = choose(ranked, preferences)
    share = filled(day, now)
    title = w.gettext("edition.daily") if share == 1 else w.gettext("edition.so_far")
    blocks = _with_outcome([block(each, preferences.style, w, texts) for each in chosen])
    return Page(
        language=w.language,
        direction=w.direction,
        heading=w.gettext("edition.heading", title=title, date=w.day(day)),
        lead=_lead(w, preferences, chosen, ranked),
        blocks=blocks,
        labels=labels(w, preferences.style),
        notes=[] if share == 1 else [_still_filling(w, share, now)],
        footer=footer(w, preferences.style, _sources(blocks), counted=_counts_votes(ranked), sample=False),
        about=About(f"{day}-list", style=preferences.style),
        paging=Paging(most=_most(preferences.style)),
    )


def list_page(
    heading: str, lead: str, papers: Sequence[Ranked], preferences: Preferences, *, slug: str, texts: Texts = NO_TEXTS
) -> Page:
    """The page of papers that are no edition: search results, top papers, or a single paper."""
    w = words(preferences.language)
    blocks = [block(each, preferences.style, w, texts) for each in papers]
    return Page(
        language=w.language,
        direction=w.direction,
        heading=one_line(heading),
        lead=lead,
        blocks=blocks,
        labels=labels(w, preferences.style),
        footer=footer(w, preferences.style, _sources(blocks), counted=_counts_votes(papers), sample=False),
        about=About(slug),
    )


def barren_page(count: int, preferences: Preferences, now: datetime) -> Page:
    """The notice for a reader whose filters have let nothing through for `count` editions."""
    w = words(preferences.language)
    return notice_page(w.ngettext("edition.filters_left_nothing", count), w, now)


def notice_page(says: str, w: Words, now: datetime) -> Page:
    """The page of a notice: one line, to a reader or an operator."""
    return plain_page(w, w.gettext("newsletter.name"), one_line(says), slug=f"{NOTICE}{now:%Y%m%dT%H%M%S}")


def choose(papers: Sequence[Ranked], preferences: Preferences) -> list[Ranked]:
    """The papers that pass a reader's filters, with their ranks in the edition. Unknown votes pass."""
    topic_filter = TopicFilter(preferences.topics)
    wanted = [
        each
        for each in papers
        if (each.votes is None or each.votes >= preferences.min_votes) and topic_filter.lets_through(each.paper)
    ]
    return wanted[: preferences.papers] if preferences.papers else wanted


def block(ranked: Ranked, style: Style, w: Words, texts: Texts = NO_TEXTS) -> Block:
    """All that a page says about one paper in one language and style."""
    paper = ranked.paper
    written = texts.get(paper.id, NOTHING_WRITTEN)
    said = _cleaned(say(paper, style, written))
    if said.source is Source.MODEL:
        own = Style(said.style)
        said = replace(said, byline=_byline(written[SHOWN_IN.get(own, own)], w))
    title = one_line(plain_math(paper.title)) or paper.id
    translated = said.parts.get("title")
    return Block(
        rank=ranked.rank,
        paper=paper,
        title=translated or title,
        votes=None if ranked.votes is None else w.ngettext("paper.votes", ranked.votes),
        votes_count=ranked.votes,
        organisation=one_line(paper.organisation or "") or None,
        authors=_authors(paper.authors, w),
        said=said,
        links=_links(paper, w),
        original_title=title if translated else None,
        abstract=one_line(plain_math(paper.abstract)),
    )


def _with_outcome(blocks: list[Block]) -> list[Block]:
    """The blocks, the first one with what came of its paper if its text is a single sentence."""
    if blocks and blocks[0].said.style == Style.HEADLINE:
        first = blocks[0]
        blocks[0] = replace(first, outcome=one_line(outcome(first.paper, first.said)))
    return blocks


def _byline(text: Text, w: Words) -> str:
    """Which model wrote a text, and on which day (UTC); empty if that is not known."""
    model = one_line(text.model)
    if not model or text.written_at is None:
        return ""
    return w.gettext("source.model_and_day", model=model, day=w.short_day(text.written_at.astimezone(UTC).date()))


def _sources(blocks: Sequence[Block]) -> set[Source]:
    return {each.said.source for each in blocks}


def filled(day: date, now: datetime) -> float:
    """The share of a day's list that is usually there by now, from 0.0 to 1.0."""
    hours = (now - datetime.combine(day, time(), UTC)) / timedelta(hours=1)
    for (early, less), (late, more) in pairwise(_FILLED):
        if hours < late:
            return less + (more - less) * max(0.0, hours - early) / (late - early)
    return 1.0


def _cleaned(said: Said) -> Said:
    return replace(said, parts={name: one_line(plain_math(text)) for name, text in said.parts.items()})


def _authors(names: Sequence[str], w: Words) -> str | None:
    known = [each for name in names if (each := one_line(name))]
    if not known:
        return None
    listed = w.names(known[:NAMES])
    return listed if len(known) <= NAMES else f"{listed} +{w.number(len(known) - NAMES)}"


def _links(paper: Paper, w: Words) -> list[Link]:
    discussion = w.gettext("paper.link_discussion")
    if paper.comments:
        discussion = w.gettext("paper.link_discussion_count", n=w.number(paper.comments))
    overview = f"https://www.alphaxiv.org/{_ALPHAXIV.get(w.language, '')}overview/{paper.id}"
    offered = [
        ("arXiv", paper.arxiv),
        ("PDF", paper.pdf),
        (w.gettext("paper.link_code"), paper.code),
        (w.gettext("paper.link_project"), paper.project),
        (discussion, paper.page),
        ("alphaXiv", overview),
    ]
    return [Link(label, url) for label, url in offered if url and _leads_to_the_web(url)]


def _leads_to_the_web(url: str) -> bool:
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    plain = visible(url) == url and len(url.split()) == 1
    return plain and parts.scheme in {"http", "https"} and bool(parts.hostname)


def heading(w: Words, cadence: Cadence, day: date) -> str:
    """The heading of an edition: its cadence and its period."""
    return w.gettext("edition.heading", title=edition_title(w, cadence), date=period_name(w, cadence, day))


def edition_title(w: Words, cadence: Cadence) -> str:
    """The title of editions of a cadence: "Daily papers"."""
    return {
        Cadence.DAY: w.gettext("edition.daily"),
        Cadence.WEEK: w.gettext("edition.weekly"),
        Cadence.MONTH: w.gettext("edition.monthly"),
    }[cadence]


def period_name(w: Words, cadence: Cadence, day: date) -> str:
    """The period of an edition: "Wednesday, 29 April 2026"."""
    match cadence:
        case Cadence.DAY:
            return w.day(day)
        case Cadence.WEEK:
            return w.span(day - timedelta(days=day.weekday()), day)
        case Cadence.MONTH:
            return w.month(day)


def _missed(w: Words, cadence: Cadence, day: date) -> Link:
    """A link to the list of a missed edition."""
    place = {Cadence.DAY: "date", Cadence.WEEK: "week", Cadence.MONTH: "month"}[cadence]
    label = w.gettext("edition.missed", date=period_name(w, cadence, day))
    return Link(label, f"https://huggingface.co/papers/{place}/{slug(cadence, day)}")


def slug(cadence: Cadence, day: date) -> str:
    """The name of an edition in file names and URLs: 2026-04-29, 2026-W18, 2026-04."""
    match cadence:
        case Cadence.DAY:
            return f"{day}"
        case Cadence.WEEK:
            return f"{day:%G-W%V}"
        case Cadence.MONTH:
            return f"{day:%Y-%m}"


def _lead(w: Words, preferences: Preferences, chosen: Sequence[Ranked], papers: Sequence[Ranked]) -> str:
    """How many of the papers there are; in the style `brief` what all are about that pass the reader's filters."""
    if preferences.style is Style.BRIEF:
        passing = choose(papers, replace(preferences, papers=ALL_PAPERS))
        if named := brief.themes([each.paper for each in passing]):
            return w.gettext("edition.themes", themes=w.listed(named))
    return _count(w, chosen, papers, preferences.min_votes)


def _most(style: Style) -> int | None:
    return brief.PAPERS if style is Style.BRIEF else None


def _count(w: Words, chosen: Sequence[Ranked], papers: Sequence[Ranked], min_votes: int) -> str:
    shown, total = len(chosen), len(papers)
    if shown == total:
        return w.ngettext("edition.papers", total)
    if shown == 0:
        return w.ngettext("edition.none_with_votes", min_votes, papers=w.number(total))
    if chosen[-1] is papers[shown - 1]:
        return w.ngettext("edition.top_of_papers", total, shown=w.number(shown))
    return w.ngettext("edition.some_of_papers", total, shown=w.number(shown))


def _warnings(w: Words, edition: Edition) -> list[str]:
    warnings = []
    if edition.sample:
        warnings.append(w.gettext("edition.sample_note"))
    if not edition.complete:
        warnings.append(w.gettext("edition.incomplete_note"))
    return warnings


def _still_filling(w: Words, share: float, now: datetime) -> str:
    return w.gettext("edition.so_far_note", moment=w.moment(now), share=w.percent(share))


def _counts_votes(papers: Sequence[Ranked]) -> bool:
    return any(each.votes is not None for each in papers)
