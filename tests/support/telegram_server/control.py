"""The server as a process of its own, and what is offered to those outside it under `/_/`.

    GET    /_/counters                    numbers: calls by method, refusals by code, the busiest second, updates
    GET    /_/calls?method=sendMessage    the record
    GET    /_/violations                  what Telegram's documentation does not know
    GET    /_/chats/42                    what the bot said there, as it stands now
    POST   /_/acts                        one act or a list: {"who": 42, "does": "writes", "text": "/start"}
    POST   /_/faults                      {"fault": "flood", "given": [7], "times": 1, "chat": 42}
    DELETE /_/faults
    POST   /_/settings                    {"rates": {"per_second": 30} | null, "rich": false, "delay": 0.1, "jitter": 1}

Acts are the methods of a person of the same name with their arguments; `taps` takes the newest message that has the
button. People are there as soon as they are named; `language` says which app they have.
"""

import json
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web

from tests.support.telegram_server.chats import Message
from tests.support.telegram_server.faults import Fault
from tests.support.telegram_server.people import Person
from tests.support.telegram_server.rates import Rates
from tests.support.telegram_server.server import TelegramServer

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

ACTS = ("writes", "taps", "asks_inline", "blocks_bot", "unblocks_bot", "sends_location")
FAULTS = (
    *("refuse", "flood", "blocked", "deactivated", "kicked", "no_member", "group_deleted", "migrated"),
    *("chat_not_found", "unauthorized", "conflict", "server_error", "bad_gateway", "garbage"),
    *("drop_early", "drop_late", "silent"),
)


class ControlledServer(TelegramServer):
    """A server that is told by HTTP what people do and what fails."""

    def extend(self, app: web.Application) -> None:
        self._people: dict[int, Person] = {}
        app.router.add_get("/_/counters", _answered(self._counters))
        app.router.add_get("/_/calls", _answered(self._calls))
        app.router.add_get("/_/violations", _answered(self._violations))
        app.router.add_get("/_/chats/{chat}", _answered(self._chat))
        app.router.add_post("/_/acts", _answered(self._act_all))
        app.router.add_post("/_/faults", _answered(self._fail))
        app.router.add_delete("/_/faults", _answered(self._heal))
        app.router.add_post("/_/settings", _answered(self._settle))

    async def _counters(self, _: web.Request) -> Any:
        return self.counters()

    async def _calls(self, request: web.Request) -> Any:
        wanted = request.query.get("method")
        return [vars(call) for call in self.calls if wanted in {None, call.method}]

    async def _violations(self, _: web.Request) -> Any:
        return self.violations

    async def _chat(self, request: web.Request) -> Any:
        chat = self.world.find(request.match_info["chat"])
        if chat is None:
            raise LookupError("chat not found")
        return [message.json() | {"html": message.html, "edits": message.edits} for message in chat.messages]

    async def _act_all(self, request: web.Request) -> Any:
        acts = await request.json()
        return [await self._act(**act) for act in acts] if isinstance(acts, list) else await self._act(**acts)

    async def _act(self, who: int, does: str, language: str = "en", **given: Any) -> Any:
        if does not in ACTS:
            raise ValueError(f"nobody {does!r}; acts are {ACTS}")
        person = self._people.get(who)
        if person is None:
            person = self._people[who] = self.person(who, language=language, name=f"Reader {who}")
        if does == "taps":
            return await person.taps(_newest_with(person, given["button"]), given["button"])
        return await getattr(person, does)(**given)

    async def _fail(self, request: web.Request) -> Any:
        body = await request.json()
        if body["fault"] not in FAULTS:
            raise ValueError(f"no fault {body['fault']!r}; there are {FAULTS}")
        fault: Fault = getattr(Fault, body["fault"])(*body.get("given", []))
        chat = body.get("chat")
        self.add_fault(fault.only(times=body.get("times"), method=body.get("method"), chat_id=chat))
        return True

    async def _heal(self, _: web.Request) -> Any:
        self.heal()
        return True

    async def _settle(self, request: web.Request) -> Any:
        body = await request.json()
        if "rates" in body:
            self.rates = None if body["rates"] is None else Rates(**body["rates"])
        self.world.rich = bool(body.get("rich", self.world.rich))
        self.delay = float(body.get("delay", self.delay))
        self.jitter = float(body.get("jitter", self.jitter))
        return True


def _newest_with(person: Person, button: str) -> Message:
    for message in reversed(person.messages):
        try:
            message.button(button)
        except LookupError:
            continue
        return message
    raise LookupError(f"no message to {person.chat_id} has a button {button!r}")


def _answered(handler: Callable[[web.Request], Awaitable[Any]]) -> Handler:
    """The handler's value as JSON; what is wrong with a request is said with a 400."""

    async def answer(request: web.Request) -> web.StreamResponse:
        try:
            return web.json_response(await handler(request))
        except (LookupError, TypeError, ValueError, json.JSONDecodeError) as error:
            return web.json_response({"error": str(error)}, status=400)

    return answer
