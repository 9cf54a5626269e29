"""Fixtures of databases that an earlier version wrote."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.store import Store
from tests.store.recorded_0009 import fill_recorded, put_recorded
from tests.support.postgres import Postgres


@pytest.fixture(params=["sqlite", "postgres"])
async def recorded(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Store]:
    """The recorded database, not upgraded yet, on both kinds of database."""
    if request.param == "sqlite":
        put_recorded(tmp_path)
        opened = Store.open("sqlite:///subscribers.db", tmp_path)
        yield opened
        await opened.close()
        return
    server: Postgres = request.getfixturevalue("postgres")
    opened = Store.open(server.url(server.create()), tmp_path)
    await fill_recorded(opened, tmp_path)
    yield opened
    await opened.close()
