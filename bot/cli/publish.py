"""`papers publish`: an edition on request."""

from __future__ import annotations

from datetime import date
from typing import Annotated

import typer

from bot.cli.console import complain, say
from bot.cli.open_service import open_service
from bot.cli.options import Day, day_option
from bot.cli.startup import DONE, FAILED, CommandError, WrongError, command
from bot.model import Cadence
from bot.publishing.backfill import backfill
from bot.rules.closing import DAY
from bot.runtime.supervisor import clock


@command
async def publish(
    date: Day = None,
    first: Annotated[date | None, day_option("--from", help="Backfill the archive from this day on.")] = None,
    last: Annotated[date | None, day_option("--to", help="With --from: up to this day, else yesterday.")] = None,
    deliver: Annotated[bool, typer.Option("--deliver", help="Send a past day's edition to readers as well.")] = False,
) -> int | None:
    """Publish today's edition now, or backfill a past day.

    Today's list is closed as it stands. A past day goes into the archive alone, unless --deliver is given. With --from,
    every day since then that has no edition gets one in the archive, and so do the weeks and months that are complete.
    """
    if first is None and last is None:
        await _publish(date, deliver)
        return None
    if date is not None or deliver:
        raise typer.BadParameter("--from and --to go with neither --date nor --deliver")
    if first is None:
        raise typer.BadParameter("--to needs --from")
    return await _backfill(first, last)


async def _backfill(first: date, last: date | None) -> int:
    yesterday = clock().date() - DAY
    last = last or yesterday
    if not first <= last <= yesterday:
        raise WrongError(
            f"There are no past days from {first} to {last}: --from comes first, and --to is before today (UTC)."
        )
    async with open_service(bar="Backfilling") as service:
        progress = service.workers.publisher.poller.progress or _no_progress
        filled = await backfill(service.workers.publisher, service.store, first, last, clock(), progress=progress)
    for each in filled.published:
        name = "" if each.edition.cadence is Cadence.DAY else f"{each.edition.cadence} to "
        say(f"{name}{each.edition.day}: {len(each.edition.papers)} papers")
    if not filled.published and not filled.failed:
        say("No new edition: every day already has one, or has no new papers.")
    for day, reason in filled.failed.items():
        complain(f"The list of {day} could not be read: {reason}.")
    return FAILED if filled.failed else DONE


def _no_progress(done: int, total: int) -> None:
    """For runs without a bar."""


async def _publish(day: date | None, deliver: bool) -> None:
    now = clock()
    if day is not None and day > now.date():
        raise WrongError(f"{day} has not begun yet (UTC).")
    async with open_service() as service:
        if day is None or day == now.date():
            poller = service.workers.publisher.poller
            if not await poller.poll(now):
                raise CommandError(f"The feed could not be read: {poller.fault}.")
            if now.date() in poller.failed:
                raise CommandError(f"The list of {now.date()} could not be read: {poller.failed[now.date()]}.")
            published = await service.workers.publisher.close_early(now)
        else:
            published = await service.workers.publisher.backfill(day, now, deliver=deliver)
    for each in published:
        say(f"{each.edition.day}: {len(each.edition.papers)} papers, for {each.audience} readers")
    if not published:
        say("No new edition: the day already has one, or has no new papers.")
