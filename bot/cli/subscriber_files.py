"""Subscribers as rows of a file: CSV or JSON Lines, out and in. Pure: every bad line is told by its number.

The columns are those that an export writes. An import needs `address` alone; what is missing is the default.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum
from functools import lru_cache
from typing import TypeVar

from bot.model import ALL_PAPERS, MOST_PAPERS, MOST_VOTES, Address, Cadence, Preferences, Status, Style, Subscriber
from bot.render import typed_values, zones
from bot.render.words import DEFAULT, languages, match
from bot.rules.topics import LONGEST_TOPIC, MOST_TOPICS, TopicsError, parse

COLUMNS = (
    "address",
    "status",
    "language",
    "style",
    "papers",
    "min_votes",
    "topics",
    "hour",
    "weekdays",
    "timezone",
    "cadence",
    "created_at",
    "paused_until",
)
MOST_LINES = 40
"""So many lines one record may be spread over."""
YEARS = range(2000, 2100)
UNSTORABLE = re.compile("[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff]")
"""Half characters, and what commands terminals; PostgreSQL stores no NUL either."""
FORMULA = ("=", "+", "-", "@")
"""What a spreadsheet would take for the beginning of a formula; a space before it keeps it text."""

Choice = TypeVar("Choice", bound=StrEnum)

Recipient = Callable[[Address], Address]
"""Brings an address into the form in which it is stored; ValueError, with a sentence, where it is none."""


@dataclass(frozen=True, slots=True)
class SubscriberRow:
    """One subscriber as a file has them; `created_at` is None where it does not say."""

    address: Address
    status: Status
    preferences: Preferences
    created_at: datetime | None = None
    paused_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class BadRow:
    """A line that cannot be taken, and why."""

    line: int
    why: str


def read_csv(lines: Iterable[bytes], recipient: Recipient, default: Preferences) -> Iterator[SubscriberRow | BadRow]:
    """The subscribers of a CSV file, whose first line names its columns. ValueError where that line is no good."""
    records = _records(_text(lines))
    head = next(records, None)
    cells = _cells_of(head[1]) if head is not None and head[1] is not None else None
    header = [name.strip().casefold() for name in cells or []]
    unknown = [name for name in header if name not in COLUMNS]
    if "address" not in header or unknown:
        raise ValueError(f"the first line must name columns out of: {', '.join(COLUMNS)}; address is needed")
    for number, record in records:
        if record is None:
            yield BadRow(number, "has a quote that is not closed")
            continue
        cells = _cells_of(record)
        if cells is None:
            yield BadRow(number, "is no line of CSV")
        elif len(cells) != len(header):
            if any(cell.strip() for cell in cells):
                yield BadRow(number, f"has {len(cells)} cells, not {len(header)}")
        elif any(cell.strip() for cell in cells):
            yield _enrolled(dict(zip(header, cells, strict=True)), number, recipient, default)


def _records(lines: Iterable[str]) -> Iterator[tuple[int, str | None]]:
    """The records of a CSV file with the number of the line that each ends on; None for a line that spoils a record.

    A quote that is never closed costs its own line, not all that follow it.
    """
    waiting: deque[tuple[int, str]] = deque()
    numbered = enumerate(lines, start=1)
    while True:
        held: list[tuple[int, str]] = []
        quotes = 0
        while not held or quotes % 2:
            line = waiting.popleft() if waiting else next(numbered, None)
            if line is None or len(held) == MOST_LINES:
                waiting.extendleft(reversed([*held[1:], *([line] if line else [])]))
                break
            held.append(line)
            quotes += line[1].count('"')
        if not held:
            return
        if quotes % 2:
            yield held[0][0], None
        else:
            yield held[-1][0], "".join(text for _, text in held)


def _cells_of(record: str) -> list[str] | None:
    """The cells of one record, None where it is none."""
    try:
        return next(csv.reader(io.StringIO(record, newline=""), strict=True), [])
    except csv.Error:
        return None


def read_json_lines(
    lines: Iterable[bytes], recipient: Recipient, default: Preferences
) -> Iterator[SubscriberRow | BadRow]:
    """The subscribers of a file with one JSON object per line."""
    for number, line in enumerate(_text(lines), start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except (ValueError, RecursionError):
            yield BadRow(number, "is no JSON")
            continue
        if not isinstance(row, dict):
            yield BadRow(number, "is no JSON object")
            continue
        unknown = [name for name in row if name not in COLUMNS]
        if unknown:
            yield BadRow(number, f"has {unknown[0][:40]!r}, which is none of: {', '.join(COLUMNS)}")
            continue
        given = {name: _as_text(name, value) for name, value in row.items() if value is not None}
        yield _enrolled(given, number, recipient, default)


def write_csv(subscribers: Iterable[Subscriber], *, header: bool) -> str:
    """Subscribers as lines of CSV."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    if header:
        writer.writerow(COLUMNS)
    for each in subscribers:
        writer.writerow([f" {cell}" if cell.startswith(FORMULA) else cell for cell in _cells(each).values()])
    return out.getvalue()


def write_json_lines(subscribers: Iterable[Subscriber]) -> str:
    """Subscribers as lines of JSON."""
    return "".join(f"{json.dumps(as_row(each), ensure_ascii=False)}\n" for each in subscribers)


def as_row(subscriber: Subscriber) -> dict[str, object]:
    """A subscriber for scripts, with lists and numbers as such."""
    cells: dict[str, object] = {name: cell or None for name, cell in _cells(subscriber).items()}
    wanted = subscriber.preferences
    papers: object = wanted.papers or "all"
    return cells | {"papers": papers, "min_votes": wanted.min_votes, "topics": list(wanted.topics)}


@lru_cache(8192)
def preferences(
    default: Preferences,
    *,
    language: str = "",
    style: str = "",
    papers: str = "",
    min_votes: str = "",
    topics: str = "",
    hour: str = "",
    weekdays: str = "",
    timezone: str = "",
    cadence: str = "",
) -> Preferences:
    """Preferences as people write them; what is empty is taken from `default`. ValueError says what is wrong.

    Where a language is given and no zone, the zone is guessed from it. Remembered, since many rows say the same.
    """
    changes: dict[str, object] = {}
    if language:
        changes["language"] = _language(language)
        changes["timezone"] = zones.guess(language) or default.timezone
    if style:
        changes["style"] = _one_of(Style, style, "style")
    if papers:
        changes["papers"] = ALL_PAPERS if papers == "all" else _number(papers, 1, MOST_PAPERS, "papers")
    if min_votes:
        changes["min_votes"] = _number(min_votes, 0, MOST_VOTES, "min_votes")
    if topics:
        changes["topics"] = _topics(topics)
    if hour:
        changes["hour"] = _needed(typed_values.hour(hour, DEFAULT), f"{hour!r} is no hour on a quarter, such as 7:30")
    if weekdays:
        days = typed_values.weekdays(weekdays, DEFAULT)
        changes["weekdays"] = _needed(days, f"{weekdays!r} is no list of weekdays, such as mon-fri or 1,3,5")
    if timezone:
        if not zones.is_zone(timezone):
            raise ValueError(f"{timezone!r} is no time zone, such as Asia/Seoul")
        changes["timezone"] = timezone
    if cadence:
        changes["cadence"] = _one_of(Cadence, cadence, "cadence")
    return replace(default, **changes)  # type: ignore[arg-type]


def _enrolled(row: Mapping[str, str], line: int, recipient: Recipient, default: Preferences) -> SubscriberRow | BadRow:
    given = {name: cell.strip() for name, cell in row.items()}
    if any(UNSTORABLE.search(cell) for cell in given.values()):
        return BadRow(line, "is not UTF-8, or has characters that no address or setting has")
    try:
        address = recipient(Address.parse(given.pop("address", "")))
        status = _one_of(Status, given.pop("status", "") or Status.ACTIVE, "status")
        created_at, paused_until = _instant(given.pop("created_at", "")), _instant(given.pop("paused_until", ""))
        return SubscriberRow(address, status, preferences(default, **given), created_at, paused_until)
    except (ValueError, OverflowError) as error:
        return BadRow(line, str(error))


def _cells(subscriber: Subscriber) -> dict[str, str]:
    wanted = subscriber.preferences
    days = [str(day + 1) for day in range(7) if wanted.weekdays >> day & 1]
    return {
        "address": str(subscriber.address),
        "status": subscriber.status.value,
        "language": wanted.language,
        "style": wanted.style.value,
        "papers": str(wanted.papers or "all"),
        "min_votes": str(wanted.min_votes),
        "topics": ", ".join(wanted.topics),
        "hour": "{:02}:{:02}".format(*divmod(wanted.hour, 60)),
        "weekdays": ",".join(days),
        "timezone": wanted.timezone,
        "cadence": wanted.cadence.value,
        "created_at": "" if subscriber.created_at is None else subscriber.created_at.isoformat(),
        "paused_until": "" if subscriber.paused_until is None else subscriber.paused_until.isoformat(),
    }


def _text(lines: Iterable[bytes]) -> Iterator[str]:
    """Lines as text; what is not UTF-8 is found when its line is looked at."""
    for number, line in enumerate(lines):
        text = line.decode("utf-8", "surrogateescape")
        yield text.removeprefix("\ufeff") if number == 0 else text


def _as_text(name: str, value: object) -> str:
    if name in {"topics", "weekdays"} and isinstance(value, list):
        return ", ".join(map(str, value))
    return str(value)


def _language(written: str) -> str:
    found = match(written, default="")
    if not found:
        raise ValueError(f"there is no language {written!r}; there are: {', '.join(languages())}")
    return found


def _topics(written: str) -> tuple[str, ...]:
    try:
        return parse(written)
    except TopicsError:
        raise ValueError(f"there may be {MOST_TOPICS} topics of {LONGEST_TOPIC} characters") from None


def _one_of(kind: type[Choice], written: str, what: str) -> Choice:
    try:
        return kind(written.casefold())
    except ValueError:
        raise ValueError(f"there is no {what} {written!r}; there are: {', '.join(kind)}") from None


def _number(written: str, lowest: int, highest: int, what: str) -> int:
    if not (written.isascii() and written.isdigit() and len(written) < 10 and lowest <= int(written) <= highest):
        raise ValueError(f"{what} must be a number from {lowest} to {highest}, not {written!r}")
    return int(written)


def _needed(value: int | None, why: str) -> int:
    if value is None:
        raise ValueError(why)
    return value


def _instant(written: str) -> datetime | None:
    if not written:
        return None
    try:
        at = datetime.fromisoformat(written)
        at = at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    except (ValueError, OverflowError):
        raise ValueError(f"{written[:40]!r} is no instant, such as 2026-04-29T22:00:00Z") from None
    if at.year not in YEARS:
        raise ValueError(f"{written!r} is too long ago, or too far off")
    return at
