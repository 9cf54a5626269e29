"""What is a reader's own, taken along: exported, moved to another address, erased."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from aiohttp import web

from bot.channel import CommandName, Link, Requester, command_line
from bot.channel.command_lines import CONFIRMED
from bot.model import Address, Status, Subscriber
from bot.render.words import words
from bot.store import one_time_tokens, subscriber_queries
from bot.store.one_time_tokens import Purpose
from bot.web.pages.layout import Form, plain_page
from bot.web.subscriptions.browser_sessions import BrowserSessions
from bot.web.subscriptions.forms import FormPages
from bot.web.subscriptions.subscribe import TYPED, SubscribeRoutes


class AccountRoutes:
    """Answers readers whose browser is known, and the two letters that a change of address takes."""

    def __init__(self, forms: FormPages, sessions: BrowserSessions, joining: SubscribeRoutes) -> None:
        self._forms = forms
        self._sessions = sessions
        self._joining = joining

    async def export(self, request: web.Request, reader: Subscriber, now: datetime) -> web.StreamResponse:
        """All that is stored about the reader, as a file."""
        await self._forms.read(request)
        answered = await self._forms.commands.ask(Requester(reader.address), CommandName.EXPORT, now)
        file = answered.file
        if file is None:
            return self._forms.say(answered.language, *answered.says[:1])
        headers = {
            "Content-Type": file.media_type,
            "Content-Disposition": f'attachment; filename="{file.name}"',
            "Cache-Control": "no-store",
        }
        return web.Response(body=file.content, headers=headers)

    async def ask_before_erasing(self, request: web.Request, reader: Subscriber, now: datetime) -> web.StreamResponse:
        """Ask back, with a ticket that erases once."""
        forms, language = self._forms, reader.preferences.language
        await forms.read(request)
        answered = await forms.commands.ask(Requester(reader.address), CommandName.FORGET, now)
        async with forms.store.write() as connection:
            key = await one_time_tokens.make(
                connection, Purpose.ERASE, reader.address, now=now, subscriber_id=reader.id
            )
        w = words(language)
        there = forms.urls.page(language, "settings/erased")
        hidden = {"ticket": forms.links.sign(Purpose.ERASE.value, key)}
        return forms.say(
            language,
            w.gettext("Erase everything"),
            *answered.says,
            form=Form(there, w.gettext("Erase everything"), hidden),
            links=[Link(w.gettext("Keep everything"), forms.settings_link(w).url)],
        )

    async def erase(self, request: web.Request, reader: Subscriber, now: datetime) -> web.StreamResponse:
        """Erase everything, and know this browser no more."""
        forms, language = self._forms, reader.preferences.language
        given = await forms.read(request)
        key = forms.links.read(Purpose.ERASE.value, given.get("ticket"))
        ticket = await forms.use_key(key, Purpose.ERASE, now)
        if ticket is None or ticket.subscriber_id != reader.id:
            return forms.too_old(language)
        answered = await forms.commands.ask(Requester(reader.address), command_line(CommandName.FORGET, CONFIRMED), now)
        async with forms.store.write() as connection:
            await one_time_tokens.end_all(connection, reader.address, reader.id)
        links = [forms.front_link(words(language))]
        shown = forms.say(language, answered.says[0], *answered.says[1:], links=links)
        return await self._sessions.end(request, shown)

    async def move(self, request: web.Request, reader: Subscriber, now: datetime) -> web.StreamResponse:
        """Another address is wanted: a letter to the old one first, so that an open browser alone moves nobody."""
        forms, language = self._forms, reader.preferences.language
        w = words(language)
        wanted = forms.recipient((await forms.read(request)).get("address"))
        if wanted is None:
            return forms.no_address(language, forms.settings_link(w))
        # A code let the reader in, not the address; a list is of addresses.
        if not (forms.commands.by_invitation or forms.commands.admits(wanted, "")):
            return self._joining.sent(language)
        async with forms.store.write() as connection:
            key = await one_time_tokens.make_once_an_hour(
                connection,
                Purpose.MOVE,
                reader.address,
                among=[Purpose.MOVE],
                now=now,
                subscriber_id=reader.id,
                payload={"recipient": wanted.recipient},
            )
        if key is not None:
            self._write(
                reader.address,
                language,
                w.pgettext("a letter", "Another address for your papers"),
                w.pgettext(
                    "a letter",
                    "Somebody, we hope it was you, wants editions to go to another address. "
                    "If it was not you, do nothing.",
                ),
                Link(w.pgettext("a letter", "Yes, change the address"), forms.link(Purpose.MOVE, key, language)),
            )
        return self._joining.sent(language)

    async def offer(self, request: web.Request, language: str, purpose: Purpose) -> web.StreamResponse:
        """The link of either letter: a page with one button, which changes nothing."""
        forms, w = self._forms, words(language)
        ticket = await forms.look(request, purpose, forms.clock())
        if ticket is None:
            return forms.too_old(language)
        where = ticket.payload["recipient"]
        return forms.say(
            language,
            w.pgettext("a letter", "Another address for your papers"),
            w.pgettext("a web page", "Press the button, and editions go to {address} from then on.", address=where),
            form=Form(request.path, w.pgettext("a letter", "Yes, change the address")),
        )

    async def agree(self, request: web.Request, language: str) -> web.StreamResponse:
        """The old address agrees: now a letter to the new one."""
        forms, now = self._forms, self._forms.clock()
        await forms.read(request)
        ticket, reader = await forms.redeem(request, Purpose.MOVE, now)
        if ticket is None or reader is None:
            return forms.too_old(language)
        there = Address(reader.address.channel, ticket.payload["recipient"])
        async with forms.store.write() as connection:
            key = None
            if not await subscriber_queries.is_suppressed(connection, there):
                key = await one_time_tokens.make_once_an_hour(
                    connection,
                    Purpose.ARRIVE,
                    there,
                    among=[Purpose.ARRIVE, *TYPED],
                    now=now,
                    subscriber_id=reader.id,
                    payload=ticket.payload,
                )
        w = words(language)
        if key is not None:
            self._write(
                there,
                language,
                w.pgettext("a letter", "Another address for your papers"),
                w.pgettext("a letter", "Morning Papers is to come to this address from now on."),
                Link(w.pgettext("a letter", "Yes, change the address"), forms.link(Purpose.ARRIVE, key, language)),
            )
        return self._joining.sent(language)

    async def arrive(self, request: web.Request, language: str) -> web.StreamResponse:
        """The new address agrees too: editions go there."""
        forms, now = self._forms, self._forms.clock()
        await forms.read(request)
        ticket, before = await forms.redeem(request, Purpose.ARRIVE, now)
        if ticket is None or before is None:
            return forms.too_old(language)
        there = Address(before.address.channel, ticket.payload["recipient"])
        async with forms.store.write() as connection:
            other = await subscriber_queries.get(connection, there, lock=True)
            moved = other is None or other.id == before.id or other.status not in {Status.ACTIVE, Status.PAUSED}
            if moved:
                if other is not None and other.id != before.id:
                    # Both addresses have agreed: what an old subscription left behind is in nobody's way.
                    await subscriber_queries.forget(connection, other.id, now=now)
                await subscriber_queries.move(connection, before.id, there.recipient)
        w = words(language)
        heading = (
            w.pgettext("a web page", "Editions come here from now on")
            if moved
            else w.pgettext("a web page", "This address is subscribed already")
        )
        return forms.say(language, heading, links=[forms.settings_link(w), forms.front_link(w)])

    def _write(self, to: Address, language: str, heading: str, says: str, link: Link) -> None:
        page = replace(plain_page(words(language), heading, f"{says}\n"), actions=(link,))
        self._forms.outgoing_mail.post(to.recipient, page)
