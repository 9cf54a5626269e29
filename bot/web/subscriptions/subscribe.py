"""Subscribing on the web with double opt-in: a form, a mail, a page with one button."""

from __future__ import annotations

from datetime import datetime, timedelta
from http import HTTPStatus

from aiohttp import web

from bot.channel import CommandName, Link, Requester, command_line
from bot.channel.command_lines import ABOUT
from bot.model import Address, Status, Subscriber
from bot.render.words import match, words
from bot.rules.topics import TopicsError, parse
from bot.store import one_time_tokens, subscriber_queries
from bot.store.one_time_tokens import AN_HOUR, Purpose
from bot.web.pages.layout import Form
from bot.web.subscriptions.browser_sessions import BrowserSessions
from bot.web.subscriptions.forms import FormPages, first_accepted

NOBODY = Address("", "")
"""An address that no list admits, to check an invite code alone: who is on the list must not show."""


class SubscribeRoutes:
    """Subscribe pages, and the mail that opens a reader's settings."""

    def __init__(self, forms: FormPages, sessions: BrowserSessions) -> None:
        self._forms = forms
        self._sessions = sessions

    async def ask(self, request: web.Request, language: str) -> web.StreamResponse:
        """The form was sent: answer the same to every address, and mail a confirmation link if that is allowed."""
        forms, w, now = self._forms, words(language), self._forms.clock()
        given = await forms.read(request)
        forms.count(request, now)
        address, invite = forms.recipient(given.get("address")), given.get("invite")
        if address is None:
            return forms.no_address(language, forms.front_link(w))
        if forms.commands.by_invitation and not forms.commands.admits(NOBODY, invite):
            return forms.say(
                language,
                w.gettext("subscribe.not_open"),
                w.gettext("subscribe.enter_code"),
                links=[forms.front_link(w)],
                status=HTTPStatus.FORBIDDEN,
            )
        if forms.commands.admits(address, invite):
            wanted = {"style": given.get("style"), "topics": topics_in(given.get("topics"))}
            await self._write(address, language, wanted, invite, now)
        return self.sent(language)  # the same answer, or anybody could find out who is on the list

    async def offer(self, request: web.Request, language: str) -> web.StreamResponse:
        """The page that the mail links to. It only has a button, since spam scanners follow every link."""
        forms, w = self._forms, words(language)
        if await forms.look(request, Purpose.JOIN, forms.clock()) is None:
            return forms.too_old(language)
        button = w.gettext("consent.confirm_button")
        return forms.say(
            language,
            w.gettext("consent.last_step"),
            w.gettext("consent.last_step_hint"),
            form=Form(request.path, button),
        )

    async def confirm(self, request: web.Request, language: str) -> web.StreamResponse:
        """The button was pressed: subscribe, and begin a browser session."""
        forms, now = self._forms, self._forms.clock()
        await forms.read(request)
        token = await forms.use(request, Purpose.JOIN, now)
        if token is None:
            return await self._pressed_again(request, language)
        address = Address(forms.channel.name, token.payload["recipient"])
        language = match(token.payload["language"])
        wanted = "-".join(filter(None, (language, token.payload.get("style"), token.payload.get("invite"))))
        topics = token.payload.get("topics")
        line = command_line(CommandName.SUBSCRIBE, wanted, *((ABOUT, topics) if topics else ()))
        # A browser that is set to the chosen language may name a country as well, which hints at the time zone.
        accepted = first_accepted(request)
        locale = accepted if match(accepted, "") == language else language
        requester = Requester(address, locale=locale, rate_limit_key=f"join {address}")
        answered = await forms.commands.ask(requester, line, now)
        w = words(answered.language)
        links = [forms.settings_link(w), forms.front_link(w)]
        shown = forms.say(answered.language, answered.says[0], *answered.says[1:], links=links)
        async with forms.store.read() as connection:
            reader = await subscriber_queries.get(connection, address)
        if reader is not None:
            await forms.remember_user(request, Purpose.JOIN, reader)
        return shown if reader is None or not answered.ok else await self._sessions.begin(shown, reader, now)

    async def _pressed_again(self, request: web.Request, language: str) -> web.StreamResponse:
        """The answer to a confirmation that is not valid: it may have been pressed twice."""
        forms = self._forms
        key = forms.links.read(Purpose.JOIN.value, request.match_info["token"])
        async with forms.store.read() as connection:
            number = None if key is None else await one_time_tokens.used_by(connection, Purpose.JOIN, key)
        reader = await forms.numbered(number)
        if reader is None or reader.status is not Status.ACTIVE:
            return forms.too_old(language)
        w = words(reader.preferences.language)
        links = [forms.settings_link(w), forms.front_link(w)]
        return forms.say(w.language, w.gettext("subscribe.already"), links=links)

    async def open(self, request: web.Request, language: str) -> web.StreamResponse:
        """Mail a link to the settings to an address that was typed, if it is subscribed; answer the same if not."""
        forms, w, now = self._forms, words(language), self._forms.clock()
        given = await forms.read(request)
        forms.count(request, now)
        address = forms.recipient(given.get("address"))
        if address is None:
            return forms.no_address(language, forms.settings_link(w))
        async with forms.store.read() as connection:
            reader = await subscriber_queries.get(connection, address)
        if reader is not None:
            await self.write_key(reader, now)
        return self.sent(language)

    async def write_key(self, reader: Subscriber, now: datetime, *, within: timedelta = AN_HOUR) -> bool:
        """Mail a reader the link that opens their settings, unless one that is unused was mailed `within` that time.

        Returns whether a mail is on its way.
        """
        async with self._forms.store.write() as connection:
            if await subscriber_queries.is_suppressed(connection, reader.address):
                return False
            key = await one_time_tokens.make_unless_recent(
                connection, Purpose.OPEN, reader.address, now=now, within=within, subscriber_id=reader.id
            )
        if key is None:
            return False
        w = words(reader.preferences.language)
        self._forms.mail_link(
            reader.address,
            w.language,
            w.gettext("account.settings_email_subject"),
            w.gettext("account.settings_email_text"),
            Link(w.gettext("account.settings_email_button"), self._forms.link(Purpose.OPEN, key, w.language)),
        )
        return True

    async def _write(self, address: Address, language: str, wanted: dict[str, str], invite: str, now: datetime) -> None:
        """Mail a confirmation link, or to a subscriber the link to their settings; at most once an hour.

        `wanted` are the style and the topics that were asked for, each of which may be empty.
        """
        forms = self._forms
        async with forms.store.read() as connection:
            reader = await subscriber_queries.get(connection, address)
        if reader is not None and reader.status in {Status.ACTIVE, Status.PAUSED}:
            await self.write_key(reader, now)
            return
        says = {"recipient": address.recipient, "language": language, "invite": invite[:64]}
        style = wanted["style"] if wanted["style"] in forms.pages.styles else ""
        says |= {name: value for name, value in (wanted | {"style": style}).items() if value}
        async with forms.store.write() as connection:
            if not await subscriber_queries.may_be_asked(connection, address):
                return
            key = await one_time_tokens.make_unless_recent(connection, Purpose.JOIN, address, now=now, payload=says)
        if key is None:
            return
        w = words(language)
        forms.mail_link(
            address,
            language,
            w.gettext("consent.email_subject"),
            w.gettext("consent.email_text"),
            Link(w.gettext("consent.email_button"), forms.link(Purpose.JOIN, key, language)),
        )

    def sent(self, language: str, *, surely: bool = False) -> web.Response:
        """The answer whether or not a mail was sent, so that nobody finds out who is subscribed.

        `surely` is for who may know: then the page says that a mail is on its way.
        """
        w = words(language)
        return self._forms.say(
            language,
            w.gettext("web.check_inbox"),
            w.gettext("web.link_on_its_way") if surely else w.gettext("web.check_inbox_hint"),
            links=[self._forms.front_link(w)],
        )


def topics_in(written: str) -> str:
    """The topics that a form asks for, as a command has them; empty for none, and for what cannot be topics."""
    try:
        return ", ".join(parse(written))
    except TopicsError:
        return ""
