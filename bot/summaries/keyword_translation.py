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
from bot.summaries.guard.names import unknown_names
from bot.summaries.llm import Model
from bot.summaries.phrase_translation import Affordable, PhraseTranslator

PATIENCE = 60.0
"""Seconds to wait for the words of one edition; pictures are drawn with the English ones then."""
MOST_A_DAY = 100
"""Questions a UTC day: three editions in each of a dozen languages take a third of it."""
_SIGNS = frozenset(" -‐–·・+/.&'’")
"""What a word may have beside letters and digits."""


class KeywordTranslator:
    """Translates keywords within what is `affordable`."""

    def __init__(self, model: Model, store: Store, affordable: Affordable) -> None:
        self._phrases = PhraseTranslator(model, store, affordable, Spending.KEYWORDS)

    async def translate(self, keywords: Sequence[str], language: str, now: datetime) -> Mapping[str, str]:
        """The word for each keyword, which is the keyword itself where no other can be shown.

        Nothing where the model cannot be asked. Never raises for that.
        """
        answers = await self._phrases.ask("keywords", keywords, language, now, patience=PATIENCE, most_a_day=MOST_A_DAY)
        asked = {one_line(keyword): keyword for keyword in keywords}
        words = {asked[phrase]: _word(answer, phrase, language) for phrase, answer in answers.items()}
        return {keyword: words.get(keyword, keyword) for keyword in keywords} if answers else {}


def _word(answer: str, keyword: str, language: str) -> str:
    """The word in an answer, or the keyword where that is not a word of the language, or says more than the keyword."""
    said = one_line(answer)
    is_short = max(len(said), display_width(said)) <= LONGEST
    is_word = is_short and any(map(str.isalpha, said)) and all(map(_may_stand_in_a_word, said))
    if not is_word or first(LINK, said) or first(ABOUT_THE_TASK, said) or not _numbers(said) <= _numbers(keyword):
        return keyword
    has_other_names = not is_latin(language) and unknown_names(said, keyword.casefold(), language)
    return keyword if has_other_names or not in_language(said, language, title=True) else said


def _numbers(text: str) -> set[int]:
    return {int(digits) for digits in re.findall(r"\d+", text)}


def _may_stand_in_a_word(sign: str) -> bool:
    """Whether a character may stand in a word; fonts have few of those beyond the basic plane."""
    return sign in _SIGNS or (sign <= "\uffff" and unicodedata.category(sign)[0] in "LMN")
