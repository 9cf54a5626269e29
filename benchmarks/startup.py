"""How soon the command answers: `papers --help` beside `python -c pass`, and what `./run` adds to it."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
MOST_RATIO = 10.0
MOST_ADDED = 10.0
"""Times `python -c pass` that a second start through ./run may add."""
TRIES = 10


def best(command: list[str]) -> float:
    """The best time of several tries, in seconds."""
    times = []
    for _ in range(TRIES):
        begun = time.perf_counter()
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, cwd=ROOT)
        times.append(time.perf_counter() - begun)
    return min(times)


def main() -> int:
    bare = best([sys.executable, "-c", "pass"])
    answer = best([sys.executable, "-P", "-m", "bot", "--help"])
    print(f"python -c pass  {bare * 1000:6.0f} ms")
    print(f"papers --help   {answer * 1000:6.0f} ms")
    ratio = answer / bare
    good = ratio <= MOST_RATIO
    print(f"ratio           {ratio:6.1f}     at most {MOST_RATIO:g}: {'ok' if good else 'TOO SLOW'}")
    if os.name == "posix":
        subprocess.run([ROOT / "run", "--help"], check=True, stdout=subprocess.DEVNULL)  # set up, if it was not
        added = best([str(ROOT / "run"), "--help"]) - answer
        fast = added / bare <= MOST_ADDED
        print(f"./run adds      {added * 1000:6.0f} ms")
        print(f"ratio           {added / bare:6.1f}     at most {MOST_ADDED:g}: {'ok' if fast else 'TOO SLOW'}")
        good = good and fast
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
