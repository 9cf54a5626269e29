"""Unsubscribe with one click from a mail program (RFC 8058) or a page with one button, and subscribe again."""

from __future__ import annotations

from http import HTTPStatus

from aiohttp import web

from bot.channel import LEAVE, CommandName, Feedback, Requester
from bot.model import Reason, Status, Subscriber
from bot.render.words import words
from bot.store import one_time_tokens, subscriber_queries
from bot.store.one_time_tokens import Purpose
from bot.web.pages.layout import Form
from bot.web.subscriptions.forms import FormPages, read_form

ONE_CLICK = ("List-Unsubscribe", "One-Click")
"""The field and value that a mail program posts (RFC 8058 section 3.1)."""
OWN_BUTTON = "here"
"""The field that tells our own page's button from a mail program."""


class UnsubscribeRoutes:
    """Unsubscribe pages. The unsubscribe token in their path never expires, and shows nothing about the reader."""

    def __init__(self, forms: FormPages) -> None:
        self._forms = forms

    async def offer(self, request: web.Request) -> web.StreamResponse:
        """The page that the link opens: one button, and nothing changes before it is pressed."""
        reader, language = await self._forms.reader_of_link(request, LEAVE)
        w = words(language)
        if reader is None or reader.status is Status.UNSUBSCRIBED:
            return self._forms.say(language, w.gettext("unsubscribe.was_not"), links=[self._forms.front_link(w)])
        return self._forms.say(
            language,
            w.gettext("unsubscribe.question"),
            w.gettext("unsubscribe.question_hint"),
            form=Form(request.path, w.gettext("unsubscribe.button"), {OWN_BUTTON: "1"}),
            links=[self._forms.settings_link(w)],
        )

    async def leave(self, request: web.Request) -> web.StreamResponse:
        """Unsubscribe, without cookies or confirmation. Idempotent: every time the same answer."""
        forms, now = self._forms, self._forms.clock()
        reader, language = await self._forms.reader_of_link(request, LEAVE)
        own_button = await self._is_own_button(request)
        # Not counted against a quota: it needs a signed token, and must always work with one click.
        left = await forms.feedback.process(Feedback.UNSUBSCRIBE, LEAVE, request.match_info["token"], "on the web", now)
        w, form = words(language), None
        if not own_button:
            return web.Response(text=f"{w.gettext('unsubscribe.done')}\n", headers={"Cache-Control": "no-store"})
        # The link may have been forwarded: only the request that unsubscribed the reader is offered a way back.
        if left and reader is not None:
            async with forms.store.write() as connection:
                key = await one_time_tokens.make(
                    connection, Purpose.RETURN, reader.address, now=now, subscriber_id=reader.id
                )
            form = Form(forms.link(Purpose.RETURN, key, language), w.gettext("unsubscribe.undo_button"))
        return forms.say(
            language,
            w.gettext("unsubscribe.done"),
            "" if form is None else w.gettext("unsubscribe.mistake_hint"),
            form=form,
            links=[forms.front_link(w)],
        )

    async def come_back(self, request: web.Request, language: str) -> web.StreamResponse:
        """Subscribe again with the button of that answer, unless the reader has complained since."""
        forms, now = self._forms, self._forms.clock()
        await forms.read(request)
        _, reader = await forms.redeem(request, Purpose.RETURN, now)
        if reader is None or await self._must_not_be_asked(reader):
            return forms.too_old(language)
        requester = Requester(reader.address, rate_limit_key=f"return {reader.id}")
        answered = await forms.commands.ask(requester, CommandName.SUBSCRIBE, now)
        w = words(answered.language)
        links = [forms.settings_link(w), forms.front_link(w)]
        return forms.say(answered.language, answered.says[0], *answered.says[1:2], links=links)

    async def _must_not_be_asked(self, reader: Subscriber) -> bool:
        """Whether a reader complained or is suppressed, so that only they themselves may subscribe again."""
        async with self._forms.store.read() as connection:
            return reader.reason_code == Reason.COMPLAINED or await subscriber_queries.is_suppressed(
                connection, reader.address
            )

    async def _is_own_button(self, request: web.Request) -> bool:
        """Whether our own page's button was pressed; any other post is taken for a mail program's one-click request."""
        try:
            given = await read_form(request)
        except web.HTTPException as error:
            if error.status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
                raise
            return False
        return given.get(OWN_BUTTON) == "1" and ONE_CLICK[0] not in given and self._forms.is_our_own(request)
