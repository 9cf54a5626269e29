"""The style `brief`: the themes of an edition from its keywords, and half a sentence about a paper. Pure."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from bot.model import Paper
from bot.render.fit import ELLIPSIS, shorten
from bot.runtime.latex import plain_math
from bot.runtime.text import display_width, one_line

PAPERS = 3
"""Papers that one message of this style shows."""
MOST_THEMES = 3  # themes that a heading names
MOST_WORDS = 3
"""Words of the longest theme; of the shortest it is two, since single words name everything and nothing."""
LONGEST_THEME = 40
"""Columns of a theme that is named."""
HALF_SENTENCE = 110
"""Columns up to which half a sentence reaches, where a wide letter counts twice."""
LEAST = 56
"""Columns before which no sentence is halved."""

Phrase = tuple[str, ...]
"""Words in the form in which they are compared: small letters, without the ending of a plural."""

EVERYDAY = frozenset(
    tuple(line.split())
    for line in """
    language model
    large language
    large language model
    vision language
    vision language model
    multimodal large
    multimodal large language
    multimodal large language model
    multimodal model
    foundation model
    generative model
    reinforcement learning
    machine learning
    deep learning
    neural network
    fine tuning
    supervised fine
    supervised fine tuning
    chain of thought
    diffusion model
    real time
    real world
    test time
    zero shot
    end to end
    open source
    state of the art
    long horizon
    long context
    multi modal
    training free
    high quality
    high fidelity
    large scale
    post training
    pre training
    pre trained
    self supervised
    attention mechanism
    policy optimization
    relative policy optimization
    group relative policy
    computational efficiency
    training data
    latent space
    reward model
    reward function
    natural language
    natural language processing
    token level
    ablation study
    fine grained
    """.strip().splitlines()
)
"""Phrases that several papers of nearly every day share: they tell nothing about one of them."""
_FILLING = frozenset(
    """
    ability approach architecture capability component dataset efficiency framework performance pipeline
    """.split()  # noqa: SIM905 - a list of words reads best as words
)
"""Last words of keywords that name no field of work."""
_LOOSE = " ,;:，；：、"
_MARKUP = frozenset(r"()[]{}<>|/\$")
_WORD = re.compile(r"[^\W_]+")
_CLAUSE = re.compile(
    r"[,;:](?=\s)|[，；：、](?!\Z)| [–—](?=\s)"
    r"|(?= (?:by|through|using|via|with|while|which|where|whereas|when|to|and|for|without|based|that|enabling|"
    r"achieving|showing|revealing|demonstrating|improving|allowing) )"
)
"""Where a sentence may be halved: before what qualifies what has been said."""


def themes(papers: Sequence[Paper]) -> list[str]:
    """The themes of an edition, as its papers' keywords name them; the commonest first.

    A theme is a keyword that several papers share, in their keywords or titles, though not one that every day shares.
    Where there are fewer than two, the first keywords of the papers stand in. Papers without keywords leave none.
    """
    counts: Counter[Phrase] = Counter()
    spelled: dict[Phrase, Counter[str]] = {}
    own: list[Sequence[Phrase]] = []
    for paper in papers:
        keywords = [one_line(keyword) for keyword in paper.keywords]
        telling = {phrase: each for each in keywords if _is_theme(phrase := _compared(each), each)}
        for phrase, keyword in telling.items():
            spelled.setdefault(phrase, Counter())[_spelled(keyword)] += 1
        own.append(list(telling))
        counts.update({run for text in (*keywords, one_line(plain_math(paper.title))) for run in _runs(text)})
    shared = [phrase for phrase in spelled if counts[phrase] > 1]
    shared.sort(key=lambda phrase: -counts[phrase])  # stable: the higher-ranked paper's comes first
    groups = [[phrase] for phrase in shared]
    chosen = _apart(groups)
    if len(chosen) < 2:
        chosen = _apart([*groups, *own])
    return [_commonest(spelled[phrase]) for phrase in chosen]


def half_sentence(sentence: str) -> str:
    """The first half of a long sentence, at the end of a clause, followed by "…"; a short one as it is."""
    if display_width(sentence) <= HALF_SENTENCE:
        return sentence
    room, columns = 0, 0
    while columns < HALF_SENTENCE:
        columns += display_width(sentence[room])
        room += 1
    ends = [found.start() for found in _CLAUSE.finditer(sentence, 0, room)]
    end = max((each for each in ends if display_width(sentence[:each]) >= LEAST), default=0)
    return f"{sentence[:end].rstrip(_LOOSE)}{ELLIPSIS}" if end else shorten(sentence, room)


def _compared(text: str) -> Phrase:
    return tuple(map(_stem, _WORD.findall(text)))


def _runs(text: str) -> Iterator[Phrase]:
    """All runs of words in a text that are as long as a theme may be."""
    words = _compared(text)
    for start in range(len(words)):
        for end in range(start + 2, min(start + MOST_WORDS, len(words)) + 1):
            yield words[start:end]


def _is_theme(phrase: Phrase, written: str) -> bool:
    """Whether a keyword tells something: at least two words, no markup, not what is said every day."""
    several = len(written.split()) > 1 and 1 < len(phrase) <= MOST_WORDS and display_width(written) <= LONGEST_THEME
    is_everyday = phrase in EVERYDAY or phrase[:-1] in EVERYDAY or phrase[1:] in EVERYDAY
    return several and not is_everyday and phrase[-1] not in _FILLING and not _MARKUP & set(written)


def _apart(groups: Iterable[Sequence[Phrase]]) -> list[Phrase]:
    """One phrase of each group, none with a word of another, so that none says the same again."""
    chosen: list[Phrase] = []
    for group in groups:
        taken = {word for phrase in chosen for word in phrase}
        if len(chosen) < MOST_THEMES:
            chosen += [phrase for phrase in group if not taken & set(phrase)][:1]
    return chosen


def _commonest(written: Counter[str]) -> str:
    """The commonest way to write a keyword; among equals the plural."""
    return max(written, key=lambda each: (written[each], each.endswith("s")))


def _spelled(keyword: str) -> str:
    """A keyword in small letters if it is written like a title: "World Models", but not "Markov decision process"."""
    words = keyword.split()
    is_title = all(word[:1].isupper() for word in words)
    return " ".join(map(_small, words)) if is_title else keyword


def _small(word: str) -> str:
    """A word in small letters, unless more of its capitals are part of it: "LoRA", "3D-Aware", "GRPO"."""
    return "-".join(part.lower() if part.isalpha() and part[1:].islower() else part for part in word.split("-"))


def _stem(word: str) -> str:
    word = word.casefold()
    if word.endswith("ies") and len(word) > 4:
        return f"{word[:-3]}y"
    return word[:-1] if len(word) > 3 and word.endswith("s") and not word.endswith(("ss", "us", "is")) else word
