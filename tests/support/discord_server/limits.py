"""The limits of messages that Discord states in words, not in its schema (resources/message, components/reference)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from tests.support.discord_server import components_v2
from tests.support.discord_server.errors import MalformedError, RefusalError
from tests.support.discord_server.messages import BUTTON, COMPONENTS_V2, EPHEMERAL, LINK, ROW, SELECT, Json

Fault = tuple[tuple[str | int, ...], str, str]

CONTENT, EMBEDS, EMBED_SUM = 2_000, 10, 6_000
TITLE, DESCRIPTION, FIELDS, FIELD_NAME, FIELD_VALUE, FOOTER, AUTHOR = 256, 4_096, 25, 256, 1_024, 2_048, 256
ROWS, BUTTONS, OPTIONS, CUSTOM_ID, LABEL, URL, PLACEHOLDER = 5, 5, 25, 100, 80, 512, 150
NONCE, FILES, REQUEST = 25, 10, 25 * 2**20
CHOICES, CHOICE = 25, 100
SELECTS = (SELECT, 5, 6, 7, 8)
SETTABLE = 1 << 2 | 1 << 12 | 1 << 13 | COMPONENTS_V2
"""Flags that a bot may set on a message."""


def long(where: tuple[str | int, ...], value: Any, most: int, least: int = 0) -> Iterator[Fault]:
    """Faults of a text's length, in characters."""
    if value is None and not least:
        return
    if not isinstance(value, str):
        code = "BASE_TYPE_REQUIRED" if value is None else "STRING_TYPE_CONVERT"
        yield where, code, "This field is required" if value is None else "Could not interpret the value as string."
    elif len(value) > most:
        yield where, "BASE_TYPE_MAX_LENGTH", f"Must be {most} or fewer in length."
    elif len(value.strip()) < least:
        yield where, "BASE_TYPE_REQUIRED", "This field is required"


def many(where: tuple[str | int, ...], value: Any, most: int) -> Iterator[Fault]:
    """Faults of a list's length."""
    if value is not None and not isinstance(value, list):
        yield where, "LIST_TYPE_CONVERT", "Only iterables may be used in a ListType"
    elif value is not None and len(value) > most:
        yield where, "BASE_TYPE_MAX_LENGTH", f"Must be {most} or fewer in length."


def check_message(
    body: Json, *, files: Sequence[str] = (), before: int = 0, interaction: bool = False, partial: bool = False
) -> None:
    """Refuse a body that breaks a limit, or says nothing at all.

    `files` are the names of those that came with it; `before` are the flags of the message that it edits; an
    `interaction`'s answer may be ephemeral; a `partial` body may leave everything out.
    """
    faults = list(_faults(body, files, before, interaction))
    if faults:
        raise MalformedError(faults)
    if partial and "content" not in body and "embeds" not in body and "components" not in body:
        return
    speaks = (body.get("content") or "").strip() or any(_says(each) for each in body.get("embeds") or [])
    if not speaks and not body.get("components") and not files and not body.get("poll") and not partial:
        raise RefusalError(50006)


def _faults(body: Json, files: Sequence[str], before: int, interaction: bool) -> Iterator[Fault]:
    yield from long(("content",), body.get("content"), CONTENT)
    nonce = body.get("nonce")
    if isinstance(nonce, str):
        yield from long(("nonce",), nonce, NONCE)
    flags = body.get("flags") or 0
    if not isinstance(flags, int) or flags & ~(SETTABLE | (EPHEMERAL if interaction else 0) | before):
        yield ("flags",), "BITFIELD_INVALID", "These flags cannot be set"
        return
    if len(files) > FILES:
        yield ("files",), "BASE_TYPE_MAX_LENGTH", f"Must be {FILES} or fewer in length."
    for place, each in enumerate(body.get("attachments") or []):
        ours = str(each.get("id", "")) if isinstance(each, dict) else ""
        if not ours.isdigit():
            yield ("attachments", place, "id"), "NUMBER_TYPE_COERCE", f"{ours!r} is no id"
        elif int(ours) < FILES and int(ours) >= len(files):  # small numbers name the files of this request
            yield ("attachments", place, "id"), "ATTACHMENT_NOT_FOUND", "Attachment data not found"
    yield from _embed_faults(body.get("embeds"))
    modern = bool((flags | before) & COMPONENTS_V2)
    if before & COMPONENTS_V2 and "flags" in body and not flags & COMPONENTS_V2:
        yield ("flags",), "MESSAGE_CANNOT_REMOVE_COMPONENTS_V2_FLAG", "The flag cannot be removed"
    if modern:
        for name in ("content", "embeds", "poll", "sticker_ids"):
            if body.get(name):
                code = "MESSAGE_CANNOT_USE_LEGACY_FIELDS_WITH_COMPONENTS_V2"
                yield (name,), code, "The field cannot be used with MessageFlags.IS_COMPONENTS_V2"
    yield from _component_faults(body.get("components"), files, modern=modern)


def _says(embed: Any) -> bool:
    return isinstance(embed, dict) and any(value for name, value in embed.items() if name not in {"type", "color"})


def _embed_faults(embeds: Any) -> Iterator[Fault]:
    yield from many(("embeds",), embeds, EMBEDS)
    total = 0
    for place, embed in enumerate(embeds or []):
        at = ("embeds", place)
        if not isinstance(embed, dict):
            yield at, "MODEL_TYPE_CONVERT", "Only dictionaries may be used in a ModelType"
            continue
        author, footer = embed.get("author") or {}, embed.get("footer") or {}
        yield from long((*at, "title"), embed.get("title"), TITLE)
        yield from long((*at, "description"), embed.get("description"), DESCRIPTION)
        yield from long((*at, "footer", "text"), footer.get("text"), FOOTER)
        yield from long((*at, "author", "name"), author.get("name"), AUTHOR)
        yield from many((*at, "fields"), embed.get("fields"), FIELDS)
        texts = [embed.get("title"), embed.get("description"), footer.get("text"), author.get("name")]
        for number, each in enumerate(embed.get("fields") or []):
            yield from long((*at, "fields", number, "name"), each.get("name"), FIELD_NAME, 1)
            yield from long((*at, "fields", number, "value"), each.get("value"), FIELD_VALUE, 1)
            texts += [each.get("name"), each.get("value")]
        total += sum(len(text) for text in texts if isinstance(text, str))
    if total > EMBED_SUM:
        yield ("embeds",), "MAX_EMBED_SIZE_EXCEEDED", f"Embed size exceeds maximum size of {EMBED_SUM}"


def _component_faults(components: Any, files: Sequence[str], *, modern: bool) -> Iterator[Fault]:
    """Faults of a message's components: of rows alone, or of Components V2 where it is `modern`."""
    if modern and isinstance(components, list):
        yield from components_v2.faults(components, frozenset(files))
        yield from _interactive_faults(components)
        return
    yield from many(("components",), components, ROWS)
    if not isinstance(components, list):
        return
    for place, row in enumerate(components):
        if row.get("type") != ROW:
            yield ("components", place, "type"), "UNION_TYPE_CHOICES", 'Value of field "type" must be one of (1,).'
    yield from _interactive_faults([each if each.get("type") == ROW else {} for each in components])


def _interactive_faults(components: list[Json]) -> Iterator[Fault]:
    """Faults of the rows, buttons and selects, wherever they stand."""
    seen: set[str] = set()
    for at, each in components_v2.places(components):
        if each.get("type") == ROW:
            inner = each.get("components") or []
            yield from _row_faults((*at, "components"), inner)
            for number, one in enumerate(inner):
                yield from _used_faults((*at, "components", number), one, seen)
        elif at[-1] == "accessory" and each.get("type") == BUTTON:
            yield from _used_faults(at, each, seen)


def _row_faults(at: tuple[str | int, ...], inner: list[Json]) -> Iterator[Fault]:
    selects = [each for each in inner if each.get("type") in SELECTS]
    if not 1 <= len(inner) <= BUTTONS:
        yield at, "BASE_TYPE_BAD_LENGTH", f"Must be between 1 and {BUTTONS} in length."
    elif selects and len(inner) > 1:
        yield at, "COMPONENT_LAYOUT_WIDTH_EXCEEDED", "Component layout width exceeded: a select fills its row"


def _used_faults(at: tuple[str | int, ...], each: Json, seen: set[str]) -> Iterator[Fault]:
    """Faults of one button or select; `seen` are the custom ids above it."""
    kind, custom_id = each.get("type"), each.get("custom_id")
    if kind not in (BUTTON, *SELECTS):
        yield (*at, "type"), "UNION_TYPE_CHOICES", 'Value of field "type" must be one of (2, 3, 5, 6, 7, 8).'
        return
    if kind == BUTTON and each.get("style") == LINK:
        if custom_id is not None:
            yield at, "BUTTON_COMPONENT_CUSTOM_ID_AND_URL", "A custom id and url cannot both be specified"
        yield from long((*at, "url"), each.get("url"), URL, 1)
    else:
        if each.get("url") is not None:
            yield at, "BUTTON_COMPONENT_CUSTOM_ID_AND_URL", "Only a link button has a url"
        yield from long((*at, "custom_id"), custom_id, CUSTOM_ID, 1)
        if custom_id in seen:
            yield (*at, "custom_id"), "COMPONENT_CUSTOM_ID_DUPLICATED", "Component custom id cannot be duplicated"
        seen.add(str(custom_id))
    if kind == BUTTON:
        yield from long((*at, "label"), each.get("label"), LABEL, 0 if each.get("emoji") else 1)
    else:
        yield from long((*at, "placeholder"), each.get("placeholder"), PLACEHOLDER)
    if kind == SELECT:
        yield from _option_faults(at, each)


def _option_faults(at: tuple[str | int, ...], select: Json) -> Iterator[Fault]:
    options = select.get("options")
    if not isinstance(options, list) or not 1 <= len(options) <= OPTIONS:
        yield (*at, "options"), "BASE_TYPE_BAD_LENGTH", f"Must be between 1 and {OPTIONS} in length."
        return
    values = [each.get("value") for each in options]
    for number, each in enumerate(options):
        yield from long((*at, "options", number, "label"), each.get("label"), 100, 1)
        yield from long((*at, "options", number, "value"), each.get("value"), 100, 1)
        yield from long((*at, "options", number, "description"), each.get("description"), 100)
        if values.index(each.get("value")) < number:
            yield (*at, "options", number, "value"), "SELECT_COMPONENT_OPTION_VALUE_DUPLICATED", "Values are unique"
    least, most = select.get("min_values"), select.get("max_values")
    preset = sum(bool(each.get("default")) for each in options)
    if (most or 1) > len(options) or (1 if least is None else least) > (most or 1) or preset > (most or 1):
        yield at, "SELECT_COMPONENT_RANGE_INVALID", "Values, defaults and options do not go together"


def check_choices(data: Any) -> None:
    """Refuse completions that are too many or too long."""
    choices = data.get("choices") if isinstance(data, dict) else None
    faults = list(many(("data", "choices"), choices, CHOICES))
    for place, each in enumerate(choices or []):
        faults += long(("data", "choices", place, "name"), each.get("name"), CHOICE, 1)
        if isinstance(each.get("value"), str):
            faults += long(("data", "choices", place, "value"), each.get("value"), CHOICE, 1)
    if choices is None:
        faults.append((("data", "choices"), "BASE_TYPE_REQUIRED", "This field is required"))
    if faults:
        raise MalformedError(faults)
