"""Database errors as one sentence that says how to mend them."""

from __future__ import annotations

import os
from pathlib import Path

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.store.schema import system_state

TRIAL = "trial"
"""The key in `system_state` of a row that is written to see whether that works."""
RESTORE = "stop the service and restore the newest backup: docs/operating.md, Backups"


def explain(error: BaseException, file: Path | None = None) -> str:
    """One sentence about an error of the database or its driver; `file` is that of an SQLite database, if known.

    The causes are named as SQLite names them (https://sqlite.org/rescode.html), and PostgreSQL's are passed on.
    """
    cause = _cause(error)
    name = "The database" if file is None else f"The database {file}"
    if "malformed" in cause or "not a database" in cause:
        return f"{name} is damaged ({cause}): {RESTORE}."
    if "readonly" in cause or "read-only" in cause:
        return f"{name} cannot be written to ({cause}): it and its folder must belong to the user who runs this."
    if "unable to open" in cause or isinstance(error, OSError):
        return _unopened(cause, file)
    if "disk is full" in cause or "disk I/O" in cause:
        return f"{name} cannot be written to ({cause}): look at the disk; what was stored before is kept."
    if "locked" in cause:
        return f"{name} is in use by another process for too long ({cause}): try again."
    if _refuses_login(cause):
        return f"The database server refuses the login ({cause}): check DATABASE_URL."
    return f"The database cannot be used just now ({cause}): check DATABASE_URL and that its server runs."


def is_out_of_reach(error: BaseException) -> bool:
    """Whether a database server could not be reached, or is not ready yet; it may be, with the same settings, later."""
    return isinstance(error, OperationalError) and error.statement is None and not _refuses_login(_cause(error))


def fault_of(error: Exception) -> BaseException:
    """A driver's error as SQLAlchemy raises it, for a turn (`bot.store.turns`) that is taken by the driver alone."""
    return DBAPIError.instance("a turn", None, error, type(error), hide_parameters=True)


def _cause(error: BaseException) -> str:
    """The first line of what the driver says."""
    lines = str(getattr(error, "orig", None) or error).strip().splitlines() or [type(error).__name__]
    return lines[0].rstrip(".")


def _refuses_login(cause: str) -> bool:
    """Whether PostgreSQL says that it knows no such user, password or database."""
    return any(each in cause for each in ("password", 'role "', "authentication", 'database "', "pg_hba.conf"))


def _unopened(cause: str, file: Path | None) -> str:
    """Say why SQLite could not open a file, which it does not say itself."""
    if file is None:
        return f"The database cannot be opened ({cause}): check DATABASE_URL, and the rights of its file and folder."
    try:
        if file.is_dir():
            return f"DATABASE_URL names {file}, which is a folder: name a file in it."
        if not file.parent.is_dir():
            return f"The folder of the database does not exist: create {file.parent}, or mend DATABASE_URL."
        wrong = file if file.exists() else file.parent
    except OSError:
        wrong = file.parent
    return f"The database {file} cannot be opened ({cause}): {wrong} belongs to {_owner(wrong)}; run this as its owner."


def _owner(path: Path) -> str:
    try:
        return path.owner()
    except (OSError, KeyError, NotImplementedError):
        return "another user"


def why_not_made(file: Path) -> str | None:
    """Why an SQLite file that is not there could not be made; None if nothing speaks against it."""
    if not file.parent.is_dir() or not os.access(file.parent, os.W_OK):
        return _unopened("it cannot be made", file)
    return None


async def damage(connection: AsyncConnection) -> str | None:
    """Check SQLite's file (https://sqlite.org/pragma.html#pragma_quick_check). Returns its fault, None without one."""
    if connection.dialect.name != "sqlite":
        return None
    said = str(await connection.scalar(text("pragma quick_check(1)")))
    return None if said == "ok" else said


async def try_to_write(connection: AsyncConnection) -> None:
    """Write a row and delete it again; the caller commits. Raises what the database raises."""
    await connection.execute(system_state.insert().values(key=TRIAL, value=""))
    await connection.execute(system_state.delete().where(system_state.c.key == TRIAL))
