"""Commands about what a language model writes: `papers texts`, `papers texts write`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from bot.cli.editions import Day, Json
from bot.cli.open_store import stored
from bot.cli.startup import DONE, FAILED, WRONG, a_day, execute, opened

if TYPE_CHECKING:  # see bot.cli.startup
    from datetime import date

    from bot.model import Preferences
    from bot.service import Service
    from bot.store.text_queries import StoredText
    from bot.summaries.wanted import WantedText

COLUMNS = ("written", "paper", "language", "style", "model", "tokens", "verdict", "why")

desk = typer.Typer(
    help="Look at what a language model wrote, and have it write ahead.", no_args_is_help=False, rich_markup_mode=None
)


@desk.callback(invoke_without_command=True)
def list_texts(
    context: typer.Context,
    refused: Annotated[bool, typer.Option("--refused", help="Only those that were refused.")] = False,
    limit: Annotated[int, typer.Option(min=0, metavar="N", help="The newest N; 0 for all.")] = 50,
    json: Json = False,
) -> None:
    """Show what was written, what it cost, and why a text was refused; newest first."""
    if context.invoked_subcommand is None:
        execute(_list(refused, limit, json))


async def _list(refused: bool, limit: int, json: bool) -> int:
    from bot.cli.console import as_json, say, table
    from bot.runtime.supervisor import clock
    from bot.store import text_queries
    from bot.summaries.wanted import WantedTexts

    async with stored() as store, store.read() as connection:
        found = await text_queries.newest(connection, limit, text_queries.TextState.REJECTED if refused else None)
        spent = await text_queries.tokens_spent(connection, clock().date())
        waiting = await WantedTexts(store).missing(clock(), _model())
    if json:
        as_json([_as_row(each) for each in found])
        return DONE
    if found:
        table(COLUMNS, [_cells(each) for each in found])
    elif not _model():
        say("No language model is set up: LLM_BASE_URL and LLM_MODEL name one, docs/settings.md says more.")
    say(f"Tokens spent today (UTC): {spent}")
    say(f"Wanted and not written yet: {len(waiting)}")
    return DONE


def _model() -> str:
    """What the model of the settings is called."""
    import os

    from bot import settings

    home = settings.home(os.environ)
    return settings.read(settings.Settings, settings.environment(home, os.environ)).llm_model


@desk.command()
def write(
    date: Day = None,
    language: Annotated[str, typer.Option(metavar="TAG", help="In this language, such as ko.")] = "en",
    style: Annotated[str, typer.Option(help="highlights, plain, translation or review.")] = "highlights",
    top: Annotated[int, typer.Option(min=0, metavar="N", help="The first N papers; 0 for all.")] = 10,
) -> None:
    """Have an edition's texts written now, whoever reads them; the latest edition, or that of a day."""
    execute(_write(a_day(date), language, style, top))


async def _write(day: date | None, language: str, style: str, top: int) -> int:
    from bot.cli.console import complain, progress, say
    from bot.model import Preferences, Style
    from bot.render.styles import TEXT_FIELDS
    from bot.render.words import match
    from bot.runtime.supervisor import clock

    tag = match(language, default="")
    if style not in TEXT_FIELDS or not tag:
        complain(f"There is no style {style} that a model writes, or no language {language}.")
        return WRONG
    async with opened(only="outbox") as app:
        if not app.writer.has_model:
            complain("No language model is set up: LLM_BASE_URL and LLM_MODEL name one.")
            return WRONG
        wanted = Preferences(language=tag, style=Style(style), papers=top)
        tasks = await _tasks(app, day, wanted)
        if tasks is None:
            complain(f"There is no edition{f' of {day}' if day else ' yet'}.")
            return FAILED
        done = 0
        with progress("Texts written") as bar:
            bar(0, len(tasks))
            for start in range(0, len(tasks), app.settings.llm_concurrency):
                batch = tasks[start : start + app.settings.llm_concurrency]
                if not await app.writer.affordable(clock()):
                    complain("Today's tokens are spent: LLM_BUDGET_TOKENS is the limit.")
                    break
                if not await app.writer.write(batch, clock()):
                    break
                done += len(batch)
                bar(done, len(tasks))
    say(f"{done} of {len(tasks)} were dealt with; `papers texts` says how.")
    return DONE if done == len(tasks) else FAILED


async def _tasks(app: Service, day: date | None, wanted: Preferences) -> list[WantedText] | None:
    """What is still to be written of an edition, None where there is no such edition."""
    from bot.model import Cadence
    from bot.store import edition_queries

    async with app.store.read() as connection:
        latest = edition_queries.latest(connection, Cadence.DAY)
        edition = await (latest if day is None else edition_queries.of_day(connection, Cadence.DAY, day))
    return None if edition is None else await app.writer.missing_of(edition, wanted)


def _as_row(written: StoredText) -> dict[str, object]:
    return {
        "written_at": written.written_at.isoformat(),
        "paper": written.paper_id,
        "language": written.language,
        "style": written.style,
        "model": written.model,
        "prompt": written.prompt,
        "tokens": written.tokens,
        "verdict": written.verdict,
        "faults": written.faults,
        "parts": written.parts,
    }


def _cells(written: StoredText) -> list[str]:
    shown = [written.paper_id, written.language, written.style, written.model, str(written.tokens), written.verdict]
    return [f"{written.written_at:%Y-%m-%d %H:%M}", *shown, " ".join(written.faults)[:200]]
