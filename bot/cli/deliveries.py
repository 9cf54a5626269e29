"""`papers deliveries`: single deliveries listed, retried, cancelled."""

from __future__ import annotations

import re
import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import asdict
from datetime import date
from enum import StrEnum
from functools import wraps
from inspect import Parameter, signature
from typing import Annotated, Any, TypeVar

import typer

from bot.cli.console import as_json, complain, say, table
from bot.cli.open_store import stored
from bot.cli.options import Channel, Json, Yes, day_option, with_parameters
from bot.cli.startup import WrongError, command
from bot.model import NOTE, Cadence, State
from bot.runtime.supervisor import clock
from bot.store import operator_queries
from bot.store.operator_queries import DROPPABLE, RETRYABLE, DeliveryFilter, DeliveryLine

ADDRESS = re.compile(r"[^\s<>\"'()\[\]]+@[^\s<>\"'()\[\]]+")
"""What looks like a mail address: services like to quote it in their answers."""

SHOWN_AS = {"day": "edition", "subscriber_id": "subscriber", "due_at": "due", "ended_at": "ended"}
"""Fields of `DeliveryLine` that have another name in JSON."""
COLUMNS = ("id", "edition", "channel", "subscriber", "state", "code", "reason", "attempts", "repeats", "due", "ended")

FILTERS: Mapping[str, object] = {
    "date": Annotated[date | None, day_option(help="Only of this day's editions (UTC).")],
    "cadence": Annotated[
        str | None, typer.Option(metavar="day|week|month|note", help="Only of this cadence; note is announcements.")
    ],
    "channel": Channel,
    "state": Annotated[str | None, typer.Option(metavar="STATE", help="Only in this state, such as sent.")],
    "reason": Annotated[str | None, typer.Option(metavar="TEXT", help="Only with this text in the reason.")],
    "repeated": Annotated[
        bool, typer.Option("--repeated", help="Only those sent again while it was unknown whether they had arrived.")
    ],
}
"""The options by which deliveries are selected, on every command."""
All = Annotated[bool, typer.Option("--all", help="Without a filter: all of them.")]

Choice = TypeVar("Choice", bound=StrEnum)
Query = Callable[..., Awaitable[int]]

app = typer.Typer(help="List, retry and cancel single deliveries.", no_args_is_help=True, rich_markup_mode=None)


def filtered(work: Callable[..., None]) -> Callable[..., None]:
    """Give a command whose first argument is a DeliveryFilter the options that make one."""

    @wraps(work)
    def with_filter(**given: Any) -> None:
        work(_filter(**{name: given.pop(name) for name in FILTERS}), **given)

    own = list(signature(work, eval_str=True).parameters.values())[1:]
    filters = [
        Parameter(name, Parameter.KEYWORD_ONLY, default=False if name == "repeated" else None, annotation=option)
        for name, option in FILTERS.items()
    ]
    return with_parameters(with_filter, [*filters, *(each.replace(kind=Parameter.KEYWORD_ONLY) for each in own)])


@app.command("list")
@filtered
@command
async def list_deliveries(
    wanted: DeliveryFilter,
    limit: Annotated[int, typer.Option(min=0, metavar="N", help="Only the newest N; 0 for all.")] = 100,
    json: Json = False,
) -> None:
    """Show deliveries, newest first. Readers are shown by number, never by address."""
    async with stored() as store, store.read() as connection:
        found = await operator_queries.find(connection, wanted, limit + 1 if limit else 0)
    shown = found[:limit] if limit else found
    if json:
        as_json([_as_row(line) for line in shown])
    elif shown:
        table(COLUMNS, [_as_cells(line) for line in shown])
    else:
        say("No delivery matches.")
    if len(found) > len(shown):
        complain(f"These are the newest {limit}; --limit 0 shows all.")


@app.command()
@filtered
@command
async def retry(wanted: DeliveryFilter, every: All = False, yes: Yes = False) -> None:
    """Requeue deliveries that are unknown, rejected, expired or barred, for another 18 hours.

    They go out in each reader's waking hours (07:00 to 22:00, or near their own hour), to active readers only, unless
    a newer edition superseded them. One that is unknown may arrive a second time.
    """
    count, change = operator_queries.count_retryable, operator_queries.retry
    await _change(wanted, RETRYABLE, "requeued", count, change, every=every, yes=yes)


@app.command()
@filtered
@command
async def drop(wanted: DeliveryFilter, every: All = False, yes: Yes = False) -> None:
    """Cancel deliveries that are owed or unknown: they are never sent."""
    count, change = operator_queries.count_droppable, operator_queries.drop
    await _change(wanted, DROPPABLE, "cancelled", count, change, every=every, yes=yes)


async def _change(
    wanted: DeliveryFilter,
    possible: Sequence[StrEnum],
    becomes: str,
    count: Query,
    change: Query,
    *,
    every: bool,
    yes: bool,
) -> None:
    """Change the deliveries that match, after a confirmation on a terminal."""
    if wanted.state is not None and wanted.state not in possible:
        raise WrongError(f"A delivery that is {wanted.state} cannot be {becomes}; {', '.join(possible)} can.")
    if wanted == DeliveryFilter() and not every:
        raise WrongError("Say which deliveries: give a filter, such as --date or --channel, or --all.")
    async with stored() as store:
        if sys.stdin.isatty() and not yes:
            async with store.read() as connection:
                matching = await count(connection, wanted)
            if not matching or not typer.confirm(f"{_deliveries(matching)} will be {becomes}. Go on?", err=True):
                say("Nothing was changed.")
                return
        async with store.write() as connection:
            changed = await change(connection, wanted, now=clock())
    say(f"{_deliveries(changed)} {becomes}.")


def _filter(date: date | None, cadence: str | None, state: str | None, **others: Any) -> DeliveryFilter:
    return DeliveryFilter(
        day=date,
        cadence=NOTE if cadence == NOTE else _one_of(Cadence, "cadence", cadence),
        state=_one_of(State, "state", state),
        **others,
    )


def _one_of(kind: type[Choice], what: str, written: str | None) -> Choice | None:
    if written is None:
        return None
    try:
        return kind(written)
    except ValueError:
        raise typer.BadParameter(f"there is no {what} {written}; there are: {', '.join(kind)}") from None


def _as_row(line: DeliveryLine) -> dict[str, object]:
    named = {SHOWN_AS.get(name, name): value for name, value in asdict(line).items()}
    return named | {"reason": hide_addresses(line.reason)}


def _as_cells(line: DeliveryLine) -> list[str]:
    """The same for a table: the edition's day has the year, so the times need none."""
    return [
        str(line.id),
        str(line.day) if line.cadence == "day" else f"{line.day} {line.cadence}",
        line.channel,
        "forgotten" if line.subscriber_id is None else str(line.subscriber_id),
        line.state,
        line.reason_code or "",
        hide_addresses(line.reason) or "",
        str(line.attempts),
        str(line.repeats),
        f"{line.due_at:%m-%d %H:%M}",
        f"{line.ended_at:%m-%d %H:%M}" if line.ended_at else "",
    ]


def hide_addresses(reason: str | None) -> str | None:
    """A service's own words without the mail addresses in them."""
    return ADDRESS.sub("…@…", reason) if reason else reason


def _deliveries(count: int) -> str:
    return "1 delivery" if count == 1 else f"{count} deliveries"
