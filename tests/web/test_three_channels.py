"""One process, three channels, three languages: a reader who subscribed on the web gets what the others get."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlencode

import aiohttp

from bot import app
from bot.model import Address, Preferences
from bot.render.words import words
from bot.service import Role
from tests.support.databases import put_database
from tests.support.discord_server import DiscordServer
from tests.support.mail_program import ADA, free_port, link_in
from tests.support.mail_server import Relay
from tests.support.telegram_program import many, put
from tests.support.telegram_server import TelegramServer

WORK = frozenset({Role.DELIVER, Role.LISTEN, Role.WEB})


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(40):
        while not holds():  # noqa: ASYNC110 - three servers, none of which tells
            await asyncio.sleep(0.02)


async def test_one_process_delivers_an_edition_to_mail_telegram_and_discord(tmp_path: Path) -> None:
    async with TelegramServer() as telegram, DiscordServer() as discord, Relay() as relay:
        room = discord.guild("Readers").text("papers")
        port = free_port()
        public = f"http://127.0.0.1:{port}"
        environ = {
            "FEED_URL": "http://127.0.0.1:9/",
            "TELEGRAM_TOKEN": telegram.token,
            "TELEGRAM_API_URL": telegram.origin,
            "DISCORD_TOKEN": discord.token,
            "DISCORD_API_URL": discord.api,
            "SMTP_HOST": "127.0.0.1",
            "SMTP_PORT": f"{relay.port}",
            "SMTP_SECURITY": "none",
            "EMAIL_FROM": "papers@example.org",
            "PUBLIC_URL": public,
            "WEB_PORT": f"{port}",
        }
        put_database(tmp_path)
        async with app.open_app(tmp_path, environ) as service:
            now = datetime.now(UTC)
            await put(service.store, many(5, now), closed_at=now)
            stop = asyncio.Event()
            work = asyncio.create_task(service.run(stop, WORK))
            assert service.web is not None
            await service.web.listening.wait()

            reader = telegram.person(77, language="ko")
            await reader.writes("/start")
            address = Address("discord", f"channel:{room.id}")
            wanted = Preferences(language="ja", timezone="Asia/Tokyo")
            assert await service.incoming.commands.subscribe(address, wanted, now)
            form = {"Origin": public, "Content-Type": "application/x-www-form-urlencoded"}
            async with aiohttp.ClientSession(headers=form) as session:
                async with session.post(f"{public}/ar/subscribe", data=urlencode({"address": ADA})) as answer:
                    assert answer.status == 200
                await until(lambda: bool(relay.letters))
                async with session.post(link_in(relay.letters[0]), data="") as answer:
                    assert answer.status == 200
                await until(
                    lambda: len(relay.letters) > 1 and room.posted > 0 and len(telegram.calls_of("sendMessage")) > 1
                )
                async with session.get(f"{public}/en/") as answer:
                    front = await answer.text()
            assert "https://t.me/" in front
            assert "https://discord.com/oauth2/authorize?client_id=" in front
            stop.set()
            await asyncio.wait_for(work, 30)
        mail = relay.letters[1].mail
        posted = json.dumps([message.json() for message in room.messages], ensure_ascii=False, default=str)
        sent = " ".join(str(call.arguments) for call in telegram.calls_of("sendMessage"))
        body = mail.get_body(("plain",))
        assert body is not None
        for language, said in (("ar", body.get_content()), ("ja", posted), ("ko", sent)):
            assert words(language).gettext("edition.daily") in said, language
        for said in (body.get_content(), posted, sent):
            assert "Paper number 1" in said
