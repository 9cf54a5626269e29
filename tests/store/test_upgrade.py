"""A database of an earlier version is upgraded with everything in it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError

from bot.delivery.dispatcher import Dispatcher
from bot.model import Address, Preferences, Reason, Status
from bot.rules.outcomes import ChannelState
from bot.runtime.locks import make_locks
from bot.store import Store, StoreError, announcements, channel_state, closing_state
from bot.store import subscriber_queries as readers
from bot.store.channel_memory import ChannelMemory
from bot.store.edition_report import reports
from bot.store.schema import HEAD, deliveries, renderings, subscribers, suppression_list
from bot.store.signing_key import load_secret
from bot.store.text_tables import texts
from tests.store.recorded_0009 import BUTTONS, DUE
from tests.support.databases import URL, put_database
from tests.support.fake_channel import FakeChannel, settle

OWED = ["di", "eve", "lee"]
"""Readers who are owed the edition of 3 November by the time they are tried again, and get it then."""


async def states(store: Store, day: date) -> dict[str | None, tuple[str, str | None]]:
    """State and reason code of every delivery of an edition, by recipient."""
    [report] = await _reports(store, day)
    assert report
    async with store.read() as connection:
        query = (
            select(subscribers.c.recipient, deliveries.c.state, deliveries.c.reason_code)
            .select_from(deliveries)
            .outerjoin(subscribers, subscribers.c.id == deliveries.c.subscriber_id)
            .where(deliveries.c.channel == "fake", deliveries.c.edition_id == (3 if day.day == 3 else 2))
        )
        return {row.recipient: (row.state, row.reason_code) for row in await connection.execute(query)}


async def _reports(store: Store, day: date | None = None) -> Sequence[bool]:
    async with store.read() as connection:
        return [report.adds_up for report in await reports(connection, day=day)]


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
async def test_a_table_that_others_refer_to_can_be_made_again_with_its_rows(store: Store) -> None:
    """SQLite can change a constraint only so; a row of subscribers refers to one of choices."""
    async with store.write() as connection:
        await readers.add(connection, Address("fake", "ada"), Preferences(), now=datetime.now(UTC))
    async with store.rebuild() as connection:
        made = await connection.scalar(text("select sql from sqlite_master where name = 'choices'"))
        for statement in (
            str(made).replace("choices", "copied", 1),
            "insert into copied select * from choices",
            "drop table choices",
            "alter table copied rename to choices",
        ):
            await connection.exec_driver_sql(statement)
    async with store.read() as connection:
        assert await readers.get(connection, Address("fake", "ada")) is not None


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
async def test_rows_that_refer_to_nothing_undo_an_upgrade(store: Store) -> None:
    async with store.write() as connection:
        await readers.add(connection, Address("fake", "ada"), Preferences(), now=datetime.now(UTC))
    with pytest.raises(StoreError, match="subscribers has rows that refer to nothing"):
        async with store.rebuild() as connection:
            await connection.exec_driver_sql("delete from choices")
    async with store.read() as connection:
        assert await readers.get(connection, Address("fake", "ada")) is not None
    with pytest.raises(IntegrityError):  # foreign keys are enforced again
        async with store.write() as connection:
            await connection.exec_driver_sql("delete from choices")


async def test_every_row_is_there_after_an_upgrade_and_counts_add_up(recorded: Store) -> None:
    assert (await recorded.migrate() or "").startswith(f"database brought from 0009 to {HEAD}")
    assert await recorded.version() == HEAD
    assert await _reports(recorded) == [True] * 3
    async with recorded.read() as connection:
        state = await channel_state.load(connection, "stuck")
        ledger = await closing_state.load(connection)
        memory = [await ChannelMemory(recorded, name).get(key) for name, key in (("telegram", "offset"), ("fake", "x"))]
        fallen = (await connection.execute(select(renderings.c.rejections, renderings.c.fell_back))).all()
        suppressed = (
            await connection.execute(select(suppression_list.c.channel, suppression_list.c.reason_code))
        ).all()
        written_texts = (await connection.scalars(select(texts.c.verdict).order_by(texts.c.tokens))).all()
        announced = await announcements.written_by(connection, "fake:ada")
    assert state == ChannelState(
        failures=2,
        halted_at=datetime(2025, 11, 4, 7, tzinfo=UTC),
        halted_for="all rejected",
        probe_at=datetime(2025, 11, 4, 9, tzinfo=UTC),
        rejected_in_a_row=10,
        spam_domains=("3:strict.example", "3:other.example"),
    )
    assert (ledger.settled, ledger.polled_at) == (date(2025, 11, 3), datetime(2025, 11, 3, 22, tzinfo=UTC))
    assert memory == ["4711", None]
    assert [tuple(row) for row in fallen] == [(1, False)]
    assert sorted(map(tuple, suppressed)) == [("email", "other"), ("fake", "complained"), ("fake", "removed")]
    assert written_texts == ["rejected", "accepted"]
    assert [text for _, text in announced] == ["We move house on Friday."]
    assert await load_secret(recorded) == BUTTONS["secret"]


async def test_reasons_get_their_codes(recorded: Store) -> None:
    await recorded.migrate()
    assert await states(recorded, date(2025, 11, 3)) == {
        "ada": ("sent", None),
        "bo": ("gone", "unreachable"),
        "cy": ("barred", "no_right"),
        "di": ("owed", "other"),
        "eve": ("owed", "not_reached"),
        "jan": ("unknown", "other"),
        "lee": ("owed", "other"),
        None: ("sent", None),
        "pia": ("skipped", "no_match"),
        "fay": ("skipped", "paused"),
        "gus": ("skipped", "unsubscribed"),
        "hal": ("skipped", "complained"),
        "ivy": ("skipped", "removed"),
        "ned": ("owed", None),
        "max": ("sent", None),
        "zed": ("sending", None),
    }
    assert {code for _, code in (await states(recorded, date(2025, 11, 2))).values()} == {
        None, "superseded", "not_reached", "no_match",
    }  # fmt: skip
    async with recorded.read() as connection:
        found = {}
        for name in ("ada", "bo", "cy", "fay", "gus", "hal", "ivy"):
            reader = await readers.get(connection, Address("fake", name))
            assert reader is not None
            found[name] = (reader.status, reader.reason_code)
    assert found == {
        "ada": (Status.ACTIVE, None),
        "bo": (Status.GONE, Reason.UNREACHABLE),
        "cy": (Status.PAUSED, Reason.NO_RIGHT),
        "fay": (Status.PAUSED, Reason.PAUSED),
        "gus": (Status.UNSUBSCRIBED, Reason.UNSUBSCRIBED),
        "hal": (Status.UNSUBSCRIBED, Reason.COMPLAINED),
        "ivy": (Status.UNSUBSCRIBED, Reason.REMOVED),
    }


async def test_what_was_owed_goes_out_once_and_what_was_in_flight_is_repeated(recorded: Store) -> None:
    await recorded.migrate()
    channel = FakeChannel()
    locks = make_locks(recorded.engine.url, recorded.path)
    dispatcher = Dispatcher(recorded, channel, locks)
    for hours in (0, 0.05, 0.2, 1, 3, 6):
        await settle(dispatcher, DUE + timedelta(hours=hours, seconds=20))
    await locks.close()
    assert Counter(channel.reached) == Counter([*OWED, "ned", "jan", "zed"])
    assert {to: personal.repeat for to, _, personal in channel.sent if to in {"jan", "zed"}} == {"jan": 1, "zed": 1}
    assert {name for name, (state, _) in (await states(recorded, date(2025, 11, 3))).items() if state == "sent"} == {
        "ada", "max", None, *OWED, "ned", "jan", "zed",
    }  # fmt: skip
    assert await _reports(recorded) == [True] * 3


async def test_a_chat_that_was_paused_for_lack_of_a_right_resumes_and_a_reader_who_paused_does_not(
    recorded: Store,
) -> None:
    await recorded.migrate()
    async with recorded.write() as connection:
        assert await readers.resume_barred(connection, Address("fake", "cy")), "paused for lack of the right to post"
        assert not await readers.resume_barred(connection, Address("fake", "fay")), "paused by the reader"


def modes(folder: Path) -> dict[str, int]:
    return {file.name: file.stat().st_mode & 0o777 for file in folder.iterdir()}


def test_three_copies_are_kept_for_their_owner_alone(tmp_path: Path) -> None:
    put_database(tmp_path)
    (tmp_path / "subscribers.db").chmod(0o644)
    for year in range(2020, 2024):
        (tmp_path / f"subscribers.db.{year}0101T000000Z.bak").touch()
    copied = Store.open(URL, tmp_path)._copy()
    assert copied is not None
    assert modes(tmp_path)[copied.name] == 0o600
    kept = sorted(name for name in modes(tmp_path) if name.endswith(".bak"))
    assert [name[15:19] for name in kept] == ["2022", "2023", copied.name[15:19]]


async def test_a_new_database_is_its_owners_alone(tmp_path: Path) -> None:
    store = Store.open(URL, tmp_path)
    await store.migrate()
    found = modes(tmp_path)
    await store.close()
    assert set(found) >= {"subscribers.db", "subscribers.db-wal"}
    assert {mode for name, mode in found.items() if "lock" not in name} == {0o600}
