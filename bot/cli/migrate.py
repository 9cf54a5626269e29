"""`papers migrate`: the database upgraded."""

from __future__ import annotations

import logging
from dataclasses import asdict, dataclass, field
from typing import Annotated

import typer

from bot.cli.configuration import configuration
from bot.cli.console import as_json, say
from bot.cli.options import Json
from bot.cli.startup import command
from bot.runtime import logs
from bot.store import Store, upgrade
from bot.store.schema import HEAD

UP_TO_DATE = "The database is up to date."


@command
async def migrate(
    check: Annotated[
        bool, typer.Option("--check", help="Change nothing: say what would change, how long it takes, what must stop.")
    ] = False,
    json: Json = False,
) -> None:
    """Upgrade the database to this version of the program.

    Every start does the same. An SQLite file is copied first. --json goes with --check.
    """
    if json and not check:
        raise typer.BadParameter("--json goes with --check")
    here = configuration()
    logs.configure(here.core.log_format, here.secrets, level=logging.WARNING)
    store = Store.open(here.core.database_url.get_secret_value(), here.home)
    try:
        if not check:
            say(await store.migrate() or UP_TO_DATE)
            return
        plan = await _upgrade_plan(store)
    finally:
        await store.close()
    if json:
        as_json(asdict(plan))
    else:
        for line in _lines(plan):
            say(line)


@dataclass(frozen=True, slots=True)
class UpgradePlan:
    """The upgrade that `papers migrate` would do."""

    version: str | None
    """The database's version; None where there are no tables yet."""
    needs: str
    """The version that this program needs."""
    migrations: list[upgrade.Pending] = field(default_factory=list)
    rows: int = 0
    """Rows that the migrations touch."""
    seconds: int = 0
    """Roughly how long they take."""
    standstill: bool = False
    """Whether no other process may run meanwhile."""
    running: list[str] = field(default_factory=list)
    """Processes that hold a lock now, each with what it does."""


async def _upgrade_plan(store: Store) -> UpgradePlan:
    """Raises StoreError."""
    version = await store.version()
    if version is None or version == HEAD:
        return UpgradePlan(version, HEAD)
    async with store.read() as connection:
        rows, seconds = await upgrade.estimate(connection, store.path, version)
        running = await upgrade.running(connection, store.path)
    return UpgradePlan(
        version,
        HEAD,
        upgrade.pending(version),
        rows,
        max(1, round(seconds)),
        standstill=upgrade.needs_standstill(version, store.path),
        running=list(running),
    )


def _lines(plan: UpgradePlan) -> list[str]:
    if plan.version is None:
        return [f"There are no tables yet: the first start makes them, version {plan.needs}."]
    if plan.version == plan.needs:
        return [UP_TO_DATE]
    lines = [f"The database is at version {plan.version}; this program needs {plan.needs}. It would change as follows."]
    lines += [f"{step.revision}: {step.does}" for step in plan.migrations]
    lines.append(f"Estimated time, for {plan.rows:,} rows: {plan.seconds} s.")
    if not plan.standstill:
        lines.append("No process has to stop.")
    elif plan.running:
        lines.append(f"Stop these first: {'; '.join(plan.running)}; and standby and web processes.")
    else:
        lines.append("No process holds a lock now; standby and web processes have to stop as well.")
    return lines
