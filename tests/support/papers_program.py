"""`papers` as people run it: processes in a home of their own that read a feed on this machine.

done = await Papers(tmp_path, {"FEED_URL": server.url})("editions", "--json")
assert done.json == []
"""

import asyncio
import json
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from tests.support.command import run
from tests.support.feed_server import FeedServer

ROOT = Path(__file__).resolve().parents[2]
DAY = timedelta(days=1)


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


async def rehearse(papers: Papers, server: FeedServer, now: str) -> Done:
    server.now = datetime.fromisoformat(now)
    return await papers("run", "--once", "--now", now)
