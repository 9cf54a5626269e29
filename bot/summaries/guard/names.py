"""Names in Latin letters that a text uses and its source does not. Pure.

They stay Latin in every language, so they can be compared. One is a reason to look again, never to refuse: models also
know names that the authors left out.
"""

from __future__ import annotations

import re
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
    folded, initials = _fold(source), _initials(source)
    english = language.partition("-")[0].lower() == "en"
    found = (match[0].rstrip(".") for match in _NAME.finditer(text))
    names = dict.fromkeys(name for name in found if _is_name(name, english=english))
    unknown = (name for name in names if not _in(_fold(name), folded) and _fold(name).rstrip("s") not in initials)
    return list(islice(unknown, MOST_NAMES))


def _is_name(name: str, *, english: bool) -> bool:
    """Whether a word is a name: a capital or digit inside, or elsewhere than in English a capital in front."""
    if len(name) < 3 or name.casefold() in _COMMON:
        return False
    return any(sign.isupper() or sign.isdigit() for sign in name[1:]) or (name[0].isupper() and not english)


def _in(name: str, folded: str) -> bool:
    return name in folded or (name.endswith("s") and len(name) > 3 and name[:-1] in folded)


def _initials(source: str) -> str:
    """The first letters of all words, in which an abbreviation of words in a row is found."""
    return "".join(word[0] for word in re.findall(r"[a-z0-9]+", source))


def _fold(text: str) -> str:
    return re.sub(r"[^0-9a-z]", "", text.lower())
