"""Localisation (i18n): sentences from the catalogues; dates, numbers and lists as the language writes them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, tzinfo
from functools import cache
from zoneinfo import ZoneInfo

from babel import Locale
from babel.dates import format_date, format_interval, format_skeleton, get_day_names
from babel.lists import format_list
from babel.numbers import format_decimal, format_percent

from bot.channel import Direction
from bot.render.branding import branding
from bot.render.catalogue import DEFAULT, catalogues, languages, likely, sentence

NAME, NEWSLETTER = "newsletter.name", "newsletter"
"""The id of the newsletter's name, and the placeholder for it that every sentence may have."""
_FORMATS = {"en": "en_GB"}
"""Locales that dates are written by instead of the catalogue's own: few readers of English are American."""

_ISOLATE, _END = "\u2068", "\u2069"
"""FIRST STRONG ISOLATE and POP DIRECTIONAL ISOLATE: what stands between does not reorder the text around it
(https://www.unicode.org/reports/tr9/)."""

_REORDERED = re.compile(r"[@#+/_-]|(?![\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufeff])[^\W\d_]")
"""Letters that are written from the left, and signs beside digits (+9, 2026-04-29): right-to-left text would show them
in another order."""
_TYPED = re.compile(r"(?<=[“«])[^“”«»{}]+(?=[”»])")
"""What a reader is to type, in quotation marks."""


@dataclass(frozen=True)
class Words:
    """One language: its sentences and its ways of writing dates and numbers."""

    language: str
    direction: Direction
    _locale: Locale

    def gettext(self, key: str, /, **values: object) -> str:
        """The sentence with this id, its `{placeholders}` filled."""
        return self._say(key, None, values)

    def ngettext(self, key: str, n: int, /, **values: object) -> str:
        """The sentence with this id in the plural form for `n`; `{n}` is filled with the number as it is written."""
        return self._say(key, n, {"n": self.number(n), **values})

    def isolated(self, value: object) -> str:
        """A value that keeps its own direction inside a right-to-left sentence; unchanged in other languages.

        Templates have it as a filter, for what they set beside each other themselves: names, titles, links.
        """
        text = str(value)
        if self.direction is not Direction.RTL or not _REORDERED.search(text) or text.startswith(_ISOLATE):
            return text
        return f"{_ISOLATE}{text}{_END}"

    def _say(self, key: str, n: int | None, values: dict[str, object]) -> str:
        if branding.name and key == NAME:
            return branding.name
        values.setdefault(NEWSLETTER, branding.name or sentence(self.language, NAME, None, {}))
        if self.direction is not Direction.RTL:
            return sentence(self.language, key, n, values)
        said = sentence(self.language, key, n, {name: self.isolated(value) for name, value in values.items()})
        return _TYPED.sub(lambda typed: self.isolated(typed[0]), said)

    def day(self, day: date) -> str:
        """A full date: "Wednesday, 29 April 2026"."""
        return format_date(day, "full", locale=self._locale)

    def short_day(self, day: date) -> str:
        """A date in few signs: "29 Apr 2026"."""
        return format_skeleton("yMMMd", day, locale=self._locale)

    def brief_day(self, day: date) -> str:
        """A day in the week that it is shown with: "Wed 29"."""
        return format_skeleton("Ed", day, locale=self._locale)

    def day_of_month(self, day: date) -> str:
        """A date without its year: "29 Apr"."""
        return format_skeleton("MMMd", day, locale=self._locale)

    def short_month(self, day: date) -> str:
        """The month of a day in few signs: "Apr 2026"."""
        return format_skeleton("yMMM", day, locale=self._locale)

    def span(self, first: date, last: date) -> str:
        """A range of days: "27 Apr – 3 May 2026"."""
        return format_interval(first, last, "yMMMd", locale=self._locale)

    def month(self, day: date) -> str:
        """The month of a day: "April 2026"."""
        return format_skeleton("yMMMM", day, locale=self._locale)

    def number(self, n: int) -> str:
        """A whole number with the language's separators: "1,234"."""
        return format_decimal(n, locale=self._locale)

    def percent(self, share: float) -> str:
        """A fraction of 1 in whole percent: "54%"."""
        return format_percent(share, locale=self._locale)

    def time(self, moment: datetime, zone: str | tzinfo = "UTC") -> str:
        """The local time in `zone`: "08:00"; times in UTC say so: "08:00 UTC"."""
        shown = moment.astimezone(ZoneInfo(zone) if isinstance(zone, str) else zone)
        return f"{shown:%H:%M} UTC" if shown.tzname() == "UTC" else f"{shown:%H:%M}"

    def clock(self, minutes: int) -> str:
        """A time of day from minutes after midnight: "08:00"."""
        return "{:02}:{:02}".format(*divmod(minutes, 60))

    def weekday(self, day: int) -> str:
        """A weekday's short name, Monday = 0: "Mon"."""
        return str(get_day_names("abbreviated", "stand-alone", self._locale)[day])

    def names(self, names: Sequence[str]) -> str:
        """Names or topics one after another: "Ada Lovelace, Alan Turing"."""
        return self.gettext("format.name_separator").join(names)

    def listed(self, names: Sequence[str]) -> str:
        """Things in a sentence: "agents, video generation, and world models"."""
        return str(format_list([self.isolated(each) for each in names], locale=self._locale))

    def days(self, names: Sequence[str]) -> str:
        """Weekdays one after another: "Mon, Wed"."""
        return self.gettext("format.day_separator").join(names)

    def moment(self, moment: datetime, zone: str | tzinfo = "UTC") -> str:
        """The local day and time in `zone`: "29 April, 22:04 UTC"."""
        shown = moment.astimezone(ZoneInfo(zone) if isinstance(zone, str) else zone)
        day = format_skeleton("MMMMd", shown.replace(tzinfo=None), locale=self._locale)
        return self.gettext("format.day_and_time", day=day, time=self.time(moment, zone))


def words(language: str) -> Words:
    """The words of the nearest language with a catalogue; a sentence that it lacks is said in English."""
    return _words(match(language, available=catalogues()))


def own_name(tag: str) -> str:
    """A language's name in itself, capitalised as a button shows it: "한국어", "Français"."""
    locale = locale_of(tag)
    name = (locale.display_name if "-" in tag else locale.language_name) or tag
    return name[0].upper() + name[1:]


def english_name(tag: str) -> str:
    """A language's name in English: "Korean", "Chinese (Simplified)"."""
    return locale_of(tag).get_display_name(DEFAULT) or tag


@cache
def locale_of(tag: str) -> Locale:
    """The CLDR locale of a language."""
    return Locale.parse(tag.replace("-", "_"))


@cache
def _words(tag: str) -> Words:
    locale = Locale.parse(_FORMATS.get(tag, tag.replace("-", "_")))
    direction = Direction.RTL if locale.text_direction == "rtl" else Direction.LTR
    return Words(tag, direction, locale)


def match(wanted: str | None, default: str = DEFAULT, available: Sequence[str] | None = None) -> str:
    """The available language that matches a tag such as `ko-KR` or `zh_TW.UTF-8` best, else `default`.

    The same language in the same script is best (`zh-TW` is Traditional Chinese), then in another script.
    """
    tags = languages() if available is None else available
    if not wanted:
        return default
    spelled = {tag.lower(): tag for tag in tags}
    cleaned = re.split(r"[.@]", wanted.strip())[0].replace("_", "-")
    if cleaned.lower() in spelled:
        return spelled[cleaned.lower()]
    language, script = likely(cleaned)
    known = {tag: likely(tag) for tag in tags}
    same_script = [tag for tag, each in known.items() if each == (language, script)]
    same_language = [tag for tag, each in known.items() if each[0] == language]
    return next(iter(same_script + same_language), default)
