"""`papers export`: editions as the files of a web site, in any folder."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path
from typing import Annotated, Protocol, cast

import typer

from bot.channel import Channel, Message
from bot.channel_loader import CACHE, open_channel
from bot.cli import console
from bot.cli.configuration import configuration
from bot.cli.open_store import find_edition, stored
from bot.cli.options import Day, Language, day_option
from bot.cli.startup import CommandError, WrongError, command
from bot.delivery.rendering import compose, texts_for
from bot.model import ARXIV_ID, ILLUSTRATED, MOST_PAPERS, Cadence, Edition, Preferences, Style
from bot.render.edition_page import choose
from bot.render.words import match
from bot.rules.topics import LONGEST_TOPIC, MOST_TOPICS, TopicsError, parse
from bot.runtime.supervisor import clock
from bot.store import Store, edition_queries
from bot.summaries.fulltext.library import FullTextLibrary
from bot.summaries.paper_pictures import collect


class Layout(Protocol):
    """A layout of the site channel: the style it is made for, and how many papers it shows (0 is all)."""

    @property
    def style(self) -> Style: ...

    @property
    def papers(self) -> int: ...


class Written(Protocol):
    """The files of a page that was written, and which of them changed."""

    @property
    def names(self) -> Sequence[str]: ...

    @property
    def changed(self) -> Sequence[str]: ...


class Site(Protocol):
    """The methods of the site channel that an export uses, beside the port."""

    layouts: Mapping[str, Layout]

    def write(self, where: Path, message: Message, *, whole: bool = True) -> Written: ...

    def place(self, where: Path, pictures: Mapping[str, Path]) -> Sequence[str]: ...


@dataclass(frozen=True, slots=True)
class Selection:
    """Which editions to export: one day's, those from `first` to `last`, or the latest; of each all papers or `ids`."""

    cadence: Cadence
    day: date | None
    first: date | None
    last: date | None
    ids: Sequence[str]
    top: int = 0
    topics: Sequence[str] = ()

    @property
    def is_whole(self) -> bool:
        """Whether a page shows what its layout always shows, so that the records of the day may be made from it."""
        return not (self.ids or self.top or self.topics)

    def __str__(self) -> str:
        if self.first is not None:
            return f"from {self.first} to {self.last}" if self.last else f"since {self.first}"
        return f"of {self.day}" if self.day else "yet"

    def preferences(self, language: str, layout: Layout) -> Preferences:
        """Preferences that show the selected papers in a layout, else as many as the layout shows."""
        usual = 0 if self.ids or self.cadence is Cadence.MONTH else layout.papers
        return Preferences(language, layout.style, self.top or usual, topics=tuple(self.topics))

    async def find(self, store: Store) -> list[Edition]:
        """The editions selected, oldest first, with the papers selected."""
        if self.first is None:
            found = [await find_edition(store, self.day, self.cadence)]
        else:
            since = self.first - timedelta(days=1)
            async with store.read() as connection:
                days = sorted(await edition_queries.days(connection, self.cadence, since=since))
            last = self.last or date.max
            found = [await find_edition(store, day, self.cadence) for day in days if day <= last]
        editions = [edition for edition in found if edition is not None]
        return [_with_papers(edition, self.ids) for edition in editions] if self.ids else editions


@command
async def export(
    layout: Annotated[str, typer.Option(metavar="NAME", help="illustrated, jekyll, plain, newspaper or review.")],
    out: Annotated[Path, typer.Option(metavar="DIR", help="The folder to write to; created if missing.")],
    language: Language = None,
    date: Day = None,
    first: Annotated[date | None, day_option("--from", help="All editions from that day on.")] = None,
    last: Annotated[date | None, day_option("--to", help="… up to that day.")] = None,
    papers: Annotated[
        str | None, typer.Option(metavar="N|ID,ID", help="That many of the most voted papers, or these, in this order.")
    ] = None,
    topics: Annotated[
        str | None, typer.Option(metavar="TOPIC,TOPIC", help="Only papers about these: agents, org:NVIDIA.")
    ] = None,
    cadence: Annotated[str, typer.Option(metavar="day|week|month", help="Editions of this cadence.")] = "day",
    pictures: Annotated[
        bool, typer.Option("--pictures/--no-pictures", help="Fetch thumbnails and figures if the layout has them.")
    ] = True,
) -> None:
    """Write editions as Markdown, HTML and JSON files.

    Writes the latest edition, one day's, or a range, and the index pages that lead to them.
    """
    if date and (first or last):
        raise typer.BadParameter("--date is one day, --from and --to are a range; give one of them")
    if last and not first:
        raise typer.BadParameter("--to ends a range; give --from as well")
    if cadence not in set(Cadence):
        raise typer.BadParameter(f"--cadence: there is no cadence {cadence}; there are: {', '.join(Cadence)}")
    ids, top = _chosen(papers)
    if ids and topics:
        raise typer.BadParameter("--papers names the papers and --topics chooses them; give one of the two")
    selection = Selection(Cadence(cadence), date, first, last, ids, top, _topics(topics))
    await _export(layout, out, language, selection, pictures)


async def _export(layout: str, out: Path, language: str | None, selection: Selection, pictures: bool) -> None:
    here = configuration()
    async with stored() as store:
        channel = open_channel("site", here.environ, here.home, store)
        site = cast("Site", channel)
        if layout not in site.layouts:
            raise WrongError(f"There is no layout {layout}; there are: {', '.join(site.layouts)}.")
        found = await selection.find(store)
        if not found:
            raise CommandError(f"There is no edition {selection}; `papers publish` publishes one.")
        if missing := set(selection.ids) - {ranked.paper.id for edition in found for ranked in edition.papers}:
            raise WrongError(f"No edition {selection} holds {', '.join(sorted(missing))}.")
        wanted = selection.preferences(match(language, here.core.default_language), site.layouts[layout])
        cache = here.home / CACHE if pictures and wanted.style in ILLUSTRATED else None
        results: list[Written] = []
        with console.progress("Exporting") as progress:
            for edition in filter(lambda each: each.papers, found):
                try:
                    written = await _write(store, channel, out, edition, wanted, cache, selection)
                except OSError as error:
                    raise CommandError(f"{out} cannot be written to: {error.strerror or error}.") from error
                results += [written] if written else []
                progress(len(results), len(found))
    if not results:
        about = f" about {', '.join(selection.topics)}" if selection.topics else ""
        raise CommandError(f"No edition {selection} has a paper{about}.")
    _report(out, results)


async def _write(
    store: Store,
    channel: Channel,
    out: Path,
    edition: Edition,
    wanted: Preferences,
    cache: Path | None,
    selection: Selection,
) -> Written | None:
    """Write one edition's files, with pictures fetched into `cache` if there is one; None where no paper fits.

    Raises OSError.
    """
    site = cast("Site", channel)
    texts = await texts_for(store, [each.paper.id for each in edition.papers], wanted)
    message = compose(edition, wanted, channel, texts=texts)
    if message is None:
        return None
    if cache is not None:
        shown = [ranked.paper for ranked in choose(edition.papers, wanted)]
        async with FullTextLibrary(cache) as library:
            site.place(out, await collect(library, cache, shown, clock()))
    return site.write(out, message, whole=selection.is_whole)


def _with_papers(edition: Edition, ids: Sequence[str]) -> Edition:
    """The edition with only these papers, in this order, ranked from 1."""
    held = {ranked.paper.id: ranked for ranked in edition.papers}
    chosen = [held[each] for each in ids if each in held]
    return replace(edition, papers=tuple(replace(each, rank=place) for place, each in enumerate(chosen, start=1)))


def _chosen(written: str | None) -> tuple[Sequence[str], int]:
    """The arXiv ids of `ID,ID`, each once, or how many papers; none and 0 where nothing is chosen."""
    if written is None:
        return (), 0
    if written.strip().isdecimal():
        return (), min(int(written), MOST_PAPERS)
    ids = list(dict.fromkeys(each.strip() for each in written.split(",") if each.strip()))
    wrong = [each for each in ids if not ARXIV_ID.fullmatch(each)]
    if wrong or not ids:
        first = (wrong or ["nothing"])[0]
        raise typer.BadParameter(f"--papers: {first} is not an arXiv id; write a number, or 2512.21218,2512.20605")
    return ids, 0


def _topics(written: str | None) -> Sequence[str]:
    """The topics of `TOPIC,TOPIC`."""
    try:
        return parse(written or "")
    except TopicsError:
        raise typer.BadParameter(
            f"there may be {MOST_TOPICS} topics of {LONGEST_TOPIC} characters, with commas between them"
        ) from None


def _report(out: Path, results: Sequence[Written]) -> None:
    if len(results) == 1:
        for name in results[0].names:
            console.say(f"{'wrote' if name in results[0].changed else 'unchanged'}: {out / name}")
        return
    names = {name for each in results for name in each.names}
    changed = {name for each in results for name in each.changed}
    console.say(f"{len(results)} editions in {out}: {len(changed)} files written, {len(names - changed)} unchanged.")
