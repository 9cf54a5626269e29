"""How soon others have the work of a machine that fails, and how many mails come twice, at any size.

`python -m benchmarks.chaos [--seeds 10] [--readers 20000] [--behind pooler|replica]`. Five machines, made of network
namespaces, send an edition; each kind of fault comes twice, to the machine that polls and to another. Needs root.
Exit code 0: nobody is lost and all bounds hold (`tests/support/chaos.py`), 1: something does not.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import subprocess
import tempfile
import traceback
from pathlib import Path

from tests.support.chaos import CUT, DEAD, HEALED, edition

SEEDS, READERS, MACHINES = 10, 20_000, "abcde"
COLUMNS = {CUT: "cut off", DEAD: "no power", HEALED: "healed"}


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.chaos")
    parser.add_argument("--seeds", type=int, default=SEEDS)
    parser.add_argument("--readers", type=int, default=READERS)
    parser.add_argument("--behind", choices=["pooler", "replica"], default="")
    chosen = parser.parse_args()
    print(f"seed  {'  '.join(f'{title:>8}' for title in COLUMNS.values())}     twice  in flight")
    return max(run(seed, chosen.readers, chosen.behind) for seed in range(chosen.seeds))


def run(seed: int, readers: int, behind: str) -> int:
    """Send an edition and print the longest of each time, in seconds; returns 1 if something does not hold."""
    with tempfile.TemporaryDirectory(prefix="papers") as folder:
        try:
            seen = asyncio.run(edition(Path(folder), MACHINES, readers, random.Random(seed), behind=behind))
        except (AssertionError, subprocess.TimeoutExpired):
            traceback.print_exc()
            return 1
    times = "  ".join(f"{max(seen.took[says]):6.1f} s" for says in COLUMNS)
    print(f"{seed:4}  {times}  {seen.twice:8}  {seen.most_twice:9}", flush=True)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
