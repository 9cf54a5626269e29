"""Time zones: searched by city, country, offset or coordinates in any of our languages, guessed from a locale. Pure.

Names of cities and countries come from the CLDR; the zones that can be chosen are those of the tz database.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache, lru_cache
from zoneinfo import ZoneInfo, available_timezones

from babel import Locale
from babel.core import get_global

from bot.render.catalogue import languages
from bot.render.words import locale_of, words

NO_PLACES = {"localtime", "Factory", "posixrules"}
"""Names in a machine's list of zones that are not time zones."""
LONGEST_QUERY = 60
"""Characters of a search that are looked at."""
FOUND = 10
"""Zones that a search returns at most."""

_SEATS = {
    "AR": "America/Argentina/Buenos_Aires",
    "AU": "Australia/Sydney",
    "BR": "America/Sao_Paulo",
    "CA": "America/Toronto",
    "CL": "America/Santiago",
    "CN": "Asia/Shanghai",
    "DE": "Europe/Berlin",
    "ES": "Europe/Madrid",
    "ID": "Asia/Jakarta",
    "KZ": "Asia/Almaty",
    "MX": "America/Mexico_City",
    "MY": "Asia/Kuala_Lumpur",
    "NZ": "Pacific/Auckland",
    "PT": "Europe/Lisbon",
    "RU": "Europe/Moscow",
    "UA": "Europe/Kyiv",
    "US": "America/New_York",
    "UZ": "Asia/Tashkent",
}
"""The zone in which most people live, for countries with several."""

_ALSO = {
    "한국": "Asia/Seoul",
    "韓國": "Asia/Seoul",
    "北京": "Asia/Shanghai",
    "베이징": "Asia/Shanghai",
    "Beijing": "Asia/Shanghai",
    "بكين": "Asia/Shanghai",
    "深圳": "Asia/Shanghai",
    "Shenzhen": "Asia/Shanghai",
    "San Francisco": "America/Los_Angeles",
    "샌프란시스코": "America/Los_Angeles",
    "旧金山": "America/Los_Angeles",
    "舊金山": "America/Los_Angeles",
    "サンフランシスコ": "America/Los_Angeles",
    "US": "America/New_York",
    "USA": "America/New_York",
    "UK": "Europe/London",
    "부산": "Asia/Seoul",
    "大阪": "Asia/Tokyo",
    "Osaka": "Asia/Tokyo",
    "Bangalore": "Asia/Kolkata",
    "Bengaluru": "Asia/Kolkata",
}
"""Common names of places that the CLDR has no zone for."""

_WORLDWIDE = {"ar", "en", "es", "fr", "pt", "ru"}
"""Languages spoken in too many countries to guess a zone from."""

_PLACE = re.compile(r"(-?\d{1,2}\.\d{1,8})[, ]+(-?\d{1,3}\.\d{1,8})")
_OFFSET = re.compile(r"(?:utc|gmt)?\s*([+\-−]?)\s*(\d{1,2})(?::?(\d\d))?")


@dataclass(frozen=True, slots=True)
class Zone:
    """A time zone: its IANA name, and its city and country in the reader's language, apart and as said together."""

    name: str
    city: str
    country: str | None
    place: str

    def __str__(self) -> str:
        return self.place


@lru_cache(maxsize=1024)
def zone(name: str, language: str) -> Zone:
    """A zone with its names in a language."""
    locale = locale_of(language)
    code = get_global("zone_territories").get(get_global("zone_aliases").get(name, name))
    country = locale.territories.get(code) if code and code != "ZZ" else None
    city = _city(name, locale) or name.rpartition("/")[2].replace("_", " ")
    if country is None or city in country:  # Singapore; Hong Kong, whose country names it again
        return Zone(name, city, country, city)
    return Zone(name, city, country, words(language).gettext("settings.zone_place", city=city, country=country))


def is_zone(name: str) -> bool:
    """Whether the tz database has a zone of exactly this name."""
    return name in _names()


def find(query: str, language: str, now: datetime) -> list[Zone]:
    """The zones that a query may mean, the best match first.

    A city, a country, a zone's name, an offset (`+9`), or degrees of latitude and longitude (`52.5,13.4`).
    """
    wanted = _folded(query[:LONGEST_QUERY])
    if not wanted:
        return []
    if place := _PLACE.fullmatch(wanted):
        return [zone(name, language) for name in _zones_at(float(place[1]), float(place[2]))]
    offset = _offset(wanted)
    if offset is not None:
        names = [name for name in _choices() if now.astimezone(ZoneInfo(name)).utcoffset() == offset]
        return [zone(name, language) for name in sorted(names, key=lambda name: name not in _best_known())][:FOUND]
    scored = []
    ends = range(len(wanted) + 1)
    parts = {wanted[start:end] for end in ends for start in range(end - 1)}  # single characters say too little
    for name, called, together in _search_terms():
        if wanted in together:
            score = max(_score(wanted, each) for each in called)
        else:
            score = 0 if parts.isdisjoint(called) else 1
        if score:
            scored.append((-score, name not in _SEATS.values(), name not in _best_known(), name))
    return [zone(name, language) for *_, name in sorted(scored)][:FOUND]


def _zones_at(latitude: float, longitude: float) -> list[str]:
    """The zones at a place on earth; none at sea, where zones have no city."""
    import tzfpy  # slow: loads its map

    if abs(latitude) > 90 or abs(longitude) > 180:
        return []
    found = tzfpy.get_tzs(longitude, latitude)
    return [name for name in found if is_zone(name) and not name.startswith("Etc/")]


def guess(locale: str | None) -> str | None:
    """The zone that a locale such as `ko` or `en-AU` implies, None if it is ambiguous."""
    if not locale:
        return None
    parts = re.split(r"[-_.@]", locale.strip())
    language = parts[0].casefold()
    region = next((part.upper() for part in parts[1:] if re.fullmatch(r"[A-Za-z]{2}", part)), None)
    if region is None:
        if language in _WORLDWIDE:
            return None
        script = next((part.title() for part in parts[1:] if re.fullmatch(r"[A-Za-z]{4}", part)), None)
        likely = get_global("likely_subtags")
        full = (likely.get(f"{language}_{script}") if script else None) or likely.get(language) or ""
        region = next((part for part in full.split("_")[1:] if len(part) == 2), None)
    zones = get_global("territory_zones").get(region or "", ())
    return _SEATS.get(region or "") or (zones[0] if len(zones) == 1 else None)


def neighbours(locale: str | None, language: str) -> Sequence[Zone]:
    """The zones of a locale's country if there are at most `FOUND`, to offer beside a guess."""
    region = next(
        (part.upper() for part in re.split(r"[-_.@]", locale or "")[1:] if re.fullmatch("[A-Za-z]{2}", part)), ""
    )
    zones = get_global("territory_zones").get(region, ())
    return [zone(name, language) for name in zones] if len(zones) <= FOUND else []


@cache
def _names() -> frozenset[str]:
    return frozenset(available_timezones() - NO_PLACES)


@cache
def _choices() -> tuple[str, ...]:
    """The zones with a city: no abbreviations, no backward-compatible duplicates."""
    known = get_global("zone_territories")
    return ("UTC", *sorted(name for name in known if name in _names() and not name.startswith("Etc/")))


@cache
def _best_known() -> frozenset[str]:
    """The best-known zones: those that the CLDR maps from Windows, about two for each offset, and `_SEATS`."""
    return frozenset([*get_global("windows_zone_mapping").values(), *_SEATS.values()])


@cache
def _old_names() -> dict[str, list[str]]:
    """The former names of each zone: the CLDR still has Asia/Calcutta for Asia/Kolkata."""
    found: dict[str, list[str]] = {}
    for old, new in get_global("zone_aliases").items():
        found.setdefault(new, []).append(old)
    return found


def _city(name: str, locale: Locale) -> str | None:
    known = locale.time_zones
    for each in (name, *_old_names().get(name, ())):
        city = known.get(each, {}).get("city")
        if city:
            return str(city)
    return None


@cache
def _search_terms() -> tuple[tuple[str, tuple[str, ...], str], ...]:
    """The search terms of each zone: its city and country in every language, and its IANA names; and all in lines.

    A query is looked for in the lines first, which is much faster than in each term.
    """
    found = []
    for name in _choices():
        names = (name, *_old_names().get(name, ()))
        called = {_folded(each) for own in names for each in (own, own.rpartition("/")[2])}
        called |= {_folded(alias) for alias, meant in _ALSO.items() if meant == name}
        for tag in languages():
            known = zone(name, tag)
            called |= {_folded(known.city), _folded(known.country or ""), _folded(known.place)}
        terms = tuple(called - {""})
        found.append((name, terms, "\n".join(terms)))
    return tuple(found)


def _score(wanted: str, called: str) -> int:
    """How well a search term matches, from 0 (not) to 4 (exactly)."""
    if called == wanted:
        return 4
    if called.startswith(wanted):
        return 3
    if f" {wanted}" in called:
        return 2
    return 1 if len(wanted) > 1 and (wanted in called or (len(called) > 1 and called in wanted)) else 0


def _folded(text: str) -> str:
    """Case-folded and without diacritics, so that `sao paulo` finds São Paulo."""
    plain = unicodedata.normalize("NFKD", text.replace("_", " ").replace("/", " "))
    bare = "".join(char for char in plain if not unicodedata.combining(char))
    return " ".join(unicodedata.normalize("NFKC", bare).casefold().split())


def _offset(query: str) -> timedelta | None:
    found = _OFFSET.fullmatch(query)
    if not found or int(found[2]) > 14:
        return None
    length = timedelta(hours=int(found[2]), minutes=int(found[3] or 0))
    return -length if found[1] in {"-", "−"} else length
