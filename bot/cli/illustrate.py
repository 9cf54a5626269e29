"""`papers illustrate`: an edition's pictures, drawn now."""

from __future__ import annotations

from datetime import date
from typing import Annotated

import typer

from bot.cli.console import complain, progress, say
from bot.cli.open_service import open_service
from bot.cli.options import Day, Language, parse_day
from bot.cli.startup import DONE, FAILED, WRONG, execute
from bot.model import Cadence, Edition
from bot.render.catalogue import languages
from bot.render.edition_page import slug
from bot.render.words import match
from bot.rules.periods import period_of
from bot.runtime.supervisor import clock
from bot.store import Store, edition_queries


def illustrate(
    date: Day = None,
    language: Language = None,
    force: Annotated[bool, typer.Option("--force", help="Draw also what is there already.")] = False,
) -> None:
    """Draw the pictures of an edition.

    Word cloud, trend, poster and card, in every language or one: of the latest edition, or of a day's, and of the week
    and the month that end with it. What is there already is left as it is.
    """
    execute(_illustrate(parse_day(date), language, force))


async def _illustrate(day: date | None, language: str | None, force: bool) -> int:
    tag = None if language is None else match(language, default="")
    if tag == "":
        complain(f"There is no language {language}; there are: {', '.join(languages())}.")
        return WRONG
    async with open_service(only="outbox") as service:
        editions = await _editions(service.store, day)
        if not editions:
            complain(f"There is no edition{f' of {day}' if day else ' yet'}; `papers publish` publishes one.")
            return FAILED
        # Without the job's lock: beside a running service the same files are written twice at worst, each at once.
        code = DONE
        for edition in editions:
            name = slug(edition.cadence, edition.day)
            with progress(f"Drawing {name}") as bar:
                tags = languages() if tag is None else [tag]
                result = await service.workers.illustrator.illustrate(edition, tags, clock(), force=force, report=bar)
            say(f"{name}: {result.drawn} pictures drawn, {result.there} were there.")
            for reason in dict.fromkeys(result.reasons):
                complain(f"{name}: some are left out: {reason}.")
                code = FAILED
    return code


async def _editions(store: Store, day: date | None) -> list[Edition]:
    """The edition of a day, or the latest, and those of the week and month that end with it."""
    async with store.read() as connection:
        day = day or await edition_queries.latest_day(connection, Cadence.DAY)
        if day is None:
            return []
        found = [
            await edition_queries.of_day(connection, cadence, day)
            for cadence in Cadence
            if period_of(cadence, day).last == day
        ]
    return [edition for edition in found if edition is not None]
