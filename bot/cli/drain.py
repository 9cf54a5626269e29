"""`papers drain`: processes of this machine finish what they have begun, and end."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
from typing import Annotated

import typer

from bot.cli.console import say
from bot.cli.open_store import stored
from bot.cli.startup import CommandError, command
from bot.runtime.locks import Locks, make_locks

LOOK_EVERY = 0.5
"""Seconds between two looks whether the processes have ended."""
LONGEST_DRAIN = 600.0
"""Seconds that it waits for them at most, unless --wait says otherwise."""


@command
async def drain(
    wait: Annotated[
        float, typer.Option(metavar="SECONDS", help="How long to wait for them to end.", min=0)
    ] = LONGEST_DRAIN,
) -> None:
    """Let the processes on this machine finish, and end.

    They claim nothing more, and unlike at a stop messages in flight get all the time they need. Processes on other
    machines go on, and take over.
    """
    async with stored(as_it_is=True) as store:
        await store.version()  # says why the database cannot be used
        locks = make_locks(store.engine.url, store.path)
        try:
            await _drain_under(locks, wait)
        finally:
            await locks.close()


async def _drain_under(locks: Locks, wait: float) -> None:
    begun = await _running_here(locks)
    if not begun:
        say("Nothing runs on this machine.")
        return
    for process in begun:
        try:
            os.kill(process, signal.SIGUSR1)
        except PermissionError:
            raise CommandError(f"Process {process} belongs to another user: run this as its user.") from None
        except ProcessLookupError:  # it has just ended
            continue
    ends = asyncio.get_running_loop().time() + wait
    while left := begun & await _running_here(locks):
        if asyncio.get_running_loop().time() < ends:
            await asyncio.sleep(LOOK_EVERY)
            continue
        named = ", ".join(map(str, sorted(left)))
        raise CommandError(f"Still at work after {wait:g} s: {named}; stop them, or wait longer.")
    say(f"Drained: {len(begun)}.")


async def _running_here(locks: Locks) -> set[int]:
    """The ids of processes on this machine that hold locks and live."""
    found: set[int] = set()
    for each in await locks.holders():
        # The lock is tried as well: a note on a file may outlast its process, and the id be another's by now.
        if each.host == socket.gethostname() and each.pid is not None and not await locks.is_free(each.role):
            found.add(each.pid)
    return {process for process in found if _lives(process)}


def _lives(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
