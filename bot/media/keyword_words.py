"""An edition's keywords as readers of a language know them: from our tables, else from a language model.

They are kept beside the edition's pictures as `names.json`: each keyword as the feed writes it, in small letters, and
the word for it, or null where a model's answer was refused. A word that an earlier edition has is not asked for again;
what was refused is, for the next edition.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
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

log = logging.getLogger(__name__)

NAMES = "names.json"
DAYS = 35
"""Days whose words are used again, so that a week and a month say what their days said."""
MOST_TRIES = 3
"""Times on a UTC day that a model is asked about one edition in one language."""
REMEMBERED = 1_000

Answers = Mapping[str, str | None]
"""What a model answered for keywords: a word, or None where the answer was refused."""
Translate = Callable[[Sequence[str], str, datetime], Awaitable[Answers | None]]
"""Puts keywords into a language; gives None where the model was not asked, and leaves out what it did not answer."""
NamesByFold = Mapping[str, str]
"""The words that a model found, by folded keyword (`bot.rules.keyword_weights.fold`)."""
NO_NAMES: NamesByFold = MappingProxyType({})


class KeywordWords:
    """Finds the words, and keeps them in `media`. Without `translate` there are those of the tables alone."""

    def __init__(self, media: MediaStore, translate: Translate | None) -> None:
        self._media = media
        self._translate = translate
        self._tries: Recent[tuple[str, str, date], int] = Recent(REMEMBERED)
        self._answered: Recent[tuple[str, str], Answers] = Recent(REMEMBERED)
        """What was paid for, by edition and language and then by folded keyword: it may be impossible to keep it."""

    async def of(self, edition: Edition, weighed: Sequence[Keyword], language: str, now: datetime) -> NamesByFold:
        """The words for an edition's keywords that our tables do not have; `weighed` are those that are shown.

        Never raises where they cannot be kept.
        """
        if language == DEFAULT:
            return {}
        answers = await self._known(edition, language)
        missing = [
            each for each in weighed if each.folded not in answers and not keyword_name(each.folded, "", language)
        ]
        answers |= await self._asked(slug(edition.cadence, edition.day), missing, language, now)
        try:
            await asyncio.to_thread(self._keep, edition, answers, language, now)
        except OSError as error:  # the pictures say the same of MEDIA_DIR
            log.debug("keywords not kept", extra={"language": language, "reason": error.strerror or "OSError"})
        return {folded: word for folded, word in answers.items() if word is not None}

    async def _asked(self, owner: str, missing: Sequence[Keyword], language: str, now: datetime) -> Answers:
        """What a model answers now, by folded keyword."""
        key = (owner, language, now.astimezone(UTC).date())  # the budget is that of a UTC day, too
        tries = self._tries.get(key) or 0
        if self._translate is None or not missing or tries >= MOST_TRIES:
            return {}
        found = await self._translate([each.text for each in missing], language, now)
        if found is None:
            return {}
        self._tries.put(key, tries + 1)
        answers = {each.folded: found[each.text] for each in missing if each.text in found}
        self._answered.put((owner, language), {**(self._answered.get((owner, language)) or {}), **answers})
        return answers

    async def _known(self, edition: Edition, language: str) -> dict[str, str | None]:
        """The words of earlier editions and of this one, of two the newer; and what was refused for this one."""
        own = slug(edition.cadence, edition.day)
        days = (slug(Cadence.DAY, edition.day - timedelta(days=back)) for back in range(DAYS, -1, -1))
        kept = await asyncio.to_thread(self._kept, list(dict.fromkeys((*days, own))), language)
        known: dict[str, str | None] = {}
        for owner, answers in kept.items():
            for folded, word in {**answers, **(self._answered.get((owner, language)) or {})}.items():
                if word is not None:
                    known[folded] = word
                elif owner == own:
                    known.setdefault(folded, None)
        return known

    def _kept(self, owners: Sequence[str], language: str) -> dict[str, Answers]:
        """What is kept of each edition, by folded keyword."""
        paths = {owner: self._media.path(owner, language, NAMES) for owner in owners}
        return {owner: {} if path is None else _read(path) for owner, path in paths.items()}

    def _keep(self, edition: Edition, answers: Answers, language: str, now: datetime) -> None:
        """Keep the words of all keywords of an edition, if they are others than before. Raises OSError."""
        written = {one_line(each) for ranked in edition.papers for each in ranked.paper.keywords}
        told: dict[str, str | None] = {}
        for keyword in sorted(written):
            folded = _counted(keyword)
            word = keyword_name(folded, answers.get(folded) or "", language)
            if word or folded in answers:
                told[keyword.casefold()] = word or None
        content = json.dumps(told, ensure_ascii=False, indent=1).encode()
        owner = slug(edition.cadence, edition.day)
        if told and not _holds(self._media.path(owner, language, NAMES), content):
            self._media.put(owner, language, NAMES, content, made_from=fingerprint(content), now=now)


def _counted(keyword: str) -> str:
    """The folded keyword that a keyword counts as: another one's where it is an alias."""
    folded = fold(keyword)
    return aliases().get(folded, folded)


def _read(path: Path) -> Answers:
    """The answers in a file, by folded keyword; none where it is damaged."""
    try:
        found = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return {}
    read = found if isinstance(found, dict) else {}
    return {_counted(keyword): word for keyword, word in read.items() if word is None or isinstance(word, str)}


def _holds(path: Path | None, content: bytes) -> bool:
    """Whether a file holds this; a power cut may have left less of it than its name says."""
    try:
        return path is not None and path.read_bytes() == content
    except OSError:
        return False
