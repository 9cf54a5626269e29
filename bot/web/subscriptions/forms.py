"""Shared helpers of form pages: parsing, protection from CSRF, one-time tokens, confirmation pages."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from http import HTTPStatus
from urllib.parse import parse_qsl

from aiohttp import web

from bot.channel import Channel, Link
from bot.commands import ReaderCommands
from bot.commands.process_feedback import FeedbackProcessor
from bot.commands.token_buckets import TokenBuckets
from bot.model import Address, Subscriber
from bot.render.labels import plain_page
from bot.render.words import Words, match, words
from bot.signing import SignedLinks, named
from bot.store import Store, one_time_tokens, subscriber_queries
from bot.store.one_time_tokens import OneTimeToken, Purpose
from bot.web.client import is_our_own
from bot.web.pages.contents import Pages
from bot.web.pages.layout import Form
from bot.web.pages.page_cache import PageSource, render
from bot.web.subscriptions.outgoing_mail import OutgoingMail
from bot.web.urls import Urls

MOST_FIELDS = 60
"""Fields that a form may have."""
LONGEST_FIELD = 4_000
"""Characters of a field that are kept."""
FORM = "application/x-www-form-urlencoded"
PRIVATE = {"Cache-Control": "no-store"}
"""Headers of pages about one reader, which no cache may keep."""
FORMS_AT_ONCE = 12
"""Forms that one client may send in a row."""
FORMS_EVERY = timedelta(seconds=20)
"""Time in which a client regains one form of its quota."""


class FormFields:
    """The fields of a form, each with all values that were sent for it."""

    def __init__(self, pairs: Sequence[tuple[str, str]]) -> None:
        self._fields: dict[str, list[str]] = {}
        for name, value in pairs:
            self._fields.setdefault(name, []).append(value[:LONGEST_FIELD])

    def __contains__(self, name: str) -> bool:
        return name in self._fields

    def get(self, name: str) -> str:
        """The field's first value without the spaces around it, "" if there is none."""
        return self._fields.get(name, [""])[0].strip()

    def all(self, name: str) -> Sequence[str]:
        """All values of a field."""
        return self._fields.get(name, [])


@dataclass(frozen=True, slots=True)
class FormPages:
    """The dependencies of form pages. `channel` is the mail channel, `client` gives the key of the rate limit."""

    store: Store
    pages: Pages
    urls: Urls
    links: SignedLinks
    commands: ReaderCommands
    feedback: FeedbackProcessor
    channel: Channel
    outgoing_mail: OutgoingMail
    clock: Callable[[], datetime]
    client: Callable[[web.Request], str]
    _quota: TokenBuckets = field(default_factory=lambda: TokenBuckets(FORMS_AT_ONCE, FORMS_EVERY))

    async def read(self, request: web.Request) -> FormFields:
        """The fields of a form from one of our own pages. Raises web.HTTPException for anything else."""
        self.insist_on_our_own(request)
        return await read_form(request)

    def insist_on_our_own(self, request: web.Request) -> None:
        """Protect against cross-site request forgery. Raises web.HTTPForbidden."""
        if not self.is_our_own(request):
            raise web.HTTPForbidden

    def is_our_own(self, request: web.Request) -> bool:
        """Whether a browser sent this from a page of ours."""
        return is_our_own(request, self.urls.origin)

    def count(self, request: web.Request, now: datetime) -> None:
        """Count a form against its client's quota. Raises web.HTTPTooManyRequests."""
        if self._quota.take(self.client(request), now) is not None:
            raise web.HTTPTooManyRequests

    def show(self, source: PageSource, status: int = HTTPStatus.OK) -> web.Response:
        """A page about one reader, which is not cached."""
        page = render(source)
        headers = {**PRIVATE, "Content-Type": f"{page.media_type}; charset=utf-8"}
        return web.Response(status=status, body=page.body, headers=headers)

    def say(
        self,
        language: str,
        heading: str,
        *says: str,
        form: Form | None = None,
        forms: Sequence[Form] = (),
        links: Sequence[Link] = (),
        status: int = HTTPStatus.OK,
    ) -> web.Response:
        """A page of a few sentences, with one button or, as `forms`, several to choose from."""
        shown = forms if form is None else [form, *forms]
        return self.show(self.pages.notice(language, heading, [each for each in says if each], links, shown), status)

    def link(self, purpose: Purpose, key: str, language: str) -> str:
        """The absolute URL of the page where a one-time token can be used; `key` is the token's key."""
        path = self.urls.page(language, f"{purpose.value}/{self.links.sign(purpose.value, key)}")
        return self.urls.whole(path)

    def mail_link(self, to: Address, language: str, heading: str, text: str, link: Link) -> None:
        """Enqueue a mail with one sentence and one link."""
        # The second line makes the heading the subject: a short text alone would be its own.
        page = replace(plain_page(words(language), heading, f"{text}\n"), actions=(link,))
        self.outgoing_mail.post(to.recipient, page)

    async def look(self, request: web.Request, purpose: Purpose, now: datetime) -> OneTimeToken | None:
        """The one-time token in a path, without using it up; None if it is not valid."""
        key = self.links.read(purpose.value, request.match_info["token"])
        if key is None:
            return None
        async with self.store.read() as connection:
            return await one_time_tokens.look(connection, purpose, key, now)

    async def use(self, request: web.Request, purpose: Purpose, now: datetime) -> OneTimeToken | None:
        """Use up the one-time token in a path; None if it is not valid."""
        return await self.use_key(self.links.read(purpose.value, request.match_info["token"]), purpose, now)

    async def use_key(self, key: str | None, purpose: Purpose, now: datetime) -> OneTimeToken | None:
        """Use up the one-time token with this key; None if it is not valid."""
        if key is None:
            return None
        async with self.store.write() as connection:
            return await one_time_tokens.use(connection, purpose, key, now)

    async def remember_user(self, request: web.Request, purpose: Purpose, reader: Subscriber) -> None:
        """Note who used the one-time token in a path, so that using it again can be answered well."""
        key = self.links.read(purpose.value, request.match_info["token"])
        if key is not None:
            async with self.store.write() as connection:
                await one_time_tokens.remember_user(connection, purpose, key, reader.id)

    async def redeem(
        self, request: web.Request, purpose: Purpose, now: datetime
    ) -> tuple[OneTimeToken, Subscriber] | tuple[None, None]:
        """Use up the one-time token in a path. Returns it and its reader, or (None, None) if either is missing."""
        token = await self.use(request, purpose, now)
        reader = None if token is None else await self.numbered(token.subscriber_id)
        return (None, None) if token is None or reader is None else (token, reader)

    async def numbered(self, subscriber_id: int | None) -> Subscriber | None:
        """The subscriber with this id."""
        if subscriber_id is None:
            return None
        async with self.store.read() as connection:
            return await subscriber_queries.numbered(connection, subscriber_id)

    async def reader_of_link(self, request: web.Request, purpose: str) -> tuple[Subscriber | None, str]:
        """The reader that the signed token in a path names, and the language to answer in.

        A token names a reader by id and second of subscribing, since ids may be used again. Raises web.HTTPNotFound for
        a token that we did not sign for this purpose.
        """
        value = self.links.read(purpose, request.match_info["token"])
        if value is None:
            raise web.HTTPNotFound
        name = named(value)
        reader = await self.numbered(None if name is None else name[0])
        if name and reader and reader.created_at and int(reader.created_at.timestamp()) == name[1]:
            return reader, reader.preferences.language
        return None, match(first_accepted(request))

    def too_old(self, language: str) -> web.Response:
        """The answer to a link that was used already or has expired."""
        w = words(language)
        return self.say(
            language,
            w.gettext("errors.link_expired"),
            w.gettext("errors.link_expired_hint"),
            links=[self.settings_link(w), self.front_link(w)],
            status=HTTPStatus.GONE,
        )

    def no_address(self, language: str, back: Link) -> web.Response:
        """The answer to an invalid mail address; `back` leads to the form."""
        w = words(language)
        return self.say(
            language,
            w.gettext("errors.invalid_email"),
            w.gettext("errors.invalid_email_hint"),
            links=[back],
            status=HTTPStatus.UNPROCESSABLE_ENTITY,
        )

    def settings_link(self, w: Words) -> Link:
        """A link to the settings."""
        return Link(w.gettext("settings.title"), self.urls.page(w.language, "settings"))

    def front_link(self, w: Words) -> Link:
        """A link to the front page."""
        return Link(w.gettext("web.front_link"), self.urls.front(w.language))

    def recipient(self, written: str) -> Address | None:
        """The address that a visitor typed, None if it is not valid."""
        try:
            return Address(self.channel.name, self.channel.recipient(written))
        except ValueError:
            return None


def first_accepted(request: web.Request) -> str:
    """The first language in a request's Accept-Language, "" if there is none."""
    return request.headers.get("Accept-Language", "").partition(",")[0].partition(";")[0]


async def read_form(request: web.Request) -> FormFields:
    """The fields of a form from anywhere. Raises web.HTTPException if it is no form, too large, or too long."""
    if request.content_type != FORM:
        raise web.HTTPUnsupportedMediaType
    try:
        body = await request.read()
        return FormFields(
            parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True, max_num_fields=MOST_FIELDS)
        )
    except (ValueError, asyncio.IncompleteReadError):
        raise web.HTTPBadRequest from None
