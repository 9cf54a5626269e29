"""Keywords of papers, put into a reader's language by a language model where our own tables have no word for them.

Asked once for each edition and language, before its pictures are drawn. An answer that cannot be shown leaves the
keyword in English.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from datetime import datetime

from bot.rules.keyword_weights import LONGEST
from bot.runtime.text import display_width, one_line
from bot.store import Store
from bot.store.daily_spending import Spending
from bot.summaries.guard.language_check import in_language, is_latin
from bot.summaries.guard.leftovers import ABOUT_THE_TASK, LINK, first
from bot.summaries.guard.names import unknown_words
from bot.summaries.llm import Model
from bot.summaries.phrase_translation import Affordable, PhraseTranslator

PATIENCE = 60.0
"""Seconds to wait for the words of one edition in one language; its pictures are drawn with the English ones then."""
MOST_A_DAY = 100
"""Questions a UTC day: three editions in each of a dozen languages take a third of it."""
_SIGNS = " -‐–·・+/.&'’"
"""What a word may have beside letters and digits."""
_INVISIBLE = re.compile("[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u3164\ufe00-\ufe0f\uffa0]")
"""Letters and marks that show nothing, such as the Hangul filler (Unicode's Default_Ignorable_Code_Point)."""
_ONE_LETTER = "LM{0,3}"
_SHAPE = re.compile(rf"{_ONE_LETTER}(?:[{re.escape(_SIGNS)}]{{0,3}}{_ONE_LETTER})*\+{{0,2}}")
"""A word, with each letter and digit as `L` and each mark as `M`: no sign at its ends, but for that of C++."""
_DOTTED = re.compile(r"[^\W\d_]\.|\.[^\W\d_]")
"""A dot beside a letter: the end of a sentence, or an address."""


class KeywordTranslator:
    """Translates keywords within what is `affordable`."""

    def __init__(self, model: Model, store: Store, affordable: Affordable) -> None:
        self._phrases = PhraseTranslator(model, store, affordable, Spending.KEYWORDS)

    async def translate(self, keywords: Sequence[str], language: str, now: datetime) -> Mapping[str, str | None] | None:
        """The word for each keyword that the model answered, None for one whose answer cannot be shown.

        None where the model was not asked. Never raises for that.
        """
        answers = await self._phrases.ask("keywords", keywords, language, now, patience=PATIENCE, most_a_day=MOST_A_DAY)
        if answers is None:
            return None
        words = {phrase: _word(answer, phrase, language) for phrase, answer in answers.items()}
        return {keyword: words[one_line(keyword)] for keyword in keywords if one_line(keyword) in words}


def _word(answer: str, keyword: str, language: str) -> str | None:
    """The word in an answer, which may be the keyword; None for what is no word of the language, or says more."""
    said = one_line(unicodedata.normalize("NFKC", answer))
    if said.casefold() == keyword.casefold():
        return keyword
    is_short = max(len(said), display_width(said)) <= LONGEST
    is_word = is_short and any(map(str.isalpha, said)) and _SHAPE.fullmatch("".join(map(_kind, said)))
    if not is_word or first(LINK, said) or first(ABOUT_THE_TASK, said):
        return None
    if not _numbers(said) <= _numbers(keyword) or (_DOTTED.search(said) and "." not in keyword):
        return None
    says_more = not is_latin(language) and unknown_words(said, keyword.casefold())
    return None if says_more or not in_language(said, language, title=True) else said


def _numbers(text: str) -> set[int]:
    return {int(digits) for digits in re.findall(r"\d+", text)}


def _kind(sign: str) -> str:
    """A character's kind in `_SHAPE`; `?` for one that cannot stand in a word, or that few fonts have."""
    if sign in _SIGNS:
        return sign
    if sign > "\uffff" or _INVISIBLE.match(sign):
        return "?"
    return {"L": "L", "N": "L", "M": "M"}.get(unicodedata.category(sign)[0], "?")
