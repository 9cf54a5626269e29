"""A database and buttons as version 0009 of the database and its program wrote them, before the tables were renamed."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from alembic import command
from sqlalchemy import Connection, MetaData, create_engine, text
from sqlalchemy import inspect as inspected

from bot.store import Store, upgrade

FIXTURES = Path(__file__).parent / "fixtures"
DUE = datetime(2025, 11, 4, 8, 1, 20, tzinfo=UTC)
"""Shortly after the database was recorded, with several deliveries owed."""
BUTTONS: dict[str, Any] = json.loads((FIXTURES / "buttons_0009.json").read_text(encoding="utf-8"))


def put_recorded(folder: Path) -> None:
    """Put the recorded database into a folder, as `subscribers.db`."""
    with closing(sqlite3.connect(folder / "subscribers.db")) as made:
        made.executescript((FIXTURES / "database_0009.sql").read_text(encoding="utf-8"))
        made.execute("pragma journal_mode=wal")


async def fill_recorded(store: Store, folder: Path) -> None:
    """Fill an empty database of any kind with the recorded rows, under the tables of version 0009."""
    put_recorded(folder)

    def fill(connection: Connection) -> None:
        command.upgrade(upgrade.config(connection), "0009")
        connection.execute(text("set local time zone 'UTC'"))
        here, there = create_engine(f"sqlite:///{folder / 'subscribers.db'}"), MetaData()
        with here.connect() as recorded:
            there.reflect(recorded)
            ours = MetaData()
            ours.reflect(connection)
            for table in ours.sorted_tables:
                if table.name == "alembic_version":
                    continue
                rows = [dict(row) for row in recorded.execute(there.tables[table.name].select()).mappings()]
                if rows:
                    connection.execute(table.insert(), rows)
                if "id" in table.c and inspected(table).c.id.autoincrement is True:  # papers have ids of their own
                    connection.execute(text(f"select setval(pg_get_serial_sequence('{table.name}', 'id'), 1000)"))
        here.dispose()

    async with store.write() as connection:
        await connection.run_sync(fill)
