"""`papers add`, `papers subscribers import` and `papers subscribers export`."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from datetime import datetime
from enum import StrEnum
from inspect import Parameter
from pathlib import Path
from typing import IO, Annotated

import typer

from bot import channel_loader
from bot.channel.preference import Preference
from bot.cli import subscriber_files
from bot.cli.configuration import configuration
from bot.cli.console import complain, progress, say
from bot.cli.open_store import stored
from bot.cli.options import with_parameters
from bot.cli.startup import DONE, FAILED, CommandError, WrongError, command
from bot.cli.subscriber_files import SubscriberRow
from bot.commands import subscription
from bot.model import Address, Preferences, Status
from bot.render.catalogue import DEFAULT
from bot.render.preference_values import rhythm_in_words
from bot.render.words import own_name, words
from bot.rules.preferences import PREFERENCES
from bot.rules.schedule import waking
from bot.runtime.supervisor import clock
from bot.store import Store, accounts, audience, bulk_import, subscriber_queries
from bot.store.bulk_import import BATCH, BatchResult, BulkImporter, NewSubscriber


class FileFormat(StrEnum):
    """The file formats for lists of subscribers."""

    CSV = "csv"
    JSONL = "jsonl"


STDIN = Path("-")
METAVARS = {
    "language": "TAG",
    "style": "STYLE",
    "count": "N|all",
    "number": "N",
    "topics": "TOPICS",
    "hour": "HOUR",
    "weekdays": "mon-fri|1,3,5",
    "zone": "ZONE",
    "cadence": "day|week|month",
    "switch": "on|off",
}
"""How `--help` shows the value of an option, by the kind of its preference."""
AddressArgument = Annotated[str, typer.Argument(metavar="CHANNEL:ID", help="An address, such as outbox:ada.")]
Format = Annotated[FileFormat | None, typer.Option("--format", help="csv or jsonl; by default from the file name.")]


def with_preference_options(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command that takes an address an option for each preference: `--votes N`, `--timezone ZONE`."""
    address = Parameter("address", Parameter.KEYWORD_ONLY, annotation=AddressArgument)
    options = [
        Parameter(each.name, Parameter.KEYWORD_ONLY, default="", annotation=_option(each)) for each in PREFERENCES
    ]
    return with_parameters(command, [address, *options])


def _option(preference: Preference) -> object:
    """The type of a preference's option, with its name and its help."""
    name = (preference.name if preference.name in preference.options else preference.option).replace("_", "-")
    return Annotated[str, typer.Option(f"--{name}", metavar=METAVARS[preference.kind], help=_help(preference))]


def _help(preference: Preference) -> str:
    example = next((each for each in preference.examples if "{" not in each), None)
    title = words(DEFAULT).gettext(preference.title)
    return f"{title}, such as {example!r}." if example else f"{title}."


@with_preference_options
@command
async def add(address: str, **given: str) -> None:
    """Subscribe an address.

    It gets the latest edition at once, or in the morning where it is night there.
    """
    async with stored() as store:
        served = await _served(store)
        to = accounts.resolved(read_address(address, store), served)
        wanted = _preferences(configuration().default_preferences, given)
        now = clock()
        at = waking(subscriber_queries.rhythm(wanted), now)
        async with store.write() as connection:
            await audience.lock_editions(connection)
            if await subscriber_queries.is_suppressed(connection, to):
                raise CommandError(
                    f"{to} is on the suppression list; `papers subscribers allow` takes it off if they ask for it."
                )
            added = await subscription.add(connection, to, wanted, welcome_at=at, now=now)
    if not added:
        raise CommandError(f"{to} is already subscribed; see `papers subscribers list`.")
    say(f"{to} is subscribed, in {own_name(wanted.language)}.")
    say(rhythm_in_words(wanted, words(DEFAULT), now))
    if to.via not in {each.name for each in served}:
        complain(f"But {to.via} is not configured, so nothing is sent until it is: see docs/settings.md.")


@with_preference_options
@command
async def set_(address: str, **given: str) -> None:
    """Change the preferences of a subscriber."""
    changes = {name: cell for name, cell in given.items() if cell}
    if not changes:
        raise WrongError("Say what to change, such as --language ko or --hour 7:30.")
    now = clock()
    async with stored() as store:
        to = read_address(address, store)
        async with store.write() as connection:
            await audience.lock_editions(connection)
            reader = await subscriber_queries.get(connection, to, lock=True)
            if reader is None:
                raise CommandError(f"{to} is not subscribed.")
            # The time zone stays, whatever the language suggests.
            wanted = _preferences(reader.preferences, {"timezone": reader.preferences.timezone} | changes)
            await subscriber_queries.change(connection, reader, wanted, now=now)
    say(f"{to} gets {own_name(wanted.language)}, {wanted.style}.")
    say(rhythm_in_words(wanted, words(DEFAULT), now))


def _preferences(default: Preferences, given: Mapping[str, str]) -> Preferences:
    """Preferences as options give them. Raises WrongError."""
    try:
        return subscriber_files.preferences(default, **given)
    except ValueError as error:
        raise WrongError(f"{error}.") from None


@command
async def import_(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="CSV or JSON Lines; - for standard input.")],
    format: Format = None,
    welcome: Annotated[
        bool, typer.Option("--welcome", help="Send them the latest edition too, not just the next.")
    ] = False,
) -> int:
    """Subscribe everybody in a file. Bad rows are reported by line number and skipped.

    Existing subscribers stay unchanged, and addresses on the suppression list are skipped.
    """
    with ExitStack() as stack:
        try:
            lines = sys.stdin.buffer if file == STDIN else stack.enter_context(file.open("rb"))
            size = 0 if file == STDIN else file.stat().st_size
        except OSError as error:
            raise typer.BadParameter(f"{file} cannot be read ({error.strerror})") from None
        return await _import(lines, size, _kind(file, format), welcome)


async def _import(lines: IO[bytes], size: int, kind: FileFormat, welcome: bool) -> int:
    done, bad, now, importer = BatchResult(), 0, clock(), BulkImporter()
    read = subscriber_files.read_json_lines if kind is FileFormat.JSONL else subscriber_files.read_csv
    batch: list[SubscriberRow] = []
    async with stored() as store:
        served = await _served(store)
        stored_form = address_reader(store)
        with progress("Bytes read" if size else "Subscribers added") as bar:
            try:
                for row in read(
                    lines,
                    lambda address: accounts.resolved(stored_form(address), served),
                    configuration().default_preferences,
                ):
                    if isinstance(row, subscriber_files.BadRow):
                        bad += 1
                        complain(f"line {row.line}: {row.why}")
                        continue
                    batch.append(row)
                    if len(batch) == BATCH:
                        done += await _store(store, importer, batch, now, welcome=welcome)
                        batch = []
                        bar(*((lines.tell(), size) if size else (done.added, done.added)))
            except ValueError as error:
                raise WrongError(f"Nothing was imported: {error}.") from None
            done += await _store(store, importer, batch, now, welcome=welcome)
            bar(*((size, size) if size else (done.added, done.added)))
    say(f"{done.added} added, {done.known} already subscribed, {done.suppressed} suppressed, {bad} bad lines.")
    return FAILED if bad else DONE


async def _store(
    store: Store, importer: BulkImporter, batch: Sequence[SubscriberRow], now: datetime, *, welcome: bool
) -> BatchResult:
    """Store a batch in one transaction; with `welcome`, schedule the latest edition for each active one's daytime."""
    new_subscribers = [
        NewSubscriber(row.address, row.status, row.preferences, row.created_at or now, row.paused_until)
        for row in batch
    ]
    async with store.write() as connection:
        await audience.lock_editions(connection)
        done = await importer.add_batch(connection, new_subscribers)
        for each in new_subscribers if welcome else ():
            reader = await subscriber_queries.get(connection, each.address)
            if reader is not None and reader.status is Status.ACTIVE:
                at = waking(subscriber_queries.rhythm(reader.preferences), now)
                await subscription.greet(connection, reader.id, reader.address.via, reader.preferences, welcome_at=at)
    return done


@command
async def export(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A new file; - for standard output.")] = STDIN,
    format: Format = None,
) -> None:
    """Export all subscribers as CSV or JSON Lines, in the form that import reads."""
    with ExitStack() as stack:
        out: IO[str] = sys.stdout
        if file != STDIN:
            try:
                handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)  # it holds addresses
            except OSError as error:
                raise typer.BadParameter(f"{file} cannot be created ({error.strerror})") from None
            out = stack.enter_context(os.fdopen(handle, "w", encoding="utf-8", newline=""))
        await _export(out, _kind(file, format))


async def _export(out: IO[str], kind: FileFormat) -> None:
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


def read_address(written: str, store: Store) -> Address:
    """An address from the command line in its stored form. Raises typer.BadParameter for an invalid one."""
    try:
        return address_reader(store)(Address.parse(written))
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None


async def _served(store: Store) -> Sequence[accounts.Account]:
    """The accounts of the channels that are set up."""
    environ = configuration().environ
    return await channel_loader.accounts(channel_loader.configured(environ), environ, store)


def address_reader(store: Store) -> Callable[[Address], Address]:
    """A function that normalises addresses to their stored form, by the rules of each channel."""
    here = configuration()
    return channel_loader.recipients(here.environ, here.home, store)


def _kind(file: Path, kind: FileFormat | None) -> FileFormat:
    if kind is not None:
        return kind
    return FileFormat.JSONL if file.suffix.casefold() in {".jsonl", ".ndjson"} else FileFormat.CSV
