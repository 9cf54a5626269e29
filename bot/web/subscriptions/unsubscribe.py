"""Unsubscribing: by a mail program's own button (RFC 8058), or by a page with one button; and coming back."""

from __future__ import annotations

from http import HTTPStatus

from aiohttp import web

from bot.channel import LEAVE, CommandName, Feedback, Requester
from bot.model import Reason, Status, Subscriber
from bot.render.words import match, words
from bot.signing import named
from bot.store import one_time_tokens, subscriber_queries
from bot.store.one_time_tokens import Purpose
from bot.web.pages.layout import Form
from bot.web.subscriptions.forms import FormPages, read_form

ONE_CLICK = ("List-Unsubscribe", "One-Click")
"""What a mail program posts (RFC 8058 section 3.1)."""
HERE = "here"
"""The field by which our own page's button is known."""


class UnsubscribeRoutes:
    """Answers who wants to leave. A token in a path unsubscribes for ever, and shows nothing."""

    def __init__(self, forms: FormPages) -> None:
        self._forms = forms

    async def offer(self, request: web.Request) -> web.StreamResponse:
        """The link: a page with one button, which changes nothing."""
        reader, language = await self._reader(request)
        w = words(language)
        if reader is None or reader.status is Status.UNSUBSCRIBED:
            return self._forms.say(
                language,
                w.gettext("You are not subscribed, so nothing is sent."),
                links=[self._forms.front_link(w)],
            )
        return self._forms.say(
            language,
            w.pgettext("a web page", "Unsubscribe?"),
            w.pgettext("a web page", "One tap, and no more mails come."),
            form=Form(request.path, w.gettext("Unsubscribe"), {HERE: "1"}),
            links=[self._forms.settings_link(w)],
        )

    async def leave(self, request: web.Request) -> web.StreamResponse:
        """Unsubscribe: without cookies, without asking back, again and again with the same answer."""
        forms, now = self._forms, self._forms.clock()
        reader, language = await self._reader(request)
        here = await self._is_from_here(request)
        # Not counted like other forms: a token of ours has to come with it, and leaving takes one tap, wherever from.
        left = await forms.returns.process(Feedback.LEAVING, LEAVE, request.match_info["token"], "on the web", now)
        if not here:
            return web.Response(text="You are unsubscribed.\n", headers={"Cache-Control": "no-store"})
        w, form = words(language), None
        # The link may have been forwarded: whoever finds the reader gone already is offered nothing in their name.
        if left and reader is not None:
            async with forms.store.write() as connection:
                key = await one_time_tokens.make(
                    connection, Purpose.RETURN, reader.address, now=now, subscriber_id=reader.id
                )
            form = Form(forms.link(Purpose.RETURN, key, language), w.gettext("Subscribe again"))
        return forms.say(
            language,
            w.gettext("You are unsubscribed, and nothing is sent any more."),
            "" if form is None else w.pgettext("a web page", "Was it a mistake? Your settings are kept."),
            form=form,
            links=[forms.front_link(w)],
        )

    async def come_back(self, request: web.Request, language: str) -> web.StreamResponse:
        """Subscribe again, on the page that said goodbye; not whoever has complained since."""
        forms, now = self._forms, self._forms.clock()
        await forms.read(request)
        _, reader = await forms.redeem(request, Purpose.RETURN, now)
        if reader is None or await self._is_let_alone(reader):
            return forms.too_old(language)
        requester = Requester(reader.address, rate_limit_key=f"return {reader.id}")
        answered = await forms.commands.ask(requester, CommandName.SUBSCRIBE, now)
        w = words(answered.language)
        links = [forms.settings_link(w), forms.front_link(w)]
        return forms.say(answered.language, answered.says[0], *answered.says[1:2], links=links)

    async def _reader(self, request: web.Request) -> tuple[Subscriber | None, str]:
        """Whom the token names, and the language to answer in; nowhere for what is no token of ours."""
        value = self._forms.links.read(LEAVE, request.match_info["token"])
        if value is None:
            raise web.HTTPNotFound
        reader = await self._forms.named(named(value))
        asked = request.headers.get("Accept-Language", "").partition(",")[0].partition(";")[0]
        return reader, match(asked) if reader is None else reader.preferences.language

    async def _is_let_alone(self, reader: Subscriber) -> bool:
        """Whether a reader is to be written to only if they ask for it by themselves."""
        async with self._forms.store.read() as connection:
            return reader.reason_code == Reason.COMPLAINED or await subscriber_queries.is_suppressed(
                connection, reader.address
            )

    async def _is_from_here(self, request: web.Request) -> bool:
        """Whether our own page's button was pressed. Whatever else is posted is a mail program's wish, and obeyed."""
        try:
            given = await read_form(request)
        except web.HTTPException as refused:
            if refused.status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
                raise
            return False
        return given.get(HERE) == "1" and ONE_CLICK[0] not in given and self._forms.is_our_own(request)
