"""`papers backup`: a copy of the database."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from bot.cli.configuration import configuration
from bot.cli.console import progress, say
from bot.cli.open_store import stored
from bot.cli.startup import command
from bot.runtime.supervisor import clock
from bot.store import StoreError, backups


@command
async def backup(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="A new file, which becomes an SQLite database; or a folder for it.")
    ],
    keep: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="Then delete all but the newest N backups in that folder.")
    ] = None,
) -> None:
    """Copy the database to a file while everything runs.

    The copy is restored in rehearsal before it counts. A start from it sends nothing a second time.
    """
    now, home = clock(), configuration().home
    file = file / f"papers-{now:%Y%m%dT%H%M%SZ}.db" if file.is_dir() else file
    async with stored(as_it_is=True) as store:
        with progress("Copying rows") as bar:
            await backups.make(store, file, home, now=now, progress=None if store.path else bar)
    say(f"The database was copied to {file}, and the copy restored in rehearsal.")
    if keep is not None:
        try:
            deleted = await asyncio.to_thread(backups.delete_older, home, keep, file.parent)
        except OSError as error:
            raise StoreError(f"An older backup could not be deleted ({error.strerror}).") from error
        if deleted:
            say(f"Deleted: {', '.join(each.name for each in deleted)}.")
