"""The words that are this channel's alone, in every language, from templates/discord/words.txt."""

from __future__ import annotations

from collections.abc import Mapping

from bot.channel import Direction, Kit, Page


class Words:
    """What the channel says beside what the core says; each language is read once."""

    def __init__(self, kit: Kit) -> None:
        self._template = kit.template("discord/words.txt", str)
        self._read: dict[str, Mapping[str, str]] = {}

    def __call__(self, language: str) -> Mapping[str, str]:
        """The words of one language by their names, in English where there is no catalogue for it."""
        if language not in self._read:
            page = Page(language, Direction.LTR, heading="", lead="", blocks=(), labels={})
            lines = [line.partition("=") for line in self._template(page).splitlines()]
            self._read[language] = {name: said for name, found, said in lines if found}
        return self._read[language]
