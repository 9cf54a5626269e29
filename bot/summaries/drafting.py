"""Has one text written: asks the model, checks its answer against the source, and asks again where that helps."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from bot.model import Paper, Style
from bot.render.styles import TEXT_FIELDS, TextField
from bot.store.text_queries import StoredText, TextState
from bot.summaries.guard.guard import check
from bot.summaries.llm import LLMAnswer, Model
from bot.summaries.llm_errors import AnswerCutError, ContextExceededError, FilteredError, ModelError
from bot.summaries.prompts import fingerprint, question
from bot.summaries.wanted import WantedText

ATTEMPTS = 2
"""Answers that are checked; after the first rejection the model is told the reasons. Then the text is rejected."""
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

    def missing(self, style: Style) -> list[TextField]:
        """The fields that have to be asked for: those without an accepted part."""
        return [each for each in TEXT_FIELDS[style] if each.name not in self.parts]

    def take(self, task: WantedText, answer: LLMAnswer, source: str) -> bool:
        """Check an answer beside the parts that are accepted already. Returns whether the text is whole."""
        verdict = check(task.style, task.language, {**answer.parts, **self.parts}, task.paper, source=source)
        self.parts, self.tokens, self.checked = verdict.accepted, self.tokens + answer.tokens, self.checked + 1
        self.found = [fault.message for fault in verdict.faults][:MOST_FAULTS]
        return not self.found


class Drafter:
    """Writes texts with a model, one per call, and remembers what an interrupted one has cost."""

    def __init__(self, model: Model, source: Source = abstract) -> None:
        self.model = model
        self._source = source
        self._begun: dict[WantedText, Draft] = {}
        """Texts that an error of the endpoint interrupted."""

    @property
    def unfinished_tokens(self) -> int:
        """Tokens that interrupted texts have cost; they are stored with the text once it is finished."""
        return sum(draft.tokens for draft in self._begun.values())

    async def draft(
        self, task: WantedText, now: datetime, *, renew: Callable[[], Awaitable[None]] | None = None
    ) -> StoredText:
        """Request a text and check it, without storing it: accepted, or rejected with the reasons.

        `renew` is called before each request after the first, and keeps the text's lease from ending.

        Raises ModelError if the endpoint gave no answer to check; `about_text` if that is likely to happen again.
        """
        await self.model.prepare()
        draft = self._begun.pop(task, None) or Draft()
        window, wasted, notes = self.model.window, 0, list[str]()
        while draft.checked < ATTEMPTS:
            if renew is not None and (wasted or draft.tokens):
                await renew()
            source = await self._source(task.paper, task.style, now, window)
            try:
                answer = await self._ask(task, source, draft, notes)
            except (ContextExceededError, AnswerCutError) as error:
                draft.tokens, wasted = draft.tokens + error.tokens, wasted + 1
                error.tokens = draft.tokens
                is_cut = isinstance(error, AnswerCutError)
                window = min(self.model.window, window // 2) if is_cut else self.model.window
                shorter = is_cut or await self._source(task.paper, task.style, now, window) != source
                if wasted >= MOST_WASTED or not shorter:
                    error.about_text = shorter  # else no question at all fits
                    raise
                notes = [SHORTER] if is_cut else notes
            except ModelError as error:
                draft.tokens += error.tokens
                if not error.about_text:
                    if draft.tokens:
                        self._begun[task] = draft
                    raise
                draft.found, draft.checked = [str(error)], draft.checked + 1
                if isinstance(error, FilteredError):
                    break
            else:
                if draft.take(task, answer, source):
                    rejected = self.unwritten(task, TextState.REJECTED, (), draft.tokens, now)
                    return replace(rejected, model=answer.model, verdict=TextState.ACCEPTED, parts=draft.parts)
        return self.unwritten(task, TextState.REJECTED, draft.found, draft.tokens, now)

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
