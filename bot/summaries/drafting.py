"""Has one text written: asks the model, checks its answer against the source, and asks again where that helps."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from bot.model import Paper, Style
from bot.render.styles import TEXT_FIELDS, TextField, is_enough
from bot.store.text_queries import StoredText, TextState
from bot.summaries.guard.guard import MOST_QUOTED, Verdict, check
from bot.summaries.llm import LLMAnswer, Model
from bot.summaries.llm_errors import (
    AnswerCutError,
    ContextExceededError,
    EmptyAnswerError,
    FilteredError,
    ModelError,
)
from bot.summaries.prompts import fingerprint, question
from bot.summaries.second_opinion import Renew, SecondOpinion, without
from bot.summaries.wanted import Key, WantedText

ATTEMPTS = 2
"""Answers that are checked; after the first rejection the model is told the reasons, and asked for the parts at fault
alone. What is rejected again is left out, and so is the text if too little of it is left."""
MOST_WASTED = 2
"""Requests of one text that may be cut off or not fit the context window before the text counts as failed."""
MOST_FAULTS = 10
"""Faults of a text that are stored, and told to the model."""
SHORTER = "It was too long and was cut off. Think briefly, and write half as much."
"""What a model is told whose answer was cut off."""

Source = Callable[[Paper, Style, datetime, int], Awaitable[str]]
"""Gives the text that a style is written from, for a context window in tokens: the abstract, or as much of the full
text as fits.
"""


async def abstract(paper: Paper, style: Style, now: datetime, window: int) -> str:  # noqa: ARG001 - a Source
    """The source if full texts are not available: the abstract for every style."""
    return paper.abstract


@dataclass(slots=True)
class Draft:
    """A text on its way: the parts that are accepted, what is wrong with the others, what it has cost so far."""

    parts: dict[str, str] = field(default_factory=dict)
    found: list[str] = field(default_factory=list)
    tokens: int = 0
    checked: int = 0
    """Answers that were checked, or could not be read."""
    model: str = ""
    """The model of the newest answer."""

    def missing(self, style: Style) -> list[TextField]:
        """The fields that have to be asked for: those without an accepted part."""
        return [each for each in TEXT_FIELDS[style] if each.name not in self.parts]

    def take(self, verdict: Verdict, refused: Mapping[str, Sequence[str]]) -> bool:
        """Take what is accepted of an answer, beside the parts that are already. Returns whether the text is whole.

        `refused` are sentences that a second model refused, by part; such a part is not accepted.
        """
        self.checked += 1
        self.parts = {name: text for name, text in verdict.accepted.items() if name not in refused}
        found = [fault.message for fault in verdict.faults]
        found += [_does_not_follow(name, each) for name, sentences in refused.items() for each in sentences]
        self.found = found[:MOST_FAULTS]
        return not self.found


class Drafter:
    """Writes texts with a model, one per call, and remembers what an interrupted one has cost."""

    def __init__(self, model: Model, source: Source = abstract, second: SecondOpinion | None = None) -> None:
        self.model = model
        self._source = source
        self._second = second
        self._begun: dict[Key, Draft] = {}
        """Texts that an error of the endpoint interrupted."""

    @property
    def unfinished_tokens(self) -> int:
        """Tokens that interrupted texts have cost; they are stored with the text once it is finished."""
        return sum(draft.tokens for draft in self._begun.values())

    def give_up(self, task: WantedText) -> int:
        """Forget a text that was interrupted and is not tried again. Returns the tokens that it has cost."""
        draft = self._begun.pop(task.key, None)
        return 0 if draft is None else draft.tokens

    async def draft(self, task: WantedText, now: datetime, *, renew: Renew | None = None) -> StoredText:
        """Request a text and check it, without storing it: accepted, or rejected with the reasons.

        `renew` is called before each request after the first, and keeps the text's lease from ending.

        Raises ModelError if the endpoint gave no answer to check; `about_text` if that is likely to happen again.
        """
        draft = self._begun.pop(task.key, None) or Draft()
        try:
            return await self._write(task, draft, now, renew)
        except ModelError as error:
            if draft.tokens and not error.about_text:
                self._begun[task.key] = draft
            raise

    async def _write(self, task: WantedText, draft: Draft, now: datetime, renew: Renew | None) -> StoredText:
        """Ask until the draft is whole or nobody is to be asked again. Raises ModelError."""
        await self.model.prepare()
        window, wasted, notes = self.model.window, 0, list[str]()
        while draft.checked < ATTEMPTS:
            if renew is not None and (wasted or draft.tokens):
                await renew()
            source = await self._source(task.paper, task.style, now, window)
            try:
                answer = await self._ask(task, source, draft, notes)
            except (ContextExceededError, AnswerCutError, EmptyAnswerError) as error:
                draft.tokens, wasted = draft.tokens + error.tokens, wasted + 1
                error.tokens = draft.tokens
                is_cut, is_empty = isinstance(error, AnswerCutError), isinstance(error, EmptyAnswerError)
                window = min(self.model.window, window // 2) if is_cut else self.model.window
                again = is_cut or is_empty or await self._source(task.paper, task.style, now, window) != source
                if wasted >= MOST_WASTED or not again:
                    error.about_text = again and not is_empty  # else no question at all fits
                    raise
                notes = [SHORTER] if is_cut else notes
            except ModelError as error:
                draft.tokens += error.tokens
                if not error.about_text:
                    raise
                draft.found, draft.checked = [str(error)], draft.checked + 1
                if isinstance(error, FilteredError):
                    break
            else:
                draft.tokens += answer.tokens
                draft.model = answer.model
                if await self._judge(task, draft, answer.parts, source, now=now, renew=renew):
                    rejected = self.unwritten(task, TextState.REJECTED, (), draft.tokens, now)
                    return replace(rejected, model=answer.model, verdict=TextState.ACCEPTED, parts=draft.parts)
        refused = self.unwritten(task, TextState.REJECTED, draft.found, draft.tokens, now)
        if is_enough(task.style, draft.parts):
            # Only the parts at fault are left out; their faults are stored beside the others.
            return replace(refused, model=draft.model or refused.model, verdict=TextState.ACCEPTED, parts=draft.parts)
        return refused

    async def _judge(
        self,
        task: WantedText,
        draft: Draft,
        parts: Mapping[str, str],
        source: str,
        *,
        now: datetime,
        renew: Renew | None,
    ) -> bool:
        """Hold parts against the source, and have a second model do so. Returns whether the text is whole."""
        told = {**parts, **draft.parts}
        verdict = await asyncio.to_thread(check, task.style, task.language, told, task.paper, source=source)
        if self._second is None:
            return draft.take(verdict, {})
        opinion = await self._second.of(task, verdict, source, now, settled=draft.parts, renew=renew)
        draft.tokens += opinion.tokens
        refused = opinion.refused
        if refused and draft.checked == ATTEMPTS - 1:
            # Nobody is asked a third time: what is refused is cut, and the guard says whether the part still stands.
            cut = {name: without(text, refused.get(name, ())) for name, text in verdict.parts.items()}
            shortened = await asyncio.to_thread(check, task.style, task.language, cut, task.paper, source=source)
            refused = {name: each for name, each in refused.items() if name not in shortened.accepted}
            verdict = shortened
        return draft.take(verdict, refused)

    def unwritten(
        self, task: WantedText, verdict: TextState, why: Sequence[str], tokens: int, now: datetime
    ) -> StoredText:
        """A text that was not written, to be stored with the reasons."""
        return StoredText(
            paper_id=task.paper.id,
            language=task.language,
            style=task.style,
            model=self.model.name,
            prompt=fingerprint(task.style, task.language),
            verdict=verdict,
            parts={},
            faults=list(why),
            tokens=tokens,
            written_at=now,
        )

    async def _ask(self, task: WantedText, source: str, draft: Draft, notes: Sequence[str]) -> LLMAnswer:
        """Ask for the fields that are missing; of a second answer only what was wrong with the first."""
        fields = draft.missing(task.style)
        system, user = question(
            task.style,
            task.language,
            title=task.paper.title,
            organisation=task.paper.organisation or "",
            source=source,
            fields=[each.name for each in fields],
            faults=[*draft.found, *notes],
        )
        return await self.model.fill(system, user, fields)


def _does_not_follow(part: str, sentence: str) -> str:
    """What a model is told of a sentence that a second one refused."""
    begin = sentence if len(sentence) <= MOST_QUOTED else f"{sentence[:MOST_QUOTED]}…"
    return f'In the part "{part}", the sentence that begins "{begin}" does not follow from the paper.'
