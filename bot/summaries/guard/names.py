"""Whose text this is: names that stay Latin in every language, held against a paper and those beside it. Pure."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from bot.model import Paper
from bot.runtime.text import sentences
from bot.summaries.guard.subjects import subjects, subjects_of

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9]*(?:[-+.&][A-Za-z0-9+]+)*")
_WORD = re.compile(r"[a-z]{5,}")
_KNOWN = frozenset(
    """
    ai agi llm llms vlm vlms mllm mllms lvlm vla gpu gpus tpu cpu api nlp rl ml cv cnn rnn gan gpt rag qa vqa ocr sft
    rlhf rlvr dpo ppo grpo moe sota vit lora kv vram rgb gui ui it id ok us usa iot asr tts nerf mlp ssm dit bleu rouge
    f1 map mcts cot 2d 3d
    transformer transformers english chinese korean japanese arabic github python wikipedia youtube hugging face
    """.split()  # noqa: SIM905 — a list of words reads best as words
)
"""What any text may say of any paper of this field, whether its source says it or not."""
MOST_STRANGE = 3
"""As many acronyms that nobody has ever said make a text about something else."""


@dataclass(frozen=True, slots=True)
class OtherPaper:
    """A part that speaks about something else, and how that shows."""

    part: str
    says: str


def stranger(said: Mapping[str, str], about: str, others: Sequence[Paper], language: str) -> OtherPaper | None:
    """The first sign that a text is about another paper than its source `about`; None where there is none.

    What two things tell that the source lacks and the same other paper has (names, subjects) is such a sign; so is one
    name that can hardly be anybody else's.
    """
    own = _fold(about)
    beside = [_beside(paper) for paper in others]
    subjects_here = subjects_of(about)
    english = language.partition("-")[0].lower() == "en"
    signs: Counter[str] = Counter()
    strange: dict[str, None] = {}
    for part, text in said.items():
        for name in dict.fromkeys(_names(text, english=english)):
            if _in(name, own):
                continue
            held = [other for other in beside if _in(name, other.folded)]
            if len(held) == 1:
                paper = held[0].paper
                signs[paper.id] += 1
                if signs[paper.id] >= 2 or _is_invented(name) or _fold(name) == _method(paper):
                    return OtherPaper(part, f'The part "{part}" speaks of {name[:40]}, which belongs to another paper.')
            elif not held and _is_acronym(name):
                strange[_fold(name)] = None
                if len(strange) >= MOST_STRANGE:
                    return OtherPaper(part, f'The part "{part}" names {name[:40]} and others that the source does not.')
        mentioned = subjects(text, language) - subjects_here
        for other in beside if mentioned else ():
            signs[other.paper.id] += len(mentioned & other.subjects)
            if signs[other.paper.id] >= 2:
                return OtherPaper(part, f'The part "{part}" is about another paper: "{other.paper.title[:40]}".')
        if english and (closer := _closer(text, about, others)):
            return OtherPaper(part, f'The part "{part}" is about another paper: "{closer.title[:40]}".')
    return None


class _Beside:
    """Another paper of the same request, made comparable."""

    def __init__(self, paper: Paper) -> None:
        self.paper = paper
        told = f"{paper.title}\n{paper.abstract}\n{' '.join(paper.keywords)}"
        self.folded, self.subjects = _fold(told), subjects_of(told)


@lru_cache(maxsize=64)
def _beside(paper: Paper) -> _Beside:
    """The papers of one request are held against each of its texts."""
    return _Beside(paper)


def _names(text: str, *, english: bool) -> list[str]:
    """Names in Latin letters: with a capital or a digit inside, hyphened, or capitalised where that marks a name."""
    found = []
    for match in _NAME.finditer(text):
        name = match[0].rstrip(".")
        if len(name) < 2 or name.casefold() in _KNOWN:
            continue
        inner = any(sign.isupper() or sign.isdigit() for sign in name[1:])
        opens = (
            english and not text[: match.start()].rstrip(" \"'“(").endswith((",", ";")) and _opens(text, match.start())
        )
        if inner or (name[0].isupper() and not opens and len(name) > 2) or ("-" in name and not english):
            found.append(name)
    return found


def _opens(text: str, at: int) -> bool:
    before = text[max(0, at - 4) : at].rstrip(" \"'“(\n")
    return not before or before[-1] in ".!?:"


def _is_invented(name: str) -> bool:
    """Whether a name can hardly be anybody else's: small and capital letters inside one word, as in `PreRL`."""
    return len(name) >= 4 and any(map(str.islower, name)) and sum(map(str.isupper, name)) >= 2


def _is_acronym(name: str) -> bool:
    letters = [sign for sign in name if sign.isalpha()]
    return len(letters) >= 3 and sum(map(str.isupper, letters)) >= 2


def _fold(text: str) -> str:
    return re.sub(r"[^0-9a-z]", "", text.lower())


def _in(name: str, folded: str) -> bool:
    wanted = _fold(name)
    return wanted in folded or (wanted.endswith("s") and len(wanted) > 3 and wanted[:-1] in folded)


def _method(paper: Paper) -> str:
    """The name that a title gives its method before a colon; empty where it gives none."""
    before, colon, _ = paper.title.partition(":")
    return _fold(before) if colon and len(before.split()) <= 3 else ""


def _closer(text: str, about: str, others: Sequence[Paper]) -> Paper | None:
    """The paper whose English words one of a text's sentences has far more of than its own source's."""
    known = _stems(about)
    theirs = [(paper, _stems(f"{paper.title} {paper.abstract}")) for paper in others]
    for sentence in sentences(text):
        stems = _stems(sentence)
        if len(stems) < 5:
            continue
        own = len(stems & known)
        for paper, held in theirs:
            shared = len(stems & held)
            if shared >= 0.35 * len(stems) and shared - own >= max(3, 0.25 * len(stems)):
                return paper
    return None


def _stems(text: str) -> set[str]:
    return {word[:7] for word in _WORD.findall(text.lower())}
