"""How many spoiled texts the guard catches by kind, and how many good ones it refuses, beside two packages.

`python -m benchmarks.guard` judges our own texts (good_texts.json, number_sentences.json), sentences of recorded
abstracts, and real models' texts and news from `$PAPERS_REFERENCE`; half of each set is held out from tuning. A text
counts as caught if a part is refused or what was put in is cut. `corroborate` and `opengate-grounding` judge the same
rows where they can be imported (`pip install --no-deps --target DIR corroborate opengate-grounding`, `PYTHONPATH=DIR`).
Of real texts (November 2026; tuned on / held out): deepseek-zh 0.2 / 0.2 % refused, numbers 97.1 / 97.8 % and units
99.6 / 98.6 % caught; gpt-ko 0.3 / 1.1 %, 98.7 / 97.6 %, 100 / 99.1 %; own sentences 0; UHGEval 98.1 % at 0.0 %. Beside
it on the same rows: corroborate 39.5 % of numbers at 8.8 % refused (zh), 96.2 at 6.7 (ko), UHGEval 9.3 at 0.0;
opengate-grounding 99.6 at 16.9, 99.7 at 7.4, 99.4 at 0.0: across languages either refuses what is true.
`--show` prints what went wrong, of held-out texts too. `--without numerals._korean` switches a rule (a pattern, a table
or a function of a module of the guard) off, to see what it catches by itself.
Exit code 0: within the bounds, 1: not, 2: no recordings.
"""

from __future__ import annotations

import importlib
import re
import sys
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, date, datetime
from itertools import groupby, pairwise

from benchmarks.judged_texts import (
    Good,
    good_texts,
    news_pairs,
    number_sentences,
    own_sentences,
    real_texts,
    recorded,
)
from benchmarks.spoiling import spoil
from bot.model import Paper, Style
from bot.summaries.guard.guard import Verdict, check, source_of

LEAST_NUMBERS = 0.95
LEAST_NEWS_NUMBERS = 0.90
MOST_REFUSED = {"own": 0.0, "abstracts": 0.0, "sentences": 0.02, "deepseek-zh": 0.02, "gpt-ko": 0.02}
MOST_NEWS_REFUSED = 0.005
KINDS = ("number", "unit", "link", "markup", "instruction", "language", "other paper")
NOT_COUNTED = {"gpt-ko": {"too short", "too long", "missing part"}}
"""Faults that say nothing against a set: its model was asked for other parts and more words."""
PARTIAL = {"abstracts", "sentences", "news"}
"""Sets whose texts are one part of a style."""

Peer = Callable[[str, str], bool]
"""Whether a package accepts a text held against a source."""


def main() -> int:
    """Print the table and the verdict."""
    for option, rule in pairwise(sys.argv):
        if option == "--without":
            switch_off(rule)
    papers = recorded()
    if not papers:
        print("no recordings: set PAPERS_REFERENCE to the folder that holds data/daily_papers", file=sys.stderr)
        return 2
    texts = [*good_texts(papers), *number_sentences(papers), *real_texts("deepseek-zh"), *real_texts("gpt-ko")]
    texts += own_sentences(papers)
    peers = _peers()
    heads = "".join(f"{kind:>12}" for kind in KINDS)
    print(f"{'set':13}{'language':9}{'half':9}{'texts':>6}{'refused':>9}{heads}" + "".join(f"{n:>20}" for n in peers))
    fits = True
    texts.sort(key=_row)
    for row, group in groupby(texts, _row):
        fits &= report(row, list(group), texts, peers)
    fits &= report_news(peers)
    print("peers: numbers caught / good ones refused" if peers else "no peer package can be imported")
    print("ok" if fits else "not good enough")
    return 0 if fits else 1


def switch_off(rule: str) -> None:
    """Put a rule of the guard (`module.name`) out of work, wherever it is imported. Raises AttributeError for none."""
    module, _, name = rule.partition(".")
    old = getattr(importlib.import_module(f"bot.summaries.guard.{module}"), name)
    nothing = (
        re.compile("(?!)") if isinstance(old, re.Pattern) else (lambda *_, **__: ()) if callable(old) else type(old)()
    )
    for name_of, loaded in list(sys.modules.items()):
        if name_of.startswith("bot.summaries.guard.") and getattr(loaded, name, None) is old:
            setattr(loaded, name, nothing)


def report(
    row: tuple[str, str, bool], chosen: Sequence[Good], texts: Sequence[Good], peers: Mapping[str, Peer]
) -> bool:
    """Print one row: good texts refused, spoiled ones caught by kind. Returns whether the bounds hold."""
    collection, language, held_out = row
    spoiled, caught, refused = Counter[str](), Counter[str](), Counter[str]()
    beside = [text for text in texts if text.collection == collection]
    for text in chosen:
        source = source_of(text.paper)
        verdict = check(text.style, language, text.parts, text.paper)
        if _refused(collection, verdict):
            refused["guard"] += 1
            _show("refused", text, *(fault.message for fault in verdict.faults))
        refused.update(name for name, accepts in peers.items() if not accepts(" ".join(text.parts.values()), source))
        for each in spoil(text, beside) if collection != "abstracts" else ():
            spoiled[each.how] += 1
            judged = check(text.style, language, each.parts, text.paper)
            if _refused(collection, judged) or all(judged.parts[n] in said for n, said in verdict.parts.items()):
                caught[each.how] += 1
            else:
                changed = (part for name, part in each.parts.items() if text.parts[name] != part)
                _show(f"missed {each.how}", text, *changed)
            if each.how == "number":
                caught.update(n for n, accepts in peers.items() if not accepts(" ".join(each.parts.values()), source))
    figures = [_share(caught[kind], spoiled[kind]) for kind in KINDS]
    beside_it = [(_share(caught[name], spoiled["number"]), _share(refused[name], len(chosen))) for name in peers]
    head = (collection, language, "held out" if held_out else "tuned on")
    _print_row(head, len(chosen), refused["guard"], figures, beside_it)
    enough = caught["number"] >= LEAST_NUMBERS * spoiled["number"]
    return enough and refused["guard"] <= MOST_REFUSED[collection] * len(chosen)


def report_news(peers: Mapping[str, Peer]) -> bool:
    """Print the row of news: continuations with a wrong number caught, true ones refused."""
    pairs = news_pairs()
    wrong = [pair for pair in pairs if pair.about_number]
    judges: dict[str, Peer] = {"guard": _accepts_news, **peers}
    caught = {name: sum(not accepts(pair.false, pair.source) for pair in wrong) for name, accepts in judges.items()}
    refused = {name: sum(not accepts(pair.true, pair.source) for pair in pairs) for name, accepts in judges.items()}
    figures = [_share(caught["guard"], len(wrong))] + [""] * (len(KINDS) - 1)
    beside_it = [(_share(caught[name], len(wrong)), _share(refused[name], len(pairs))) for name in peers]
    _print_row(("uhgeval", "zh-Hans", ""), len(pairs), refused["guard"], figures, beside_it)
    enough = caught["guard"] >= LEAST_NEWS_NUMBERS * len(wrong)
    return enough and refused["guard"] <= MOST_NEWS_REFUSED * len(pairs)


def _accepts_news(text: str, source: str) -> bool:
    paper = Paper("", "", "", date.min, datetime.min.replace(tzinfo=UTC))
    return not _refused("news", check(Style.REVIEW, "zh-Hans", {"method": text}, paper, source=source))


def _refused(collection: str, verdict: Verdict) -> bool:
    ignored = NOT_COUNTED.get(collection, {"missing part"} if collection in PARTIAL else set())
    return any(fault.kind not in ignored for fault in verdict.faults)


def _peers() -> dict[str, Peer]:
    """The packages that can be imported, by name."""
    peers: dict[str, Peer] = {}
    with suppress(ImportError):
        corroborate = importlib.import_module("corroborate")
        peers["corroborate"] = lambda text, source: bool(corroborate.check_answer("", [source], text).ok())
    with suppress(ImportError):
        opengate = importlib.import_module("opengate_grounding")
        peers["opengate-grounding"] = lambda text, source: bool(opengate.check_grounding(text, source).grounded)
    return peers


def _print_row(
    head: tuple[str, str, str], texts: int, refused: int, figures: Sequence[str], beside_it: Sequence[tuple[str, str]]
) -> None:
    row = f"{head[0]:13}{head[1]:9}{head[2]:9}{texts:6}{_share(refused, texts):>9}"
    row += "".join(f"{figure:>12}" for figure in figures)
    print(row + "".join(f"{f'{caught} / {refused_by_it}':>20}" for caught, refused_by_it in beside_it), flush=True)


def _show(what: str, text: Good, *lines: str) -> None:
    if "--show" in sys.argv[1:]:
        print(what, text.paper.id, text.language, *lines, sep="\n  ")


def _share(some: int, of: int) -> str:
    return f"{some / of:.1%}" if of else "-"


def _row(text: Good) -> tuple[str, str, bool]:
    return text.collection, text.language, text.held_out


if __name__ == "__main__":
    sys.exit(main())
