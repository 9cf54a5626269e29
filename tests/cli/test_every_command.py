"""Every command in every unfortunate home: one sentence, the right exit code, no traceback."""

import os
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_group

from bot.cli import app
from tests.support.command_faults import ADDRESSES, OF_CHANNELS, PLAIN, STRANGER, Ended, Situation, play
from tests.support.databases import put_database

SQLITE = "subscribers.db"
PAGE = 4096
"""Bytes of a page of an SQLite database."""
LOCKS = ("poll", "keep", "write", "deliver-outbox", "listen-outbox", "migrate", "owner-0")

NOTHING_CODES = {
    "run --once": 1, "today": 1, "publish": 1, "publish --date 2025-11-03": 1,  # no feed
    "preview --channel outbox": 1, "export --layout plain --out out": 1, "illustrate": 1,  # no edition
    "narrate": 2,  # no voice
    "broadcast Words to all. --yes": 1, "backup copy.db": 1, "move --to sqlite:///other.db": 1, "doctor": 1,
    "subscribers set outbox:ada --papers 5": 1,
    "subscribers remove outbox:ada": 1, "subscribers allow outbox:ada": 1, "subscribers pause outbox:ada": 1,
    "subscribers resume outbox:ada": 1, "subscribers why outbox:ada": 1,
    "texts write": 2, "email bounces": 2, "email bounces nowhere": 2,
    **{f"preview --channel {name}": 1 for name in ("email", "telegram", "discord", "site")},
    **{f"send-test {address}": 2 for name, address in ADDRESSES.items() if name != "site"},
}  # fmt: skip
"""How commands end in an empty home whose feed cannot be reached; all others end with 0."""


def lend(*names: str, home: Path, mode: int = 0o600) -> None:
    """Make files another user's; where we cannot give files away, nobody may use them."""
    for name in names:
        path = home / name
        path.touch()
        path.chmod(mode)
        if os.geteuid() == 0:
            os.chown(path, STRANGER, STRANGER)
        else:
            path.chmod(0)


def foreign_database(home: Path) -> None:
    put_database(home)
    lend(SQLITE, home=home)


def foreign_locks(home: Path) -> None:
    put_database(home)
    lend(*(f"{SQLITE}.{role}.lock" for role in LOCKS), home=home)


def foreign_env(home: Path) -> None:
    lend(".env", home=home)


def env_folder(home: Path) -> None:
    (home / ".env").mkdir()


def env_of_bytes(home: Path) -> None:
    (home / ".env").write_bytes(b"LOG_FORMAT=\xff\xfe")


def read_only(home: Path) -> None:
    put_database(home)
    (home / SQLITE).chmod(0o444)
    home.chmod(0o555)


def no_database_at_all(home: Path) -> None:
    (home / SQLITE).write_bytes(b"whatever its name says " * 300)


def torn(home: Path) -> None:
    """The first pages are as they were; what follows is not."""
    put_database(home)
    content = (home / SQLITE).read_bytes()
    (home / SQLITE).write_bytes(content[: 3 * PAGE] + b"\xff" * (len(content) - 3 * PAGE))


def newer(home: Path) -> None:
    put_database(home)
    with closing(sqlite3.connect(home / SQLITE)) as opened, opened:
        opened.execute("update alembic_version set version_num = '9999'")


def a_folder(home: Path) -> None:
    (home / SQLITE).mkdir()


REFUSED = {
    "an unknown language": (Situation({"DEFAULT_LANGUAGE": "xx"}), "DEFAULT_LANGUAGE"),
    "a wrong setting of the core": (Situation({"POLL_INTERVAL": "often"}), "POLL_INTERVAL"),
    "a wrong setting of the pages": (Situation({"WEB_PORT": "often"}), "WEB_PORT"),
    "a wrong setting of a channel": (Situation({"TELEGRAM_TOKEN": "often"}), "TELEGRAM_TOKEN"),
    "half of e-mail": (Situation({"SMTP_HOST": "127.0.0.1"}), "EMAIL_FROM"),
    "half of a model": (Situation({"LLM_BASE_URL": "http://127.0.0.1:9/v1"}), "LLM_MODEL"),
    "a database in memory": (Situation({"DATABASE_URL": "sqlite:///:memory:"}), "DATABASE_URL"),
    "a file of a secret that is not there": (Situation({"SECRET_KEY_FILE": "nowhere"}), "SECRET_KEY_FILE"),
    "another user's .env": (Situation({}, foreign_env), ".env"),
    "a folder named .env": (Situation({}, env_folder), ".env"),
    "an .env that is no text": (Situation({}, env_of_bytes), ".env"),
}
"""Settings that every command refuses, and what its sentence names."""

HALVES = {
    "EMAIL_FROM": "papers@example.org", "SMTP_USERNAME": "ada", "TELEGRAM_RATE": "5", "DISCORD_GUILD": "1",
    "SITE_GIT": "push", "LLM_API_KEY": "sk-1234567", "METRICS_TOKEN": "x" * 20, "INVITE_CODES": "abcdef",
}  # fmt: skip
"""Settings that are accepted and do nothing without others."""

DOWN = {"DATABASE_URL": "postgresql+psycopg://papers:pa55word@127.0.0.1:9/papers"}
UNUSABLE = {
    "no database at all": (Situation({}, no_database_at_all), "damaged", "docs/operating.md"),
    "damaged": (Situation({}, torn), "damaged", "docs/operating.md"),
    "read-only": (Situation({}, read_only), "cannot be written to", "belong to the user"),
    "another user's": (Situation({}, foreign_database), "cannot be opened", "belongs to"),
    "newer": (Situation({}, newer), "9999", "update Morning Papers"),
    "a folder": (Situation({}, a_folder), "is a folder", "DATABASE_URL"),
    "no folder": (Situation({"DATABASE_URL": "sqlite:////nonexistent/x.db"}), "/nonexistent", "DATABASE_URL"),
    "its server is down": (Situation(DOWN), "cannot be used just now", "DATABASE_URL"),
}
"""Databases that no command can use, and what the sentence says of the cause and the remedy."""


def whole(ended: Mapping[str, Ended]) -> Iterator[tuple[str, Ended]]:
    """Each command with how it ended, once it is sure that none crashed."""
    for words, each in ended.items():
        assert "Traceback" not in each.err + each.out, f"{words}: {each.err}"
        assert "pa55word" not in each.err + each.out
        assert not any("Error(" in sentence for sentence in each.sentences)
        yield words, each


def test_every_command_is_among_them() -> None:
    played = {tuple(words[:2]) for words in PLAIN} | {(words[0],) for words in PLAIN}
    commands: dict[str, object] = dict(get_group(app).commands)
    for name, command in commands.items():
        for below in getattr(command, "commands", {}):
            assert (name, below) in played
        assert (name,) in played


@pytest.mark.parametrize("name", REFUSED)
def test_a_wrong_setting_is_one_sentence_of_every_command(name: str) -> None:
    situation, named = REFUSED[name]
    for words, ended in whole(play(situation)):
        if words == "doctor":
            assert (ended.code, ended.err) == (1, "")
            assert named in ended.out
            continue
        assert ended.code == 2, words
        assert ended.out == ""
        [sentence] = ended.sentences
        assert named in sentence
        assert sentence.endswith(".")


@pytest.mark.parametrize("name", UNUSABLE)
def test_a_database_that_cannot_be_used_is_one_sentence_of_every_command(name: str) -> None:
    situation, cause, remedy = UNUSABLE[name]
    for words, ended in whole(play(situation)):
        assert ended.code == 1, words
        if words == "doctor":
            assert cause in ended.out
            assert sum(cause in line and "database" in line for line in ended.out.splitlines()) == 1, "said twice"
            continue
        assert ended.out == "", words
        [sentence] = ended.sentences
        assert sentence.endswith("."), words
        if not (words.startswith(("backup", "move")) and "There is no database yet" in sentence):
            assert cause in sentence, words
            assert remedy in sentence, words


@pytest.mark.parametrize(
    ("environ", "prepare", "commands"),
    [({}, Path.exists, PLAIN), ({}, put_database, OF_CHANNELS), (HALVES, put_database, [*PLAIN, *OF_CHANNELS])],
    ids=["nothing", "nothing of a channel", "halves"],
)
def test_with_nothing_or_half_set_every_command_ends_with_a_sentence(
    environ: dict[str, str], prepare: Any, commands: Any
) -> None:
    expected = NOTHING_CODES | ({"backup copy.db": 0, "move --to sqlite:///other.db": 0} if environ else {})
    for words, ended in whole(play(Situation(environ, prepare), commands)):
        assert ended.code == expected.get(words, 0), (words, ended.err)
        if words == "doctor":
            for name in environ:
                assert f"advice {name}: is set but unused" in ended.out
        elif ended.code:
            assert len(ended.sentences) == 1, (words, ended.err)


def test_another_users_lock_is_one_sentence_of_what_needs_it() -> None:
    for words, ended in whole(play(Situation({}, foreign_locks))):
        if words in {"run --once", "move --to sqlite:///other.db"}:
            assert ended.code == 1
            [sentence] = ended.sentences
            assert "lock file" in sentence
            assert "one user" in sentence
