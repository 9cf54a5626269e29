"""The guard on texts that people and real models wrote: what is true is accepted, what was changed is caught."""

import random
import re
from collections.abc import Iterator
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

import pytest

from benchmarks.judged_texts import Good, good_texts, number_sentences, own_sentences, real_texts, recorded
from benchmarks.spoiling import numbers_changed
from bot.model import Paper, Style
from bot.summaries.guard.guard import Fault, check

SAMPLE = 12
"""Every twelfth text of the large sets is judged here; `benchmarks.guard` judges all."""


@lru_cache(maxsize=1)
def papers() -> dict[str, Paper]:
    return recorded()


def kinds(text: Good) -> set[str]:
    """The kinds of faults; parts that a set does not have are not missed."""
    return {fault.kind for fault in check(text.style, text.language, text.parts, text.paper).faults} - {"missing part"}


def test_no_sentence_of_an_abstract_is_refused_against_it(reference: Path) -> None:
    texts = list(own_sentences(papers()))[::SAMPLE]
    assert len(texts) >= 200
    for text in texts:
        for style, part in ((Style.HIGHLIGHTS, "result"), (Style.PLAIN, "idea"), (Style.REVIEW, "method")):
            verdict = check(style, "en", {part: text.parts["result"]}, text.paper)
            assert part in verdict.accepted, (text.paper.id, verdict.faults)


def test_whole_abstracts_are_accepted_as_translations_into_english(reference: Path) -> None:
    for paper in list(papers().values())[:: SAMPLE * 8]:
        parts = {"title": paper.title, "abstract": paper.abstract}
        assert check(Style.TRANSLATION, "en", parts, paper).faults == ()


@pytest.mark.parametrize("name", ["deepseek-zh", "gpt-ko"])
def test_what_real_models_wrote_is_accepted(reference: Path, name: str) -> None:
    texts = real_texts(name)[::SAMPLE]
    refused = [text.paper.id for text in texts if kinds(text) - {"too long"}]
    assert len(refused) <= 0.02 * len(texts) + 1, refused


@pytest.mark.parametrize(("language", "least"), [("ja", 100), ("ar", 100), ("en", 20), ("ko", 20), ("zh-Hans", 20)])
def test_our_sentences_are_accepted_and_changed_numbers_caught(reference: Path, language: str, least: int) -> None:
    texts = [text for text in number_sentences(papers()) if text.language == language]
    assert len(texts) >= least
    assert [text.paper.id for text in texts if kinds(text)] == []
    luck = random.Random(19)
    spoiled = [(text, each) for text in texts for each in numbers_changed(text, luck)]
    caught = [check(text.style, language, each.parts, text.paper).faults for text, each in spoiled]
    assert sum("result" in {fault.part for fault in faults} for faults in caught) >= 0.95 * len(spoiled)


def test_our_own_good_texts_are_accepted(reference: Path) -> None:
    assert [text.paper.id for text in good_texts(papers()) if kinds(text)] == []


def test_the_reference_digests_own_texts_are_accepted(reference: Path) -> None:
    judged = list(_digest_texts(reference / "examples"))
    assert {name: sum(digest == name for digest, _ in judged) for name in ("000", "002", "003")} == {
        "000": 5,
        "002": 3,
        "003": 7,
    }
    assert [(digest, faults) for digest, faults in judged if digest != "004" and faults] == []
    assert {fault.kind for digest, faults in judged if digest == "004" for fault in faults} <= {"number", "unit"}


def _digest_texts(folder: Path) -> Iterator[tuple[str, list[Fault]]]:
    """The faults of each text that four reference digests have about a paper whose abstract is known."""
    known = papers() | _quoted_abstracts(folder)
    for file in sorted(folder.glob("00[0234]_*.txt")):
        digest = file.name[:3]
        for section in re.split(r"(?m)^(?=#{1,3} (?:\d+\. |\[?\d))", file.read_text(encoding="utf-8")):
            found = re.search(r"\d{4}\.\d{5}", section)
            paper = known.get(found[0]) if found else None
            style, language, parts = _parts(digest, section)
            if paper and parts:
                yield digest, [f for f in check(style, language, parts, paper).faults if f.kind != "missing part"]


def _quoted_abstracts(folder: Path) -> dict[str, Paper]:
    """The papers whose abstracts a digest quotes, by their ids."""
    [file] = folder.glob("002_*.txt")
    quoted = re.finditer(
        r"## \d+\. (?P<title>.+)(?:(?!\n## )[\s\S])+?/papers/(?P<id>\d{4}\.\d{5})(?:(?!\n## )[\s\S])+?"
        r"Original Abstract</summary>\s+(?P<abstract>.+)",
        file.read_text(encoding="utf-8"),
    )
    some = next(iter(papers().values()))
    return {
        each["id"]: replace(some, id=each["id"], title=each["title"], abstract=each["abstract"], sentence=None)
        for each in quoted
        if each["id"] not in papers()
    }


def _parts(digest: str, section: str) -> tuple[Style, str, dict[str, str]]:
    match digest:
        case "000":
            lead = re.search(r"### 📌 요약\s+(.+)", section)
            points = re.findall(r"(?m)^- (.+)", section)
            texts = [lead[1], *points] if lead else []
            names = ("sentence", "problem", "proposal", "result")
            return Style.HIGHLIGHTS, "ko", dict(zip(names, texts, strict=False))
        case "002":
            texts = re.findall(r"(?m)^\*\*(?:输入→输出|问题|方案)\*\*: (.+)", section)
            return Style.PLAIN, "zh-Hans", dict(zip(("input_output", "problem", "idea"), texts, strict=False))
        case "003":
            title, body = re.match(r"### \d+\. (.+)", section), re.search(r"\*\*摘要：\*\*\s+(.+)", section)
            parts = {"title": title[1], "abstract": body[1]} if title and body else {}
            return Style.TRANSLATION, "zh-Hans", parts
    points = re.findall(r"(?m)^- (.+)", section)
    parts = dict(zip(("goal", "motivation", "contribution"), points, strict=False))
    for head, name in (("Method", "method"), ("Results", "results"), ("Limitations", "limitations")):
        if body := re.search(rf"## {head}\s+(.+?)\n\s*\n(?=##)", section, re.DOTALL):
            parts[name] = " ".join(body[1].split())
    return Style.REVIEW, "ko", parts
