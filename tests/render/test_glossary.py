"""Each language uses one word for each thing: the words of its glossary, `templates/locale/glossary/<tag>.txt`."""

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import pytest

from bot.render.catalogue import load
from tests.support.catalogues import FOLDER

TERMS = {
    "paper", "edition", "vote", "abstract", "highlights", "feed", "channel", "thread", "topic", "subscribe",
    "settings", "unsubscribe",
}  # fmt: skip
"""What every glossary names."""

DIGESTS = "site."
"""Ids of the words of digests whose pages the site layouts repeat; these keep their own words."""


def glossary(file: Path) -> Iterator[tuple[str, str, Sequence[str]]]:
    """Term, the word that is used for it, and words that are not."""
    for line in file.read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            term, _, words = line.partition(" = ")
            used, _, others = words.partition(" | ")
            yield term.strip(), used.strip(), [each.strip() for each in others.split(",") if each.strip()]


def sentences(tag: str) -> Mapping[str, str]:
    """A catalogue's sentences by id, in lower case, plural forms joined."""
    found = load(tag)
    assert found is not None
    return {key: "\n".join(forms).casefold() for key, forms in found.messages.items() if not key.startswith(DIGESTS)}


def holds(sentence: str, word: str) -> bool:
    """Whether a sentence has a word: as a whole word where its script puts spaces between words."""
    border = r"\b" if word.isascii() else ""
    return re.search(border + re.escape(word.casefold()) + (r"s?\b" if word.isascii() else ""), sentence) is not None


@pytest.mark.parametrize("file", sorted((FOLDER / "glossary").glob("*.txt")), ids=lambda file: file.stem)
def test_a_catalogue_uses_the_words_of_its_glossary_and_no_others(file: Path) -> None:
    said = sentences(file.stem)
    named = list(glossary(file))
    assert {term for term, _, _ in named} >= TERMS
    assert [term for term, used, _ in named if not any(holds(each, used) for each in said.values())] == []
    refused = [other for _, _, others in named for other in others]
    assert [(key, other) for other in refused for key, each in said.items() if holds(each, other)] == []
