"""Commands of the operator's desk: `papers deliveries list|retry|drop`, `papers resume`."""

from __future__ import annotations

import re
import sys
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from bot.cli.editions import Json
from bot.cli.open_store import stored
from bot.cli.startup import DONE, WRONG, a_day, execute

if TYPE_CHECKING:  # see bot.cli.startup
    from bot.rules.outcomes import ChannelState
    from bot.store.operator_queries import DeliveryFilter, DeliveryLine

ADDRESS = re.compile(r"[^\s<>\"'()\[\]]+@[^\s<>\"'()\[\]]+")
"""What looks like a mail address: services like to quote it in their answers."""

COLUMNS = ("id", "edition", "channel", "subscriber", "state", "code", "reason", "attempts", "repeats", "due", "ended")

Edition = Annotated[str | None, typer.Option("--edition", metavar="YYYY-MM-DD", help="Of this edition (UTC).")]
CadenceOption = Annotated[
    str | None, typer.Option("--cadence", metavar="day|week|month|note", help="Of this cadence; note: announcements.")
]
Channel = Annotated[str | None, typer.Option("--channel", metavar="NAME", help="On this channel.")]
StateOption = Annotated[str | None, typer.Option("--state", metavar="STATE", help="In this state.")]
Reason = Annotated[str | None, typer.Option("--reason", metavar="TEXT", help="With this in the reason.")]
Repeated = Annotated[bool, typer.Option("--repeated", help="Sent again without knowing whether they had arrived.")]
All = Annotated[bool, typer.Option("--all", help="Without a filter: all of them.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]

Choice = TypeVar("Choice", bound=StrEnum)
Query = Callable[..., Awaitable[int]]

desk = typer.Typer(
    help="Look at single deliveries, owe them again, drop them.", no_args_is_help=True, rich_markup_mode=None
)


@desk.command("list")
def list_deliveries(
    edition: Edition = None,
    cadence: CadenceOption = None,
    channel: Channel = None,
    state: StateOption = None,
    reason: Reason = None,
    repeated: Repeated = False,
    limit: Annotated[int, typer.Option(min=0, metavar="N", help="The newest N; 0 for all.")] = 100,
    json: Json = False,
) -> None:
    """Show deliveries, newest first; readers by their number, never by address."""
    execute(_list(_filter(edition, cadence, channel, state, reason, repeated), limit, json))


async def _list(wanted: DeliveryFilter, limit: int, json: bool) -> int:
    from bot.cli.console import as_json, complain, say, table
    from bot.store import operator_queries

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
    return DONE


@desk.command()
def retry(
    edition: Edition = None,
    cadence: CadenceOption = None,
    channel: Channel = None,
    state: StateOption = None,
    reason: Reason = None,
    repeated: Repeated = False,
    every: All = False,
    yes: Yes = False,
) -> None:
    """Owe deliveries again that are unknown, rejected, expired or barred, for another 18 hours.

    They go out as soon as each reader may be disturbed (07:00 to 22:00, or near their own hour). Only to readers
    who are active; nothing that a newer edition superseded. One that is unknown may arrive a second time.
    """
    from bot.store.operator_queries import RETRYABLE, count_retryable
    from bot.store.operator_queries import retry as owe_again

    wanted = _filter(edition, cadence, channel, state, reason, repeated)
    execute(_change(wanted, RETRYABLE, "owed again", count_retryable, owe_again, every=every, yes=yes))


@desk.command()
def drop(
    edition: Edition = None,
    cadence: CadenceOption = None,
    channel: Channel = None,
    state: StateOption = None,
    reason: Reason = None,
    repeated: Repeated = False,
    every: All = False,
    yes: Yes = False,
) -> None:
    """Skip deliveries that are owed or unknown: they are never sent."""
    from bot.store.operator_queries import DROPPABLE, count_droppable
    from bot.store.operator_queries import drop as end

    wanted = _filter(edition, cadence, channel, state, reason, repeated)
    execute(_change(wanted, DROPPABLE, "dropped", count_droppable, end, every=every, yes=yes))


async def _change(
    wanted: DeliveryFilter,
    possible: Sequence[StrEnum],
    becomes: str,
    count: Query,
    change: Query,
    *,
    every: bool,
    yes: bool,
) -> int:
    """Do to what matches what the operator asked for, after asking back on a terminal."""
    from bot.cli.console import complain, say
    from bot.runtime.supervisor import clock

    if wanted.state is not None and wanted.state not in possible:
        complain(f"What is {wanted.state} cannot be {becomes}; {', '.join(possible)} can.")
        return WRONG
    if not wanted.conditions() and not every:
        complain("Say which: give a filter, such as --edition or --channel, or --all.")
        return WRONG
    async with stored() as store:
        if sys.stdin.isatty() and not yes:
            async with store.read() as connection:
                matching = await count(connection, wanted)
            if not matching or not typer.confirm(f"{_deliveries(matching)} will be {becomes}. Go on?", err=True):
                say("Nothing was changed.")
                return DONE
        async with store.write() as connection:
            changed = await change(connection, wanted, now=clock())
    say(f"{_deliveries(changed)} {becomes}.")
    return DONE


def resume(channel: Annotated[str, typer.Argument(metavar="CHANNEL", help="Such as telegram.")]) -> None:
    """Forget that a channel waits or is halted, and which texts its service refused: it delivers again at once."""
    execute(_resume(channel))


async def _resume(channel: str) -> int:
    from bot.app import CHANNELS
    from bot.cli.console import complain, say
    from bot.runtime.supervisor import clock
    from bot.store import channel_state

    if channel not in CHANNELS:
        complain(f"There is no channel named {channel}; there are: {', '.join(CHANNELS)}.")
        return WRONG
    async with stored() as store, store.write() as connection:
        before = await channel_state.resume(connection, channel)
    stood = _stood(before, clock())
    say(f"{channel} {stood}; it delivers again." if stood else f"{channel} was neither halted nor waiting.")
    return DONE


def _stood(before: ChannelState, now: datetime) -> str:
    """How a channel stood that did not deliver; nothing where it did."""
    if before.halted_at is not None:
        return f"was halted since {_minute(before.halted_at)} UTC ({_hide(before.halted_for) or 'no reason given'})"
    if before.waits_until is not None and before.waits_until > now:
        return f"was to wait until {_minute(before.waits_until)} UTC ({_hide(before.waits_for) or 'no reason given'})"
    return ""


def _filter(
    edition: str | None,
    cadence: str | None,
    channel: str | None,
    state: str | None,
    reason: str | None,
    repeated: bool,
) -> DeliveryFilter:
    from bot.model import NOTE, Cadence, State
    from bot.store.operator_queries import DeliveryFilter

    return DeliveryFilter(
        day=a_day(edition),
        cadence=NOTE if cadence == NOTE else _one_of(Cadence, "cadence", cadence),
        channel=channel,
        state=_one_of(State, "state", state),
        reason=reason,
        repeated=repeated,
    )


def _one_of(kind: type[Choice], what: str, written: str | None) -> Choice | None:
    if written is None:
        return None
    try:
        return kind(written)
    except ValueError:
        raise typer.BadParameter(f"there is no {what} {written}; there are: {', '.join(kind)}") from None


def _as_row(line: DeliveryLine) -> dict[str, object]:
    return {
        "id": line.id,
        "edition": line.day,
        "cadence": line.cadence,
        "channel": line.channel,
        "subscriber": line.subscriber_id,
        "state": line.state,
        "reason_code": line.reason_code,
        "reason": _hide(line.reason),
        "attempts": line.attempts,
        "repeats": line.repeats,
        "due": line.due_at,
        "ended": line.ended_at,
    }


def _as_cells(line: DeliveryLine) -> list[str]:
    """The same for people: no year where the edition's says it."""
    return [
        str(line.id),
        str(line.day) if line.cadence == "day" else f"{line.day} {line.cadence}",
        line.channel,
        "forgotten" if line.subscriber_id is None else str(line.subscriber_id),
        line.state,
        line.reason_code or "",
        _hide(line.reason) or "",
        str(line.attempts),
        str(line.repeats),
        f"{line.due_at:%m-%d %H:%M}",
        f"{line.ended_at:%m-%d %H:%M}" if line.ended_at else "",
    ]


def _hide(reason: str | None) -> str | None:
    return ADDRESS.sub("…@…", reason) if reason else reason


def _deliveries(count: int) -> str:
    return "1 delivery" if count == 1 else f"{count} deliveries"


def _minute(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M}"
