"""Texts about papers that are known to be good, for `benchmarks.guard`: our own, and those of real models."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

from bot.model import Paper, Style
from bot.publishing.feed import huggingface
from bot.runtime.text import sentences

_NUMBER = re.compile(r"\d+(?:\.\d+)?")
OWN_SENTENCES = 7
"""Every seventh recorded paper is used; each sentence of its abstract is a text of its own."""
NUMBER_SENTENCES = Path(__file__).resolve().parents[1] / "tests" / "summaries" / "number_sentences.json"
"""Our own sentences about recorded papers: language, paper id, text; most in Japanese and Arabic."""


@dataclass(frozen=True, slots=True)
class Good:
    """One good text: which paper it is about, in which language and style, and the set that it belongs to.

    `held_out` texts were not looked at while the guard was tuned.
    """

    collection: str
    paper: Paper
    language: str
    style: Style
    parts: Mapping[str, str]
    held_out: bool


@dataclass(frozen=True, slots=True)
class Pair:
    """A text that continues a source truly, and one that does not; `about_number` if what is wrong is a number."""

    source: str
    true: str
    false: str
    about_number: bool


def recorded() -> dict[str, Paper]:
    """Every recorded paper by its id, as it first stood on a list."""
    papers: dict[str, Paper] = {}
    for file in sorted((_reference() / "data" / "daily_papers").glob("*.json")):
        for paper in huggingface.parse(file.read_bytes(), date.fromisoformat(file.stem)):
            papers.setdefault(paper.id, paper)
    return papers


def good_texts(papers: Mapping[str, Paper]) -> list[Good]:
    """Our own texts, in the order of the file."""
    written = json.loads(Path(__file__).with_name("good_texts.json").read_text(encoding="utf-8"))
    return [
        Good("own", papers[paper_id], language, Style(style), parts, held_out=group == "held_out")
        for group in ("tuned_on", "held_out")
        for paper_id, languages in written[group].items()
        for language, styles in languages.items()
        for style, parts in styles.items()
    ]


def number_sentences(papers: Mapping[str, Paper]) -> list[Good]:
    """Our own sentences with numbers in five languages: every second one held out."""
    if not NUMBER_SENTENCES.exists():
        return []
    written = json.loads(NUMBER_SENTENCES.read_text(encoding="utf-8"))
    return [
        Good("sentences", papers[paper_id], language, Style.HIGHLIGHTS, {"result": text}, held_out=bool(place % 2))
        for language, texts in written.items()
        for place, (paper_id, text) in enumerate(texts.items())
    ]


def real_texts(name: str) -> list[Good]:
    """What a real model wrote (`deepseek-zh`, `gpt-ko`): every second one held out."""
    file = _reference() / "corpora" / "summaries" / f"{name}.jsonl"
    rows = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()] if file.exists() else []
    return [
        Good(name, _paper(row), row["language"], Style(row["style"]), row["parts"], held_out=bool(place % 2))
        for place, row in enumerate(rows)
    ]


def own_sentences(papers: Mapping[str, Paper]) -> Iterator[Good]:
    """Sentences of abstracts, each held against its own abstract."""
    for place, paper in enumerate(papers.values()):
        if place % OWN_SENTENCES == 0:
            for sentence in sentences(paper.abstract):
                yield Good("abstracts", paper, "en", Style.HIGHLIGHTS, {"result": sentence}, held_out=bool(place % 2))


def news_pairs() -> list[Pair]:
    """Chinese news with a continuation that a model made up (UHGEval)."""
    file = _reference() / "corpora" / "summaries" / "uhgeval-zh.jsonl"
    rows = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()] if file.exists() else []
    pairs = []
    for row in rows:
        source = "\n".join((row["headLine"], row["broadcastDate"], row["newsBeginning"], row["newsRemainder"]))
        known = set(_NUMBER.findall(source))
        wrong = [note.partition("<sep>")[0] for note in row["annotations"] if "不合理" in note]
        number = any(each not in known for words in wrong for each in _NUMBER.findall(words))
        pairs.append(Pair(source, row["realContinuation"], row["hallucinatedContinuation"], number))
    return pairs


def _reference() -> Path:
    return Path(os.environ.get("PAPERS_REFERENCE", "/nowhere"))


def _paper(row: Mapping[str, str]) -> Paper:
    day = date.fromisoformat(row["day"])
    return Paper(row["id"], row["title"], row["source"], day, datetime(day.year, day.month, day.day, tzinfo=UTC))
