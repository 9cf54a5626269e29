"""A text as a message has it: cleaned, trimmed, its entities put in order, and measured."""

import re
from collections.abc import Iterable
from typing import Any

from tests.support.telegram_server.arguments import Arguments
from tests.support.telegram_server.links import LinkError, check_link
from tests.support.telegram_server.markup import Entity, MarkupError, ordered, parse_html, units
from tests.support.telegram_server.refusal import bad_request

Span = tuple[int, int]

TEXT, CAPTION, ENTITIES = 4096, 1024, 100
"""core.telegram.org/bots/api#sendmessage, #sendphoto; of entities more are ignored, which nobody may rely on."""

SOLID = {"pre", "code"}  # hold no style
WHOLE = SOLID | {"text_link", "text_mention"}  # no two of them overlap
QUOTES = {"blockquote", "expandable_blockquote"}
STYLES = ("bold", "italic", "underline", "strikethrough", "spoiler")
KINDS = {
    *("mention", "hashtag", "cashtag", "bot_command", "url", "email", "phone_number", "bold", "italic", "underline"),
    *("strikethrough", "spoiler", "blockquote", "expandable_blockquote", "code", "pre", "text_link", "text_mention"),
    *("custom_emoji", "date_time"),
}
CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")
DROPPED = re.compile("[\r\u2028-\u202e]")
FOUND = re.compile(
    r"(?P<url>https?://[^\s<>]+)|(?P<email>[\w.+-]+@[\w-]+\.[\w.]+)|(?<![\w/])(?P<bot_command>/[A-Za-z0-9_]{1,64}(?:@\w+)?)"
    r"|(?<!\w)(?P<mention>@[A-Za-z]\w{3,31})|(?<!\w)(?P<hashtag>\#\w+)",
    re.ASCII,
)


def formatted(arguments: Arguments, name: str, entities: str, limit: int) -> tuple[str, list[Entity]]:
    """The text called `name`, parsed as the call asks for, cleaned and measured. Raises RefusalError."""
    listed = arguments.object(entities, "entities")
    return compose(arguments.text(name), arguments.text("parse_mode"), listed, limit)


def compose(raw: str, mode: str, listed: Any, limit: int) -> tuple[str, list[Entity]]:
    """The text and entities of a message or caption, which the limit tells apart. Raises RefusalError."""
    if mode and mode.lower() != "html":
        words = "REFERENCE: this server parses HTML alone"
        raise bad_request(words if mode.lower() in {"markdown", "markdownv2"} else "unsupported parse_mode")
    raw = CONTROL.sub(" ", DROPPED.sub("", raw))
    if mode:
        try:
            text, entities = parse_html(raw)
        except MarkupError as error:
            raise bad_request(f"can't parse entities: {error}") from None
    else:
        text, entities = raw, [_listed(entity, units(raw)) for entity in listed or []]
    text, entities = _trim(text, settle(entities))
    if not text and limit == TEXT:
        raise bad_request("message text is empty")
    if units(text) > limit:
        raise bad_request("message is too long" if limit == TEXT else "message caption is too long")
    if len(entities) > ENTITIES:
        raise bad_request("REFERENCE: too many entities")
    return text, entities


def find_entities(text: str) -> list[Entity]:
    """What Telegram finds by itself in what a person writes: commands, links, mentions, hashtags."""
    return [
        {"type": str(found.lastgroup), "offset": units(text[: found.start()]), "length": units(found[0])}
        for found in FOUND.finditer(text)
    ]


def settle(entities: list[Entity]) -> list[Entity]:
    """Entities as they are kept: no style in code, no quote in a quote, no link in a link, like beside like is one."""
    whole = _apart(entity for entity in ordered(entities) if entity["type"] in WHOLE)
    quotes = _apart(entity for entity in ordered(entities) if entity["type"] in QUOTES)
    others = [entity for entity in entities if entity["type"] not in WHOLE | QUOTES | set(STYLES)]
    solid = [(entity["offset"], entity["offset"] + entity["length"]) for entity in whole if entity["type"] in SOLID]
    styles: list[Entity] = []
    for kind in STYLES:
        spans = sorted((e["offset"], e["offset"] + e["length"]) for e in entities if e["type"] == kind)
        for start, end in _without(_joined(spans), solid):
            styles.append({"type": kind, "offset": start, "length": end - start})
    return ordered([*whole, *quotes, *styles, *others])


def _apart(entities: Iterable[Entity]) -> list[Entity]:
    """Those that do not begin within an earlier one."""
    kept: list[Entity] = []
    for entity in entities:
        if not kept or kept[-1]["offset"] + kept[-1]["length"] <= entity["offset"]:
            kept.append(entity)
    return kept


def _joined(spans: list[Span]) -> list[Span]:
    """Sorted spans, those that overlap or touch made one."""
    joined: list[Span] = []
    for start, end in spans:
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((start, end))
    return joined


def _without(spans: list[Span], holes: list[Span]) -> list[Span]:
    """The spans with sorted holes cut out of them."""
    left: list[Span] = []
    for first, end in spans:
        start = first
        for hole, beyond in holes:
            if start < beyond and hole < end:
                left.append((start, hole))
                start = beyond
        left.append((start, end))
    return [(start, end) for start, end in left if start < end]


def _trim(text: str, entities: list[Entity]) -> tuple[str, list[Entity]]:
    """Without blanks at the end, nor at the beginning before the first entity; entities of nothing go."""
    text = text.rstrip(" \n\t")
    end = units(text)
    clipped = [{**entity, "length": min(entity["length"], end - entity["offset"])} for entity in entities]
    clipped = [entity for entity in clipped if entity["length"] > 0]
    first = clipped[0]["offset"] if clipped else end
    blank = min(first, len(text) - len(text.lstrip(" \n")))
    return text[blank:], [{**entity, "offset": entity["offset"] - blank} for entity in clipped]


def _listed(entity: Any, size: int) -> Entity:
    """An entity that the call lists itself; its place is in UTF-16 units."""
    if not isinstance(entity, dict):
        raise bad_request("can't parse MessageEntity: expected an Object")
    kind, offset, length = entity.get("type"), entity.get("offset"), entity.get("length")
    if kind not in KINDS:
        raise bad_request("can't parse MessageEntity: Unsupported type specified")
    if not isinstance(offset, int) or not isinstance(length, int):
        raise bad_request("can't parse MessageEntity: offset and length must be of type Number")
    if offset < 0:
        raise bad_request(f"receive an entity with incorrect offset {offset}")
    if length < 0:
        raise bad_request(f"receive an entity with incorrect length {length}")
    if offset > size:
        raise bad_request(f"entity begins after the end of the text at UTF-16 offset {offset}")
    if offset + length > size:
        words = f"entity beginning at UTF-16 offset {offset} ends after the end of the text"
        raise bad_request(f"{words} at UTF-16 offset {offset + length}")
    if kind == "text_link":
        address = str(entity.get("url", ""))
        try:
            return {**entity, "url": check_link(address)}
        except LinkError as error:
            raise bad_request(f"entity URL '{address}' is invalid: {error}") from None
    return dict(entity)
