"""Faults of the server on demand, and the calls that they affect."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from tests.support.discord_server.errors import RefusalError

OPENING = "POST /users/@me/channels"
HTML = b"<html><head><title>502 Bad Gateway</title></head><body><h1>502 Bad Gateway</h1></body></html>"


class Way(Enum):
    """The effect of a fault on a call."""

    REFUSED = "refused"
    BROKEN = "broken"
    LIMITED = "limited"
    BANNED = "banned"
    UNREAD = "unread"
    LOST = "lost"
    SILENT = "silent"


@dataclass(frozen=True)
class Fault:
    """One kind of fault."""

    way: Way
    code: int = 0
    status: int = 0
    retry_after: float | None = None
    scope: str = "user"

    @classmethod
    def refusal(cls, code: int, *, retry_after: float | None = None) -> Fault:
        """One of Discord's refusals, as JSON: 50013, 20016 with a wait, ..."""
        RefusalError(code)  # a code that is not known is the test's mistake
        return cls(Way.REFUSED, code, retry_after=retry_after)

    @classmethod
    def answers(cls, status: int) -> Fault:
        """A bare status: 401, 403, 404 with the service's JSON, 500, 503, 504 with none, 502 with a page of HTML."""
        return cls(Way.REFUSED if status < 500 else Way.BROKEN, status=status)

    @classmethod
    def limited(cls, retry_after: float, *, scope: str = "user") -> Fault:
        """429, whose limit is the "user"'s, "global" or "shared"."""
        return cls(Way.LIMITED, retry_after=retry_after, scope=scope)

    @classmethod
    def banned(cls) -> Fault:
        """429 of the wall before the service: HTML, without a wait."""
        return cls(Way.BANNED)

    @classmethod
    def unread(cls) -> Fault:
        """The connection is dropped before the call is read; nothing happened."""
        return cls(Way.UNREAD)

    @classmethod
    def lost(cls) -> Fault:
        """The call is carried out, and the connection dropped instead of an answer."""
        return cls(Way.LOST)

    @classmethod
    def silent(cls) -> Fault:
        """The call is carried out, and no answer ever comes."""
        return cls(Way.SILENT)


@dataclass(eq=False)
class Armed:
    """A fault with what it is for: None is anything. `times` counts down, None is for ever."""

    fault: Fault
    channel: int | None = None
    user: int | None = None
    route: str | None = None
    times: int | None = None
    met: int = 0
    """How often it struck."""

    def fits(self, route: str, channel: int | None, users: set[int]) -> bool:
        """Whether a call is one that it is for."""
        if self.times is not None and self.met >= self.times:
            return False
        if self.user is not None and route == OPENING and self.route is None:
            return False  # a channel can be opened to somebody who then takes no messages
        return (
            self.route in (None, route)
            and (self.channel is None or self.channel == channel)
            and (self.user is None or self.user in users)
        )

    def lift(self) -> None:
        """Misbehave no longer."""
        self.times = self.met
