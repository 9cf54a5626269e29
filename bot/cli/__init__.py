"""The `papers` command.

Nothing heavy is imported until a command runs, so that `--help` answers at once. Exit codes: 0 done, 1 something
failed, 2 a setting or an argument is wrong, 3 another process does this already.
"""

from __future__ import annotations

import os
import sys

import typer

from bot.cli import (
    backup,
    broadcast,
    channel_commands,
    deliveries,
    editions,
    export,
    publish,
    run,
    subscriber_import,
    subscribers,
    texts,
)

app = typer.Typer(
    name="papers",
    help="Each day's AI papers, ranked, in the reader's own language, where the reader already is.",
    epilog="Exit codes: 0 done, 1 something failed, 2 a setting or an argument is wrong, 3 runs already.",
    no_args_is_help=True,
    rich_markup_mode=None,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command()(run.run)
app.command()(editions.today)
app.command()(publish.publish)
app.command("editions")(editions.list_editions)
app.command()(editions.preview)
app.command()(export.export)
app.command()(subscriber_import.add)
app.add_typer(subscribers.people, name="subscribers")
app.command("languages")(subscribers.list_languages)
app.command("send-test")(subscribers.send_test)
app.add_typer(texts.desk, name="texts")
app.add_typer(deliveries.desk, name="deliveries")
app.command()(deliveries.resume)
app.command()(broadcast.broadcast)
app.command()(publish.doctor)
app.command()(publish.migrate)
app.command()(backup.backup)
app.command()(backup.move)
channel_commands.mount(app)


def main() -> None:
    """Run `papers`."""
    try:
        app(prog_name="papers")
    except BrokenPipeError:  # `papers editions | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
