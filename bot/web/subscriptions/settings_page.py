"""The settings page: opened with a mailed link, then with the session cookie of the browser that opened it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Any

from aiohttp import web

from bot.channel import CommandName, Reply, Requester, command_line
from bot.channel.preference import Kind, Preference
from bot.model import Status, Style, Subscriber
from bot.render import preference_values, timezones
from bot.render.preference_values import rhythm_in_words
from bot.render.words import Words, words
from bot.rules.preferences import PREFERENCES, value
from bot.signing import PURPOSES, SETTINGS
from bot.store.one_time_tokens import AT_LEAST, Purpose
from bot.web.pages.layout import Form, Option
from bot.web.subscriptions.browser_sessions import BrowserSessions
from bot.web.subscriptions.coming_edition import coming_edition
from bot.web.subscriptions.forms import FormFields, FormPages
from bot.web.subscriptions.subscribe import SubscribeRoutes

PAUSES = (7, 14, 30)
"""Days that a pause may last."""

Own = Callable[[web.Request, Subscriber, datetime], Awaitable[web.StreamResponse]]


@dataclass(frozen=True, slots=True)
class Field:
    """A preference as a field of the form."""

    name: str
    label: str
    widget: str
    """How it is shown: `select`, `days`, or the type of an HTML input."""
    value: str
    options: Sequence[Option] = ()
    """Values to choose from, or to suggest while typing."""
    bounds: tuple[int, int] = (0, 0)
    hint: str = ""


@dataclass(frozen=True, slots=True)
class SettingsForm:
    """The settings page as its template shows it."""

    address: str
    status: str
    """When editions come, or that none do."""
    is_reading: bool
    is_paused: bool
    fields: Sequence[Field]
    pauses: Sequence[Option]


WIDGETS = {Kind.NUMBER: "number", Kind.HOUR: "time", Kind.TOPICS: "text", Kind.ZONE: "text", Kind.WEEKDAYS: "days"}
"""The widgets of kinds of preferences; all others are selects."""


class SettingsRoutes:
    """Handlers of the settings page. They show and change the subscription that the browser's session belongs to."""

    def __init__(self, forms: FormPages, sessions: BrowserSessions, joining: SubscribeRoutes) -> None:
        self._forms = forms
        self._sessions = sessions
        self._joining = joining

    async def show(self, request: web.Request, language: str) -> web.StreamResponse:
        """Show the settings, or without a session a form that mails a link to them."""
        forms, now = self._forms, self._forms.clock()
        reader = await self._sessions.reader(request, now)
        if reader is None:
            w = words(language)
            heading = w.gettext("settings.title")
            says = w.gettext("web.settings_enter_address")
            return forms.show(forms.pages.opening(language, heading, says))
        return await self._page(reader, now)

    async def offer_link(self, request: web.Request) -> web.StreamResponse:
        """Answer the settings link in every mail: offer to mail a link that opens them, since mails are forwarded."""
        forms = self._forms
        reader, language = await forms.reader_of_link(request, PURPOSES[SETTINGS])
        known = await self._sessions.reader(request, forms.clock())
        if reader is not None and known is not None and known.id == reader.id:
            return self._to_settings(language)
        w = words(language)
        return forms.say(
            language,
            w.gettext("settings.title"),
            w.gettext("web.settings_by_email"),
            form=Form(request.path, w.gettext("form.email_me_link")),
            links=[forms.front_link(w)],
        )

    async def mail_link(self, request: web.Request) -> web.StreamResponse:
        """Mail a link that opens the settings to the subscriber's own address."""
        forms, now = self._forms, self._forms.clock()
        await forms.read(request)
        forms.count(request, now)
        reader, language = await forms.reader_of_link(request, PURPOSES[SETTINGS])
        mailed = reader is not None and await self._joining.write_key(reader, now, within=AT_LEAST)
        return self._joining.sent(language, surely=mailed)

    async def offer(self, request: web.Request, language: str) -> web.StreamResponse:
        """Answer that link with a page with one button: mail scanners follow links, and do not press buttons."""
        forms, w = self._forms, words(language)
        if await forms.look(request, Purpose.OPEN, forms.clock()) is None:
            return forms.too_old(language)
        return forms.say(
            language,
            w.gettext("settings.title"),
            w.gettext("account.browser_confirm"),
            form=Form(request.path, w.gettext("account.settings_email_button")),
        )

    async def open(self, request: web.Request, language: str) -> web.StreamResponse:
        """Redeem the one-time token and start a session."""
        forms, now = self._forms, self._forms.clock()
        await forms.read(request)
        _, reader = await forms.redeem(request, Purpose.OPEN, now)
        if reader is None:
            return forms.too_old(language)
        return await self._sessions.begin(self._to_settings(reader.preferences.language), reader, now)

    def own(self, answer: Own) -> Callable[[web.Request, str], Awaitable[web.StreamResponse]]:
        """Wrap a handler that needs a session; without one the reader is redirected to the settings page."""

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
        """Save the form."""
        w = words(reader.preferences.language)
        given = await self._forms.read(request)
        changed = changes(given, reader, now, self._forms.channel.extras)
        if changed is None:
            return await self._page(reader, now, w.gettext("settings.invalid"), ok=False)
        if not changed:
            return await self._page(reader, now)
        reply = await self._forms.commands.change(Requester(reader.address), changed, now)
        return await self._after(reader, reply, now)

    async def pause(self, request: web.Request, reader: Subscriber, now: datetime) -> web.StreamResponse:
        """Pause for a number of days, or until resumed."""
        days = (await self._forms.read(request)).get("days")
        until = (
            now.astimezone(UTC).date() + timedelta(days=int(days)) if days in {f"{each}" for each in PAUSES} else None
        )
        return await self._run(reader, command_line(CommandName.PAUSE, f"{until or ''}"), now)

    def run(self, line: str) -> Own:
        """A handler that runs a command, for a button without fields."""

        async def answer(request: web.Request, reader: Subscriber, now: datetime) -> web.StreamResponse:
            await self._forms.read(request)
            return await self._run(reader, line, now)

        return answer

    async def forget_browser(self, request: web.Request, reader: Subscriber, _: datetime) -> web.StreamResponse:
        """End the session."""
        await self._forms.read(request)
        return await self._sessions.end(request, _redirect(self._forms.urls.front(reader.preferences.language)))

    async def _run(self, reader: Subscriber, line: str, now: datetime) -> web.Response:
        """Run a command and show the settings page with its reply."""
        return await self._after(reader, await self._forms.commands.ask(Requester(reader.address), line, now), now)

    async def _after(self, reader: Subscriber, reply: Reply, now: datetime) -> web.Response:
        """The settings page as it is after a command, with the command's reply."""
        after = await self._forms.numbered(reader.id)
        if after is None:
            return self._to_settings(reader.preferences.language)
        return await self._page(after, now, *reply.says[:2], ok=reply.ok)

    async def _page(self, reader: Subscriber, now: datetime, *says: str, ok: bool = True) -> web.Response:
        forms, language = self._forms, reader.preferences.language
        form = settings_form(reader, forms.pages.styles, words(language), now, forms.channel.extras)
        status = HTTPStatus.OK if ok else HTTPStatus.UNPROCESSABLE_ENTITY
        coming = await coming_edition(forms.store, reader, forms.urls, now) if form.is_reading else None
        return forms.show(forms.pages.settings(language, form, [each for each in says if each], coming), status)

    def _to_settings(self, language: str) -> web.Response:
        return _redirect(self._forms.urls.page(language, "settings"))


def _redirect(to: str) -> web.Response:
    return web.Response(status=HTTPStatus.SEE_OTHER, headers={"Location": to, "Cache-Control": "no-store"})


def changes(
    given: FormFields, reader: Subscriber, now: datetime, extras: Sequence[Preference] = ()
) -> dict[str, object] | None:
    """The preferences that a form changes, by name; None if it has an invalid value. Pure.

    Fields that are missing or left empty change nothing, but for topics and weekdays. `extras` are the channel's own
    preferences.
    """
    changed: dict[str, object] = {}
    for preference in (*PREFERENCES, *extras):
        text = _text(given, preference)
        if text is None:
            continue
        wanted = _value(preference, text, reader.preferences.language, now)
        if wanted is None:
            return None
        if wanted != _chosen(preference, reader, extras):
            changed[preference.name] = wanted
    return changed


def _chosen(preference: Preference, reader: Subscriber, extras: Sequence[Preference]) -> object:
    """The reader's present value."""
    if preference not in extras:
        return value(reader.preferences, preference)
    stored = reader.extras.get(preference.name, preference.unset)
    return preference_values.parse(preference, stored, words(reader.preferences.language))


def _text(given: FormFields, preference: Preference) -> str | None:
    """A preference's value in a form, as people would type it; None where the form has none."""
    if preference.option not in given:
        return None
    if preference.kind is Kind.WEEKDAYS:
        return ",".join(f"{int(day) + 1}" for day in given.all("weekday") if day.isdecimal())
    text = given.get(preference.option)
    return text if text or preference.kind is Kind.TOPICS else None


def _value(preference: Preference, text: str, language: str, now: datetime) -> object | None:
    """Read one field. A time zone may also be a city, a country or an offset."""
    if preference.kind is Kind.TOPICS and not text:
        return ()
    wanted = preference_values.parse(preference, text, words(language))
    if wanted is None and preference.kind is Kind.ZONE:
        found = timezones.find(text, language, now)
        return found[0].name if found else None
    return wanted


def settings_form(
    reader: Subscriber, offered: Sequence[Style], w: Words, now: datetime, extras: Sequence[Preference] = ()
) -> SettingsForm:
    """The settings of a reader as a form: `offered` are the styles there are, `extras` the channel's preferences."""
    is_reading = reader.status in {Status.ACTIVE, Status.PAUSED}
    is_paused = reader.is_paused(now)
    nothing = w.gettext("status.nothing_sent")
    return SettingsForm(
        address=reader.address.recipient,
        status=rhythm_in_words(reader.preferences, w, now) if is_reading and not is_paused else nothing,
        is_reading=is_reading,
        is_paused=is_paused,
        fields=[
            _field(
                each, _chosen(each, reader, extras), tuple(dict.fromkeys([*offered, reader.preferences.style])), w, now
            )
            for each in (*PREFERENCES, *extras)
        ],
        pauses=[Option(f"{days}", w.ngettext("pause.for_days", days), days == PAUSES[0]) for days in PAUSES]
        + [Option("", w.gettext("pause.until_resumed"), False)],
    )


def _field(preference: Preference, chosen: Any, styles: Sequence[Style], w: Words, now: datetime) -> Field:
    """One preference as a field; what is chosen now can be kept, whether it is offered or not."""
    widget = WIDGETS.get(preference.kind, "select")
    options: list[Option] = []
    shown = preference.write(chosen)
    match widget, preference.kind:
        case "select", _:
            offers = preference_values.offers(preference, chosen, w, now=now, available=styles)
            options = [Option(preference.write(each.value), each.label, each.chosen) for each in offers]
            if not any(each.chosen for each in offers):
                options.append(Option(shown, preference_values.in_words(preference, chosen, w, now), True))
        case _, Kind.WEEKDAYS:
            options = [Option(f"{day}", w.weekday(day), bool(chosen >> day & 1)) for day in range(7)]
        case _, Kind.ZONE:
            options = [Option(each.name, f"{each}", False) for each in timezones.neighbours(w.language, w.language)]
        case _, Kind.TOPICS:
            shown = ", ".join(chosen)
    label = preference_values.title(preference, w)
    return Field(preference.option, label, widget, shown, options, preference.bounds, _hint(preference, w))


def _hint(preference: Preference, w: Words) -> str:
    """How a text field is filled in."""
    if preference.kind is Kind.TOPICS:
        return w.gettext("form.topics_hint")
    if preference.kind is Kind.ZONE:
        return w.gettext("form.zone_hint")
    return ""
