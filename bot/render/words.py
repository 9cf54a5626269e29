"""Translations: one gettext catalogue per language, with its dates, numbers and plurals.

A catalogue is `templates/locale/<tag>.po`, read without a compile step. The English sentence is the message id, so a
missing translation falls back to English. So does one with an unknown placeholder: no translation can break a delivery.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, tzinfo
from functools import cache
from io import BytesIO
from zoneinfo import ZoneInfo

from babel import Locale
from babel.core import get_global
from babel.dates import format_date, format_interval, format_skeleton, get_day_names
from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.numbers import format_decimal, format_percent
from babel.support import Translations

from bot.channel import Direction
from bot.render import folder

DEFAULT = "en"
"""The language of the message ids, and the fallback of every other."""

OFFERED_FROM = 0.9
"""Share of the English sentences that a catalogue has to translate before its language is offered to readers."""

_FORMATS = {"en": "en_GB"}
"""Locales for dates, where not the catalogue's own: few readers of English are American."""

_PLACEHOLDER = re.compile(r"\{(\w+)\}")
_ENTRY = re.compile(r'^msgid "', re.MULTILINE)
_TRANSLATED = re.compile(r'^msgstr(?:\[0\])? (?:"[^"]|""\n")', re.MULTILINE)


@dataclass(frozen=True)
class Words:
    """One language: its catalogue and its formats of dates and numbers."""

    language: str
    direction: Direction
    _locale: Locale
    _catalogue: Translations

    def gettext(self, message: str, /, **values: object) -> str:
        """Translate a message and fill its `{placeholders}`."""
        return self._say(self._catalogue.gettext(message), message, values)

    def ngettext(self, singular: str, plural: str, n: int, /, **values: object) -> str:
        """Translate a message in the plural form for `n`; `{n}` is filled too."""
        english = singular if n == 1 else plural
        said = self._catalogue.ngettext(singular, plural, n)
        return self._say(said, english, {"n": self.number(n), **values})

    def pgettext(self, context: str, message: str, /, **values: object) -> str:
        """Translate a message in a context, where one English word has several meanings."""
        return self._say(str(self._catalogue.pgettext(context, message)), message, values)

    def _say(self, said: str, english: str, values: Mapping[str, object]) -> str:
        asked = set(_PLACEHOLDER.findall(said))
        chosen = said if said.strip() and asked <= values.keys() else english
        return _PLACEHOLDER.sub(lambda found: str(values.get(found[1], found[0])), chosen)

    def day(self, day: date) -> str:
        """A full date: "Wednesday, 29 April 2026"."""
        return format_date(day, "full", locale=self._locale)

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

    def listing(self, names: Sequence[str]) -> str:
        """A list of names: "Mon, Tue"."""
        return self.pgettext("between names", ", ").join(names)

    def moment(self, moment: datetime, zone: str | tzinfo = "UTC") -> str:
        """The local day and time in `zone`: "29 April, 22:04 UTC"."""
        shown = moment.astimezone(ZoneInfo(zone) if isinstance(zone, str) else zone)
        day = format_skeleton("MMMMd", shown.replace(tzinfo=None), locale=self._locale)
        return self.pgettext("a day and a time", "{day}, {time}", day=day, time=self.time(moment, zone))


@cache
def catalogues() -> tuple[str, ...]:
    """Tags of all languages with a catalogue, finished or not, English first."""
    tags = {path.stem for path in (folder() / "locale").glob("*.po")} | {DEFAULT}
    return (DEFAULT, *sorted(tags - {DEFAULT}))


@cache
def languages() -> tuple[str, ...]:
    """Tags of the languages offered to readers, English first: those translated to `OFFERED_FROM` at least.

    The files are searched as text, since parsing them all would delay every start by a tenth of a second.
    """
    total = len(_ENTRY.findall(_text_of(DEFAULT))) - 1  # without the header
    translated = {tag: len(_TRANSLATED.findall(_text_of(tag))) - 1 for tag in catalogues()}
    return tuple(tag for tag in catalogues() if tag == DEFAULT or translated[tag] >= OFFERED_FROM * total)


def words(language: str) -> Words:
    """The words of the nearest language with a catalogue; a sentence that it lacks is said in English."""
    return _words(match(language, available=catalogues()))


def own_name(tag: str) -> str:
    """A language's name in itself: "한국어"."""
    locale = locale_of(tag)
    return (locale.display_name or tag) if "-" in tag else (locale.language_name or tag)


def english_name(tag: str) -> str:
    """A language's name in English: "Korean", "Chinese (Simplified)"."""
    return locale_of(tag).get_display_name(DEFAULT) or tag


def completeness(tag: str) -> tuple[int, int]:
    """How many messages a language's catalogue translates, and how many there are."""
    if tag == DEFAULT:
        return (len(_sentences(DEFAULT)),) * 2
    translated = {key for key, said in _sentences(tag).items() if said}
    return len(translated & _sentences(DEFAULT).keys()), len(_sentences(DEFAULT))


@cache
def locale_of(tag: str) -> Locale:
    """The CLDR locale of a language."""
    return Locale.parse(tag.replace("-", "_"))


@cache
def _words(tag: str) -> Words:
    locale = Locale.parse(_FORMATS.get(tag, tag.replace("-", "_")))
    direction = Direction.RTL if locale.text_direction == "rtl" else Direction.LTR
    return Words(tag, direction, locale, _catalogue(tag))


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
    language, script = _likely(cleaned)
    likely = {tag: _likely(tag) for tag in tags}
    same_script = [tag for tag, known in likely.items() if known == (language, script)]
    same_language = [tag for tag, known in likely.items() if known[0] == language]
    return next(iter(same_script + same_language), default)


def _likely(tag: str) -> tuple[str, str | None]:
    """The likeliest language and script of a tag, by CLDR's likely subtags."""
    language, *others = tag.split("-")
    language = language.lower()
    language = get_global("language_aliases").get(language, language)
    script = next((part.title() for part in others if len(part) == 4 and part.isalpha()), None)
    region = next((part.upper() for part in others if re.fullmatch(r"[A-Za-z]{2}|\d{3}", part)), None)
    if script is None:
        table = get_global("likely_subtags")
        full = table.get(f"{language}_{region}") or table.get(language) or ""
        script = next((part for part in full.split("_")[1:] if len(part) == 4), None)
    return language, script


def _catalogue(tag: str) -> Translations:
    catalogue = _read(tag)
    if catalogue is None:  # English may lack one: its sentences are the message ids
        return Translations()
    compiled = BytesIO()
    write_mo(compiled, catalogue)
    compiled.seek(0)
    return Translations(compiled)


def _text_of(tag: str) -> str:
    path = folder() / "locale" / f"{tag}.po"
    return path.read_text(encoding="utf-8") if path.is_file() else ""


def _read(tag: str) -> Catalog | None:
    path = folder() / "locale" / f"{tag}.po"
    if not path.is_file():
        return None
    with path.open("rb") as written:
        return read_po(written, locale=tag.replace("-", "_"), abort_invalid=True)


def _sentences(tag: str) -> dict[object, bool]:
    """The messages of a catalogue (context, id), and whether each is translated."""
    catalogue = _read(tag)
    messages = [each for each in catalogue or () if each.id]
    return {
        (each.context, str(each.id)): bool(each.string) and not each.fuzzy and _all_said(each.string)
        for each in messages
    }


def _all_said(said: object) -> bool:
    forms = said if isinstance(said, list | tuple) else [said]
    return all(str(form).strip() for form in forms)
