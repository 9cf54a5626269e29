"""Reads times and lengths of time as operators write them: `22:00`, `15m`, `900s`. Pure."""

from __future__ import annotations

import re
from datetime import time, timedelta

EARLIEST_CLOSING = 4
"""Hour (UTC) before which EDITION_CLOSES may not be: a day's list has hardly begun then."""
UNITS = {"s": 1, "m": 60, "h": 3600}
"""Seconds in a unit of time."""


def duration(written: object) -> object:
    """Read `900s`, `15m` or `1h`; a bare number is in minutes. Raises ValueError."""
    if not isinstance(written, str):
        return written
    found = re.fullmatch(r"\s*(\d{1,6})\s*([smh]?)\s*", written)
    if not found:
        raise ValueError("must be a number with a unit, such as 15m, 900s or 1h")
    return timedelta(seconds=int(found[1]) * UNITS[found[2] or "m"])


def seconds(written: object) -> object:
    """Read `120s` or `2m`; a bare number is in seconds. Raises ValueError."""
    return duration(f"{written}s" if isinstance(written, str) and written.strip().isdigit() else written)


def clock_time(written: object) -> object:
    """Read `22:00`. Raises ValueError."""
    if not isinstance(written, str):
        return written
    found = re.fullmatch(r"\s*([01]?\d|2[0-3]):([0-5]\d)\s*", written)
    if not found or int(found[1]) < EARLIEST_CLOSING:
        raise ValueError(f"must be a time of day in UTC from {EARLIEST_CLOSING:02}:00 to 23:59, such as 22:00")
    return time(int(found[1]), int(found[2]))
