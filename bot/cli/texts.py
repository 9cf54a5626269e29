"""`papers texts`: what a language model wrote, listed or generated ahead."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

import typer

from bot.cli.configuration import configuration
from bot.cli.console import as_json, complain, progress, say, table
from bot.cli.open_service import open_service
from bot.cli.open_store import require_edition, stored
from bot.cli.options import Day, Json, Papers
from bot.cli.startup import DONE, FAILED, WrongError, command, execute
from bot.model import Preferences, Style
from bot.render.styles import TEXT_FIELDS
from bot.render.words import match
from bot.runtime.supervisor import clock
from bot.store import endpoint_faults, text_queries, text_reports
from bot.store.text_queries import StoredText, TextState
from bot.summaries.wanted import WantedTexts
from bot.summaries.writer import Writer

NO_MODEL = "No language model is set up: set LLM_BASE_URL and LLM_MODEL; see docs/settings.md."
UNWRITTEN = (TextState.REJECTED, TextState.FAILED)
COLUMNS = ("written", "paper", "language", "style", "model", "tokens", "verdict", "reports", "why")

app = typer.Typer(
    help="Show what the language model wrote, or generate texts ahead.", no_args_is_help=False, rich_markup_mode=None
)


@app.callback(invoke_without_command=True)
def list_texts(
    context: typer.Context,
    refused: Annotated[bool, typer.Option("--refused", help="Only texts that were rejected or failed.")] = False,
    limit: Annotated[int, typer.Option(min=0, metavar="N", help="Only the newest N; 0 for all.")] = 50,
    json: Json = False,
) -> None:
    """Show what the language model wrote, newest first: tokens spent, readers' reports, and why a text was rejected."""
    if context.invoked_subcommand is None:
        execute(_list(refused, limit, json))


async def _list(refused: bool, limit: int, json: bool) -> int:
    model = configuration().core.llm_model
    async with stored() as store, store.read() as connection:
        found = await text_queries.newest(connection, limit, *(UNWRITTEN if refused else ()))
        reported = await text_reports.of(connection, list({each.paper_id for each in found}))
        spent = await text_queries.tokens_spent(connection, clock().date())
        waiting = await WantedTexts(store).missing(clock(), model)
        fault = await endpoint_faults.load(connection)
    if json:
        as_json([_as_row(each, _reports(each, reported)) for each in found])
        return DONE
    if found:
        table(COLUMNS, [_cells(each, _reports(each, reported)) for each in found])
    elif not model:
        say(NO_MODEL)
    if fault is not None:
        say(f"No answer since {fault.at:%Y-%m-%d %H:%M} UTC: {fault.says}")
    say(f"Tokens spent today (UTC): {spent}")
    say(f"Wanted, not written yet: {len(waiting)}")
    return DONE


@app.command()
@command
async def write(
    date: Day = None,
    language: Annotated[str, typer.Option(metavar="TAG", help="In this language, such as ko.")] = "en",
    style: Annotated[
        str, typer.Option(metavar="NAME", help="highlights, plain, translation or review.")
    ] = "highlights",
    papers: Papers = 10,
) -> int:
    """Generate the texts of the latest edition, or a day's, now, whether or not anybody reads them."""
    tag = match(language, default="")
    if style not in TEXT_FIELDS or not tag:
        raise WrongError(f"There is no style {style} that a model writes, or no language {language}.")
    async with open_service(only="outbox") as service:
        if not service.workers.writer.has_model:
            raise WrongError(NO_MODEL)
        edition = await require_edition(service.store, date)
        wanted = Preferences(language=tag, style=Style(style), papers=papers)
        tasks = await service.workers.writer.missing_of(edition, wanted, clock())
        with progress("Texts written") as bar:
            bar(0, len(tasks))
            done = await service.workers.writer.write(tasks, clock, lambda count: bar(count, len(tasks)))
        if done < len(tasks):
            complain(await _why_not(service.workers.writer))
        unaccepted = service.workers.writer.unaccepted
    but = f", {unaccepted} of them rejected or failed" if unaccepted else ""
    say(f"{done} of {len(tasks)} texts were generated{but}; `papers texts` shows them.")
    return DONE if done == len(tasks) else FAILED


async def _why_not(writer: Writer) -> str:
    """Why some texts were not written, in one sentence."""
    if writer.fault is not None:
        return f"{writer.fault[:1].upper()}{writer.fault[1:]}."
    if not await writer.affordable(clock()):
        return "Today's token budget (LLM_BUDGET_TOKENS) is spent."
    return "Another process is writing the rest; `papers texts` shows them once they are there."


@app.command()
@command
async def retry(
    paper: Annotated[str | None, typer.Argument(metavar="[PAPER]", help="Only of this paper (its arXiv id).")] = None,
    language: Annotated[str | None, typer.Option(metavar="TAG", help="Only in this language.")] = None,
    style: Annotated[Style | None, typer.Option(metavar="NAME", help="Only in this style.")] = None,
) -> None:
    """Have texts that were rejected or failed asked for again, as far as readers still want them."""
    async with stored() as store, store.write() as connection:
        count = await text_queries.retry(connection, paper_id=paper, language=language, style=style)
    say(f"{count} texts will be asked for again, as far as readers still want them.")


def _reports(written: StoredText, reported: Mapping[text_reports.Key, int]) -> int:
    """How often readers reported a text as wrong."""
    return reported.get((written.paper_id, written.language, written.style.value, written.model), 0)


def _as_row(written: StoredText, reports: int) -> dict[str, object]:
    return {
        "written_at": written.written_at.isoformat(),
        "paper": written.paper_id,
        "language": written.language,
        "style": written.style,
        "model": written.model,
        "prompt": written.prompt,
        "tokens": written.tokens,
        "verdict": written.verdict,
        "reports": reports,
        "faults": written.faults,
        "parts": written.parts,
    }


def _cells(written: StoredText, reports: int) -> list[str]:
    shown = [written.paper_id, written.language, written.style, written.model, str(written.tokens), written.verdict]
    shown.append(str(reports) if reports else "")
    return [f"{written.written_at:%Y-%m-%d %H:%M}", *shown, " ".join(written.faults)[:200]]
