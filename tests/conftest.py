"""Fixtures and options for all tests: databases, the recorded days, `--long` and `--fast`."""

import asyncio
import os
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import hypothesis
import pytest

from bot.runtime.locks import Locks, make_locks
from bot.store import Store
from tests.support.databases import URL, put_database
from tests.support.postgres import Postgres, running
from tests.support.slow_tests import is_slow, limit_examples

# The time of an example depends on the load of the machine, so it has no deadline.
hypothesis.settings.register_profile("papers", deadline=None)
hypothesis.settings.load_profile("papers")

LONGEST = 3600
"""Seconds after which a test with its full figures hangs; the others have the time of pyproject.toml."""


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--long", action="store_true", help="the full figures: all recorded days, every kill")
    parser.addoption("--fast", action="store_true", help="only what takes no process, browser, PostgreSQL or recording")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """With `--fast`, leave out slow tests, and try few examples of each property; with `--long`, wait long for each."""
    if config.getoption("--long"):
        for item in items:
            if item.get_closest_marker("timeout") is None:
                item.add_marker(pytest.mark.timeout(LONGEST))
    if config.getoption("--fast"):
        slow = [item for item in items if is_slow(item)]
        config.hook.pytest_deselected(items=slow)
        left_out = set(slow)
        items[:] = [item for item in items if item not in left_out]
        limit_examples(items)


@pytest.fixture(scope="session")
def long(request: pytest.FixtureRequest) -> bool:
    return bool(request.config.getoption("--long"))


@pytest.fixture(scope="session")
def reference() -> Path:
    """The folder of recorded days, named by PAPERS_REFERENCE."""
    named = os.environ.get("PAPERS_REFERENCE")
    if not named:
        pytest.skip("PAPERS_REFERENCE is not set")
    return Path(named)


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Postgres]:
    """A real PostgreSQL server; without one tests are skipped, except in CI."""
    with tempfile.TemporaryDirectory(prefix="papers") as folder:  # a socket's path has to be short
        try:
            server = running(Path(folder))
            with server as started:
                yield started
        except LookupError as error:
            if os.environ.get("CI"):
                raise
            pytest.skip(str(error))


@pytest.fixture(scope="session")
def migrated(postgres: Postgres) -> str:
    """The name of a PostgreSQL database at the newest migration, for copying."""
    name = postgres.create()

    async def migrate() -> None:
        store = Store.open(postgres.url(name), Path())
        await store.migrate()
        await store.close()

    asyncio.run(migrate())
    return name


@pytest.fixture(params=["sqlite", "postgres"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of an empty, migrated database: once on SQLite, once on PostgreSQL."""
    if request.param == "sqlite":
        put_database(tmp_path)
        yield URL
        return
    server: Postgres = request.getfixturevalue("postgres")
    with server.borrowed(template=request.getfixturevalue("migrated")) as name:
        yield server.url(name)


@pytest.fixture
async def store(database: str, tmp_path: Path) -> AsyncIterator[Store]:
    """A real database of its own, migrated."""
    opened = Store.open(database, tmp_path)
    yield opened
    await opened.close()


@pytest.fixture
async def locks(store: Store) -> AsyncIterator[Locks]:
    """The locks of a process that works on that database."""
    made = make_locks(store.engine.url, store.path)
    yield made
    await made.close()
