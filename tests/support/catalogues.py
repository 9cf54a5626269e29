"""Writes the translators' files: `templates/locale/messages.pot`, and each catalogue brought up to date with it.

By hand, after adding or rewording a sentence: python -m tests.support.catalogues [--check]

A sentence begins in `en.po`: its id, a line `#. …` that tells translators where it stands, and the English. Everything
else in the comments is written by this tool in the form that `msgmerge --no-wrap --no-fuzzy-matching
--add-location=file` leaves alone: the English sentence, a screenshot where there is one, and the files that use the id.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "templates" / "locale"
TEMPLATE = FOLDER / "messages.pot"
KEYWORDS = {"gettext": None, "ngettext": (1,), "N_": None}
SOURCES = (("bot", "**.py", "python"), ("channels", "**.py", "python"), ("templates", "**", "jinja2"))
ENGLISH, SCREENSHOT = "English: ", "Screenshot: docs/pictures/"
REFERENCE_COLUMNS = 79
SCREENSHOTS = {
    "email": "mail-en-1200.webp",
    "web": "web-reading-en-1200.webp",
    "form": "web-settings-en-1200.webp",
    "search": "web-searching-en-1200.webp",
    "consent": "web-coming-en-1200.webp",
    "unsubscribe": "web-leaving-en-1200.webp",
}
"""By the first part of an id: a picture that shows where such sentences stand."""


@cache
def references() -> Mapping[str, Sequence[str]]:
    """The ids that code and templates ask for, each with the files that do."""
    found: dict[str, set[str]] = {}
    for folder, files, method in SOURCES:
        for name, _, key, _, _ in extract_from_dir(
            str(ROOT / folder), [("**.png", "ignore"), (files, method)], keywords=KEYWORDS
        ):
            found.setdefault(str(key), set()).add(f"{folder}/{Path(name).as_posix()}")
    return {key: sorted(files) for key, files in found.items()}


def catalogue(path: Path) -> Catalog:
    """A file's messages. Raises PoFileError where it is not well-formed."""
    locale = None if path == TEMPLATE else path.stem.replace("-", "_")
    with path.open("rb") as written:
        return read_po(written, locale=locale, abort_invalid=True)


def messages(read: Catalog) -> dict[str, Message]:
    """The messages of a catalogue by id, without its header."""
    return {key_of(each): each for each in read if each.id}


def key_of(message: Message) -> str:
    """A message's id; a plural message bears the same id twice."""
    return str(message.id[0] if isinstance(message.id, list | tuple) else message.id)


def forms_of(message: Message) -> list[str]:
    """A message's sentence, or its plural forms."""
    return [str(form) for form in (message.string if isinstance(message.string, list | tuple) else [message.string])]


def note_of(message: Message) -> list[str]:
    """What translators are told of a message, without the lines that this tool adds."""
    return [line for line in message.auto_comments if not line.startswith((ENGLISH, SCREENSHOT))]


def template() -> str:
    """The text of messages.pot."""
    header = ['msgid ""', 'msgstr ""', *map(_quoted, _headers("", None))]
    return "\n".join(["# Morning Papers: every sentence a reader sees.", *header, "", *_entries({}, None)])


def updated(path: Path) -> str:
    """The text that a catalogue should have: its own sentences and comments under the template's ids and order."""
    read = catalogue(path)
    header = [*(f"# {line}".rstrip() for line in read.header_comment.splitlines() and _first_comment(path))]
    header += ['msgid ""', 'msgstr ""', *map(_quoted, _headers(path.stem, read))]
    return "\n".join([*header, "", *_entries(messages(read), read)])


def _headers(tag: str, read: Catalog | None) -> Iterator[str]:
    yield "Project-Id-Version: Morning Papers"
    yield f"Language: {tag}"
    yield "MIME-Version: 1.0"
    yield "Content-Type: text/plain; charset=UTF-8"
    yield "Content-Transfer-Encoding: 8bit"
    if read is not None:
        yield f"Plural-Forms: {read.plural_forms}"


def _first_comment(path: Path) -> list[str]:
    lines = path.read_text(encoding="utf-8").split("msgid", 1)[0].splitlines()
    return [line.removeprefix("#").strip() for line in lines if line.startswith("#")]


def _entries(own: Mapping[str, Message], read: Catalog | None) -> Iterator[str]:
    for key, english in messages(catalogue(FOLDER / "en.po")).items():
        mine = own.get(key)
        plural = isinstance(english.id, list | tuple)
        yield from (f"# {line}".rstrip() for line in (mine.user_comments if mine else ()))
        yield from (f"#. {line}" for line in note_of(english))
        yield from (f"#. {ENGLISH}{_escaped(form)}" for form in dict.fromkeys(forms_of(english)))
        shown = SCREENSHOTS.get(key.partition(".")[0])
        if shown is not None:
            yield f"#. {SCREENSHOT}{shown}"
        yield from _reference_lines(references().get(key, ()))
        flags = [*(["fuzzy"] if mine is not None and mine.fuzzy else []), *(_brace_format(english))]
        if flags:
            yield f"#, {', '.join(flags)}"
        yield f'msgid "{key}"'
        count = read.num_plurals if read is not None else 2
        said = forms_of(mine) if mine is not None and mine.string else [""] * (count if plural else 1)
        if plural:
            yield f'msgid_plural "{key}"'
            yield from (f'msgstr[{at}] "{_escaped(form)}"' for at, form in enumerate(said))
        else:
            yield f'msgstr "{_escaped(said[0])}"'
        yield ""


def _reference_lines(files: Sequence[str]) -> Iterator[str]:
    """`#:` comments, wrapped as msgmerge wraps them."""
    line = "#:"
    for file in files:
        if len(line) + 1 + len(file) > REFERENCE_COLUMNS and line != "#:":
            yield line
            line = "#:"
        line += f" {file}"
    if line != "#:":
        yield line


def _brace_format(english: Message) -> list[str]:
    return ["python-brace-format"] if any("{" in form for form in forms_of(english)) else []


def _quoted(line: str) -> str:
    return f'"{_escaped(line)}\\n"'


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def main() -> int:
    """Write the files, or with --check say which are out of date and exit with 1."""
    parser = argparse.ArgumentParser(prog="python -m tests.support.catalogues", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 if a file is out of date")
    check = parser.parse_args().check
    wanted = {path: updated(path) for path in sorted(FOLDER.glob("*.po"))} | {TEMPLATE: template()}
    stale = [path for path, text in wanted.items() if not path.exists() or path.read_text(encoding="utf-8") != text]
    for path in stale:
        print(f"{path.relative_to(ROOT)} is {'out of date' if check else 'written'}")
        if not check:
            path.write_text(wanted[path], encoding="utf-8")
    return 1 if check and stale else 0


if __name__ == "__main__":
    sys.exit(main())
