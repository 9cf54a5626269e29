"""What a search costs beside the database's bare index, and what a storm of searches costs deliveries.

`PAPERS_REFERENCE=… python -m benchmarks.search [--papers 10000] [--mails 6000] [--json]`. The papers are the recorded
days, as often as it takes. First ten queries on SQLite and PostgreSQL, each beside the index's own count and first ten
over the same connection, and the related papers of some. Then mails to a relay that throws them away, while twenty
visitors from twenty addresses search for common words as fast as they are answered. Exit code 0: within the bounds, 1:
not, 2: nothing recorded here.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import logging
import multiprocessing
import os
import random
import sys
import tempfile
import time
from collections.abc import Callable, Coroutine
from dataclasses import replace
from datetime import date, timedelta
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import aiohttp
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from benchmarks.delivery import Figure
from benchmarks.mail import DUE, Slow, environment, free_port, prepare, wait_for
from bot import app
from bot.cli.startup import new_loop
from bot.model import Found, Paper
from bot.publishing.feed import huggingface
from bot.runtime import logs
from bot.service import Role
from bot.store import Store, paper_queries
from bot.store.search import Search, related, search
from bot.store.search.index import engine
from bot.store.search.query import parse
from tests.support.postgres import running

QUERIES = (
    "large language model",
    "diffusion",
    "video generation",
    '"chain of thought"',
    "reinforcement learning -robot",
    "multimodal benchmark evaluation",
    "agent",
    "model training data",
    "attention is all you need",
    "3d gaussian splatting",
)
COMMON = """
    model learning language large training data video image generation reasoning agent benchmark diffusion reinforcement
    attention multimodal visual text policy evaluation tasks methods performance framework
    """.split()  # noqa: SIM905 - a list of words reads best as words
BARE = {
    "sqlite": "select rowid from search_words where search_words match :words order by rank limit 10",
    "postgresql": "select number from search_documents where words @@ cast(:words as tsquery) "
    "order by ts_rank(words, cast(:words as tsquery)) desc limit 10",
}
LITE = "sqlite:///subscribers.db"
MOST_TIMES_BARE = 2.0
MOST_TIMES_TEN = 4.0
"""Of ten bare queries' time: what the related papers of one paper may take."""
LIKED = 5
"""Papers whose related papers are looked for."""
LEAST_PACE = 0.9
"""Of the mails' pace without visitors."""
MOST_SECONDS_OF_OTHERS = 1.0
MOST_SECONDS_TO_STOP = 5.0
ROUNDS = 3
REPEATS = 5
VISITORS = 20
A_DAY = 30
"""Papers listed on one day."""
BATCH = 300


def recorded(folder: Path, number: int) -> list[Paper]:
    """That many papers, made of those recorded."""
    days = sorted((folder / "data" / "daily_papers").glob("*.json"))
    known = [each for day in days for each in huggingface.parse(day.read_bytes(), date.fromisoformat(day.stem))]
    first = date(2015, 1, 1)
    return [
        replace(known[n % len(known)], id=f"{day:%y%m}.{n % 100_000:05}", listed_on=day)
        for n in range(number if known else 0)
        for day in [first + timedelta(days=n // A_DAY)]
    ]


async def fill(store: Store, papers: list[Paper]) -> None:
    """Store papers, as polls do."""
    for start in range(0, len(papers), BATCH):
        async with store.write() as connection:
            await paper_queries.keep(connection, Found(papers[start : start + BATCH], frozenset()))


async def fastest(ask: Callable[[], Coroutine[Any, Any, object]]) -> float:
    """The seconds of the fastest of some answers."""
    took = []
    for _ in range(REPEATS):
        began = time.perf_counter()
        await ask()
        took.append(time.perf_counter() - began)
    return min(took)


async def compared(
    url: str, home: Path, papers: list[Paper]
) -> tuple[list[tuple[str, float, float]], tuple[float, float]]:
    """Each query with the seconds that it takes us and the bare index; and what `likened` found."""
    store = Store.open(url, home)
    await store.migrate()
    await fill(store, papers)
    found = []
    async with store.read() as connection:
        if store.path is None:
            await connection.execute(text("set local max_parallel_workers_per_gather = 0"))
        for query in QUERIES:
            ours = await fastest(lambda query=query: search(connection, Search(query), 10))  # type: ignore[misc]
            bare = await fastest(lambda query=query: _bare(connection, query))  # type: ignore[misc]
            found.append((query, ours, bare))
        likening = await likened(connection, papers)
    await store.close()
    return found, likening


async def likened(connection: AsyncConnection, papers: list[Paper]) -> tuple[float, float]:
    """The seconds that related papers take us, and those that all ten bare queries take."""
    liked = papers[:: len(papers) // LIKED][:LIKED]
    took = [await fastest(lambda each=each: related(connection, each, 6)) for each in liked]  # type: ignore[misc]
    ten = [await fastest(lambda query=query: _bare(connection, query)) for query in QUERIES]  # type: ignore[misc]
    return sum(took) / len(took), sum(ten)


async def _bare(connection: AsyncConnection, query: str) -> None:
    dialect = engine(connection)
    given = {"words": dialect.expression(parse(query))}
    await connection.scalar(text(dialect.counting("")), given)
    (await connection.execute(text(BARE[connection.dialect.name]), given)).all()


def relay(told: Connection) -> None:
    """A relay that takes every mail, in a process of its own."""

    async def serve() -> None:
        server = await asyncio.get_running_loop().create_server(lambda: Slow(0.0), "127.0.0.1", 0)
        told.send(server.sockets[0].getsockname()[1])
        await server.serve_forever()

    asyncio.run(serve())


def visitors(port: int, told: Connection) -> None:
    """Twenty visitors who search, and one who reads; it tells the longest that the reader waited."""
    asyncio.run(_visit(port, told))


async def _visit(port: int, told: Connection) -> None:
    rng, slowest = random.Random(7), 0.0

    async def ask(session: aiohttp.ClientSession, path: str, address: str) -> float:
        began = time.perf_counter()
        try:
            async with session.get(f"http://127.0.0.1:{port}{path}", headers={"X-Forwarded-For": address}) as answer:
                await answer.read()
        except (aiohttp.ClientError, TimeoutError):
            return 0.0  # the program has ended
        return time.perf_counter() - began

    async with aiohttp.ClientSession() as session:

        async def search_on(number: int) -> None:
            while True:
                await ask(session, "/en/search?q=" + "+".join(rng.sample(COMMON, 6)), f"198.51.100.{number + 1}")
                await asyncio.sleep(0)

        searching = [asyncio.ensure_future(search_on(number)) for number in range(VISITORS)]
        told.send("searching")
        while not told.poll():
            slowest = max(slowest, await ask(session, "/en/", "203.0.113.9"))
            await asyncio.sleep(0.2)
        told.send(slowest)
        for each in searching:
            each.cancel()


def mailing(told: Connection, port: int, pages: int, mails: int, papers: list[Paper]) -> None:
    """Mail everything that is due, with the pages served by the same process; tells the seconds, then ends."""
    sys.stderr = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115 - as long as the process
    logs.configure("json", level=logging.INFO)  # lines are made as in production, and thrown away
    with tempfile.TemporaryDirectory(prefix="papers") as folder, asyncio.Runner(loop_factory=new_loop()) as runner:
        runner.run(filled(Path(folder), mails, papers))
        runner.run(_mailing(told, Path(folder), port, pages))


async def filled(home: Path, mails: int, papers: list[Paper]) -> None:
    """A database with these numbers of papers, and of readers whom an edition is owed to."""
    await prepare(LITE, home, mails, 0)
    store = Store.open(LITE, home)
    await fill(store, papers)
    await store.close()


async def _mailing(told: Connection, home: Path, port: int, pages: int) -> None:
    public = f"http://127.0.0.1:{pages}"
    given = environment(LITE, port) | {"WEB_PORT": f"{pages}", "PUBLIC_URL": public, "TRUSTED_PROXIES": "127.0.0.1"}
    async with app.open_app(home, given, only="email") as service:
        stop = asyncio.Event()
        serving = asyncio.create_task(service.run(stop, frozenset({Role.WEB})))
        await asyncio.to_thread(wait_for, pages)
        gc.freeze()
        told.send("listening")
        await asyncio.to_thread(told.recv)  # the visitors are there
        began = time.perf_counter()
        await service.once(DUE, frozenset({Role.DELIVER}))
        told.send(time.perf_counter() - began)
        stop.set()
        await serving


def mailed(port: int, mails: int, papers: list[Paper], *, visited: bool) -> tuple[float, float, float]:
    """Seconds for the mails, the longest that a reader waited, seconds from the last mail to the end of the process."""
    fresh, pages = multiprocessing.get_context("spawn"), free_port()
    here, there = fresh.Pipe()
    mine, theirs = fresh.Pipe()
    sender = fresh.Process(target=mailing, args=(there, port, pages, mails, papers), daemon=True)
    others = fresh.Process(target=visitors, args=(pages, theirs), daemon=True)
    sender.start()
    here.recv()
    if visited:
        others.start()
        mine.recv()
    here.send("go on")
    took: float = here.recv()
    began = time.perf_counter()
    sender.join()
    stopped, waited = time.perf_counter() - began, 0.0
    if visited:
        mine.send("stop")
        waited = mine.recv()
        others.kill()
        others.join()
    return took, waited, stopped


def storm(mails: int, papers: list[Paper]) -> list[Figure]:
    """The mails' pace under a storm of searches, beside their pace without."""
    here, there = multiprocessing.Pipe()
    sink = multiprocessing.get_context("spawn").Process(target=relay, args=(there,), daemon=True)
    sink.start()
    port: int = here.recv()
    alone, under = [], []
    for _ in range(ROUNDS):
        alone.append(mailed(port, mails, papers, visited=False)[0])
        under.append(mailed(port, mails, papers, visited=True))
    sink.kill()
    took = min(each[0] for each in under)
    return [
        Figure("mailed, nobody searches", mails / min(alone), "mails/s"),
        Figure(f"mailed, {VISITORS} visitors search", mails / took, "mails/s"),
        Figure("  of that pace", min(alone) / took, "x", least=LEAST_PACE),
        Figure("  the longest that another visitor waited", max(e[1] for e in under), "s", most=MOST_SECONDS_OF_OTHERS),
        Figure("  told to stop until it has ended", max(e[2] for e in under), "s", most=MOST_SECONDS_TO_STOP),
    ]


def main() -> int:
    """Measure, and print what was found."""
    arguments = argparse.ArgumentParser(prog="python -m benchmarks.search", description=__doc__)
    arguments.add_argument("--papers", type=int, default=10_000)
    arguments.add_argument("--mails", type=int, default=6_000, help="0: without the storm")
    arguments.add_argument("--json", action="store_true", help="one JSON object instead of a table")
    given = arguments.parse_args()
    papers = recorded(Path(os.environ.get("PAPERS_REFERENCE") or os.devnull), given.papers)
    if not papers:
        print("PAPERS_REFERENCE names no recorded days", file=sys.stderr)
        return 2
    found: list[Figure] = []
    with tempfile.TemporaryDirectory(prefix="papers") as folder, running(Path(folder)) as server:
        for name, url in (("SQLite", LITE), ("PostgreSQL", server.url(server.create()))):
            queries, (likening, ten) = asyncio.run(compared(url, Path(folder), papers))
            for query, ours, bare in queries:
                named = f"{name}, {query}: {ours * 1000:.1f} ms, bare {bare * 1000:.1f} ms"
                found.append(Figure(named, ours / bare, "x", most=MOST_TIMES_BARE))
            named = f"{name}, related papers: {likening * 1000:.1f} ms, beside all ten bare queries"
            found.append(Figure(named, likening / ten, "x", most=MOST_TIMES_TEN))
    if given.mails:
        found += storm(given.mails, papers)
    if given.json:
        print(json.dumps({figure.name.strip(): figure.value for figure in found}))
    else:
        print(*found, sep="\n")
    return 0 if all(figure.fits for figure in found) else 1


if __name__ == "__main__":
    sys.exit(main())
