"""Output for operators: tables and progress bars on a terminal, plain lines elsewhere. Rich's home in the core."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from rich import box
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from bot.channel import Finding
from bot.cli import PROGRAM

WIDE = 120
"""Columns of a table that is written to a file or a pipe."""


MARKS = {"ok": ("ok     ", "green"), "advice": ("advice ", "yellow"), "fault": ("FAULT  ", "bold red")}
"""How the levels of findings are shown."""


def say(line: str = "") -> None:
    """One plain line on standard output."""
    print(as_typed(line), flush=True)


def complain(line: str) -> None:
    """One plain line on standard error."""
    print(as_typed(line), file=sys.stderr, flush=True)


def as_typed(line: str) -> str:
    """A sentence in which `papers …` is what people type here, `./run …` in a checkout."""
    return line.replace("`papers ", f"`{PROGRAM} ")


def as_json(value: object) -> None:
    """A value for scripts."""
    print(json.dumps(value, ensure_ascii=False, indent=2, default=str), flush=True)


def table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """A table; what it says is text, never markup."""
    console = _console()
    drawn = Table(*columns, box=box.SIMPLE_HEAD, header_style="bold")
    for row in rows:
        drawn.add_row(*(Text(cell) for cell in row))
    console.print(drawn)


@contextmanager
def progress(what: str) -> Iterator[Callable[[int, int], None]]:
    """Show on a terminal how far some work has come: call what is given with (done, total)."""
    if not sys.stderr.isatty():  # where the log's lines alone belong
        yield lambda *_: None
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bars:
        bar = bars.add_task(what, total=None)
        yield lambda done, total: bars.update(bar, completed=done, total=total)


def findings(rows: Sequence[Finding]) -> None:
    """Print the doctor's findings, one line each."""
    console = _console()
    for row in rows:
        mark, style = MARKS[row.level]
        console.print(Text.assemble((mark, style), (f"{row.subject}: ", "bold"), as_typed(row.says)), soft_wrap=True)


def _console() -> Console:
    return Console() if sys.stdout.isatty() else Console(width=WIDE)
