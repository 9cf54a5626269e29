"""Checks what a language model wrote about one paper against its source, after repairing what can be repaired. Pure.

Only a fault refuses a part: a number or unit that the source lacks, another language, remains of the task, a part that
is empty, cut short or endless. A doubt is a reason to ask again or to ask somebody else, never to refuse.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice

from bot.model import Paper, Style
from bot.render.styles import MISSING, TEXT_FIELDS, TextField
from bot.runtime.text import printable, sentence_ends, sentences
from bot.summaries.guard.language_check import in_language, is_dense
from bot.summaries.guard.leftovers import ABOUT_THE_TASK, LINK, MARKDOWN, TAG, first
from bot.summaries.guard.names import unknown_names
from bot.summaries.guard.numbers import Finding, SourceNumbers, numbers
from bot.summaries.guard.repair import repaired, without_links

LONGEST = 60_000
"""Characters of a part, white space included, beyond which it is not looked into."""
MOST_FAULTS = 24
MOST_QUOTED = 40
"""Characters of a text that a message quotes."""
LONGEST_MESSAGE = 200
"""Characters of a fault's message."""
LONGEST_SENTENCE = 1_000
"""Characters that a part of one sentence may have, whatever its field allows."""
DENSE_SHARE = 0.7
"""Characters that Chinese, Japanese and Korean may use, as a share of what other languages may."""
TRANSLATION_RATIOS = {"zh": (0.2, 0.75), "ja": (0.25, 1.0), "ko": (0.25, 1.0), "": (0.45, 2.2)}
"""Characters of a whole translation for one of its English abstract, at least and at most.

1,749 real translations into Chinese have 0.247 to 0.6 (p1 0.262, p5 0.271, median 0.314); a third less and more is
allowed. Japanese and Korean need some 1.4 times as many characters as Chinese, other scripts as many as English.
"""


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing wrong with a part of a text: the part's name, a kind, and an English sentence on what to change.

    The sentence is for the model and for people; it has at most LONGEST_MESSAGE characters.
    """

    part: str
    kind: str
    message: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the guard makes of a text: its repaired parts, the faults that refuse parts, and doubts that do not."""

    parts: Mapping[str, str]
    faults: tuple[Fault, ...]
    doubts: tuple[Fault, ...]

    @property
    def accepted(self) -> dict[str, str]:
        """The repaired parts that may be shown: those without a fault."""
        refused = {fault.part for fault in self.faults}
        return {name: text for name, text in self.parts.items() if name not in refused}


def check(style: Style, language: str, parts: Mapping[str, str], paper: Paper, *, source: str | None = None) -> Verdict:
    """The parts of a text after repair, and what is wrong with each, held against the paper.

    `source` is the paper's text if the model was given more than title and abstract. Works for any text; parts that
    the style does not have are left out. At most MOST_FAULTS faults and as many doubts are returned.
    """
    fields = TEXT_FIELDS.get(style, ())
    told = "\n".join((source_of(paper), source or ""))
    folded = told.casefold()
    texts = {
        field.name: _repaired(parts[field.name], field, language, folded) for field in fields if field.name in parts
    }
    known = _numbers_of(told)
    faults: list[Fault] = []
    doubts: list[Fault] = []
    for field in fields:
        name = field.name
        if name not in texts:
            faults.append(_fault(name, "missing part", f'The part "{name}" is missing.'))
        elif field.may_be_missing and texts[name] == MISSING:
            continue
        elif unfit := _unfit(texts[name], field, style, language, paper):
            faults.append(unfit)
        else:
            for fault, refuses in _wrong(name, texts[name], language, known, folded):
                (faults if refuses else doubts).append(fault)
            if style is not Style.TRANSLATION and len(texts[name]) < field.least * (0.5 if is_dense(language) else 1):
                doubts.append(_fault(name, "too short", f'The part "{name}" says very little.'))
            if style is not Style.TRANSLATION and _is_copied(texts[name], folded):
                doubts.append(_fault(name, "copied", f'The part "{name}" copies the source; use other words.'))
    faults += _repetitions(texts)
    return Verdict(texts, tuple(islice(faults, MOST_FAULTS)), tuple(islice(doubts, MOST_FAULTS)))


def source_of(paper: Paper) -> str:
    """All that the feed says about a paper, which a text may therefore say as well."""
    authors = ", ".join(paper.authors)
    keywords = ", ".join(paper.keywords)
    told = (paper.title, paper.abstract, paper.sentence or "", keywords, authors, paper.organisation or "", paper.id)
    return "\n".join(told)


@lru_cache(maxsize=16)
def _numbers_of(source: str) -> SourceNumbers:
    """The numbers of a source, kept for the other styles and languages that are checked against it."""
    return SourceNumbers(source)


def _repaired(text: str, field: TextField, language: str, source: str) -> str:
    """The part repaired. If it is too long, it ends after its last sentence that fits, or else after its first."""
    if len(text) > LONGEST:
        return text
    text = repaired(text, source, english=language.partition("-")[0].lower() == "en")
    most = _most(field, language)
    if len(text) > most:
        fitting = [end for end in sentence_ends(text) if end <= most]
        whole = fitting[-1:] or sentence_ends(text)[:1]
        text = text[: whole[0]].rstrip() if whole else text
    return text


def _most(field: TextField, language: str) -> int:
    return int(field.most * (DENSE_SHARE if is_dense(language) else 1))


def _unfit(text: str, field: TextField, style: Style, language: str, paper: Paper) -> Fault | None:
    """A fault of a part that is empty, too long, or too short for a whole translation."""
    name, most, length = field.name, _most(field, language), len(" ".join(text.split()))
    if not any(map(str.isalnum, text)):
        return _fault(name, "empty", f'The part "{name}" is empty.')
    if style is Style.TRANSLATION and name == "abstract":
        least_ratio, most_ratio = TRANSLATION_RATIOS.get(language.partition("-")[0].lower(), TRANSLATION_RATIOS[""])
        whole = len(" ".join(without_links(paper.abstract).split()))
        most = min(most, max(int(whole * most_ratio), field.least))
        if length < whole * least_ratio:
            least = int(whole * least_ratio)
            return _fault(name, "too short", f'The part "{name}" has {length} characters; at least {least} are needed.')
    if length > most:
        # What one sentence says can hardly be said shorter by cutting.
        single = len(sentence_ends(text)) == 0 and length <= LONGEST_SENTENCE
        if single and len(text) <= LONGEST:
            return None
        return _fault(name, "too long", f'The part "{name}" has {length} characters; at most {most} are allowed.')
    return None


def _wrong(name: str, text: str, language: str, known: SourceNumbers, source: str) -> Iterator[tuple[Fault, bool]]:
    """The faults and doubts of one part; True marks a fault."""
    if found := first(LINK, text, source):
        yield _fault(name, "link", f'The part "{name}" holds a link or an address: "{_quote(found)}".'), True
    if "\ufffd" in text:
        yield _fault(name, "markup", f'The part "{name}" holds characters that are no text.'), True
    if found := first(TAG, text, source) or first(MARKDOWN, text):
        yield _fault(name, "markup", f'The part "{name}" holds markup: "{_quote(found)}"; use plain sentences.'), True
    if found := first(ABOUT_THE_TASK, text, source):
        yield _fault(name, "instruction", f'The part "{name}" speaks about the task: "{_quote(found)}".'), True
    if not in_language(text, language, title=name == "title"):
        yield _fault(name, "language", f'The part "{name}" is not written in the language "{_quote(language)}".'), True
    claimed, names = numbers(text)
    for number in claimed:
        finding, quoted = known.judge(number), _quote(number.written)
        if finding is Finding.ABSENT:
            says = f'The part "{name}" says {quoted}, which the source does not.'
            yield _fault(name, "number", says), not number.idiom
        elif finding is Finding.OTHER_UNIT:
            says = f'The part "{name}" says {quoted}; the source has this number in another unit.'
            yield _fault(name, "unit", says), not number.idiom
    for each in names:
        if known.misnames(each):
            yield _fault(name, "number", f'The part "{name}" names {_quote(each)}, which the source does not.'), True
    for each in unknown_names(text, source, language):
        yield _fault(name, "unknown name", f'The part "{name}" names {_quote(each)}, which the source does not.'), False


def _is_copied(text: str, source: str) -> bool:
    """Whether more than half of a text's runs of six words stand in the source."""
    words = text.casefold().split()
    runs = [" ".join(words[at : at + 6]) for at in range(len(words) - 5)]
    flat = " ".join(source.split())
    return len(words) >= 12 and sum(run in flat for run in runs) > 0.5 * len(runs)


def _repetitions(texts: Mapping[str, str]) -> Iterator[Fault]:
    """Faults of parts that say one sentence three times, one word five times in a row, or what an earlier part says."""
    earlier: set[str] = set()
    for name, text in texts.items():
        words = text.casefold().split()
        whole = " ".join(words)
        said = Counter(each.casefold() for each in sentences(text))
        over = any(times >= 3 and len(each) >= 6 for each, times in said.items())
        if over or any(len(set(words[at : at + 5])) == 1 for at in range(len(words) - 4)):
            yield _fault(name, "repeated", f'The part "{name}" repeats itself over and over.')
        elif whole in earlier and whole != MISSING:
            yield _fault(name, "repeated", f'The part "{name}" says the same as another part.')
        earlier.add(whole)


def _fault(part: str, kind: str, message: str) -> Fault:
    return Fault(part, kind, message if len(message) <= LONGEST_MESSAGE else message[: LONGEST_MESSAGE - 1] + "…")


def _quote(text: str) -> str:
    line = " ".join(printable(text).split())
    return line if len(line) <= MOST_QUOTED else line[: MOST_QUOTED - 1] + "…"
