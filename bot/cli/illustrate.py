"""`papers illustrate`: an edition's pictures, drawn now."""

from __future__ import annotations

from datetime import date
from typing import Annotated

import typer

from bot.cli.console import complain, progress, say
from bot.cli.open_service import open_service
from bot.cli.open_store import require_edition
from bot.cli.options import Day, Language, require_language
from bot.cli.startup import DONE, FAILED, command
from bot.model import Cadence, Edition
from bot.render.catalogue import languages
from bot.render.edition_page import slug
from bot.rules.periods import period_of
from bot.runtime.supervisor import clock
from bot.store import Store, edition_queries


@command
async def illustrate(
    date: Day = None,
    language: Language = None,
    force: Annotated[bool, typer.Option("--force", help="Draw also what is there already.")] = False,
) -> int:
    """Draw the pictures of an edition.

    Word cloud, trend, poster and card, in every language or one: of the latest edition, or of a day's, and of the week
    and the month that end with it. What is there already is left as it is.
    """
    tags = languages() if language is None else [require_language(language)]
    async with open_service(only="outbox") as service:
        editions = await _editions(service.store, date)
        # Without the job's lock: beside a running service the same files are written twice at worst, each at once.
        code = DONE
        for edition in editions:
            name = slug(edition.cadence, edition.day)
            with progress(f"Drawing {name}") as bar:
                result = await service.workers.illustrator.illustrate(edition, tags, clock(), force=force, report=bar)
            say(f"{name}: {result.drawn} pictures drawn, {result.there} were there.")
            for reason in dict.fromkeys(result.reasons):
                complain(f"{name}: some are left out: {reason}.")
                code = FAILED
    return code


async def _editions(store: Store, day: date | None) -> list[Edition]:
    """The edition of a day, or the latest, and those of the week and month that end with it."""
    async with store.read() as connection:
        latest = day or await edition_queries.latest_day(connection, Cadence.DAY)
        cadences = [each for each in Cadence if latest is not None and period_of(each, latest).last == latest]
        found = [await edition_queries.of_day(connection, each, latest) for each in cadences if latest is not None]
    editions = [edition for edition in found if edition is not None]
    return editions or [await require_edition(store, day)]
