"""Subscribing on the web: a form, a letter, a page with one button. Nothing is sent to who did not press it."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from http import HTTPStatus

from aiohttp import web

from bot.channel import Asker, Link, Subscribe
from bot.model import Address, Status, Style, Subscriber
from bot.render.words import match, words
from bot.store import one_time_tokens, subscriber_queries
from bot.store.one_time_tokens import Purpose
from bot.web.pages.layout import Form, plain_page
from bot.web.subscriptions.browser_sessions import Sessions
from bot.web.subscriptions.forms import Desk

NOBODY = Address("", "")
"""By whom a code is looked at alone: whoever is let in without one is not to be found out."""
TYPED = (Purpose.JOIN, Purpose.OPEN)
"""What is mailed to whoever's address somebody typed."""


class Joining:
    """Answers who wants to subscribe."""

    def __init__(self, desk: Desk, sessions: Sessions) -> None:
        self._desk = desk
        self._sessions = sessions

    async def ask(self, request: web.Request, language: str) -> web.StreamResponse:
        """The form was sent: the same words whoever it is about, and a letter where one may be sent."""
        desk, w, now = self._desk, words(language), self._desk.clock()
        given = await desk.read(request)
        desk.count(request, now)
        address, invite = desk.recipient(given.get("address")), given.get("invite")
        if address is None:
            return desk.no_address(language, desk.front_link(w))
        if desk.commands.by_invitation and not desk.commands.admits(NOBODY, invite):
            return desk.say(
                language,
                w.pgettext("a web page", "Subscribing is not open to everybody"),
                w.pgettext("a web page", "This newsletter is by invitation. Enter the code that you were given."),
                links=[desk.front_link(w)],
                status=HTTPStatus.FORBIDDEN,
            )
        if desk.commands.admits(address, invite):
            await self._write(address, language, given.get("style"), invite, now)
        return self.sent(language)  # nor is anybody to find out who is on a list

    async def offer(self, request: web.Request, language: str) -> web.StreamResponse:
        """The link of a letter: a page with one button, which changes nothing (scanners follow every link)."""
        desk, w = self._desk, words(language)
        if await desk.look(request, Purpose.JOIN, desk.clock()) is None:
            return desk.too_old(language)
        button = w.pgettext("a button", "Yes, subscribe me")
        return desk.say(
            language,
            w.pgettext("a web page", "One more tap"),
            w.pgettext("a web page", "Press the button, and the papers come to your mailbox from now on."),
            form=Form(request.path, button),
        )

    async def confirm(self, request: web.Request, language: str) -> web.StreamResponse:
        """The button was pressed: subscribe, and know this browser."""
        desk, now = self._desk, self._desk.clock()
        await desk.read(request)
        ticket = await desk.use(request, Purpose.JOIN, now)
        if ticket is None:
            return desk.too_old(language)
        address = Address(desk.channel.name, ticket.says["recipient"])
        style = ticket.says.get("style")
        wish = Subscribe(match(ticket.says["language"]), Style(style) if style else None, ticket.says.get("invite"))
        # A browser tells of a country as well, where it is set to the language that the reader chose.
        accepted = request.headers.get("Accept-Language", "").partition(",")[0].partition(";")[0]
        locale = accepted if match(accepted, "") == wish.language else wish.language
        answered = await desk.commands.ask(Asker(address, locale=locale, counted_as=f"join {address}"), wish, now)
        w = words(answered.language)
        links = [desk.settings_link(w), desk.front_link(w)]
        shown = desk.say(answered.language, answered.says[0], *answered.says[1:], links=links)
        async with desk.store.read() as connection:
            reader = await subscriber_queries.get(connection, address)
        return shown if reader is None or not answered.ok else await self._sessions.begin(shown, reader, now)

    async def open(self, request: web.Request, language: str) -> web.StreamResponse:
        """A letter with a link to the settings is asked for by typing an address."""
        desk, w, now = self._desk, words(language), self._desk.clock()
        given = await desk.read(request)
        desk.count(request, now)
        address = desk.recipient(given.get("address"))
        if address is None:
            return desk.no_address(language, desk.settings_link(w))
        async with desk.store.read() as connection:
            reader = await subscriber_queries.get(connection, address)
        if reader is not None:
            await self.write_key(reader, now)
        return self.sent(language)

    async def write_key(self, reader: Subscriber, now: datetime) -> None:
        """Mail a reader the link that opens their settings, at most once an hour for whoever types their address."""
        async with self._desk.store.write() as connection:
            if await subscriber_queries.is_suppressed(connection, reader.address):
                return
            key = await one_time_tokens.make_once_an_hour(
                connection, Purpose.OPEN, reader.address, among=TYPED, now=now, subscriber_id=reader.id
            )
        if key is None:
            return
        w = words(reader.preferences.language)
        self._letter(
            reader.address,
            w.language,
            w.pgettext("a letter", "Your settings"),
            w.pgettext("a letter", "This link opens your settings. It works once, within 30 minutes."),
            Link(w.pgettext("a letter", "Open the settings"), self._desk.link(Purpose.OPEN, key, w.language)),
        )

    async def _write(self, address: Address, language: str, style: str, invite: str, now: datetime) -> None:
        """Mail what is to be mailed to an address that somebody typed: at most once an hour, whoever it is."""
        desk = self._desk
        async with desk.store.read() as connection:
            reader = await subscriber_queries.get(connection, address)
        if reader is not None and reader.status in {Status.ACTIVE, Status.PAUSED}:
            await self.write_key(reader, now)
            return
        known = style in desk.pages.styles
        says = {"recipient": address.recipient, "language": language, "invite": invite[:64]}
        async with desk.store.write() as connection:
            if await subscriber_queries.is_suppressed(connection, address):
                return
            wanted = {**says, "style": style} if known else says
            key = await one_time_tokens.make_once_an_hour(
                connection, Purpose.JOIN, address, among=TYPED, now=now, says=wanted
            )
        if key is None:
            return
        w = words(language)
        self._letter(
            address,
            language,
            w.pgettext("a letter", "Please confirm your subscription"),
            w.pgettext("a letter", "Somebody, we hope it was you, wants Morning Papers to come to this address."),
            Link(w.pgettext("a letter", "Subscribe"), desk.link(Purpose.JOIN, key, language)),
        )

    def _letter(self, to: Address, language: str, heading: str, says: str, link: Link) -> None:
        # The second line makes the heading the subject: a short text alone would be its own.
        page = replace(plain_page(words(language), heading, f"{says}\n"), actions=(link,))
        self._desk.letters.post(to.recipient, page)

    def sent(self, language: str) -> web.Response:
        """The same words, whether anything was sent or not: nobody is to find out who is subscribed."""
        w = words(language)
        return self._desk.say(
            language,
            w.pgettext("a web page", "Look into your mailbox"),
            w.pgettext(
                "a web page",
                "A mail with a link is on its way. If none comes within some minutes, look among the spam; "
                "another can be sent in an hour.",
            ),
            links=[self._desk.front_link(w)],
        )
