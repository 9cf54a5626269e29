"""A broadcast in Telegram while readers ask, and a crowd that asks at once, before the strict local Bot API server."""

from __future__ import annotations

import argparse
import asyncio
import json
import math
import os
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import aiohttp

from benchmarks.processes import program, server
from bot.model import Address, Preferences
from bot.store import Store, subscriber_queries
from channels.telegram.channel import MARGIN
from tests.support.telegram_program import many, put
from tests.support.telegram_server.server import TOKEN

READERS = 1_800
RATE = 30
MOST_TIME = 1.03
"""Times the least: the messages divided by the rate, with the margin that a strict sliding second wants."""
MOST_TIMES_ALONE = 25.0
"""Ratio, at most: the 95th percentile of answers during a broadcast to the same when nothing else is sent."""
ALONE = 20
"""Questions that are asked when the broadcast is over."""
CROWD = 500
ROUNDS = 6
GROWTH = 1.05
"""Times the resident size after the second round that the last may have."""
LONGEST = 300.0
ASKERS = 900_000


def _settings(origin: str, rate: int) -> dict[str, str]:
    return {"TELEGRAM_TOKEN": TOKEN, "TELEGRAM_API_URL": origin, "TELEGRAM_RATE": f"{rate}"}


async def prepare(home: Path, readers: int) -> None:
    """Readers to whom an edition is due now."""
    store = Store.open("sqlite:///subscribers.db", home)
    await store.migrate()
    now = datetime.now(UTC)
    async with store.write() as connection:
        for number in range(readers):
            wanted = Preferences(hour=now.hour * 60 + now.minute // 15 * 15)
            await subscriber_queries.add(connection, Address("telegram", f"{1_000 + number}"), wanted, now=now)
    await put(store, many(10, now), closed_at=now)
    await store.close()


async def broadcast(readers: int) -> dict[str, Any]:
    """How long a broadcast takes while somebody asks for today's papers each second, and how soon they are answered."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        await prepare(home, readers)
        asked: dict[int, float] = {}
        alone: dict[int, float] = {}
        async with (
            server("tests.support.telegram_server", "--rates", "--per-second", f"{RATE}", "--everybody") as origin,
            aiohttp.ClientSession(origin) as http,
            program(home, **_settings(origin, RATE)),
        ):
            begun = time.monotonic()
            while time.monotonic() < begun + LONGEST:
                counts = await _get(http, "/_/counters")
                sent = counts["calls"].get("sendMessage", 0)
                if sent >= readers + len(asked):
                    break
                if sent:
                    await _ask(http, asked, ASKERS + len(asked))
                await asyncio.sleep(1)
            for number in range(ALONE):
                await _ask(http, alone, ASKERS + len(asked) + number)
                await asyncio.sleep(0.5)
            calls = await _get(http, "/_/calls?method=sendMessage")
            refusals = (await _get(http, "/_/counters"))["refusals"]
    answered = {int(call["arguments"]["chat_id"]): call["ended"] for call in calls if call["status"] == 200}
    taken = [call for call in calls if call["status"] == 200 and int(call["arguments"]["chat_id"]) not in alone]
    waits = sorted(answered[asker] - at for asker, at in asked.items() if asker in answered)
    calm = sorted(answered[asker] - at for asker, at in alone.items() if asker in answered)
    late = waits[int(len(waits) * 0.95)] if waits else math.inf
    seconds = max(call["ended"] for call in taken) - min(call["when"] for call in taken)
    return {
        "messages": len(taken),
        "seconds": round(seconds, 2),
        "times the least": round(seconds / (len(taken) / RATE * (1 + MARGIN)), 3),
        "too fast (429)": refusals.get("429", 0),
        "asked": len(asked),
        "answered": len(waits),
        "p95 of answers, s": round(late, 3),
        "times alone": round(late / calm[int(len(calm) * 0.95)], 1) if calm else math.inf,
    }


async def _ask(http: aiohttp.ClientSession, asked: dict[int, float], asker: int) -> None:
    asked[asker] = time.monotonic()
    await http.post("/_/acts", json={"who": asker, "does": "writes", "text": "/today"})


async def crowd() -> dict[str, Any]:
    """How large the program is after that number of people asked at once, again and again."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        await prepare(home, 0)
        sizes = []
        async with (
            server("tests.support.telegram_server", "--everybody", "--no-record") as origin,
            aiohttp.ClientSession(origin) as http,
            program(home, **_settings(origin, 1000)) as pid,
        ):
            expected = 0
            for turn in range(ROUNDS):
                acts = [
                    {"who": ASKERS + turn * CROWD + each, "does": "writes", "text": "/help" if each % 2 else "/today"}
                    for each in range(CROWD)
                ]
                await http.post("/_/acts", json=acts)
                expected += CROWD
                limit = time.monotonic() + LONGEST
                while time.monotonic() < limit:
                    sent = (await _get(http, "/_/counters"))["calls"].get("sendMessage", 0)
                    if sent >= expected:
                        break
                    await asyncio.sleep(0.1)
                sizes.append(_resident(pid))
            sent = (await _get(http, "/_/counters"))["calls"].get("sendMessage", 0)
    return {
        "asked": expected,
        "answers": sent,
        "resident, MB": [round(size / 1e6) for size in sizes],
        "growth": round(sizes[-1] / sizes[1], 3),
    }


async def _get(http: aiohttp.ClientSession, path: str) -> Any:
    async with http.get(path) as answer:
        return await answer.json()


def _resident(pid: int) -> int:
    pages = int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.telegram", description=__doc__)
    parser.add_argument("--readers", type=int, default=READERS)
    parser.add_argument("--only", choices=["broadcast", "crowd"])
    given = parser.parse_args()
    holds = True
    if given.only != "crowd":
        found = asyncio.run(broadcast(given.readers))
        print(json.dumps({"broadcast": found}))
        print(f"at most {MOST_TIME:g} times the least, and {MOST_TIMES_ALONE:g} times alone")
        in_time = found["times alone"] <= MOST_TIMES_ALONE
        holds &= found["times the least"] <= MOST_TIME and not found["too fast (429)"] and in_time
    if given.only != "broadcast":
        found = asyncio.run(crowd())
        print(json.dumps({"crowd": found}))
        holds &= found["answers"] == found["asked"] and found["growth"] <= GROWTH
    sys.exit(0 if holds else 1)


if __name__ == "__main__":
    main()
