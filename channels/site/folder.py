"""A site's folder: records of days, weeks and months as JSON, and the entries of the index."""

from __future__ import annotations

import json
from calendar import monthrange
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

from bot.channel import Page
from bot.model import Cadence, Style
from channels.site.folder_writer import present
from channels.site.keywords import NamesByLowerCase
from channels.site.layouts import LAYOUTS, PERIOD, Layout
from channels.site.records import (
    STATISTICS_DAYS,
    Day,
    as_json,
    day_of,
    keywords_of,
    period_of,
    read_day,
    statistics_of,
    table_of,
)

RECORDS = "data"
WEEK = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Entry:
    """One page in the index: its files, and from its record the number of papers and the first title."""

    slug: str
    html: str
    markdown: str | None = None
    papers: int | None = None
    title: str | None = None


def record(slug: str) -> str:
    """The path of the record of a day, a week or a month."""
    return f"{RECORDS}/{slug}.json"


def keyword_record(slug: str) -> str:
    """The path of the keywords of a day's papers, kept apart from the record, whose fields other programs know."""
    return f"{RECORDS}/{slug}.keywords.json"


def statistics(slug: str) -> str:
    """The path of the statistics of the seven days up to a day."""
    return f"{RECORDS}/{slug}.stats.json"


def slug_of(cadence: Cadence, day: date) -> str:
    """The slug of the day, week or month that a day belongs to."""
    return {Cadence.DAY: f"{day}", Cadence.WEEK: f"{day:%G-W%V}", Cadence.MONTH: f"{day:%Y-%m}"}[cadence]


def days_in(folder: Path, cadence: Cadence, day: date) -> list[Day]:
    """The records of the days of a week or a month, as far as they exist."""
    return _records(folder, _days(cadence, day))


def sums(folder: Path, cadence: Cadence, day: date) -> Day:
    """Sum up a week or a month from the records of its days."""
    days = days_in(folder, cadence, day)
    return period_of(cadence, day, days, _keywords_of(folder, days))


def day_records(page: Page) -> dict[str, str]:
    """The record files of a day's page, as path to content; none for a week or a month."""
    if page.about.cadence is not Cadence.DAY:
        return {}
    made = {record(page.about.slug): as_json(day_of(page)), keyword_record(page.about.slug): as_json(keywords_of(page))}
    return made | {f"{RECORDS}/{page.about.slug}.csv": table_of(page)} if page.about.style is Style.PLAIN else made


def recent(day: date) -> list[date]:
    """The days that the statistics of a day look back on, itself first."""
    return [day - timedelta(days=n) for n in range(STATISTICS_DAYS)]


def records_around(folder: Path, page: Page, names: NamesByLowerCase) -> dict[str, str]:
    """The record files of the week and month around a day's page and its statistics, as path to content.

    `names` are words for keywords of the page and of the days before.
    """
    if page.about.day is None or page.about.cadence is not Cadence.DAY:
        return {}
    longer = (Cadence.WEEK, Cadence.MONTH)
    made = {record(slug_of(each, page.about.day)): as_json(sums(folder, each, page.about.day)) for each in longer}
    days = _records(folder, recent(page.about.day))
    found = statistics_of(page.about.day, days, _keywords_of(folder, days), names)
    return made | {statistics(page.about.slug): as_json(found)}


def entries(folder: Path, layout: Layout) -> list[Entry]:
    """The pages in the folder, newest first. `layout`, the one last written, is preferred for the Markdown links."""
    pages = sorted((path.stem for path in folder.glob("*.html") if _is_period(path.stem)), key=_last_day)
    return [_entry(folder, layout, slug) for slug in reversed(pages)]


def _is_period(slug: str) -> bool:
    """Whether a page's name is that of a valid day, week or month."""
    try:
        return PERIOD.fullmatch(slug) is not None and bool(_last_day(slug))
    except ValueError:
        return False


def shown_on(folder: Path, page: Page) -> list[str]:
    """The pictures and recordings that belong to a page."""
    owners = (page.about.slug, *(block.paper.id for block in page.blocks))
    return sorted(name for name in present(folder) if name.split("/")[-1].startswith(owners))


def _entry(folder: Path, layout: Layout, slug: str) -> Entry:
    cadence, day = _period(slug), _last_day(slug)[0]
    names = [each.markdown(slug, cadence, day) for each in (layout, *LAYOUTS)]
    markdown = next((name for name in names if (folder / name).is_file()), None)
    known = read_day(_text(folder / record(slug)) or "") if cadence is Cadence.DAY else None
    best = known["papers"][0]["title"] if known and known["papers"] else None
    return Entry(slug, f"{slug}.html", markdown, len(known["papers"]) if known else None, best)


def _period(slug: str) -> Cadence:
    return Cadence.WEEK if "W" in slug else Cadence.DAY if slug.count("-") == 2 else Cadence.MONTH


def _last_day(slug: str) -> tuple[date, str]:
    """Sort key of a page: the last day of its period, then day before week before month."""
    match _period(slug):
        case Cadence.DAY:
            return date.fromisoformat(slug), ""
        case Cadence.WEEK:
            return date.fromisocalendar(int(slug[:4]), int(slug[6:]), 7), "a week"
        case Cadence.MONTH:
            year, month = map(int, slug.split("-"))
            return date(year, month, monthrange(year, month)[1]), "month"


def _days(cadence: Cadence, day: date) -> Iterator[date]:
    first = day - timedelta(days=day.weekday()) if cadence is Cadence.WEEK else day.replace(day=1)
    last = first + WEEK if cadence is Cadence.WEEK else (first + timedelta(days=31)).replace(day=1)
    return (first + timedelta(days=n) for n in range((last - first).days))


def _records(folder: Path, days: Iterable[date]) -> list[Day]:
    """The records of these days, as far as they exist."""
    texts = (_text(folder / record(f"{each}")) for each in days)
    return [found for text in texts if text is not None and (found := read_day(text)) is not None]


def _keywords_of(folder: Path, days: Iterable[Day]) -> Mapping[str, Sequence[str]]:
    """The keywords of the papers of these days, by the URL of each paper."""
    found: dict[str, Sequence[str]] = {}
    for each in days:
        found |= _keywords(_text(folder / keyword_record(str(each["date"]))))
    return found


def _keywords(text: str | None) -> Mapping[str, Sequence[str]]:
    try:
        found = json.loads(text or "{}")
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _text(path: Path) -> str | None:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return None
