"""How several senders share an edition where the database is far away.

`python -m benchmarks.senders [--readers 4000] [--json]`. PostgreSQL stands behind a proxy that delays what passes.
The channel answers at once, with ten messages in flight, so what is measured is how senders wait
for the database and for each other. Exit code 0: within all bounds, 1: too slow, 2: no PostgreSQL here.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from sqlalchemy import text

from benchmarks.delivery import NullChannel
from bot.channel import Pace
from bot.delivery.dispatcher import Dispatcher
from bot.runtime.locks import holding, make_locks
from bot.store import Store
from tests.delivery.test_kills import crowd
from tests.support.postgres import Postgres, running

CONCURRENCY = 10
LEAST = {(0.02, 4): 3.0, (0.1, 4): 3.0, (0.1, 8): 5.0}
"""Ratio, at least, by number of senders and round trip in seconds: their pace together to that of one."""
LEAST_TIMES_OLD = 5.0
"""Ratio, at least: one sender to one whose turns wait for each statement, at the longest round trip."""
READERS = 4000
LOOK_EVERY = 0.05
SETTLED = 0.2
"""Share of an edition before which, and after whose counterpart at the end, nothing is measured."""
ROOT = Path(__file__).resolve().parents[1]


async def proxy(server: Path, seconds: float) -> None:
    """Listen on a socket in the working folder, and delay what passes by half a round trip each way."""

    async def meet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        inner_reader, inner_writer = await asyncio.open_unix_connection(server / ".s.PGSQL.5432")
        await asyncio.gather(carry(reader, inner_writer, seconds / 2), carry(inner_reader, writer, seconds / 2))

    await asyncio.to_thread(Path("proxied").mkdir)
    listener = await asyncio.start_unix_server(meet, "proxied/.s.PGSQL.5432")
    await listener.serve_forever()


async def carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, seconds: float) -> None:
    """Carry bytes one way, each as late as every other."""
    loop = asyncio.get_running_loop()
    with suppress(OSError):
        while data := await reader.read(1 << 16):
            loop.call_later(seconds, writer.write, data)
        await asyncio.sleep(seconds)
    writer.close()


async def send(url: str, *, pipelined: bool) -> None:
    """Send what is due until nothing is left; says when it begins and waits to be told."""
    store = Store.open(url, Path())
    channel = NullChannel(pace=Pace(concurrency=CONCURRENCY, exclusive=False))
    locks = make_locks(store.engine.url, None)
    dispatcher = Dispatcher(store, channel, locks)
    if not pipelined:
        dispatcher.hurries = False
    async with holding(locks, *dispatcher.roles()):
        from bot.runtime.supervisor import clock

        await store.version()
        print("ready", flush=True)
        await asyncio.to_thread(sys.stdin.readline)
        while await dispatcher.step(clock()) or dispatcher.busy:
            if dispatcher.busy and not dispatcher.attempt_ended.is_set():
                await dispatcher.attempt_ended.wait()
        await dispatcher.finish(clock(), patience=0)
    await locks.close()
    await store.close()


async def rate(server: Postgres, template: str, seconds: float, senders: int, readers: int, *, old: bool) -> float:
    """Deliveries a second, once all senders have begun and before the first runs out of work."""
    name = server.create(template=template)
    with tempfile.TemporaryDirectory(prefix="papers") as home:
        near = Store.open(server.url(name), Path(home))
        await crowd(near, readers, channel="null")
        between = await _process(home, "proxy", str(server.folder), str(seconds))
        url = f"postgresql+psycopg://papers@/{name}?host={home}/proxied"
        await _listens(Path(home, "proxied/.s.PGSQL.5432"))
        processes = [await _process(home, "send", url, "old" if old else "new") for _ in range(senders)]
        for process in processes:
            assert process.stdout is not None
            assert await process.stdout.readline() == b"ready\n"
        for process in processes:
            assert process.stdin is not None
            process.stdin.write(b"\n")
        first, began = await _sent(near, readers * SETTLED)
        last, ended = await _sent(near, readers * (1 - SETTLED))
        assert [await process.wait() for process in processes] == [0] * senders
        between.kill()
        await between.wait()
        await near.close()
    return (last - first) / (ended - began)


async def _sent(near: Store, number: float) -> tuple[int, float]:
    """Wait until `number` mails are sent; returns the number sent by then, and the time."""
    while True:
        async with near.read() as connection:
            sent = await connection.scalar(text("select count(*) from deliveries where state = 'sent'"))
        if sent >= number:
            return sent, time.perf_counter()
        await asyncio.sleep(LOOK_EVERY)


async def _listens(socket: Path) -> None:
    while not await asyncio.to_thread(socket.exists):  # noqa: ASYNC110 - the proxy is another process
        await asyncio.sleep(LOOK_EVERY)


async def _process(folder: str, *arguments: str) -> asyncio.subprocess.Process:
    environ = os.environ | {"PYTHONPATH": str(ROOT)}
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", "benchmarks.senders", *arguments,
        cwd=folder, env=environ, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip


async def measure(server: Postgres, readers: int) -> tuple[dict[str, float], list[str]]:
    """All rates, and which bounds do not hold."""
    template = server.create()
    store = Store.open(server.url(template), Path())
    await store.migrate()
    await store.close()
    rates: dict[str, float] = {}
    slow: list[str] = []
    for seconds in (0.02, 0.1):
        # One sender alone would take minutes for what eight share.
        alone = await rate(server, template, seconds, 1, readers // 4, old=False)
        rates[f"{seconds * 1000:.0f} ms, 1 sender"] = alone
        for senders in (4, 8):
            together = await rate(server, template, seconds, senders, readers, old=False)
            rates[f"{seconds * 1000:.0f} ms, {senders} senders"] = together
            least = LEAST.get((seconds, senders))
            if least is not None and together < least * alone:
                slow.append(f"{senders} senders at {seconds * 1000:.0f} ms: {together / alone:.1f} times one")
    before = await rate(server, template, 0.1, 1, max(readers // 20, 5 * CONCURRENCY), old=True)
    rates["100 ms, 1 sender, a statement at a time"] = before
    if rates["100 ms, 1 sender"] < LEAST_TIMES_OLD * before:
        slow.append(f"one sender: {rates['100 ms, 1 sender'] / before:.1f} times as fast as a statement at a time")
    return rates, slow


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmark, or one of its processes."""
    if sys.argv[1:2] == ["proxy"]:
        asyncio.run(proxy(Path(sys.argv[2]), float(sys.argv[3])))
        return 0
    if sys.argv[1:2] == ["send"]:
        asyncio.run(send(sys.argv[2], pipelined=sys.argv[3] == "new"))
        return 0
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--readers", type=int, default=READERS)
    parser.add_argument("--json", action="store_true")
    chosen = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="papers") as folder:
        try:
            with running(Path(folder)) as server:
                rates, slow = asyncio.run(measure(server, chosen.readers))
        except LookupError as error:
            print(error, file=sys.stderr)
            return 2
    if chosen.json:
        print(json.dumps(rates))
    else:
        for name, found in rates.items():
            print(f"{name:45}{found:8.0f} a second")
    for each in slow:
        print(f"too slow: {each}", file=sys.stderr)
    return 1 if slow else 0


if __name__ == "__main__":
    raise SystemExit(main())
