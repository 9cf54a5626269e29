"""Message catalogues and plural forms: a gettext file per language, `templates/locale/<tag>.po`, with symbolic ids.

A key is a name such as `web.check_inbox`; English is a translation like any other and the last fallback of the rest.
Catalogues are read as they are, without a compile step. A sentence that a catalogue lacks, or whose placeholders cannot
all be filled, comes from the next catalogue of the fallback chain, with that catalogue's plural rule.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from gettext import c2py

from babel.core import UnknownLocaleError, get_global
from babel.messages.catalog import Message
from babel.messages.pofile import PoFileError, read_po

from bot.render import folder

log = logging.getLogger(__name__)

DEFAULT = "en"
"""The language that every other falls back to."""

CORE = ("consent", "errors", "privacy", "unsubscribe")
"""First parts of the ids of sentences without which no language is offered: they ask for consent or explain a loss."""

OFFERED_FROM = 0.9
"""Share of all sentences that a catalogue must translate before its language is offered to readers."""

_PLACEHOLDER = re.compile(r"\{(\w+)\}")
_TRANSLATED = re.compile(
    r'^(?P<flags>#,.*\n)?msgid "(?P<key>[^"\n]+)"\n(?:msgid_plural .*\n)?msgstr(?:\[0\])? (?:"[^"\n]|""\n")',
    re.MULTILINE,
)


@dataclass(frozen=True)
class Catalogue:
    """One language's sentences: the forms of each id (one form where there is no plural), and the plural rule."""

    tag: str
    messages: Mapping[str, Sequence[str]]
    plural: Callable[[int], int]

    def form(self, key: str, n: int | None, names: Collection[str]) -> str | None:
        """The sentence of `key` in the form for `n`; None where it is missing or asks for more than `names`."""
        forms = self.messages.get(key)
        if forms is None:
            return None
        form = forms[0 if n is None else min(self.plural(n), len(forms) - 1)]
        return form if placeholders(form) <= set(names) else None


@dataclass(frozen=True)
class Completeness:
    """How much of the English catalogue another language translates, in sentences."""

    translated: int
    total: int
    core_missing: Sequence[str]
    """Ids of the core set that are not translated."""

    @property
    def offered(self) -> bool:
        """Whether the language may be offered to readers."""
        return not self.core_missing and self.translated >= OFFERED_FROM * self.total


def placeholders(sentence: str) -> set[str]:
    """The names in braces of a sentence: {"n"} for "{n} votes"."""
    return set(_PLACEHOLDER.findall(sentence))


def fill(sentence: str, values: Mapping[str, object]) -> str:
    """A sentence with its placeholders replaced; values are inserted as they are and never read as format strings."""
    return _PLACEHOLDER.sub(lambda found: str(values.get(found[1], found[0])), sentence)


@cache
def catalogues() -> tuple[str, ...]:
    """Tags of all languages with a catalogue, finished or not, English first."""
    tags = sorted(path.stem for path in (folder() / "locale").glob("*.po"))
    return (DEFAULT, *(tag for tag in tags if tag != DEFAULT))


@cache
def chain(tag: str) -> Sequence[Catalogue]:
    """A language's catalogue and its fallbacks: the language in its usual script (zh-Hant → zh-Hans), then English."""
    language, script = likely(tag)
    usual = likely(language)[1]
    related = [each for each in catalogues() if each != tag and likely(each) == (language, usual) and script != usual]
    return [loaded for each in dict.fromkeys((tag, *related, DEFAULT)) if (loaded := load(each)) is not None]


def sentence(tag: str, key: str, n: int | None, values: Mapping[str, object]) -> str:
    """The sentence of an id in a language, its placeholders filled.

    `n` selects the plural form, by the rule of the catalogue that the sentence comes from. An id that no catalogue has
    is logged and gives an empty string: readers are never shown an id.
    """
    for each in chain(tag):
        form = each.form(key, n, values.keys())
        if form is not None:
            return fill(form, values)
    english = load(DEFAULT)
    forms = english.messages.get(key) if english else None
    if forms is None:
        log.error("sentence missing from every catalogue, leaving it out", extra={"id": key, "language": tag})
        return ""
    return fill(forms[-1], values)


@cache
def completeness(tag: str) -> Completeness:
    """How complete a language's catalogue is, measured against English."""
    wanted = _translated_ids(DEFAULT)
    missing = [key for key in wanted if key not in _translated_ids(tag)]
    core = [key for key in missing if key.partition(".")[0] in CORE]
    return Completeness(len(wanted) - len(missing), len(wanted), core)


@cache
def languages() -> tuple[str, ...]:
    """Tags of the languages that are offered to readers, English first."""
    return tuple(tag for tag in catalogues() if tag == DEFAULT or completeness(tag).offered)


@cache
def _translated_ids(tag: str) -> Mapping[str, None]:
    """The translated ids of a catalogue in its order, found by searching its text.

    Parsing every catalogue to learn which languages are offered would delay each start by a tenth of a second.
    """
    path = folder() / "locale" / f"{tag}.po"
    text = path.read_text(encoding="utf-8", errors="replace") if path.is_file() else ""
    return {found["key"]: None for found in _TRANSLATED.finditer(text) if "fuzzy" not in (found["flags"] or "")}


def likely(tag: str) -> tuple[str, str | None]:
    """The language and script that a tag most likely means, by CLDR's table of likely subtags: zh-TW → (zh, Hant)."""
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


def locale_name(tag: str) -> str:
    """A language with its most likely territory, as Open Graph names languages: ko → ko_KR, zh-Hant → zh_TW."""
    language, script = likely(tag)
    table = get_global("likely_subtags")
    full = table.get(f"{language}_{script}") or table.get(language) or language
    return "_".join([language, *(part for part in full.split("_")[1:] if len(part) < 4)])


@cache
def load(tag: str) -> Catalogue | None:
    """A language's catalogue; None where there is none, or where it cannot be read, which is logged."""
    path = folder() / "locale" / f"{tag}.po"
    if not path.is_file():
        return None
    try:
        with path.open("rb") as written:
            read = read_po(written, locale=tag.replace("-", "_"), abort_invalid=True)
        rule = re.search(r"plural=(.+?);?\s*$", read.plural_forms)
        return Catalogue(tag, dict(_translated(read)), c2py(rule[1] if rule else "n != 1"))
    except (PoFileError, UnknownLocaleError, ValueError) as error:
        log.error("catalogue cannot be read, leaving its language out", extra={"language": tag, "reason": str(error)})
        return None


def _translated(messages: Iterable[Message]) -> Iterator[tuple[str, Sequence[str]]]:
    for each in messages:
        key = each.id[0] if isinstance(each.id, list | tuple) else each.id
        forms = each.string if isinstance(each.string, list | tuple) else [each.string]
        if key and not each.fuzzy and all(forms):
            yield str(key), [str(form) for form in forms]
