"""Fits pages into a channel's message limits: whole papers only, and markup is never cut.

Long texts are shortened before they become markup; papers that still do not fit are dropped from the end, and one line
says how many. Channels only measure; every decision is here.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Generic, TypeVar

from bot.channel import Block, Limits, Message, Page, utf16_units
from bot.render.words import words
from bot.runtime.text import sentence_ends

M = TypeVar("M", bound=Message)

ELLIPSIS = "…"
MOST_COUNTED = 12
"""Messages of one list that are counted, since each costs a fitting."""
USUAL = 100
"""Papers of a large day."""
MOST_PAPERS = 1_000
"""Papers in one message, whatever its limits: those of a large month. Nobody reads on, and each costs milliseconds."""
LEAST_LEFT = 0.5
"""The share of the longest text that is left where texts are shortened for a message to look better."""
LONGEST_SENTENCE = 400
"""Characters of the longest text that is shortened for that: longer ones were chosen to be read whole."""


class FitError(Exception):
    """A page without papers exceeds the channel's limits: the declared limits are wrong."""

    def __init__(self, quantity: str, size: int, maximum: int) -> None:
        super().__init__(f"an empty page has {size} {quantity}, but the channel allows {maximum}")
        self.quantity, self.size, self.maximum = quantity, size, maximum


@dataclass(frozen=True, slots=True)
class Fitted(Generic[M]):
    """A message within the limits, the number of papers in it, and the page that it was composed from."""

    message: M
    shown: int
    page: Page


def _no_next(shown: int) -> None:  # noqa: ARG001 - for pages without a next page
    return None


def fit(
    page: Page,
    compose: Callable[[Page], M],
    limits: Limits,
    follows: Callable[[int], str | None] = _no_next,
    *,
    likely: int | None = None,
) -> Fitted[M]:
    """Compose as many whole papers of a page as fit, from the first.

    `follows` gives the command line that shows the rest, given the number of papers shown; `likely` is how many may
    be expected to fit, which spares work where it is about right.

    Raises:
        FitError: Not even a page without papers fits.
    """
    blocks = [_within(block, limits.text) for block in page.blocks[:MOST_PAPERS]]

    tried: dict[int, Fitted[M]] = {}
    """The last message that held, by its number of papers: usually the one that is wanted."""

    def attempt(shown: Sequence[Block]) -> Fitted[M]:
        hidden = len(page.blocks) - len(shown)
        rest = follows(len(shown)) if hidden else page.paging.next
        part = replace(page, blocks=list(shown), paging=replace(page.paging, more=_more(page, hidden), next=rest))
        return Fitted(compose(part), len(shown), part)

    def holds(shown: Sequence[Block]) -> bool:
        return _excess(attempt(shown).message, limits) is None

    def first_hold(count: int) -> bool:
        fitted = attempt(blocks[:count])
        if _excess(fitted.message, limits) is not None:
            return False
        tried.clear()
        tried[count] = fitted
        return True

    count = min(page.paging.most or len(blocks), len(blocks))
    shown = _most(count, first_hold, likely)
    # A paper that is too large for any message must not hide those after it.
    while shown < count and not holds([blocks[shown]]):
        smaller = _shrunk(blocks[shown], holds)
        if smaller is None:
            break
        blocks[shown] = smaller
        shown = _most(count, first_hold)

    fitted = tried.get(shown) or attempt(blocks[:shown])
    if (excess := _excess(fitted.message, limits)) is not None:
        raise FitError(*excess)
    return _preferred(fitted, compose, limits)


def _preferred(fitted: Fitted[M], compose: Callable[[Page], M], limits: Limits) -> Fitted[M]:
    """The same papers within the preferred sizes, if their texts need not be shortened much; the first text is not."""
    first, others = fitted.page.blocks[:1], fitted.page.blocks[1:]
    lengths = [utf16_units(text) for block in others for text in block.said.parts.values()]
    longest = max(lengths, default=0)
    least = int(longest * LEAST_LEFT)
    tried, surplus, most = fitted, 0, longest
    while (excess := _excess(tried.message, limits, limits.preferred)) is not None:
        if longest > LONGEST_SENTENCE or most == least:
            return fitted
        surplus += excess[1] - excess[2]
        most = max(least, min(_cut_for(lengths, surplus), most - 1))
        page = replace(fitted.page, blocks=[*first, *(_within(block, most) for block in others)])
        tried = Fitted(compose(page), fitted.shown, page)
    return tried


def _cut_for(lengths: Sequence[int], surplus: int) -> int:
    """The largest length to which texts of these lengths have to be cut to lose so much together."""
    longest = max(lengths, default=0)
    return next((most for most in range(longest, 0, -1) if sum(max(0, n - most) for n in lengths) >= surplus), 0)


def starts(
    page: Page, compose: Callable[[Page], M], limits: Limits, upto: int = 0, likely: int | None = None
) -> tuple[list[int], bool]:
    """Where each message of a list begins that is shown bit by bit, in papers from the first; and whether that is all.

    Stops after `MOST_COUNTED` messages, but not before the one that begins at `upto`. `likely` is how many papers the
    first one shows, where that is known.
    """
    found, shown = [0], likely
    while len(found) < MOST_COUNTED or found[-1] < upto:
        rest = replace(page, blocks=page.blocks[found[-1] :])
        shown = max(1, fit(rest, compose, limits, lambda _: "", likely=shown).shown)
        if found[-1] + shown >= len(page.blocks):
            return found, True
        found.append(found[-1] + shown)
    return found, False


def first_part(page: Page) -> Page:
    """A page with no more papers than one message of its style shows, for places that have room for all of them."""
    most = page.paging.most
    if most is None or len(page.blocks) <= most:
        return page
    more = _more(page, len(page.blocks) - most)
    return replace(page, blocks=page.blocks[:most], paging=replace(page.paging, more=more))


def shorten(text: str, most: int) -> str:
    """Shorten a text to at most `most` UTF-16 units, at the end of a sentence, else of a word, followed by "…".

    Chinese and Japanese may be cut between any two characters; no grapheme (UAX #29) is ever cut.
    """
    if utf16_units(text) <= most:
        return text
    if most < 1:
        return ""
    room = _prefix(text, most - 1)
    enough = room // 2  # an earlier end would lose too much text
    sentence = max((end for end in sentence_ends(text) if enough < end < room), default=0)
    if sentence:
        return f"{text[:sentence]} {ELLIPSIS}"
    word = next((place for place in range(room, enough, -1) if _between_words(text, place)), room)
    return _DANGLING.sub("", text[:word].rstrip(_LOOSE)).rstrip(_LOOSE) + ELLIPSIS


def _more(page: Page, hidden: int) -> str | None:
    if not hidden:
        return page.paging.more
    return words(page.language).ngettext("edition.more_papers", hidden)


def _excess(message: Message, limits: Limits, maxima: Mapping[str, int] | None = None) -> tuple[str, int, int] | None:
    """The first quantity of a message that is beyond its maximum, by default the service's."""
    sizes = message.sizes()
    for quantity, maximum in (limits.maxima if maxima is None else maxima).items():
        if quantity not in sizes:
            raise LookupError(f"the channel limits {quantity!r}, but its messages do not measure it")
        if sizes[quantity] > maximum:
            return quantity, sizes[quantity], maximum
    return None


def _most(count: int, holds: Callable[[int], bool], likely: int | None = None) -> int:
    """How many of the first blocks fit. All of `USUAL` are tried first: they mostly fit, and need no "+n more" line.

    Of more, ever larger parts are tried, so that the work grows with what fits and not with what there is. From a
    `likely` number on it is one more each time.
    """
    fitting, part = 0, min(likely or USUAL, count)
    while holds(part):
        if part == count:
            return count
        fitting, part = part, min(part + 1 if likely else 2 * part, count)
    return _largest(part - 1, holds, lowest=fitting)


def _largest(highest: int, holds: Callable[[int], bool], *, lowest: int = 0) -> int:
    """The largest number from `lowest` to `highest` that holds, by binary search; `lowest` is taken to hold."""
    low, high = lowest, max(lowest, highest)
    while low < high:
        middle = (low + high + 1) // 2
        if holds(middle):
            low = middle
        else:
            high = middle - 1
    return low


def _shrunk(block: Block, holds: Callable[[Sequence[Block]], bool]) -> Block | None:
    """A block shortened to fit alone: its texts, then authors, organisation and links too; None if it never fits."""
    longest = max(map(utf16_units, block.said.parts.values()), default=0)
    most = _largest(longest, lambda most: holds([_within(block, most)]))
    if most or holds([_within(block, 0)]):
        return _within(block, most)
    bare = replace(_within(block, 0), authors=None, organisation=None, links=block.links[:1])
    titles = _largest(utf16_units(bare.title), lambda most: holds([_titled(bare, most)]))
    return _titled(bare, titles) if titles else None


def _titled(block: Block, most: int) -> Block:
    return replace(block, title=shorten(block.title, most))


def _within(block: Block, most: int | None) -> Block:
    if most is None:
        return block
    parts = {name: shorten(text, most) for name, text in block.said.parts.items()}
    return replace(block, said=replace(block.said, parts=parts))


def _prefix(text: str, most: int) -> int:
    """The length of the longest prefix of at most `most` UTF-16 units that cuts no grapheme."""
    room = most
    while (over := utf16_units(text[:room]) - most) > 0:
        room -= (over + 1) // 2  # no character has more than two units
    while room and not _between_characters(text, room):
        room -= 1
    return room


_LOOSE = " \n\t,;:-–—(（「『、，"
_DANGLING = re.compile(
    r"(?:(?<=\w)[\s,]+(?:a|an|and|as|at|by|for|from|in|into|of|on|or|that|the|through|to|using|via|which|while|with))+\Z"
)
"""English words that lead on to what was cut off."""
_JOINER = "\u200d"
_VIRAMA = 9
_FLAG_LETTERS = "".join(map(chr, range(0x1F1E6, 0x1F200)))
_TRAILING = re.compile("[\U0001f3fb-\U0001f3ff\U000e0020-\U000e007f\uff9e\uff9f\u1160-\u11ff\ud7b0-\ud7ff]")
"""Skin tones, tags, half-width sound marks, and the vowels and finals of decomposed Hangul syllables."""
_UNSPACED = re.compile("[\u3001-\u30ff\u31f0-\u31ff\u3400-\u9fff\uf900-\ufaff\uff01-\uff60\U00020000-\U0003ffff]")
"""Chinese and Japanese, which have no spaces between words."""


def _between_characters(text: str, place: int) -> bool:
    """Whether `place` is a grapheme boundary, by the rules of UAX #29 that occur in texts."""
    before, after = text[place - 1 : place], text[place : place + 1]
    if not before or not after:
        return True
    if _JOINER in {before, after} or _TRAILING.match(after) or before + after == "\r\n":
        return False
    if unicodedata.category(after) in {"Mn", "Mc", "Me"}:
        return False
    if unicodedata.combining(before) == _VIRAMA and unicodedata.category(after) == "Lo":
        return False
    if after in _FLAG_LETTERS:  # two letters are one flag
        return (place - len(text[:place].rstrip(_FLAG_LETTERS))) % 2 == 0
    return True


def _between_words(text: str, place: int) -> bool:
    before, after = text[place - 1], text[place : place + 1]
    apart = before.isspace() or after.isspace() or _UNSPACED.match(before) or _UNSPACED.match(after)
    return bool(apart) and _between_characters(text, place)
