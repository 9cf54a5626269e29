"""Rich messages: what can be said of their markup without Telegram.

Limits: core.telegram.org/bots/api#rich-messages. Whether tags are closed in order and which there are is checked; how
Telegram's own page lays them out is not known here.
"""

from html.parser import HTMLParser
from typing import Any

from tests.support.telegram_server.markup import units
from tests.support.telegram_server.refusal import bad_request

LONGEST, DEEPEST, MEDIA, COLUMNS, BLOCKS = 32_768, 16, 50, 20, 500

VOID = {"br", "hr", "img", "source", "input", "tg-map"}
HOLLOW = {"video", "audio"}
BLOCK = {
    *(
        "p",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "ul",
        "ol",
        "li",
        "blockquote",
        "aside",
        "pre",
        "hr",
        "table",
        "details",
    ),
    *("footer", "figure", "tg-math-block", "tg-collage", "tg-slideshow", "tg-map", "tg-thinking"),
}
INLINE = {
    *("a", "b", "strong", "i", "em", "u", "ins", "s", "strike", "del", "code", "span", "tg-spoiler", "tg-emoji"),
    *("mark", "sub", "sup", "tg-math", "tg-time", "tg-reference", "br"),
}
INNER = {
    "caption",
    "thead",
    "tbody",
    "tfoot",
    "tr",
    "td",
    "th",
    "summary",
    "figcaption",
    "cite",
    "input",
    "source",
    "img",
}
TAGS = BLOCK | INLINE | INNER | HOLLOW


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.said: list[str] = []
        self.blocks = self.media = self.cells = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in TAGS:
            raise bad_request(f'can\'t parse entities: Unsupported start tag "{tag}"')
        self.blocks += tag in BLOCK
        self.media += tag in {"img", "video", "audio"}
        self.cells = 0 if tag == "tr" else self.cells + (tag in {"td", "th"})
        if self.cells > COLUMNS:
            raise bad_request("RICH_MESSAGE_TABLE_TOO_WIDE")
        if tag not in VOID:
            self.open.append(tag)
        if len(self.open) > DEEPEST:
            raise bad_request("RICH_MESSAGE_TOO_DEEP")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        if not self.open:
            raise bad_request("can't parse entities: Unexpected end tag")
        if self.open[-1] != tag:
            words = f'Unmatched end tag, expected "</{self.open[-1]}>", found "</{tag}>"'
            raise bad_request(f"can't parse entities: {words}")
        self.open.pop()

    def handle_data(self, data: str) -> None:
        self.said.append(data)


def read_rich(rich: Any) -> tuple[dict[str, Any], str]:
    """The rich message and its plain text. Raises RefusalError."""
    if not isinstance(rich, dict):
        raise bad_request("object expected as rich message")
    given = [name for name in ("html", "markdown") if rich.get(name)]
    if len(given) != 1:
        raise bad_request("exactly one of the fields html and markdown must be used")
    markup = str(rich[given[0]])
    if given == ["markdown"]:
        text = markup
    else:
        reader = _Reader()
        reader.feed(markup)
        reader.close()
        if reader.open:
            raise bad_request(
                f"can't parse entities: Can't find end tag corresponding to start tag \"{reader.open[-1]}\""
            )
        if reader.media > MEDIA or reader.blocks > BLOCKS:
            raise bad_request("RICH_MESSAGE_TOO_MANY_BLOCKS")
        text = "".join(reader.said).strip()
    if not text:
        raise bad_request("message text is empty")
    if units(text) > LONGEST:
        raise bad_request("message is too long")
    return rich, text
