"""`papers --help` and the table of commands behind it."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_group

from bot.cli import PapersGroup, app
from bot.cli.channel_commands import ChannelTools

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
