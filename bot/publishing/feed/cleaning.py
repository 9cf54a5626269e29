"""Cleans values of the feed, which anybody may write: lines of text, sentences, links, counts. Pure and idempotent.

docs/feed.md ("Text" and "People, organisations, links") shows what each rule is for.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable
from html.entities import html5
from itertools import islice
from unicodedata import is_normalized, normalize
from urllib.parse import quote, urlsplit, urlunsplit

from bot.model import Media, MediaKind
from bot.runtime.text import visible

LONGEST_TITLE = 500  # characters
LONGEST_ABSTRACT = 5_000  # characters
LONGEST_NAME = 200  # characters
LONGEST_LINK = 2_048  # characters
LONGEST_SENTENCE = 600  # characters
SHORTEST_SENTENCE = 20  # characters
MOST_AUTHORS = 1_000
MOST_KEYWORDS = 50
MOST_MEDIA = 20
HIGHEST_COUNT = 1_000_000_000
"""Counts above this are rejected as nonsense; a database's integers end at two billion."""

_ENTITY = re.compile(r"&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});", re.ASCII)
_LAYERS = 5
"""Rounds of unescaping ("&amp;amp;lt;") before the remaining ampersands are dropped."""
_RAW_PER_CLEAN = 16
"""Raw characters read for each clean one, so that a flood of entities costs little."""

_HIDDEN = re.compile(r"(?is)<!--.*?(?:-->|\Z)|<(script|style)\b[^<>]*>.*?(?:</\1\s*>|\Z)")
_INLINE_TAG = re.compile(
    r"(?i)</?(?:a|abbr|b|cite|code|em|font|i|mark|q|s|small|span|strong|sub|sup|tt|u)(?:\s[^<>]*)?/?>"
)
_TAG = re.compile(
    r"(?i)</?(?:article|blockquote|body|br|dd|div|dl|dt|figure|figcaption|footer|h[1-6]|head|header|hr|html|iframe|img"
    r"|li|link|meta|ol|p|pre|script|section|style|table|tbody|td|th|thead|tr|ul|video)(?:\s[^<>]*)?/?>"
)

_ENDS = re.compile(r"""(?<![.…])[.!?。！？]["'”’»)\]]*$""")
_SHOUTS = re.compile(r"(?:\b[A-Z]{5,}[\s-]+){2}[A-Z]{5,}\W*$")
_HOST = re.compile(r"[a-z0-9_](?:[a-z0-9_.-]*[a-z0-9_.])?|[0-9a-f:.]*:[0-9a-f:.]*", re.ASCII)
_PLAIN = re.compile(r"https://[a-z0-9][a-z0-9.-]*[a-z0-9](?:/[A-Za-z0-9._~/-]*)?", re.ASCII)
"""Links that need no further checks. Most are such, and checking them all is a third of the parsing time."""
_UNQUOTED = "/%:@!$&'()*+,;=~"
_SUFFIXES = dict.fromkeys(("png", "jpg", "jpeg", "gif", "webp"), MediaKind.IMAGE) | dict.fromkeys(
    ("mp4", "m4v", "mov", "qt", "webm"), MediaKind.VIDEO
)
_REPOSITORY_TAIL = re.compile(r"(?:\.git|/)+$")


def one_line(value: object, limit: int) -> str:
    """`value` as one line of at most `limit` characters in NFC; "" if it is no text.

    HTML entities are decoded, invisible characters removed, runs of white space become one space. A longer line is cut
    between words and ends in "…".
    """
    if not isinstance(value, str):
        return ""
    line = " ".join(value[: limit * _RAW_PER_CLEAN].split())
    if "&" in line or not line.isprintable() or not is_normalized("NFC", line):
        line = _scrub(line)
    return line if len(line) <= limit else _cut(line, limit)


def lines(values: Iterable[object], most: int) -> tuple[str, ...]:
    """The first `most` of `values` that are names: cleaned, and not blank."""
    cleaned = (one_line(value, LONGEST_NAME) for value in values)
    return tuple(islice(filter(None, cleaned), most))


def without_tags(markup: str) -> str:
    """`markup` without HTML tags, scripts and comments. What only looks like a tag (`<think>`) stays."""
    return _TAG.sub(" ", _INLINE_TAG.sub("", _HIDDEN.sub(" ", markup)))


def _scrub(line: str) -> str:
    # A step can make work for an earlier one ("&am&#8238;p;lt;"), so repeat until nothing changes.
    line = line.encode("utf-8", "ignore").decode()  # without halves of surrogate pairs
    for _ in range(_LAYERS):
        cleaner = normalize("NFC", visible(_ENTITY.sub(_character, line)))
        if cleaner == line:
            break
        line = cleaner
    else:
        line = line.replace("&", " ")
    return " ".join(line.split())


def _character(entity: re.Match[str]) -> str:
    # html.unescape also takes names without their semicolon and would turn "&section;" into "§ion;".
    name = entity[0][1:]
    return html.unescape(entity[0]) if name.startswith("#") else html5.get(name, entity[0])


def _cut(line: str, limit: int) -> str:
    return (line[:limit].rpartition(" ")[0] or line[: limit - 1]) + "…"


def sentence(value: object, abstract: str) -> str | None:
    """The feed's sentence about a paper; None if it is too short or too long, unfinished, or from the abstract."""
    line = one_line(value, LONGEST_SENTENCE)  # a longer one comes back cut, and so unfinished
    if len(line) < SHORTEST_SENTENCE or not _ENDS.search(line) or _SHOUTS.search(line):
        return None
    return None if line.rstrip(".") in abstract else line


def web_link(value: object) -> str | None:
    """`value` as a percent-encoded http(s) address without white space; None if it is not one."""
    if not isinstance(value, str) or len(value) > 2 * LONGEST_LINK:
        return None
    if len(value) <= LONGEST_LINK and _PLAIN.fullmatch(value):
        return value
    try:
        parts = urlsplit("".join(visible(value).split()))
        host, port = parts.hostname or "", parts.port
        host = host if host.isascii() else host.encode("idna").decode("ascii")
    except ValueError:  # a bad port, half an IPv6 address, a host that is no domain name
        return None
    if parts.scheme not in {"http", "https"} or "@" in parts.netloc or not _HOST.fullmatch(host):
        return None
    netloc = (f"[{host}]" if ":" in host else host) + (f":{port}" if port is not None else "")
    path, query, fragment = (
        quote(part, safe=_UNQUOTED + more)
        for part, more in ((parts.path, ""), (parts.query, "?"), (parts.fragment, "?"))
    )
    link = urlunsplit((parts.scheme, netloc, path, query, fragment))
    return link if len(link) <= LONGEST_LINK else None


def repository(value: object) -> str | None:
    """A link to a code repository without query, fragment, trailing slash and ".git"; None if it is not one."""
    link = web_link(value)
    if link is None:
        return None
    parts = urlsplit(link)
    path = _REPOSITORY_TAIL.sub("", parts.path)
    return urlunsplit((parts.scheme, parts.netloc, path, "", "")) if path else None


def count(value: object) -> int | None:
    """`value` as a whole number of at least 0; None if it is no number. Booleans are not numbers."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not value <= HIGHEST_COUNT:
        return None
    return int(max(value, 0))


def media(urls: Iterable[object]) -> tuple[Media, ...]:
    """The images and videos among `urls`, recognised by suffix, without duplicates."""
    links = dict.fromkeys(filter(None, map(web_link, urls)))
    known = (Media(_SUFFIXES[suffix], link) for link in links if (suffix := _suffix(link)) in _SUFFIXES)
    return tuple(islice(known, MOST_MEDIA))


def _suffix(link: str) -> str:
    return urlsplit(link).path.rpartition(".")[2].lower()
