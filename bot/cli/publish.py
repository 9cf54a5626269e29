"""`papers publish`: an edition on request."""

from __future__ import annotations

from datetime import date
from typing import Annotated

import typer

from bot.cli.console import complain, say
from bot.cli.open_service import open_service
from bot.cli.options import Day, parse_day
from bot.cli.startup import DONE, FAILED, WRONG, execute
from bot.runtime.supervisor import clock


def publish(
    date: Day = None,
    deliver: Annotated[bool, typer.Option("--deliver", help="Send a past day's edition to readers as well.")] = False,
) -> None:
    """Publish today's edition now, or back-fill a past day.

    Today's list is closed as it stands. A past day goes into the archive alone, unless --deliver is given.
    """
    execute(_publish(parse_day(date), deliver))


async def _publish(day: date | None, deliver: bool) -> int:
    now = clock()
    if day is not None and day > now.date():
        complain(f"{day} has not begun yet (UTC).")
        return WRONG
    async with open_service() as service:
        if day is None or day == now.date():
            poller = service.publisher.poller
            if not await poller.poll(now):
                complain(f"The feed could not be read: {poller.fault}.")
                return FAILED
            if now.date() in poller.failed:
                complain(f"The list of {now.date()} could not be read: {poller.failed[now.date()]}.")
                return FAILED
            published = await service.publisher.close_early(now)
        else:
            published = await service.publisher.back_fill(day, now, deliver=deliver)
    for each in published:
        say(f"{each.edition.day}: {len(each.edition.papers)} papers, for {each.audience} readers")
    if not published:
        say("Nothing was published: the day has its edition already, or no papers that are in no other edition.")
    return DONE
