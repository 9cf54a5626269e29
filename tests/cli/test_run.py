"""`papers run` as people run it: the first start, rehearsals, signals, a feed that fails, a second process."""

import asyncio
import signal
import socket
from collections.abc import Sequence

import pytest
from aiohttp import web

from bot import app
from bot.channel import Finding
from bot.cli import run as command
from bot.delivery.session import Session
from bot.service import Role
from tests.support.feed_faults import Fault, Occasion
from tests.support.feed_server import FeedServer
from tests.support.papers_program import FINISHED, Papers, checked, rehearse
from tests.support.postgres import Postgres

HANGING = 30
"""Seconds after which a process counts as hanging."""


async def test_a_first_start_delivers_the_newest_finished_day_and_a_second_repeats_nothing(new_papers: Papers) -> None:
    first = await new_papers("run", "--once")
    assert first.code == 0, first.err
    assert "Paper 2511.00504" in first.out
    assert new_papers.files() == [f"{FINISHED}.local.html", f"{FINISHED}.local.txt"]

    again = await new_papers("run", "--once")
    assert again.code == 0, again.err
    assert "Paper 2511.00504" not in again.out
    [edition] = (await new_papers("editions", "--json")).json
    assert (edition["day"], edition["papers"], edition["audience"]) == (f"{FINISHED}", 5, 1)
    assert edition["adds_up"] is True
    assert edition["channels"]["outbox"]["sent"] == 1


def test_the_example_adds_a_reader_of_a_channel_that_is_set_up() -> None:
    assert command.example("email").startswith("add email:ada@example.com --language")
    assert command.example("outbox").startswith("add outbox:ada --language")


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


async def test_a_first_start_without_the_feed_shows_a_sample_and_retries(
    new_papers: Papers, server: FeedServer
) -> None:
    server.fault = Fault.status(503)
    process = await new_papers.start("run")
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
    assert new_papers.files() == []

    server.fault = None
    once = await new_papers("run", "--once")
    assert once.code == 0, once.err
    assert new_papers.files() == [f"{FINISHED}.local.html", f"{FINISHED}.local.txt"]


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


async def test_it_waits_for_a_database_that_does_not_answer_yet(papers: Papers, postgres: Postgres) -> None:
    name, sockets = postgres.create(), papers.home / "sockets"
    sockets.mkdir(mode=0o755)
    url = f"postgresql+psycopg://papers:secret@/{name}?host={sockets}"
    assert (await papers("run", "--once", DATABASE_URL=url)).code == 1
    process = await papers.start("run", DATABASE_URL=url)
    assert process.stdout is not None
    assert process.stderr is not None
    async with asyncio.timeout(HANGING):
        said = (await process.stderr.readline()).decode()
        assert "The database cannot be used just now" in said
        assert said.endswith("check DATABASE_URL and that its server runs. It is asked again until it answers.\n")
        assert "secret" not in said
        (sockets / ".s.PGSQL.5432").symlink_to(postgres.folder / ".s.PGSQL.5432")
        while b"closes at" not in (line := await process.stdout.readline()):
            assert line, "it ended by itself"
    process.send_signal(signal.SIGTERM)
    out, err = await process.communicate()
    assert process.returncode == 0, checked(process.returncode or 0, out, err).err
    assert err.startswith(b"The database answers.\n")


@pytest.mark.parametrize("user", ["papers", "nobody"])
async def test_it_does_not_wait_for_what_waiting_does_not_mend(papers: Papers, postgres: Postgres, user: str) -> None:
    done = await papers("run", DATABASE_URL=f"postgresql+psycopg://{user}@/nothing?host={postgres.folder}")
    assert done.code == 1
    assert "refuses the login" in done.err


async def test_jobs_work_while_relay_and_names_do_not_answer(papers: Papers, monkeypatch: pytest.MonkeyPatch) -> None:
    asked, stop = asyncio.Event(), asyncio.Event()

    async def silent(_: Session) -> Sequence[Finding]:
        asked.set()
        await asyncio.Event().wait()
        raise AssertionError

    monkeypatch.setattr(Session, "findings", silent)
    relay = socket.create_server(("127.0.0.1", 0))  # connections are made, and nothing is said
    given = {
        "SMTP_HOST": "127.0.0.1",
        "SMTP_PORT": f"{relay.getsockname()[1]}",
        "SMTP_SECURITY": "none",
        "EMAIL_FROM": "papers@example.org",
        "OUTBOX_DIR": "outbox",
    }
    async with app.open_app(papers.home, papers.environ | given) as service:
        working = asyncio.ensure_future(command._serve(service, frozenset(Role), stop, standby=False))
        async with asyncio.timeout(HANGING):
            await asked.wait()
        assert papers.files() == [f"{FINISHED}.local.html", f"{FINISHED}.local.txt"]
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert {"poll", "deliver:email", "deliver:outbox"} <= {each.get_name() for each in asyncio.all_tasks()}
        stop.set()
        await working
    relay.close()
