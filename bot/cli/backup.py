"""Commands that carry the database elsewhere: `papers backup`, `papers move`."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bot.cli.editions import Json
from bot.cli.open_store import stored
from bot.cli.startup import DONE, FAILED, RUNNING, WRONG, execute

if TYPE_CHECKING:  # see bot.cli.startup
    from bot.store import Store

NEXT = (
    "Everything is there, counted on both ends. Set DATABASE_URL to what --to says before the next start.\n"
    "The old database is untouched but for a mark: started again, it counts as a restored backup."
)


def backup(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A new file; an SQLite database comes of it.")],
) -> None:
    """Copy the database to a file, also while everything runs; a start on the copy sends nothing a second time."""
    execute(_backup(file))


async def _backup(file: Path) -> int:
    from bot.cli.console import progress, say
    from bot.runtime.supervisor import clock
    from bot.store.backup_file import back_up

    async with stored(as_it_is=True) as store:
        if store.path is not None:
            await back_up(store, file, now=clock())
        else:
            with progress("Copying rows") as bar:
                await back_up(store, file, now=clock(), progress=bar)
    say(f"The database was copied to {file}.")
    return DONE


def move(
    to: Annotated[
        str, typer.Option("--to", metavar="URL", help="An empty database: postgresql+psycopg://… or sqlite:///….")
    ],
    json: Json = False,
) -> None:
    """Copy everything to an empty database of the other kind while nothing runs, and prove the counts."""
    execute(_move(to, json))


async def _move(to: str, json: bool) -> int:
    from bot import settings
    from bot.cli.console import as_json, complain, say, table
    from bot.runtime.locks import HeldError, LostError
    from bot.store.copy import open_target

    wanted = settings.read(settings.Settings, {"DATABASE_URL": to})
    target = open_target(wanted.database_url.get_secret_value(), settings.home(os.environ))
    if target is None:
        complain("--to is no address of a database; write it like postgresql+psycopg://user:password@host/name.")
        return WRONG
    try:
        async with stored(as_it_is=True, hidden=settings.secrets(wanted)) as source:
            if source.engine.url == target.engine.url:
                complain("--to names the database that is in use now; name an empty one.")
                return WRONG
            counts = await _carry(source, target)
    except HeldError as error:
        complain(f"Nothing may run while the database moves, and {error}. Stop it first.")
        return RUNNING
    except LostError as error:
        complain(f"The database did not move: {error}.")
        return FAILED
    finally:
        await target.close()
    if json:
        as_json(counts)
        return DONE
    rows = [[name, str(count), str(count)] for name, count in counts.items()]
    table(["table", "rows here", "rows there"], [*rows, ["all", *[str(sum(counts.values()))] * 2]])
    say(NEXT)
    return DONE


async def _carry(source: Store, target: Store) -> dict[str, int]:
    """Copy everything while every role of both databases is ours."""
    from bot.app import CHANNELS
    from bot.cli.console import progress
    from bot.runtime.locks import holding, make_locks
    from bot.runtime.supervisor import clock
    from bot.store.backup_file import mark
    from bot.store.copy import copy, frozen, make_ready, require_current

    await require_current(source, "database")
    here, there = (make_locks(store.engine.url, store.path) for store in (source, target))
    roles = ["poll", *(f"{part}:{channel}" for part in ("deliver", "listen") for channel in CHANNELS)]
    try:
        async with holding(here, *roles):
            await make_ready(target)
            async with holding(there, *roles), frozen(source) as still:
                with progress("Copying rows") as bar:
                    counts = await copy(still, target, bar)
                await mark(still, clock())
        return counts
    finally:
        await here.close()
        await there.close()
