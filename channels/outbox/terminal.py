"""Terminal output of the outbox: a ranked table, and plain text wrapped by display width."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.style import Style
from rich.table import Table
from rich.text import Text

from bot.channel import Block, Page
from bot.runtime.text import wrapped

ROWS = 20
"""Papers in the terminal's table; the files hold all of them."""
COLUMNS = 78
"""Columns per line of the text file."""
MARGIN = 5
"""Columns of the margin for ranks and bullets."""
SUMMARY_COLUMNS = 360
"""Columns of a paper's summary in the table."""

_HANGING = re.compile(r" *\S+ {2,}| +")


class Terminal(Console):
    """A console whose output may be closed (`| head`) without ending the program."""

    def on_broken_pipe(self) -> None:
        with suppress(SystemExit):  # rich's default
            super().on_broken_pipe()


def wrap(text: str) -> str:
    """Wrap each line at COLUMNS. A first word followed by two spaces goes into the margin; the rest is indented."""
    return "\n".join(line for written in text.split("\n") for line in _lines(written))


def _lines(written: str) -> Iterator[str]:
    margin = _HANGING.match(written)
    body = written[margin.end() :] if margin else written
    lead = f"{margin[0].strip():>{MARGIN - 1}} " if margin else ""
    yield from wrapped(lead, body, COLUMNS) if written.strip() else [""]


def show(page: Page, paths: Sequence[Path], console: Console) -> None:
    """Print a page: a table on a terminal, one line per paper elsewhere, and the `paths` of its files."""
    shown, hidden = page.blocks[:ROWS], len(page.blocks) - ROWS
    console.print()
    console.print(f"[bold]{escape(page.heading)}[/]", highlight=False)
    console.print(f"[dim]{escape(page.lead)}[/]", highlight=False)
    for note in page.notes:
        console.print(Text(note, style="yellow"))
    if console.is_terminal:
        console.print(_table(page, shown))
    else:
        for block in shown:
            console.print(_line(block), soft_wrap=True, highlight=False, markup=False)
    for line in [*([f"+{hidden}"] if hidden > 0 else []), *([page.more] if page.more else [])]:
        console.print(Text(line, style="dim"))
    for path in paths:
        console.print(Text(f"→ {path}", style="dim"), soft_wrap=True)


def _table(page: Page, blocks: Sequence[Block]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_lines=False, header_style="dim", expand=False)
    table.add_column("#", justify="right", style="bold dark_orange3", no_wrap=True)
    table.add_column(page.labels["votes"], justify="right", no_wrap=True)
    table.add_column(page.labels["paper"], max_width=100, overflow="fold")
    for block in blocks:
        votes = "–" if block.votes_count is None else str(block.votes_count)
        table.add_row(str(block.rank), votes, _paper(page, block))
    return table


def _paper(page: Page, block: Block) -> Text:
    lines = [Text(block.title, style="bold")]
    by = " · ".join(filter(None, (block.organisation, block.authors)))
    if by:
        lines.append(Text(by, style="italic dim"))
    if sentence := _sentence(block):
        lines.append(Text(sentence))
    if sentence and (source := page.labels[f"said_by_{block.said.source}"]):
        lines[-1].append(f" ({source})", style="dim")
    links = Text("  ").join(
        Text(_bare(link.url) if place == 0 else link.label, style=Style(color="cyan", link=link.url))
        for place, link in enumerate(block.links)
    )
    return Text("\n").join([*lines, links, Text()])


def _sentence(block: Block) -> str:
    """The first part of a paper's text, shortened."""
    said = Text(next(iter(block.said.parts.values()), ""))
    said.truncate(SUMMARY_COLUMNS, overflow="ellipsis")
    return said.plain


def _bare(url: str) -> str:
    """A URL without its scheme: readable and typable where the terminal does not support links."""
    return url.removeprefix("https://")


def _line(block: Block) -> str:
    links = " ".join(link.url for link in block.links[:1])
    facts = [block.title, block.votes, block.organisation, _sentence(block), links]
    return f"{block.rank}. " + " · ".join(filter(None, facts))
