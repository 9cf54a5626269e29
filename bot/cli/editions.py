"""Commands that show: `papers today`, `papers editions`, `papers preview`."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Annotated

import typer

from bot.cli.open_store import stored
from bot.cli.startup import DONE, FAILED, WRONG, a_day, execute, opened

if TYPE_CHECKING:  # see bot.cli.startup
    from bot.channel import Page
    from bot.model import Edition, Paper, Preferences
    from bot.store.edition_report import Report

Day = Annotated[str | None, typer.Option("--date", metavar="YYYY-MM-DD", help="That day (UTC).")]
Language = Annotated[str | None, typer.Option(metavar="TAG", help="In this language, such as ko.")]
Json = Annotated[bool, typer.Option("--json", help="For scripts.")]


def today(
    date: Day = None,
    top: Annotated[int, typer.Option(min=0, metavar="N", help="The first N papers; 0 for all.")] = 0,
    language: Language = None,
    json: Json = False,
) -> None:
    """Show the list of today as it stands, or of another day."""
    execute(_today(a_day(date), top, language, json))


async def _today(day: date | None, top: int, language: str | None, json: bool) -> int:
    from bot.cli.console import as_json, complain, say
    from bot.model import Cadence, Preferences
    from bot.publishing.feed import FeedError
    from bot.render.edition_page import choose, today_page
    from bot.render.words import catalogues, match
    from bot.rules.closing import rank
    from bot.runtime.supervisor import clock
    from bot.store import edition_queries, paper_queries

    now = clock()
    wanted_day = day or now.date()
    if wanted_day > now.date():
        complain(f"{wanted_day} has not begun yet (UTC).")
        return WRONG
    async with opened(only="outbox") as app:
        fault = None
        try:
            found = await app.feed.poll([wanted_day], now=now)
            async with app.store.write() as connection:
                await paper_queries.keep(connection, found)
        except FeedError as error:
            fault = str(error)
        async with app.store.read() as connection:
            listed = await paper_queries.listed(connection, wanted_day, wanted_day)
            edition = None if listed or day else await edition_queries.latest(connection, Cadence.DAY)
        wanted = Preferences(language=match(language, app.settings.default_language, catalogues()), papers=top)
        if fault:
            complain(f"The feed could not be read, so this is what was stored: {fault}.")
        if edition is not None:
            listed, wanted_day = [ranked.paper for ranked in edition.papers], edition.day
        if json:
            shown = [ranked.paper for ranked in choose(rank(listed), wanted)]
            as_json([_as_row(paper) for paper in shown])
            return FAILED if fault else DONE
        if not listed:
            say(f"No papers are listed for {wanted_day} (weekend days have none).")
            return FAILED if fault else DONE
        page = _edition_page(edition, wanted) if edition else today_page(listed, wanted_day, wanted, now=now)
        say(app.channels[0].compose(page).parts()["text"])
        return FAILED if fault else DONE


def list_editions(date: Day = None, json: Json = False) -> None:
    """Show per edition and channel how many it was for, what became of each, and how long it took."""
    execute(_editions(a_day(date), json))


async def _editions(day: date | None, json: bool) -> int:
    from bot.cli.console import as_json, say, table
    from bot.store.edition_report import SHARES, reports

    async with stored() as store, store.read() as connection:
        found = await reports(connection, day=day)
    if json:
        as_json([_as_report(report) for report in found])
        return DONE if all(report.adds_up for report in found) else FAILED
    if not found:
        say("No edition has been closed yet." if day is None else f"There is no edition of {day}.")
        return DONE
    rows = []
    for report in found:
        lines = report.channels.items() or [("–", None)]
        for channel, reach in lines:
            became = ", ".join(f"{count} {state}" for state, count in reach.states.items()) if reach else "no audience"
            times = [_length(reach.seconds[share]) if reach and share in reach.seconds else "" for share in SHARES]
            marks = [] if report.complete else ["from what was stored"]
            marks += [] if report.adds_up else ["DOES NOT ADD UP"]
            counts = [str(report.papers), str(report.audience)]
            rows.append([str(report.day), report.cadence, *counts, channel, became, *times, ", ".join(marks)])
    columns = ["day", "cadence", "papers", "audience", "channel", "became", *(f"{share} %" for share in SHARES), ""]
    table(columns, rows)
    return DONE if all(report.adds_up for report in found) else FAILED


def preview(
    channel: Annotated[str, typer.Option(metavar="NAME", help="As this channel would send it.")],
    date: Day = None,
    language: Language = None,
    style: Annotated[str, typer.Option(help="Such as headline, abstract or highlights.")] = "headline",
    top: Annotated[int, typer.Option(min=0, metavar="N", help="The first N papers; 0 for all.")] = 10,
    part: Annotated[
        str | None, typer.Option(metavar="NAME", help="Only this part of the message, such as html.")
    ] = None,
) -> None:
    """Show exactly what would be sent, and send nothing."""
    execute(_preview(channel, a_day(date), language, style, top, part))


async def _preview(channel: str, day: date | None, language: str | None, style: str, top: int, part: str | None) -> int:
    from bot.cli.console import complain, say
    from bot.delivery.rendering import compose, texts_for
    from bot.model import Cadence, Preferences, Style
    from bot.render.words import catalogues, match
    from bot.store import edition_queries

    if style not in set(Style):
        complain(f"There is no style {style}; there are: {', '.join(Style)}.")
        return WRONG
    async with opened(only=channel) as app:
        async with app.store.read() as connection:
            find = (
                edition_queries.latest(connection, Cadence.DAY)
                if day is None
                else edition_queries.of_day(connection, Cadence.DAY, day)
            )
            edition = await find
        if edition is None:
            complain(f"There is no edition{f' of {day}' if day else ' yet'}; `papers publish` closes one.")
            return FAILED
        wanted = Preferences(
            language=match(language, app.settings.default_language, catalogues()), style=Style(style), papers=top
        )
        written = await texts_for(app.store, [ranked.paper.id for ranked in edition.papers], wanted)
        message = compose(edition, wanted, app.channels[0], texts=written)
        parts = message.parts() if message else {}
        if part is not None and part not in parts:
            complain(f"The message has no part {part}; it has: {', '.join(parts)}.")
            return WRONG
        for name, content in parts.items():
            if part is None and len(parts) > 1:
                say(f"--- {name} ---")
            if part in (None, name):
                say(content)
    return DONE


def _edition_page(edition: Edition, wanted: Preferences) -> Page:
    from bot.render.edition_page import edition_page

    return edition_page(edition, wanted)


def _as_row(paper: Paper) -> dict[str, object]:
    return {
        "id": paper.id,
        "title": paper.title,
        "votes": paper.votes,
        "organisation": paper.organisation,
        "sentence": paper.sentence,
        "authors": paper.authors,
        "listed_on": paper.listed_on,
        "arxiv": paper.arxiv,
        "code": paper.code,
        "project": paper.project,
    }


def _as_report(report: Report) -> dict[str, object]:
    from bot.model import State

    return {
        "cadence": report.cadence,
        "day": report.day,
        "closed_at": report.closed_at.isoformat(),
        "complete": report.complete,
        "papers": report.papers,
        "audience": report.audience,
        "adds_up": report.adds_up,
        "channels": {
            channel: {state.value: reach.states.get(state, 0) for state in State}
            | {f"seconds_to_{share}_percent": seconds for share, seconds in reach.seconds.items()}
            for channel, reach in report.channels.items()
        },
    }


def _length(seconds: float) -> str:
    """A length of time as people say it: 12 s, 4 min, 9 h 05 min."""
    if seconds < 60:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60:02} min"
