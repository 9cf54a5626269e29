"""The arguments of a call, wherever in the request they stand: query, form, JSON or multipart.

Telegram reads all four alike (core.telegram.org/bots/api#making-requests); objects in a form are JSON.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from tests.support.telegram_server.refusal import RefusalError, bad_request

MEGABYTE = 1 << 20
LARGEST = 50 * MEGABYTE  # of an upload, core.telegram.org/bots/api#sending-files


@dataclass(frozen=True)
class Upload:
    """A file that came with a request."""

    name: str
    content: bytes
    content_type: str


@dataclass(frozen=True)
class Arguments:
    """What a method was given, by name: strings as forms have them, or values as JSON has them."""

    given: Mapping[str, Any]
    files: Mapping[str, Upload] = field(default_factory=dict)

    def __contains__(self, name: str) -> bool:
        return name in self.given or name in self.files

    def text(self, name: str, default: str = "") -> str:
        value = self.given.get(name, default)
        return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)

    def integer(self, name: str, default: int = 0) -> int:
        """A whole number; what is none counts as not given, as it does there."""
        try:
            return int(self.given.get(name, default))
        except (TypeError, ValueError):
            return default

    def truth(self, name: str) -> bool:
        value = self.given.get(name)
        return value is True or (isinstance(value, str) and value.strip().lower() in {"true", "yes", "1"})

    def object(self, name: str, called: str) -> Any:
        """A JSON value, None if there is none; `called` is what Telegram names it in a refusal."""
        value = self.given.get(name)
        if not isinstance(value, str):
            return value
        if not value:
            return None
        try:
            return json.loads(value)
        except ValueError:
            raise bad_request(f"can't parse {called} JSON object") from None

    def record(self) -> dict[str, Any]:
        """The same with JSON decoded, for the record; a file is its name, its size and its type."""
        shown: dict[str, Any] = {}
        for name, value in self.given.items():
            shown[name] = _decoded(value)
        for name, upload in self.files.items():
            shown[name] = {"file": upload.name, "size": len(upload.content), "type": upload.content_type}
        return shown


async def read(request: web.Request) -> Arguments:
    """Everything the request says, its query first; a later place does not overrule an earlier one."""
    given: dict[str, Any] = dict(request.query)
    files: dict[str, Upload] = {}
    if request.method != "POST" or not request.body_exists:
        return Arguments(given)
    if request.content_type == "application/json":
        try:
            body = json.loads(await request.read() or b"{}")
        except ValueError:
            raise bad_request("can't parse JSON object") from None
        if not isinstance(body, dict):
            raise bad_request("object expected")
        return Arguments(body | given)
    if request.content_type not in {"application/x-www-form-urlencoded", "multipart/form-data"}:
        return Arguments(given)
    try:
        form = await request.post()
    except web.HTTPRequestEntityTooLarge:
        raise RefusalError(413, "Request Entity Too Large") from None
    for name, value in form.items():
        if isinstance(value, web.FileField):
            files[name] = Upload(value.filename, value.file.read(), value.content_type)
        elif isinstance(value, str):
            given.setdefault(name, value)
        else:
            given.setdefault(name, bytes(value).decode(errors="replace"))
    return Arguments(given, files)


def _decoded(value: Any) -> Any:
    """A string that is a JSON object, list, number or truth is shown as such, anything else as it came."""
    if not isinstance(value, str) or value[:1] not in set('[{-0123456789tf"'):
        return value
    try:
        decoded = json.loads(value)
    except ValueError:
        return value
    return value if isinstance(decoded, str) else decoded
