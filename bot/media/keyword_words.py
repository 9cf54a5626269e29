"""An edition's keywords as readers of a language know them: from our tables, else from a language model.

They are kept beside the edition's pictures as `names.json`: each keyword as the feed writes it, in small letters, and
the word for it. What an earlier edition knows is not asked for again.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from types import MappingProxyType

from bot.media.media_store import MediaStore, fingerprint
from bot.model import Cadence, Edition
from bot.render.catalogue import DEFAULT
from bot.render.edition_page import slug
from bot.render.keyword_names import aliases, keyword_name
from bot.rules.keyword_weights import Keyword, fold
from bot.runtime.recent import Recent
from bot.runtime.text import one_line

NAMES = "names.json"
DAYS = 35
"""Days whose words are used again, so that a week and a month say what their days said."""
MOST_TRIES = 3
"""Times on a UTC day that a model is asked about one edition in one language while it gives no answer."""
REMEMBERED = 1_000

Translate = Callable[[Sequence[str], str, datetime], Awaitable[Mapping[str, str]]]
"""Puts keywords into a language; gives nothing where a model cannot be asked, and else a word for each."""
Names = Mapping[str, str]
"""The words that a model found, by folded keyword."""
NO_NAMES: Names = MappingProxyType({})


class KeywordWords:
    """Finds the words, and keeps them in `media`. Without `translate` there are those of the tables alone."""

    def __init__(self, media: MediaStore, translate: Translate | None) -> None:
        self._media = media
        self._translate = translate
        self._tries: Recent[tuple[str, str, date], int] = Recent(REMEMBERED)

    async def of(self, edition: Edition, weighed: Sequence[Keyword], language: str, now: datetime) -> Names:
        """The words for an edition's keywords that our tables do not have; `weighed` are those that are shown.

        Raises OSError where they cannot be kept.
        """
        if language == DEFAULT:
            return {}
        known = await asyncio.to_thread(self._known, edition, language)
        missing = [each for each in weighed if each.folded not in known and not keyword_name(each.folded, "", language)]
        known |= await self._asked(slug(edition.cadence, edition.day), missing, language, now)
        await asyncio.to_thread(self._keep, edition, known, language, now)
        return known

    async def _asked(self, owner: str, missing: Sequence[Keyword], language: str, now: datetime) -> dict[str, str]:
        key = (owner, language, now.astimezone(UTC).date())  # the budget is that of a UTC day, too
        tries = self._tries.get(key) or 0
        if self._translate is None or not missing or tries >= MOST_TRIES:
            return {}
        found = await self._translate([each.text for each in missing], language, now)
        self._tries.put(key, 0 if found else tries + 1)
        return {each.folded: found[each.text] for each in missing if each.text in found}

    def _known(self, edition: Edition, language: str) -> dict[str, str]:
        """The words of earlier editions and of this one, the newest last."""
        days = (edition.day - timedelta(days=back) for back in range(DAYS, -1, -1))
        owners = [*(slug(Cadence.DAY, day) for day in days), slug(edition.cadence, edition.day)]
        paths = filter(None, (self._media.path(owner, language, NAMES) for owner in owners))
        return {_counted(keyword): name for path in paths for keyword, name in _read(path)}

    def _keep(self, edition: Edition, known: Names, language: str, now: datetime) -> None:
        """Keep the words of all keywords of an edition, if they are others than before."""
        written = {one_line(each) for ranked in edition.papers for each in ranked.paper.keywords}
        named = {each: _counted(each) for each in sorted(written)}
        words = {each: keyword_name(folded, known.get(folded, each), language) for each, folded in named.items()}
        told = {each.casefold(): word for each, word in words.items() if word != each or named[each] in known}
        content = json.dumps(told, ensure_ascii=False, indent=1).encode()
        owner, made_from = slug(edition.cadence, edition.day), fingerprint(content)
        there = self._media.find(owner, language, NAMES)
        if told and (there is None or there.fingerprint != made_from):
            self._media.put(owner, language, NAMES, content, made_from=made_from, now=now)


def _counted(keyword: str) -> str:
    folded = fold(keyword)
    return aliases().get(folded, folded)


def _read(path: Path) -> Iterator[tuple[str, str]]:
    """The words in a file; none where it is damaged."""
    try:
        found = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return
    for keyword, name in found.items() if isinstance(found, dict) else ():
        if isinstance(name, str):
            yield keyword, name
