"""The contents of public pages: from what is stored to a page source for the page cache."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from functools import partial
from urllib.parse import urlencode

from bot.channel import Link, Page, Template
from bot.commands import help_command
from bot.delivery.rendering import texts_for
from bot.model import ALL_PAPERS, Cadence, Paper, Preferences, Ranked, Style
from bot.render.edition_page import block, edition_page, list_page, period_name, today_page
from bot.render.fit import first_part
from bot.render.labels import plain_page
from bot.render.preference_values import styles as named_styles
from bot.render.styles import TEXT_FIELDS
from bot.render.templates import template
from bot.render.words import Words, words
from bot.runtime.latex import plain_math
from bot.store import Store, archive, edition_queries, paper_queries, text_queries
from bot.summaries.fulltext.figures import Picture
from bot.web.pages.archive_page import calendar
from bot.web.pages.cards import cards
from bot.web.pages.drawn_pictures import DrawnPictures, PictureFinder
from bot.web.pages.head import describe, list_head, paper_head
from bot.web.pages.layout import Choice, Form, LayoutMaker, Neighbours, PageLayout, coverage
from bot.web.pages.page_cache import PageSource
from bot.web.pages.paper_parts import PaperPartsMaker
from bot.web.pages.recordings import Recordings
from bot.web.pages.thumbnails import Thumbnails

FIRST_SENTENCE = re.compile(r"(.+?)(?:\.(?:\s+|$)|。)(.*)", re.DOTALL)
"""A title without its full stop, and the rest: a command's answer may be both."""
TEMPLATES = ("archive", "edition", "front", "notice", "opening", "paper", "privacy", "settings")


class Pages:
    """Makes page sources. `styles` are those that visitors may choose, the usual one first."""

    def __init__(
        self,
        store: Store,
        layouts: LayoutMaker,
        *,
        styles: Sequence[Style],
        thumbnails: Thumbnails | None = None,
        drawn: PictureFinder | None = None,
        recordings: Recordings | None = None,
        keep: int,
    ) -> None:
        self._store = store
        self._layouts = layouts
        self._urls = layouts.urls
        self._parts = PaperPartsMaker(store, layouts.urls)
        self._thumbnails = thumbnails
        self._drawn = drawn or PictureFinder(None, layouts.urls)
        self._recordings = recordings
        self._keep = keep
        """Days for which readers who left are kept."""
        self.styles = styles
        self._templates: dict[str, Template] = {name: template(f"pages/{name}.html", None) for name in TEMPLATES}

    async def front(self, language: str, now: datetime) -> PageSource:
        """The front page: today's list as it stands, or before there is one the latest edition."""
        w = words(language)
        day = now.astimezone(UTC).date()
        wanted = _everything(language, Style.HEADLINE)
        async with self._store.read() as connection:
            listed = await paper_queries.listed(connection, day, day)
            latest = None if listed else await edition_queries.latest(connection, Cadence.DAY)
            before, _ = await archive.neighbours(connection, Cadence.DAY, latest.day if latest else day)
            newest = await edition_queries.latest_day(connection, Cadence.DAY)
        if listed:
            page, shown = today_page(listed, day, wanted, now=now), listed
            # How complete the list is stands below it: a page opens with the day.
            page = replace(page, notes=[], footer=[*page.notes, *page.footer])
        elif latest is not None:
            page, shown = edition_page(latest, wanted), [ranked.paper for ranked in latest.papers]
            page = replace(page, notes=[w.gettext("papers.none_today_yet"), *page.notes])
        else:
            says = w.gettext("papers.no_edition_at_all")
            page, shown = plain_page(w, w.gettext("newsletter.name"), notes=[says]), []
        pictures = self._shown(shown, now)
        drawn = DrawnPictures() if newest is None else await self._drawn.of(language, Cadence.DAY, newest)
        layout = self._layouts.layout(
            w,
            self._urls.front,
            here="today",
            description=help_command.introduction(w, self.styles)[0],
            offers=True,
            neighbours=Neighbours(self._link(w, Cadence.DAY, before, Style.HEADLINE)),
            pictures=pictures,
            head=list_head(page, self._urls, pictures, drawn.card if latest else ""),
        )
        return self._source("front", page, layout, cards=cards(page, self._urls), drawn=drawn)

    async def edition(
        self, language: str, cadence: Cadence, day: date, style: Style, now: datetime
    ) -> PageSource | None:
        """The page of an edition, None if there is none."""
        w, wanted = words(language), _everything(language, style)
        async with self._store.read() as connection:
            found = await edition_queries.of_day(connection, cadence, day)
            if found is None:
                return None
            before, after = await archive.neighbours(connection, cadence, day)
            around = await archive.around(connection, cadence, day)
        said = await texts_for(self._store, [ranked.paper.id for ranked in found.papers], wanted)
        page = first_part(edition_page(found, wanted, texts=said))
        own = self._urls.edition(language, cadence, day)
        named = named_styles(w, self.styles)
        pictures = self._shown([ranked.paper for ranked in found.papers], now)
        drawn = await self._drawn.of(language, cadence, day)
        layout = self._layouts.layout(
            w,
            lambda tag: f"{self._urls.edition(tag, cadence, day)}{_query(style)}",
            here=cadence.value,
            offers=True,
            style=style,
            cadence=cadence,
            description=describe(" · ".join(each.title for each in page.blocks)),
            styles=[Choice(named[each][0], f"{own}{_query(each)}", each is style) for each in self.styles],
            neighbours=Neighbours(
                self._link(w, cadence, before, style),
                self._link(w, cadence, after, style),
                [
                    Link(_brief_period(w, *each), f"{self._urls.edition(language, *each)}{_query(style)}")
                    for each in around
                ],
            ),
            pictures=pictures,
            head=list_head(page, self._urls, pictures, drawn.card),
            recording=await self._recording(language, cadence, day, style),
        )
        shown = cards(page, self._urls)
        return self._source("edition", page, layout, cards=shown, drawn=drawn)

    async def latest(self, language: str, cadence: Cadence) -> str | None:
        """The URL of the newest edition of a cadence, None before there is one."""
        async with self._store.read() as connection:
            found = await edition_queries.latest_day(connection, cadence)
        return None if found is None else self._urls.edition(language, cadence, found)

    async def paper(self, language: str, paper_id: str, now: datetime) -> PageSource | None:
        """The page of a paper, with every text about it; None if it was never listed."""
        w = words(language)
        async with self._store.read() as connection:
            found = await paper_queries.by_ids(connection, [paper_id])
            if not found:
                return None
            held = await archive.holding(connection, paper_id)
            said = await text_queries.of(connection, [paper_id], language)
        paper = found[0]
        parts = await self._parts.of(w, paper, now)
        ranked = Ranked(1, paper, paper.votes)
        written = [style for style in Style if style in TEXT_FIELDS and style in said.get(paper_id, {})]
        shown = [block(ranked, style, w, said) for style in (*written, Style.ABSTRACT)]
        listed = w.gettext("paper.listed_on", day=w.day(paper.listed_on))
        page = list_page(
            plain_math(paper.title), listed, [ranked], _everything(language, Style.ABSTRACT), slug=paper.id
        )
        footer = [w.gettext("source.note_model")] * bool(written) + [*page.footer]
        page, pictures = replace(page, blocks=shown, footer=footer, alone=True), self._shown(found, now)
        layout = self._layouts.layout(
            w,
            lambda tag: self._urls.paper(tag, paper_id),
            offers=True,
            description=describe(shown[-1].abstract or plain_math(paper.title)),
            pictures=pictures,
            head=paper_head(page, self._urls, pictures, await self._drawn.card(language, paper_id)),
            neighbours=parts.neighbours,
        )
        named = named_styles(w)
        return self._source(
            "paper",
            page,
            layout,
            parts=parts,
            figure=await self._figure(paper_id, now),
            styles=[named[style][0] for style in (*written, Style.ABSTRACT)],
            cards=cards(page, self._urls),
            editions=[Link(period_name(w, *each), self._urls.edition(language, *each)) for each in held],
        )

    async def _figure(self, paper_id: str, now: datetime) -> Picture | None:
        return None if self._thumbnails is None else await asyncio.to_thread(self._thumbnails.figure, paper_id, now)

    async def archive(self, language: str, year: int | None, now: datetime) -> PageSource | None:
        """The archive of a year, or of the newest one; None if that year has no edition."""
        w = words(language)
        async with self._store.read() as connection:
            years = await archive.years(connection)
            shown = years[0] if year is None and years else year
            found = [] if shown is None else await archive.of_year(connection, shown)
            begins = await paper_queries.first_day(connection)
        if year is not None and not found:
            return None
        where = "archive" if year is None else f"archive/{year}"
        heading = w.gettext("web.archive")
        if shown is not None:
            heading = w.gettext("edition.heading", title=heading, date=f"{shown}")
        notes = [] if found else [w.gettext("papers.no_edition_at_all")]
        lead = "".join(coverage(w, begins, now)) if found else ""
        layout = self._layouts.layout(
            w,
            lambda tag: self._urls.page(tag, where),
            here="archive",
            description=f"{heading} · {help_command.introduction(w, self.styles)[0]}",
        )
        listed = [Choice(f"{each}", self._urls.page(language, f"archive/{each}"), each == shown) for each in years]
        shown_as = calendar(w, self._urls, found)
        return self._source("archive", plain_page(w, heading, lead, notes), layout, years=listed, calendar=shown_as)

    async def privacy(self, language: str) -> PageSource:
        """The privacy page."""
        w = words(language)
        layout = self._layouts.layout(w, lambda tag: self._urls.page(tag, "privacy"))
        return self._source("privacy", plain_page(w, w.gettext("web.privacy")), layout, keep=self._keep)

    def notice(
        self,
        language: str,
        heading: str,
        says: Sequence[str],
        links: Sequence[Link] = (),
        forms: Sequence[Form] = (),
        *,
        searching: bool = False,
    ) -> PageSource:
        """A page of a few sentences and buttons, not for search engines; `searching` adds a search field.

        The heading may be a command's answer: its first sentence is the title, and the rest the first paragraph.
        """
        w = words(language)
        layout = self._layouts.layout(w, self._urls.front, indexed=False)
        if parts := FIRST_SENTENCE.fullmatch(heading):
            heading, says = parts[1], [each for each in (parts[2], *says) if each]
        page = plain_page(w, heading)
        return self._source(
            "notice", page, layout, says=tuple(says), links=tuple(links), forms=tuple(forms), searching=searching
        )

    def opening(self, language: str, heading: str, says: str) -> PageSource:
        """The page where a reader types their address, to be mailed a link to their settings."""
        w = words(language)
        layout = self._layouts.layout(w, lambda tag: self._urls.page(tag, "settings"), indexed=False)
        return self._source("opening", plain_page(w, heading), layout, says=says)

    def settings(self, language: str, chosen: object, says: Sequence[str], preview: object) -> PageSource:
        """The page with a reader's settings form, and a preview of their next edition."""
        w = words(language)
        layout = self._layouts.layout(w, lambda tag: self._urls.page(tag, "settings"), indexed=False)
        page = plain_page(w, w.gettext("settings.title"), notes=says)
        at = self._urls.page(language, "settings")
        return self._source("settings", page, layout, chosen=chosen, at=at, preview=preview)

    def _source(self, name: str, page: Page, layout: PageLayout, **more: object) -> PageSource:
        fill = partial(self._templates[name], page, layout=layout, urls=self._urls, **more)
        return PageSource((page, layout, more), fill)

    async def _recording(self, language: str, cadence: Cadence, day: date, style: Style) -> str:
        """The URL of an edition read aloud in this style; empty where it is not."""
        if self._recordings is None:
            return ""
        if await asyncio.to_thread(self._recordings.find, language, cadence, day, style) is None:
            return ""
        is_usual = style is self._recordings.podcast.style
        query = "" if is_usual else urlencode({"style": style.value})
        return self._urls.recording(language, cadence, day, query)

    def _shown(self, shown: Iterable[Paper], now: datetime) -> frozenset[str]:
        """The ids of those papers that have a thumbnail; the others' are queued to be fetched."""
        return frozenset() if self._thumbnails is None else self._thumbnails.shown(list(shown), now)

    def _link(self, w: Words, cadence: Cadence, day: date | None, style: Style) -> Link | None:
        if day is None:
            return None
        return Link(period_name(w, cadence, day), f"{self._urls.edition(w.language, cadence, day)}{_query(style)}")


def _everything(language: str, style: Style) -> Preferences:
    return Preferences(language=language, style=style, papers=ALL_PAPERS)


def _query(style: Style) -> str:
    return "" if style is Style.HEADLINE else f"?{urlencode({'style': style.value})}"


def _brief_period(w: Words, cadence: Cadence, day: date) -> str:
    return w.brief_day(day) if cadence is Cadence.DAY else period_name(w, cadence, day)
