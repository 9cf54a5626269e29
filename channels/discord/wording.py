"""The channel's own words in every language, from templates/discord/words.txt."""

from __future__ import annotations

from collections.abc import Mapping

from bot.channel import Direction, Kit, Page


class Words:
    """Names and sentences that only this channel needs; each language is read once."""

    def __init__(self, kit: Kit) -> None:
        self._template = kit.template("discord/words.txt", str)
        self._cache: dict[str, Mapping[str, str]] = {}

    def __call__(self, language: str) -> Mapping[str, str]:
        """The words of one language by name; English if there is no catalogue for it."""
        if language not in self._cache:
            page = Page(language, Direction.LTR, heading="", lead="", blocks=(), labels={})
            lines = [line.partition("=") for line in self._template(page).splitlines()]
            self._cache[language] = {name: text for name, equals, text in lines if equals}
        return self._cache[language]
