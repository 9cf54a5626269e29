"""Commands that keep house: `papers publish`, `papers doctor`, `papers migrate`."""

from __future__ import annotations

import os
from datetime import date
from typing import TYPE_CHECKING, Annotated

import typer

from bot.cli.editions import Day, Json
from bot.cli.startup import DONE, FAILED, WRONG, a_day, execute, opened

if TYPE_CHECKING:  # see bot.cli.startup
    from bot.channel import Finding
    from bot.store import Store

UP_TO_DATE = "The database is up to date."


def publish(
    date: Day = None,
    deliver: Annotated[bool, typer.Option("--deliver", help="A past day too goes to its readers.")] = False,
) -> None:
    """Close the edition of today as the list stands, or fill in the one of a past day for the archive."""
    execute(_publish(a_day(date), deliver))


async def _publish(day: date | None, deliver: bool) -> int:
    from bot.cli.console import complain, say
    from bot.runtime.supervisor import clock

    now = clock()
    if day is not None and day > now.date():
        complain(f"{day} has not begun yet (UTC).")
        return WRONG
    async with opened() as app:
        if day is None or day == now.date():
            if not await app.publisher.poll(now):
                complain(f"The feed could not be read: {app.publisher.fault}.")
                return FAILED
            published = await app.publisher.close_early(now)
        else:
            published = await app.publisher.back_fill(day, now, deliver=deliver)
    for each in published:
        say(f"{each.edition.day}: {len(each.edition.papers)} papers, for {each.audience} readers")
    if not published:
        say("Nothing was closed: that day has an edition already, or lists no papers that no edition holds.")
    return DONE


def migrate(
    check: Annotated[
        bool, typer.Option("--check", help="Change nothing: say what would change, how long it takes, what must stop.")
    ] = False,
) -> None:
    """Bring the database up to date (also done at every start), after a copy of an SQLite file."""
    execute(_migrate(check))


async def _migrate(check: bool) -> int:
    from bot.cli.console import say
    from bot.settings import Settings, environment, home, read
    from bot.store import Store

    folder = home(os.environ)
    settings = read(Settings, environment(folder, os.environ))
    store = Store.open(settings.database_url.get_secret_value(), folder)
    try:
        for line in await _upgrade_plan(store) if check else [await store.migrate() or UP_TO_DATE]:
            say(line)
    finally:
        await store.close()
    return DONE


async def _upgrade_plan(store: Store) -> list[str]:
    """What `papers migrate` would do, line by line."""
    from bot.store import StoreError, upgrade
    from bot.store.schema import HEAD

    version = await store.version()
    if version == HEAD:
        return [UP_TO_DATE]
    if version is None:
        return [f"There are no tables yet: the first start makes them, version {HEAD}."]
    if version > HEAD:
        raise StoreError(f"The database is at version {version}, this program knows {HEAD}: update Morning Papers.")
    async with store.read() as connection:
        rows, seconds = await upgrade.estimate(connection, store.path)
        running = await upgrade.running(connection, store.path)
    lines = [f"The database is at version {version}; this program needs {HEAD}. It would change as follows."]
    lines += [f"{step.revision}: {step.does}" for step in upgrade.pending(version)]
    lines.append(f"Estimated time, for {rows:,} rows: {max(1, round(seconds))} s.")
    if not upgrade.needs_standstill(version):
        lines.append("No process has to stop.")
    elif running:
        lines.append(f"Stop these first: {'; '.join(running)}; and standby and web processes.")
    else:
        lines.append("No process holds a lock now; standby and web processes have to stop as well.")
    return lines


def doctor(json: Json = False) -> None:
    """Look at every setting and service: ok, or one sentence what is wrong and what to do."""
    execute(_doctor(json))


async def _doctor(json: bool) -> int:
    from dataclasses import asdict

    from bot.cli import console
    from bot.doctor import examine
    from bot.settings import home

    found: list[Finding] = await examine(home(os.environ), os.environ)
    if json:
        console.as_json([asdict(finding) for finding in found])
    else:
        console.findings(found)
    return DONE if all(finding.ok for finding in found) else FAILED
