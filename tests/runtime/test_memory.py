"""An answer full of huge titles costs memory while it is read, and not for ever."""

from __future__ import annotations

import subprocess
import sys

import pytest

READ = """
import asyncio, gc, json, sys
from datetime import date
from bot.publishing.feed import huggingface
from bot.runtime.memory import return_large_blocks

def used():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * 4096

async def read(rounds):
    for _ in range(rounds):
        await asyncio.gather(*(asyncio.to_thread(answer) for _ in range(4)))

def answer():
    rows = [{"paper": {"id": f"2511.{n:05}", "title": ("word " * 200_000) + str(n), "summary": "x"}} for n in range(6)]
    assert len(huggingface.parse(json.dumps(rows).encode(), date(2025, 11, 3))) == 6

if sys.argv[1] == "told":
    return_large_blocks()
huggingface.parse(b"[]", date(2025, 11, 3))
before = used()
asyncio.run(read(2))
gc.collect()
print((used() - before) >> 20)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="it is glibc's allocator that is told")
def test_memory_comes_back_after_titles_of_a_megabyte() -> None:
    def kept(how: str) -> int:
        done = subprocess.run([sys.executable, "-c", READ, how], capture_output=True, text=True, check=True)
        return int(done.stdout)

    assert kept("told") <= max(6, kept("as it is") // 2)
