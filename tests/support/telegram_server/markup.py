"""Telegram's HTML: a text and its entities out of markup, or the one refusal that Telegram gives for a fault.

The grammar is that of the official server, which is stricter and odder than HTML: it works on bytes, knows sixteen tags
and four named characters, leaves a character it cannot decode as it stands, and lets `</>` end whatever is open.
Source: core.telegram.org/bots/api#html-style, and the behaviour of the open source server (tdlib, MessageEntity).
"""

from dataclasses import dataclass
from typing import Any

from tests.support.telegram_server.links import LinkError, check_link, mentioned_user

Entity = dict[str, Any]

STYLES = {
    "b": "bold",
    "strong": "bold",
    "i": "italic",
    "em": "italic",
    "u": "underline",
    "ins": "underline",
    "s": "strikethrough",
    "strike": "strikethrough",
    "del": "strikethrough",
    "tg-spoiler": "spoiler",
    "span": "spoiler",
    "pre": "pre",
    "code": "code",
    "blockquote": "blockquote",
}
TAGS = STYLES.keys() | {"a", "tg-emoji"}
NAMED = {b"lt": "<", b"gt": ">", b"amp": "&", b"quot": '"'}
SPACE = b" \t\n\r\v\0"
TOKEN = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-"
LETTERS = TOKEN[:52]
DIGITS, HEXADECIMAL = b"0123456789", b"0123456789abcdefABCDEF"
ORDER = (
    *("blockquote", "expandable_blockquote", "pre", "code", "text_link", "text_mention"),
    *("bold", "italic", "underline", "strikethrough", "spoiler", "custom_emoji"),
)
"""Of two entities in the same place, whatever was around what."""


class MarkupError(ValueError):
    """What is wrong with a text, in Telegram's words; offsets are counted in bytes of UTF-8."""


def units(text: str) -> int:
    """The length of a text in UTF-16 code units, in which Telegram counts."""
    return len(text) + sum(character > "\uffff" for character in text)


@dataclass
class _Open:
    tag: str
    argument: str
    offset: int  # in UTF-16 units of the plain text
    start: int  # in the pieces of the plain text


def parse_html(markup: str) -> tuple[str, list[Entity]]:
    """The plain text and its entities, outer ones first. Raises MarkupError."""
    return _Reader(markup).read()


class _Reader:
    """One pass over the bytes of a text. A zero byte after the end stands for the end, as it does there."""

    def __init__(self, markup: str) -> None:
        self.bytes = markup.encode("utf-8", "surrogatepass") + b"\0"
        self.size = len(self.bytes) - 1
        self.at = 0
        self.pieces: list[str] = []
        self.offset = 0
        self.open: list[_Open] = []
        self.entities: list[Entity] = []

    def read(self) -> tuple[str, list[Entity]]:
        while self.at < self.size:
            mark = self.bytes[self.at]
            if mark == 0x26 and (character := self._character()):
                self._say(character)
            elif mark == 0x3C and self.bytes[self.at + 1] == 0x2F:
                self._end()
            elif mark == 0x3C:
                self._start()
            else:
                self._plain()
        if self.open:
            raise MarkupError(f'Can\'t find end tag corresponding to start tag "{self.open[-1].tag}"')
        text = "".join(self.pieces)
        # Two numeric characters may be the halves of one; a half alone is no text.
        try:
            text = text.encode("utf-16", "surrogatepass").decode("utf-16")
        except UnicodeDecodeError:
            raise MarkupError(
                "Text contains invalid Unicode characters after decoding HTML entities, "
                "check for unmatched surrogate code units"
            ) from None
        for entity in self.entities:
            if entity["type"] == "code":
                entity.pop("language", None)
        return text, ordered(self.entities)

    def _say(self, text: str) -> None:
        self.pieces.append(text)
        self.offset += units(text)

    def _plain(self) -> None:
        """Everything up to the next mark; the mark itself too where nothing else could be made of it."""
        ends = [found for found in (self.bytes.find(mark, self.at + 1) for mark in (b"<", b"&")) if found > 0]
        end = min([*ends, self.size])
        self._say(self.bytes[self.at : end].decode("utf-8", "surrogatepass"))
        self.at = end

    def _character(self) -> str:
        """The character that stands here as &…; and the step beyond it; empty, and no step, if there is none."""
        end = self.at + 1
        if self.bytes[end] == 0x23:
            sixteen = self.bytes[end + 1] == 0x78
            start = end = end + 1 + sixteen
            end = self._skip(HEXADECIMAL if sixteen else DIGITS, end)
            code = int(self.bytes[start:end] or b"0", 16 if sixteen else 10)
            if code == 0 or code >= 0x10FFFF or end - self.at >= 10:
                return ""
            character = chr(code)
        else:
            end = self._skip(LETTERS, end)
            character = NAMED.get(self.bytes[self.at + 1 : end], "")
            if not character:
                return ""
        self.at = end + (self.bytes[end] == 0x3B)
        return character

    def _skip(self, allowed: bytes, at: int) -> int:
        while at < self.size and self.bytes[at] in allowed:
            at += 1
        return at

    def _until(self, stops: bytes, at: int) -> int:
        while at < self.size and self.bytes[at] not in stops:
            at += 1
        return at

    def _word(self, start: int, end: int) -> str:
        return self.bytes[start:end].lower().decode("utf-8", "replace")

    def _start(self) -> None:
        begin = self.at
        at = self._until(SPACE + b">", begin + 1)
        if at >= self.size:
            raise MarkupError(f"Unclosed start tag at byte offset {begin}")
        tag = self._word(begin + 1, at)
        if tag not in TAGS:
            raise MarkupError(f'Unsupported start tag "{tag}" at byte offset {begin}')
        argument = ""
        while True:
            at = self._skip(SPACE, at)
            if self.bytes[at] == 0x3E:
                break
            self.at = at
            name, value = self._attribute(tag, begin)
            at = self.at
            argument = _argument(tag, name, value, argument)
        if tag == "span" and argument != "spoiler":
            raise MarkupError(f'Tag "span" must have class "tg-spoiler" at byte offset {begin}')
        self.open.append(_Open(tag, argument, self.offset, len(self.pieces)))
        self.at = at + 1

    def _attribute(self, tag: str, begin: int) -> tuple[str, str]:
        """The name and value of an attribute; leaves `at` beyond it, which is not the end of the text."""
        at = self._until(SPACE + b"=>", self.at)
        name = self._word(self.at, at)
        if not name:
            raise MarkupError(f'Empty attribute name in the tag "{tag}" at byte offset {begin}')
        after = self._skip(SPACE, at)
        if self.bytes[after] != 0x3D:
            if tag == "blockquote" and name == "expandable" and after < self.size:
                self.at = after
                return name, "1"
            raise MarkupError(
                f'Expected equal sign in declaration of an attribute of the tag "{tag}" at byte offset {begin}'
            )
        at = self._skip(SPACE, after + 1)
        if at >= self.size:
            raise MarkupError(f'Unclosed start tag "{tag}" at byte offset {begin}')
        value = self._quoted(at) if self.bytes[at] in b"'\"" else self._token(at)
        if self.at >= self.size:
            raise MarkupError(f"Unclosed start tag at byte offset {begin}")
        return name, value

    def _token(self, start: int) -> str:
        end = self._skip(TOKEN, start)
        if end < self.size and self.bytes[end] not in SPACE + b">":
            raise MarkupError(f"Unexpected end of name token at byte offset {start}")
        self.at = end
        return self._word(start, end)

    def _quoted(self, start: int) -> str:
        quote, value = self.bytes[start], bytearray()
        self.at = start + 1
        while self.at < self.size and self.bytes[self.at] != quote:
            if self.bytes[self.at] == 0x26 and (character := self._character()):
                value += character.encode("utf-8", "surrogatepass")
            else:
                value.append(self.bytes[self.at])
                self.at += 1
        self.at += self.at < self.size
        return value.decode("utf-8", "replace")

    def _end(self) -> None:
        begin = self.at
        if not self.open:
            raise MarkupError(f"Unexpected end tag at byte offset {begin}")
        at = self._until(SPACE + b">", begin + 2)
        found = self._word(begin + 2, at)
        at = self._skip(SPACE, at)
        if self.bytes[at] != 0x3E:
            raise MarkupError(f"Unclosed end tag at byte offset {begin}")
        last = self.open[-1]
        if found and found != last.tag:
            raise MarkupError(f'Unmatched end tag at byte offset {begin}, expected "</{last.tag}>", found "</{found}>"')
        self.open.pop()
        self.at = at + 1
        if self.offset > last.offset:
            self._note(last)

    def _note(self, ended: _Open) -> None:
        """The entity of an element that has ended, unless Telegram makes nothing of it."""
        place = {"offset": ended.offset, "length": self.offset - ended.offset}
        kind = STYLES.get(ended.tag, "")
        inner = self.entities[-1] if self.entities and {**self.entities[-1], **place} == self.entities[-1] else None
        if ended.tag == "tg-emoji":
            if not (ended.argument.isascii() and ended.argument.isdigit() and 0 < int(ended.argument) < 1 << 63):
                raise MarkupError("Invalid custom emoji identifier specified")
            self.entities.append({"type": "custom_emoji", **place, "custom_emoji_id": ended.argument})
        elif ended.tag == "a":
            self._link(ended.argument or "".join(self.pieces[ended.start :]), place)
        elif kind == "pre" and inner and inner["type"] == "code" and inner.get("language"):
            inner["type"] = "pre"
        elif kind == "code" and inner and inner["type"] == "pre" and ended.argument:
            inner["language"] = ended.argument
        elif kind == "code":
            self.entities.append({"type": "code", **place, "language": ended.argument})
        else:
            kind = "expandable_blockquote" if kind == "blockquote" and ended.argument else kind
            self.entities.append({"type": kind, **place})

    def _link(self, address: str, place: dict[str, int]) -> None:
        if user := mentioned_user(address):
            named = {"id": user, "is_bot": False, "first_name": f"User {user}"}
            self.entities.append({"type": "text_mention", **place, "user": named})
            return
        try:
            self.entities.append({"type": "text_link", **place, "url": check_link(address)})
        except LinkError:
            return  # a link that leads nowhere is text, and nobody is told


def _argument(tag: str, name: str, value: str, argument: str) -> str:
    """What an attribute makes of the argument of its tag; others are read and forgotten."""
    wanted = {("a", "href"): "", ("tg-emoji", "emoji-id"): "", ("blockquote", "expandable"): ""}
    prefix = {("code", "class"): "language-", ("span", "class"): "tg-"}.get((tag, name))
    if prefix is not None:
        return value.removeprefix(prefix) if value.startswith(prefix) else argument
    if (tag, name) in wanted:
        return value or ("1" if tag == "blockquote" else "")
    return argument


def ordered(entities: list[Entity]) -> list[Entity]:
    """By their beginning, the longer ones first, and of two alike the one that may hold the other."""

    def place(entity: Entity) -> tuple[int, int, int]:
        kind = entity["type"]
        return entity["offset"], -entity["length"], ORDER.index(kind) if kind in ORDER else len(ORDER)

    return sorted(entities, key=place)
