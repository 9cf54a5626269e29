"""Adding a language works as CONTRIBUTING.md says: begun with ten sentences, then finished, in Latin letters."""

import json
import re
from collections.abc import Mapping
from pathlib import Path

from tests.support.checkout import copy_checkout, run_in, run_tests

FRENCH = {
    "Daily papers": "Articles du jour",
    "Weekly papers": "Articles de la semaine",
    "Monthly papers": "Articles du mois",
    "Papers so far": "Articles parus jusqu’ici",
    "Settings": "Réglages",
    "Language": "Langue",
    "Topics": "Sujets",
    "Time zone": "Fuseau horaire",
    "Today": "Aujourd’hui",
    "Search": "Rechercher",
}
HEADERS = {"Language: en": "Language: fr", "plural=(n != 1)": "plural=(n > 1)"}
ENTRY = re.compile(
    r'^msgid "(?P<one>[^"\n]*)"\n(?P<many>msgid_plural "(?P<plural>.*)"\n)?(?P<forms>(?:msgstr.*\n)+)', re.MULTILINE
)
ANSWERS = "tests/commands/test_answers_in_every_language.py"
TESTS = ("tests/render/test_words.py", ANSWERS)
LEFT_IN_ENGLISH = "Time zone"
ASK = """
import json
from bot.render.words import catalogues, languages, match, words
french = words("fr")
print(json.dumps([
    french.gettext("Daily papers"), french.gettext("Archive"), french.ngettext("{n} paper", "{n} papers", 2),
    "fr" in catalogues(), "fr" in languages(), match("fr-CA"),
]))
"""


def begun(checkout: Path) -> str:
    """The English catalogue with French headers, as a translator begins."""
    text = (checkout / "templates" / "locale" / "en.po").read_text(encoding="utf-8")
    for english, french in HEADERS.items():
        assert english in text
        text = text.replace(english, french)
    return text


def with_sentences(text: str, said: Mapping[str, str]) -> str:
    """A catalogue in which some sentences are translated."""
    for english, french in said.items():
        assert f'msgid "{english}"\nmsgstr ""' in text
        text = text.replace(f'msgid "{english}"\nmsgstr ""', f'msgid "{english}"\nmsgstr "{french}"')
    return text


def finished(text: str, *, but: str = "") -> str:
    """A catalogue with every sentence but one translated into words in Latin letters that are not English ones."""

    def translated(sentence: str) -> str:
        pieces = re.split(r"(\{\w+\}|https?://\S+|\\.)", sentence)
        return "".join(each if at % 2 else re.sub(r"[A-Za-z]+", r"\g<0>é", each) for at, each in enumerate(pieces))

    def fill(found: re.Match[str]) -> str:
        one, plural = found["one"], found["plural"]
        said = "" if one == but else translated(plural or one)
        if plural is None:
            return f'msgid "{one}"\nmsgstr "{said}"\n'
        return f'msgid "{one}"\nmsgid_plural "{plural}"\nmsgstr[0] "{said}"\nmsgstr[1] "{said}"\n'

    return ENTRY.sub(fill, text)


def test_a_partial_french_file_passes_and_what_it_lacks_is_said_in_english(tmp_path: Path) -> None:
    checkout = copy_checkout(tmp_path)
    catalogue = checkout / "templates" / "locale" / "fr.po"
    catalogue.write_text(with_sentences(begun(checkout), FRENCH), encoding="utf-8")
    done = run_tests(checkout, "-k", "words", *TESTS)
    assert done.returncode == 0, done.stdout
    said = json.loads(run_in(checkout, "python", "-c", ASK).stdout)
    assert said == ["Articles du jour", "Archive", "2 papers", True, False, "en"]


def test_a_finished_language_may_be_written_in_latin_letters_but_not_in_english(tmp_path: Path) -> None:
    checkout = copy_checkout(tmp_path)
    catalogue = checkout / "templates" / "locale" / "fr.po"
    catalogue.write_text(finished(begun(checkout)), encoding="utf-8")
    done = run_tests(checkout, "-k", "words and fr", *TESTS)
    assert done.returncode == 0, done.stdout
    catalogue.write_text(finished(begun(checkout), but=LEFT_IN_ENGLISH), encoding="utf-8")
    done = run_tests(checkout, "-k", "words and fr", ANSWERS)
    assert done.returncode == 1
    assert f"{LEFT_IN_ENGLISH!r}" in done.stdout
