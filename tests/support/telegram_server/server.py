"""A local Telegram Bot API server for one bot, as strict as Telegram's own.

async with TelegramServer() as server:
    bot = telegram.Bot(server.token, base_url=server.base_url, base_file_url=server.base_file_url)
    ada = server.person(42, language="ko")
    await ada.writes("/start")                        # the bot's listener gets the update
    heard = await ada.hears("message")                # and answers
    await ada.taps(heard.message, "Subscribe")
    assert not server.violations                      # every call agrees with Telegram's documentation
"""

import asyncio
import random
import re
import time
from collections.abc import Callable
from typing import Any, Self

from aiohttp import web

from tests.support.telegram_server import reference
from tests.support.telegram_server.arguments import LARGEST, MEGABYTE, Arguments, read
from tests.support.telegram_server.bell import LIMIT
from tests.support.telegram_server.chats import Chat
from tests.support.telegram_server.faults import Fault, Faults, How
from tests.support.telegram_server.methods import METHODS
from tests.support.telegram_server.people import Person, Resident
from tests.support.telegram_server.places import Place
from tests.support.telegram_server.rates import Rates
from tests.support.telegram_server.record import Call, Record
from tests.support.telegram_server.refusal import RefusalError
from tests.support.telegram_server.webhook import Webhook
from tests.support.telegram_server.world import World

TOKEN = "123456789:AAtest-token-of-the-local-server-00"
TOKENS = re.compile(r"\d{1,19}:[A-Za-z0-9_-]{20,64}", re.ASCII)
PAGE = "<html><head><title>502 Bad Gateway</title></head><body><h1>502 Bad Gateway</h1></body></html>"


class TelegramServer:
    """The server, its people and places, its record, its faults.

    record    -- off: counters alone, so that memory stays bounded
    everybody -- any positive chat id is somebody who wrote to the bot
    rates     -- sending is limited as there; None: it is not
    rich      -- off: sendRichMessage is not known, as on an older server
    largest   -- bytes of an upload
    """

    def __init__(
        self,
        *,
        token: str = TOKEN,
        username: str = "papers_bot",
        record: bool = True,
        everybody: bool = False,
        rates: Rates | None = None,
        rich: bool = True,
        largest: int = LARGEST,
        port: int = 0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        bot = {"id": int(token.partition(":")[0]), "is_bot": True, "first_name": "Papers", "username": username}
        bot |= {"can_join_groups": True, "can_read_all_group_messages": False, "supports_inline_queries": True}
        bot |= {"can_connect_to_business": False, "has_main_web_app": False}
        self.token = token
        self.world = World(bot, clock=clock, record=record, everybody=everybody)
        self.world.rates, self.world.rich = rates, rich
        self.reference = reference.from_environment()
        self.record = Record(full=record)
        self.calls, self.counts, self.refusals = self.record.calls, self.record.counts, self.record.refusals
        self.violations = self.record.violations
        self.delay = 0.0  # seconds that every answer takes longer
        self.jitter = 0.0  # seconds that a call is on its way at most: later ones overtake
        self._chance = random.Random(7)
        self._faults = Faults()
        self._bots: dict[str, TelegramServer] = {}
        self._webhook = Webhook(self.world)
        self._port, self._largest, self._closing = port, largest, asyncio.Event()

    async def __aenter__(self) -> Self:
        app = web.Application(client_max_size=self._largest + MEGABYTE)
        app.router.add_route("*", "/bot{token}/{method}", self._call)
        app.router.add_get("/file/bot{token}/{path:.+}", self._download)
        self.extend(app)
        app.router.add_route("*", "/{other:.*}", self._nothing)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=1, handler_cancellation=True)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self._port).start()
        self._port = self._runner.addresses[0][1]  # kept: a server that comes back is found where it was
        self.origin = f"http://127.0.0.1:{self._port}"
        self.base_url, self.base_file_url = f"{self.origin}/bot", f"{self.origin}/file/bot"
        self._closing.clear()
        self.world.updates.closing = False
        await self._webhook.start()
        return self

    async def __aexit__(self, *exc: object) -> None:
        self._closing.set()
        self.world.updates.close()
        await self._webhook.stop()
        await self._runner.cleanup()

    def extend(self, app: web.Application) -> None:
        """A hook for subclasses with more routes."""

    def host(self, other: Self) -> None:
        """Answer for another bot too, which has people, places and faults of its own: Telegram has one address."""
        self._bots[other.token] = other

    @property
    def port(self) -> int:
        return self._port

    @property
    def rates(self) -> Rates | None:
        return self.world.rates

    @rates.setter
    def rates(self, rates: Rates | None) -> None:
        self.world.rates = rates

    def person(self, user_id: int, *, language: str | None = "en", name: str = "Ada", username: str = "") -> Person:
        """A new person, who has not written to the bot yet."""
        user: dict[str, Any] = {"id": user_id, "is_bot": False, "first_name": name}
        user |= {"language_code": language} if language else {}
        user |= {"username": username} if username else {}
        chat = self.world.add(Chat(user_id, "private", user=user, username=username or None))
        return Person(self.world, chat, user)

    def group(self, chat_id: int, *, title: str = "Reading group") -> Place:
        """A new basic group, which the bot is not in."""
        return Place(self.world, self.world.add(Chat(chat_id, "group", title=title)))

    def supergroup(
        self, chat_id: int, *, title: str = "Reading group", forum: bool = False, username: str | None = None
    ) -> Place:
        chat = Chat(chat_id, "supergroup", title=title, is_forum=forum, username=username)
        return Place(self.world, self.world.add(chat))

    def channel(self, chat_id: int, *, title: str = "Papers", username: str | None = None) -> Place:
        return Place(self.world, self.world.add(Chat(chat_id, "channel", title=title, username=username)))

    def fail(
        self, fault: Fault, *, times: int | None = None, method: str | None = None, chat: Resident | None = None
    ) -> None:
        """Let the next calls fail: `times` of them, those of a method (`*`: any), those about a chat."""
        chat_id = chat.chat_id if chat else None
        self.add_fault(fault.only(times=times, method=method, chat_id=chat_id))

    def add_fault(self, fault: Fault) -> None:
        """The same with a fault that already says when it happens."""
        self._faults.waiting.append(fault)

    def heal(self) -> None:
        """End all faults."""
        self._faults.waiting.clear()

    def calls_of(self, *methods: str) -> list[Call]:
        return [call for call in self.calls if call.method in methods]

    async def answered(self, number: int, method: str | None = None, limit: float = LIMIT) -> int:
        """Wait until that many calls were answered, of a method or of all but getUpdates. Returns their number."""

        def look() -> int | None:
            done = self.counts[method] if method else self.counts.total() - self.counts["getUpdates"]
            return done if done >= number else None

        return await self.world.bell.until(look, lambda: f"{number} calls did not come: {dict(self.counts)}", limit)

    async def polled(self, limit: float = LIMIT) -> None:
        """Until the bot has taken every update and waits for the next."""

        def look() -> bool | None:
            return True if self.world.updates.polling and not self.world.updates.pending else None

        await self.world.bell.until(look, lambda: "the bot does not wait for updates", limit)

    def expire_queries(self) -> None:
        """What was tapped and asked so far is too old to be answered."""
        self.world.expire_queries()

    def route_webhook(self, origin: str | None) -> None:
        """Updates for a webhook, whatever its host, go to that origin of this machine, as by a proxy before it."""
        self._webhook.origin = origin

    def counters(self) -> dict[str, Any]:
        refused = {str(code): number for code, number in self.refusals.items()}
        counted = {"calls": dict(self.counts), "refusals": refused, "peak": self.record.peak}
        told, waiting = self.world.updates.told, len(self.world.updates.pending)
        return counted | {"updates": told, "pending": waiting, "violations": len(self.violations)}

    async def _call(self, request: web.Request) -> web.StreamResponse:
        started = self.world.clock()
        token, wanted = request.match_info["token"], request.match_info["method"]
        name, method = METHODS.get(wanted.lower(), ("", None))
        if not TOKENS.fullmatch(token):
            return self._answer(RefusalError(404, "Not Found"))
        if token != self.token:
            other = self._bots.get(token)
            return self._answer(RefusalError(401, "Unauthorized")) if other is None else await other._call(request)
        if (
            method is None
            or request.method not in {"GET", "POST"}
            or (name == "sendRichMessage" and not self.world.rich)
        ):
            return self._answer(RefusalError(404, "Not Found"))
        if self._faults.take(name, None, early=True):
            return _drop(request)
        if self.jitter:
            await asyncio.sleep(self._chance.uniform(0, self.jitter))
        fault: Fault | None = None
        arguments = Arguments({})
        result: Any = None
        refused: RefusalError | None = None
        try:
            arguments = await read(request)
            self._check(name, arguments)
            chat_id = self._chat_id(arguments)
            fault = self._faults.take(name, chat_id)
            if fault and fault.refusal:
                raise fault.refusal()
            if fault is None or fault.late:
                result = method(self.world, arguments)
                result = await result if asyncio.iscoroutine(result) else result
                self._webhook.poke()
        except RefusalError as refusal:
            refused = refusal
        status = None
        if fault and not fault.refusal:
            status = fault.status if fault.how in {How.PAGE, How.GARBAGE} else 0
        now = self.world.clock()
        self.record.note(name, arguments, when=started, now=now, refused=refused, result=result, status=status)
        self.world.bell.ring()
        if self.delay:
            await asyncio.sleep(self.delay)
        if fault and not fault.refusal:
            return await self._misbehave(request, fault)
        return self._answer(refused, result)

    def _check(self, method: str, arguments: Arguments) -> None:
        """Check a call against the reference. Raises RefusalError."""
        problems = self.reference.problems(method, arguments) if self.reference else []
        if problems:
            self.record.violate(problems)
            raise RefusalError(400, f"REFERENCE: {'; '.join(problems)}")

    def _chat_id(self, arguments: Arguments) -> int | None:
        """The chat that a call is about: named, or that of the person whose query it answers."""
        if "chat_id" in arguments:
            chat = self.world.find(arguments.text("chat_id"))
            return chat.chat_id if chat else None
        for name in ("callback_query_id", "inline_query_id"):
            if query := self.world.queries.get(arguments.text(name)):
                return query.chat.chat_id
        return None

    def _answer(self, refused: RefusalError | None, result: Any = None) -> web.Response:
        if refused is None:
            return web.json_response({"ok": True, "result": result})
        self.refusals[refused.code] += 1
        wait = refused.parameters.get("retry_after")
        headers = {"Retry-After": str(wait)} if wait else {}
        return web.json_response(refused.answer, status=refused.code, headers=headers)

    async def _misbehave(self, request: web.Request, fault: Fault) -> web.StreamResponse:
        if fault.how is How.PAGE:
            return web.Response(status=fault.status, text=PAGE, content_type="text/html")
        if fault.how is How.GARBAGE:
            return web.Response(text='{"ok":tru', content_type="application/json")
        if fault.how is How.SILENT:
            await self._closing.wait()
        return _drop(request)

    async def _download(self, request: web.Request) -> web.Response:
        if request.match_info["token"] != self.token:
            return self._answer(RefusalError(401, "Unauthorized"))
        upload = self.world.files.get(request.match_info["path"].removeprefix("files/"))
        if upload is None:
            return self._answer(RefusalError(404, "Not Found"))
        return web.Response(body=upload.content, content_type="application/octet-stream")

    async def _nothing(self, request: web.Request) -> web.Response:
        return self._answer(RefusalError(404, "Not Found"))


def _drop(request: web.Request) -> web.Response:
    """Close the connection without an answer."""
    if request.transport:
        request.transport.abort()
    return web.Response()
