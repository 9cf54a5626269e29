"""Names of editions in URLs, file names and commands: `2026-04-29`, `2026-W18`, `2026-04`. Pure."""

from __future__ import annotations

import re
from datetime import date

from bot.model import Cadence
from bot.rules.periods import period_of

SLUG = "[0-9]{4}-[0-9W-]+"
"""A pattern for routes that every slug matches; what matches and names no edition is found by `edition_of`."""
_SLUG = re.compile(r"(\d{4})-(?:(\d\d)-(\d\d)|W(\d\d)|(\d\d))", re.ASCII)


def edition_of(written: str) -> tuple[Cadence, date] | None:
    """The cadence and last day of the edition that a slug names: `2026-04-29`, `2026-W18`, `2026-04`."""
    found = _SLUG.fullmatch(written)
    if found is None:
        return None
    year = int(found[1])
    try:
        if found[2]:
            return Cadence.DAY, date(year, int(found[2]), int(found[3]))
        if found[4]:
            return Cadence.WEEK, date.fromisocalendar(year, int(found[4]), 7)
        return Cadence.MONTH, period_of(Cadence.MONTH, date(year, int(found[5]), 1)).last
    except (ValueError, OverflowError):
        return None
