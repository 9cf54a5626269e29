"""`papers texts`: what a language model wrote, listed or generated ahead."""

from __future__ import annotations

from datetime import date
from typing import Annotated

import typer

from bot.cli.configuration import configuration
from bot.cli.console import as_json, complain, progress, say, table
from bot.cli.open_service import open_service
from bot.cli.open_store import find_edition, stored
from bot.cli.options import Day, Json, Papers, parse_day
from bot.cli.startup import DONE, FAILED, WRONG, execute
from bot.model import Preferences, Style
from bot.render.styles import TEXT_FIELDS
from bot.render.words import match
from bot.runtime.supervisor import clock
from bot.store import text_queries
from bot.store.text_queries import StoredText, TextState
from bot.summaries.wanted import WantedTexts

NO_MODEL = "No language model is set up: set LLM_BASE_URL and LLM_MODEL; see docs/settings.md."
COLUMNS = ("written", "paper", "language", "style", "model", "tokens", "verdict", "why")

app = typer.Typer(
    help="Show what the language model wrote, or generate texts ahead.", no_args_is_help=False, rich_markup_mode=None
)


@app.callback(invoke_without_command=True)
def list_texts(
    context: typer.Context,
    refused: Annotated[bool, typer.Option("--refused", help="Only rejected texts.")] = False,
    limit: Annotated[int, typer.Option(min=0, metavar="N", help="Only the newest N; 0 for all.")] = 50,
    json: Json = False,
) -> None:
    """Show what the language model wrote, newest first: tokens spent, and why a text was rejected."""
    if context.invoked_subcommand is None:
        execute(_list(refused, limit, json))


async def _list(refused: bool, limit: int, json: bool) -> int:
    model = configuration().core.llm_model
    async with stored() as store, store.read() as connection:
        found = await text_queries.newest(connection, limit, TextState.REJECTED if refused else None)
        spent = await text_queries.tokens_spent(connection, clock().date())
        waiting = await WantedTexts(store).missing(clock(), model)
    if json:
        as_json([_as_row(each) for each in found])
        return DONE
    if found:
        table(COLUMNS, [_cells(each) for each in found])
    elif not model:
        say(NO_MODEL)
    say(f"Tokens spent today (UTC): {spent}")
    say(f"Wanted, not written yet: {len(waiting)}")
    return DONE


@app.command()
def write(
    date: Day = None,
    language: Annotated[str, typer.Option(metavar="TAG", help="In this language, such as ko.")] = "en",
    style: Annotated[str, typer.Option(help="highlights, plain, translation or review.")] = "highlights",
    papers: Papers = 10,
) -> None:
    """Generate the texts of the latest edition, or a day's, now, whether or not anybody reads them."""
    execute(_write(parse_day(date), language, style, papers))


async def _write(day: date | None, language: str, style: str, papers: int) -> int:
    tag = match(language, default="")
    if style not in TEXT_FIELDS or not tag:
        complain(f"There is no style {style} that a model writes, or no language {language}.")
        return WRONG
    async with open_service(only="outbox") as service:
        if not service.writer.has_model:
            complain(NO_MODEL)
            return WRONG
        edition = await find_edition(service.store, day)
        if edition is None:
            complain(f"There is no edition{f' of {day}' if day else ' yet'}.")
            return FAILED
        tasks = await service.writer.missing_of(edition, Preferences(language=tag, style=Style(style), papers=papers))
        done = 0
        with progress("Texts written") as bar:
            bar(0, len(tasks))
            for start in range(0, len(tasks), service.settings.llm_concurrency):
                batch = tasks[start : start + service.settings.llm_concurrency]
                if not await service.writer.affordable(clock()):
                    complain("Today's token budget (LLM_BUDGET_TOKENS) is spent.")
                    break
                if not await service.writer.write(batch, clock()):
                    break
                done += len(batch)
                bar(done, len(tasks))
    say(f"{done} of {len(tasks)} texts were generated; `papers texts` shows them.")
    return DONE if done == len(tasks) else FAILED


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
