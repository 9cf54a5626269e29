"""Control of the server by HTTP below /_/, for a server in a process of its own.

    POST   /_/guilds      {"name", "locale"?, "joined"?, "bot_can"?, "channels"?: [["text", "papers"], ...]}
    POST   /_/people      {"name", "locale"?, "guild"?, "can"?: [...], "installs"?}
    POST   /_/uses        {"person", "command", "channel"?, "options"?}      what the person sees
    POST   /_/completes   {"person", "command", "channel"?, "options"}       the choices
    POST   /_/taps        {"person", "channel", "message", "button"}
    POST   /_/selects     {"person", "channel", "message", "select", "values"}
    POST   /_/says        {"person", "channel", "words"}
    POST   /_/faults      {"way", "code"?, "status"?, "retry_after"?, "channel"?, "user"?, "route"?, "times"?}
    DELETE /_/faults
    POST   /_/gateway     {"do": "drop" | "reconnect" | "invalidate" | "close", "code"?, "resumable"?}
    POST   /_/clock       {"seconds"}
    GET    /_/counts      counters, the gateway's, violations, invalid requests
    GET    /_/channels/{id}/messages

Ids are strings. An option whose value is {"channel": id}, {"user": id} or {"role": id} is that object.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web

from tests.support.discord_server.choosing import NotOfferedError
from tests.support.discord_server.faults import Fault, Way
from tests.support.discord_server.interactions import Reply, UnansweredError
from tests.support.discord_server.messages import Json
from tests.support.discord_server.people import Person
from tests.support.discord_server.server import DiscordServer


class ControlledServer(DiscordServer):
    """The server with its control beside the API."""

    def add_routes(self, app: web.Application) -> None:
        posts: dict[str, Callable[[Json], Awaitable[Any]]] = {
            "guilds": self._guilds,
            "people": self._people,
            "uses": self._uses,
            "completes": self._completes,
            "taps": self._taps,
            "selects": self._selects,
            "says": self._says,
            "faults": self._faults,
            "gateway": self._gateway,
            "clock": self._move,
        }
        for name, does in posts.items():
            app.router.add_post(f"/_/{name}", _doing(does))
        app.router.add_delete("/_/faults", self._heal)
        app.router.add_get("/_/counts", self._counts)
        app.router.add_get("/_/channels/{id}/messages", self._messages)

    async def _guilds(self, asked: Json) -> Any:
        made = self.guild(
            asked["name"],
            locale=asked.get("locale", "en-US"),
            joined=asked.get("joined", True),
            bot_can=tuple(asked.get("bot_can", ())),
        )
        kinds = {
            "text": made.text,
            "announcement": made.announcement,
            "forum": made.forum,
            "stage": made.stage,
            "voice": made.voice,
            "category": made.category,
        }
        channels = [str(kinds[kind](name).id) for kind, name in asked.get("channels", ())]
        return {"id": str(made.id), "channels": channels}

    async def _people(self, asked: Json) -> Any:
        person = self.person(asked["name"], locale=asked.get("locale", "en-US"))
        if "guild" in asked:
            person.can(self.service.places.guilds[int(asked["guild"])], *asked.get("can", ()))
        if asked.get("installs"):
            person.installs()
        return {"id": str(person.id), "direct": str(person.direct.id)}

    async def _uses(self, asked: Json) -> Any:
        person, channel = self._person(asked), self._channel(asked)
        return _seen(await person.uses(asked["command"], in_=channel, **self._options(asked)))

    async def _completes(self, asked: Json) -> Any:
        person, channel = self._person(asked), self._channel(asked)
        return await person.completes(asked["command"], in_=channel, **self._options(asked))

    async def _taps(self, asked: Json) -> Any:
        channel = self.service.places.channels[int(asked["channel"])]
        return _seen(await self._person(asked).taps(channel.held[int(asked["message"])], asked["button"]))

    async def _selects(self, asked: Json) -> Any:
        message = self.service.places.channels[int(asked["channel"])].held[int(asked["message"])]
        return _seen(await self._person(asked).selects(message, asked["select"], *asked["values"]))

    async def _says(self, asked: Json) -> Any:
        return self._person(asked).says(asked["words"], in_=self._channel(asked)).json()

    async def _faults(self, asked: Json) -> Any:
        places = self.service.places
        fault = Fault(
            Way(asked["way"]),
            asked.get("code", 0),
            asked.get("status", 0),
            asked.get("retry_after"),
            asked.get("scope", "user"),
        )
        self.fails(
            fault,
            channel=self._channel(asked),
            user=places.users[int(asked["user"])] if "user" in asked else None,
            route=asked.get("route"),
            times=asked.get("times"),
        )
        return {}

    async def _gateway(self, asked: Json) -> Any:
        match asked["do"]:
            case "drop":
                self.gateway.drop()
            case "reconnect":
                self.gateway.reconnect()
            case "invalidate":
                self.gateway.invalidate(resumable=bool(asked.get("resumable")))
            case "close":
                self.gateway.close(int(asked["code"]))
            case other:
                raise ValueError(f"{other!r} cannot be done to the gateway")
        return {}

    async def _move(self, asked: Json) -> Any:
        self.clock.move(float(asked["seconds"]))
        return {"now": self.clock.now.isoformat()}

    async def _heal(self, request: web.Request) -> web.Response:
        self.heal()
        return _json({})

    async def _counts(self, request: web.Request) -> web.Response:
        violations = [{"route": each.route, "says": each.says} for each in self.violations]
        return _json(
            {
                "counts": dict(self.counts),
                "gateway": dict(self.gateway.counts),
                "violations": violations,
                "invalid_requests": self.invalid_requests,
            }
        )

    async def _messages(self, request: web.Request) -> web.Response:
        channel = self.service.places.channels[int(request.match_info["id"])]
        return _json({"posted": channel.posted, "messages": [each.json() for each in channel.messages]})

    def _person(self, asked: Json) -> Person:
        person = self.service.places.users[int(asked["person"])]
        if not isinstance(person, Person):
            raise KeyError(asked["person"])
        return person

    def _channel(self, asked: Json) -> Any:
        return self.service.places.channels[int(asked["channel"])] if "channel" in asked else None

    def _options(self, asked: Json) -> Json:
        places = self.service.places
        roles = {role.id: role for guild in places.guilds.values() for role in guild.roles.values()}
        found: dict[str, Any] = {"channel": places.channels, "user": places.users, "role": roles}
        return {
            name: found[next(iter(value))][int(next(iter(value.values())))] if isinstance(value, dict) else value
            for name, value in asked.get("options", {}).items()
        }


def _seen(reply: Reply) -> Json:
    after = reply.interaction.acknowledged_after
    if reply.interaction.form is not None:
        return {"form": reply.modal, "acknowledged_after": after}
    shown = reply.message.json()
    return {"message": shown, "text": reply.text, "deferred": reply.deferred, "acknowledged_after": after}


def _doing(does: Callable[[Json], Awaitable[Any]]) -> Callable[[web.Request], Awaitable[web.Response]]:
    async def serve(request: web.Request) -> web.Response:
        try:
            return _json(await does(await request.json()))
        except (NotOfferedError, UnansweredError, KeyError, TypeError, ValueError) as error:
            return _json({"error": f"{type(error).__name__}: {error}"}, 400)

    return serve


def _json(said: Any, status: int = 200) -> web.Response:
    return web.Response(status=status, body=json.dumps(said).encode(), headers={"Content-Type": "application/json"})
