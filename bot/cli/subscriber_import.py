"""Commands that bring subscribers in and out: `papers add`, `papers subscribers import|export`."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import IO, TYPE_CHECKING, Annotated

import typer

from bot.cli.open_store import stored
from bot.cli.startup import DONE, FAILED, WRONG, execute

if TYPE_CHECKING:  # see bot.cli.startup
    from bot.cli.subscriber_files import SubscriberRow
    from bot.model import Address, Preferences
    from bot.store import Store
    from bot.store.bulk_import import BatchResult, BulkImporter


class FileFormat(StrEnum):
    """The kinds of file."""

    CSV = "csv"
    JSONL = "jsonl"


STDIN = Path("-")
AddressArgument = Annotated[str, typer.Argument(metavar="CHANNEL:ID", help="An address, such as outbox:ada.")]
Format = Annotated[FileFormat | None, typer.Option("--format", help="csv or jsonl; told by the name's end without it.")]


def add(
    address: AddressArgument,
    language: Annotated[str, typer.Option(metavar="TAG", help="In this language, such as ko.")] = "",
    style: Annotated[str, typer.Option(metavar="STYLE", help="Such as headline, abstract or highlights.")] = "",
    top: Annotated[str, typer.Option(metavar="N", help="So many papers: 1 to 50, or all.")] = "",
    votes: Annotated[str, typer.Option(metavar="N", help="Only papers with so many votes.")] = "",
    topics: Annotated[str, typer.Option(metavar="TOPICS", help="Such as 'diffusion, -video'.")] = "",
    hour: Annotated[str, typer.Option(metavar="HOUR", help="At this local hour, such as 8 or 7:30.")] = "",
    weekdays: Annotated[str, typer.Option(metavar="DAYS", help="On these days, such as mon-fri.")] = "",
    timezone: Annotated[str, typer.Option(metavar="ZONE", help="By these clocks, such as Asia/Seoul.")] = "",
    cadence: Annotated[str, typer.Option(metavar="day|week|month", help="So often.")] = "",
) -> None:
    """Subscribe an address.

    The latest edition goes there as soon as its waking hours allow.
    """
    given = {
        "language": language,
        "style": style,
        "papers": top,
        "min_votes": votes,
        "topics": topics,
        "hour": hour,
        "weekdays": weekdays,
        "timezone": timezone,
        "cadence": cadence,
    }
    execute(_add(address, given))


async def _add(written: str, given: dict[str, str]) -> int:
    from bot.cli import subscriber_files
    from bot.cli.console import complain, say
    from bot.commands import subscription
    from bot.commands.descriptions import rhythm_in_words
    from bot.render.words import DEFAULT, own_name, words
    from bot.rules.schedule import Rhythm, waking
    from bot.runtime.supervisor import clock
    from bot.store import audience, subscriber_queries

    async with stored() as store:
        address = read_address(written, store)
        try:
            wanted = subscriber_files.preferences(default_preferences(), **given)
        except ValueError as error:
            complain(f"{error}.")
            return WRONG
        now = clock()
        at = waking(Rhythm(wanted.timezone, wanted.hour, wanted.weekdays), now)
        async with store.write() as connection:
            await audience.hold_editions(connection)
            if await subscriber_queries.is_suppressed(connection, address):
                complain(
                    f"{address} asked to be left alone; `papers subscribers allow` is for who has changed their mind."
                )
                return FAILED
            added = await subscription.add(connection, address, wanted, welcome_at=at, now=now)
    if not added:
        complain(f"{address} is subscribed already; `papers subscribers list` shows how.")
        return FAILED
    say(f"{address} is subscribed, in {own_name(wanted.language)}.")
    say(rhythm_in_words(wanted, words(DEFAULT), now))
    if address.channel not in _configured():
        complain(f"But {address.channel} is not set up, so nothing is sent there until it is: see docs/settings.md.")
    return DONE


def _configured() -> list[str]:
    """The channels that editions go to."""
    from bot import settings
    from bot.app import configured

    return configured(settings.environment(settings.home(os.environ), os.environ))


def import_(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="CSV or JSON Lines; - for standard input.")],
    format: Format = None,
    welcome: Annotated[
        bool, typer.Option("--welcome", help="Owe them the latest edition too, not just the next.")
    ] = False,
) -> None:
    """Subscribe everybody in a file. Each bad line is told by its number, every good one is kept.

    Who is subscribed already stays as they are, and who asked to be left alone is.
    """
    with ExitStack() as stack:
        try:
            lines = sys.stdin.buffer if file == STDIN else stack.enter_context(file.open("rb"))
            size = 0 if file == STDIN else file.stat().st_size
        except OSError as error:
            raise typer.BadParameter(f"{file} cannot be read ({error.strerror})") from None
        execute(_import(lines, size, _kind(file, format), welcome))


async def _import(lines: IO[bytes], size: int, kind: FileFormat, welcome: bool) -> int:
    from bot.cli import subscriber_files
    from bot.cli.console import complain, progress, say
    from bot.runtime.supervisor import clock
    from bot.store.bulk_import import BATCH, BatchResult, BulkImporter

    done, bad, now, registrar = BatchResult(), 0, clock(), BulkImporter()
    read = subscriber_files.read_json_lines if kind is FileFormat.JSONL else subscriber_files.read_csv
    batch: list[SubscriberRow] = []
    async with stored() as store:
        with progress("Bytes read" if size else "Subscribers added") as bar:
            try:
                for row in read(lines, address_reader(store), default_preferences()):
                    if isinstance(row, subscriber_files.BadRow):
                        bad += 1
                        complain(f"line {row.line}: {row.why}")
                        continue
                    batch.append(row)
                    if len(batch) == BATCH:
                        done += await _store(store, registrar, batch, now, welcome=welcome)
                        batch = []
                        bar(*((lines.tell(), size) if size else (done.added, done.added)))
            except ValueError as error:
                complain(f"Nothing was read: {error}.")
                return WRONG
            done += await _store(store, registrar, batch, now, welcome=welcome)
            bar(*((size, size) if size else (done.added, done.added)))
    say(f"{done.added} added, {done.known} known already, {done.suppressed} left alone, {bad} bad lines.")
    return FAILED if bad else DONE


async def _store(
    store: Store, registrar: BulkImporter, batch: Sequence[SubscriberRow], now: datetime, *, welcome: bool
) -> BatchResult:
    """Store a batch in one transaction; with `welcome`, owe each who is new the latest edition when they are awake."""
    from bot.commands.subscription import greet
    from bot.model import Status
    from bot.rules.schedule import waking
    from bot.store import audience, subscriber_queries
    from bot.store.bulk_import import NewSubscriber

    new_subscribers = [
        NewSubscriber(row.address, row.status, row.preferences, row.created_at or now, row.paused_until)
        for row in batch
    ]
    async with store.write() as connection:
        await audience.hold_editions(connection)
        done = await registrar.enrol(connection, new_subscribers)
        for recruit in new_subscribers if welcome else ():
            reader = await subscriber_queries.get(connection, recruit.address)
            if reader is not None and reader.status is Status.ACTIVE:
                at = waking(subscriber_queries.rhythm(reader.preferences), now)
                await greet(connection, reader.id, reader.address.channel, reader.preferences, welcome_at=at)
    return done


def export(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A new file; - for standard output.")] = STDIN,
    format: Format = None,
) -> None:
    """Write everybody down, as CSV or JSON Lines, so that an import elsewhere makes the same of it."""
    with ExitStack() as stack:
        out: IO[str] = sys.stdout
        if file != STDIN:
            try:
                handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)  # it holds everybody's address
            except OSError as error:
                raise typer.BadParameter(f"{file} cannot be made ({error.strerror})") from None
            out = stack.enter_context(os.fdopen(handle, "w", encoding="utf-8", newline=""))
        execute(_export(out, _kind(file, format)))


async def _export(out: IO[str], kind: FileFormat) -> int:
    from bot.cli import subscriber_files
    from bot.cli.console import progress
    from bot.store import bulk_import, subscriber_queries

    async with stored() as store, store.read() as connection:
        total, done = await subscriber_queries.count(connection), 0
        with progress("Subscribers written") as bar:
            if kind is FileFormat.CSV:
                out.write(subscriber_files.write_csv([], header=True))
            async for batch in bulk_import.everybody(connection):
                lines = (
                    subscriber_files.write_json_lines(batch)
                    if kind is FileFormat.JSONL
                    else subscriber_files.write_csv(batch, header=False)
                )
                out.write(lines)
                done += len(batch)
                bar(done, total)
    return DONE


def read_address(written: str, store: Store) -> Address:
    """An address from the command line, in the form in which it is stored; typer.BadParameter where it is none."""
    from bot.model import Address

    try:
        return address_reader(store)(Address.parse(written))
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None


def address_reader(store: Store) -> Callable[[Address], Address]:
    """What brings addresses into the form in which they are stored."""
    from bot import settings
    from bot.app import recipients

    home = settings.home(os.environ)
    return recipients(settings.environment(home, os.environ), home, store)


def default_preferences() -> Preferences:
    """What a subscriber is given who has not chosen: the operator's defaults."""
    from bot import settings
    from bot.model import Preferences
    from bot.render.words import match

    core = settings.read(settings.Settings, settings.environment(settings.home(os.environ), os.environ))
    return Preferences(language=match(core.default_language), timezone=core.default_timezone)


def _kind(file: Path, kind: FileFormat | None) -> FileFormat:
    if kind is not None:
        return kind
    return FileFormat.JSONL if file.suffix.casefold() in {".jsonl", ".ndjson"} else FileFormat.CSV
