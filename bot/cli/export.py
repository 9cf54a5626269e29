"""`papers export`: editions as files of a site, in any folder that the operator names."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Protocol, cast

import typer

from bot.cli.editions import Day, Language
from bot.cli.open_store import stored
from bot.cli.startup import DONE, FAILED, WRONG, a_day, execute

if TYPE_CHECKING:  # see bot.cli.startup
    from collections.abc import Mapping

    from bot.channel import Channel, Message
    from bot.model import Cadence, Edition, Style
    from bot.store import Store


class Layout(Protocol):
    """What a site's layout says of itself: the style it is made for, and how many papers it shows (0 is all)."""

    @property
    def style(self) -> Style: ...

    @property
    def papers(self) -> int: ...


class Written(Protocol):
    """What stands in a folder after a page was written."""

    @property
    def names(self) -> Sequence[str]: ...

    @property
    def changed(self) -> Sequence[str]: ...


class Site(Protocol):
    """What an export needs of the channel `site`, beside what every channel is."""

    layouts: Mapping[str, Layout]

    def write(self, where: Path, message: Message, *, whole: bool = True) -> Written: ...

    def place(self, where: Path, pictures: Mapping[str, Path]) -> Sequence[str]: ...


def export(
    layout: Annotated[str, typer.Option(metavar="NAME", help="illustrated, jekyll, plain, newspaper or review.")],
    out: Annotated[Path, typer.Option(metavar="DIR", help="The folder to write to; made when needed.")],
    language: Language = None,
    date: Day = None,
    first: Annotated[
        str | None, typer.Option("--from", metavar="YYYY-MM-DD", help="All editions from that day on.")
    ] = None,
    last: Annotated[str | None, typer.Option("--to", metavar="YYYY-MM-DD", help="… up to that day.")] = None,
    papers: Annotated[
        str | None, typer.Option(metavar="ID,ID", help="These papers of the edition, in this order.")
    ] = None,
    cadence: Annotated[str, typer.Option(metavar="NAME", help="day, week or month.")] = "day",
    pictures: Annotated[
        bool, typer.Option("--pictures/--no-pictures", help="Fetch thumbnails and figures, where the layout has them.")
    ] = True,
) -> None:
    """Write editions as Markdown with an HTML twin, JSON and index pages: the latest, one day's, or a range."""
    days = (a_day(date), a_day(first), a_day(last))
    if date and (first or last):
        raise typer.BadParameter("--date is one day, --from and --to are a range; give one of them")
    if last and not first:
        raise typer.BadParameter("--to ends a range; give --from as well")
    execute(_export(layout, out, language, days, _ids(papers), cadence, pictures))


async def _export(
    layout: str,
    out: Path,
    language: str | None,
    days: tuple[date | None, date | None, date | None],
    ids: Sequence[str],
    cadence: str,
    pictures: bool,
) -> int:
    import os

    from bot import app, settings
    from bot.cli import console
    from bot.delivery.rendering import compose, texts_for
    from bot.model import ILLUSTRATED, Cadence, Preferences
    from bot.render.edition_page import choose
    from bot.render.words import catalogues, match
    from bot.runtime.supervisor import clock
    from bot.summaries.fulltext.library import FullTextLibrary
    from bot.summaries.paper_pictures import collect

    home = settings.home(os.environ)
    environ = settings.environment(home, os.environ)
    core = settings.read(settings.Settings, environ)
    async with stored() as store:
        channel: Channel = app.open_channel("site", environ, home, store)
        site = cast("Site", channel)
        if layout not in site.layouts:
            console.complain(f"There is no layout {layout}; there are: {', '.join(site.layouts)}.")
            return WRONG
        if cadence not in set(Cadence):
            console.complain(f"There is no cadence {cadence}; there are: {', '.join(Cadence)}.")
            return WRONG
        found = await _editions(store, Cadence(cadence), *days)
        if not found:
            console.complain(f"There is no edition {_asked(*days)}; `papers publish` closes one.")
            return FAILED
        chosen = [_with_papers(edition, ids) for edition in found] if ids else found
        if missing := set(ids) - {ranked.paper.id for edition in chosen for ranked in edition.papers}:
            console.complain(f"No edition {_asked(*days)} holds {', '.join(sorted(missing))}.")
            return WRONG
        of = site.layouts[layout]
        most = 0 if ids or cadence == Cadence.MONTH else of.papers
        wanted = Preferences(language=match(language, core.default_language, catalogues()), style=of.style, papers=most)
        results: list[Written] = []
        cache = home / app.CACHE
        with console.progress("Exporting") as progress:
            for edition in filter(lambda each: each.papers, chosen):
                texts = await texts_for(store, [each.paper.id for each in edition.papers], wanted)
                message = compose(edition, wanted, channel, texts=texts)
                assert message is not None
                shown = [ranked.paper for ranked in choose(edition.papers, wanted)]
                try:
                    if pictures and of.style in ILLUSTRATED:
                        async with FullTextLibrary(cache) as whole:
                            site.place(out, await collect(whole, cache, shown, clock()))
                    results.append(site.write(out, message, whole=not ids))
                except OSError as error:
                    console.complain(f"{out} cannot be written to: {error.strerror or error}.")
                    return FAILED
                progress(len(results), len(chosen))
        _alert(out, results)
    return DONE


async def _editions(
    store: Store, cadence: Cadence, day: date | None, first: date | None, last: date | None
) -> list[Edition]:
    """The editions asked for, oldest first: a day's, a range, or the latest."""
    from datetime import timedelta

    from bot.store import edition_queries

    async with store.read() as connection:
        if first is not None:
            since = first - timedelta(days=1)
            days = sorted(await edition_queries.days(connection, cadence, since=since))
            found = [
                await edition_queries.of_day(connection, cadence, each) for each in days if last is None or each <= last
            ]
        elif day is not None:
            found = [await edition_queries.of_day(connection, cadence, day)]
        else:
            found = [await edition_queries.latest(connection, cadence)]
    return [edition for edition in found if edition is not None]


def _with_papers(edition: Edition, ids: Sequence[str]) -> Edition:
    """The edition with these papers alone, in this order, numbered anew."""
    held = {ranked.paper.id: ranked for ranked in edition.papers}
    chosen = [held[each] for each in ids if each in held]
    return replace(edition, papers=tuple(replace(each, rank=place) for place, each in enumerate(chosen, start=1)))


def _ids(written: str | None) -> list[str]:
    """The arXiv ids of `ID,ID`, each once."""
    from bot.model import ARXIV_ID

    if written is None:
        return []
    ids = list(dict.fromkeys(each.strip() for each in written.split(",") if each.strip()))
    wrong = [each for each in ids if not ARXIV_ID.fullmatch(each)]
    if wrong or not ids:
        raise typer.BadParameter(f"{(wrong or ['nothing'])[0]} is no arXiv id; write them like 2512.21218,2512.20605")
    return ids


def _asked(day: date | None, first: date | None, last: date | None) -> str:
    if first is not None:
        return f"from {first} to {last}" if last else f"since {first}"
    return f"of {day}" if day else "yet"


def _alert(out: Path, results: Sequence[Written]) -> None:
    from bot.cli.console import say

    if len(results) == 1:
        for name in results[0].names:
            say(f"{'wrote' if name in results[0].changed else 'as it was'}: {out / name}")
        return
    names = {name for each in results for name in each.names}
    changed = {name for each in results for name in each.changed}
    say(f"{len(results)} editions in {out}: {len(changed)} files written, {len(names - changed)} as they were.")
