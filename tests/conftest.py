"""What every test may ask for: the recorded days, and whether the full figures are wanted."""

import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.store import Store


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--long", action="store_true", help="the full figures: all recorded days, every kill")


@pytest.fixture(scope="session")
def long(request: pytest.FixtureRequest) -> bool:
    return bool(request.config.getoption("--long"))


@pytest.fixture(scope="session")
def reference() -> Path:
    """The folder of recordings, named by PAPERS_REFERENCE."""
    named = os.environ.get("PAPERS_REFERENCE")
    if not named:
        pytest.skip("PAPERS_REFERENCE is not set")
    return Path(named)


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    """A real SQLite file of its own, migrated."""
    opened = Store.open("sqlite:///subscribers.db", tmp_path)
    await opened.migrate()
    yield opened
    await opened.close()
