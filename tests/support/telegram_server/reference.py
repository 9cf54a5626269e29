"""Calls held against Telegram's own documentation, in the machine-readable copy that PAPERS_REFERENCE has.

What is checked: unknown and missing arguments, types through and through, fixed values, stated lengths. Lengths for
which Telegram has words of its own are left to the server, so that the same words are answered with and without.
"""

import functools
import json
import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from tests.support.telegram_server.arguments import Arguments

Described = dict[str, Any]

OWN_WORDS = {
    *(("InlineKeyboardButton", "callback_data"), ("answerCallbackQuery", "text"), ("CopyTextButton", "text")),
    *(("BotCommand", "command"), ("BotCommand", "description"), ("setMyDescription", "description")),
    *(("setMyShortDescription", "short_description"), ("InputTextMessageContent", "message_text")),
    *(("getUpdates", "limit"), ("setMyName", "name")),
}
LENGTH = re.compile(r"(\d+)-(\d+) (characters|bytes)(?! after entit)")
LEAST_MOST = re.compile(r"[Vv]alues between (\d+)-(\d+) are accepted|, (\d+)-(\d+)\. Defaults")
AT_MOST = re.compile(r"At most (\d+) ")
FIXED = re.compile(r"(?:must be|always) “?\"?([a-z0-9_]+)\"?”?$")
CHOICE = re.compile(r"Must be one of (.+?)(?:\.|$)")


class Reference:
    """Methods and types by name. `problems` of a call are sentences; none means that the call is as documented."""

    def __init__(self, file: Path) -> None:
        document = json.loads(file.read_bytes())
        self.methods: dict[str, Described] = document["methods"]
        self.types: dict[str, Described] = document["types"]

    def problems(self, method: str, arguments: Arguments) -> list[str]:
        """What is wrong with the arguments of a method."""
        described = self.methods.get(method)
        if described is None:
            return [f"{method} is not documented"]
        fields = {field["name"]: field for field in described.get("fields", [])}
        given = dict(arguments.given)
        uploads = {name for name in arguments.files if name not in fields and f"attach://{name}" not in str(given)}
        found = [f"{method} has no parameter {name}" for name in sorted((given.keys() - fields.keys()) | uploads)]
        for name, field in fields.items():
            if name in given:
                found += self._field(method, field, given[name], loose=not isinstance(given[name], (dict, list)))
            elif name in arguments.files:
                if "InputFile" not in field["types"]:
                    found.append(f"{method}.{name} is no file")
            elif field["required"]:
                found.append(f"{method} lacks {name}")
        return found

    def problems_of(self, kind: str, value: Any) -> list[str]:
        """What is wrong with an object of a documented type, such as an Update."""
        return list(self._typed(kind, value, kind, loose=False))

    def _field(self, owner: str, field: Described, value: Any, *, loose: bool) -> Iterator[str]:
        place = f"{owner}.{field['name']}"
        tried = [list(self._typed(kind, value, place, loose=loose)) for kind in field["types"]]
        if all(tried):
            yield from min(tried, key=len)
        elif (owner, field["name"]) not in OWN_WORDS:
            yield from _stated(place, field, value, loose=loose)

    def _typed(self, kind: str, value: Any, place: str, *, loose: bool) -> Iterator[str]:
        """Whether a value is of a type. A loose value came in a form, where all is text and objects are JSON."""
        wrong = f"{place} is no {kind}: {str(value)[:80]!r}"
        if kind.startswith("Array of ") or kind in self.types:
            if loose and isinstance(value, str):
                try:
                    value = json.loads(value)
                except ValueError:
                    yield wrong
                    return
            if kind in self.types:
                yield from self._object(kind, value, place)
            elif isinstance(value, list):
                for number, each in enumerate(value):
                    yield from self._typed(kind.removeprefix("Array of "), each, f"{place}[{number}]", loose=False)
            else:
                yield wrong
        elif not _plain(kind, value, loose=loose):
            yield wrong

    def _object(self, kind: str, value: Any, place: str) -> Iterator[str]:
        if isinstance(value, str) and kind == "InputFile":
            return
        if kind == "RichText" and isinstance(value, (str, list)):
            return
        if not isinstance(value, dict):
            yield f"{place} is no {kind}: {str(value)[:80]!r}"
            return
        described = self.types[kind]
        if "subtypes" in described:
            tried = [list(self._object(each, value, place)) for each in described["subtypes"]]
            if all(tried):
                # The kind that was meant is the one whose fixed values fit.
                meant = [found for found in tried if not any("must be" in problem for problem in found)]
                yield from min(meant or tried, key=len)
            return
        fields = {field["name"]: field for field in described.get("fields", [])}
        yield from (f"{place}: {kind} has no field {name}" for name in value if name not in fields)
        for name, field in fields.items():
            if name in value:
                yield from self._field(kind, field, value[name], loose=False)
            elif field["required"]:
                yield f"{place}: {kind} lacks {name}"


def _plain(kind: str, value: Any, *, loose: bool) -> bool:
    """Whether a value is a number, a text or a truth, or the form's text of one."""
    if loose and isinstance(value, str) and kind != "String":
        try:
            value = json.loads(value.lower())
        except ValueError:
            return False
    if kind in {"Integer", "Float"}:
        return isinstance(value, int if kind == "Integer" else (int, float)) and not isinstance(value, bool)
    if kind in {"Boolean", "True"}:
        return isinstance(value, bool)
    return kind == "String" and (isinstance(value, str) or (loose and isinstance(value, int)))


def _stated(place: str, field: Described, value: Any, *, loose: bool) -> Iterator[str]:
    """Fixed values, choices, lengths and ranges, as far as the description of a field states them."""
    described = field["description"]
    if isinstance(value, str):
        if (fixed := FIXED.search(described)) and value != fixed[1]:
            yield f"{place} must be {fixed[1]}, not {value[:80]!r}"
        choice = CHOICE.search(described)
        choices = re.findall(r'"([a-z_]+)"', choice[1]) if choice else []
        if choices and value not in choices:
            yield f"{place} must be one of {choices}, not {value[:80]!r}"
        if stated := LENGTH.search(described):
            size = len(value.encode()) if stated[3] == "bytes" else len(value)
            if not int(stated[1]) <= size <= int(stated[2]):
                yield f"{place} must have {stated[0]}, not {size}"
        if loose and re.fullmatch(r"-?\d+", value):
            value = int(value)
    if isinstance(value, int) and not isinstance(value, bool) and (stated := LEAST_MOST.search(described)):
        least, most = (int(figure) for figure in stated.groups() if figure)
        if not least <= value <= most:
            yield f"{place} must be {least} to {most}, not {value}"


@functools.cache
def load(folder: str) -> Reference:
    """The reference in a folder, read once."""
    return Reference(Path(folder) / "data" / "telegram-bot-api.json")


def from_environment(environment: Mapping[str, str] = os.environ) -> Reference | None:
    """The reference that PAPERS_REFERENCE names, None without it."""
    folder = environment.get("PAPERS_REFERENCE")
    return load(folder) if folder else None
