"""An edition for 1,000 channels on Discord while somebody asks each second, before the strict local server."""

from __future__ import annotations

import argparse
import asyncio
import json
import math
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
from tests.support.telegram_program import many, put

TOKEN = "a-token-for-a-benchmark"
OPTIONS = ("--real-rates", "--no-record", "--no-validate", "--token", TOKEN)
CHANNELS = 1_000
PER_GUILD = 50
RATE = 50
MOST_TIME = 1.1
"""Times the messages divided by the rate."""
MOST_TIMES_ALONE = 25.0
"""Ratio, at most: the 95th percentile of acknowledging a question meanwhile to the same when nothing else is sent."""
ALONE = 20
"""Questions that are asked when the edition is out."""
LONGEST = 300.0
POST = "POST /channels/{channel_id}/messages"
SYNC = "PUT /applications/{application_id}/commands"


async def prepare(home: Path, channels: list[str]) -> None:
    """Subscribed channels to which an edition is due now."""
    store = Store.open("sqlite:///subscribers.db", home)
    await store.migrate()
    now = datetime.now(UTC)
    wanted = Preferences(hour=now.hour * 60 + now.minute // 15 * 15)
    async with store.write() as connection:
        for channel in channels:
            await subscriber_queries.add(connection, Address("discord", f"channel:{channel}"), wanted, now=now)
    await put(store, many(10, now), closed_at=now)
    await store.close()


async def fan_out(channels: int) -> dict[str, Any]:
    """How long an edition takes to all channels, and how soon somebody is answered meanwhile."""
    with tempfile.TemporaryDirectory() as folder:
        async with server("tests.support.discord_server", *OPTIONS) as origin, aiohttp.ClientSession(origin) as http:
            made: list[str] = []
            for number in range(-(-channels // PER_GUILD)):
                wanted = {"name": f"Guild {number}", "channels": [["text", f"papers-{n}"] for n in range(PER_GUILD)]}
                guild = await _do(http, "guilds", wanted)
                made += guild["channels"]
            person = await _do(http, "people", {"name": "ada", "guild": guild["id"]})
            made = made[:channels]
            await prepare(Path(folder), made)
            async with program(Path(folder), DISCORD_TOKEN=TOKEN, DISCORD_API_URL=f"{origin}/api/v10"):
                begun, seconds, waits, counts = await _watch(http, person["id"], made[-1], channels)
                alone = [await _ask(http, person["id"], made[-1]) for _ in range(ALONE)]
    waits.sort()
    late = waits[int(len(waits) * 0.95)] if waits else math.inf
    return {
        "messages": channels,
        "seconds": round(seconds - begun, 2),
        "times the least": round((seconds - begun) / (channels / RATE), 3),
        "too fast (429)": counts.get("status 429", 0),
        "asked": len(waits),
        "p95 until acknowledged, s": round(late, 3),
        "times alone": round(late / sorted(alone)[int(ALONE * 0.95)], 1),
    }


async def _ask(http: aiohttp.ClientSession, person: str, channel: str) -> float:
    """The seconds until a question was acknowledged."""
    seen = await _do(http, "uses", {"person": person, "command": "/papers today", "channel": channel})
    return float(seen["acknowledged_after"])


async def _watch(
    http: aiohttp.ClientSession, person: str, channel: str, channels: int
) -> tuple[float, float, list[float], dict[str, int]]:
    """Ask each second from the first message to the last: when both were, how long each question waited, counters."""
    begun, ended, counts = 0.0, 0.0, {}
    waits: list[float] = []
    asking: set[asyncio.Task[None]] = set()

    async def ask() -> None:
        waits.append(await _ask(http, person, channel))

    limit, asked_at = time.monotonic() + LONGEST, 0.0
    while time.monotonic() < limit:
        async with http.get("/_/counts") as answer:
            seen = await answer.json()
        counts = seen["counts"]
        now, posted = time.monotonic(), counts.get(POST, 0)
        begun = begun or (now if posted else 0.0)
        if posted >= channels:
            ended = now
            break
        # Nobody can be answered before the bot has a session, neither here nor by Discord.
        if posted and counts.get(SYNC) and seen["gateway"].get("READY") and now - asked_at >= 1.0:
            asked_at = now
            task = asyncio.create_task(ask())
            asking.add(task)
            task.add_done_callback(asking.discard)
        await asyncio.sleep(0.02)
    await asyncio.gather(*asking)
    return begun, ended, waits, counts


async def _do(http: aiohttp.ClientSession, what: str, asked: dict[str, Any]) -> Any:
    async with http.post(f"/_/{what}", json=asked) as answer:
        done = await answer.json()
        if answer.status != 200:
            raise RuntimeError(done)
        return done


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.discord", description=__doc__)
    parser.add_argument("--channels", type=int, default=CHANNELS)
    parser.add_argument("--json", action="store_true", help="print one JSON object instead")
    given = parser.parse_args()
    found = asyncio.run(fan_out(given.channels))
    wrong = []
    if found["times the least"] > MOST_TIME:
        wrong.append(f"took more than {MOST_TIME} times the least")
    if found["too fast (429)"]:
        wrong.append("was told to slow down")
    if found["times alone"] > MOST_TIMES_ALONE:
        wrong.append(f"95 of 100 questions were not acknowledged in {MOST_TIMES_ALONE:g} times what they take alone")
    if given.json:
        print(json.dumps(found))
    else:
        for name, value in found.items():
            print(f"{name:28} {value}")
        print(f"at most {MOST_TIME:g} times the least, and {MOST_TIMES_ALONE:g} times alone")
    for each in wrong:
        print(f"✗ {each}", file=sys.stderr)
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main())
