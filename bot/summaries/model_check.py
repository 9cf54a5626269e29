"""What `papers doctor` says of the language model: each language tried, what is accepted, what a day costs."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from bot.channel import Finding
from bot.model import Cadence, Paper, Style
from bot.render.catalogue import languages
from bot.render.styles import FROM_FULL_TEXT, TEXT_FIELDS
from bot.render.words import own_name
from bot.runtime.text import first_sentence
from bot.store import Store, edition_queries, endpoint_faults, text_queries, text_reports
from bot.store.text_queries import TextState
from bot.summaries.drafting import Drafter
from bot.summaries.llm import Model
from bot.summaries.llm_errors import ModelError
from bot.summaries.second_opinion import SecondOpinion
from bot.summaries.wanted import WantedText, WantedTexts

RATED_OVER = timedelta(days=7)
"""Time over which accepted and rejected texts are counted."""
TYPICAL_DAY = 30
"""Papers of a day, as long as there is no edition to count."""
TYPICAL_TOKENS: Mapping[Style, int] = {
    Style.HIGHLIGHTS: 1_500,
    Style.PLAIN: 1_600,
    Style.TRANSLATION: 2_000,
    Style.REVIEW: 18_000,
}
"""Tokens of a text, question and answer, until some have been written. A review reads up to 59,000 characters."""
UNTRUE = "The authors plant ten thousand trees along a river and count the birds."
"""A sentence that follows from no paper about machine learning."""
SHARE_OF_WINDOW = 0.7
"""The part of a context window that the question of a review and its answer take at most."""


class ModelCheck:
    """Tries a model in every language in use, `concurrency` at once; `budget` is tokens a UTC day, 0 for no limit."""

    def __init__(self, model: Model, papers: Sequence[Paper], *, budget: int, concurrency: int) -> None:
        self._model = model
        self._papers = papers
        self._budget = budget
        self._places = asyncio.Semaphore(concurrency)

    async def findings(self, store: Store, now: datetime) -> list[Finding]:
        """Try every language in use (while there are no readers, every language) and say what a day costs."""
        wanted: Counter[Style] = Counter()
        costs = dict(TYPICAL_TOKENS)
        costs[Style.REVIEW] = min(costs[Style.REVIEW], int(self._model.window * SHARE_OF_WINDOW))
        wanted.update(task.style for task in await WantedTexts(store).wanted(now))
        async with store.read() as connection:
            used = await text_queries.languages_in_use(connection) or list(languages())
            costs |= await text_queries.average_tokens(connection)
            latest = await edition_queries.latest(connection, Cadence.DAY)
            rated = await text_queries.acceptance(connection, now - RATED_OVER)
            reported = await text_reports.by_model(connection, now - RATED_OVER)
            fault = await endpoint_faults.load(connection)
        papers = TYPICAL_DAY if latest is None else len(latest.papers)
        history = [*map(_acceptance, rated), *map(_reported, reported)]
        if fault is not None:
            history.append(Finding("model", False, f"failed at {fault.at:%Y-%m-%d %H:%M} UTC: {fault.says}"))
        tried = await asyncio.gather(*(self._try_out(language, now) for language in used))
        failed = {language: each for language, each in zip(used, tried, strict=True) if isinstance(each, ModelError)}
        answers = [*(each for each in tried if isinstance(each, Finding)), *_failures(failed, len(used))]
        if len(failed) == len(used) and not any(error.about_text for error in failed.values()):
            return [*answers, *history]
        return [*answers, *history, *self._costs(wanted, costs, papers)]

    async def _try_out(self, language: str, now: datetime) -> Finding | ModelError:
        """Have a text written in a language, and say whether it passes; the error if there is no text to check."""
        task = WantedText(self._papers[0], language, Style.HIGHLIGHTS, 1.0)
        name = own_name(language)
        try:
            async with self._places:
                written = await Drafter(self._model).draft(task, now)
        except ModelError as error:
            return error
        if written.verdict is TextState.ACCEPTED:
            return Finding("model", True, f"its {name} passes")
        return Finding("model", False, f"its {name} is rejected: {' '.join(written.faults)}")

    def _costs(self, wanted: Mapping[Style, int], costs: Mapping[Style, int], papers: int) -> list[Finding]:
        """What a day costs with the current readers, and what it would cost in each style."""
        total = sum(count * costs[style] for style, count in wanted.items())
        count = sum(wanted.values())
        each = ", ".join(f"{style} {number} × {costs[style]:,}" for style, number in sorted(wanted.items()))
        texts = f"{count} texts: {each}" if each else "0 texts"
        says = f"a day costs about {total:,} tokens with the current readers ({texts})"
        found = [self._affordable(says, total)]
        for style in TEXT_FIELDS:
            if style not in wanted:
                cost = papers * costs[style]
                source = ", from the full text," if style in FROM_FULL_TEXT else ""
                says = f"the style {style} for {papers} papers{source} would cost about {cost:,} tokens a language"
                found.append(self._affordable(says, cost, hint=True))
        return found

    def _affordable(self, says: str, tokens: int, *, hint: bool = False) -> Finding:
        if not self._budget or tokens <= self._budget:
            return Finding("model", True, says)
        over = f"{says}, more than LLM_BUDGET_TOKENS ({self._budget:,})"
        return Finding("model", True, over if hint else f"{over}: the least wanted are not generated", advice=True)


def _failures(failed: Mapping[str, ModelError], asked: int) -> list[Finding]:
    """One finding for each reason why requests failed, with the languages that were asked for."""
    languages_of: dict[str, list[str]] = {}
    for language, error in failed.items():
        languages_of.setdefault(str(error), []).append(own_name(language))
    until = "until it answers, readers get the authors' or the feed's own sentences"
    return [
        Finding("model", False, f"{'every language' if len(names) == asked > 1 else ', '.join(names)}: {why}; {until}")
        for why, names in languages_of.items()
    ]


def _reported(each: text_reports.Reported) -> Finding:
    says = (
        f"{each.model}: readers reported {each.texts} of its texts as wrong in the last 7 days ({each.reports} reports)"
    )
    return Finding("model", True, f"{says}; `papers texts` shows which", advice=True)


def _acceptance(each: text_queries.Acceptance) -> Finding:
    asked = each.accepted + each.rejected
    says = f"{each.model}: {each.accepted} of {asked} texts in {own_name(each.language)} accepted in the last 7 days"
    more = "; use another model, or look at `papers texts --refused`" if each.too_low else ""
    return Finding("model", not each.too_low, says + more)


async def second_opinion_finding(second: SecondOpinion, paper: Paper) -> Finding:
    """Ask for a second opinion on a sentence that follows from a paper and on one that does not."""
    said = []
    for sentence in (first_sentence(paper.abstract), UNTRUE):
        try:
            follows, _ = await second.ask(paper.abstract, sentence)
        except ModelError as error:
            return Finding("model", False, f"{error}; until it answers, texts are taken as the guard judges them")
        said.append(follows)
    if said == [True, False]:
        only = "" if second.reads("ko") else "; it reads English only"
        return Finding("model", True, f"the second opinion ({second.name}) tells true from untrue sentences{only}")
    says = f"the second opinion ({second.name}) does not tell true from untrue sentences; use another CHECK_MODEL"
    return Finding("model", False, says)
