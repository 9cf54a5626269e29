"""The page "fewer emails": a weekly edition, the top papers alone, or a pause, each with one button.

It opens with a signed link in every mail, beside the one that unsubscribes, and can do no more harm than that one.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from aiohttp import web

from bot.channel import CommandName, Requester, command_line
from bot.model import ALL_PAPERS, Cadence, Status, Subscriber
from bot.render.words import Words, words
from bot.signing import FEWER, PURPOSES
from bot.web.pages.layout import Form
from bot.web.subscriptions.forms import FormPages

TOP = 3
"""Papers of an edition that only has the top ones."""
PAUSE_DAYS = 30
"""Days of the pause that is offered."""
FIELD = "choice"
"""The form field that says which button was pressed."""


class FewerRoutes:
    """The page, and what its buttons do."""

    def __init__(self, forms: FormPages) -> None:
        self._forms = forms

    async def offer(self, request: web.Request) -> web.StreamResponse:
        """Show what there is to choose; nothing changes before a button is pressed."""
        forms, now = self._forms, self._forms.clock()
        reader, language = await forms.reader_of_link(request, PURPOSES[FEWER])
        w = words(language)
        if reader is None or reader.status not in {Status.ACTIVE, Status.PAUSED}:
            return forms.say(w.language, w.gettext("unsubscribe.was_not"), links=[forms.front_link(w)])
        buttons = [Form(request.path, label, {FIELD: name}) for name, (label, _) in choices(reader, w, now).items()]
        return forms.say(
            w.language,
            w.gettext("fewer.title"),
            w.gettext("fewer.hint"),
            forms=buttons,
            links=[forms.settings_link(w), forms.front_link(w)],
        )

    async def choose(self, request: web.Request) -> web.StreamResponse:
        """A button was pressed: change the reader's settings, and say so."""
        forms, now = self._forms, self._forms.clock()
        chosen = (await forms.read(request)).get(FIELD)
        forms.count(request, now)
        reader, language = await forms.reader_of_link(request, PURPOSES[FEWER])
        w = words(language)
        offered = {} if reader is None else choices(reader, w, now)
        if reader is None or chosen not in offered:
            return await self.offer(request)
        requester = Requester(reader.address, rate_limit_key=f"fewer {reader.id}")
        reply = await forms.commands.ask(requester, offered[chosen][1], now)
        links = [forms.settings_link(w), forms.front_link(w)]
        return forms.say(w.language, reply.says[0], *reply.says[1:2], links=links)


def choices(reader: Subscriber, w: Words, now: datetime) -> Mapping[str, tuple[str, str]]:
    """The offers of fewer mails, by the field's value: the button's label and the command line. Pure."""
    wanted = reader.preferences
    until = now.astimezone(UTC).date() + timedelta(days=PAUSE_DAYS)
    found = {}
    if wanted.cadence is Cadence.DAY:
        found["weekly"] = w.gettext("fewer.weekly"), command_line(CommandName.CADENCE, Cadence.WEEK.value)
    if wanted.papers == ALL_PAPERS or wanted.papers > TOP:
        found["top"] = w.ngettext("fewer.top", TOP), command_line(CommandName.COUNT, f"{TOP}")
    if not reader.is_paused(now):
        found["pause"] = w.ngettext("fewer.pause", PAUSE_DAYS), command_line(CommandName.PAUSE, f"{until}")
    return found
