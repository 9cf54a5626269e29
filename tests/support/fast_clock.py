"""The program on a machine whose clock is fast: `python -m tests.support.fast_clock HOURS WORDS...`.

The monotonic clock, which nobody sets, is not changed.
"""

from __future__ import annotations

import sys
from datetime import UTC, datetime, timedelta

import time_machine

from bot.__main__ import main

if __name__ == "__main__":
    ahead = timedelta(hours=float(sys.argv.pop(1)))
    with time_machine.travel(datetime.now(UTC) + ahead, tick=True):
        main()
