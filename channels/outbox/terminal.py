"""Terminal output of the outbox: the first paper, a list of the others, the foot; and text wrapped by width."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.style import Style
from rich.table import Table
from rich.text import Text

from bot.channel import Block, Link, Page
from bot.runtime.text import wrapped
from channels.outbox.vote_bar import vote_bars

ROWS = 20
"""Papers on the terminal; the files hold all of them."""
COLUMNS = 78
"""Columns per line of the text file."""
MARGIN = 5
"""Columns of the margin for ranks and bullets."""
SUMMARY_COLUMNS = 360
"""Columns of a paper's summary."""
BARRED = 60
"""Columns of a terminal on which votes have bars."""

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
    """Print a page: in columns on a terminal, one line per paper elsewhere; then the `paths` of its files."""
    shown, hidden = page.blocks[:ROWS], len(page.blocks) - ROWS
    console.print()
    console.print(f"[bold]{escape(page.heading)}[/]", highlight=False)
    console.print(f"[dim]{escape(page.lead)}[/]", highlight=False)
    for note in page.notes:
        console.print(Text(note, style="yellow"))
    console.print()
    if console.is_terminal:
        if shown:
            console.print(_columns(shown, page, console.width))
    else:
        for block in shown:
            console.print(_line(block), soft_wrap=True, highlight=False, markup=False)
    last = [*([f"+{hidden}"] if hidden > 0 else []), *([page.paging.more] if page.paging.more else []), *page.footer]
    last += [f"{action.label} {action.url}" for action in page.actions]
    for line in last:
        console.print(Text(line, style="dim"))
    for path in paths:
        console.print(Text(f"→ {path}", style="dim"), soft_wrap=True)


def _columns(blocks: Sequence[Block], page: Page, width: int) -> Table:
    """The papers beside their ranks and votes; the first one says more."""
    bars = vote_bars(block.votes_count for block in blocks)
    barred = any(bars) and width >= BARRED
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(justify="right", style="bold dark_orange3", no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column(max_width=100, overflow="fold")
    for place, (block, bar) in enumerate(zip(blocks, bars, strict=True)):
        votes = Text("" if block.votes_count is None else f"▲ {block.votes_count}")
        if barred:
            votes.append(f"\n{bar}", style="dark_orange3")
        table.add_row(str(block.rank), votes, _lead(page, block) if place == 0 else _entry(page, block))
    return table


def _lead(page: Page, block: Block) -> Text:
    """All about a paper: its authors, and every link."""
    by = " · ".join(filter(None, (block.organisation, block.authors)))
    return _paper(page, block, Text(block.title, style="bold underline"), by, block.links)


def _entry(page: Page, block: Block) -> Text:
    """A paper of the list: with its code, if there is any."""
    links = [link for link in block.links if link.url in {block.paper.arxiv, block.paper.code}]
    return _paper(page, block, Text(block.title, style="bold"), block.organisation or "", links)


def _paper(page: Page, block: Block, title: Text, by: str, links: Sequence[Link]) -> Text:
    lines = [title]
    if sentence := _sentence(block):
        lines.append(Text(sentence))
    if sentence and (source := page.labels[f"said_by_{block.said.source}"]):
        lines[-1].append(f" ({source})", style="dim")
    if block.outcome:
        lines.append(Text(block.outcome).append(f" ({page.labels['said_by_authors']})", style="dim"))
    facts = [Text(by, style="italic dim")] if by else []
    facts += [
        Text(_bare(link.url) if place == 0 else link.label, style=Style(color="cyan", link=link.url))
        for place, link in enumerate(links)
    ]
    return Text("\n").join([*lines, Text("  ").join(facts), Text()])


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
    votes = None if block.votes_count is None else f"▲ {block.votes_count}"
    facts = [block.title, votes, block.organisation, _sentence(block), links]
    return f"{block.rank}. " + " · ".join(filter(None, facts))
