"""Logs: for people or for machines, and no secret in either."""

import asyncio
import io
import json
import logging
import re
import sys
from collections.abc import Callable, Iterator
from datetime import date
from typing import Any, Literal

import pytest

from bot.runtime import logs

SECRET = "a-long-token"
FORMS = pytest.mark.parametrize("form", ["json", "human"])
Form = Literal["json", "human"]


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def root() -> Iterator[None]:
    """The root logger is put back as it was."""
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)


@pytest.fixture
def written(capsys: pytest.CaptureFixture[str]) -> Callable[[], str]:
    """What has reached standard error since it was last asked."""
    return lambda: capsys.readouterr().err


def log(message: str, **extra: Any) -> None:
    logging.getLogger("bot.test").info(message, extra=extra)


def fail(secret: str) -> None:
    opened = f"connection to {secret}"  # a local, which a traceback may show
    raise ConnectionError(f"no {opened}")


def crash(secret: str) -> None:
    try:
        fail(secret)
    except ConnectionError:
        logging.getLogger("bot.test").exception("part failed")


def test_machines_get_one_json_object_a_line(written: Callable[[], str]) -> None:
    logs.configure("json")
    log("polled", papers=7, day="2025-11-03")
    log("여러\nlines", reader="Zoë")
    first, second = map(json.loads, written().splitlines())
    assert (first["event"], first["level"], first["papers"], first["day"]) == ("polled", "info", 7, "2025-11-03")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", first["timestamp"])
    assert (second["event"], second["reader"]) == ("여러\nlines", "Zoë")


def test_machines_get_a_failure_in_its_one_line_too(written: Callable[[], str]) -> None:
    logs.configure("json")
    crash("nothing")
    [line] = written().splitlines()
    told = json.loads(line)
    assert (told["event"], told["level"]) == ("part failed", "error")
    assert "ConnectionError" in json.dumps(told["exception"])


async def test_lines_of_an_account_name_it_also_those_of_tasks_that_were_begun_for_it(
    written: Callable[[], str],
) -> None:
    logs.configure("json")

    async def work() -> None:
        await asyncio.sleep(0)
        await asyncio.to_thread(log, "sent")

    with logs.logged_account("987654321"):
        first = asyncio.create_task(work())
    with logs.logged_account(""):
        second = asyncio.create_task(work())
    await first
    await second
    assert [json.loads(line).get("account") for line in written().splitlines()] == ["987654321", None]


def test_a_field_that_is_no_json_is_written_as_it_shows_itself(written: Callable[[], str]) -> None:
    logs.configure("json")
    log("polled", day=date(2026, 4, 28), secret_free=None)
    told = json.loads(written())
    assert (told["day"], told["secret_free"]) == ("datetime.date(2026, 4, 28)", None)
    assert not {"msg", "args", "lineno", "thread"} & told.keys()


def test_people_get_words(written: Callable[[], str]) -> None:
    logs.configure("human")
    log("polled", papers=7)
    line = written()
    assert "polled" in line
    assert "papers=7" in line
    assert "\x1b" not in line  # no colours where there is no terminal
    with pytest.raises(ValueError, match=r"Expecting value|Extra data"):
        json.loads(line)


def test_left_alone_a_terminal_gets_words_and_a_file_gets_json(
    written: Callable[[], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    logs.configure("auto")
    log("polled")
    assert json.loads(written())["event"] == "polled"
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    logs.configure("auto")
    log("polled")
    assert not terminal.getvalue().startswith("{")


@FORMS
def test_what_is_below_the_level_is_not_told_and_libraries_whisper(form: Form, written: Callable[[], str]) -> None:
    logs.configure(form, level=logging.WARNING)
    log("polled")
    logging.getLogger("aiosqlite").info("executing")
    assert written() == ""


@FORMS
@pytest.mark.parametrize(
    "secret",
    [
        SECRET,
        pytest.param('say "aloud" twice', id="quotes"),
        pytest.param(r"back\slash\es", id="backslashes"),
        pytest.param("geheim-für-alle", id="beyond ASCII"),
        pytest.param("it's a secret", id="apostrophe"),
    ],
)
def test_a_secret_is_redacted_wherever_it_turns_up(form: Form, secret: str, written: Callable[[], str]) -> None:
    logs.configure(form, [secret])
    log(f"asking with {secret} now")
    log("asking", url=f"https://feed.example/?key={secret}", more={"list": [secret]})
    logging.getLogger("aiohttp").warning("refused %s", secret)
    crash(secret)
    told = written()
    assert logs.REDACTED in told
    for spelled in {secret, json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1], repr(secret)[1:-1]}:
        assert spelled not in told
    assert "asking" in told
    assert "ConnectionError" in told
    if form == "json":
        assert all(isinstance(json.loads(line), dict) for line in told.splitlines())


def test_of_two_secrets_the_longer_goes_first(written: Callable[[], str]) -> None:
    logs.configure("json", ["secret", "secret-and-more"])
    log("secret-and-more secret")
    assert json.loads(written())["event"] == f"{logs.REDACTED} {logs.REDACTED}"


def test_a_short_or_empty_secret_tears_no_holes_into_words(written: Callable[[], str]) -> None:
    logs.configure("json", ["", "a", "pol"])
    log("polled at last")
    assert json.loads(written())["event"] == "polled at last"
