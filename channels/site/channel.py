"""Sites: writes editions as Markdown, HTML and JSON records into folders, with git commits where configured.

A recipient is a folder below `SITE_DIR`: lower-case letters, digits, dots, hyphens and underscores, with slashes
between folders. The style that its subscriber chose decides the layout.
"""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

from bot.channel import Channel, Deferred, Finding, Gone, Kit, Limits, Message, Outcome, Pace, Page, Personal, Sent
from bot.model import ILLUSTRATED, Cadence, Paper, Style
from bot.runtime.files import try_to_write
from bot.runtime.text import one_line
from channels.site import folder, folder_writer
from channels.site.escaping import escape, scalar
from channels.site.git import Git, GitError
from channels.site.keywords import MAX_TOPICS, NAMES_FILE, NO_NAMES, NamesByLowerCase, hot_topics, read_names
from channels.site.layouts import LAYOUTS, PERIOD, Layout, layout_of, name_of
from channels.site.records import TOP_PAPERS, Day, abstract_of, as_json, code_of, day_of, period_of, title_of
from channels.site.settings import Settings

__all__ = ["Settings", "Site", "SiteMessage", "Written", "open"]

RECIPIENT = re.compile(r"[a-z0-9][a-z0-9._-]*(/[a-z0-9][a-z0-9._-]*)*")
MAX_LENGTH = 100
NAMES = "lower-case letters, digits, dots, hyphens and underscores, with slashes between folders, at most 100"
PICTURES = ("thumb.jpg", "fig.jpg", "fig.png")
EDITION_PICTURES = ("keywords.png", "keywords-dark.png", "trend.png", "trend-dark.png", "poster.png")
"""The pictures of an edition that the newspaper shows (`Kit.media`)."""
NEWSPAPER = Style.TRANSLATION
"""The style of the newspaper, which shows them."""
RETRY_AFTER = 60.0
"""Seconds before a folder that cannot be written to is tried again."""
_EMPTY_LINES = re.compile(r"\n{3,}")


@dataclass(frozen=True, slots=True)
class SiteMessage:
    """A page composed for a site, without pictures: those are added when it is written."""

    page: Page
    layout: Layout
    markdown: str
    html: str

    def sizes(self) -> Mapping[str, int]:
        return {"bytes of Markdown": len(_bytes(self.markdown)), "bytes of HTML": len(_bytes(self.html))}

    def parts(self) -> Mapping[str, str]:
        return {"markdown": self.markdown, "html": self.html, "json": as_json(day_of(self.page))}


@dataclass(frozen=True, slots=True)
class Written:
    """The files of a page by their paths below the folder: all of them, and those that changed."""

    names: Sequence[str]
    changed: Sequence[str] = field(default_factory=tuple)


class Site(Channel):
    """The site channel."""

    name = "site"
    limits = Limits(maxima={"bytes of Markdown": 4_000_000, "bytes of HTML": 6_000_000})
    pace = Pace(concurrency=1)  # pages of one folder share its index
    repeats_unknown = True  # writing a page twice leaves one page
    rehearsal = True
    shows_pictures = True
    layouts: Mapping[str, Layout]

    def __init__(self, root: Path, settings: Settings, kit: Kit) -> None:
        self._root = root
        self._settings = settings
        self._pictures = kit.pictures
        self._pictures_known = kit.pictures_known
        self._media = kit.media
        self._writing = asyncio.Lock()
        """Held while a page is written and committed, the first time or again for late pictures."""
        self.layouts = {layout.name: layout for layout in LAYOUTS}
        self._markdown = {layout.name: kit.template(f"site/{layout.name}.md", escape) for layout in LAYOUTS}
        self._html = {layout.name: kit.template(f"site/{layout.name}.html", None) for layout in LAYOUTS}
        self._front = {
            layout.name: kit.template(f"site/{layout.name}.yml", scalar) for layout in LAYOUTS if layout.post
        }
        self._index = {
            "index.md": kit.template("site/index.md", escape),
            "index.html": kit.template("site/index.html", None),
        }

    def recipient(self, written: str) -> str:
        if not _is_folder(written):
            raise ValueError(f"{written!r} is not a valid folder name: {NAMES}")
        return written

    def compose(self, page: Page) -> SiteMessage:
        return self._render(page, frozenset(), None, NO_NAMES)

    async def send(self, to: str, message: Message, personal: Personal) -> Outcome:  # noqa: ARG002
        async with self._writing:
            return await self._publish(to, message)

    async def _publish(self, to: str, message: Message) -> Outcome:
        assert isinstance(message, SiteMessage)
        if not _is_folder(to):
            return Gone(f"{to!r} is not a valid folder name: {NAMES}")
        if message.page.about.day is None:
            return Sent()  # notices are for a person; a site is public
        where = self._root / to
        try:
            written = await asyncio.to_thread(self._write_illustrated, where, message)
        except OSError as error:
            reason = f"cannot write to {where}: {error.strerror or error}"
            return Deferred(reason, RETRY_AFTER, scope=self._scope(error))
        if self._settings.git and PERIOD.fullmatch(message.page.about.slug):
            try:
                await self._commit(where, message.page.about.slug, written.names)
            except GitError as error:
                return Deferred(str(error), scope="recipient")
        return Sent(receipt=str(where / f"{message.page.about.slug}.html"))

    async def check(self) -> Sequence[Finding]:
        try:
            await asyncio.to_thread(try_to_write, self._root)
        except OSError as error:
            says = f"{self._root} cannot be written to ({error.strerror}); fix it or set SITE_DIR"
            return [Finding("SITE_DIR", ok=False, says=says)]
        found = [Finding("SITE_DIR", ok=True, says=f"sites are written to {self._root}")]
        if self._settings.git:
            found += [await self._check_git(where) for where in await asyncio.to_thread(self._sites)]
        return found

    def lacks_pictures(self, slug: str, language: str, style: Style, papers: Sequence[Paper]) -> bool:
        """Whether pictures may still come: the newspaper's drawings, of which the poster is the last, or papers'."""
        if style is NEWSPAPER:
            return self._media(slug, language, "poster.png") is None
        return style in ILLUSTRATED and not all(map(self._pictures_known, papers))

    def write(self, where: Path, message: Message, *, whole: bool = True) -> Written:
        """Write a page into a folder, with the pictures that are there, and update index and records.

        Files that are the same already are not touched. A page of chosen papers (not `whole`) does not change the
        records of its day. Raises OSError.
        """
        assert isinstance(message, SiteMessage)
        page = message.page
        with folder_writer.exclusive(where):
            placed = [f"images/{name}" for name in folder_writer.place(where, self._edition_pictures(message))]
            placed += self._place_recording(where, message)
            names = self._names(page)
            rendered = self._render(page, folder_writer.present(where), self._sums(where, page), names)
            made = {
                rendered.layout.markdown(page.about.slug, page.about.cadence, page.about.day): rendered.markdown,
                f"{page.about.slug}.html": rendered.html,
            }
            if not PERIOD.fullmatch(page.about.slug):  # the sample: not listed in the index
                return Written(list(made), folder_writer.write(where, made))
            made |= folder.day_records(page) if whole else {}
            changed = folder_writer.write(where, made)
            sums = folder.records_around(where, page, names) if whole else {}
            around = sums | self._indexes(where, rendered)
            changed += [*folder_writer.write(where, around), *placed]
            return Written([*made, *around, *folder.shown_on(where, page)], changed)

    def _write_illustrated(self, where: Path, message: SiteMessage) -> Written:
        """Write a page with those pictures of its papers that have been downloaded."""
        if message.page.about.style in ILLUSTRATED:
            names = [f"{block.paper.id}.{use}" for block in message.page.blocks for use in PICTURES]
            self.place(where, {name: path for name in names if (path := self._pictures / name).is_file()})
        return self.write(where, message)

    def _edition_pictures(self, message: SiteMessage) -> dict[str, Path]:
        """The pictures of an edition that have been drawn and that its layout shows, by their names in the site."""
        page = message.page
        if message.layout.style is not NEWSPAPER or not PERIOD.fullmatch(page.about.slug):
            return {}
        found = {name: self._media(page.about.slug, page.language, name) for name in EDITION_PICTURES}
        return {f"{page.about.slug}_{name}": path for name, path in found.items() if path is not None}

    def _place_recording(self, where: Path, message: SiteMessage) -> list[str]:
        """Copy the edition read aloud, in its style, else in any, where its layout links it. Returns what changed."""
        page = message.page
        if message.layout.style is not NEWSPAPER or not PERIOD.fullmatch(page.about.slug):
            return []
        names = (f"episode-{style}.mp3" for style in dict.fromkeys((page.about.style, *Style)))
        found = next(filter(None, (self._media(page.about.slug, page.language, name) for name in names)), None)
        return [] if found is None else folder_writer.place_recording(where, page.about.slug, found)

    def place(self, where: Path, pictures: Mapping[str, Path]) -> list[str]:
        """Copy pictures, given by file name, into a site's images folder. Returns the names of those that changed.

        Raises ValueError for a name that no page uses, OSError.
        """
        with folder_writer.exclusive(where):
            return folder_writer.place(where, pictures)

    def _names(self, page: Page) -> NamesByLowerCase:
        """The words for the keywords of a page and of the days that its statistics look back on."""
        days = [] if page.about.day is None else folder.recent(page.about.day)
        slugs = [folder.slug_of(Cadence.DAY, day) for day in reversed(days)]
        return read_names(self._media(slug, page.language, NAMES_FILE) for slug in (*slugs, page.about.slug))

    def _render(self, page: Page, seen: frozenset[str], sums: Day | None, names: NamesByLowerCase) -> SiteMessage:
        """Render a page's files with the pictures in `seen` and the `names` of keywords.

        `sums` are those of the page's month.
        """
        layout = layout_of(page)
        variables = self._variables(page, seen, sums, names)
        front = self._front.get(layout.name)
        head = front(page, **variables) if front else ""
        body = _EMPTY_LINES.sub("\n\n", self._markdown[layout.name](page, **variables))
        return SiteMessage(page, layout, head + body, self._html[layout.name](page, **variables))

    def _variables(self, page: Page, seen: frozenset[str], sums: Day | None, names: NamesByLowerCase) -> dict[str, Any]:
        """Template variables besides the page."""
        own, is_day = self._settings, page.about.cadence in {Cadence.DAY, None}
        path = f"/posts/{name_of(page.about.cadence)}-{page.about.slug}/"
        return {
            "title": own.title.replace("{date}", page.about.slug) if is_day else "",
            "author": own.name,
            "tags": own.tags,
            "time": f"{own.time}:00",
            "offset": own.offset,
            "permalink": path if own.permalink == "yes" else "",
            "home": _home(own.url),
            "seen": seen,
            "topics": hot_topics([block.paper.keywords for block in page.blocks], names),
            "most_topics": MAX_TOPICS,
            "sums": sums or _own_sums(page),
            "top": TOP_PAPERS,
            "names": {block.paper.id: title_of(block) for block in page.blocks},
            "sentences": {block.paper.id: one_line(block.paper.sentence or "") for block in page.blocks},
            "abstracts": {block.paper.id: abstract_of(block) for block in page.blocks},
            "codes": {block.paper.id: code_of(block.paper) for block in page.blocks},
            "authors": {block.paper.id: [*filter(None, map(one_line, block.paper.authors))] for block in page.blocks},
        }

    def _sums(self, where: Path, page: Page) -> Day | None:
        """The sums of a page's month from the records, None where the page itself has more papers."""
        if page.about.day is None or page.about.cadence is not Cadence.MONTH:
            return None
        found = folder.sums(where, page.about.cadence, page.about.day)
        return found if found["total_papers"] > len(page.blocks) else None

    def _indexes(self, where: Path, rendered: SiteMessage) -> dict[str, str]:
        entries = folder.entries(where, rendered.layout)
        return {name: fill(rendered.page, entries=entries, seen=frozenset()) for name, fill in self._index.items()}

    async def _commit(self, where: Path, slug: str, names: Sequence[str]) -> None:
        """Commit an edition's files, and push them if SITE_GIT says so. Raises GitError."""
        git = Git(where, self._settings.author)
        await git.commit(names, f"Papers of {slug}")
        if self._settings.git == "push":
            await git.push()

    def _sites(self) -> list[Path]:
        """The folders that hold sites; before there is one, the folder of all sites."""
        return sorted({path.parent.parent for path in self._root.glob("**/data/*.json")}) or [self._root]

    async def _check_git(self, where: Path) -> Finding:
        fault = await Git(where, self._settings.author).fault(push=self._settings.git == "push")
        if fault:
            return Finding("SITE_GIT", ok=False, says=f"{fault}; fix that, or remove SITE_GIT")
        return Finding("SITE_GIT", ok=True, says=f"each edition in {where} becomes a {self._settings.git}")

    def _scope(self, error: OSError) -> Literal["recipient", "channel"]:
        """Whether one site's folder is at fault, or the folder of all sites."""
        one = isinstance(error, FileExistsError | NotADirectoryError | IsADirectoryError | PermissionError)
        return "recipient" if one and self._root.is_dir() and os.access(self._root, os.W_OK) else "channel"


def make(settings: Settings, kit: Kit) -> Site:
    """Create the channel."""
    return Site(kit.home / settings.folder.expanduser(), settings, kit)


def _is_folder(written: str) -> bool:
    return len(written) <= MAX_LENGTH and RECIPIENT.fullmatch(written) is not None


def _own_sums(page: Page) -> Day:
    """The sums of a page's own papers."""
    found = period_of(Cadence.MONTH, page.about.day, [day_of(page)], {}) if page.about.day else {}
    return {**found, "days_crawled": len({block.paper.listed_on for block in page.blocks})}


def _home(url: str) -> Mapping[str, str] | None:
    """SITE_URL as templates show it: host, name and URL; None where it is not set."""
    if not url:
        return None
    parts = urlsplit(url)
    host = (parts.hostname or "").removeprefix("www.")
    last = parts.path.strip("/").split("/")[-1]
    return {"site": "GitHub" if host == "github.com" else host, "name": last or host, "url": url}


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "replace")
