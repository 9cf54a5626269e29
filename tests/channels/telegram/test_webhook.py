"""Telegram by webhook: updates are posted to the web side, and nobody else's posts are believed."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import aiohttp
import pytest
from telegram import WebhookInfo

from bot.model import Status
from bot.service import Role
from channels.telegram.polling import clock
from channels.telegram.webhook import unreachable
from tests.support import telegram_program
from tests.support.telegram_program import Station
from tests.support.telegram_server import TelegramServer

PUBLIC = {"PUBLIC_URL": "https://papers.example.org/lab", "WEB_PORT": "0"}


@pytest.fixture
async def station(server: TelegramServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Station]:
    monkeypatch.setattr(telegram_program, "WORK", frozenset({Role.DELIVER, Role.LISTEN, Role.WEB}))
    async with Station(tmp_path, server, PUBLIC) as opened:
        assert opened.service.web is not None
        await opened.service.web.listening.wait()
        server.route_webhook(origin(opened))
        await opened.publish()
        yield opened


def origin(station: Station) -> str:
    web = station.service.web
    assert web is not None
    assert web.address is not None
    return f"http://127.0.0.1:{web.address[1]}"


async def test_a_reader_is_served_by_webhook(station: Station, server: TelegramServer) -> None:
    ada = server.person(77, language="ko")
    await ada.writes("/start")
    assert (await ada.hears("message")).message is not None
    assert server.world.updates.webhook == "https://papers.example.org/lab/hooks/telegram"
    reader = await station.reader("77")
    assert (reader.status, reader.preferences.language) == (Status.ACTIVE, "ko")
    await ada.writes("/settings")
    await ada.hears("message")
    assert not [call for call in server.calls if call.method == "getUpdates"]


async def test_nobody_elses_posts_are_believed(station: Station, server: TelegramServer) -> None:
    update = {
        "update_id": 1,
        "message": {"message_id": 1, "date": 1, "chat": {"id": 5, "type": "private"}, "text": "/start"},
    }
    async with aiohttp.ClientSession() as session:
        for name, secret, status in (
            ("telegram", None, 403),
            ("telegram", "wrong", 403),
            ("discord", "wrong", 404),
        ):
            headers = {} if secret is None else {"X-Telegram-Bot-Api-Secret-Token": secret}
            url = f"{origin(station)}/lab/hooks/{name}"
            async with session.post(url, data=json.dumps(update), headers=headers) as answer:
                assert answer.status == status
        await server.answered(1, "setWebhook")
        own = {"X-Telegram-Bot-Api-Secret-Token": server.world.updates.secret}
        for body in (b"nonsense", b"[" * 100_000, b"[]", b"7"):
            async with session.post(f"{origin(station)}/lab/hooks/telegram", data=body, headers=own) as answer:
                assert answer.status == 400


@pytest.mark.parametrize(
    ("minutes", "waiting", "lasts"), [(0, 3, True), (2, 3, True), (14, 1, True), (16, 3, False), (0, 0, False)]
)
def test_an_outage_lasts_between_two_attempts_to_post_what_waits(minutes: int, waiting: int, *, lasts: bool) -> None:
    failed = clock() - timedelta(minutes=minutes)
    info = WebhookInfo(PUBLIC["PUBLIC_URL"], False, waiting, last_error_date=failed, last_error_message="Bad Gateway")
    assert (unreachable(info) is not None) is lasts
