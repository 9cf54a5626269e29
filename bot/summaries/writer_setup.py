"""Puts the writer of summaries together from the settings: models, full texts, a second opinion."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path

from bot.settings import Settings, SettingsError
from bot.store import Store
from bot.summaries.fulltext.library import FullTextLibrary
from bot.summaries.fulltext.prompt_source import PromptSources
from bot.summaries.llm import Endpoint, Model
from bot.summaries.paper_pictures import collect
from bot.summaries.second_opinion import SecondOpinion
from bot.summaries.writer import Writer


async def make_writer(
    core: Settings, cache: Path, store: Store, stack: AsyncExitStack, alert: Callable[..., None]
) -> Writer:
    """The writer of summaries, with the language model of the settings if there is one.

    What it opens is closed with `stack`. Full texts and pictures of papers are kept in `cache`. Raises SettingsError.
    """
    make = partial(Writer, store, concurrency=core.llm_concurrency, budget=core.llm_budget_tokens)
    if not core.endpoints:
        return make(None)
    model = await stack.enter_async_context(_model(core, core.endpoints))
    second = None
    if core.check_endpoints:
        second = SecondOpinion(store, await stack.enter_async_context(_model(core, core.check_endpoints)))
    texts = await stack.enter_async_context(FullTextLibrary(cache))
    pictures = partial(collect, texts, cache)
    return make(model, source=PromptSources(texts), second=second, collect=pictures, alert=alert)


def _model(core: Settings, endpoints: Sequence[tuple[str, str, str]]) -> Model:
    """The client of these endpoints. Raises SettingsError."""
    try:
        return Model(
            [Endpoint(*each) for each in endpoints], timeout=core.llm_timeout.total_seconds(), window=core.llm_window
        )
    except ValueError as error:
        raise SettingsError(f"{error}.") from None
