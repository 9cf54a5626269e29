"""Escapes untrusted text for Markdown, for Liquid (which Jekyll reads first) and for YAML front matter.

The rules are those that CommonMark and kramdown share, so that a file looks the same on GitHub and in a Jekyll site.
"""

from __future__ import annotations

import re

from bot.runtime.text import one_line

_ENTITIES = {"&": "&amp;", "<": "&lt;", ">": "&gt;", "{": "&#123;", "}": "&#125;", "~": "&#126;", "`": "&#96;"}
"""Characters that some reader takes for markup even after a backslash, as `{%` in Liquid, and their entities."""
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
"""The beginning of a numbered list."""

_PLAIN = re.compile(r"[^\W\d_]\w*(?:-\w+)*|/[\w./-]*/|\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?: [+-]\d{4})?")
"""Values written without quotes in YAML: words, paths, and timestamps, which are a type of their own."""
_KEYWORDS = frozenset({"y", "n", "yes", "no", "on", "off", "true", "false", "null"})
"""Words that YAML reads as a boolean or null."""
_PRINTED = re.compile("[\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]")


def escape(text: str) -> str:
    """Text as literal Markdown, anywhere: in a heading, a list, a link, a table, at the start of a line."""
    line = one_line(text)
    safe = _MARKUP.sub(lambda found: _ENTITIES.get(found[0], f"\\{found[0]}"), line)
    before, after = text[:1].isspace(), text[-1:].isspace() and bool(line)
    return " " * before + _NUMBERED.sub(r"\1\\\2", safe) + " " * after


def scalar(text: str) -> str:
    """Text as a YAML value: bare where that is unambiguous, else in double quotes, and never Liquid."""
    line = one_line(text)
    if _PLAIN.fullmatch(line) and line.lower() not in _KEYWORDS:
        return line
    return '"{}"'.format("".join(map(_in_quotes, line)))


def _in_quotes(character: str) -> str:
    if character in '"\\':
        return f"\\{character}"
    if character in "{}" or not _PRINTED.fullmatch(character):
        return f"\\U{ord(character):08x}"
    return character
