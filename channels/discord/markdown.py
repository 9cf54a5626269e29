"""What others wrote, made safe in Discord's Markdown: it says itself, mentions nobody and hides no link.

The rules are those of Discord's own page on formatting (Markdown Text 101): a backslash before punctuation makes it
say itself. Addresses are left as they are, so that they can be followed; what an address shows is where it leads.
"""

from __future__ import annotations

import re
from urllib.parse import quote

ADDRESS = re.compile(r"https?://[A-Za-z0-9][\w./~%?=&#:+,;!$'-]*[\w/]", re.ASCII)
"""An address written out, of characters that no markup is made of once it stands in one."""
_MARKUP = re.compile(
    r"""
      [*\[\]<`|\\]                               # emphasis, links, mentions, code, spoilers, an escape
    | (?<![^\W_])_ | _(?![^\W_])                 # emphasis, but not within a word
    | (?<=~)~ | ~(?=~)                           # what is struck out
    | ^(?:>|\#{1,3}(?=\s)|[-+](?=\s)|-\#)        # at the beginning: a quotation, a heading, a list, small print
    """,
    re.VERBOSE,
)
_NUMBERED = re.compile(r"^(\d{1,9})([.)])(?=\s)")
"""What would begin a numbered list."""
_EVERYBODY = re.compile(r"@(?=everyone|here)", re.IGNORECASE)
_UNSEEN = "\u200b"
"""A space of no width, which parts a word that would be taken for a mention."""


def escape(text: str) -> str:
    """Text that says itself wherever Discord reads Markdown. An address alone is made fit for a link's target."""
    if ADDRESS.match(text) and not any(map(str.isspace, text)):
        return target(text)
    return "\n".join(map(_line, text.split("\n")))


def target(url: str) -> str:
    """A web address as the target of a link: whatever would end it is written in percent."""
    return quote(url, safe="/:?#@!$&'*+,;=%~-._")


def _line(text: str) -> str:
    safe, end = [], 0
    for found in ADDRESS.finditer(text):
        safe += [_escaped(text[end : found.start()], at_beginning=end == 0), found[0]]
        end = found.end()
    return "".join([*safe, _escaped(text[end:], at_beginning=end == 0)])


def _escaped(text: str, *, at_beginning: bool) -> str:
    body = text.lstrip() if at_beginning else text
    lead = text[: len(text) - len(body)]
    guard = "" if at_beginning else "x"  # only a text's own beginning may be a line's
    line = _MARKUP.sub(r"\\\g<0>", f"{guard}{body}")[len(guard) :]
    if at_beginning:
        line = _NUMBERED.sub(r"\1\\\2", line)
    return lead + _EVERYBODY.sub(f"@{_UNSEEN}", line)
