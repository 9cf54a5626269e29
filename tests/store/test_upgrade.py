"""A database of an earlier version is upgraded with everything in it, and never under a process that still runs."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from alembic import command
from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError

from bot.channel import LEAVE, MAIL
from bot.commands import registry
from bot.commands.command import split
from bot.delivery.dispatcher import Dispatcher
from bot.model import Address, Preferences, Reason, Status
from bot.render.words import words
from bot.rules.outcomes import ChannelState
from bot.runtime.locks import make_locks
from bot.signing import PATHS, SignedLinks, named
from bot.store import Store, StoreError, announcements, channel_state, closing_state, one_time_tokens, upgrade
from bot.store import subscriber_queries as readers
from bot.store.channel_memory import ChannelMemory
from bot.store.edition_report import reports
from bot.store.one_time_tokens import Purpose
from bot.store.schema import HEAD, deliveries, renderings, subscribers, suppression_list
from bot.store.signing_key import load_secret
from bot.store.text_tables import texts
from channels.discord.components import CustomId
from channels.discord.post_options import POST_OPTIONS
from channels.telegram import callbacks
from channels.telegram.message import PICTURE, RICH
from tests.store.recorded_0009 import BUTTONS, DUE, fill_recorded, put_recorded
from tests.support.command import papers_command
from tests.support.databases import URL, put_database
from tests.support.fake_channel import FakeChannel, settle
from tests.support.postgres import Postgres

OWED = ["di", "eve", "lee"]
"""Readers who are owed the edition of 3 November by the time they are tried again, and get it then."""

SQLITE_HOLDER = """
import json, os, sys
from filelock import FileLock
path, role = sys.argv[1], sys.argv[2]
lock = FileLock(f"{path}.{role.replace(':', '-')}.lock")
lock.acquire()
note = {"pid": os.getpid(), "host": "old", "since": "2025-11-03T22:00:00+00:00"}
open(f"{path}.{role.replace(':', '-')}.holder", "w").write(json.dumps(note))
print("held", flush=True)
sys.stdin.read()
"""
POSTGRES_HOLDER = """
import hashlib, os, sys
import psycopg
url, role, table = sys.argv[1:]
key = int.from_bytes(hashlib.sha256(f"morning-papers {role}".encode()).digest()[:8], "big") >> 1
name = f"process {os.getpid()} on old since 2025-11-03T22:00:00+00:00"
with psycopg.connect(url, autocommit=True) as connection:
    connection.execute("select set_config('application_name', %s, false)", (name,))
    if role != "standby":
        connection.execute("select pg_advisory_lock(%s)", (key,))
        connection.execute(f"insert into {table} values (%s, '{{}}')", (f"lock:{role}",))
    print("held", flush=True)
    sys.stdin.read()
    connection.execute(f"delete from {table} where key like 'lock:%%'")
"""
"""Processes that hold a lock exactly as the program did before the tables were renamed, without any of its code."""


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


@contextmanager
def old_program(store: Store, role: str, table: str = "facts") -> Iterator[int]:
    """A process of the earlier program that has a role's lock, and its mark in a table; its process id."""
    if store.path is not None:
        command = [sys.executable, "-c", SQLITE_HOLDER, str(store.path), role]
    else:
        url = store.engine.url.set(drivername="postgresql").render_as_string(hide_password=False)
        command = [sys.executable, "-c", POSTGRES_HOLDER, url, role, table]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        yield process.pid
        process.communicate("", timeout=30)


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


async def test_old_links_and_tokens_work(recorded: Store) -> None:
    await recorded.migrate()
    links = SignedLinks([await load_secret(recorded)], "https://papers.example")
    reader = BUTTONS["reader"]
    async with recorded.read() as connection:
        ada = await readers.get(connection, Address("fake", "ada"))
        assert ada is not None
        assert ada.created_at is not None
        assert named(reader) == (ada.id, int(ada.created_at.timestamp()))
    assert {purpose: links.read(purpose, token) for purpose, token in BUTTONS["tokens"].items()} == {
        LEAVE: reader, MAIL: reader, "settings": reader,
    }  # fmt: skip
    for name in PATHS.keys() & BUTTONS["links"].keys():
        assert urlsplit(BUTTONS["links"][name]).path.rpartition("/")[0] + "/" == PATHS[name]
    assert BUTTONS["links"].items() <= dict(links.of(reader, "en", "2025-11-03")).items()
    async with recorded.write() as connection:
        join = await one_time_tokens.use(connection, Purpose.JOIN, _key(links, "join"), DUE)
        opened = await one_time_tokens.use(connection, Purpose.OPEN, _key(links, "open"), DUE)
        again = await one_time_tokens.use(connection, Purpose.OPEN, _key(links, "open"), DUE)
        browser = await one_time_tokens.look(connection, Purpose.SESSION, BUTTONS["keys"]["session"], DUE)
        assert (await announcements.publish(connection, BUTTONS["keys"]["draft"], now=DUE)).readers
    assert join is not None
    assert join.payload == {"recipient": "new@example.org", "language": "ko"}
    assert opened is not None
    assert browser is not None
    assert opened.subscriber_id == browser.subscriber_id == ada.id
    assert again is None, "one-time tokens work once"


def _key(links: SignedLinks, purpose: str) -> str:
    key = links.read(purpose, BUTTONS["one_time"][purpose])
    assert key is not None
    return key


@pytest.mark.parametrize("line", BUTTONS["requests"].values(), ids=BUTTONS["requests"].keys())
def test_what_old_buttons_hold_is_understood(line: str) -> None:
    name, typed = split(line, words("en"), DUE)
    registry.commands((*POST_OPTIONS, PICTURE, RICH))[name].parse(typed)


class Kept(dict[str, str]):
    """A channel's memory."""

    async def get(self, key: str) -> str | None:  # type: ignore[override]
        return super().get(key)

    async def put(self, key: str, value: str) -> None:
        self[key] = value


async def test_old_telegram_buttons_and_deep_links_are_understood() -> None:
    memory = Kept(BUTTONS["telegram"]["memory"])
    for button in BUTTONS["telegram"]["callback_data"]:
        pressed = await callbacks.decode(button["data"], memory)
        assert pressed.line == button["line"]
        assert (await callbacks.encode(pressed, memory)) == button["data"], "where it answers, and for which chat"
    for line, url in BUTTONS["telegram"]["deep_links"].items():
        [payload] = parse_qs(urlsplit(url).query)["start"]
        assert callbacks.line_of_payload(payload) == line


def test_old_discord_buttons_are_understood() -> None:
    for button in BUTTONS["discord"]:
        target = CustomId.parse(button["custom_id"])
        assert target is not None
        assert (target.line, str(target)) == (button["line"], button["custom_id"])


@pytest.mark.parametrize("role", ["poll", "keep", "write", "deliver:fake", "listen:stuck", "owner:0123456789abcdef"])
async def test_tables_are_not_renamed_while_the_old_program_runs(recorded: Store, role: str) -> None:
    with old_program(recorded, role) as process:
        with pytest.raises(
            StoreError, match=f"^The database must be upgraded .*process {process} on old since"
        ) as told:
            await recorded.migrate()
        assert "\n" not in str(told.value)
        assert await recorded.version() == "0009"
        async with recorded.read() as connection:
            [running] = await upgrade.running(connection, recorded.path)
            assert f"process {process} on old" in running
    await recorded.migrate()
    assert await recorded.version() == HEAD


@pytest.mark.parametrize("role", ["poll", "deliver:fake", "owner:0123456789abcdef", "standby"])
async def test_leases_do_not_take_over_from_a_process_that_knows_none(
    postgres: Postgres, tmp_path: Path, role: str
) -> None:
    store = Store.open(postgres.url(postgres.create()), tmp_path)
    try:
        async with store.write() as connection:
            await connection.run_sync(lambda each: command.upgrade(upgrade.config(each), "0018"))
        with old_program(store, role, "system_state") as process:
            with pytest.raises(StoreError, match=f"process {process} on old since"):
                await store.migrate()
            async with store.read() as connection:
                assert f"process {process} on old" in str(await upgrade.running(connection, None))
        await store.migrate()
        assert await store.version() == HEAD
        ours = make_locks(store.engine.url, None)
        await ours.take("poll")
        async with store.read() as connection:
            assert len(await upgrade.running(connection, None)) == 1
        await ours.close()
    finally:
        await store.close()


async def test_a_standby_on_a_server_keeps_tables_from_being_renamed(postgres: Postgres, tmp_path: Path) -> None:
    store = Store.open(postgres.url(postgres.create()), tmp_path)
    try:
        await fill_recorded(store, tmp_path)
        with old_program(store, "standby"), pytest.raises(StoreError, match="must be upgraded"):
            await store.migrate()
    finally:
        await store.close()


@pytest.mark.parametrize("version", ["0010", "0011", "0012", "0013"])
async def test_a_server_at_a_later_version_is_upgraded_too(postgres: Postgres, tmp_path: Path, version: str) -> None:
    store = Store.open(postgres.url(postgres.create()), tmp_path)
    try:
        async with store.write() as connection:
            await connection.run_sync(lambda each: command.upgrade(upgrade.config(each), version))
        assert (await store.migrate() or "").startswith(f"database brought from {version} to {HEAD}")
    finally:
        await store.close()


def test_every_start_refuses_in_one_sentence_and_check_says_what_would_change(tmp_path: Path) -> None:
    put_recorded(tmp_path)
    store = Store.open("sqlite:///subscribers.db", tmp_path)
    with old_program(store, "poll") as process:
        for words_ in (["migrate"], ["editions"], ["run", "--once"]):
            refused = papers_command(tmp_path, *words_)
            assert refused.returncode == 1
            assert f"process {process} on old" in refused.stderr
            assert refused.stderr.count("\n") == 1
        planned = papers_command(tmp_path, "migrate", "--check")
        assert planned.returncode == 0
        assert f"Stop these first: process {process} on old" in planned.stdout
        plan = json.loads(papers_command(tmp_path, "migrate", "--check", "--json").stdout)
        assert f"process {process} on old" in plan["running"][0]
        assert (plan["needs"], plan["standstill"]) == (HEAD, True)
        assert [step["revision"] for step in plan["migrations"]][-1] == HEAD
    free = papers_command(tmp_path, "migrate", "--check").stdout
    assert [line[:5] for line in free.splitlines() if line[:4].isdigit()] == [
        f"{number:04}:" for number in range(10, int(HEAD) + 1)
    ]
    assert "Estimated time, for " in free
    assert "standby and web processes have to stop" in free
    assert not list(tmp_path.glob("*.bak")), "a check changes nothing"
    assert papers_command(tmp_path, "migrate").returncode == 0
    assert papers_command(tmp_path, "migrate", "--check").stdout == "The database is up to date.\n"
    assert json.loads(papers_command(tmp_path, "migrate", "--check", "--json").stdout)["migrations"] == []
    assert papers_command(tmp_path, "migrate", "--json").returncode == 2


def test_of_several_that_start_together_one_upgrades_and_all_go_on(tmp_path: Path) -> None:
    put_recorded(tmp_path)
    processes = [
        subprocess.Popen(
            [sys.executable, "-m", "bot", "migrate"],
            env={"PAPERS_HOME": str(tmp_path), "PATH": "/usr/bin:/bin"},
            cwd=Path(__file__).parents[2],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(3)
    ]
    said = [process.communicate(timeout=120) for process in processes]
    assert [process.returncode for process in processes] == [0, 0, 0], said
    assert len(list(tmp_path.glob("*.bak"))) == 1


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
