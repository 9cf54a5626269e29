"""`papers` as people run it: real processes, a real feed on this machine, exit codes, and never a traceback."""

import asyncio
import json
import os
import signal
import sqlite3
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from bot.store.schema import HEAD
from tests.support.command import run
from tests.support.feed_faults import Fault, Occasion
from tests.support.feed_server import FeedServer, row

ROOT = Path(__file__).resolve().parents[2]
DAY = timedelta(days=1)
MONDAY, TUESDAY, WEDNESDAY = date(2025, 11, 3), date(2025, 11, 4), date(2025, 11, 5)
COMMANDS = ["run", "today", "publish", "editions", "preview", "doctor", "migrate"]
HANGING = 30
"""Seconds after which a process is taken to hang."""


@dataclass
class Done:
    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


@dataclass
class Papers:
    """The command, in a home of its own, reading a feed of its own."""

    home: Path
    environ: dict[str, str] = field(default_factory=dict)

    def environment(self, given: Mapping[str, str]) -> dict[str, str]:
        own = {
            "PATH": os.environ["PATH"],
            "HOME": str(self.home),
            "PAPERS_HOME": str(self.home),
            "PYTHONPATH": str(ROOT),
            "PYTHONWARNINGS": "error",
        }
        return {**own, **self.environ, **given}

    async def start(self, *arguments: str, **given: str) -> asyncio.subprocess.Process:
        return await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "bot",
            *arguments,
            cwd=self.home,
            env=self.environment(given),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )

    async def __call__(self, *arguments: str, **given: str) -> Done:
        done = await asyncio.to_thread(run, arguments, self.environment(given), self.home)
        return checked(done.returncode, done.stdout, done.stderr)

    def files(self) -> list[str]:
        return sorted(file.name for file in (self.home / "outbox").glob("*"))


def checked(code: int, out: bytes, err: bytes) -> Done:
    done = Done(code, out.decode(), err.decode())
    assert "Traceback" not in done.out + done.err, done.err
    return done


def last_weekday(before: date) -> date:
    day = before - DAY
    while day.weekday() >= 5:
        day -= DAY
    return day


TODAY = datetime.now(UTC).date()
FINISHED = last_weekday(TODAY)
EARLIER = last_weekday(FINISHED)


@pytest.fixture
async def server() -> AsyncIterator[FeedServer]:
    """Three days long ago, and the last two weekdays before today."""
    days = {
        MONDAY: [row("2511.00101", day=MONDAY), row("2511.00102", day=MONDAY, votes=7, title="The <best> & only")],
        TUESDAY: [row("2511.00201", day=TUESDAY)],
        WEDNESDAY: [row("2511.00301", day=WEDNESDAY)],
        EARLIER: [row("2511.00401", day=EARLIER, hour=0)],
        FINISHED: [row(f"2511.0050{n}", day=FINISHED, hour=0, votes=n) for n in range(5)],
    }
    async with FeedServer(days, clock=lambda: datetime.now(UTC)) as server:
        yield server


@pytest.fixture
def papers(server: FeedServer, tmp_path: Path) -> Papers:
    return Papers(tmp_path, {"FEED_URL": server.url})


async def rehearse(papers: Papers, server: FeedServer, now: str) -> Done:
    server.now = datetime.fromisoformat(now)
    return await papers("run", "--once", "--now", now)


# The main job


async def test_a_first_start_delivers_the_newest_finished_day_and_a_second_repeats_nothing(papers: Papers) -> None:
    first = await papers("run", "--once")
    assert first.code == 0, first.err
    assert "Paper 2511.00504" in first.out
    assert papers.files() == [f"{FINISHED}.local.html", f"{FINISHED}.local.txt"]

    again = await papers("run", "--once")
    assert again.code == 0, again.err
    assert "Paper 2511.00504" not in again.out
    [edition] = (await papers("editions", "--json")).json
    assert (edition["day"], edition["papers"], edition["audience"]) == (f"{FINISHED}", 5, 1)
    assert edition["adds_up"] is True
    assert edition["channels"]["outbox"]["sent"] == 1


async def test_a_rehearsal_publishes_day_after_day(papers: Papers, server: FeedServer) -> None:
    for now in ("2025-11-03T22:00:00Z", "2025-11-04T22:00:00Z", "2025-11-05T08:00:00Z", "2025-11-05T22:00:00Z"):
        assert (await rehearse(papers, server, now)).code == 0
    found = (await papers("editions", "--json")).json
    assert {each["day"]: each["channels"]["outbox"]["sent"] for each in found} == {
        "2025-11-03": 1, "2025-11-04": 1, "2025-11-05": 0,
    }  # fmt: skip
    assert all(each["adds_up"] for each in found)
    [one] = (await papers("editions", "--date", "2025-11-04", "--json")).json
    assert one["day"] == "2025-11-04"
    plain = await papers("editions")
    assert (plain.code, "1 sent" in plain.out, "1 owed" in plain.out) == (0, True, True)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_stops_it_within_five_seconds(papers: Papers, number: signal.Signals) -> None:
    process = await papers.start("run")
    assert process.stdout is not None
    out = b""
    async with asyncio.timeout(HANGING):
        while b"closes at" not in out:
            line = await process.stdout.readline()
            assert line, "it ended by itself"
            out += line
    process.send_signal(number)
    async with asyncio.timeout(5):
        rest, err = await process.communicate()
    done = checked(process.returncode or 0, out + rest, err)
    assert process.returncode == 0, done.err
    assert "Paper 2511.00504" in done.out
    [edition] = (await papers("editions", "--json")).json
    assert edition["channels"]["outbox"]["sent"] == 1


async def test_a_signal_during_a_poll_stops_it_within_five_seconds(papers: Papers, server: FeedServer) -> None:
    asked = asyncio.Event()

    async def hang(occasion: Occasion) -> web.StreamResponse:
        asked.set()
        return await Fault.hang.answer(occasion)

    server.fault = Fault("hang, and say so", hang)
    process = await papers.start("run")
    async with asyncio.timeout(HANGING):
        await asked.wait()
    process.send_signal(signal.SIGTERM)
    async with asyncio.timeout(5):
        out, err = await process.communicate()
    assert process.returncode == 0, checked(process.returncode or 0, out, err).err
    assert (await papers("editions", "--json")).json == []


async def test_a_first_start_without_the_feed_shows_a_sample_and_retries(papers: Papers, server: FeedServer) -> None:
    server.fault = Fault.status(503)
    process = await papers.start("run")
    assert process.stdout is not None
    out = ""
    async with asyncio.timeout(HANGING):
        while "closes at" not in out:
            line = await process.stdout.readline()
            assert line, "it ended by itself"
            out += line.decode()
    process.send_signal(signal.SIGTERM)
    rest, err = await process.communicate()
    checked(process.returncode or 0, rest, err)
    assert process.returncode == 0
    assert "503" in out
    assert "Recursive Multi-Agent Systems" in out
    assert "sample" in out.casefold()
    assert papers.files() == []

    server.fault = None
    once = await papers("run", "--once")
    assert once.code == 0, once.err
    assert papers.files() == [f"{FINISHED}.local.html", f"{FINISHED}.local.txt"]


async def test_once_without_the_feed_says_so_and_exits_1(papers: Papers, server: FeedServer) -> None:
    server.fault = Fault.html_page
    done = await papers("run", "--once")
    assert done.code == 1
    assert "feed could not be read" in done.err
    assert papers.files() == []


async def test_without_the_feed_it_still_delivers_what_is_due(papers: Papers, server: FeedServer) -> None:
    await rehearse(papers, server, "2025-11-03T22:00:00Z")
    await rehearse(papers, server, "2025-11-04T22:00:00Z")
    server.fault = Fault.status(503)
    assert (await rehearse(papers, server, "2025-11-05T08:00:00Z")).code == 1
    assert "2025-11-04.local.txt" in papers.files()


async def test_jobs_can_run_one_by_one(papers: Papers) -> None:
    assert (await papers("run", "--once", "--only", "poll")).code == 0
    assert papers.files() == []
    assert (await papers("run", "--once", "--only", "deliver")).code == 0
    assert papers.files() == [f"{FINISHED}.local.html", f"{FINISHED}.local.txt"]


async def test_a_second_process_for_the_same_jobs_says_so_and_exits_3(papers: Papers) -> None:
    running = await papers.start("run")
    assert running.stdout is not None
    try:
        async with asyncio.timeout(HANGING):
            while b"closes at" not in await running.stdout.readline():
                pass
        second = await papers("run", "--once")
        assert second.code == 3
        assert "Another process" in second.err
        assert (await papers("editions", "--json")).code == 0
    finally:
        running.send_signal(signal.SIGTERM)
        await running.communicate()


# The commands that show


async def test_today_shows_the_list_of_a_day_ranked(papers: Papers) -> None:
    done = await papers("today", "--date", "2025-11-03")
    assert done.code == 0, done.err
    assert done.out.index("The <best> & only") < done.out.index("Paper 2511.00101")


async def test_today_in_another_language_shows_the_first_papers(papers: Papers) -> None:
    done = await papers("today", "--date", "2025-11-03", "--language", "ko", "--top", "1")
    assert "The <best> & only" in done.out
    assert "Paper 2511.00101" not in done.out
    assert any("가" <= character <= "힣" for character in done.out)


async def test_today_as_json_is_the_same_list(papers: Papers) -> None:
    every = (await papers("today", "--date", "2025-11-03", "--json")).json
    assert [each["id"] for each in every] == ["2511.00102", "2511.00101"]
    first = (await papers("today", "--date", "2025-11-03", "--json", "--top", "1")).json
    assert [each["id"] for each in first] == ["2511.00102"]


async def test_today_without_papers_shows_the_latest_edition(papers: Papers, server: FeedServer) -> None:
    await papers("run", "--once")
    done = await papers("today")
    assert done.code == 0, done.err
    assert "Paper 2511.00504" in done.out
    assert str(FINISHED.day) in done.out


async def test_today_without_the_feed_shows_what_is_stored_and_exits_1(papers: Papers, server: FeedServer) -> None:
    await papers("today", "--date", "2025-11-03")
    server.fault = Fault.status(503)
    done = await papers("today", "--date", "2025-11-03")
    assert done.code == 1
    assert "The <best> & only" in done.out
    assert "503" in done.err


async def test_a_preview_is_exactly_what_is_sent_and_sends_nothing(papers: Papers) -> None:
    await papers("run", "--once")
    sent = (papers.home / "outbox" / f"{FINISHED}.local.html").read_text(encoding="utf-8")
    before = papers.files()
    done = await papers("preview", "--channel", "outbox", "--part", "html")
    assert done.code == 0, done.err
    assert done.out.strip() == sent.strip()
    both = await papers("preview", "--channel", "outbox", "--date", f"{FINISHED}", "--language", "ko")
    assert "--- text ---" in both.out
    assert 'lang="ko"' in both.out
    assert papers.files() == before


# The commands that keep house


async def test_a_past_day_is_published_for_the_archive_alone(papers: Papers) -> None:
    await papers("run", "--once")
    done = await papers("publish", "--date", "2025-11-03")
    assert (done.code, "2025-11-03: 2 papers" in done.out) == (0, True), done.err
    [edition] = (await papers("editions", "--date", "2025-11-03", "--json")).json
    assert (edition["audience"], edition["adds_up"], edition["channels"]) == (0, True, {})
    again = await papers("publish", "--date", "2025-11-03")
    assert (again.code, "Nothing was published" in again.out) == (0, True)


async def test_a_past_day_is_delivered_on_request(papers: Papers) -> None:
    await papers("run", "--once")
    done = await papers("publish", "--date", "2025-11-03", "--deliver")
    assert done.code == 0, done.err
    [edition] = (await papers("editions", "--date", "2025-11-03", "--json")).json
    assert (edition["audience"], edition["adds_up"]) == (1, True)
    assert sum(count for state, count in edition["channels"]["outbox"].items() if "seconds" not in state) == 1


async def test_publish_without_the_feed_says_so(papers: Papers, server: FeedServer) -> None:
    server.fault = Fault.bare_number
    for arguments in (["publish"], ["publish", "--date", "2025-11-03"]):
        done = await papers(*arguments)
        assert (done.code, done.out) == (1, "")
        assert "feed" in done.err


async def test_the_doctor_finds_no_fault_in_a_new_or_used_home(papers: Papers) -> None:
    fresh = await papers("doctor")
    assert fresh.code == 0, fresh.out
    await papers("run", "--once")
    used = await papers("doctor", "--json")
    assert used.code == 0, used.out
    assert {each["subject"] for each in used.json} >= {"settings", "database", "feed"}
    assert all(each["ok"] for each in used.json)


async def test_the_doctor_names_every_fault_at_once(papers: Papers, server: FeedServer) -> None:
    server.fault = Fault.status(404)
    (papers.home / ".env").write_text("DEFAULT_LANGAUGE=ko\n", encoding="utf-8")
    (papers.home / "file").write_text("in the way", encoding="utf-8")
    (papers.home / "subscribers.db").write_text("no database at all, whatever its name says" * 30, encoding="utf-8")
    done = await papers("doctor", "--json", OUTBOX_DIR="file/outbox", DEFAULT_LANGUAGE="xx")
    assert done.code == 1
    wrong = {each["subject"]: each["says"] for each in done.json if not each["ok"]}
    assert set(wrong) >= {"database", "feed", ".env", "OUTBOX_DIR", "DEFAULT_LANGUAGE"}
    assert "404" in wrong["feed"]
    assert "DEFAULT_LANGUAGE" in wrong[".env"]


async def test_the_doctor_names_a_wrong_setting(papers: Papers) -> None:
    done = await papers("doctor", POLL_INTERVAL="often")
    assert done.code == 1
    assert "POLL_INTERVAL" in done.out


async def test_migrate_creates_the_database_and_then_finds_it_up_to_date(papers: Papers) -> None:
    made = await papers("migrate")
    assert (made.code, made.out.strip()) == (0, f"database made, version {HEAD}")
    again = await papers("migrate")
    assert (again.code, again.out.strip()) == (0, "The database is up to date.")


async def test_a_newer_database_is_refused_by_every_command_that_needs_it(papers: Papers) -> None:
    await papers("migrate")
    with closing(sqlite3.connect(papers.home / "subscribers.db")) as opened, opened:
        opened.execute("update alembic_version set version_num = '9999'")
    for arguments in (["run", "--once"], ["editions"], ["migrate"], ["preview", "--channel", "outbox"]):
        done = await papers(*arguments)
        assert (done.code, done.out) == (1, "")
        [sentence] = done.err.splitlines()
        assert "9999" in sentence


# What is asked for wrongly


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["run", "--now", "2025-11-03T22:00:00Z"], "--now"),
        (["run", "--once", "--now", "yesterday"], "yesterday"),
        (["run", "--only", "sleep"], "--only"),
        (["today", "--date", "03.11.2025"], "03.11.2025"),
        (["today", "--date", "2999-01-01"], "2999-01-01"),
        (["today", "--top", "-1"], "--top"),
        (["publish", "--date", "2999-01-01"], "2999-01-01"),
        (["preview"], "--channel"),
        (["preview", "--channel", "pigeon"], "pigeon"),
        (["preview", "--channel", "outbox", "--style", "shouting"], "shouting"),
        (["editions", "--date", "soon"], "soon"),
        (["fly"], "fly"),
    ],
    ids=" ".join,
)
async def test_a_wrong_argument_exits_2_and_is_named(papers: Papers, arguments: list[str], named: str) -> None:
    done = await papers(*arguments)
    assert (done.code, done.out) == (2, "")
    assert named in done.err
    assert papers.files() == []


async def test_a_preview_without_an_edition_says_what_to_do(papers: Papers) -> None:
    done = await papers("preview", "--channel", "outbox", "--date", "2025-11-03")
    assert (done.code, done.out) == (1, "")
    assert "publish" in done.err


@pytest.mark.parametrize("command", COMMANDS)
async def test_every_command_has_help(papers: Papers, command: str) -> None:
    done = await papers(command, "--help")
    assert (done.code, done.err) == (0, "")
    assert command in done.out
    assert not any(papers.home.iterdir())


async def test_help_lists_every_command(papers: Papers) -> None:
    done = await papers("--help")
    assert done.code == 0
    assert all(f"\n  {command} " in done.out for command in COMMANDS)
