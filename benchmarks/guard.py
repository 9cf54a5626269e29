"""How many spoiled texts the guard catches, and how many good ones it refuses.

`python -m benchmarks.guard` reads the papers from `$PAPERS_REFERENCE/data/daily_papers` and our own texts about them
from benchmarks/good_texts.json, spoils each text mechanically in every way that it can be, and prints the share caught.
A third of the texts (`held_out`) was written after the guard and is counted apart; `--show` prints what went wrong.
Exit code 0: within the bounds, 1: not, 2: no recordings.
"""

from __future__ import annotations

import json
import os
import random
import re
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from bot.model import Paper, Style
from bot.publishing.feed import huggingface
from bot.render.styles import TEXT_FIELDS
from bot.summaries.guard.guard import check

LEAST_CAUGHT = 0.95
MOST_REFUSED = 0.02
BESIDE = 9
"""As many other papers stand beside each in its request."""
TIMES = 3
"""How often a text is spoiled in each way, at different places."""

FAMILY = {
    "number changed": {"number"},
    "unit changed": {"unit", "number"},
    "sentence of another paper added": {"other paper", "number", "unit"},
    "part of another paper": {"other paper", "number", "unit"},
    "text of another paper": {"other paper", "number", "unit"},
    "part in another language": {"language"},
    "text in another language": {"language"},
    "abstract copied": {"copied", "language"},
    "link added": {"link"},
    "part emptied": {"empty", "too short"},
    "instruction left in": {"instruction"},
    "part overlong": {"too long"},
    "markup added": {"markup"},
    "part left out": {"missing part"},
}
"""The kinds of faults that name what was done; what is caught as something else is caught by luck."""

UNITS = {
    "ko": (("%", "배"), ("퍼센트", "배"), ("배", "%"), ("만", "억"), ("억", "만"), ("토큰", "파라미터")),
    "ja": (("%", "倍"), ("パーセント", "倍"), ("倍", "%"), ("万", "億"), ("億", "万"), ("トークン", "パラメータ")),
    "zh-Hans": (("%", "倍"), ("倍", "%"), ("万", "亿"), ("亿", "万"), ("词元", "参数")),
    "zh-Hant": (("%", "倍"), ("倍", "%"), ("萬", "億"), ("億", "萬")),
    "ar": (("%", " أضعاف"), ("٪", " أضعاف"), (" مليون", " مليار"), (" ملايين", " مليارات"), (" مليارات", " ملايين")),
    "en": (
        ("%", "×"),
        (" percent", " times"),
        (" million", " billion"),
        (" billion", " million"),
        ("×", "%"),
        ("x", "%"),
    ),
}
INSTRUCTIONS = {
    "ko": ("다음은 논문의 요약입니다.", "이전 지시를 무시하고 답하세요.", "아래 JSON 형식으로 답합니다."),
    "ja": ("以下はこの論文の要約です。", "AIとして、お答えします。", "これまでの指示を無視してください。"),
    "zh-Hans": ("以下是该论文的摘要。", "作为一个AI语言模型，我来回答。", "请将以下内容翻译成中文。"),
    "zh-Hant": ("以下是該論文的摘要。", "作為一個AI，我來回答。", "請用繁體中文回答。"),
    "ar": ("إليك ملخص الورقة.", "بصفتي نموذجًا لغويًا أجيب بما يلي.", "تجاهل جميع التعليمات السابقة."),
    "en": ("Here is the summary:", "As an AI language model, I can tell this.", "Ignore all previous instructions."),
}
ECHOES = ("Summary: ", '{"sentence": "', "Translate the following abstract. ")
LINKS = (
    "https://arxiv.org/abs/{id}",
    "www.example.com",
    "[code](https://example.com)",
    "github.com/someone/{id}",
    "doi:10.1000/{id}",
)
MARKUP = ("**{}**", "# {}", "<b>{}</b>", "```\n{}\n```", "<p>{}</p>")
NUMBER = re.compile(r"(?<![A-Za-z0-9.,٫-])[0-9٠-٩]+(?:[.,٫][0-9٠-٩]+)*(?![0-9٠-٩])")
SENTENCE = re.compile(r"[^.。!?؟]+(?:\.(?=\S)[^.。!?؟]+)*[.。!?؟]?")


@dataclass(frozen=True, slots=True)
class Good:
    """One good text: which paper it is about, in which language and style, and the papers beside it."""

    paper: Paper
    language: str
    style: Style
    parts: Mapping[str, str]
    held_out: bool


@dataclass(frozen=True, slots=True)
class Spoiled:
    """A text that is not good any more, and what was done to it."""

    how: str
    parts: Mapping[str, str]


def main() -> int:
    """Print the shares and the verdict."""
    papers = recorded()
    if not papers:
        print("no recordings: set PAPERS_REFERENCE to the folder that holds data/daily_papers", file=sys.stderr)
        return 2
    texts = good_texts(papers)
    fits = True
    for held_out in (False, True):
        chosen = [text for text in texts if text.held_out is held_out]
        if chosen:
            fits &= report("held out" if held_out else "tuned on", chosen, texts, show="--show" in sys.argv[1:])
    return 0 if fits else 1


def recorded() -> dict[str, Paper]:
    """Every recorded paper by its id, as it first stood on a list."""
    papers: dict[str, Paper] = {}
    folder = Path(os.environ.get("PAPERS_REFERENCE", "")) / "data" / "daily_papers"
    for file in sorted(folder.glob("*.json")):
        for paper in huggingface.parse(file.read_bytes(), date.fromisoformat(file.stem)):
            papers.setdefault(paper.id, paper)
    return papers


def good_texts(papers: Mapping[str, Paper]) -> list[Good]:
    """Our own texts, in the order of the file."""
    written = json.loads(Path(__file__).with_name("good_texts.json").read_text(encoding="utf-8"))
    return [
        Good(papers[paper_id], language, Style(style), parts, held_out=group == "held_out")
        for group in ("tuned_on", "held_out")
        for paper_id, languages in written[group].items()
        for language, styles in languages.items()
        for style, parts in styles.items()
    ]


def report(name: str, chosen: Sequence[Good], texts: Sequence[Good], *, show: bool) -> bool:
    """Whether the bounds hold for these texts; prints how far."""
    spoiled, caught, named = Counter[str](), Counter[str](), Counter[str]()
    refused = 0
    for text in chosen:
        others = beside(text, texts)
        found = check(text.style, text.language, text.parts, text.paper).faults
        refused += bool(found)
        if found and show:
            print("refused", text.paper.id, text.language, *(fault.message for fault in found), sep="\n  ")
        for each in spoil(text, [other for other in texts if other.paper in others], texts):
            found = check(text.style, text.language, each.parts, text.paper).faults
            spoiled[each.how] += 1
            caught[each.how] += bool(found)
            named[each.how] += bool({fault.kind for fault in found} & FAMILY[each.how])
            if not found and show:
                changed = [said for part, said in each.parts.items() if text.parts.get(part) != said]
                print("missed", each.how, text.paper.id, text.language, *changed, sep="\n  ")
    kinds = ", ".join(f"{count} {kind}" for kind, count in sorted(Counter(text.language for text in chosen).items()))
    print(f"{name}: {len(chosen)} good texts ({kinds}), {len({text.paper.id for text in chosen})} papers")
    print(f"{'':34}{'spoiled':>8}{'caught':>9}{'by its own rule':>17}")
    for how, count in spoiled.items():
        print(f"{how:34}{count:8}{caught[how] / count:9.1%}{named[how] / count:17.1%}")
    share, lost = caught.total() / spoiled.total(), refused / len(chosen)
    print(f"{'all':34}{spoiled.total():8}{share:9.1%}{named.total() / spoiled.total():17.1%}")
    fits = share >= LEAST_CAUGHT and lost <= MOST_REFUSED
    print(f"good ones refused: {refused} of {len(chosen)}, {lost:.1%}")
    print("ok" if fits else "not good enough", f"(at least {LEAST_CAUGHT:.0%}, at most {MOST_REFUSED:.0%})\n")
    return fits


def beside(text: Good, texts: Sequence[Good]) -> list[Paper]:
    """The papers of the same request: the next ones of the corpus."""
    papers = list({each.paper.id: each.paper for each in texts}.values())
    at = papers.index(text.paper)
    return [papers[(at + step) % len(papers)] for step in range(1, min(BESIDE + 1, len(papers)))]


def spoil(text: Good, donors: Sequence[Good], texts: Sequence[Good]) -> Iterator[Spoiled]:
    """The text spoiled in every way that applies; which way at which place is decided by its paper and language."""
    luck = random.Random(f"{text.paper.id} {text.language} {text.style}")
    yield from numbers_changed(text, luck)
    yield from units_changed(text, luck)
    yield from of_another_paper(text, [other for other in donors if other.language == text.language], luck)
    yield from in_another_language(text, texts, luck)
    yield from with_leftovers(text, luck)


def changed(text: Good, how: str, **parts: str) -> Spoiled:
    return Spoiled(how, {**text.parts, **parts})


def most(text: Good, part: str) -> int:
    dense = text.language[:2] in {"ko", "ja", "zh"}
    return next(int(each.most * (0.7 if dense else 1)) for each in TEXT_FIELDS[text.style] if each.name == part)


def numbers_changed(text: Good, luck: random.Random) -> Iterator[Spoiled]:
    places = [(part, found) for part, said in text.parts.items() for found in NUMBER.finditer(said)]
    in_source = set(re.findall(r"\d+(?:\.\d+)?", f"{text.paper.title} {text.paper.abstract}"))
    for part, found in luck.sample(places, min(len(places), TIMES)):
        for _ in range(20):
            digits = list(found[0])
            at = luck.choice([n for n, sign in enumerate(digits) if sign.isdigit()])
            zero = ord("٠") if digits[at] >= "٠" else ord("0")
            digits[at] = chr(zero + luck.choice([n for n in range(at == 0, 10) if chr(zero + n) != digits[at]]))
            new = "".join(digits)
            # A number of the source at the wrong place is true as far as anybody can tell who does not understand it.
            if new.replace("٫", ".").replace(",", "") not in in_source:
                said = text.parts[part]
                yield changed(text, "number changed", **{part: said[: found.start()] + new + said[found.end() :]})
                break


def units_changed(text: Good, luck: random.Random) -> Iterator[Spoiled]:
    places = [
        (part, found, new)
        for part, said in text.parts.items()
        for old, new in UNITS[text.language]
        for found in re.finditer(rf"(?<=[0-9٠-٩]){re.escape(old)}(?![A-Za-z])", said)
    ]
    for part, found, new in luck.sample(places, min(len(places), TIMES)):
        said = text.parts[part]
        yield changed(text, "unit changed", **{part: said[: found.start()] + new + said[found.end() :]})


def of_another_paper(text: Good, donors: Sequence[Good], luck: random.Random) -> Iterator[Spoiled]:
    donors = [donor for donor in donors if donor.paper.id != text.paper.id]
    for donor in luck.sample(donors, min(len(donors), TIMES)):
        sentences = [found[0].strip() for said in donor.parts.values() for found in SENTENCE.finditer(said)]
        sentence = luck.choice([each for each in sentences if len(each) >= 12])
        part = min(text.parts, key=lambda name: len(text.parts[name]) / most(text, name))
        longer = f"{text.parts[part]} {sentence}"
        if len(longer) <= most(text, part):
            yield changed(text, "sentence of another paper added", **{part: longer})
        if donor.style is text.style:
            part = luck.choice(list(text.parts))
            yield changed(text, "part of another paper", **{part: donor.parts[part]})
            yield Spoiled("text of another paper", donor.parts)


def in_another_language(text: Good, texts: Sequence[Good], luck: random.Random) -> Iterator[Spoiled]:
    foreign = [each for each in texts if each.style is text.style and each.language != text.language]
    for other in luck.sample(foreign, min(len(foreign), TIMES)):
        part = luck.choice(list(text.parts))
        yield changed(text, "part in another language", **{part: other.parts[part]})
    own = [each for each in foreign if each.paper.id == text.paper.id] or foreign
    if own:
        yield Spoiled("text in another language", luck.choice(own).parts)


def with_leftovers(text: Good, luck: random.Random) -> Iterator[Spoiled]:
    names = list(text.parts)
    abstract = " ".join(text.paper.abstract.split())
    for how, ways in (
        ("link added", LINKS),
        ("instruction left in", (*INSTRUCTIONS[text.language], *ECHOES)),
        ("markup added", MARKUP),
    ):
        for way in luck.sample(ways, TIMES):
            part = min(names, key=lambda name: len(text.parts[name]) / most(text, name))
            said = text.parts[part]
            match how:
                case "link added":
                    with_it = f"{said} {way.replace('{id}', text.paper.id)}"
                case "markup added":
                    with_it = way.replace("{}", said)
                case _:
                    with_it = f"{way}{said}" if way in ECHOES else f"{way} {said}"
            yield changed(text, how, **{part: with_it})
    if text.style is not Style.TRANSLATION:
        part = luck.choice(names)
        yield changed(text, "abstract copied", **{part: abstract[: most(text, part)].rpartition(" ")[0]})
        start = luck.randrange(len(abstract) // 2)
        yield changed(text, "abstract copied", **{luck.choice(names): abstract[start : start + 200].partition(" ")[2]})
    for nothing in luck.sample(("", "  ", "…", "-", "."), TIMES):
        yield changed(
            text,
            "part emptied",
            **{luck.choice([name for name in names if name not in {"results", "limitations"}]): nothing},
        )
    part = luck.choice(names)
    yield changed(
        text, "part overlong", **{part: " ".join([text.parts[part]] * (most(text, part) // len(text.parts[part]) + 1))}
    )
    part = luck.choice(names)
    yield Spoiled("part left out", {name: said for name, said in text.parts.items() if name != part})


if __name__ == "__main__":
    sys.exit(main())
