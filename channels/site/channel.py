"""The channel that writes web sites: Markdown with an HTML twin and records in JSON, in a folder, with git if wanted.

A recipient is the name of a folder below `SITE_DIR`: names of small letters, digits, dots, hyphens and underscores,
with slashes between them. What its reader chose as style decides the layout.
"""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Self
from urllib.parse import urlsplit

from bot.channel import Commands, Deferred, Finding, Gone, Kit, Limits, Message, Outcome, Pace, Page, Personal, Sent
from bot.model import ILLUSTRATED, Cadence, Extra
from bot.runtime.files import write_atomic
from bot.runtime.text import one_line
from channels.site import folder, folder_writer
from channels.site.escaping import escape, scalar
from channels.site.git import Git, GitError
from channels.site.keywords import hot_topics
from channels.site.layouts import LAYOUTS, PERIOD, Layout, layout_of, name_of
from channels.site.records import (
    TOP_PAPERS,
    Day,
    abstract_of,
    as_json,
    code_of,
    day_of,
    period_of,
    title_of,
)
from channels.site.settings import Settings

__all__ = ["Settings", "Site", "SiteMessage", "Written", "open"]

RECIPIENT = re.compile(r"[a-z0-9][a-z0-9._-]*(/[a-z0-9][a-z0-9._-]*)*")
LONGEST = 100
NAMES = "small letters, digits, dots, hyphens and underscores, with slashes between folders, at most 100"
PICTURES = ("thumb.jpg", "fig.jpg", "fig.png")
RETRY_AFTER = 60.0
"""A folder that cannot be written to is looked at again after so many seconds."""
_EMPTY_LINES = re.compile(r"\n{3,}")


@dataclass(frozen=True, slots=True)
class SiteMessage:
    """A page composed for a site, as it is where no picture stands beside it."""

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
    """What stands in a folder after a page was written: all of the page's files, and those that changed."""

    names: Sequence[str]
    changed: Sequence[str] = field(default_factory=tuple)


class Site:
    """Keeps folders of pages, each an edition, up to date."""

    name = "site"
    limits = Limits(maxima={"bytes of Markdown": 4_000_000, "bytes of HTML": 6_000_000})
    pace = Pace(concurrency=1)  # pages of one folder share its index
    repeats_unknown = True  # a page that was written twice is still one page
    rehearsal = True
    extras: Sequence[Extra] = ()
    residents: Sequence[str] = ()
    layouts: Mapping[str, Layout]

    def __init__(self, root: Path, settings: Settings, kit: Kit) -> None:
        self._root = root
        self._settings = settings
        self._pictures = kit.pictures
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
            raise ValueError(f"{written!r} is no folder of a site: {NAMES}")
        return written

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc: object) -> None:
        return None

    async def listen(self, commands: Commands) -> None:
        """Nobody writes to a site."""

    def compose(self, page: Page) -> SiteMessage:
        return self._render(page, frozenset(), None)

    async def send(self, to: str, message: Message, personal: Personal) -> Outcome:  # noqa: ARG002
        assert isinstance(message, SiteMessage)
        if not _is_folder(to):
            return Gone(f"{to!r} is no folder of a site: {NAMES}")
        if message.page.day is None:
            return Sent()  # a notice is for a person, and a site is read by everybody
        where = self._root / to
        try:
            written = await asyncio.to_thread(self._write_illustrated, where, message)
        except OSError as error:
            reason = f"cannot write to {where}: {error.strerror or error}"
            return Deferred(reason, RETRY_AFTER, scope=self._whose(error))
        if self._settings.git and PERIOD.fullmatch(message.page.slug):
            try:
                await self._keep(where, message.page.slug, written.names)
            except GitError as error:
                return Deferred(str(error), scope="recipient")
        return Sent(receipt=str(where / f"{message.page.slug}.html"))

    async def check(self) -> Sequence[Finding]:
        probe = self._root / ".doctor"
        try:
            await asyncio.to_thread(write_atomic, probe, b"doctor")
            await asyncio.to_thread(probe.unlink)
        except OSError as error:
            says = f"{self._root} cannot be written to ({error.strerror}); mend it or set SITE_DIR"
            return [Finding("SITE_DIR", ok=False, says=says)]
        found = [Finding("SITE_DIR", ok=True, says=f"sites are written to {self._root}")]
        if self._settings.git:
            found += [await self._looked_at(where) for where in await asyncio.to_thread(self._sites)]
        return found

    def write(self, where: Path, message: Message, *, whole: bool = True) -> Written:
        """Put a page into a folder, with the pictures that stand there, and bring index and records up to date.

        A page of chosen papers is not the `whole` edition, and leaves the records of its day alone. What is the same
        already is not touched. Raises OSError.
        """
        assert isinstance(message, SiteMessage)
        page = message.page
        with folder_writer.alone(where):
            sheet = self._render(page, folder_writer.present(where), self._sums(where, page))
            made = {
                sheet.layout.markdown(page.slug, page.cadence, page.day): sheet.markdown,
                f"{page.slug}.html": sheet.html,
            }
            if not PERIOD.fullmatch(page.slug):  # the sample: to be looked at, and no part of the site
                return Written(list(made), folder_writer.write(where, made))
            made |= folder.day_records(page) if whole else {}
            changed = folder_writer.write(where, made)
            sums = folder.records_around(where, page) if whole else {}
            around = sums | self._indexes(where, sheet)
            changed += folder_writer.write(where, around)
            return Written([*made, *around, *folder.shown_on(where, page)], changed)

    def _write_illustrated(self, where: Path, message: SiteMessage) -> Written:
        """Write a page with the pictures of its papers, as far as they are there."""
        if message.page.style in ILLUSTRATED:
            names = [f"{block.paper.id}.{use}" for block in message.page.blocks for use in PICTURES]
            self.place(where, {name: path for name in names if (path := self._pictures / name).is_file()})
        return self.write(where, message)

    def place(self, where: Path, pictures: Mapping[str, Path]) -> list[str]:
        """Copy pictures, by the name each is to have, to where pages look for them; the names of those that changed.

        Raises ValueError for a name that no page asks for, OSError.
        """
        with folder_writer.alone(where):
            return folder_writer.place(where, pictures)

    def _render(self, page: Page, seen: frozenset[str], sums: Day | None) -> SiteMessage:
        """A page's files, with the pictures among `seen`; `sums` are those of the page's month."""
        layout = layout_of(page)
        more = self._more(page, seen, sums)
        front = self._front.get(layout.name)
        head = front(page, **more) if front else ""
        body = _EMPTY_LINES.sub("\n\n", self._markdown[layout.name](page, **more))
        return SiteMessage(page, layout, head + body, self._html[layout.name](page, **more))

    def _more(self, page: Page, seen: frozenset[str], sums: Day | None) -> dict[str, Any]:
        """What templates are given beside the page."""
        own, is_day = self._settings, page.cadence in {Cadence.DAY, None}
        path = f"/posts/{name_of(page.cadence)}-{page.slug}/"
        return {
            "title": own.title.replace("{date}", page.slug) if is_day else "",
            "author": own.name,
            "tags": own.tags,
            "time": f"{own.time}:00",
            "offset": own.offset,
            "permalink": path if own.permalink == "yes" else "",
            "home": _home(own.url),
            "seen": seen,
            "topics": hot_topics([block.paper.keywords for block in page.blocks]),
            "sums": sums or _own_sums(page),
            "top": TOP_PAPERS,
            "names": {block.paper.id: title_of(block) for block in page.blocks},
            "abstracts": {block.paper.id: abstract_of(block) for block in page.blocks},
            "codes": {block.paper.id: code_of(block.paper) for block in page.blocks},
            "authors": {block.paper.id: [*filter(None, map(one_line, block.paper.authors))] for block in page.blocks},
        }

    def _sums(self, where: Path, page: Page) -> Day | None:
        """What the records say of a page's month, None where the page itself knows more."""
        if page.day is None or page.cadence is not Cadence.MONTH:
            return None
        found = folder.sums(where, page.cadence, page.day)
        return found if found["total_papers"] > len(page.blocks) else None

    def _indexes(self, where: Path, sheet: SiteMessage) -> dict[str, str]:
        entries = folder.entries(where, sheet.layout)
        return {name: fill(sheet.page, entries=entries, seen=frozenset()) for name, fill in self._index.items()}

    async def _keep(self, where: Path, slug: str, names: Sequence[str]) -> None:
        """Commit, and push if wanted. Raises GitError."""
        git = Git(where, self._settings.author)
        await git.commit(names, f"Papers of {slug}")
        if self._settings.git == "push":
            await git.push()

    def _sites(self) -> list[Path]:
        """The folders there are pages in; before there is any, the one below which they will be."""
        return sorted({path.parent.parent for path in self._root.glob("**/data/*.json")}) or [self._root]

    async def _looked_at(self, where: Path) -> Finding:
        wants = self._settings.git or ""
        fault = await Git(where, self._settings.author).fault(push=wants == "push")
        if fault:
            return Finding("SITE_GIT", ok=False, says=f"{fault}; mend that, or take SITE_GIT out")
        return Finding("SITE_GIT", ok=True, says=f"each edition in {where} becomes a {wants}")

    def _whose(self, error: OSError) -> Literal["recipient", "channel"]:
        """Whether one folder is at fault, or the place of all of them."""
        one = isinstance(error, FileExistsError | NotADirectoryError | IsADirectoryError | PermissionError)
        return "recipient" if one and self._root.is_dir() and os.access(self._root, os.W_OK) else "channel"


def make(settings: Settings, kit: Kit) -> Site:
    """The sites as configured."""
    return Site(kit.home / settings.folder.expanduser(), settings, kit)


def _is_folder(written: str) -> bool:
    return len(written) <= LONGEST and RECIPIENT.fullmatch(written) is not None


def _own_sums(page: Page) -> Day:
    """The sums of a page as far as it knows them itself."""
    found = period_of(Cadence.MONTH, page.day, [day_of(page)], {}) if page.day else {}
    return {**found, "days_crawled": len({block.paper.listed_on for block in page.blocks})}


def _home(url: str) -> Mapping[str, str] | None:
    """Where readers can follow or subscribe: the site's name, what it is called there, its address."""
    if not url:
        return None
    parts = urlsplit(url)
    host = (parts.hostname or "").removeprefix("www.")
    last = parts.path.strip("/").split("/")[-1]
    return {"site": "GitHub" if host == "github.com" else host, "name": last or host, "url": url}


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "replace")
