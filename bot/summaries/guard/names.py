"""Names in Latin letters that a text uses and its source does not. Pure.

They stay Latin in every language, so they can be compared. One is a reason to look again, never to refuse: models also
know names that the authors left out.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import islice

MOST_NAMES = 5

_NAME = re.compile(r"(?<![A-Za-z0-9])[A-Za-z][A-Za-z0-9]*(?:[-+.&][A-Za-z0-9+]+)*")
_COMMON = frozenset(
    """
    ai agi llm llms vlm vlms mllm mllms lvlm vla gpu gpus tpu cpu api nlp rl ml cv cnn rnn gan gpt rag qa vqa ocr sft
    rlhf rlvr dpo ppo grpo moe sota vit lora kv vram rgb gui ui it id ok us usa iot asr tts nerf mlp ssm dit bleu rouge
    map mcts cot english chinese korean japanese arabic github python wikipedia
    """.split()  # noqa: SIM905 - a list of words reads best as words
)
"""What any text may say of any paper of this field."""


def unknown_names(text: str, source: str, language: str) -> list[str]:
    """Up to MOST_NAMES names in a text that `source` (in small letters) does not hold, in the order of the text."""
    english = language.partition("-")[0].lower() == "en"
    return _unknown((word for word in _latin_words(text) if _is_name(word, english=english)), source)


def unknown_words(text: str, source: str) -> list[str]:
    """Like `unknown_names`, for a text in other than Latin letters: any word in these, of three letters or more."""
    return _unknown(_latin_words(text), source)


def _latin_words(text: str) -> Iterator[str]:
    """Words in Latin letters, without those that any text of this field may use."""
    for match in _NAME.finditer(text):
        word = match[0].rstrip(".")
        if len(word) >= 3 and word.casefold() not in _COMMON:
            yield word


def _unknown(words: Iterable[str], source: str) -> list[str]:
    folded, initials = _fold(source), _initials(source)
    names = dict.fromkeys(words)
    unknown = (name for name in names if not _in(_fold(name), folded) and _fold(name).rstrip("s") not in initials)
    return list(islice(unknown, MOST_NAMES))


def _is_name(name: str, *, english: bool) -> bool:
    """Whether a word is a name: a capital or digit inside, or elsewhere than in English a capital in front."""
    return any(sign.isupper() or sign.isdigit() for sign in name[1:]) or (name[0].isupper() and not english)


def _in(name: str, folded: str) -> bool:
    return name in folded or (name.endswith("s") and len(name) > 3 and name[:-1] in folded)


def _initials(source: str) -> str:
    """The first letters of all words, in which an abbreviation of words in a row is found."""
    return "".join(word[0] for word in re.findall(r"[a-z0-9]+", source))


def _fold(text: str) -> str:
    return re.sub(r"[^0-9a-z]", "", text.lower())
