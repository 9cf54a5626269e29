"""A server of papers, and what reads from it, for tests of full texts."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bot.summaries.fulltext import paper_html
from bot.summaries.fulltext.library import FullText, FullTextLibrary
from tests.support.paper_server import (
    PaperServer,
    page,
)

ID = "2511.00001"
HTML, MARKDOWN, PDF = f"/html/{ID}", f"/papers/{ID}.md", f"/pdf/{ID}"
NOW = datetime(2025, 11, 5, 22, 30, tzinfo=UTC)
AT_ARXIV = "https://arxiv.org/html/2511.00001"


def opened(server: PaperServer, folder: Path, **more: Any) -> FullTextLibrary:
    return FullTextLibrary(folder, arxiv=server.url, hugging_face=server.url, **({"pause": 0} | more))


def kinds(text: FullText | None) -> list[str]:
    assert text is not None
    return [section.kind for section in text.sections]


def said(text: FullText | None) -> str:
    assert text is not None
    return "\n".join(f"{section.title}\n{section.text}" for section in text.sections)


def read(*more: str, **how: Any) -> FullText:
    sections, figures = paper_html.read(page(*more, **how).encode(), AT_ARXIV)
    return FullText("html", sections, figures)
