"""Subscribers as CSV or JSON Lines files, read and written. Pure: each bad row is reported with its line number.

The columns are those that an export writes. An import needs `address` alone; an empty cell means the default.
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
from functools import lru_cache
from typing import Any

from bot.channel.preference import Kind, Preference
from bot.model import OFF, ON, Address, Cadence, Preferences, Status, Style, Subscriber
from bot.render import preference_values, timezones
from bot.render.catalogue import DEFAULT, languages
from bot.render.words import words
from bot.rules.preferences import PREFERENCES, value
from bot.rules.topics import LONGEST_TOPIC, MOST_TOPICS, TopicsError, parse

MOST_LINES = 40
"""Lines that one quoted record may span."""
YEARS = range(2000, 2100)
"""Years that `created_at` and `paused_until` may lie in."""
UNSTORABLE = re.compile("[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff]")
"""Lone surrogates and control characters; PostgreSQL cannot store NUL either."""
FORMULA = ("=", "+", "-", "@")
"""First characters that a spreadsheet takes for a formula; a space before them keeps the cell text."""

Recipient = Callable[[Address], Address]
"""Normalises an address to its stored form. Raises ValueError, whose message is a sentence, for an invalid one."""


@dataclass(frozen=True, slots=True)
class SubscriberRow:
    """One subscriber read from a file; `created_at` is None where the file gives none."""

    address: Address
    status: Status
    preferences: Preferences
    created_at: datetime | None = None
    paused_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class BadRow:
    """A row that cannot be imported, and why."""

    line: int
    why: str


def columns() -> tuple[str, ...]:
    """The columns of a file, in the order in which an export writes them."""
    return ("address", "status", *(each.name for each in PREFERENCES), "created_at", "paused_until")


def read_csv(lines: Iterable[bytes], recipient: Recipient, default: Preferences) -> Iterator[SubscriberRow | BadRow]:
    """Read the subscribers of a CSV file, whose first line names its columns.

    Raises:
        ValueError: That line names an unknown column, or no `address`.
    """
    records = _records(_text(lines))
    head = next(records, None)
    cells = _cells_of(head[1]) if head is not None and head[1] is not None else None
    header = [name.strip().casefold() for name in cells or []]
    known = columns()
    if "address" not in header or not set(header) <= set(known):
        raise ValueError(f"the first line must name columns out of: {', '.join(known)}; address is needed")
    for number, record in records:
        if record is None:
            yield BadRow(number, "has an unclosed quote")
            continue
        cells = _cells_of(record)
        if cells is None:
            yield BadRow(number, "is not valid CSV")
        elif len(cells) != len(header):
            if any(cell.strip() for cell in cells):
                yield BadRow(number, f"has {len(cells)} cells, not {len(header)}")
        elif any(cell.strip() for cell in cells):
            yield _row(dict(zip(header, cells, strict=True)), number, recipient, default)


def _records(lines: Iterable[str]) -> Iterator[tuple[int, str | None]]:
    """Split a CSV file into records, each with the number of its last line; None for a line with an unclosed quote.

    Such a line is dropped alone: the lines after it are read as usual.
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
    """The cells of one record, None if it is not valid CSV."""
    try:
        return next(csv.reader(io.StringIO(record, newline=""), strict=True), [])
    except csv.Error:
        return None


def read_json_lines(
    lines: Iterable[bytes], recipient: Recipient, default: Preferences
) -> Iterator[SubscriberRow | BadRow]:
    """Read the subscribers of a file with one JSON object per line."""
    for number, line in enumerate(_text(lines), start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except (ValueError, RecursionError):
            yield BadRow(number, "is not JSON")
            continue
        if not isinstance(row, dict):
            yield BadRow(number, "is not a JSON object")
            continue
        unknown = [name for name in row if name not in columns()]
        if unknown:
            yield BadRow(number, f"has {unknown[0][:40]!r}, which is not one of: {', '.join(columns())}")
            continue
        given = {name: _as_text(cell) for name, cell in row.items() if cell is not None}
        yield _row(given, number, recipient, default)


def write_csv(subscribers: Iterable[Subscriber], *, header: bool) -> str:
    """Write subscribers as lines of CSV."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    if header:
        writer.writerow(columns())
    for each in subscribers:
        writer.writerow([f" {cell}" if cell.startswith(FORMULA) else cell for cell in _cells(each).values()])
    return out.getvalue()


def write_json_lines(subscribers: Iterable[Subscriber]) -> str:
    """Write subscribers as JSON Lines."""
    return "".join(f"{json.dumps(as_row(each), ensure_ascii=False)}\n" for each in subscribers)


def as_row(subscriber: Subscriber) -> dict[str, object]:
    """A subscriber as a JSON object: numbers, lists and switches as such, everything else as text."""
    row: dict[str, object] = {name: cell or None for name, cell in _cells(subscriber).items()}
    for each in PREFERENCES:
        chosen = value(subscriber.preferences, each)
        if each.kind is Kind.TOPICS:
            row[each.name] = list(subscriber.preferences.topics)
        elif each.kind in {Kind.NUMBER, Kind.SWITCH} or (each.kind is Kind.COUNT and chosen):
            row[each.name] = chosen
    return row


@lru_cache(8192)
def preferences(default: Preferences, **given: str) -> Preferences:
    """Preferences from cells as people write them, by the names in `PREFERENCES`; an empty one keeps the default.

    A language without a time zone also sets the zone that the language suggests. Cached: many rows are alike.

    Raises:
        ValueError: A cell makes no sense; the message says which and why.
    """
    changes: dict[str, Any] = {
        each.name: _value(each, cell) for each in PREFERENCES if (cell := given.get(each.name, ""))
    }
    if "language" in changes and "timezone" not in changes:
        changes["timezone"] = timezones.guess(given["language"]) or default.timezone
    return replace(default, **changes)


def _row(row: Mapping[str, str], line: int, recipient: Recipient, default: Preferences) -> SubscriberRow | BadRow:
    """Read the cells of one row."""
    given = {name: cell.strip() for name, cell in row.items()}
    if any(UNSTORABLE.search(cell) for cell in given.values()):
        return BadRow(line, "is not UTF-8, or has control characters")
    try:
        address = recipient(Address.parse(given.pop("address", "")))
        status = _status(given.pop("status", "") or Status.ACTIVE)
        created_at, paused_until = _instant(given.pop("created_at", "")), _instant(given.pop("paused_until", ""))
        return SubscriberRow(address, status, preferences(default, **given), created_at, paused_until)
    except (ValueError, OverflowError) as error:
        return BadRow(line, str(error))


def _cells(subscriber: Subscriber) -> dict[str, str]:
    wanted = subscriber.preferences
    chosen = {each.name: each.write(value(wanted, each)) for each in PREFERENCES}
    return {
        "address": f"{subscriber.address.via}:{subscriber.address.recipient}",
        "status": subscriber.status.value,
        **chosen,
        "topics": ", ".join(wanted.topics),
        "created_at": "" if subscriber.created_at is None else subscriber.created_at.isoformat(),
        "paused_until": "" if subscriber.paused_until is None else subscriber.paused_until.isoformat(),
    }


def _text(lines: Iterable[bytes]) -> Iterator[str]:
    """Decode lines; bytes that are not UTF-8 become surrogates, which `_row` refuses."""
    for number, line in enumerate(lines):
        text = line.decode("utf-8", "surrogateescape")
        yield text.removeprefix("\ufeff") if number == 0 else text


def _as_text(cell: object) -> str:
    """A JSON value as a CSV file would have it."""
    if isinstance(cell, list):
        return ", ".join(map(str, cell))
    if isinstance(cell, bool):
        return ON if cell else OFF
    return str(cell)


def _value(preference: Preference, cell: str) -> object:
    """Read one cell. Raises ValueError, whose message says why, for one that makes no sense."""
    if preference.kind is Kind.TOPICS:
        try:
            return parse(cell)
        except TopicsError:
            raise ValueError(f"there may be {MOST_TOPICS} topics of {LONGEST_TOPIC} characters") from None
    chosen = preference_values.parse(preference, cell, words(DEFAULT))
    if chosen is None:
        raise ValueError(_refusal(preference, cell))
    return chosen


def _refusal(preference: Preference, cell: str) -> str:
    name = preference.name
    match preference.kind:
        case Kind.LANGUAGE:
            return f"there is no language {cell!r}; there are: {', '.join(languages())}"
        case Kind.STYLE | Kind.CADENCE as kind:
            known = Style if kind is Kind.STYLE else Cadence
            return f"there is no {name} {cell!r}; there are: {', '.join(known)}"
        case Kind.COUNT | Kind.NUMBER:
            least, most = preference.bounds
            return f"{name} must be a number from {least} to {most}, not {cell!r}"
        case Kind.HOUR:
            return f"{cell!r} is no hour on a quarter, such as 7:30"
        case Kind.WEEKDAYS:
            return f"{cell!r} is no list of weekdays, such as mon-fri or 1,3,5"
        case Kind.ZONE:
            return f"{cell!r} is no time zone, such as Asia/Seoul"
        case _:
            return f"{name} must be {ON} or {OFF}, not {cell!r}"


def _status(cell: str) -> Status:
    if cell.casefold() not in set(Status):
        raise ValueError(f"there is no status {cell!r}; there are: {', '.join(Status)}")
    return Status(cell.casefold())


def _instant(written: str) -> datetime | None:
    if not written:
        return None
    try:
        at = datetime.fromisoformat(written)
        at = at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    except (ValueError, OverflowError):
        raise ValueError(f"{written[:40]!r} is not a time, such as 2026-04-29T22:00:00Z") from None
    if at.year not in YEARS:
        raise ValueError(f"{written!r} is not between 2000 and 2099")
    return at
