"""The web server with an e-mail channel and a local relay: tests post forms and read the mails that follow."""

from __future__ import annotations

import asyncio
import re
import socket
from collections.abc import Callable, Mapping, Sequence
from datetime import time
from itertools import count
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlencode

from sqlalchemy import func, select

from bot.channel import CommandName, Kit, Requester, command_line
from bot.commands import ReaderCommands
from bot.commands.process_feedback import FeedbackProcessor
from bot.delivery.session import Session
from bot.model import Address, Preferences, Subscriber
from bot.render.templates import template
from bot.rules.access import Access, Admission
from bot.signing import SignedLinks, token_name
from bot.store import subscriber_queries
from bot.store.schema import one_time_tokens as table
from bot.web.application import MailAccess
from channels import email
from tests.support.databases import fresh_store
from tests.support.email_channel import PUBLIC, SECRET, settings
from tests.support.mail_server import Letter, Relay
from tests.support.pages import NoMemory
from tests.support.web_program import Answered, Served

ADA = "ada@example.org"
HOST = {"Host": "papers.example.org"}
LINK = re.compile(r"https://papers\.example\.org(/\w[^\s\"<>]*/(?:join|open|move|arrive)/[^\s\"<>]+)")


ANY_LINK = re.compile(r"https?://\S+/(?:join|open|move|arrive)/\S+")


def free_port() -> int:
    """A free port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def link_in(letter: Letter) -> str:
    """The link in a mail's text."""
    body = letter.mail.get_body(("plain",))
    assert body is not None
    found = ANY_LINK.search(body.get_content())
    assert found, body.get_content()
    return found[0]


def path_in(letter: Letter) -> str:
    """The path of the link in a mail's text."""
    body = letter.mail.get_body(("plain",))
    assert body is not None
    found = LINK.search(body.get_content())
    assert found, body.get_content()
    return found[1]


async def _until(holds: Callable[[], bool]) -> None:
    """Let other tasks run until a condition holds."""
    async with asyncio.timeout(20):
        while not holds():  # noqa: ASYNC110 - the relay has no event for a new mail
            await asyncio.sleep(0.005)


class Mailed:
    """A web server whose mails arrive. Each form comes from another client address unless `spreads` is off."""

    def __init__(
        self, home: Path, *, codes: Sequence[str] = (), allowed: Sequence[str] = (), public: str = PUBLIC, **named: Any
    ) -> None:
        self._home = home
        self._codes = codes
        self._public = public
        self._allowed = allowed
        self._named = named
        self.relay = Relay()
        self.spreads = True
        self._visitors = count(1)
        self._read = 0

    async def __aenter__(self) -> Self:
        await self.relay.__aenter__()
        self.store = fresh_store(self._home)
        self.links = SignedLinks([SECRET], self._public)
        kit = Kit(self._home, self._home, NoMemory(), template, self.links)
        self.channel = email.open(settings(self.relay), kit)
        self._session = Session(self.channel)
        by = Admission.INVITE if self._codes else Admission.LIST if self._allowed else Admission.OPEN
        access = Access(by, self._codes, self._allowed)
        self.commands = ReaderCommands(
            self.store, [self.channel], fallback=Preferences(), closes=time(22), access=access
        )
        self.served = Served(
            self._home,
            store=self.store,
            public=self._public,
            mail=MailAccess(self._session, self.commands, FeedbackProcessor(self.store, self.links), self.links),
            TRUSTED_PROXIES="127.0.0.1",
            **self._named,
        )
        await self.served.__aenter__()
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self.served.__aexit__()
        await self._session.__aexit__()
        await self.store.close()
        await self.relay.__aexit__()

    async def get(self, path: str, **headers: str) -> Answered:
        return await self.served.get(path, **{**HOST, **headers})

    async def post(
        self,
        path: str,
        *,
        headers: Mapping[str, str] | None = None,
        Cookie: str = "",  # noqa: N803 - a header's name
        **fields: Any,
    ) -> Answered:
        """Post a form as a browser on one of our pages does."""
        number = next(self._visitors) if self.spreads else 0
        named = {
            "Origin": PUBLIC,
            "Content_Type": "application/x-www-form-urlencoded",
            "X_Forwarded_For": f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}",
            **HOST,
            **(headers or {}),
        }
        if Cookie:
            named["Cookie"] = Cookie
        body = urlencode(fields, doseq=True).encode()
        return await self.served.get(path, method="POST", data=body, **named)

    async def letter(self) -> Letter:
        """The next mail that arrives."""
        await _until(lambda: len(self.relay.letters) > self._read)
        self._read += 1
        return self.relay.letters[self._read - 1]

    async def silence(self) -> None:
        """Assert that no other mail was sent or is queued."""
        letters = self.served.web.outgoing_mail
        assert letters is not None
        await _until(lambda: not letters.busy)
        assert len(self.relay.letters) == self._read

    async def subscribe(self, address: str, language: str = "en") -> None:
        asker = Requester(Address("email", address), locale=language)
        answered = await self.commands.ask(asker, command_line(CommandName.SUBSCRIBE, language), self.served.now)
        assert answered.ok

    async def reader(self, address: str) -> Subscriber | None:
        async with self.store.read() as connection:
            return await subscriber_queries.get(connection, Address("email", address))

    async def unsubscribing(self, address: str, language: str = "en") -> str:
        """Add a reader. Returns the path of their unsubscribe link."""
        await self.subscribe(address, language)
        reader = await self.reader(address)
        assert reader is not None
        return self.links.of(token_name(reader.id, reader.created_at), "en", None)["unsubscribe"].removeprefix(PUBLIC)

    def settings_path(self, reader: Subscriber | None) -> str:
        assert reader is not None
        return self.links.of(token_name(reader.id, reader.created_at), "en", None)["settings"].removeprefix(PUBLIC)

    async def opened(self, address: str) -> str:
        """Add a reader who opens their settings. Returns the session cookie."""
        await self.subscribe(address)
        await self.post("/en/settings/link", address=address)
        answer = await self.post(path_in(await self.letter()))
        assert answer.status == 303, answer.text
        cookie = answer.headers["Set-Cookie"]
        assert {"HttpOnly", "Secure", "SameSite=Lax", "Path=/"} <= {part.strip() for part in cookie.split(";")}
        return cookie.partition(";")[0]

    async def tickets(self) -> int:
        async with self.store.read() as connection:
            return int(await connection.scalar(select(func.count()).select_from(table)) or 0)

    async def dump(self) -> str:
        """All stored one-time tokens."""
        async with self.store.read() as connection:
            return str((await connection.execute(select(table))).all())
