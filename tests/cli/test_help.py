"""`papers --help` and the table of commands behind it."""

import os
import signal
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_group

from bot.cli import PapersGroup, app, console
from bot.cli.channel_commands import ChannelTools
from tests.support.command import run

ROOT = Path(__file__).resolve().parents[2]
HEAVY = (
    "sqlalchemy",
    "aiohttp",
    "jinja2",
    "babel",
    "feedparser",
    "rich",
    "pydantic",
    "structlog",
    "alembic",
    "asyncio",
)
COMMANDS: Any = get_group(app).commands


@pytest.mark.parametrize("name", PapersGroup.known)
def test_the_list_of_commands_says_what_each_command_says_of_itself(name: str) -> None:
    says = (COMMANDS[name].help or "").strip().partition("\n")[0]
    assert says == PapersGroup.known[name].summary
    assert len(says) <= 64, "a line of help holds no more"


def test_help_lists_every_command_and_imports_none(tmp_path: Path) -> None:
    code = f"""
import atexit, sys
from bot.cli import main
sys.argv = ["papers", "--help"]
atexit.register(lambda: print([name for name in sys.modules if name.startswith("channels") or name in {HEAVY}]))
main()
"""
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, env={"PYTHONPATH": str(ROOT)}, text=True, capture_output=True,
        check=True, timeout=60,
    )  # fmt: skip
    listed, imported = done.stdout.rsplit("\n", 2)[:2]
    assert imported == "[]"
    assert [line.split()[0] for line in listed.partition("Commands:\n")[2].partition("\n\n")[0].splitlines()] == [
        *PapersGroup.known
    ]


def test_a_channels_own_commands_find_that_channels_tools() -> None:
    assert isinstance(COMMANDS["email"].context_settings["obj"], ChannelTools)
    assert list(COMMANDS["email"].commands) == ["bounces"]


def test_the_help_of_preferences_is_in_words_and_each_option_has_one_name() -> None:
    options = [parameter for parameter in COMMANDS["add"].params if parameter.param_type_name == "option"]
    assert all(len(option.opts) == 1 for option in options if option.name != "help")
    assert [option.help for option in options if "preference." in (option.help or "")] == []
    assert {"--papers", "--votes", "--timezone"} <= {option.opts[0] for option in options}
    assert "--date" in {name for option in COMMANDS["deliveries"].commands["list"].params for name in option.opts}


@pytest.mark.parametrize(
    "words",
    ["today", "editions", "languages", "texts", "health", "doctor", "move", "subscribers list", "deliveries list"],
)
def test_every_list_is_written_for_scripts_too(words: str) -> None:
    first, _, below = words.partition(" ")
    command = COMMANDS[first].commands[below] if below else COMMANDS[first]
    assert "--json" in {name for option in command.params for name in option.opts}


@pytest.mark.parametrize("program", ["./run", "papers"])
def test_sentences_name_the_program_as_it_is_started_here(program: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(console, "PROGRAM", program)
    assert console.as_typed("Try `papers doctor`; papers are listed.") == f"Try `{program} doctor`; papers are listed."


def test_the_version_is_that_of_the_project(tmp_path: Path) -> None:
    done = run(["--version"], {"PATH": os.environ["PATH"]}, tmp_path)
    number = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    assert (done.returncode, done.stdout.decode()) == (0, f"Morning Papers {number}\n")


@pytest.mark.parametrize("after", ["", "typer", "asyncio"])
def test_ctrl_c_during_a_start_ends_it_without_a_word(after: str, tmp_path: Path) -> None:
    """Interrupted by itself at the import of a module, which is sooner than anybody can."""
    code = f"""
import os, signal, sys
class Interrupts:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] == {after!r} or (not {after!r} and name == "bot.cli"):
            os.kill(os.getpid(), signal.SIGINT)
sys.meta_path.insert(0, Interrupts())
sys.argv = ["papers", "editions"]
from bot.__main__ import main
main()
"""
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, env={"PYTHONPATH": str(ROOT)}, text=True, capture_output=True,
        check=False, timeout=60,
    )  # fmt: skip
    assert (done.returncode, done.stdout, done.stderr) == (-signal.SIGINT, "", "")
