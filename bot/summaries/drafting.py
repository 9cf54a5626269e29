"""Has one text written: asks the model, checks its answer against the source, and asks again where that helps."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import datetime

from bot.model import Paper, Style
from bot.render.styles import MISSING, TEXT_FIELDS
from bot.render.templates import prompt
from bot.render.words import english_name
from bot.store.text_queries import StoredText, TextState
from bot.summaries.guard.guard import faults
from bot.summaries.llm import LLMAnswer, Model
from bot.summaries.llm_errors import AnswerCutError, ContextExceededError, FilteredError, ModelError
from bot.summaries.wanted import WantedText, fingerprint

ATTEMPTS = 2
"""Answers that are checked; after the first rejection the model is told the reasons. Then the text is rejected."""
MOST_WASTED = 2
"""Requests of one text that may be cut off or not fit the context window before the text counts as failed."""
MOST_FAULTS = 10
"""Faults of a text that are stored, and told to the model."""
SHORTER = "It was too long and was cut off. Think briefly, and write half as much."
"""What a model is told whose answer was cut off."""

_FENCE = re.compile("={3,}")

Source = Callable[[Paper, Style, datetime, int], Awaitable[str]]
"""Gives the text that a style is written from, for a context window in tokens: the abstract, or as much of the full
text as fits.
"""


async def abstract(paper: Paper, style: Style, now: datetime, window: int) -> str:  # noqa: ARG001 - a Source
    """The source if full texts are not available: the abstract for every style."""
    return paper.abstract


class Drafter:
    """Writes texts with a model, one per call, and remembers what an interrupted one has cost."""

    def __init__(self, model: Model, source: Source = abstract) -> None:
        self.model = model
        self._source = source
        self._begun: dict[WantedText, tuple[int, list[str]]] = {}
        """Texts that an error of the endpoint interrupted: tokens used, and the faults of the first answer."""

    @property
    def unfinished_tokens(self) -> int:
        """Tokens that interrupted texts have cost; they are stored with the text once it is finished."""
        return sum(tokens for tokens, _ in self._begun.values())

    async def draft(
        self, task: WantedText, now: datetime, *, renew: Callable[[], Awaitable[None]] | None = None
    ) -> StoredText:
        """Request a text and check it, without storing it: accepted, or rejected with the reasons.

        `renew` is called before each request after the first, and keeps the text's lease from ending.

        Raises ModelError if the endpoint gave no answer to check; `about_text` if that is likely to happen again.
        """
        await self.model.prepare()
        tokens, found = self._begun.pop(task, (0, []))
        answer: LLMAnswer | None = None
        notes: list[str] = []
        window, checked, wasted = self.model.window, int(bool(found)), 0
        while checked < ATTEMPTS:
            if renew is not None and (wasted or tokens):
                await renew()
            source = await self._source(task.paper, task.style, now, window)
            try:
                answer = await self._ask(task, source, [*found, *notes])
            except (ContextExceededError, AnswerCutError) as error:
                tokens, wasted = tokens + error.tokens, wasted + 1
                error.tokens = tokens
                window = min(self.model.window, window // 2) if isinstance(error, AnswerCutError) else self.model.window
                shorter = await self._source(task.paper, task.style, now, window) != source
                shorter = shorter or isinstance(error, AnswerCutError)
                if wasted >= MOST_WASTED or not shorter:
                    error.about_text = shorter  # else no question at all fits
                    raise
                notes = [SHORTER] if isinstance(error, AnswerCutError) else notes
                continue
            except ModelError as error:
                tokens += error.tokens
                if not error.about_text:
                    if tokens:
                        self._begun[task] = (tokens, found)
                    raise
                answer, found = None, [str(error)]
                checked = ATTEMPTS if isinstance(error, FilteredError) else checked + 1
                continue
            tokens, checked = tokens + answer.tokens, checked + 1
            wrong = faults(task.style, task.language, answer.parts, task.paper, source=source, others=task.others)
            found = [fault.says for fault in wrong][:MOST_FAULTS]
            if not found:
                break
        rejected = self.unwritten(task, TextState.REJECTED, found, tokens, now)
        if answer is None or found:
            return rejected
        return replace(rejected, model=answer.model, verdict=TextState.ACCEPTED, parts=answer.parts)

    def unwritten(
        self, task: WantedText, verdict: TextState, why: Sequence[str], tokens: int, now: datetime
    ) -> StoredText:
        """A text that was not written, to be stored with the reasons."""
        return StoredText(
            paper_id=task.paper.id,
            language=task.language,
            style=task.style,
            model=self.model.name,
            prompt=fingerprint(task.style),
            verdict=verdict,
            parts={},
            faults=list(why),
            tokens=tokens,
            written_at=now,
        )

    async def _ask(self, task: WantedText, source: str, found: Sequence[str]) -> LLMAnswer:
        language = english_name(task.language)
        fields = [part.name for part in TEXT_FIELDS[task.style]]
        system = prompt("system", language=language, fields=fields)
        user = prompt(
            "paper",
            task=prompt(task.style.value, language=language, missing=MISSING),
            title=_fenced(task.paper.title),
            organisation=_fenced(task.paper.organisation or ""),
            source=_FENCE.sub("==", source),
            faults=found,
        )
        return await self.model.fill(system, user, TEXT_FIELDS[task.style])


def _fenced(text: str) -> str:
    """Text from outside on one line that cannot end its part of the prompt."""
    return _FENCE.sub("==", " ".join(text.split()))
