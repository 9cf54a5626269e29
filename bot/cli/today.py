"""`papers today`: a day's list as it stands."""

from __future__ import annotations

from bot.cli.console import as_json, complain, say
from bot.cli.open_service import open_service
from bot.cli.options import Day, Json, Language, Papers
from bot.cli.startup import DONE, FAILED, WrongError, command
from bot.model import Cadence, Paper, Preferences
from bot.publishing.feed import FeedError
from bot.render.edition_page import choose, edition_page, today_page
from bot.render.words import match
from bot.rules.closing import rank
from bot.runtime.supervisor import clock
from bot.store import edition_queries, paper_queries


@command
async def today(date: Day = None, papers: Papers = 0, language: Language = None, json: Json = False) -> int:
    """Show today's list of papers as it stands.

    With --date it is another day's. While today has no papers yet, it is the latest edition.
    """
    now = clock()
    day = date or now.date()
    if day > now.date():
        raise WrongError(f"{day} has not begun yet (UTC).")
    code = DONE
    async with open_service(only="outbox") as service:
        try:
            await service.workers.publisher.poller.read([day], now)
        except FeedError as error:
            complain(f"The feed could not be read, so this is what was stored: {error}.")
            code = FAILED
        async with service.store.read() as connection:
            listed = await paper_queries.listed(connection, day, day)
            edition = None if listed or date else await edition_queries.latest(connection, Cadence.DAY)
        wanted = Preferences(language=match(language, service.settings.default_language), papers=papers)
        if edition is not None:
            listed, day = [ranked.paper for ranked in edition.papers], edition.day
        if json:
            as_json([_as_row(ranked.paper) for ranked in choose(rank(listed), wanted)])
        elif listed:
            page = edition_page(edition, wanted) if edition else today_page(listed, day, wanted, now=now)
            say(service.channels[0].compose(page).parts()["text"])
        else:
            say(f"No papers are listed for {day} (weekend days have none).")
    return code


def _as_row(paper: Paper) -> dict[str, object]:
    names = ("id", "title", "votes", "organisation", "sentence", "authors", "listed_on", "arxiv", "code", "project")
    return {name: getattr(paper, name) for name in names}
