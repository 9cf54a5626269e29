"""`papers subscribers suppress`: take over the suppression list of another newsletter."""

from __future__ import annotations

import csv
import io
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from itertools import islice
from pathlib import Path
from typing import IO, Annotated

import typer

from bot.cli.console import say
from bot.cli.open_store import stored
from bot.cli.startup import command
from bot.cli.subscriber_import import STDIN, address_reader
from bot.model import Address, Reason, Status
from bot.runtime.supervisor import clock
from bot.store import subscriber_queries

LONGEST_LINE = 10_000
"""Characters of a line that are read."""
BATCH = 500
"""Addresses that are stored in one transaction."""


@command
async def suppress(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The list; - for standard input.")],
    channel: Annotated[str, typer.Option(metavar="CHANNEL", help="The channel of its addresses.")] = "email",
) -> None:
    """Put the addresses of another newsletter's list (bounced, complained, unsubscribed) on the suppression list.

    Each line may hold other columns too: the first cell that is an address counts. Who is subscribed here stays so.
    """
    with ExitStack() as stack:
        lines: IO[bytes] = sys.stdin.buffer
        if file != STDIN:
            try:
                lines = stack.enter_context(file.open("rb"))
            except OSError as error:
                raise typer.BadParameter(f"{file} cannot be read ({error.strerror})") from None
        await _suppress(lines, channel)


async def _suppress(lines: IO[bytes], channel: str) -> None:
    added = known = subscribed = without = 0
    now = clock()
    async with stored() as store:
        found = _addresses(lines, channel, address_reader(store))
        while batch := list(islice(found, BATCH)):
            async with store.write() as connection:
                for address in batch:
                    if address is None:
                        without += 1
                        continue
                    reader = await subscriber_queries.get(connection, address)
                    if reader is not None and reader.status in {Status.ACTIVE, Status.PAUSED}:
                        subscribed += 1
                    elif await subscriber_queries.is_suppressed(connection, address):
                        known += 1
                    else:
                        await subscriber_queries.suppress(connection, address, Reason.REMOVED, now=now)
                        added += 1
    here = f"{subscribed} are subscribed here and stay, {without} lines hold no address"
    say(f"{added} suppressed, {known} were already, {here}.")


def _addresses(lines: IO[bytes], channel: str, read: Callable[[Address], Address]) -> Iterator[Address | None]:
    """The first address of each line; None where it has none, as a line of titles."""
    text = io.TextIOWrapper(lines, encoding="utf-8-sig", errors="replace", newline="")
    for line in filter(str.strip, text):
        for cell in next(csv.reader([line[:LONGEST_LINE].replace("\0", "").replace("\t", ",").replace(";", ",")]), []):
            written = cell.strip().removeprefix(f"{channel}:")
            try:
                yield read(Address(channel, written))
            except ValueError:
                continue
            break
        else:
            yield None
