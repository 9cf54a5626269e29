"""Account pages: data export, change of address, erasure."""

from __future__ import annotations

from datetime import datetime

from aiohttp import web

from bot.channel import CommandName, Link, Requester, command_line
from bot.channel.command_lines import CONFIRMED
from bot.model import Address, Status, Subscriber
from bot.render.words import words
from bot.store import one_time_tokens, subscriber_queries
from bot.store.one_time_tokens import Purpose
from bot.web.pages.layout import Form
from bot.web.subscriptions.browser_sessions import BrowserSessions
from bot.web.subscriptions.forms import FormPages
from bot.web.subscriptions.subscribe import SubscribeRoutes


class AccountRoutes:
    """Account pages of readers with a browser session, and the two confirmation links of a change of address."""

    def __init__(self, forms: FormPages, sessions: BrowserSessions, subscribe: SubscribeRoutes) -> None:
        self._forms = forms
        self._sessions = sessions
        self._subscribe = subscribe

    async def export(self, request: web.Request, reader: Subscriber, now: datetime) -> web.StreamResponse:
        """Everything stored about the reader, as a download."""
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
        """Ask for confirmation, with a one-time token in the form."""
        forms, language = self._forms, reader.preferences.language
        await forms.read(request)
        answered = await forms.commands.ask(Requester(reader.address), CommandName.FORGET, now)
        async with forms.store.write() as connection:
            key = await one_time_tokens.make(
                connection, Purpose.ERASE, reader.address, now=now, subscriber_id=reader.id
            )
        w = words(language)
        there = forms.urls.page(language, "settings/erased")
        hidden = {"token": forms.links.sign(Purpose.ERASE.value, key)}
        return forms.say(
            language,
            w.gettext("privacy.erase_button"),
            *answered.says,
            form=Form(there, w.gettext("privacy.erase_button"), hidden),
            links=[Link(w.gettext("privacy.keep_button"), forms.settings_link(w).url)],
        )

    async def erase(self, request: web.Request, reader: Subscriber, now: datetime) -> web.StreamResponse:
        """Erase everything, and end the session."""
        forms, language = self._forms, reader.preferences.language
        given = await forms.read(request)
        key = forms.links.read(Purpose.ERASE.value, given.get("token"))
        token = await forms.use_key(key, Purpose.ERASE, now)
        if token is None or token.subscriber_id != reader.id:
            return forms.too_old(language)
        answered = await forms.commands.ask(Requester(reader.address), command_line(CommandName.FORGET, CONFIRMED), now)
        async with forms.store.write() as connection:
            await one_time_tokens.end_all(connection, reader.address, reader.id)
        links = [forms.front_link(words(language))]
        shown = forms.say(language, answered.says[0], *answered.says[1:], links=links)
        return await self._sessions.end(request, shown)

    async def move(self, request: web.Request, reader: Subscriber, now: datetime) -> web.StreamResponse:
        """Begin a change of address with a mail to the old one: a browser left open must not be enough for it."""
        forms, language = self._forms, reader.preferences.language
        w = words(language)
        wanted = forms.recipient((await forms.read(request)).get("address"))
        if wanted is None:
            return forms.no_address(language, forms.settings_link(w))
        # With invite codes the reader was let in, whatever the address; with a list the new address has to be on it.
        if not (forms.commands.by_invitation or forms.commands.admits(wanted, "")):
            return self._subscribe.sent(language)
        async with forms.store.write() as connection:
            key = await one_time_tokens.make_unless_recent(
                connection,
                Purpose.MOVE,
                reader.address,
                now=now,
                subscriber_id=reader.id,
                payload={"recipient": wanted.recipient},
            )
        if key is not None:
            forms.mail_link(
                reader.address,
                language,
                w.gettext("account.move_email_subject"),
                w.gettext("account.move_email_old_text", address=wanted.recipient),
                Link(w.gettext("account.move_email_button"), forms.link(Purpose.MOVE, key, language)),
            )
        return self._subscribe.sent(language)

    async def offer(self, request: web.Request, language: str, purpose: Purpose) -> web.StreamResponse:
        """The page that either mail links to: one button, and nothing changes before it is pressed."""
        forms, w = self._forms, words(language)
        token = await forms.look(request, purpose, forms.clock())
        if token is None:
            return forms.too_old(language)
        where = token.payload["recipient"]
        return forms.say(
            language,
            w.gettext("account.move_email_subject"),
            w.gettext("account.move_confirm", address=where),
            form=Form(request.path, w.gettext("account.move_email_button")),
        )

    async def agree(self, request: web.Request, language: str) -> web.StreamResponse:
        """The old address has confirmed: send a mail to the new one."""
        forms, now = self._forms, self._forms.clock()
        await forms.read(request)
        token, reader = await forms.redeem(request, Purpose.MOVE, now)
        if token is None or reader is None:
            return forms.too_old(language)
        there = Address(reader.address.channel, token.payload["recipient"])
        async with forms.store.write() as connection:
            key = None
            if await subscriber_queries.may_be_asked(connection, there):
                key = await one_time_tokens.make_unless_recent(
                    connection, Purpose.ARRIVE, there, now=now, subscriber_id=reader.id, payload=token.payload
                )
        w = words(language)
        if key is not None:
            forms.mail_link(
                there,
                language,
                w.gettext("account.move_email_subject"),
                w.gettext("account.move_email_new_text"),
                Link(w.gettext("account.move_email_button"), forms.link(Purpose.ARRIVE, key, language)),
            )
        return self._subscribe.sent(language)

    async def arrive(self, request: web.Request, language: str) -> web.StreamResponse:
        """The new address has confirmed too: editions go there from now on."""
        forms, now = self._forms, self._forms.clock()
        await forms.read(request)
        token, before = await forms.redeem(request, Purpose.ARRIVE, now)
        if token is None or before is None:
            return forms.too_old(language)
        there = Address(before.address.channel, token.payload["recipient"])
        async with forms.store.write() as connection:
            other = await subscriber_queries.get(connection, there, lock=True)
            moved = other is None or other.id == before.id or other.status not in {Status.ACTIVE, Status.PAUSED}
            if moved:
                if other is not None and other.id != before.id:
                    # Both addresses have confirmed, so an old subscription there may be replaced.
                    await subscriber_queries.forget(connection, other.id, now=now)
                await subscriber_queries.move(connection, before.id, there.recipient)
        w = words(language)
        heading = w.gettext("account.moved") if moved else w.gettext("account.address_taken")
        return forms.say(language, heading, links=[forms.settings_link(w), forms.front_link(w)])
