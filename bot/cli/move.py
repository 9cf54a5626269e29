"""`papers move`: everything moved to another database."""

from __future__ import annotations

import os
from typing import Annotated

import typer

from bot import settings
from bot.channel_loader import CHANNELS, accounts, configured
from bot.cli.configuration import configuration
from bot.cli.console import as_json, complain, progress, say, table
from bot.cli.open_store import stored
from bot.cli.options import Json
from bot.cli.startup import RUNNING, CommandError, WrongError, command
from bot.runtime.locks import OWNER, HeldError, Locks, LostError, holding, make_locks
from bot.runtime.locks.role_names import every_role
from bot.runtime.supervisor import clock
from bot.store import Store, stats
from bot.store.backup_file import mark
from bot.store.copy import copy, frozen, make_ready, open_target, require_current

NEXT = (
    "Everything was copied, and the rows were counted on both sides. Set DATABASE_URL to the new database before the\n"
    "next start. The old one has only been marked as a backup: started again, it sends nothing a second time."
)


@command
async def move(
    to: Annotated[
        str, typer.Option("--to", metavar="URL", help="An empty database: postgresql+psycopg://… or sqlite:///….")
    ],
    json: Json = False,
) -> int | None:
    """Move everything to another database.

    Nothing may run meanwhile. The new one has to be empty; rows are counted on both sides.
    """
    wanted = settings.read(settings.Settings, {"DATABASE_URL": to})
    target = open_target(wanted.database_url.get_secret_value(), settings.home(os.environ))
    if target is None:
        raise WrongError(
            "--to is not the address of a database; write it like postgresql+psycopg://user:password@host/name."
        )
    try:
        async with stored(as_it_is=True, hidden=settings.secrets(wanted)) as source:
            if source.engine.url == target.engine.url:
                raise WrongError("--to names the database in use now; name an empty one.")
            counts = await _copy(source, target)
    except HeldError as error:
        complain(f"Nothing may run while the database moves, and {error}. Stop it first.")
        return RUNNING
    except LostError as error:
        raise CommandError(f"The database did not move: {error}.") from error
    finally:
        await target.close()
    if json:
        as_json(counts)
        return None
    rows = [[name, str(count), str(count)] for name, count in counts.items()]
    table(["table", "rows here", "rows there"], [*rows, ["all", *[str(sum(counts.values()))] * 2]])
    say(NEXT)
    return None


async def _copy(source: Store, target: Store) -> dict[str, int]:
    """Copy everything while holding every lock of both databases. Returns rows by table."""
    await require_current(source, "database")
    here, there = (make_locks(store.engine.url, store.path) for store in (source, target))
    async with source.read() as connection:
        known = await stats.known_accounts(connection)
    environ = configuration().environ
    served = [each.name for each in await accounts(configured(environ), environ, source)]
    locks = every_role(sorted({*CHANNELS, *known, *served}))
    try:
        async with holding(here, *locks):
            await _require_no_sender(here)
            await make_ready(target)
            async with holding(there, *locks), frozen(source) as still:
                with progress("Copying rows") as bar:
                    counts = await copy(still, target, bar)
                await mark(still, clock())
        return counts
    finally:
        await here.close()
        await there.close()


async def _require_no_sender(locks: Locks) -> None:
    """Raise HeldError while a process sends mails or files, for which several may do that and none has the channel."""
    for each in await locks.holders():
        if each.role.startswith(OWNER) and not await locks.is_free(each.role):
            raise HeldError("deliver", each.process)
