"""How long an edition takes to be mailed while two hundred visitors of the pages are as slow as they can be.

`python -m benchmarks.slow_clients [--mails 5000] [--json]`. One process mails and serves pages. The visitors, in
another, come from several addresses: half of them never finish their request, half read their answer byte by byte;
whoever is hung up on comes back. The relay throws everything away. Of several rounds the best count, since this machine
has others to serve as well. Exit code 0: within the bound, 1: not, 2: smtp-sink is missing here.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import multiprocessing
import os
import shutil
import socket
import sys
import tempfile
import time
from contextlib import suppress
from multiprocessing.connection import Connection
from pathlib import Path

from benchmarks.delivery import Figure
from benchmarks.mail import DUE, environment, free_port, prepare, sink, wait_for
from bot import app
from bot.cli.startup import new_loop
from bot.runtime import logs
from bot.service import Role

VISITORS = 200
ADDRESSES = 8
"""Addresses that they come from; one may have fifty connections."""
MOST_TIMES = 1.15
ROUNDS = 5
PAUSE = 1.0
"""Seconds between two bytes."""
LONGEST_ANSWER = 1_000_000
"""Bytes."""
LITE = "sqlite:///subscribers.db"
"""Where the deliveries are."""


async def mailed(home: Path, relay: int, pages: int) -> float:
    """Seconds for everything that is due, with the pages served by the same process."""
    given = environment(LITE, relay) | {"WEB_PORT": f"{pages}", "PUBLIC_URL": f"http://127.0.0.1:{pages}"}
    async with app.open_app(home, given, only="email") as service:
        stop = asyncio.Event()
        serving = asyncio.create_task(service.run(stop, frozenset({Role.WEB})))
        await asyncio.to_thread(wait_for, pages)
        gc.freeze()
        await asyncio.sleep(2)  # the clients are there
        began = time.perf_counter()
        await service.once(DUE, frozenset({Role.DELIVER}))
        took = time.perf_counter() - began
        stop.set()
        await serving
    return took


async def visit(port: int, number: int) -> None:
    """One visitor, for ever."""
    loop, here = asyncio.get_running_loop(), f"127.0.0.{2 + number % ADDRESSES}"
    request = b"GET /en/ HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nAccept-Language: en" % port
    while True:
        with suppress(OSError), socket.socket() as there:
            there.setblocking(False)
            there.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)
            there.bind((here, 0))
            await loop.sock_connect(there, ("127.0.0.1", port))
            if number % 2:
                await loop.sock_sendall(there, request + b"\r\n\r\n")
                for _ in range(LONGEST_ANSWER):
                    if not await loop.sock_recv(there, 1):
                        break
                    await asyncio.sleep(PAUSE)
            else:
                for byte in request + b"," + b"x" * 10_000:
                    await loop.sock_sendall(there, bytes([byte]))
                    await asyncio.sleep(PAUSE)
        await asyncio.sleep(PAUSE)


async def _visit(port: int) -> None:
    await asyncio.to_thread(wait_for, port)
    await asyncio.gather(*(visit(port, number) for number in range(VISITORS)))


def visitors(port: int) -> None:
    asyncio.run(_visit(port))


def part(told: Connection, relay: int, pages: int, mails: int) -> None:
    sys.stderr = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115 - as long as the process
    logs.configure("json")  # lines are made as in production, and thrown away
    with tempfile.TemporaryDirectory(prefix="papers") as folder, asyncio.Runner(loop_factory=new_loop()) as runner:
        home = Path(folder)
        runner.run(prepare(LITE, home, mails, 0))
        told.send(runner.run(mailed(home, relay, pages)))


def once(relay: int, mails: int, *, visited: bool) -> float:
    """Everything mailed once, by a process of its own."""
    fresh, pages = multiprocessing.get_context("spawn"), free_port()
    here, there = fresh.Pipe()
    sender = fresh.Process(target=part, args=(there, relay, pages, mails), daemon=True)
    others = fresh.Process(target=visitors, args=(pages,), daemon=True)
    sender.start()
    if visited:
        others.start()
    took: float = here.recv()
    sender.join()
    if visited:
        others.kill()
        others.join()
    return took


def main() -> int:
    """Measure with and without visitors in turns, and print the best of each."""
    arguments = argparse.ArgumentParser(prog="python -m benchmarks.slow_clients", description=__doc__)
    arguments.add_argument("--mails", type=int, default=5_000)
    arguments.add_argument("--json", action="store_true", help="one JSON object instead of a table")
    given = arguments.parse_args()
    if shutil.which("smtp-sink") is None:
        print("smtp-sink is missing here: it comes with Postfix", file=sys.stderr)
        return 2
    alone, visited = [], []
    with sink() as relay:
        for _ in range(ROUNDS):
            alone.append(once(relay, given.mails, visited=False))
            visited.append(once(relay, given.mails, visited=True))
    times = min(visited) / min(alone)
    found = [
        Figure("mailed, nobody visits", given.mails / min(alone), "mails/s"),
        Figure(f"mailed, {VISITORS} slow visitors", given.mails / min(visited), "mails/s"),
        Figure("  times as long", times, "x", most=MOST_TIMES),
    ]
    if given.json:
        print(json.dumps({figure.name.strip(): figure.value for figure in found}))
    else:
        print(*found, sep="\n")
    return 0 if all(figure.fits for figure in found) else 1


if __name__ == "__main__":
    sys.exit(main())
