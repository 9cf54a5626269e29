"""Servers that have papers, and the library that reads them there."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.summaries.fulltext.library import FullTextLibrary
from tests.support.full_texts import opened
from tests.support.paper_server import PaperServer


@pytest.fixture
async def server() -> AsyncIterator[PaperServer]:
    async with PaperServer() as server:
        yield server


@pytest.fixture
async def texts(server: PaperServer, tmp_path: Path) -> AsyncIterator[FullTextLibrary]:
    """The library with an empty cache."""
    async with opened(server, tmp_path) as texts:
        yield texts
