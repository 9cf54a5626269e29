"""A second opinion: another model is asked of each sentence whether it follows from the paper, yes or no.

The question has MiniCheck's form (Tang et al. 2024, arXiv 2404.10774): a document and one claim. `bespoke-minicheck`
needs no more and reads English alone; any other model is told what to do. An opinion that cannot be had
refuses nothing.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import pairwise

from bot.render.styles import MISSING
from bot.render.templates import prompt
from bot.runtime.text import sentence_ends, sentences
from bot.store import Store, opinions
from bot.summaries.guard.guard import Verdict
from bot.summaries.llm import FREE, Model
from bot.summaries.llm_errors import ContextExceededError, ModelError
from bot.summaries.wanted import WantedText

log = logging.getLogger(__name__)

MOST_SENTENCES = 60
"""Sentences of one text that are asked about; the longest style has some forty."""
WHOLE_PAPER = 12_000
"""Characters of a source from which on only parts with a doubt are asked about, since each question holds all of it."""
RESTS_FOR = timedelta(minutes=10)
"""Time for which an endpoint that failed is not asked."""
NO_CLAIMS = frozenset({"title"})
"""Parts that state nothing which could be true or false."""

_YES_NO = re.compile(r"\b(yes|no)\b", re.IGNORECASE)
_ENGLISH_ONLY = re.compile(r"minicheck", re.IGNORECASE)

Renew = Callable[[], Awaitable[None]]
"""Keeps the lease of a text from ending."""


@dataclass(slots=True)
class Opinion:
    """What was said of one text: the sentences refused, by the name of their part, and the tokens that it cost."""

    refused: dict[str, list[str]] = field(default_factory=dict)
    tokens: int = 0


class SecondOpinion:
    """Asks a model about sentences, each once. The answers are stored."""

    def __init__(self, store: Store, model: Model) -> None:
        self._store = store
        self._model = model
        self._is_minicheck = _ENGLISH_ONLY.search(model.name) is not None
        self._rests_until: datetime | None = None

    @property
    def name(self) -> str:
        """The model's name."""
        return self._model.name

    def reads(self, language: str) -> bool:
        """Whether the model reads a language."""
        return not self._is_minicheck or language.partition("-")[0].lower() == "en"

    async def of(
        self,
        task: WantedText,
        verdict: Verdict,
        source: str,
        now: datetime,
        *,
        settled: Collection[str] = (),
        renew: Renew | None = None,
    ) -> Opinion:
        """Ask about the sentences of the parts that the guard accepts, those with a doubt first.

        `settled` are parts that need no opinion; `renew` is called before each request. Never raises for what the
        endpoint answered: from the first failure on, the rest of the text is taken as it is.
        """
        found = Opinion()
        doubtful = {doubt.part for doubt in verdict.doubts}
        names = [name for name in verdict.accepted if name not in {*settled, *NO_CLAIMS}]
        if len(source) > WHOLE_PAPER:
            names = [name for name in names if name in doubtful]
        names.sort(key=lambda name: name not in doubtful)
        asked = [(name, each) for name in names if verdict.parts[name] != MISSING for each in _claims(verdict, name)]
        if not asked or not self.reads(task.language):
            return found
        document = "\n\n".join(filter(None, (task.paper.title, task.paper.organisation, source)))
        asked = asked[:MOST_SENTENCES]
        async with self._store.read() as connection:
            said = await opinions.of(connection, self._model.name, document, [each for _, each in asked])
        failed = False
        for name, sentence in asked:
            if sentence not in said:
                if failed or (self._rests_until is not None and now < self._rests_until):
                    continue
                if renew is not None:
                    await renew()
                try:
                    follows, tokens = await self.ask(document, sentence)
                except ModelError as error:
                    found.tokens += error.tokens
                    self._failed(error, now)
                    failed = True
                    continue
                found.tokens += tokens
                if follows is None:
                    continue
                said[sentence] = follows
                async with self._store.write() as connection:
                    await opinions.keep(connection, self._model.name, document, sentence, follows=follows, now=now)
            if not said[sentence]:
                found.refused.setdefault(name, []).append(sentence)
        return found

    async def ask(self, document: str, sentence: str) -> tuple[bool | None, int]:
        """Whether a sentence follows from a document, and the tokens that the answer cost; None if it says neither.

        Raises ModelError.
        """
        await self._model.prepare()
        system = "" if self._is_minicheck else prompt("claim")
        user = f"Document: {document}\nClaim: {' '.join(sentence.split())}"
        try:
            answer = await self._model.fill(system, user, ())
        except ModelError as error:
            error.args = (_named(str(error)),)
            raise
        return yes_or_no(answer.parts[FREE]), answer.tokens

    def _failed(self, error: ModelError, now: datetime) -> None:
        """Leave an endpoint that failed alone for a while; a question that does not fit it is no failure."""
        log.warning("no second opinion", extra={"why": str(error)})
        if not error.about_text and not isinstance(error, ContextExceededError):
            self._rests_until = now + RESTS_FOR


def yes_or_no(answer: str) -> bool | None:
    """What an answer says: its first word if that is yes or no, else its last yes or no; None if it has neither."""
    found = [match[1].lower() for match in _YES_NO.finditer(answer)]
    if not found:
        return None
    first = re.match(r"\W*(yes|no)\b", answer, re.IGNORECASE)
    return (first[1].lower() if first else found[-1]) == "yes"


def without(text: str, refused: Collection[str]) -> str:
    """A text without these sentences."""
    places = [0, *sentence_ends(text), len(text)]
    kept = (text[start:end] for start, end in pairwise(places))
    return "".join(each for each in kept if each.strip() not in refused).strip()


def _claims(verdict: Verdict, name: str) -> list[str]:
    return list(dict.fromkeys(sentences(verdict.parts[name])))


def _named(message: str) -> str:
    """The client's sentence with this endpoint's settings in it."""
    return re.sub(r"LLM_(?=BASE_URL|API_KEY|MODEL)", "CHECK_", message).replace("LLM endpoint", "second opinion")
