"""Error answers of the Bot API."""

from typing import Any


class RefusalError(Exception):
    """An answer that is not ok: a code that is also the HTTP status, a description, at times parameters."""

    def __init__(self, code: int, description: str, **parameters: Any) -> None:
        super().__init__(description)
        self.code, self.description, self.parameters = code, description, parameters

    @property
    def answer(self) -> dict[str, Any]:
        """The JSON object of the answer."""
        said = {"ok": False, "error_code": self.code, "description": self.description}
        return said | ({"parameters": self.parameters} if self.parameters else {})


def bad_request(words: str) -> RefusalError:
    return RefusalError(400, f"Bad Request: {words}")


def forbidden(words: str) -> RefusalError:
    return RefusalError(403, f"Forbidden: {words}")


def conflict(words: str) -> RefusalError:
    return RefusalError(409, f"Conflict: {words}")


def too_many(seconds: int) -> RefusalError:
    return RefusalError(429, f"Too Many Requests: retry after {seconds}", retry_after=seconds)
