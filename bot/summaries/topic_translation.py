"""Topics that a reader types in their own language, put into English by a language model, since papers are in English.

Asked when topics are set, and only then: what is stored holds both forms, and no delivery waits for a model.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from bot.rules.topics import parse
from bot.runtime.text import one_line
from bot.store import Store
from bot.store.daily_spending import Spending
from bot.summaries.llm import Model
from bot.summaries.phrase_translation import Affordable, PhraseTranslator

PATIENCE = 15.0
"""Seconds that a reader waits for a turn, and then for a translation; without one topics stay as they were typed."""
MOST_A_DAY = 300
"""Questions a UTC day, so that nobody can spend the operator's tokens by typing topics."""
LONGEST_ANSWER = 200
"""Characters of an answer about one topic that are looked at."""


class TopicTranslator:
    """Translates topics, a few readers' at once, within what is `affordable`."""

    def __init__(self, model: Model, store: Store, affordable: Affordable) -> None:
        self._phrases = PhraseTranslator(model, store, affordable, Spending.TOPICS)

    async def translate(self, phrases: Sequence[str], language: str, now: datetime) -> Mapping[str, str]:
        """The English of each phrase that the model knows; nothing where it cannot be asked. Never raises for that."""
        answers = await self._phrases.ask(
            "topics", phrases, language, now, patience=PATIENCE, most_a_day=MOST_A_DAY, queues=PATIENCE
        )
        english = {phrase: _phrase(answer) for phrase, answer in (answers or {}).items()}
        return {phrase: said for phrase, said in english.items() if said}


def _phrase(answer: str) -> str:
    """One topic in Latin letters out of an answer; empty if it is anything else."""
    try:
        (found,) = parse(one_line(answer)[:LONGEST_ANSWER])
    except ValueError:  # none, several, or one that is too long
        return ""
    return "" if found.startswith("-") or ":" in found or not found.isascii() else found
