"""How fast mails leave, beside a plain loop, and beside what a program written in C sends to the same relay.

`python -m benchmarks.mail [--mails 10000] [--json]`. The relay is Postfix's smtp-sink on this machine, which throws
everything away; the other sender is its smtp-source. Every part runs in a process of its own, all of them in one run.
Exit code 0: within all bounds, 1: not, 2: smtp-sink or PostgreSQL is missing here.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import os
import platform
import resource
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from datetime import UTC, date, datetime, timedelta
from email.message import EmailMessage
from pathlib import Path
from typing import cast

import aiosmtplib
from sqlalchemy import text

from benchmarks.delivery import Figure
from bot import app
from bot.cli.startup import new_loop
from bot.model import Address, Cadence, Edition, Found, Preferences, Ranked
from bot.runtime import logs
from bot.runtime.supervisor import TICK
from bot.service import Role
from bot.store import Store, audience, edition_queries, paper_queries, subscriber_queries
from tests.support.fake_channel import paper
from tests.support.postgres import running

LEAST_TIMES_LOOP = 4.0
LEAST_OF_SOURCE = 0.22
LEAST_OF_SOURCE_BY_TWO = 0.40
MOST_MEGABYTES = 150.0
MOST_TIMES_MEGABYTES = 1.1
"""Ratio, at most: memory for five times the readers to memory for these."""
MOST_TIMES_TO_FIRST = 1.0
"""Ratio, at most: the time to the first mail to one tick of the dispatcher and twenty mails of the loop."""
LEAST_OF_TURNS = 1.0
"""To a relay that takes its time: of the pace if waiting for it and our own work took turns. Both go on at once."""
LATENCY = 0.02
CONNECTIONS = 100
CONNECTIONS_TO_SLOW = 50
LOOP_MAILS = 1_000
DAY = date(2025, 11, 3)
DUE = datetime(2025, 11, 4, 8, 0, tzinfo=UTC)
PAPERS = 14
SENTENCE = "It measures what nobody had measured before, in more ways than were thought possible, and is glad of it."
LARGEST = 40_960

Part = dict[str, float]


# Each part runs in a process of its own, so that its memory is its own


async def prepare(url: str, home: Path, mails: int, port: int) -> Part:  # noqa: ARG001 - a part's signature
    """A database with an edition that is owed to that number of readers."""
    store = Store.open(url, home)
    await store.migrate()
    columns = "channel, recipient, status, choice_id, hour, weekdays, timezone, cadence, created_at"
    recipient = "'reader' || i || '@example.com'"
    async with store.write() as connection:
        await subscriber_queries.add(
            connection, Address("email", "reader0@example.com"), Preferences(papers=0), now=DUE
        )
        await connection.execute(
            text(
                f"insert into subscribers ({columns})"
                " with recursive n (i) as (select 1 union all select i + 1 from n where i < :last)"
                f" select {columns.replace('recipient', recipient)} from n, subscribers"
            ).bindparams(last=mails - 1)
        )
        found = [replace(paper(n, DAY, votes=n), sentence=f"{SENTENCE} {SENTENCE}") for n in range(PAPERS)]
        await paper_queries.keep(connection, Found(found, frozenset({DAY})))
        ranked = tuple(Ranked(place, each, each.votes) for place, each in enumerate(found, start=1))
        edition_id = await edition_queries.add(connection, Edition(Cadence.DAY, DAY, DUE - timedelta(hours=10), ranked))
        assert edition_id is not None
        owed = await audience.owe(connection, edition_id, Cadence.DAY, published_at=DUE - timedelta(hours=10))
        assert owed == mails
    await store.close()
    return {}


async def ours(url: str, home: Path, mails: int, port: int) -> Part:  # noqa: ARG001
    """Hand out everything that is due, as `papers run --once` does: claimed, composed, sent, written down."""
    return await _hand_out(url, home, port, CONNECTIONS)


async def patient(url: str, home: Path, mails: int, port: int) -> Part:  # noqa: ARG001
    """The same over half as many connections, to a relay that takes its time."""
    return await _hand_out(url, home, port, CONNECTIONS_TO_SLOW)


async def _hand_out(url: str, home: Path, port: int, connections: int) -> Part:
    async with app.open_app(home, environment(url, port, connections), only="email") as service:
        gc.freeze()
        began = time.perf_counter()
        await service.once(DUE, frozenset({Role.DELIVER}))
        took = time.perf_counter() - began
    return {"seconds": took, "megabytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}


async def first(url: str, home: Path, mails: int, port: int) -> Part:  # noqa: ARG001
    """How long after it is due the first mail is there; `port` is a socket that this part listens at itself."""
    store = Store.open(url, home)
    due = datetime.now(UTC) + timedelta(seconds=3)
    async with store.write() as connection:
        times = {"due_at": due, "next_at": due, "expires_at": due + timedelta(hours=18)}
        shown = times if store.path is None else {name: f"{at:%Y-%m-%d %H:%M:%S.%f}" for name, at in times.items()}
        await connection.execute(
            text("update deliveries set due_at = :due_at, next_at = :next_at, expires_at = :expires_at"), shown
        )
        # Whenever this runs, it is a waking hour there, and the reader's own.
        hour = due.hour * 60 + due.minute
        await connection.execute(text("update subscribers set hour = :hour"), {"hour": hour})
    await store.close()
    arrived: asyncio.Future[float] = asyncio.get_running_loop().create_future()

    class Clock(Slow):
        def took(self) -> None:
            if not arrived.done():
                arrived.set_result(time.time())

    server = await asyncio.get_running_loop().create_server(lambda: Clock(0.0), "127.0.0.1", 0)
    stop = asyncio.Event()
    async with server, app.open_app(home, environment(url, server.sockets[0].getsockname()[1]), only="email") as there:
        running_on = asyncio.create_task(there.run(stop, frozenset({Role.DELIVER})))
        at = await arrived
        stop.set()
        await running_on
    return {"seconds": at - due.timestamp()}


async def loop(url: str, home: Path, mails: int, port: int) -> Part:  # noqa: ARG001
    """For each reader build a mail and send it, as a first sketch of a newsletter does."""
    part, whole = "Words of a newsletter, line after line of them.\n", LARGEST // 3
    body = part * (whole // len(part))
    began = time.perf_counter()
    for reader in range(mails):
        message = EmailMessage()
        message["From"] = "Morning Papers <papers@example.org>"
        message["To"] = f"reader{reader}@example.com"
        message["Subject"] = "Daily papers"
        message.set_content(body)
        message.add_alternative(f"<p>{body * 2}</p>", subtype="html")
        await aiosmtplib.send(message, hostname="127.0.0.1", port=port)
    return {"seconds": time.perf_counter() - began}


class Slow(asyncio.Protocol):
    """A relay that answers each command after a while, however many it was given at once."""

    def __init__(self, latency: float) -> None:
        self._latency = latency
        self._text = False
        self._rest = b""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is none of asyncio's classes
        self._transport.write(b"220 slow\r\n")

    def data_received(self, data: bytes) -> None:
        data = self._rest + data
        while data:
            if self._text:
                _, end, rest = data.partition(b"\r\n.\r\n")
                if not end:
                    data = data[-4:]
                    break
                self._text, data = False, rest
                self.took()
                self._answer(b"250 2.0.0 taken\r\n")
                continue
            line, end, rest = data.partition(b"\r\n")
            if not end:
                break
            data = rest
            self._obey(line[:4].upper())
        self._rest = data

    def took(self) -> None:
        """A mail has come."""

    def _obey(self, verb: bytes) -> None:
        self._text = verb == b"DATA"
        answers = {b"EHLO": b"250-slow\r\n250 PIPELINING\r\n", b"DATA": b"354 go on\r\n", b"QUIT": b"221 bye\r\n"}
        self._answer(answers.get(verb, b"250 2.0.0 fine\r\n"))

    def _answer(self, line: bytes) -> None:
        assert self._transport is not None
        if self._latency:
            asyncio.get_running_loop().call_later(self._latency, self._transport.write, line)
        else:
            self._transport.write(line)


async def slow(url: str, home: Path, mails: int, port: int) -> Part:  # noqa: ARG001
    """Be the slow relay, until killed."""
    server = await asyncio.get_running_loop().create_server(lambda: Slow(LATENCY), "127.0.0.1", port)
    async with server:
        await server.serve_forever()
    return {}


async def bare(url: str, home: Path, mails: int, port: int) -> Part:  # noqa: ARG001
    """What the connections can send at best to the relay that takes its time: nothing is read, composed or recorded."""
    left = iter(range(mails))
    body = b"x" * 78 + b"\r\n"
    mail = body * (LARGEST // len(body)) + b".\r\n"

    async def send() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        await reader.readline()
        writer.write(b"EHLO here\r\n")
        await _answered(reader, 2)
        for _ in left:
            writer.write(b"MAIL FROM:<papers@example.org>\r\nRCPT TO:<reader@example.com>\r\nDATA\r\n")
            await _answered(reader, 3)
            writer.write(mail)
            await _answered(reader, 1)
        writer.close()

    began = time.perf_counter()
    await asyncio.gather(*(send() for _ in range(CONNECTIONS_TO_SLOW)))
    return {"seconds": time.perf_counter() - began}


async def _answered(reader: asyncio.StreamReader, lines: int) -> None:
    for _ in range(lines):
        await reader.readline()


PARTS = {"prepare": prepare, "bare": bare, "ours": ours, "patient": patient, "first": first, "loop": loop, "slow": slow}


def environment(url: str, port: int, connections: int = CONNECTIONS) -> dict[str, str]:
    """The settings that the program is run with."""
    return {
        "DATABASE_URL": url,
        "SMTP_HOST": "127.0.0.1",
        "SMTP_PORT": f"{port}",
        "SMTP_SECURITY": "none",
        "EMAIL_FROM": "Morning Papers <papers@example.org>",
        "EMAIL_BOUNCES": "bounces+{token}@example.org",
        "EMAIL_CONNECTIONS": f"{connections}",
        "PUBLIC_URL": "https://papers.example.org",
    }


# What is asked of them


def measure(mails: int) -> list[Figure]:
    """Everything, in one run. Raises LookupError where a tool is missing."""
    for tool in ("smtp-sink", "smtp-source"):
        if shutil.which(tool) is None:
            raise LookupError(f"{tool} is missing here: it comes with Postfix")
    lite = "sqlite:///subscribers.db"
    with sink() as port:
        source = mails / _source(port, mails, at_once=True)
        plain = LOOP_MAILS / _run("loop", lite, Path(), LOOP_MAILS, port)["seconds"]
        with _prepared(lite, mails // 5) as home:
            few = _run("ours", lite, home, mails // 5, port)
        with _prepared(lite, mails) as home:
            whole = _run("ours", lite, home, mails, port)
        again = mails / _source(port, mails, at_once=True)
        kept = mails / _source(port, mails, at_once=False)
    with _process("slow", lite, Path(), 0, port := free_port()), _prepared(lite, mails) as home:
        wait_for(port)
        late = mails / _run("patient", lite, home, mails, port)["seconds"]
        at_best = mails / _run("bare", lite, home, mails, port)["seconds"]
    with _prepared(lite, 2) as home:
        waited = max(0.0, _run("first", lite, home, 2, 0)["seconds"])
    by_two, megabytes = _by_two(mails)
    source = (source + again) / 2
    rate = mails / whole["seconds"]
    return [
        Figure("smtp-source -s 10, before and after", source, "mails/s"),
        Figure("smtp-source -s 10 -d, which keeps its connections", kept, "mails/s"),
        Figure("a loop that builds and sends", plain, "mails/s"),
        Figure("ours, delivery rows included", rate, "mails/s"),
        Figure("  times the loop", rate / plain, "x", least=LEAST_TIMES_LOOP),
        Figure("  of smtp-source", rate / source, "x", least=LEAST_OF_SOURCE),
        Figure("two processes on PostgreSQL", by_two, "mails/s"),
        Figure("  of smtp-source", by_two / source, "x", least=LEAST_OF_SOURCE_BY_TWO),
        Figure("  largest resident size of either", megabytes, "MB", most=MOST_MEGABYTES),
        Figure("largest resident size", whole["megabytes"], "MB", most=MOST_MEGABYTES),
        Figure("  times a fifth of the readers", whole["megabytes"] / few["megabytes"], "x", most=MOST_TIMES_MEGABYTES),
        Figure("a relay that answers after 20 ms, 50 connections", late, "mails/s"),
        Figure("  connections that only send", at_best, "mails/s"),
        Figure("  of waiting and working in turns", late / at_best + late / rate, "x", least=LEAST_OF_TURNS),
        Figure("the first mail is there after", waited, "s"),
        Figure("  times a tick and twenty mails of the loop", waited / (TICK + 20 / plain), "x", MOST_TIMES_TO_FIRST),
    ]


def _by_two(mails: int) -> tuple[float, float]:
    """What two processes on one PostgreSQL send together, and the larger one's memory."""
    with tempfile.TemporaryDirectory(prefix="papers") as folder, running(Path(folder)) as server, sink() as port:
        url = server.url(server.create())
        with _prepared(url, mails) as home:
            began = time.perf_counter()
            both = [_started("ours", url, home, mails, port) for _ in range(2)]
            said = [json.loads(process.communicate()[0]) for process in both]
            slowest = max(part["seconds"] for part in said)
            assert slowest <= time.perf_counter() - began
    return mails / slowest, max(part["megabytes"] for part in said)


@contextmanager
def _prepared(url: str, mails: int) -> Iterator[Path]:
    """A home with an edition that is owed to that number of readers; everything has been sent at the end."""
    with tempfile.TemporaryDirectory(prefix="papers") as folder:
        home = Path(folder)
        _run("prepare", url, home, mails, 0)
        yield home
        states = asyncio.run(_states(url, home))
        assert states == {"sent": mails}, states


async def _states(url: str, home: Path) -> dict[str, int]:
    store = Store.open(url, home)
    async with store.read() as connection:
        rows = (await connection.execute(text("select state, count(*) from deliveries group by state"))).all()
    await store.close()
    return {row[0]: row[1] for row in rows}


@contextmanager
def sink() -> Iterator[int]:
    """Postfix's own relay that throws mails away; its port."""
    port = free_port()
    as_user = ["-u", "nobody"] if os.geteuid() == 0 else []
    with subprocess.Popen(
        ["smtp-sink", *as_user, "-c", f"127.0.0.1:{port}", "1000"], stdout=subprocess.DEVNULL
    ) as sink:
        try:
            wait_for(port)
            yield port
        finally:
            sink.terminate()


def _source(port: int, mails: int, *, at_once: bool) -> float:
    """How long Postfix's own sender takes for as many mails of the same size."""
    keep = [] if at_once else ["-d"]
    addresses = ["-f", "papers@example.org", "-t", "reader@example.com"]
    began = time.perf_counter()
    subprocess.run(
        ["smtp-source", "-s", "10", *keep, "-m", f"{mails}", "-l", f"{LARGEST}", *addresses, f"127.0.0.1:{port}"],
        check=True,
    )
    return time.perf_counter() - began


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


def wait_for(port: int) -> None:
    """Wait until somebody listens."""
    for _ in range(200):
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=1):
                return
        except OSError:
            time.sleep(0.05)
    raise RuntimeError("nobody listens")


def _started(part: str, url: str, home: Path, mails: int, port: int) -> subprocess.Popen[bytes]:
    given = ["--part", part, "--url", url, "--home", str(home), "--mails", f"{mails}", "--port", f"{port}"]
    with Path(os.devnull).open("wb") as nowhere:  # log lines are made as in production, and thrown away
        return subprocess.Popen(
            [sys.executable, "-m", "benchmarks.mail", *given], stdout=subprocess.PIPE, stderr=nowhere
        )


@contextmanager
def _process(part: str, url: str, home: Path, mails: int, port: int) -> Iterator[None]:
    with _started(part, url, home, mails, port) as process:
        try:
            yield
        finally:
            process.kill()


def _run(part: str, url: str, home: Path, mails: int, port: int) -> Part:
    """Run one part in a fresh process."""
    with _started(part, url, home, mails, port) as process:
        said = process.communicate()[0]
    if process.returncode:
        raise RuntimeError(f"{part} failed")
    measured: Part = json.loads(said)
    return measured


def main() -> int:
    """Measure each part in a process of its own, and print figures beside bounds."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.mail", description=__doc__)
    parser.add_argument("--mails", type=int, default=10_000)
    parser.add_argument("--json", action="store_true", help="one JSON object instead of a table")
    parser.add_argument("--part", choices=PARTS, help=argparse.SUPPRESS)
    parser.add_argument("--url", help=argparse.SUPPRESS)
    parser.add_argument("--home", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--port", type=int, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.part:
        logs.configure("json")
        with asyncio.Runner(loop_factory=new_loop()) as runner:
            print(json.dumps(runner.run(PARTS[asked.part](asked.url, asked.home, asked.mails, asked.port))))
        return 0
    try:
        found = measure(asked.mails)
    except LookupError as error:
        print(error, file=sys.stderr)
        return 2
    if asked.json:
        print(json.dumps({figure.name.strip(): asdict(figure) | {"fits": figure.fits} for figure in found}))
    else:
        busy, python = f"load {os.getloadavg()[0]:.1f}", platform.python_version()
        print(f"{asked.mails:,} mails, {os.cpu_count()} cores, {busy}, Python {python}")
        print(*found, sep="\n")
    return 0 if all(figure.fits for figure in found) else 1


if __name__ == "__main__":
    sys.exit(main())
