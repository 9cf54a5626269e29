"""What the pages share that change something: reading a form, knowing a browser, answering with one button."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from http import HTTPStatus
from urllib.parse import parse_qsl

from aiohttp import web

from bot.channel import Channel, Link
from bot.commands import ReaderCommands
from bot.commands.process_feedback import FeedbackProcessor
from bot.commands.token_buckets import TokenBuckets
from bot.model import Address, Subscriber
from bot.render.words import Words, words
from bot.signing import SignedLinks
from bot.store import Store, one_time_tokens, subscriber_queries
from bot.store.one_time_tokens import OneTimeToken, Purpose
from bot.web.pages.contents import Pages
from bot.web.pages.layout import Form
from bot.web.pages.page_cache import PageSource, render
from bot.web.subscriptions.outgoing_mail import OutgoingMail
from bot.web.urls import Urls

MOST_FIELDS = 60
LONGEST_FIELD = 4_000
FORM = "application/x-www-form-urlencoded"
OWN = {"Cache-Control": "no-store"}
"""Pages of one reader are kept by nobody."""
FORMS_AT_ONCE = 12
FORMS_EVERY = timedelta(seconds=20)


class FormFields:
    """The fields of a form, each as often as it was sent."""

    def __init__(self, pairs: Sequence[tuple[str, str]]) -> None:
        self._fields: dict[str, list[str]] = {}
        for name, value in pairs:
            self._fields.setdefault(name, []).append(value[:LONGEST_FIELD])

    def __contains__(self, name: str) -> bool:
        return name in self._fields

    def get(self, name: str) -> str:
        """The field's first value without the spaces around it, "" where there is none."""
        return self._fields.get(name, [""])[0].strip()

    def all(self, name: str) -> Sequence[str]:
        """All values of a field."""
        return self._fields.get(name, [])


def _forms() -> TokenBuckets:
    return TokenBuckets(FORMS_AT_ONCE, FORMS_EVERY)


@dataclass(frozen=True, slots=True)
class FormPages:
    """The pages' way to what is stored and to readers. `channel` is the one that sends letters."""

    store: Store
    pages: Pages
    urls: Urls
    links: SignedLinks
    commands: ReaderCommands
    returns: FeedbackProcessor
    channel: Channel
    outgoing_mail: OutgoingMail
    clock: Callable[[], datetime]
    client: Callable[[web.Request], str]
    _forms: TokenBuckets = field(default_factory=_forms)

    async def read(self, request: web.Request) -> FormFields:
        """The fields of a form that one of our own pages sent; a refusal for everything else."""
        self.insist_on_our_own(request)
        return await read_form(request)

    def insist_on_our_own(self, request: web.Request) -> None:
        """Refuse what another site's page had a browser send.

        Every browser says with a form where it comes from (Fetch, section 3.2 "Origin"); whatever says nothing is none.
        """
        if not self.is_our_own(request):
            raise web.HTTPForbidden

    def is_our_own(self, request: web.Request) -> bool:
        """Whether a browser sent this from a page of ours."""
        site = request.headers.get("Sec-Fetch-Site", "same-origin")
        return request.headers.get("Origin", "").lower() == self.urls.origin and site == "same-origin"

    def count(self, request: web.Request, now: datetime) -> None:
        """Take one form from what a visitor may send."""
        if self._forms.take(self.client(request), now) is not None:
            raise web.HTTPTooManyRequests

    def show(self, sheet: PageSource, status: int = HTTPStatus.OK) -> web.Response:
        """A page of one reader's, made for this moment alone."""
        page = render(sheet)
        headers = {**OWN, "Content-Type": f"{page.media_type}; charset=utf-8"}
        return web.Response(status=status, body=page.body, headers=headers)

    def say(
        self,
        language: str,
        heading: str,
        *says: str,
        form: Form | None = None,
        links: Sequence[Link] = (),
        status: int = HTTPStatus.OK,
    ) -> web.Response:
        """A page of a few sentences, with one button at most."""
        return self.show(self.pages.notice(language, heading, [each for each in says if each], links, form), status)

    def link(self, purpose: Purpose, key: str, language: str) -> str:
        """The whole address of the page where a ticket can be used."""
        path = self.urls.page(language, f"{purpose.value}/{self.links.sign(purpose.value, key)}")
        return self.urls.whole(path)

    async def look(self, request: web.Request, purpose: Purpose, now: datetime) -> OneTimeToken | None:
        """The ticket in a path, not used up by this."""
        key = self.links.read(purpose.value, request.match_info["token"])
        if key is None:
            return None
        async with self.store.read() as connection:
            return await one_time_tokens.look(connection, purpose, key, now)

    async def use(self, request: web.Request, purpose: Purpose, now: datetime) -> OneTimeToken | None:
        """The ticket in a path, used up."""
        return await self.use_key(self.links.read(purpose.value, request.match_info["token"]), purpose, now)

    async def use_key(self, key: str | None, purpose: Purpose, now: datetime) -> OneTimeToken | None:
        """The ticket with a key, used up."""
        if key is None:
            return None
        async with self.store.write() as connection:
            return await one_time_tokens.use(connection, purpose, key, now)

    async def redeem(
        self, request: web.Request, purpose: Purpose, now: datetime
    ) -> tuple[OneTimeToken, Subscriber] | tuple[None, None]:
        """The ticket in a path, used up, and the reader whom it is for; neither where one of them is not there."""
        ticket = await self.use(request, purpose, now)
        reader = None if ticket is None else await self.numbered(ticket.subscriber_id)
        return (None, None) if ticket is None or reader is None else (ticket, reader)

    async def numbered(self, subscriber_id: int | None) -> Subscriber | None:
        """The subscriber with this number."""
        if subscriber_id is None:
            return None
        async with self.store.read() as connection:
            return await subscriber_queries.numbered(connection, subscriber_id)

    async def named(self, name: tuple[int, int] | None) -> Subscriber | None:
        """The subscriber whom a token names: by number and, since numbers may be given again, by when they came."""
        reader = await self.numbered(None if name is None else name[0])
        if name is None or reader is None or reader.created_at is None:
            return None
        return reader if int(reader.created_at.timestamp()) == name[1] else None

    def too_old(self, language: str) -> web.Response:
        """The answer to a link that is good for nothing (any more)."""
        w = words(language)
        return self.say(
            language,
            w.pgettext("a web page", "This link is not good any more"),
            w.pgettext("a web page", "It was used already, or it is too old. You can ask for a new one."),
            links=[self.settings_link(w), self.front_link(w)],
            status=HTTPStatus.GONE,
        )

    def no_address(self, language: str, back: Link) -> web.Response:
        """The answer to something typed that is no address; `back` leads to where it can be typed again."""
        w = words(language)
        return self.say(
            language,
            w.pgettext("a web page", "That is no e-mail address"),
            w.pgettext("a web page", "Please look at it again: it needs a name, an @, and a domain."),
            links=[back],
            status=HTTPStatus.UNPROCESSABLE_ENTITY,
        )

    def settings_link(self, w: Words) -> Link:
        """The way to the settings."""
        return Link(w.gettext("Settings"), self.urls.page(w.language, "settings"))

    def front_link(self, w: Words) -> Link:
        """The way to the first page."""
        return Link(w.pgettext("a web page", "Today"), self.urls.front(w.language))

    def recipient(self, written: str) -> Address | None:
        """The address that somebody typed, None where it is none."""
        try:
            return Address(self.channel.name, self.channel.recipient(written))
        except ValueError:
            return None


async def read_form(request: web.Request) -> FormFields:
    """The fields of a form, whoever sent it. Refuses what is no form, too large, or has too many fields."""
    if request.content_type != FORM:
        raise web.HTTPUnsupportedMediaType
    try:
        body = await request.read()
        return FormFields(
            parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True, max_num_fields=MOST_FIELDS)
        )
    except (ValueError, asyncio.IncompleteReadError):
        raise web.HTTPBadRequest from None
