"""Where the pages are that change something: subscribing, leaving, settings."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial

from aiohttp import web

from bot.signing import PATHS, SETTINGS, UNSUBSCRIBE
from bot.store.one_time_tokens import Purpose
from bot.web.subscriptions.account import AccountRoutes
from bot.web.subscriptions.browser_sessions import BrowserSessions
from bot.web.subscriptions.forms import FormPages
from bot.web.subscriptions.settings_page import SettingsRoutes
from bot.web.subscriptions.subscribe import SubscribeRoutes
from bot.web.subscriptions.unsubscribe import UnsubscribeRoutes

Page = Callable[[web.Request, str], Awaitable[web.StreamResponse]]
Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


def routes(forms: FormPages, in_a_language: Callable[[Page], Answer]) -> list[web.RouteDef]:
    """Each page of a language is made an answer by `in_a_language`."""
    sessions = BrowserSessions(forms)
    joining = SubscribeRoutes(forms, sessions)
    leaving = UnsubscribeRoutes(forms)
    own = SettingsRoutes(forms, sessions, joining)
    belongings = AccountRoutes(forms, sessions, joining)
    root = forms.urls.root
    get: dict[str, Page] = {
        "settings": own.show,
        "join/{token}": joining.offer,
        "open/{token}": own.offer,
        "move/{token}": partial(belongings.offer, purpose=Purpose.MOVE),
        "arrive/{token}": partial(belongings.offer, purpose=Purpose.ARRIVE),
    }
    post: dict[str, Page] = {
        "subscribe": joining.ask,
        "join/{token}": joining.confirm,
        "open/{token}": own.open,
        "move/{token}": belongings.agree,
        "arrive/{token}": belongings.arrive,
        "return/{token}": leaving.come_back,
        "settings/link": joining.open,
        "settings": own.own(own.save),
        "settings/pause": own.own(own.pause),
        "settings/resume": own.own(own.resume),
        "settings/leave": own.own(own.leave),
        "settings/return": own.own(own.come_back),
        "settings/browser": own.own(own.forget_browser),
        "settings/address": own.own(belongings.move),
        "settings/export": own.own(belongings.export),
        "settings/erase": own.own(belongings.ask_before_erasing),
        "settings/erased": own.own(belongings.erase),
    }
    unsubscribe, settings = (f"{root}{PATHS[name]}{{token}}" for name in (UNSUBSCRIBE, SETTINGS))
    return [
        web.get(unsubscribe, leaving.offer),
        web.post(unsubscribe, leaving.leave),
        web.get(settings, own.offer_link),
        web.post(settings, own.mail_link),
        *(web.get(f"{root}/{{language}}/{path}", in_a_language(page)) for path, page in get.items()),
        *(web.post(f"{root}/{{language}}/{path}", in_a_language(page)) for path, page in post.items()),
    ]
