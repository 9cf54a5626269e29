"""How long parsing the recorded days takes, against `json.loads` of the same bytes.

`python -m benchmarks.parsing` reads the recordings from `$PAPERS_REFERENCE/data/daily_papers`.
Exit code 0: within the limit, 1: too slow, 2: no recordings.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path

from bot.publishing.feed import huggingface

MOST_TIMES_JSON = 5.0
REPEATS = 5


def main() -> int:
    """Print both times, their ratio and the verdict."""
    folder = Path(os.environ.get("PAPERS_REFERENCE", "")) / "data" / "daily_papers"
    days = {date.fromisoformat(file.stem): file.read_bytes() for file in sorted(folder.glob("*.json"))}
    if not days:
        print("no recordings: set PAPERS_REFERENCE to the folder that holds data/daily_papers", file=sys.stderr)
        return 2
    loading = best(lambda: [json.loads(body) for body in days.values()])
    parsing = best(lambda: [huggingface.parse(body, day) for day, body in days.items()])
    papers = sum(len(huggingface.parse(body, day)) for day, body in days.items())
    ratio = parsing / loading
    fits = ratio <= MOST_TIMES_JSON
    print(f"{len(days)} days, {papers:,} papers, {sum(map(len, days.values())):,} bytes, best of {REPEATS}")
    print(f"json.loads {loading * 1000:7.1f} ms")
    print(f"parse      {parsing * 1000:7.1f} ms")
    print(f"ratio      {ratio:7.2f}    {'ok' if fits else 'too slow'} (at most {MOST_TIMES_JSON:g})")
    return 0 if fits else 1


def best(work: Callable[[], object]) -> float:
    """The shortest of several runs, in seconds: the others were disturbed."""

    def once() -> float:
        began = time.perf_counter()
        work()
        return time.perf_counter() - began

    return min(once() for _ in range(REPEATS))


if __name__ == "__main__":
    sys.exit(main())
