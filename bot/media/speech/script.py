"""The spoken text of an edition: greeting, date, count, each paper's title and what is said of it, farewell. Pure.

It is a text of its own, not the list read aloud: nothing that only makes sense to the eye is in it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from bot.channel import Block
from bot.media.speech.speakable import speakable
from bot.model import Cadence, Edition, Preferences, Source, Style
from bot.render.attribution import WRITTEN_IN
from bot.render.edition_page import NO_TEXTS, Texts, edition_page, heading, period_name
from bot.render.words import Words, words
from bot.rules.periods import period_of

MOST_PAPERS = 10
"""Papers of an edition that are read aloud, those with the most votes."""
NOT_SPOKEN = {Style.PLAIN: {"abstract"}, Style.TRANSLATION: {"title"}}
"""Parts of styles that are left out: the English abstract behind a simple summary, a title that was said already."""


@dataclass(frozen=True, slots=True)
class Utterance:
    """A text that one voice speaks in one go, and its language."""

    text: str
    language: str


@dataclass(frozen=True, slots=True)
class Chapter:
    """A chapter of an episode; `title` is shown by players."""

    title: str
    utterances: Sequence[Utterance]


@dataclass(frozen=True, slots=True)
class Script:
    """All that an episode says."""

    language: str
    title: str
    chapters: Sequence[Chapter]

    @property
    def characters(self) -> int:
        """The number of characters, which speech services charge for."""
        return sum(len(each.text) for chapter in self.chapters for each in chapter.utterances)

    @property
    def languages(self) -> frozenset[str]:
        """The languages that a voice is needed for."""
        return frozenset(each.language for chapter in self.chapters for each in chapter.utterances)

    @property
    def digest(self) -> str:
        """A hash of everything that is said and shown: an episode is made again where it changes."""
        return hashlib.sha256(repr(self).encode("utf-8", "surrogatepass")).hexdigest()


def script(edition: Edition, language: str, style: Style, texts: Texts = NO_TEXTS) -> Script:
    """The spoken text of an edition in a language and style; `texts` are the model's in that language.

    Sentences that nobody translated are in English, for an English voice to speak.
    """
    w = words(language)
    page = edition_page(edition, Preferences(language=language, style=style, papers=MOST_PAPERS), texts=texts)
    chapters = [
        _chapter(w, w.gettext("speech.opening"), [*_greeting(w, edition, len(page.blocks)), *page.notes]),
        *(_paper(w, block) for block in page.blocks),
        _chapter(w, w.gettext("speech.closing"), [_whose(w, page.blocks), w.gettext("speech.farewell")]),
    ]
    return Script(w.language, heading(w, edition.cadence, edition.day), [each for each in chapters if each.utterances])


def _greeting(w: Words, edition: Edition, shown: int) -> Iterator[str]:
    name, total = w.gettext("newsletter.name"), len(edition.papers)
    if edition.cadence is Cadence.WEEK:
        week = period_of(edition.cadence, edition.day)
        yield w.gettext("speech.greeting_week", name=name, first=w.day(week.first), last=w.day(week.last))
    else:
        yield w.gettext("speech.greeting", name=name, date=period_name(w, edition.cadence, edition.day))
    if shown == total:
        yield w.ngettext("edition.papers", total)
    else:
        yield w.ngettext("edition.top_of_papers", total, shown=w.number(shown))


def _whose(w: Words, blocks: Sequence[Block]) -> str:
    """The spoken attribution: who wrote the texts."""
    sources = {each.said.source for each in blocks}
    if Source.MODEL in sources:
        return w.gettext("source.note_model")
    return w.gettext("speech.by_feed") if Source.FEED in sources else w.gettext("source.note_sentences")


def _chapter(w: Words, title: str, said: Sequence[str]) -> Chapter:
    return Chapter(title, list(_utterances((each, w.language) for each in said)))


def _paper(w: Words, block: Block) -> Chapter:
    title_in = WRITTEN_IN if block.original_title is None else w.language
    skipped = NOT_SPOKEN.get(Style(block.said.style), set())
    parts = [text for name, text in block.said.parts.items() if text and name not in skipped]
    said = [
        (w.gettext("speech.paper", n=w.number(block.rank)), w.language),
        (block.title, title_in),
        *((text, block.said.language) for text in parts),
    ]
    return Chapter(f"{block.rank}. {block.title}", list(_utterances(iter(said))))


def _utterances(said: Iterator[tuple[str, str]]) -> Iterator[Utterance]:
    """Make a script speakable, and join neighbouring utterances of one language."""
    waiting: Utterance | None = None
    for text, language in said:
        spoken = speakable(text, language)
        if not spoken:
            continue
        if waiting is not None and waiting.language == language:
            between = "" if waiting.text[-1] in "。！？" else " "
            waiting = Utterance(f"{waiting.text}{between}{spoken}", language)
            continue
        if waiting is not None:
            yield waiting
        waiting = Utterance(spoken, language)
    if waiting is not None:
        yield waiting
