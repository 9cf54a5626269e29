"""How fast a kept page is served on one core: the archive page of a day of fifty papers, beside as many bytes alone.

The server runs on the first core, `wrk` on the last. Log lines are made as in production and thrown away.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import multiprocessing
import os
import re
import shutil
import subprocess
import sys
import tempfile
from datetime import UTC, date, datetime
from multiprocessing.connection import Connection
from pathlib import Path

from aiohttp import web

from bot.model import Paper
from bot.runtime.logs import configure
from tests.support.web_program import Served

PAPERS = 50
LARGEST = 180_000
"""Bytes of the page, without its pictures."""
LEAST = 0.4
"""Of the answers a second that bare aiohttp gives with the same bytes."""
CONNECTIONS = 32
SENTENCE = "A way of measuring is shown that holds up better than what was used until now, and costs less to run. "
DAY = date(2026, 4, 28)
PATH = f"/en/{DAY}"


def paper(number: int) -> Paper:
    """A paper with as much to say as papers usually have."""
    return Paper(
        id=f"2604.{number:05}",
        title=f"A title of the usual length, about the measuring of large things, number {number}",
        abstract=SENTENCE * 12,
        listed_on=DAY,
        listed_at=datetime(2026, 4, 28, number % 20, tzinfo=UTC),
        votes=100 - number,
        comments=number,
        sentence=SENTENCE * 2,
        authors=tuple(f"Ada Example {n}" for n in range(12)),
        organisation="The Institute of Somewhere",
        code="https://github.com/somebody/something",
        project="https://somebody.example/something",
        keywords=("large things", "measuring", "a third one"),
    )


async def serve(told: Connection) -> None:
    """Both servers in one process: ours, and one that gives the same bytes away."""
    configure("json", level=logging.INFO)
    with tempfile.TemporaryDirectory() as folder:
        async with Served(Path(folder)) as served:
            await served.publish(*(paper(number) for number in range(1, PAPERS + 1)), day=DAY)
            body = (await served.get(PATH)).body
            bare = web.Application()

            async def give(_: web.Request) -> web.Response:
                return web.Response(body=body, content_type="text/html")

            bare.router.add_get(PATH, give)
            runner = web.AppRunner(bare, access_log=None)
            await runner.setup()
            await web.TCPSite(runner, "127.0.0.1", 0).start()
            ours, theirs = f"{served.url}{PATH}", f"http://127.0.0.1:{runner.addresses[0][1]}{PATH}"
            told.send((len(body), ours, theirs))
            await asyncio.to_thread(told.recv)
            await runner.cleanup()


def child(told: Connection, core: int) -> None:
    sys.stderr = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115 - as long as the process
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {core})
    asyncio.run(serve(told))


def rate(url: str, seconds: int, core: int, *headers: str) -> float:
    """Answers a second, as wrk counts them; anything but 200 counts as none."""
    command = ["taskset", "-c", str(core)] if shutil.which("taskset") else []
    command += ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", *(f"-H{each}" for each in headers), url]
    said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    if "Non-2xx" in said or "Socket errors" in said:
        raise SystemExit(said)
    found = re.search(r"Requests/sec:\s+([\d.]+)", said)
    assert found, said
    return float(found[1])


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--seconds", type=int, default=8)
    arguments.add_argument("--json", action="store_true")
    given = arguments.parse_args()
    if shutil.which("wrk") is None:
        raise SystemExit("wrk is not installed")
    cores = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else [0]
    here, there = multiprocessing.Pipe()
    server = multiprocessing.get_context("spawn").Process(target=child, args=(there, cores[0]), daemon=True)
    server.start()
    size, ours, theirs = here.recv()
    figures = {
        "bytes": float(size),
        "from cache": rate(ours, given.seconds, cores[-1]),
        "from cache, gzip": rate(ours, given.seconds, cores[-1], "Accept-Encoding: gzip"),
        "bare aiohttp": rate(theirs, given.seconds, cores[-1]),
    }
    here.send("stop")
    server.join(10)
    ratios = {name: figures[name] / figures["bare aiohttp"] for name in ("from cache", "from cache, gzip")}
    good = size <= LARGEST and min(ratios.values()) >= LEAST
    if given.json:
        print(json.dumps(figures | {f"{name}, x bare": ratio for name, ratio in ratios.items()} | {"good": good}))
    else:
        print(f"page of {PAPERS} papers   {size:9,} bytes  at most {LARGEST:,}")
        print(f"{'bare aiohttp':<20} {figures['bare aiohttp']:9,.0f} /s")
        for name, ratio in ratios.items():
            print(f"{name:<20} {figures[name]:9,.0f} /s     {ratio:.2f} x bare, at least {LEAST:g}")
        print("ok" if good else "NOT GOOD")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
