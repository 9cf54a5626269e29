"""Parses typed hours, weekdays and days, in the reader's language. Pure.

Every function returns None for text that makes no sense. English and plain numbers are understood in every language.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from contextlib import suppress
from datetime import date, timedelta
from functools import cache

from babel.dates import get_day_names, get_period_names

from bot.channel.preference import N_
from bot.render.catalogue import DEFAULT, languages
from bot.render.words import locale_of, words

QUARTER = 15
"""Minutes: hours are chosen in steps of a quarter."""
LATELY = timedelta(days=14)
"""A day without a year that was this recently is a mistake, not a day of next year."""
YEARS = range(2000, 2100)
ALL_DAYS = 0b1111111  # a bit per weekday, Monday = bit 0
WORKING_DAYS = 0b0011111  # Monday to Friday

_CLOCK = re.compile(r"(\d{1,2})(?:\s*[:.h時点點시]\s*(?:(\d{1,2})\s*[分분]?|(半|반))?)?")
_DATE = re.compile(r"(?:(\d{4})\D{1,3})?(\d{1,2})\D{1,3}(\d{1,2})\D{0,2}|(\d{4})(\d\d)(\d\d)")
_DAY_FIRST = re.compile(r"(\d{1,2})\s*([./-])\s*(\d{1,2})\s*\2\s*(\d{4})\.?|(\d{1,2})\.\s*(\d{1,2})\.")
_NUMBER = re.compile(r"(\d{1,6})\s*[^\W\d]{0,12}")
"""A number, perhaps with what is counted: `10편`, `5 papers`."""
_RANGE = re.compile(r"\s*(?:-|–|—|~|〜|～|…|\.\.|到|至|から|부터|إلى)\s*")


def hour(text: str, language: str) -> int | None:
    """A time of day on a quarter, as minutes after midnight: `8`, `7:30`, `8 pm`, `오후 8시 반`."""
    line = fold(text)
    half = None
    if line in _points(language):
        return _points(language)[line]
    for name, later in _halves(language):
        if name in line:
            line, half = line.replace(name, " ", 1), later
            break
    found = _CLOCK.fullmatch(line.strip())
    if not found:
        return None
    hours, minutes = int(found[1]), 30 if found[3] else int(found[2] or 0)
    if half is not None:
        if not 1 <= hours <= 12:
            return None
        hours = hours % 12 + (12 if half else 0)
    if hours > 23 or minutes > 59 or minutes % QUARTER:
        return None
    return hours * 60 + minutes


def weekdays(text: str, language: str) -> int | None:
    """Weekdays, one bit each (Monday = bit 0): `mon-fri`, `1,3,5`, `월수금`, `all`."""
    line = _RANGE.sub("-", fold(text))
    if line in {"all", "daily", "*"}:
        return ALL_DAYS
    if line in {"weekdays", "workdays"}:
        return WORKING_DAYS
    names = _day_names(language)
    one = "|".join(re.escape(name) for name in sorted(names, key=len, reverse=True))
    chosen = 0
    place = 0
    for found in re.finditer(rf"({one})(?:-({one}))?", line):
        if line[place : found.start()].strip(" ,;/·、，،و"):
            return None
        place = found.end()
        first = names[found[1]]
        last = names[found[2]] if found[2] else first
        for step in range((last - first) % 7 + 1):
            chosen |= 1 << (first + step) % 7
    if line[place:].strip(" .,;/·、，،"):
        return None
    return chosen or None


def number(text: str, language: str) -> int | None:
    """A whole number, in digits of any script or in words up to ten; what is counted may follow."""
    line = fold(text)
    for tag in (language, DEFAULT):
        names = alternatives(N_("typed.numbers"), tag)
        if line in names:
            return 1 + names.index(line)
    found = _NUMBER.fullmatch(line)
    return int(found[1]) if found else None


def alternatives(key: str, language: str) -> list[str]:
    """The words of a catalogue's entry that lists several, as `fold` makes them."""
    return [fold(each) for each in words(language).gettext(key).replace("،", ",").replace("、", ",").split(",")]


def is_greeting(text: str, language: str) -> bool:
    """Whether somebody says hello, and nothing else."""
    line = fold(text).strip(" .!?！。、")
    return any(line in alternatives(N_("typed.greetings"), tag) for tag in (language, DEFAULT))


def _relative(line: str, language: str, today: date) -> date | None:
    """Today, yesterday and tomorrow in words."""
    for key, days in ((N_("typed.today"), 0), (N_("typed.yesterday"), -1), (N_("typed.tomorrow"), 1)):
        if line in {*alternatives(key, language), *alternatives(key, DEFAULT)}:
            return today + timedelta(days=days)
    return None


def _day_first(line: str) -> date | None:
    """A day written before its month: `26.11.2026`, and with slashes where no other order makes sense."""
    found = _DAY_FIRST.fullmatch(line)
    if not found or not found[4]:
        return None
    first, second = int(found[1]), int(found[3])
    if found[2] == "/" and second > 12:
        first, second = second, first
    with suppress(ValueError):
        return date(int(found[4]), second, first) if int(found[4]) in YEARS else None
    return None


def day(text: str, today: date, language: str = DEFAULT) -> date | None:
    """A past or present day: `2026-04-29`, `2026년 4월 29일`, `26.11.2026`, `yesterday`, `4/29`.

    Without a year it is the latest such day up to `today`.
    """
    line = fold(text)
    if (known := _relative(line, language, today) or _day_first(line)) is not None:
        return known
    short = _DAY_FIRST.fullmatch(line)
    if short and short[5]:
        text = f"{short[6]}/{short[5]}"
    found = _DATE.fullmatch(fold(text))
    if not found:
        return None
    year, month, of_month = (found[1], found[2], found[3]) if found[2] else (found[4], found[5], found[6])
    with suppress(ValueError):
        if year is not None:
            return date(int(year), int(month), int(of_month)) if int(year) in YEARS else None
        this_year = date(today.year, int(month), int(of_month))
        return this_year if this_year <= today else date(today.year - 1, int(month), int(of_month))
    return None


def until(text: str, today: date, language: str = DEFAULT) -> date | None:
    """A future day: `2026-12-01`, `12/1` (the next such day), or a number of days from `today`: `7`."""
    line = fold(text)
    if re.fullmatch(r"\d{1,3}", line):
        return today + timedelta(days=int(line)) if int(line) else None
    found = day(line, today, language)
    if found is None or found > today or re.search(r"\d{4}", line):
        return found if found is None or found > today else None
    if today - found < LATELY:  # more likely a typo than a pause of a year
        return None
    with suppress(ValueError):
        return found.replace(year=found.year + 1)
    return None


def fold(text: str) -> str:
    """Case-folded, with ASCII digits for those of any script, and single spaces."""
    digits = "".join(str(unicodedata.digit(char)) if char.isdigit() else char for char in text)
    return " ".join(unicodedata.normalize("NFKC", digits).casefold().split())


@cache
def _halves(language: str) -> tuple[tuple[str, bool], ...]:
    """The names of a.m. (False) and p.m. (True) in every language, the longest first; the reader's own counts most."""
    found = {"am": False, "a.m.": False, "pm": True, "p.m.": True}
    for tag in (*languages(), DEFAULT, language):
        locale = locale_of(tag)
        for names in (
            get_period_names("wide", "stand-alone", locale),
            get_period_names("wide", "format", locale),
            get_period_names("abbreviated", "format", locale),
        ):
            found |= {fold(str(names[key])): key == "pm" for key in ("am", "pm") if key in names}
    return tuple(sorted(found.items(), key=lambda pair: len(pair[0]), reverse=True))


@cache
def _points(language: str) -> dict[str, int]:
    """The names of noon and midnight, as minutes after midnight."""
    found: dict[str, int] = {}
    for tag in (*languages(), DEFAULT, language):
        names = get_period_names("wide", "format", locale_of(tag))
        minutes = {"noon": 12 * 60, "midnight": 0}
        found |= {fold(str(names[key])): at for key, at in minutes.items() if key in names}
    return found


@cache
def _day_names(language: str) -> dict[str, int]:
    return dict(_names(language))


def _names(language: str) -> Iterator[tuple[str, int]]:
    for number in range(7):
        yield str(number + 1), number
    for tag in (DEFAULT, language):
        for width in ("wide", "abbreviated", "short", "narrow"):
            names = {
                number: fold(str(name)) for number, name in get_day_names(width, "stand-alone", locale_of(tag)).items()
            }
            if len(set(names.values())) == len(names):  # English has two T and two S
                yield from ((name, number) for number, name in names.items())
