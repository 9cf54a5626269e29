"""Adding a language works as CONTRIBUTING.md says: begun with ten sentences, then finished, in Latin letters."""

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from bot.render.catalogue import DEFAULT, load
from tests.support.checkout import copy_checkout, run_in, run_tests

pytestmark = pytest.mark.timeout(400)  # a copy of the project is checked as a whole

FRENCH = {
    "edition.daily": "Articles du jour",
    "edition.weekly": "Articles de la semaine",
    "edition.monthly": "Articles du mois",
    "edition.so_far": "Articles parus jusqu’ici",
    "settings.title": "Réglages",
    "preference.language": "Langue",
    "preference.topics": "Sujets",
    "preference.zone": "Fuseau horaire",
    "web.today": "Aujourd’hui",
    "web.search": "Rechercher",
}
ITALIAN_SENTENCES = 50
"""How many sentences a translator has done who is half-way through."""

HEADER = """msgid ""
msgstr ""
"Project-Id-Version: Morning Papers\\n"
"Language: {tag}\\n"
"MIME-Version: 1.0\\n"
"Content-Type: text/plain; charset=UTF-8\\n"
"Content-Transfer-Encoding: 8bit\\n"
"Plural-Forms: nplurals=2; plural={plural};\\n"
"""
RULES = {"fr": "(n > 1)", "it": "(n != 1)"}
ANSWERS = "tests/commands/test_answers_in_every_language.py"
TESTS = ("tests/render/test_words.py", "tests/render/test_catalogues.py", ANSWERS)
OTHERS = ("ar", "ja", "ko", "zh")
"""Languages that have nothing to do with an unfinished one, unlike English, which stands in for it."""
LEFT_IN_ENGLISH = "preference.zone"
ASK = """
import json
from bot.render.catalogue import catalogues, languages
from bot.render.words import match, words
french, italian = words("fr"), words("it")
print(json.dumps([
    french.gettext("edition.daily"), french.gettext("web.archive"), french.ngettext("edition.papers", 0),
    [tag in catalogues() for tag in ("fr", "it")], [tag in languages() for tag in ("fr", "it")], match("fr-CA"),
]))
"""


def catalogue(tag: str, sentences: Mapping[str, Sequence[str]]) -> str:
    """The text of a catalogue with these sentences, by id; plural ones have two forms."""
    entries = [HEADER.replace("{tag}", tag).replace("{plural}", RULES[tag])]
    for key, forms in sentences.items():
        if len(forms) == 1:
            entries.append(f'msgid "{key}"\nmsgstr "{escape(forms[0])}"\n')
        else:
            entries.append(f'msgid "{key}"\nmsgid_plural "{key}"\n')
            entries[-1] += "".join(f'msgstr[{at}] "{escape(form)}"\n' for at, form in enumerate(forms))
    return "\n".join(entries)


def escape(text: str) -> str:
    """A sentence as a catalogue writes it in quotation marks."""
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def foreign(sentence: str) -> str:
    """A sentence with every word changed into one in Latin letters that is not English; placeholders and links stay."""
    pieces = re.split(r"(\{\w+\}|https?://\S+)", sentence)
    return "".join(each if at % 2 else re.sub(r"[A-Za-z]+", r"\g<0>é", each) for at, each in enumerate(pieces))


def add(checkout: Path, tag: str, sentences: Mapping[str, Sequence[str]]) -> None:
    """Put a catalogue into a copy of the project and let the translators' tool complete it, as CONTRIBUTING.md says."""
    file = checkout / "templates" / "locale" / f"{tag}.po"
    file.write_text(catalogue(tag, sentences), encoding="utf-8")
    written = run_in(checkout, "python", "-m", "tests.support.catalogues")
    assert written.returncode == 0, written.stdout + written.stderr


def english() -> Mapping[str, Sequence[str]]:
    """The English sentences by id."""
    found = load(DEFAULT)
    assert found is not None
    return found.messages


def test_partial_french_and_italian_files_pass_and_what_they_lack_is_said_in_english(tmp_path: Path) -> None:
    checkout = copy_checkout(tmp_path)
    add(checkout, "fr", {key: [said] for key, said in FRENCH.items()})
    first = dict(list(english().items())[:ITALIAN_SENTENCES])
    add(checkout, "it", {key: [foreign(form) for form in forms] for key, forms in first.items()})
    done = run_tests(checkout, "-k", f"words and not ({' or '.join(OTHERS)})", *TESTS)
    assert done.returncode == 0, done.stdout
    said = json.loads(run_in(checkout, "python", "-c", ASK).stdout)
    assert said == ["Articles du jour", "Archive", "0 papers", [True, True], [False, False], "en"]


def test_a_finished_language_may_be_written_in_latin_letters_but_not_in_english(tmp_path: Path) -> None:
    checkout = copy_checkout(tmp_path)
    finished = {key: [foreign(form) for form in forms] for key, forms in english().items()}
    add(checkout, "fr", finished)
    add(checkout, "it", {key: forms for key, forms in finished.items() if key != LEFT_IN_ENGLISH})
    done = run_tests(checkout, "-k", "words and (fr or it)", *TESTS)
    assert done.returncode == 1
    failed = re.findall(r"^FAILED (\S+)", done.stdout, re.MULTILINE)
    assert failed, done.stdout
    assert all(each.startswith(ANSWERS) and "[it-" in each for each in failed), failed
    assert f"{english()[LEFT_IN_ENGLISH][0]!r}" in done.stdout
