"""Routes of pages that change state: subscribe, unsubscribe, settings, account."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial

from aiohttp import web

from bot.channel import CommandName
from bot.signing import FEWER, PATHS, SETTINGS, UNSUBSCRIBE
from bot.store.one_time_tokens import Purpose
from bot.web.subscriptions.account import AccountRoutes
from bot.web.subscriptions.browser_sessions import BrowserSessions
from bot.web.subscriptions.fewer import FewerRoutes
from bot.web.subscriptions.forms import FormPages
from bot.web.subscriptions.settings_page import SettingsRoutes
from bot.web.subscriptions.subscribe import SubscribeRoutes
from bot.web.subscriptions.unsubscribe import UnsubscribeRoutes

Page = Callable[[web.Request, str], Awaitable[web.StreamResponse]]
Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


def routes(forms: FormPages, in_a_language: Callable[[Page], Answer]) -> list[web.RouteDef]:
    """All these routes. `in_a_language` turns a page that is given a language into a handler."""
    sessions = BrowserSessions(forms)
    subscribe = SubscribeRoutes(forms, sessions)
    unsubscribe = UnsubscribeRoutes(forms)
    less = FewerRoutes(forms)
    preferences = SettingsRoutes(forms, sessions, subscribe)
    account = AccountRoutes(forms, sessions, subscribe)
    root = forms.urls.root
    get: dict[str, Page] = {
        "settings": preferences.show,
        "join/{token}": subscribe.offer,
        "open/{token}": preferences.offer,
        "move/{token}": partial(account.offer, purpose=Purpose.MOVE),
        "arrive/{token}": partial(account.offer, purpose=Purpose.ARRIVE),
    }
    post: dict[str, Page] = {
        "subscribe": subscribe.ask,
        "join/{token}": subscribe.confirm,
        "open/{token}": preferences.open,
        "move/{token}": account.agree,
        "arrive/{token}": account.arrive,
        "return/{token}": unsubscribe.come_back,
        "settings/link": subscribe.open,
        "settings": preferences.own(preferences.save),
        "settings/pause": preferences.own(preferences.pause),
        "settings/resume": preferences.own(preferences.run(CommandName.RESUME)),
        "settings/leave": preferences.own(preferences.run(CommandName.UNSUBSCRIBE)),
        "settings/return": preferences.own(preferences.run(CommandName.SUBSCRIBE)),
        "settings/browser": preferences.own(preferences.forget_browser),
        "settings/address": preferences.own(account.move),
        "settings/export": preferences.own(account.export),
        "settings/erase": preferences.own(account.ask_before_erasing),
        "settings/erased": preferences.own(account.erase),
    }
    leave, settings, fewer = (f"{root}{PATHS[name]}{{token}}" for name in (UNSUBSCRIBE, SETTINGS, FEWER))
    return [
        web.get(leave, unsubscribe.offer),
        web.post(leave, unsubscribe.leave),
        web.get(settings, preferences.offer_link),
        web.post(settings, preferences.mail_link),
        web.get(fewer, less.offer),
        web.post(fewer, less.choose),
        *(web.get(f"{root}/{{language}}/{path}", in_a_language(page)) for path, page in get.items()),
        *(web.post(f"{root}/{{language}}/{path}", in_a_language(page)) for path, page in post.items()),
    ]
