"""`papers drain`: processes finish what they have begun, and end."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Collection
from typing import Annotated

import typer

from bot.cli.console import say
from bot.cli.open_store import stored
from bot.cli.startup import CommandError, command
from bot.runtime.locks import Locks, make_locks
from bot.store import Store, drain_requests

LOOK_EVERY = 0.5
"""Seconds between two looks whether the processes have ended."""
LONGEST_DRAIN = 600.0
"""Seconds that it waits for them at most, unless --wait says otherwise."""


@command
async def drain(
    names: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[NAME]...",
            help="Processes by the id that `papers health` shows, or all of a host; else this host.",
        ),
    ] = None,
    wait: Annotated[
        float, typer.Option(metavar="SECONDS", help="How long to wait for them to end.", min=0)
    ] = LONGEST_DRAIN,
) -> None:
    """Let the processes on this machine finish, and end.

    They claim nothing more, and unlike at a stop messages in flight get all the time they need. Processes on other
    machines go on, and take over. Processes in other containers, and on hosts that share a name, can be named.
    """
    async with stored(as_it_is=True) as store:
        await store.version()  # says why the database cannot be used
        locks = make_locks(store.engine.url, store.path)
        try:
            await _drain_under(store, locks, names or [], wait)
        finally:
            await locks.close()


async def _drain_under(store: Store, locks: Locks, names: Collection[str], wait: float) -> None:
    begun = await _running(locks, names)
    if not begun:
        say(f"Nothing runs as {', '.join(names)}; see `papers health`." if names else "Nothing runs on this machine.")
        return
    async with store.write() as connection:
        await drain_requests.ask(connection, begun)
    ends = asyncio.get_running_loop().time() + wait
    while left := begun & await _running(locks, names):
        if asyncio.get_running_loop().time() < ends:
            await asyncio.sleep(LOOK_EVERY)
            continue
        raise CommandError(f"Still at work after {wait:g} s: {', '.join(sorted(left))}; stop them, or wait longer.")
    async with store.write() as connection:
        await drain_requests.withdraw(connection, begun)  # of those that had ended by themselves
    say(f"Drained: {len(begun)}.")


async def _running(locks: Locks, names: Collection[str]) -> set[str]:
    """The ids of processes with these ids, or on these hosts, that hold locks and live."""
    found, wanted = set[str](), set(names or [socket.gethostname()])
    for each in await locks.holders():
        # The lock is tried as well: a note on a file may outlast its process.
        if each.id is not None and {each.id, each.host} & wanted and not await locks.is_free(each.role):
            found.add(each.id)
    return found
