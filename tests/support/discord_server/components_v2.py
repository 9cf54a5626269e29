"""What may stand where in a message of Components V2, as Discord states it in words (components/reference)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from tests.support.discord_server.messages import Json

Place = tuple[str | int, ...]
Fault = tuple[Place, str, str]

ROW, BUTTON, SECTION, TEXT, THUMBNAIL, GALLERY, FILE, SEPARATOR, CONTAINER = 1, 2, 9, 10, 11, 12, 13, 14, 17
COMPONENTS, CHARACTERS = 40, 4_000
"""In one message, whatever they are within."""
IN_CONTAINER = frozenset({ROW, SECTION, TEXT, GALLERY, FILE, SEPARATOR})
AT_THE_TOP = IN_CONTAINER | {CONTAINER}
SECTION_TEXTS, PICTURES, ALT, URL, COLOURS = 3, 10, 1_024, 2_048, 0xFFFFFF


def places(components: list[Json], at: Place = ("components",)) -> Iterator[tuple[Place, Json]]:
    """All components with their places, from the top."""
    for number, each in enumerate(components):
        if isinstance(each, dict):
            yield (*at, number), each
            yield from places(each.get("components") or [], (*at, number, "components"))
            if isinstance(each.get("accessory"), dict):
                yield (*at, number, "accessory"), each["accessory"]


def faults(components: list[Json], files: frozenset[str] = frozenset()) -> Iterator[Fault]:
    """Every fault of a message's components; `files` are the names of those that came with it."""
    everything = [each for _, each in places(components)]
    if len(everything) > COMPONENTS:
        yield ("components",), "COMPONENT_MAX_TOTAL_COMPONENTS_EXCEEDED", f"At most {COMPONENTS} in all"
    if sum(len(str(each.get("content") or "")) for each in everything if each.get("type") == TEXT) > CHARACTERS:
        yield ("components",), "COMPONENT_DISPLAYABLE_TEXT_SIZE_EXCEEDED", f"At most {CHARACTERS} characters in all"
    ids = [each["id"] for each in everything if each.get("id")]
    if len(ids) != len(set(ids)):
        yield ("components",), "COMPONENT_ID_DUPLICATED", "Component ids cannot be duplicated"
    yield from _list_faults(("components",), components, AT_THE_TOP, files)


def _list_faults(at: Place, components: Any, allowed: frozenset[int], files: frozenset[str]) -> Iterator[Fault]:
    for number, each in enumerate(components):
        where = (*at, number)
        if not isinstance(each, dict):
            yield where, "MODEL_TYPE_CONVERT", "Only dictionaries may be used in a ModelType"
        elif each.get("type") not in allowed:
            yield (*where, "type"), "UNION_TYPE_CHOICES", f"Must be one of {sorted(allowed)}."
        else:
            yield from _faults(where, each, files)


def _faults(at: Place, each: Json, files: frozenset[str]) -> Iterator[Fault]:
    kind = each["type"]
    if kind == TEXT:
        yield from _text_faults((*at, "content"), each.get("content"), CHARACTERS)
    elif kind == CONTAINER:
        yield from _count_faults((*at, "components"), each.get("components"), COMPONENTS)
        yield from _list_faults((*at, "components"), each.get("components") or [], IN_CONTAINER, files)
        if not 0 <= (each.get("accent_color") or 0) <= COLOURS:
            yield (*at, "accent_color"), "NUMBER_TYPE_MAX", f"int value should be less than or equal to {COLOURS}."
    elif kind == SECTION:
        yield from _count_faults((*at, "components"), each.get("components"), SECTION_TEXTS)
        yield from _list_faults((*at, "components"), each.get("components") or [], frozenset({TEXT}), files)
        yield from _accessory_faults((*at, "accessory"), each.get("accessory"), files)
    elif kind == GALLERY:
        yield from _count_faults((*at, "items"), each.get("items"), PICTURES)
        for number, item in enumerate(each.get("items") or []):
            yield from _picture_faults((*at, "items", number), item, files)
    elif kind == FILE:
        yield from _media_faults((*at, "file"), each.get("file"), files, attached=True)
    elif kind == SEPARATOR and each.get("spacing") not in {None, 1, 2}:
        yield (*at, "spacing"), "BASE_TYPE_CHOICES", "Value must be one of {1, 2}."


def _accessory_faults(at: Place, accessory: Any, files: frozenset[str]) -> Iterator[Fault]:
    if not isinstance(accessory, dict):
        yield at, "BASE_TYPE_REQUIRED", "This field is required"
    elif accessory.get("type") == THUMBNAIL:
        yield from _picture_faults(at, accessory, files)
    elif accessory.get("type") != BUTTON:
        yield (*at, "type"), "UNION_TYPE_CHOICES", f"Must be one of {[BUTTON, THUMBNAIL]}."


def _picture_faults(at: Place, picture: Json, files: frozenset[str]) -> Iterator[Fault]:
    if picture.get("description") is not None:
        yield from _text_faults((*at, "description"), picture["description"], ALT)
    yield from _media_faults((*at, "media"), picture.get("media"), files)


def _media_faults(at: Place, media: Any, files: frozenset[str], *, attached: bool = False) -> Iterator[Fault]:
    url = media.get("url") if isinstance(media, dict) else None
    if not isinstance(url, str):
        yield at, "BASE_TYPE_REQUIRED", "This field is required"
        return
    parts = urlsplit(url)
    if parts.scheme == "attachment":
        if parts.netloc not in files:
            yield (*at, "url"), "ATTACHMENT_NOT_FOUND", "No file of this name came with the message"
    elif attached or parts.scheme not in {"http", "https"} or not parts.netloc:
        yield (*at, "url"), "URL_TYPE_INVALID_SCHEME", "Not an address that can be shown here"
    if len(url) > URL:
        yield (*at, "url"), "BASE_TYPE_MAX_LENGTH", f"Must be {URL} or fewer in length."


def _text_faults(at: Place, text: Any, most: int) -> Iterator[Fault]:
    if not isinstance(text, str) or not text.strip():
        yield at, "BASE_TYPE_REQUIRED", "This field is required"
    elif len(text) > most:
        yield at, "BASE_TYPE_MAX_LENGTH", f"Must be {most} or fewer in length."


def _count_faults(at: Place, within: Any, most: int) -> Iterator[Fault]:
    if not isinstance(within, list) or not 1 <= len(within) <= most:
        yield at, "BASE_TYPE_BAD_LENGTH", f"Must be between 1 and {most} in length."
