"""Commands that show papers: of today, of an edition, of the last days, found by words, or one by its number."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date
from functools import partial

from bot.channel import CommandName, Message, Option, Page, Reply, command_line, edition_line
from bot.channel.command_lines import MINE
from bot.channel.preference import N_
from bot.commands.autocomplete import suggest_days, suggest_papers
from bot.commands.command import Command, MisreadError, Typed, number, understood
from bot.commands.context import Context
from bot.commands.help_command import greeting
from bot.commands.wrong_texts import PaperArguments, parse_paper, report, report_options
from bot.delivery.rendering import texts_for, with_recording
from bot.model import ALL_PAPERS, Cadence, Paper, Preferences, Ranked, Style
from bot.render import typed_values
from bot.render.edition_page import edition_page, list_page, today_page
from bot.render.fit import Fitted, fit, starts
from bot.rules.closing import DAY, rank
from bot.rules.periods import period_of
from bot.rules.preferences import without_filters
from bot.store import edition_queries, paper_queries
from bot.store.search import Search, did_you_mean, paper_id, search

MOST_FOUND = 50
"""Papers that `search` and `top` list at most."""
LONGEST_QUERY = 200
"""Characters of a query that are looked at."""
DAYS, MOST_DAYS = 7, 31
"""Days that `top` looks back, by default and at most."""
SO_FAR = {Cadence.WEEK: 7, Cadence.MONTH: 31}
"""Days to look back while no week or month has been closed yet."""

LineAfter = Callable[[int], str]
"""The line that shows a list from another paper on, given the number of papers to skip."""


@dataclass(frozen=True, slots=True)
class EditionArguments:
    """The edition of the period that `day` is in, None for the latest, without its first `after` papers.

    `mine`: as the reader gets it, in their style and through their filters; otherwise whole.
    """

    day: date | None = None
    after: int = 0
    mine: bool = False


@dataclass(frozen=True, slots=True)
class SearchArguments:
    """Papers that have every word of a query, without the first `after`."""

    query: str
    after: int = 0


@dataclass(frozen=True, slots=True)
class TopArguments:
    """The papers with the most votes of the last `days`, without the first `after`."""

    days: int = DAYS
    after: int = 0


def parse_today(typed: Typed) -> int:
    """The number of papers to skip. Raises MisreadError for anything else."""
    after, rest = typed.after()
    if rest:
        raise MisreadError
    return after


def parse_edition(typed: Typed) -> EditionArguments:
    """A day, a week (`2026-W18`) or a month (`2026-04`); with `mine` behind it as the reader gets it."""
    after, rest = typed.after()
    rest, mine, trailing = rest.rpartition(MINE)
    if not mine or trailing or (rest and not rest.endswith(" ")):
        rest, mine = f"{rest}{mine}{trailing}", ""
    if not rest:
        return EditionArguments(None, after, bool(mine))
    if (period := written_period(rest.strip())) is not None:
        return EditionArguments(period[1], after, bool(mine))
    day = typed_values.day(rest.strip(), typed.latest, typed.w.language)
    return EditionArguments(understood(day), after, bool(mine))


def written_period(argument: str) -> tuple[Cadence, date] | None:
    """The cadence and a day of `2026-W18` or `2026-04`, as weeks and months are written."""
    week = re.fullmatch(r"(\d{4})-[Ww](\d\d)", argument)
    month = re.fullmatch(r"(\d{4})[-/](\d{1,2})", argument)
    try:
        if week:
            return Cadence.WEEK, date.fromisocalendar(int(week[1]), int(week[2]), 7)
        if month:
            return Cadence.MONTH, period_of(Cadence.MONTH, date(int(month[1]), int(month[2]), 1)).first
    except (ValueError, OverflowError):  # no such week or month, or one that ends beyond the calendar
        pass
    return None


def parse_search(typed: Typed) -> SearchArguments:
    """The words of a query."""
    after, rest = typed.after()
    return SearchArguments(understood(rest[:LONGEST_QUERY].strip() or None), after)


def parse_top(typed: Typed) -> TopArguments:
    """A number of days."""
    after, rest = typed.after()
    return TopArguments(number(rest, 1, MOST_DAYS) if rest else DAYS, after)


async def show_today(context: Context, after: int) -> Reply:
    """Show the papers of the current UTC day, closed or not; while there are none, the latest edition."""
    day = context.now.astimezone(UTC).date()
    async with context.store.read() as connection:
        listed = await paper_queries.listed(connection, day, day)
    if not listed:
        reply = await show_edition(Cadence.DAY, context, EditionArguments(after=after))
        says = context.w.gettext("papers.none_today_yet")
        return replace(reply, says=[says, *reply.says]) if reply.page else reply
    wanted = _everything(context)
    texts = await texts_for(context.store, [each.id for each in listed], wanted)
    page = today_page(listed, day, wanted, now=context.now, texts=texts)
    return await _shown(context, page, _paged(CommandName.TODAY), after)


async def show_edition(cadence: Cadence, context: Context, asked: EditionArguments) -> Reply:
    """Show the edition of a period."""
    w, today = context.w, context.now.astimezone(UTC).date()
    if asked.day is not None and asked.day > today:
        return context.reply(w.gettext("papers.day_in_future", day=w.day(asked.day)), ok=False)
    async with context.store.read() as connection:
        if asked.day is None:
            found = await edition_queries.latest(connection, cadence)
        else:
            found = await edition_queries.of_day(connection, cadence, period_of(cadence, asked.day).last)
        latest = await edition_queries.latest_day(connection, Cadence.DAY)
    if found is not None:
        wanted = context.preferences if asked.mine else _everything(context)
        texts = await texts_for(context.store, [ranked.paper.id for ranked in found.papers], wanted)
        line = partial(edition_line, cadence, found.day, mine=asked.mine)
        page, find = edition_page(found, wanted, texts=texts), context.services.find_recording
        if find is not None:
            recording = await find(found.cadence, found.day, wanted.language, wanted.style)
            page = with_recording(page, recording, context.channel)
        return await _shown(context, page, line, asked.after)
    if asked.day is None:
        if cadence in SO_FAR and latest is not None:
            reply = await show_top(context, TopArguments(SO_FAR[cadence], asked.after))
            return replace(reply, says=[w.gettext("papers.period_not_closed"), *reply.says])
        says = w.gettext("papers.no_edition_at_all")
        return context.reply(says, ok=False)
    if cadence is Cadence.DAY and asked.day == today:
        return await show_today(context, asked.after)
    if cadence is Cadence.DAY and (listed := await _list_of(context, asked.day)):
        return await _show_list(context, listed, asked)
    options = [] if latest is None else [Option(w.day(latest), edition_line(Cadence.DAY, latest))]
    if cadence is Cadence.DAY and asked.day.weekday() >= 5:
        says = w.gettext("papers.no_edition_weekend", day=w.day(asked.day))
    else:
        says = w.gettext("papers.no_edition_of_day", day=w.day(asked.day))
    return context.reply(says, options=options, ok=False)


async def _list_of(context: Context, day: date) -> Sequence[Paper]:
    """The papers of a day without an edition, as stored, else as the feed lists them."""
    async with context.store.read() as connection:
        listed = await paper_queries.listed(connection, day, day)
    return listed or await context.services.past_list(day, context.now)


async def _show_list(context: Context, listed: Sequence[Paper], asked: EditionArguments) -> Reply:
    """Show the list of a past day that has no edition."""
    assert asked.day is not None
    wanted = context.preferences if asked.mine else _everything(context)
    texts = await texts_for(context.store, [each.id for each in listed], wanted)
    page = today_page(listed, asked.day, wanted, now=context.now, texts=texts)
    return await _shown(context, page, partial(edition_line, Cadence.DAY, asked.day, mine=asked.mine), asked.after)


async def show_paper(context: Context, asked: PaperArguments) -> Reply:
    """Show all there is to say about one paper. A text that a model wrote has a button to report it as wrong."""
    wanted_id = asked.id
    async with context.store.read() as connection:
        found = await paper_queries.by_ids(connection, [wanted_id])
    w = context.w
    if not found:
        link = f"https://arxiv.org/abs/{wanted_id}"
        says = w.gettext("papers.not_listed", id=wanted_id, link=link)
        return context.reply(says, ok=False)
    wanted = _everything(context)
    if wanted.style in {Style.HEADLINE, Style.BRIEF}:
        wanted = replace(wanted, style=Style.ABSTRACT)
    texts = await texts_for(context.store, [wanted_id], wanted)
    listed = w.gettext("paper.listed_on", day=w.day(found[0].listed_on))
    heading = w.gettext("paper.title_by_id", id=wanted_id)
    page = list_page(heading, listed, _ranked(found), wanted, slug=wanted_id, texts=texts)
    reply = await _shown(context, replace(page, alone=True))
    if asked.wrong is not None:
        return replace(reply, says=[await report(context, asked), *reply.says])
    return replace(reply, options=[*reply.options, *report_options(w, page.blocks[0])])


async def show_found(context: Context, asked: SearchArguments) -> Reply:
    """Show papers that have every word of a query, the best match first; for an arXiv id or a link, that paper."""
    if typed_values.is_greeting(asked.query, context.w.language):
        return greeting(context)
    if (named := paper_id(asked.query)) is not None:
        return await show_paper(context, PaperArguments(named))
    async with context.store.read() as connection:
        matches = await search(connection, Search(asked.query), MOST_FOUND)
        found = await paper_queries.by_ids(connection, matches.ids)
        meant = None if found else await did_you_mean(connection, asked.query)
    w = context.w
    if not found:
        says = w.gettext("search.nothing_found", query=asked.query)
        if meant is None:
            return context.reply(says, ok=False)
        option = Option(w.gettext("search.did_you_mean", query=meant), command_line(CommandName.SEARCH, meant))
        return context.reply(says, options=[option], ok=False)
    heading = w.gettext("search.title", query=asked.query)
    lead = w.ngettext("edition.papers", matches.number)
    wanted = _everything(context)
    texts = await texts_for(context.store, matches.ids, wanted)
    page = list_page(heading, lead, _ranked(found), wanted, slug="search", texts=texts)
    return await _shown(context, page, _paged(CommandName.SEARCH, asked.query), asked.after)


async def show_top(context: Context, asked: TopArguments) -> Reply:
    """Show the papers with the most votes of the last days."""
    last = context.now.astimezone(UTC).date()
    async with context.store.read() as connection:
        listed = await paper_queries.listed(connection, last - (asked.days - 1) * DAY, last)
        begins = await paper_queries.first_day(connection)
    w = context.w
    if not listed:
        return context.reply(w.gettext("papers.none_in_days"), ok=False)
    best = rank(listed)[:MOST_FOUND]
    heading = w.ngettext("papers.top_of_days", asked.days)
    lead = w.ngettext("edition.top_of_papers", len(listed), shown=w.number(len(best)))
    wanted = _everything(context)
    texts = await texts_for(context.store, [each.paper.id for each in best], wanted)
    page = list_page(heading, lead, best, wanted, slug="top", texts=texts)
    reply = await _shown(context, page, _paged(CommandName.TOP, f"{asked.days}"), asked.after)
    if begins is None or begins <= last - (asked.days - 1) * DAY:
        return reply
    return replace(reply, says=[w.gettext("papers.covers_since", day=w.day(begins)), *reply.says])


def _paged(name: str, *arguments: str) -> LineAfter:
    return lambda after: command_line(name, *arguments, after=after)


async def _shown(context: Context, page: Page, line: LineAfter | None = None, after: int = 0) -> Reply:
    """As many papers of a page as fit into one message, without the first `after`."""
    if after >= len(page.blocks):
        return context.reply(context.w.gettext("papers.end_of_list"), ok=False)
    key = page.about.slug if line is None else line(after)
    fitted = await context.services.pages.fitted(
        context.channel.name, page, key, partial(_fitted, context, page, line, after)
    )
    return replace(context.reply(), page=fitted.page, message=fitted.message)


def _fitted(context: Context, page: Page, line: LineAfter | None, after: int) -> Fitted[Message]:
    """The papers behind the first `after`, with the lines that lead to those before and behind them.

    How many fit depends on the papers, so the start of the previous message is found by fitting all from the first.
    """
    channel = context.channel

    def follows(shown: int) -> str | None:
        return None if line is None else line(after + shown)

    begun, is_all = ([0], False) if line is None else starts(page, channel.compose, channel.limits, after)
    earlier = [each for each in begun if each < after]
    rest = replace(
        page,
        blocks=page.blocks[after:],
        paging=replace(
            page.paging,
            previous=line(max(earlier)) if line is not None and earlier else None,
            here=None if line is None else line(after),
            number=1 + len(earlier),
            pages=len(begun) if is_all and after in begun else None,
        ),
    )
    return fit(rest, channel.compose, channel.limits, follows)


def _everything(context: Context) -> Preferences:
    """The reader's style in the requester's language, without filters: who asks for papers wants to see them all."""
    return replace(without_filters(context.preferences), language=context.w.language, papers=ALL_PAPERS)


def _ranked(found: Iterable[Paper]) -> Sequence[Ranked]:
    return [Ranked(place, each, each.votes) for place, each in enumerate(found, start=1)]


COMMANDS = (
    Command(CommandName.TODAY, N_("help.today"), parse_today, show_today),
    Command(
        CommandName.WEEK,
        N_("help.week"),
        parse_edition,
        partial(show_edition, Cadence.WEEK),
        examples=("2026-W18",),
        argument="week",
    ),
    Command(
        CommandName.MONTH,
        N_("help.month"),
        parse_edition,
        partial(show_edition, Cadence.MONTH),
        examples=("2026-04",),
        argument="month",
    ),
    Command(
        CommandName.DATE,
        N_("help.date"),
        parse_edition,
        partial(show_edition, Cadence.DAY),
        examples=("2026-04-29",),
        suggest=suggest_days,
        argument="day",
    ),
    Command(CommandName.TOP, N_("help.top"), parse_top, show_top, examples=("7",), argument="days"),
    Command(CommandName.SEARCH, N_("help.search"), parse_search, show_found, examples=("{wanted}",), argument="words"),
    Command(
        CommandName.PAPER,
        N_("help.paper"),
        parse_paper,
        show_paper,
        examples=("2604.12345",),
        suggest=suggest_papers,
        argument="paper",
    ),
)
