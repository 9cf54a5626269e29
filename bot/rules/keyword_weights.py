"""How much each keyword of an edition weighs in a picture of them: by papers, by votes, and by how new it is. Pure."""

from __future__ import annotations

import math
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from bot.runtime.text import one_line

LONGEST = 36
"""Characters of a keyword that is shown; longer ones are half a sentence."""
MOST_ALONE = 4
"""Keywords shown that one paper shares with no other, so that no paper fills the picture."""
NEWEST = 6.0
"""Doublings of a keyword's share of the papers, against the days before, from which on it counts as wholly new."""
NOT_ONE_PAPER = 0.5
"""Papers that a keyword unknown so far is reckoned to have had: none would make its rise infinite."""
NAMELESS = frozenset(
    """
    ablation|accuracy|baseline|benchmark|benchmarking|computational cost|computational efficiency|dataset|
    deep learning|downstream performance|downstream task|evaluation|evaluation metric|evaluation protocol|experiment|
    inference|machine learning|metric|model|open problem|performance|state of the art|training|training data
    """.replace("\n", "")
    .replace("    ", "")
    .split("|")
)
"""Keywords, folded, that every other paper could have: they say nothing about a day."""

Aliases = Mapping[str, str]
"""Other ways to write a keyword, folded, and the folded one that counts: `llm` and `large language model`."""


@dataclass(frozen=True, slots=True)
class Keyword:
    """A keyword of an edition: how it is mostly written, its folded form, and its weight (the heaviest has 1.0)."""

    text: str
    folded: str
    weight: float
    is_new: bool
    """Whether no paper of the days before had it."""


def fold(keyword: str) -> str:
    """A keyword without what differs between two ways to write it: capitals, hyphens, the plural of its last word."""
    words = re.sub(r"[\s_/‐‑–-]+", " ", one_line(keyword).casefold()).strip()
    if len(words) > 3 and words.endswith("ies"):
        return f"{words[:-3]}y"
    return words[:-1] if len(words) > 3 and words.endswith("s") and words[-2] not in "siu'" else words


def weigh(
    papers: Iterable[tuple[Sequence[str], int | None]],
    before: Iterable[Sequence[str]],
    *,
    most: int,
    aliases: Aliases | None = None,
) -> list[Keyword]:
    """The `most` heaviest keywords of an edition, the heaviest first.

    A paper counts once for each of its keywords, up to twice with its votes; a keyword whose share of the papers has
    grown counts up to twice again.

    Args:
        papers: the keywords and votes of each paper of the edition.
        before: the keywords of each paper of the days before; without any nothing is new.
        most: keywords returned, at most.
        aliases: ways to write a keyword that count as another.
    """
    counted = [({_counted(each, aliases): one_line(each) for each in written}, votes) for written, votes in papers]
    most_votes = max((votes or 0 for _, votes in counted), default=0)
    weights: defaultdict[str, float] = defaultdict(float)
    shared: Counter[str] = Counter()
    written: dict[str, Counter[str]] = {}
    for keywords, votes in counted:
        rises = math.log1p(votes or 0) / math.log1p(most_votes) if most_votes else 0.0
        for folded, text in keywords.items():
            weights[folded] += 1 + rises
            shared[folded] += 1
            written.setdefault(folded, Counter())[text] += 1
    known: Counter[str] = Counter()
    earlier = 0
    for each in before:
        earlier += 1
        known.update({_counted(keyword, aliases) for keyword in each})
    scored = {
        folded: weight * _growth(shared[folded] / len(counted), known[folded], earlier)
        for folded, weight in weights.items()
        if _is_shown(folded, written[folded])
    }
    chosen = _diverse(scored, [list(keywords) for keywords, _ in counted], shared)[:most]
    heaviest = max((scored[each] for each in chosen), default=1.0)
    return [
        Keyword(_usual(written[each]), each, scored[each] / heaviest, bool(earlier) and not known[each])
        for each in chosen
    ]


def _counted(keyword: str, aliases: Aliases | None) -> str:
    folded = fold(keyword)
    return folded if aliases is None else aliases.get(folded, folded)


def _growth(share: float, known: int, earlier: int) -> float:
    """From 1.0 for a keyword whose share has not grown to 2.0 for one that is wholly new."""
    if not earlier:
        return 1.0
    rise = math.log2(share * earlier / (known + NOT_ONE_PAPER))
    return 1.0 + min(1.0, max(0.0, rise / NEWEST))


def _is_shown(folded: str, written: Counter[str]) -> bool:
    return len(folded) > 1 and folded not in NAMELESS and len(_usual(written)) <= LONGEST


def _usual(written: Counter[str]) -> str:
    """The most common way to write it; among equals the first."""
    return written.most_common(1)[0][0]


def _diverse(scored: Mapping[str, float], papers: Sequence[Sequence[str]], shared: Counter[str]) -> list[str]:
    """Keywords by score, with at most MOST_ALONE of each paper that no other paper has."""
    owners = {folded: place for place, keywords in enumerate(papers) for folded in keywords if shared[folded] == 1}
    alone: Counter[int] = Counter()
    found = []
    for folded in sorted(scored, key=lambda each: -scored[each]):  # stable: among equals the higher-ranked paper's
        if (owner := owners.get(folded)) is not None:
            alone[owner] += 1
            if alone[owner] > MOST_ALONE:
                continue
        found.append(folded)
    return found
