"""A strict local Discord server: the HTTP API and the gateway on one port.

async with DiscordServer() as server:
    guild = server.guild("Readers", locale="ko")
    papers = guild.text("papers")
    ada = server.person("ada", locale="ko").can(guild, "manage_guild")
    with server.directed():                       # discord.py talks to this server
        ...                                       # a discord.Client that logs in with server.token
        await server.gateway.until("READY")
        reply = await ada.uses("/papers today", in_=papers)
        assert reply.ephemeral
    assert not server.violations
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Self

from aiohttp import web

from tests.support.discord_server.bell import Bell
from tests.support.discord_server.buckets import Rates
from tests.support.discord_server.clock import Clock
from tests.support.discord_server.commands import LOCALES, Registry
from tests.support.discord_server.faults import Armed, Fault
from tests.support.discord_server.front import PREFIX, Front, Request
from tests.support.discord_server.gateway import Gateway
from tests.support.discord_server.guilds import Guild
from tests.support.discord_server.limits import REQUEST
from tests.support.discord_server.people import Person
from tests.support.discord_server.places import Channel, User
from tests.support.discord_server.routes import ROUTES
from tests.support.discord_server.service import Service, Violation


class DiscordServer:
    """Discord on a port of this machine, with the places and people that a test gives it.

    `record=False` keeps counters alone, for long runs; `validate=False` leaves out the comparison with the
    service's own description, which costs most of the time.
    """

    def __init__(self, *, port: int = 0, record: bool = True, validate: bool = True) -> None:
        self.service = Service(record=record, validate=validate)
        self.front = Front(self.service)
        self.url = ""
        self._port = port

    async def __aenter__(self) -> Self:
        app = web.Application(client_max_size=REQUEST + 2**20)
        app.router.add_get("/gateway/", self.gateway.serve)
        self.add_routes(app)
        self.front.add_routes(app)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self._port).start()
        self._port = self._runner.addresses[0][1]  # kept: a server that comes back is found where it was
        self.url = f"http://127.0.0.1:{self._port}"
        self.gateway.url = f"ws://127.0.0.1:{self._port}/gateway/"
        self.front.closing.clear()
        return self

    async def __aexit__(self, *exc: object) -> None:
        self.front.closing.set()
        self.gateway.drop()
        await self._runner.cleanup()
        if self.front.crashes and exc[1] is None:
            raise ExceptionGroup("the local Discord itself failed", self.front.crashes)

    def add_routes(self, app: web.Application) -> None:
        """Put further routes beside the API's into the application."""

    @property
    def api(self) -> str:
        """Where the API begins."""
        return self.url + PREFIX

    @property
    def port(self) -> int:
        """The port, which stays the same when the server is entered again."""
        return self._port

    @property
    def token(self) -> str:
        """The bot's token."""
        return self.gateway.token

    @token.setter
    def token(self, token: str) -> None:
        self.gateway.token = token

    @property
    def bot(self) -> User:
        """The bot's account."""
        return self.service.bot

    @property
    def application_id(self) -> int:
        """The id of the bot's application."""
        return self.service.bot.id

    @property
    def gateway(self) -> Gateway:
        """The gateway: what clients did there, and what can be done to them."""
        return self.service.gateway

    @property
    def registry(self) -> Registry:
        """The commands that the bot registered."""
        return self.service.registry

    @property
    def clock(self) -> Clock:
        """The service's time."""
        return self.service.clock

    @property
    def bell(self) -> Bell:
        """Rung with every call: `await server.bell.until(lambda: ..., limit=10)`."""
        return self.service.bell

    @property
    def requests(self) -> deque[Request]:
        """Every call, in order."""
        return self.front.requests

    @property
    def violations(self) -> list[Violation]:
        """Bodies that were refused for their shape; a good client leaves it empty."""
        return self.service.violations

    @property
    def counts(self) -> Counter[str]:
        """How often: calls by route, "status 429", "code 50013", "messages", "repeats", "interactions"."""
        return self.service.counts

    @property
    def invalid_requests(self) -> int:
        """Answers of 401, 403 and 429 in ten minutes, of which 10,000 would mean a ban."""
        return self.service.buckets.invalid

    @property
    def rates(self) -> Rates:
        """How often the bot may call."""
        return self.service.buckets.rates

    @rates.setter
    def rates(self, rates: Rates) -> None:
        self.service.buckets.rates = rates

    def guild(self, name: str, *, locale: str = "en-US", joined: bool = True, bot_can: tuple[str, ...] = ()) -> Guild:
        """A new guild; `joined`: the bot is in it, with the permissions `bot_can` beyond everybody's."""
        places = self.service.places
        made = Guild(places, self.clock.snowflake(), name, _locale(locale), self.person(f"{name} owner"))
        if joined:
            made.add_bot(*bot_can)
        return made

    def person(self, name: str, *, locale: str = "en-US") -> Person:
        """Somebody new, whose app is in that language."""
        made = Person(self.clock.snowflake(), name, _locale(locale), service=self.service)
        self.service.places.add_user(made)
        return made

    def group(self, name: str, *people: User) -> Channel:
        """Direct messages of several people among themselves, where the bot is not."""
        return self.service.places.group(name, *people)

    def dm(self, person: User) -> Channel:
        """The channel of the bot and a person."""
        return self.service.places.direct(person)

    def fails(
        self,
        fault: Fault,
        *,
        channel: Channel | None = None,
        user: User | None = None,
        route: str | None = None,
        times: int | None = None,
    ) -> Armed:
        """Misbehave so for these calls, from now on or a number of times.

        `route` is "POST /channels/{channel_id}/messages"; all must fit that is not None. What comes back can be lifted.
        """
        if route is not None and route not in ROUTES:
            raise ValueError(f"{route!r} is no route; there are: {', '.join(ROUTES)}")
        armed = Armed(fault, channel.id if channel else None, user.id if user else None, route, times)
        self.front.armed.append(armed)
        return armed

    def heal(self) -> None:
        """Misbehave no longer."""
        self.front.armed.clear()

    @contextmanager
    def directed(self) -> Iterator[Self]:
        """While it lasts, discord.py talks to this server; before and after, to where it did."""
        from discord.gateway import DiscordWebSocket
        from discord.http import Route
        from yarl import URL

        before: tuple[Any, Any] = (Route.BASE, DiscordWebSocket.DEFAULT_GATEWAY)
        Route.BASE, DiscordWebSocket.DEFAULT_GATEWAY = self.api, URL(self.gateway.url)
        try:
            yield self
        finally:
            Route.BASE, DiscordWebSocket.DEFAULT_GATEWAY = before


def _locale(locale: str) -> str:
    if locale not in LOCALES:
        raise ValueError(f"{locale!r} is no locale of Discord's: {', '.join(sorted(LOCALES))}")
    return locale
