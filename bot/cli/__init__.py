"""The `papers` command.

A command's module is imported when the command is named, so that `papers --help` answers at once. Exit codes: 0 done,
1 something failed, 2 a setting or an argument is wrong, 3 another process is already running this.
"""

from __future__ import annotations

import importlib.util
import os
import sys
from pathlib import Path
from typing import Annotated, ClassVar

import typer

from bot.cli.lazy_group import LazyCommand, LazyGroup


def channel_groups() -> dict[str, LazyCommand]:
    """A command group for each channel that has a file commands.py."""
    spec = importlib.util.find_spec("channels")
    folders = [] if spec is None else spec.submodule_search_locations or []
    names = sorted(file.parent.name for folder in folders for file in Path(folder).glob("*/commands.py"))
    return {
        name: LazyCommand(
            f"channels.{name}.commands:app", f"{name.capitalize()} tools.", "bot.cli.channel_commands:ChannelTools"
        )
        for name in names
    }


FORMER = {"top": "papers", "min-votes": "votes", "zone": "timezone", "edition": "date"}
"""Names of options that are understood and no longer shown."""
PROGRAM = "./run" if (Path(__file__).resolve().parents[2] / "run").is_file() else "papers"
"""What people type: `./run` in a checkout, `papers` where it is installed."""


class PapersGroup(LazyGroup):
    """All commands of `papers`, in the order in which help lists them."""

    known: ClassVar = {
        "run": LazyCommand("bot.cli.run:run", "Start the newsletter, until it is told to stop."),
        "today": LazyCommand("bot.cli.today:today", "Show today's list of papers as it stands."),
        "publish": LazyCommand("bot.cli.publish:publish", "Publish today's edition now, or backfill a past day."),
        "editions": LazyCommand("bot.cli.editions:editions", "Show editions and how their deliveries went."),
        "preview": LazyCommand("bot.cli.preview:preview", "Show exactly what would be sent, and send nothing."),
        "export": LazyCommand("bot.cli.export:export", "Write editions as Markdown, HTML and JSON files."),
        "add": LazyCommand("bot.cli.subscriber_import:add", "Subscribe an address."),
        "subscribers": LazyCommand("bot.cli.subscribers:people", "List, add, remove, import and export subscribers."),
        "languages": LazyCommand("bot.cli.languages:languages", "Show the languages and how complete each is."),
        "send-test": LazyCommand("bot.cli.send_test:send_test", "Send one message to an address now."),
        "texts": LazyCommand("bot.cli.texts:app", "Show what the language model wrote, or generate texts ahead."),
        "illustrate": LazyCommand("bot.cli.illustrate:illustrate", "Draw the pictures of an edition."),
        "narrate": LazyCommand("bot.cli.narrate:narrate", "Read an edition aloud, into an MP3 with chapters."),
        "deliveries": LazyCommand("bot.cli.deliveries:app", "List, retry and cancel single deliveries."),
        "resume": LazyCommand("bot.cli.resume:resume", "Resume a waiting or halted channel now."),
        "broadcast": LazyCommand("bot.cli.broadcast:broadcast", "Send an announcement to all readers."),
        "doctor": LazyCommand("bot.cli.doctor:doctor", "Check your configuration."),
        "health": LazyCommand("bot.cli.roles:health", "Show which process has which role, and since when."),
        "drain": LazyCommand("bot.cli.drain:drain", "Let the processes on this machine finish, and end."),
        "migrate": LazyCommand("bot.cli.migrate:migrate", "Upgrade the database to this version of the program."),
        "backup": LazyCommand("bot.cli.backup:backup", "Copy the database to a file while everything runs."),
        "move": LazyCommand("bot.cli.move:move", "Move everything to another database."),
        **channel_groups(),
    }


app = typer.Typer(
    name="papers",
    cls=PapersGroup,
    help="A daily digest of AI papers by Telegram, Discord, email and web, in each reader's language.",
    epilog="Exit codes: 0 done, 1 something failed, 2 a setting or an argument is wrong, 3 already running.",
    no_args_is_help=True,
    rich_markup_mode=None,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={
        "help_option_names": ["-h", "--help"],
        "token_normalize_func": lambda name: FORMER.get(name, name),
    },
)


def _show_version(asked: bool) -> None:
    """Say which version this is, of the checkout or else of what is installed, and exit."""
    if not asked:
        return
    project = Path(__file__).resolve().parents[2] / "pyproject.toml"
    if project.is_file():
        import tomllib

        number = tomllib.loads(project.read_text(encoding="utf-8"))["project"]["version"]
    else:
        from importlib import metadata

        number = metadata.version("morning-papers")
    sys.stdout.write(f"Morning Papers {number}\n")
    raise typer.Exit


@app.callback()
def papers(
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """A daily digest of AI papers by Telegram, Discord, email and web, in each reader's language."""


def main() -> None:
    """Run `papers`."""
    try:
        app(prog_name=PROGRAM)
    except BrokenPipeError:  # `papers editions | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
