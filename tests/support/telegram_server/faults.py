"""Faults and refusals of the local Telegram server, on demand.

    server.fail(Fault.flood(7), times=1)                              # the next call that is no listening
    server.fail(Fault.blocked(), chat=ada)                            # every call about Ada, until healed
    server.fail(Fault.conflict(), method="getUpdates")
    server.fail(Fault.drop_late(), times=1, method="sendMessage")     # delivered, but nobody is told

A refusal is given instead of doing anything. Of the others, `drop_late` and `silent` do what was asked first.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import Enum
from typing import Any, Self

from tests.support.telegram_server.refusal import RefusalError, bad_request, conflict, forbidden, too_many

LISTENING = {"getUpdates", "getMe", "getWebhookInfo", "setWebhook", "deleteWebhook"}
"""Methods that a fault without a method does not affect, since tests do not choose how often they are called."""


class How(Enum):
    """The effect of a fault on a call."""

    REFUSE = "refused"
    PAGE = "a page of HTML instead of an answer"
    GARBAGE = "a body that is not JSON"
    DROP_EARLY = "the connection ends before the request is read"
    DROP_LATE = "done, and then the connection ends without an answer"
    SILENT = "done, and no answer ever comes"


@dataclass(frozen=True)
class Fault:
    """One way to fail; `only` limits it to a number of calls, to a method (`*`: any), to a chat."""

    how: How
    refusal: Callable[[], RefusalError] | None = None
    status: int = 200
    times: int | None = None
    method: str | None = None
    chat_id: int | None = None

    def only(self, *, times: int | None = None, method: str | None = None, chat_id: int | None = None) -> Self:
        if times is not None and times < 1:
            raise ValueError(f"a fault happens at least once, not {times} times")
        if self.how is How.DROP_EARLY and chat_id is not None:
            raise ValueError("whom a request is about is not known before it is read")
        return replace(self, times=times, method=method, chat_id=chat_id)

    def fits(self, method: str, chat_id: int | None) -> bool:
        if self.chat_id is not None and self.chat_id != chat_id:
            return False
        if self.method is None:
            return method not in LISTENING
        return self.method == "*" or self.method.lower() == method.lower()

    @property
    def late(self) -> bool:
        """Whether the call is carried out before it fails."""
        return self.how in {How.DROP_LATE, How.SILENT}

    @classmethod
    def refuse(cls, code: int, description: str, **parameters: Any) -> Self:
        return cls(How.REFUSE, lambda: RefusalError(code, description, **parameters), code)

    @classmethod
    def flood(cls, seconds: int) -> Self:
        """429, whatever the rates; seconds may be hours' worth."""
        return cls(How.REFUSE, lambda: too_many(seconds), 429)

    @classmethod
    def blocked(cls) -> Self:
        return cls(How.REFUSE, lambda: forbidden("bot was blocked by the user"), 403)

    @classmethod
    def deactivated(cls) -> Self:
        return cls(How.REFUSE, lambda: forbidden("user is deactivated"), 403)

    @classmethod
    def kicked(cls, kind: str = "group") -> Self:
        """403: the bot was removed from a `group`, `supergroup` or `channel`."""
        return cls(How.REFUSE, lambda: forbidden(f"bot was kicked from the {kind} chat"), 403)

    @classmethod
    def no_member(cls, kind: str = "group") -> Self:
        return cls(How.REFUSE, lambda: forbidden(f"bot is not a member of the {kind} chat"), 403)

    @classmethod
    def group_deleted(cls) -> Self:
        return cls(How.REFUSE, lambda: forbidden("the group chat was deleted"), 403)

    @classmethod
    def migrated(cls, to: int) -> Self:
        words = "Bad Request: group chat was upgraded to a supergroup chat"
        return cls(How.REFUSE, lambda: RefusalError(400, words, migrate_to_chat_id=to), 400)

    @classmethod
    def chat_not_found(cls) -> Self:
        return cls(How.REFUSE, lambda: bad_request("chat not found"), 400)

    @classmethod
    def unauthorized(cls) -> Self:
        return cls(How.REFUSE, lambda: RefusalError(401, "Unauthorized"), 401)

    @classmethod
    def conflict(cls) -> Self:
        words = "terminated by other getUpdates request; make sure that only one bot instance is running"
        return cls(How.REFUSE, lambda: conflict(words), 409)

    @classmethod
    def server_error(cls) -> Self:
        return cls(How.REFUSE, lambda: RefusalError(500, "Internal Server Error"), 500)

    @classmethod
    def bad_gateway(cls) -> Self:
        return cls(How.PAGE, status=502)

    @classmethod
    def garbage(cls) -> Self:
        return cls(How.GARBAGE)

    @classmethod
    def drop_early(cls) -> Self:
        return cls(How.DROP_EARLY)

    @classmethod
    def drop_late(cls) -> Self:
        return cls(How.DROP_LATE)

    @classmethod
    def silent(cls) -> Self:
        return cls(How.SILENT)


class Faults:
    """The active faults; the first one that matches a call is used."""

    def __init__(self) -> None:
        self.waiting: list[Fault] = []

    def take(self, method: str, chat_id: int | None, *, early: bool = False) -> Fault | None:
        """The fault for a call, used once; `early` asks for those that need not know the chat."""
        for place, fault in enumerate(self.waiting):
            if (fault.how is How.DROP_EARLY) is early and fault.fits(method, chat_id):
                if fault.times is not None:
                    left = [replace(fault, times=fault.times - 1)] if fault.times > 1 else []
                    self.waiting[place : place + 1] = left
                return fault
        return None
