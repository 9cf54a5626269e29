"""Sentences of the Telegram channel itself: notices and labels that no reply of the core holds."""

from __future__ import annotations

from bot.channel import Direction, Kit, Page


class OwnWords:
    """The lines of templates/telegram/words.txt, in every language."""

    def __init__(self, kit: Kit) -> None:
        self._template = kit.template("telegram/words.txt", str)

    def say(self, name: str, language: str) -> str:
        """The line with a name, as plain text."""
        page = Page(language, Direction.LTR, heading="", lead="", blocks=(), labels={})
        lines = dict(line.split("=", 1) for line in self._template(page).splitlines() if "=" in line)
        return lines[name]
