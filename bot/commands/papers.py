"""Papers to read now: today's, an edition's, one, found, best."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import UTC, date
from functools import partial

from bot.channel import (
    Answer,
    Channel,
    Message,
    Option,
    Page,
    Request,
    Search,
    ShowEdition,
    ShowPaper,
    Today,
    Top,
    written,
)
from bot.commands.context import Context
from bot.delivery.rendering import texts_for
from bot.model import ALL_PAPERS, Cadence, Paper, Preferences, Ranked, Style
from bot.render.edition_page import edition_page, list_page, today_page
from bot.render.fit import Fitted, fit
from bot.rules.closing import DAY, rank
from bot.rules.periods import period_of
from bot.store import Store, edition_queries, paper_queries
from bot.store.search import search

MOST_FOUND = 50
Turn = Callable[[int], Request]
FALLBACK = {Cadence.WEEK: 7, Cadence.MONTH: 31}
"""Days to look at while no week or month has been closed yet."""


async def today(context: Context, request: Today, store: Store, channel: Channel) -> Answer:
    """The papers of the current UTC day, closed or not; none yet: the latest edition, named by its day."""
    day = context.now.astimezone(UTC).date()
    async with store.read() as connection:
        listed = await paper_queries.listed(connection, day, day)
    if not listed:
        answer = await edition(context, ShowEdition(after=request.after), store, channel)
        says = context.w.gettext("No papers are listed for today yet. This is the latest edition.")
        return replace(answer, says=[says, *answer.says]) if answer.page else answer
    wanted = _all(context)
    texts = await texts_for(store, [each.id for each in listed], wanted)
    page = today_page(listed, day, wanted, now=context.now, texts=texts)
    return await _shown(context, page, channel, Today, request.after)


async def edition(context: Context, request: ShowEdition, store: Store, channel: Channel) -> Answer:
    """The edition of a period, all of it."""
    w, cadence = context.w, request.cadence
    today_is = context.now.astimezone(UTC).date()
    if request.day is not None and request.day > today_is:
        return context.told(w.gettext("{day} has not come yet.", day=w.day(request.day)), ok=False)
    async with store.read() as connection:
        if request.day is None:
            found = await edition_queries.latest(connection, cadence)
        else:
            found = await edition_queries.of_day(connection, cadence, period_of(cadence, request.day).last)
        latest = await edition_queries.latest_day(connection, Cadence.DAY)
    if found is not None:
        wanted = context.preferences if request.mine else _all(context)
        texts = await texts_for(store, [ranked.paper.id for ranked in found.papers], wanted)
        page = edition_page(found, wanted, texts=texts)
        turn = partial(ShowEdition, cadence, found.day, mine=request.mine)
        return await _shown(context, page, channel, turn, request.after)
    if request.day is None:
        if cadence in FALLBACK and latest is not None:
            answer = await top(context, Top(FALLBACK[cadence], request.after), store, channel)
            return replace(answer, says=[w.gettext("No such period has been closed yet."), *answer.says])
        return context.told(w.gettext("There is no edition yet. The first one is closed this evening (UTC)."), ok=False)
    if cadence is Cadence.DAY and request.day == today_is:
        return await today(context, Today(request.after), store, channel)
    options = [] if latest is None else [Option(w.day(latest), ShowEdition(Cadence.DAY, latest))]
    return context.told(_no_edition(context, request.day, cadence), options=options, ok=False)


def _no_edition(context: Context, day: date, cadence: Cadence) -> str:
    w = context.w
    if cadence is Cadence.DAY and day.weekday() >= 5:
        return w.gettext("There is no edition of {day}: no papers are listed on weekends.", day=w.day(day))
    return w.gettext("There is no edition of {day} here.", day=w.day(day))


async def paper(context: Context, request: ShowPaper, store: Store, channel: Channel) -> Answer:
    """All there is to say about one paper."""
    async with store.read() as connection:
        found = await paper_queries.by_ids(connection, [request.id])
    if not found:
        link = f"https://arxiv.org/abs/{request.id}"
        says = context.w.gettext(
            "The paper {id} has not been in the list. It may be here: {link}", id=request.id, link=link
        )
        return context.told(says, ok=False)
    wanted = _all(context)
    if wanted.style is Style.HEADLINE:
        wanted = replace(wanted, style=Style.ABSTRACT)
    texts = await texts_for(store, [request.id], wanted)
    listed = context.w.gettext("Listed on {day}", day=context.w.day(found[0].listed_on))
    heading = context.w.gettext("Paper {id}", id=request.id)
    page = list_page(heading, listed, _ranked(found), wanted, slug=request.id, texts=texts)
    return await _shown(context, replace(page, alone=True), channel)


async def find(context: Context, request: Search, store: Store, channel: Channel) -> Answer:
    """Papers that have every word of a query, the best first."""
    async with store.read() as connection:
        ids = await search(connection, request.query, MOST_FOUND)
        found = await paper_queries.by_ids(connection, ids)
    w = context.w
    if not found:
        return context.told(w.gettext("Nothing was found for “{query}”.", query=request.query), ok=False)
    lead = w.ngettext("{n} paper", "{n} papers", len(found))
    heading = w.gettext("Search: {query}", query=request.query)
    wanted = _all(context)
    texts = await texts_for(store, ids, wanted)
    page = list_page(heading, lead, _ranked(found), wanted, slug="search", texts=texts)
    return await _shown(context, page, channel, partial(Search, request.query), request.after)


async def top(context: Context, request: Top, store: Store, channel: Channel) -> Answer:
    """The papers with the most votes of the last days."""
    last = context.now.astimezone(UTC).date()
    async with store.read() as connection:
        listed = await paper_queries.listed(connection, last - (request.days - 1) * DAY, last)
    w = context.w
    if not listed:
        return context.told(w.gettext("No papers have been listed in these days."), ok=False)
    best = rank(listed)[:MOST_FOUND]
    heading = w.ngettext("Most votes of the last {n} day", "Most votes of the last {n} days", request.days)
    lead = w.ngettext("Top {shown} of {n} paper", "Top {shown} of {n} papers", len(listed), shown=w.number(len(best)))
    wanted = _all(context)
    texts = await texts_for(store, [each.paper.id for each in best], wanted)
    page = list_page(heading, lead, best, wanted, slug="top", texts=texts)
    return await _shown(context, page, channel, partial(Top, request.days), request.after)


async def _shown(context: Context, page: Page, channel: Channel, turn: Turn | None = None, after: int = 0) -> Answer:
    """A page from the paper `after` so many, as far as it fits; `turn` asks for it from another paper on."""
    if after >= len(page.blocks):
        return context.told(context.w.gettext("That was all."), ok=False)
    asked = page.slug if turn is None else written(turn(after))
    fitted = await context.fittings.fitted(channel.name, page, asked, partial(_fitted, page, channel, turn, after))
    return replace(context.told(), page=fitted.page, message=fitted.message)


def _fitted(page: Page, channel: Channel, turn: Turn | None, after: int) -> Fitted[Message]:
    """The papers after so many, with the way to those before and behind them.

    Where the page before begins is found by leafing to here from the first: how much fits depends on the papers.
    """

    def follows(shown: int) -> str | None:
        return None if turn is None else written(turn(begins + shown))

    before, begins = 0, 0
    while turn is not None and begins < after:
        rest = replace(page, blocks=page.blocks[begins:])
        before, begins = begins, begins + max(1, fit(rest, channel.compose, channel.limits, follows).shown)
    begins = after
    previous = written(turn(before)) if turn is not None and after else None
    rest = replace(page, blocks=page.blocks[after:], previous=previous)
    return fit(rest, channel.compose, channel.limits, follows)


def _all(context: Context) -> Preferences:
    """Every paper, in the asker's language and the reader's style: whoever asks wants to see what there is."""
    return replace(context.preferences, language=context.w.language, papers=ALL_PAPERS, min_votes=0, topics=())


def _ranked(found: Iterable[Paper]) -> Sequence[Ranked]:
    return [Ranked(place, each, each.votes) for place, each in enumerate(found, start=1)]
