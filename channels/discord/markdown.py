"""Escapes foreign text for Discord's Markdown, so that it formats nothing, mentions nobody and hides no link.

Rules: https://support.discord.com/hc/articles/210298617 (Markdown Text 101); a backslash before punctuation disables
it. Web addresses stay as they are, so that they can be followed.
"""

from __future__ import annotations

import re
from urllib.parse import quote

URL = re.compile(r"https?://[A-Za-z0-9][\w./~%?=&#:+,;!$'-]*[\w/]", re.ASCII)
"""A bare web address, of characters that are no markup within one."""
_MARKUP = re.compile(
    r"""
      [*\[\]<`|\\]                               # emphasis, links, mentions, code, spoilers, an escape
    | (?<![^\W_])_ | _(?![^\W_])                 # emphasis, but not within a word
    | (?<=~)~ | ~(?=~)                           # strikethrough
    | ^(?:>|\#{1,3}(?=\s)|[-+](?=\s)|-\#)        # at the start: a quotation, a heading, a list, small print
    """,
    re.VERBOSE,
)
_NUMBERED = re.compile(r"^(\d{1,9})([.)])(?=\s)")
"""What would start a numbered list."""
_EVERYONE = re.compile(r"@(?=everyone|here)", re.IGNORECASE)
_ZERO_WIDTH_SPACE = "\u200b"


def escape(text: str) -> str:
    """Escape text for Markdown; a text that is only a web address is escaped as a link's target."""
    if URL.match(text) and not any(map(str.isspace, text)):
        return target(text)
    return "\n".join(map(_line, text.split("\n")))


def label(text: str) -> str:
    """Escape text as a link's label, in which a web address is broken up: with one, Discord shows no link."""
    return "\n".join(_escaped(line, at_start=False) for line in text.split("\n")).replace(
        "://", f":{_ZERO_WIDTH_SPACE}//"
    )


def target(url: str) -> str:
    """A web address as a link's target: characters that would end it are percent-encoded."""
    return quote(url, safe="/:?#@!$&'*+,;=%~-._")


def _line(text: str) -> str:
    escaped, end = [], 0
    for found in URL.finditer(text):
        escaped += [_escaped(text[end : found.start()], at_start=end == 0), found[0]]
        end = found.end()
    return "".join([*escaped, _escaped(text[end:], at_start=end == 0)])


def _escaped(text: str, *, at_start: bool) -> str:
    body = text.lstrip() if at_start else text
    indent = text[: len(text) - len(body)]
    guard = "" if at_start else "x"  # keeps `^` from matching within a line
    line = _MARKUP.sub(r"\\\g<0>", f"{guard}{body}")[len(guard) :]
    if at_start:
        line = _NUMBERED.sub(r"\1\\\2", line)
    return indent + _EVERYONE.sub(f"@{_ZERO_WIDTH_SPACE}", line)
