"""`papers backup`: a copy of the database."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from bot.cli.console import progress, say
from bot.cli.open_store import stored
from bot.cli.startup import DONE, execute
from bot.runtime.supervisor import clock
from bot.store.backup_file import back_up


def backup(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A new file, which becomes an SQLite database.")],
) -> None:
    """Copy the database to a file while everything runs.

    A start from the copy sends nothing a second time.
    """
    execute(_backup(file))


async def _backup(file: Path) -> int:
    async with stored(as_it_is=True) as store:
        if store.path is not None:
            await back_up(store, file, now=clock())
        else:
            with progress("Copying rows") as bar:
                await back_up(store, file, now=clock(), progress=bar)
    say(f"The database was copied to {file}.")
    return DONE
