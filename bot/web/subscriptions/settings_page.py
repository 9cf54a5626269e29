"""A reader's settings on the web: opened by a link that was mailed, then by the browser that opened them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import TypeVar

from aiohttp import web

from bot.channel import Change, Command, Pause, Request, Requester, Resume, Subscribe, Unsubscribe
from bot.commands.descriptions import cadences, count, name, rhythm_in_words, styles
from bot.commands.menus import COUNTS
from bot.model import MOST_VOTES, Cadence, Preferences, Status, Style, Subscriber
from bot.render import typed_values, zones
from bot.render.words import Words, languages, match, own_name, words
from bot.rules.topics import TopicsError, parse
from bot.signing import PURPOSES, SETTINGS, named
from bot.store.one_time_tokens import Purpose
from bot.web.pages.layout import Form, Option
from bot.web.subscriptions.browser_sessions import BrowserSessions
from bot.web.subscriptions.forms import FormFields, FormPages
from bot.web.subscriptions.subscribe import SubscribeRoutes

PAUSES = (7, 14, 30)
"""Days."""

T = TypeVar("T")
Own = Callable[[web.Request, Subscriber, datetime], Awaitable[web.StreamResponse]]


@dataclass(frozen=True, slots=True)
class Chosen:
    """The settings as a form shows them."""

    address: str
    stands: str
    is_reading: bool
    is_paused: bool
    languages: Sequence[Option]
    styles: Sequence[Option]
    counts: Sequence[Option]
    cadences: Sequence[Option]
    weekdays: Sequence[Option]
    pauses: Sequence[Option]
    zones: Sequence[Option]
    topics: str
    votes: str
    most_votes: int
    hour: str
    zone: str
    names: dict[str, str]


class SettingsRoutes:
    """Answers readers about themselves. What is shown or changed is of whoever the browser is known by."""

    def __init__(self, forms: FormPages, sessions: BrowserSessions, joining: SubscribeRoutes) -> None:
        self._forms = forms
        self._sessions = sessions
        self._joining = joining

    async def show(self, request: web.Request, language: str) -> web.StreamResponse:
        """The settings, to a browser that is known; to others a field for an address to mail a link to."""
        forms, now = self._forms, self._forms.clock()
        reader = await self._sessions.reader(request, now)
        if reader is None:
            w = words(language)
            heading = w.gettext("Settings")
            says = w.pgettext(
                "a web page", "Enter the address that editions come to. A mail with a link opens its settings."
            )
            return forms.show(forms.pages.opening(language, heading, says))
        return self._page(reader, now)

    async def doorstep(self, request: web.Request) -> web.StreamResponse:
        """The link in every mail: it shows nothing, since mails are forwarded, and offers to mail one that does."""
        forms = self._forms
        reader, language = await self._named(request)
        known = await self._sessions.reader(request, forms.clock())
        if reader is not None and known is not None and known.id == reader.id:
            return self._to_settings(language)
        w = words(language)
        return forms.say(
            language,
            w.gettext("Settings"),
            w.pgettext(
                "a web page", "So that nobody else can open your settings, the way there goes through your mailbox."
            ),
            form=Form(request.path, w.pgettext("a button", "Mail me the link")),
            links=[forms.front_link(w)],
        )

    async def mail_key(self, request: web.Request) -> web.StreamResponse:
        """Mail the link that opens the settings, to the address that the mail came to."""
        forms, now = self._forms, self._forms.clock()
        await forms.read(request)
        forms.count(request, now)
        reader, language = await self._named(request)
        if reader is not None:
            await self._joining.write_key(reader, now)
        return self._joining.sent(language)

    async def offer(self, request: web.Request, language: str) -> web.StreamResponse:
        """The link that opens: a page with one button, since scanners follow every link."""
        forms, w = self._forms, words(language)
        if await forms.look(request, Purpose.OPEN, forms.clock()) is None:
            return forms.too_old(language)
        return forms.say(
            language,
            w.gettext("Settings"),
            w.pgettext("a web page", "Press the button, and this browser is known for 30 days."),
            form=Form(request.path, w.pgettext("a letter", "Open the settings")),
        )

    async def open(self, request: web.Request, language: str) -> web.StreamResponse:
        """The button was pressed: know this browser from now on."""
        forms, now = self._forms, self._forms.clock()
        await forms.read(request)
        _, reader = await forms.redeem(request, Purpose.OPEN, now)
        if reader is None:
            return forms.too_old(language)
        return await self._sessions.begin(self._to_settings(reader.preferences.language), reader, now)

    def own(self, answer: Own) -> Callable[[web.Request, str], Awaitable[web.StreamResponse]]:
        """An answer to a form of a reader whose browser is known; others are led to where they can be known."""

        async def guarded(request: web.Request, language: str) -> web.StreamResponse:
            now = self._forms.clock()
            self._forms.insist_on_our_own(request)
            reader = await self._sessions.reader(request, now)
            if reader is None:
                return self._to_settings(language)
            self._forms.count(request, now)
            return await answer(request, reader, now)

        return guarded

    async def save(self, request: web.Request, reader: Subscriber, now: datetime) -> web.StreamResponse:
        """Choose anew what the form says."""
        w = words(reader.preferences.language)
        change = wished(await self._forms.read(request), reader.preferences, now)
        if change is None:
            return self._page(reader, now, w.gettext("That cannot be chosen."), ok=False)
        if change == Change():
            return self._page(reader, now)
        return await self._do(reader, change, now)

    async def pause(self, request: web.Request, reader: Subscriber, now: datetime) -> web.StreamResponse:
        """Send nothing for some days, or until resumed."""
        days = (await self._forms.read(request)).get("days")
        until = (
            now.astimezone(UTC).date() + timedelta(days=int(days)) if days in {f"{each}" for each in PAUSES} else None
        )
        return await self._do(reader, Pause(until), now)

    async def resume(self, request: web.Request, reader: Subscriber, now: datetime) -> web.StreamResponse:
        """Send editions again."""
        await self._forms.read(request)
        return await self._do(reader, Resume(), now)

    async def leave(self, request: web.Request, reader: Subscriber, now: datetime) -> web.StreamResponse:
        """Send nothing any more."""
        await self._forms.read(request)
        return await self._do(reader, Unsubscribe(), now)

    async def come_back(self, request: web.Request, reader: Subscriber, now: datetime) -> web.StreamResponse:
        """Subscribe again."""
        await self._forms.read(request)
        return await self._do(reader, Subscribe(), now)

    async def forget_browser(self, request: web.Request, reader: Subscriber, _: datetime) -> web.StreamResponse:
        """Know this browser no more."""
        await self._forms.read(request)
        answer = web.Response(
            status=HTTPStatus.SEE_OTHER,
            headers={"Location": self._forms.urls.front(reader.preferences.language), "Cache-Control": "no-store"},
        )
        return await self._sessions.end(request, answer)

    async def _do(self, reader: Subscriber, request: Request, now: datetime) -> web.Response:
        """Ask what every channel's readers can ask, and show what has become of it."""
        forms = self._forms
        answered = await forms.commands.ask(Requester(reader.address), request, now)
        after = await forms.numbered(reader.id)
        if after is None:
            return self._to_settings(reader.preferences.language)
        return self._page(after, now, *answered.says[:2], ok=answered.ok)

    def _page(self, reader: Subscriber, now: datetime, *says: str, ok: bool = True) -> web.Response:
        forms, language = self._forms, reader.preferences.language
        chosen = _chosen(reader, forms.pages.styles, words(language), now)
        status = HTTPStatus.OK if ok else HTTPStatus.UNPROCESSABLE_ENTITY
        return forms.show(forms.pages.settings(language, chosen, [each for each in says if each]), status)

    def _to_settings(self, language: str) -> web.Response:
        there = self._forms.urls.page(language, "settings")
        return web.Response(status=HTTPStatus.SEE_OTHER, headers={"Location": there, "Cache-Control": "no-store"})

    async def _named(self, request: web.Request) -> tuple[Subscriber | None, str]:
        """Whom the token in a path names, and the language to answer in; nowhere for what is no token of ours."""
        value = self._forms.links.read(PURPOSES[SETTINGS], request.match_info["token"])
        if value is None:
            raise web.HTTPNotFound
        reader = await self._forms.named(named(value))
        return reader, match(None) if reader is None else reader.preferences.language


def wished(given: FormFields, before: Preferences, now: datetime) -> Change | None:
    """What a form changes of `before`; None where it says what cannot be. What is not in the form stays. Pure."""
    language = given.get("language") or before.language
    try:
        style = Style(given.get("style") or before.style)
        cadence = Cadence(given.get("cadence") or before.cadence)
        papers = int(given.get("papers") or before.papers)
        votes = int(typed_values.fold(given.get("votes")) or before.min_votes) if "votes" in given else before.min_votes
        topics = parse(given.get("topics")) if "topics" in given else before.topics
        hour = typed_values.hour(given.get("hour"), before.language) if given.get("hour") else before.hour
        days = {int(day) for day in given.all("weekday")}
    except (ValueError, TopicsError):
        return None
    zone = _zone(given.get("zone"), before, now)
    if language not in languages() or hour is None or zone is None or not days <= set(range(7)):
        return None
    weekdays = sum(1 << day for day in days) if "weekdays" in given else before.weekdays
    if not weekdays or papers not in {*COUNTS, before.papers} or not 0 <= votes <= MOST_VOTES:
        return None
    return Change(
        language=_new(language, before.language),
        style=_new(style, before.style),
        papers=_new(papers, before.papers),
        min_votes=_new(votes, before.min_votes),
        topics=_new(topics, before.topics),
        hour=_new(hour, before.hour),
        weekdays=_new(weekdays, before.weekdays),
        timezone=_new(zone, before.timezone),
        cadence=_new(cadence, before.cadence),
    )


def _new(wanted: T, before: T) -> T | None:
    return None if wanted == before else wanted


def _zone(written: str, before: Preferences, now: datetime) -> str | None:
    """A zone by its name, or by a city, a country or an offset."""
    if not written:
        return before.timezone
    if zones.is_zone(written):
        return written
    found = zones.find(written, before.language, now)
    return found[0].name if found else None


def _chosen(reader: Subscriber, offered: Sequence[Style], w: Words, now: datetime) -> Chosen:
    wanted = reader.preferences
    named_styles, named_cadences = styles(w), cadences(w)
    counts = sorted({*COUNTS, wanted.papers}, key=lambda papers: papers or 1_000)
    is_reading = reader.status in {Status.ACTIVE, Status.PAUSED}
    is_paused = reader.is_paused(now)
    near = zones.neighbours(w.language, w.language)
    return Chosen(
        address=reader.address.recipient,
        stands=rhythm_in_words(wanted, w, now)
        if is_reading and not is_paused
        else w.pgettext("a web page", "Nothing is sent at present."),
        is_reading=is_reading,
        is_paused=is_paused,
        languages=[Option(tag, own_name(tag), tag == wanted.language) for tag in languages()],
        styles=[
            Option(each.value, named_styles[each][0], each is wanted.style)
            for each in dict.fromkeys([*offered, wanted.style])
        ],
        counts=[Option(f"{papers}", count(papers, w), papers == wanted.papers) for papers in counts],
        cadences=[Option(each.value, said, each is wanted.cadence) for each, said in named_cadences.items()],
        weekdays=[Option(f"{day}", w.weekday(day), bool(wanted.weekdays >> day & 1)) for day in range(7)],
        pauses=[
            Option(f"{days}", w.ngettext("For {n} day", "For {n} days", days), days == PAUSES[0]) for days in PAUSES
        ]
        + [Option("", w.pgettext("a pause", "Until I resume"), False)],
        zones=[Option(each.name, f"{each}", False) for each in near],
        topics=", ".join(wanted.topics),
        votes=f"{wanted.min_votes}",
        most_votes=MOST_VOTES,
        hour=w.clock(wanted.hour),
        zone=wanted.timezone,
        names={
            field: name(command, w)
            for field, command in {
                "language": Command.LANGUAGE,
                "style": Command.STYLE,
                "papers": Command.COUNT,
                "votes": Command.VOTES,
                "topics": Command.TOPICS,
                "hour": Command.TIME,
                "weekdays": Command.WEEKDAYS,
                "zone": Command.ZONE,
                "cadence": Command.CADENCE,
            }.items()
        },
    )
