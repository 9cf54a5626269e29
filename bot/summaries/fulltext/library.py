"""The whole text of a paper, from the best source that has it: arXiv's HTML, Hugging Face's Markdown, the PDF."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self, get_args
from weakref import WeakValueDictionary

from bot.model import ARXIV_ID
from bot.runtime.http import TOTAL, Fetcher, FetchError, allowed, origin
from bot.summaries.fulltext import paper_html, paper_markdown, paper_pdf
from bot.summaries.fulltext.file_cache import LARGEST, MISSING, FileCache
from bot.summaries.fulltext.sections import DocumentError, Figure, FullText, Kind, Section, excerpt

__all__ = ["Figure", "FullText", "FullTextLibrary", "Section", "excerpt"]

log = logging.getLogger(__name__)

Source = Literal["html", "markdown", "pdf"]
SOURCES: Sequence[Source] = get_args(Source)
"""From the best to the last resort."""

PAUSE = 3.0
"""Seconds between two requests to one host (https://info.arxiv.org/help/api/tou.html)."""
LARGEST_BODY = {"html": 8 << 20, "markdown": 2 << 20, "pdf": 25 << 20}
"""Bytes of one document, once unpacked."""

_FORM = 1
"""Of what is kept on disk; another number makes it be fetched again."""
_KINDS = frozenset(get_args(Kind))


class FullTextLibrary:
    """Gives the texts of papers while it is entered, and keeps them in `folder`; `pause` is in seconds, per host."""

    def __init__(
        self,
        folder: Path,
        *,
        arxiv: str = "https://arxiv.org",
        hugging_face: str = "https://huggingface.co",
        pause: float = PAUSE,
        total: float = TOTAL,
        largest: int = LARGEST,
    ) -> None:
        self.fetcher = Fetcher(pause=pause, total=total)
        """Also used to fetch pictures from the same hosts, so that the pause between requests holds for both."""
        self._addresses = {
            "html": f"{arxiv}/html/{{}}",
            "markdown": f"{hugging_face}/papers/{{}}.md",
            "pdf": f"{arxiv}/pdf/{{}}",
        }
        self._arxiv = arxiv
        self._file_cache = FileCache(folder, largest)
        self._papers: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._reading = asyncio.Lock()

    async def __aenter__(self) -> Self:
        await self.fetcher.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.fetcher.__aexit__(kind, error, trace)

    async def get(self, paper_id: str, now: datetime) -> FullText | None:
        """The paper's text from the first source that has it; None where there is nothing but its abstract.

        Never raises for what was answered. What a source has, or that it has nothing, is remembered for a while;
        that it could not be asked is not.
        """
        if not (paper_id.isascii() and ARXIV_ID.fullmatch(paper_id)):
            log.warning("no arXiv id, so no text of it", extra={"paper": paper_id[:20]})
            return None
        async with self._papers.setdefault(paper_id, asyncio.Lock()):
            for source in SOURCES:
                name = f"{paper_id}.{source}.json"
                kept = await asyncio.to_thread(self._file_cache.look, name, now)
                if kept is None:
                    continue  # it had nothing not long ago
                text = None if kept is MISSING else _restored(kept, source)
                if text := text or await self._ask(paper_id, source, name, now):
                    return text
        return None

    async def _ask(self, paper_id: str, source: Source, name: str, now: datetime) -> FullText | None:
        """The text as `source` has it now, kept; None where it has none."""
        address = self._addresses[source].format(paper_id)
        # Of huggingface.co and of arxiv.org alike: sent on within the host, never elsewhere.
        home = origin(address) or ""
        try:
            found = await self.fetcher.get(address, now, largest=LARGEST_BODY[source], within={home})
            text = await self._read(source, found.body, found.url)
        except (FetchError, DocumentError) as error:
            log.warning(
                "a source has no text of a paper", extra={"paper": paper_id, "source": source, "reason": str(error)}
            )
            if not error.temporary:
                await asyncio.to_thread(self._file_cache.put, name, None, now)
            return None
        await asyncio.to_thread(self._file_cache.put, name, {"form": _FORM} | asdict(text), now)
        return text

    async def _read(self, source: Source, body: bytes, url: str) -> FullText:
        figures: Sequence[Figure] = ()
        match source:
            case "html":
                sections, figures = await asyncio.to_thread(_guarded_html, body, url)
            case "markdown":
                sections, figures = await asyncio.to_thread(paper_markdown.read, body)
            case "pdf":
                async with self._reading:
                    sections = await paper_pdf.read(body)
        home = {origin(self._arxiv) or ""}
        return FullText(source, sections, tuple(figure for figure in figures if allowed(figure.url, home)))


def _guarded_html(body: bytes, url: str) -> tuple[Sequence[Section], Sequence[Figure]]:
    try:
        return paper_html.read(body, url)
    except DocumentError:
        raise
    except Exception as error:  # noqa: BLE001 - the standard library's parser asserts what strangers need not keep to
        raise DocumentError(f"it cannot be read ({type(error).__name__})") from None


def _restored(kept: Any, source: Source) -> FullText | None:
    """What was kept, if it is whole and of this form."""
    try:
        if kept["form"] != _FORM or kept["source"] != source:
            return None
        sections = tuple(Section(**each) for each in kept["sections"])
        figures = tuple(Figure(**each) for each in kept["figures"])
    except (TypeError, KeyError):
        return None
    said = [word for each in sections for word in (each.title, each.text)]
    said += [word for each in figures for word in (each.url, each.caption)]
    whole = all(isinstance(word, str) for word in said) and all(each.kind in _KINDS for each in sections)
    return FullText(source, sections, figures) if whole else None
