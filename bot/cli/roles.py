"""`papers health`: which process holds each role, for probes of containers and for the operator."""

from __future__ import annotations

from typing import Annotated

import typer

from bot.cli.console import as_json, complain, say, table
from bot.cli.open_store import stored
from bot.cli.options import Json
from bot.cli.startup import DONE, FAILED, execute
from bot.runtime.locks import OWNER, Holder, make_locks
from bot.runtime.supervisor import clock
from bot.service import Role

SENDER = "deliver"
"""The role under which owners are listed: senders that need no lock of their own for their channel."""


def health(
    role: Annotated[
        str | None, typer.Option(metavar="poll|deliver|listen", help="Fail unless some process has this role.")
    ] = None,
    json: Json = False,
) -> None:
    """Show which process has which role, and since when.

    It asks the database and nothing else, so it answers at once; with --role the exit code is 1 if nobody has it.
    """
    if role is not None and role not in (Role.POLL, Role.DELIVER, Role.LISTEN):
        raise typer.BadParameter("--role takes one of poll, deliver, listen")
    execute(_health(role, json))


async def _health(role: str | None, json: bool) -> int:
    async with stored(as_it_is=True) as store:
        await store.version()  # says why the database cannot be used
        locks = make_locks(store.engine.url, store.path)
        try:
            found = await locks.holders()
        finally:
            await locks.close()
    shown = [each for each in found if role is None or _group(each) == role]
    if json:
        as_json([_as_row(each) for each in shown])
    elif shown:
        table(["role", "process", "since (UTC)", "takeovers"], [_cells(each) for each in shown])
    elif role is None:
        say("Nothing runs.")
    if role is not None and not shown:
        complain(f"No process has the role {role}.")
        return FAILED
    return DONE


def _group(holder: Holder) -> str:
    return SENDER if holder.role.startswith(OWNER) else holder.role.partition(":")[0]


def _name(holder: Holder) -> str:
    return "sender" if holder.role.startswith(OWNER) else holder.role


def _cells(holder: Holder) -> list[str]:
    since = "" if holder.since is None else f"{holder.since:%Y-%m-%d %H:%M:%S}"
    return [_name(holder), holder.process, since, str(holder.takeovers)]


def _as_row(holder: Holder) -> dict[str, object]:
    seconds = None if holder.since is None else round((clock() - holder.since).total_seconds(), 1)
    return {
        "role": _name(holder), "process": holder.process, "seconds_held": seconds, "takeovers": holder.takeovers,
    }  # fmt: skip
