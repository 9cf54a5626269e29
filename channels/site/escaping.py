"""What strangers wrote, made safe in Markdown, in Liquid, which Jekyll reads first, and in YAML front matter.

The rules are those that CommonMark and kramdown share, so that one file reads the same at GitHub and in a Jekyll site.
"""

from __future__ import annotations

import re

from bot.runtime.text import one_line

_ENTITIES = {"&": "&amp;", "<": "&lt;", ">": "&gt;", "{": "&#123;", "}": "&#125;", "~": "&#126;", "`": "&#96;"}
"""By entity what one of the readers would still take for markup behind a backslash; `{%` is Liquid's even then."""
_MARKUP = re.compile(
    r"""
      &(?=\#?\w+;)                               # an entity
    | [<>{}~`]                                   # HTML, Liquid, code
    | [*\[\]|\#]                                 # emphasis, links, tables, headings
    | (?<![^\W_])_ | _(?![^\W_])                 # emphasis, but not within a word
    | \\(?=[!-/:-@\[-`{-~]|$)                    # an escape
    | (?<=-)- | -(?=-) | (?<=\$)\$ | \$(?=\$)    # a rule, a dash; a formula
    | ^(?:[-+](?=\s|$)|[=:])                     # at the beginning: a list, an underline, a definition
    """,
    re.VERBOSE,
)
_NUMBERED = re.compile(r"^(\d{1,9})([.)])(?=\s|$)")
"""What would begin a numbered list."""

_PLAIN = re.compile(r"[^\W\d_]\w*(?:-\w+)*|/[\w./-]*/|\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?: [+-]\d{4})?")
"""What is written without quotes in YAML: a word, a path, and a moment, which is no text there."""
_MEANT = frozenset({"y", "n", "yes", "no", "on", "off", "true", "false", "null"})
"""Words that mean something else in YAML."""
_PRINTED = re.compile("[\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]")


def escape(text: str) -> str:
    """Text that says itself wherever Markdown is read: in a heading, a list, a link, a table, at a line's beginning."""
    line = one_line(text)
    safe = _MARKUP.sub(lambda found: _ENTITIES.get(found[0], f"\\{found[0]}"), line)
    before, after = text[:1].isspace(), text[-1:].isspace() and bool(line)
    return " " * before + _NUMBERED.sub(r"\1\\\2", safe) + " " * after


def scalar(text: str) -> str:
    """Text as a value in YAML: as it is where that means itself, else in double quotes, and never Liquid."""
    line = one_line(text)
    if _PLAIN.fullmatch(line) and line.lower() not in _MEANT:
        return line
    return '"{}"'.format("".join(map(_in_quotes, line)))


def _in_quotes(character: str) -> str:
    if character in '"\\':
        return f"\\{character}"
    if character in "{}" or not _PRINTED.fullmatch(character):
        return f"\\U{ord(character):08x}"
    return character
