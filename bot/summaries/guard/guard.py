"""Whether what a language model wrote about one paper is true to its source and can be shown. Pure.

What is looked for are the ways in which such texts are known to go wrong and which can be told without understanding
them: numbers that the source lacks, another language, another paper, the source said over again, links, remains of the
question. A text without faults may still be wrong in what it says with words alone.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

from bot.model import Paper, Style
from bot.render.styles import MISSING, TEXT_FIELDS, TextField
from bot.runtime.text import printable, sentences, visible
from bot.summaries.guard.language_check import in_language, is_dense
from bot.summaries.guard.names import stranger
from bot.summaries.guard.numbers import SourceNumbers, Verdict, numbers
from bot.summaries.guard.prompt_leaks import ABOUT_THE_TASK, ECHO, LINK, MARKDOWN, TAG, first

LONGEST = 60_000
"""A part of more characters than this, white space included, is not even looked into."""
MOST_FAULTS = 24
MOST_QUOTED = 40
MOST_SAID = 200

_SUMMARIES = frozenset({Style.HIGHLIGHTS, Style.PLAIN, Style.REVIEW})
_WORD = re.compile(r"[^\W_]+")


@dataclass(frozen=True, slots=True)
class Fault:
    """One reason why a text is refused: the part it is in (`""`: the text as a whole), its kind, and a sentence.

    The sentence tells the model, or a person, what to change: English, at most `MOST_SAID` characters.
    """

    part: str
    kind: str
    says: str


def faults(
    style: Style,
    language: str,
    parts: Mapping[str, str],
    paper: Paper,
    *,
    source: str | None = None,
    others: Sequence[Paper] = (),
) -> list[Fault]:
    """Why a text may not be shown, worst first within each part; an empty list accepts it.

    `source` is the paper's text where the model was given more than title and abstract, `others` the papers that
    it was asked about at the same time. Total for any text, and never longer than `MOST_FAULTS`.
    """
    return list(islice(_faults(style, language, parts, paper, source=source or "", others=others), MOST_FAULTS))


def _faults(
    style: Style, language: str, parts: Mapping[str, str], paper: Paper, *, source: str, others: Sequence[Paper]
) -> Iterator[Fault]:
    known = {part.name: part for part in TEXT_FIELDS.get(style, ())}
    for name in parts.keys() - known.keys():
        yield _fault("", "unknown part", f'There is no part "{_quote(name)}" in this style.')
    for name in known.keys() - parts.keys():
        yield _fault("", "missing part", f'The part "{name}" is missing.')
    said: dict[str, str] = {}
    for name, part in known.items():
        if name in parts and not (part.may_be_missing and parts[name].strip() == MISSING):
            unfit = _out_of_bounds(parts[name], part, style, language, paper)
            if unfit:
                yield unfit
            else:
                said[name] = parts[name]
    if not said:
        return
    about = "\n".join((source_of(paper), source))
    stock, folded = SourceNumbers(about), about.casefold()
    for name, text in said.items():
        yield from _unusable(name, text, folded)
        if not in_language(text, language, title=name == "title"):
            yield _fault(name, "language", f'The part "{name}" is not written in the language "{_quote(language)}".')
        yield from _untrue(name, text, language, stock)
    if style in _SUMMARIES:
        yield from _copied(said, f"{paper.abstract}\n{source}")
    yield from _repeated(said)
    alien = stranger(said, about, others, language)
    if alien:
        yield _fault(alien.part, "other paper", alien.says)


def source_of(paper: Paper) -> str:
    """All that the feed says about a paper and a text may therefore say as well."""
    authors = ", ".join(paper.authors)
    keywords = ", ".join(paper.keywords)
    told = (paper.title, paper.abstract, paper.sentence or "", keywords, authors, paper.organisation or "", paper.id)
    return "\n".join(told)


def _out_of_bounds(text: str, part: TextField, style: Style, language: str, paper: Paper) -> Fault | None:
    name, dense = part.name, is_dense(language)
    least, most = (part.least * 0.5, part.most * 0.7) if dense else (part.least, part.most)
    if style is Style.TRANSLATION and name == "abstract":
        length = len(" ".join(paper.abstract.split()))
        least, most = max(least, length * (0.3 if dense else 0.55)), min(most, max(length * 2.0, least * 2))
    if len(text) > LONGEST:
        return _fault(name, "too long", f'The part "{name}" may have at most {most:.0f} characters.')
    length = len(" ".join(text.split()))
    if not any(map(str.isalnum, text)):
        return _fault(name, "empty", f'The part "{name}" is empty.')
    if length > most:
        return _fault(name, "too long", f'The part "{name}" has {length} characters; at most {most:.0f} are allowed.')
    if length < least:
        return _fault(name, "too short", f'The part "{name}" has {length} characters; at least {least:.0f} are needed.')
    return None


def _unusable(name: str, text: str, source: str) -> Iterator[Fault]:
    if found := first(LINK, text, source):
        yield _fault(name, "link", f'The part "{name}" holds a link or an address: "{_quote(found)}".')
    if visible(text) != text or "\ufffd" in text:
        yield _fault(name, "markup", f'The part "{name}" holds characters that nobody sees.')
    if found := first(TAG, text, source) or first(MARKDOWN, text):
        yield _fault(name, "markup", f'The part "{name}" holds markup: "{_quote(found)}"; plain sentences are wanted.')
    if found := first(ABOUT_THE_TASK, text, source) or first(ECHO, text):
        yield _fault(name, "instruction", f'The part "{name}" speaks about the task: "{_quote(found)}".')


def _untrue(name: str, text: str, language: str, stock: SourceNumbers) -> Iterator[Fault]:
    claimed, names = numbers(text, language)
    for number in claimed:
        verdict = Verdict.TRUE if number.small else stock.judge(number)
        quoted = _quote(number.written)
        if verdict is Verdict.ABSENT:
            yield _fault(name, "number", f'The part "{name}" says {quoted}, which the source does not.')
        elif verdict is Verdict.OTHER_UNIT:
            yield _fault(name, "unit", f'The part "{name}" says {quoted}; the source has this number in another unit.')
    for each in names:
        if stock.renumbers(each) or stock.lacks(each):
            yield _fault(name, "number", f'The part "{name}" names {_quote(each)}, which the source does not.')


def _copied(said: Mapping[str, str], source: str) -> Iterator[Fault]:
    spoken = {name: [word.casefold() for word in _WORD.findall(text)] for name, text in said.items()}
    if all(len(words) < 12 for words in spoken.values()):
        return
    known = [word.casefold() for word in _WORD.findall(source)]
    runs = {tuple(known[at : at + 25]) for at in range(len(known) - 24)}
    grams = {tuple(known[at : at + 6]) for at in range(len(known) - 5)}
    for name, words in spoken.items():
        if len(words) < 12:
            continue
        own = [tuple(words[at : at + 6]) for at in range(len(words) - 5)]
        if sum(gram in grams for gram in own) >= 0.6 * len(own) or any(
            tuple(words[at : at + 25]) in runs for at in range(len(words) - 24)
        ):
            yield _fault(name, "copied", f'The part "{name}" copies the source; it has to be said in other words.')


def _repeated(said: Mapping[str, str]) -> Iterator[Fault]:
    repeated = Counter(" ".join(each.casefold().split()) for text in said.values() for each in sentences(text))
    for sentence, times in repeated.items():
        if times >= 3 and len(sentence) >= 6:
            yield _fault("", "repeated", f'"{_quote(sentence)}" is said {times} times.')
            return
    whole = Counter(" ".join(text.casefold().split()) for text in said.values())
    if any(times > 1 for times in whole.values()):
        yield _fault("", "repeated", "Two parts say the same in the same words.")
    for name, text in said.items():
        words = text.casefold().split()
        if any(len(set(words[at : at + 5])) == 1 for at in range(len(words) - 4)):
            yield _fault(name, "repeated", f'The part "{name}" repeats one word over and over.')


def _fault(part: str, kind: str, says: str) -> Fault:
    return Fault(part, kind, says if len(says) <= MOST_SAID else says[: MOST_SAID - 1] + "…")


def _quote(text: str) -> str:
    line = " ".join(printable(text).split())
    return line if len(line) <= MOST_QUOTED else line[: MOST_QUOTED - 1] + "…"
