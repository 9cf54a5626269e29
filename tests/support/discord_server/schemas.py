"""Checks request bodies against Discord's OpenAPI description, if `PAPERS_REFERENCE` has a copy."""

from __future__ import annotations

import functools
import json
import os
import re
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator, FormatChecker, ValidationError
from jsonschema.validators import extend

Fault = tuple[tuple[str | int, ...], str, str]

CODES = {
    "maxLength": "BASE_TYPE_MAX_LENGTH",
    "minLength": "BASE_TYPE_REQUIRED",
    "maxItems": "BASE_TYPE_MAX_LENGTH",
    "minItems": "BASE_TYPE_BAD_LENGTH",
    "enum": "BASE_TYPE_CHOICES",
    "const": "BASE_TYPE_CHOICES",
    "type": "BASE_TYPE_CONVERT",
    "format": "BASE_TYPE_FORMAT",
}
"""What a fault is called, by the rule of the description that it breaks."""
TOLERATED: dict[str, dict[str, Any]] = {
    # discord.py puts these into every body of its kind; the service ignores them.
    "MessageEditRequestPartial": {"tts": {"const": False}},
    "BaseCreateMessageCreateRequest": {"tts": {"const": False}},
    "IncomingWebhookUpdateRequestPartial": {"tts": {"const": False}},
    "IncomingWebhookUpdateForInteractionCallbackRequestPartial": {"tts": {"const": False}},
    "RichEmbed": {"flags": {"const": 0}},
    "CreateForumThreadRequest": {"type": {"const": 11}},
    # A documented field that the description leaves out (interactions/application-commands).
    "ApplicationCommandCreateRequest": {"nsfw": {"type": "boolean"}},
    "ApplicationCommandUpdateRequest": {"nsfw": {"type": "boolean"}},
    "ApplicationCommandPatchRequestPartial": {"nsfw": {"type": "boolean"}},
}
"""Properties that are let through although the description does not know them, by the name of the schema."""


def document() -> Path | None:
    """Where the description is, None where there is none."""
    folder = os.environ.get("PAPERS_REFERENCE")
    file = Path(folder) / "data" / "discord-openapi.json" if folder else None
    return file if file and file.is_file() else None


def check(route: str, body: Any) -> Iterator[Fault]:
    """Every fault of a body, with its place: nothing where the route takes no body or nothing is described.

    `route` is "POST /channels/{channel_id}/messages", with the description's own names in braces.
    """
    validator = _validator(route, document())
    if validator is None:
        return
    for error in validator.iter_errors(body):
        deepest = _deepest(error)
        at = tuple(deepest.absolute_path)
        if deepest.validator == "required":
            missing = next(each for each in deepest.validator_value if each not in deepest.instance)
            yield (*at, missing), "BASE_TYPE_REQUIRED", "This field is required"
        elif deepest.validator == "additionalProperties":
            for each in deepest.instance.keys() - deepest.schema.get("properties", {}).keys():
                yield (*at, each), "UNKNOWN_PROPERTY", "There is no such field"
        else:
            yield at, CODES.get(str(deepest.validator), "SCHEMA_INVALID"), deepest.message[:300]


def _deepest(error: ValidationError) -> ValidationError:
    """Of the branches that all failed, the fault in the one that came furthest."""
    while error.context:
        error = max(error.context, key=lambda each: len(each.absolute_path))
    return error


@functools.cache
def _validator(route: str, file: Path | None) -> Any:
    if file is None:
        return None
    method, path = route.split(" ", 1)
    described = _described(file)["paths"].get(path, {}).get(method.lower(), {})
    content = described.get("requestBody", {}).get("content", {})
    schema = content.get("application/json", {}).get("schema")
    if schema is None:
        return None
    return _Validator(_Resolved(_described(file)["components"]["schemas"]).resolve(schema), format_checker=_FORMATS)


@functools.cache
def _described(file: Path) -> Any:
    return json.loads(file.read_bytes())


class _Resolved:
    """Schemas with each reference replaced by what it refers to, closed against unknown properties."""

    def __init__(self, schemas: dict[str, Any]) -> None:
        self._schemas = schemas
        self._done: dict[str, dict[str, Any]] = {}

    def resolve(self, schema: Any) -> Any:
        if isinstance(schema, list):
            return [self.resolve(each) for each in schema]
        if not isinstance(schema, dict):
            return schema
        if "$ref" in schema:
            return self._named(schema["$ref"].rsplit("/", 1)[1])
        solid = {
            key: {name: self.resolve(each) for name, each in value.items()}
            if key == "properties"
            else value
            if key in {"enum", "const", "required", "x-discord-union"}
            else self.resolve(value)
            for key, value in schema.items()
        }
        if "properties" in solid:
            solid.setdefault("additionalProperties", False)
        return solid

    def _named(self, name: str) -> dict[str, Any]:
        if name == "SnowflakeType":  # the service takes numbers as well, and discord.py sends them
            return {**self._schemas[name], "type": ["string", "integer"]}
        if name not in self._done:
            self._done[name] = {}  # first of all, so that a schema may refer to itself
            self._done[name].update(self.resolve(self._schemas[name]))
            if name in TOLERATED:
                self._done[name]["properties"] |= TOLERATED[name]
        return self._done[name]


def _kind(schema: Any) -> Any:
    """The values of `type` that an alternative is for, None where it does not say."""
    return schema.get("properties", {}).get("type", {}).get("enum") if isinstance(schema, dict) else None


def _alternatives(validator: Any, schemas: list[Any], instance: Any, schema: Any) -> Iterator[ValidationError]:
    """Alternatives that are told apart by their `type` are: the fault is then that of the one that was meant."""
    if instance is not None:
        schemas = [each for each in schemas if each != {"type": "null"}]
    if len(schemas) == 1:
        yield from validator.descend(instance, schemas[0])
        return
    if isinstance(instance, dict) and "type" in instance:
        meant = [each for each in schemas if instance["type"] in (_kind(each) or ())]
        if len(meant) == 1:
            yield from validator.descend(instance, meant[0])
            return
    errors = []
    for place, each in enumerate(schemas):
        failed = list(validator.descend(instance, each, schema_path=place))
        if not failed:
            return
        errors += failed
    yield ValidationError(f"{instance!r:.200} is none of what may stand here", context=errors)


_Validator = extend(Draft202012Validator, {"oneOf": _alternatives, "anyOf": _alternatives})


def _is_uri(value: object) -> bool:
    return not isinstance(value, str) or bool(re.fullmatch(r"(https?|discord|attachment)://[^\s/]\S*", value))


def _is_moment(value: object) -> bool:
    try:
        return not isinstance(value, str) or bool(datetime.fromisoformat(value))
    except ValueError:
        return False


_FORMATS = FormatChecker(formats=[])
_FORMATS.checks("uri")(_is_uri)
_FORMATS.checks("date-time")(_is_moment)
