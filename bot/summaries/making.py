"""What writes and illustrates summaries, made from the settings."""

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
from bot.summaries.paper_pictures import PaperPictures
from bot.summaries.second_opinion import SecondOpinion
from bot.summaries.wanted import WantedTexts
from bot.summaries.writer import Writer


async def make_summaries(
    core: Settings, cache: Path, store: Store, stack: AsyncExitStack, alert: Callable[..., None]
) -> tuple[Writer, PaperPictures]:
    """What is written of papers, with the language model of the settings if there is one, and fetched of them.

    Raises SettingsError.
    """
    texts = await stack.enter_async_context(FullTextLibrary(cache))
    pictures = PaperPictures(WantedTexts(store), texts, cache)
    make = partial(Writer, store, concurrency=core.llm_concurrency, budget=core.llm_budget_tokens)
    if not core.endpoints:
        return make(None), pictures
    model = await stack.enter_async_context(_model(core, core.endpoints))
    second = None
    if core.check_endpoints:
        second = SecondOpinion(store, await stack.enter_async_context(_model(core, core.check_endpoints)))
    return make(model, source=PromptSources(texts), second=second, alert=alert), pictures


def _model(core: Settings, endpoints: Sequence[tuple[str, str, str]]) -> Model:
    """The client of these endpoints. Raises SettingsError."""
    try:
        return Model(
            [Endpoint(*each) for each in endpoints], timeout=core.llm_timeout.total_seconds(), window=core.llm_window
        )
    except ValueError as error:
        raise SettingsError(f"{error}.") from None
