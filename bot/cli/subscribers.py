"""`papers subscribers`: list, add, remove, pause, import and export subscribers."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

import typer

from bot.channel import Requester
from bot.cli import subscriber_import, suppression_import
from bot.cli.configuration import configuration
from bot.cli.console import as_json, complain, say, table
from bot.cli.open_store import stored
from bot.cli.options import Channel, Day, Json
from bot.cli.startup import CommandError, WrongError, command
from bot.cli.subscriber_files import as_row
from bot.cli.subscriber_import import AddressArgument, read_address
from bot.commands import personal_data
from bot.commands.context import Context, Services
from bot.model import Reason, Status, Subscriber
from bot.render.catalogue import DEFAULT
from bot.render.words import words
from bot.runtime.supervisor import clock
from bot.store import bulk_import, subscriber_queries

COLUMNS = ("address", "status", "language", "style", "papers", "topics", "hour", "zone", "cadence", "reason")

people = typer.Typer(
    help="List, add, remove, import and export subscribers.", no_args_is_help=True, rich_markup_mode=None
)
people.command("add")(subscriber_import.add)
people.command("set")(subscriber_import.set_)
people.command("import")(subscriber_import.import_)
people.command("export")(subscriber_import.export)
people.command("suppress")(suppression_import.suppress)


@people.command("list")
@command
async def list_subscribers(
    channel: Channel = None,
    status: Annotated[str | None, typer.Option(metavar="STATUS", help="Only this status, such as active.")] = None,
    language: Annotated[str | None, typer.Option(metavar="TAG", help="Only readers of this language.")] = None,
    limit: Annotated[int, typer.Option(min=0, metavar="N", help="The first N; 0 for all.")] = 50,
    json: Json = False,
) -> None:
    """List subscribers, oldest first."""
    if status is not None and status not in set(Status):
        raise WrongError(f"There is no status {status}; there are: {', '.join(Status)}.")
    wanted = None if status is None else Status(status)
    found: list[Subscriber] = []
    async with stored() as store, store.read() as connection:
        most = limit + 1 if limit else 0
        async for batch in bulk_import.everybody(
            connection, channel=channel, status=wanted, language=language, limit=most
        ):
            found += batch
    shown = found[:limit] if limit else found
    if json:
        as_json([as_row(each) for each in shown])
    elif shown:
        table(COLUMNS, [_cells(each) for each in shown])
    else:
        say("No subscriber matches.")
    if len(found) > len(shown):
        complain(f"These are the first {limit}; --limit 0 lists all.")


@people.command()
@command
async def remove(
    address: AddressArgument,
    forget: Annotated[bool, typer.Option("--forget", help="Also erase everything stored about them.")] = False,
    suppress: Annotated[bool, typer.Option("--suppress", help="Also let no import add them again.")] = False,
) -> None:
    """Unsubscribe an address."""
    now = clock()
    async with stored() as store:
        to = read_address(address, store)
        async with store.write() as connection:
            reader = await subscriber_queries.get(connection, to)
            if suppress:
                await subscriber_queries.suppress(connection, to, Reason.REMOVED, now=now)
            if reader is not None and forget:
                await subscriber_queries.forget(connection, reader.id, now=now)
            elif reader is not None:
                await subscriber_queries.unsubscribe(connection, reader.id, now=now, reason=Reason.REMOVED)
    if reader is None and not suppress:
        raise _nobody(address)
    say(f"Nothing is sent to {to} any more.")


@people.command()
@command
async def allow(address: AddressArgument) -> None:
    """Take an address off the suppression list, after a complaint or --suppress. It is not subscribed by that."""
    async with stored() as store:
        to = read_address(address, store)
        async with store.write() as connection:
            suppressed = await subscriber_queries.is_suppressed(connection, to)
            await subscriber_queries.unsuppress(connection, to)
    if not suppressed:
        raise CommandError(f"{to} is not on the suppression list.")
    say(f"{to} may subscribe again.")


@people.command()
@command
async def pause(
    address: AddressArgument,
    days: Annotated[int, typer.Option(min=0, metavar="N", help="Number of days; 0: until resumed.")] = 0,
) -> None:
    """Pause deliveries to an address."""
    now = clock()
    async with stored() as store:
        to = read_address(address, store)
        async with store.write() as connection:
            reader = await subscriber_queries.get(connection, to)
            if reader is None:
                raise _nobody(address)
            if reader.status not in {Status.ACTIVE, Status.PAUSED}:
                raise CommandError(f"{to} is {reader.status}; nothing is sent there.")
            until = now + timedelta(days=days) if days else None
            await subscriber_queries.pause(connection, reader.id, until=until, now=now)
    say(f"{to} is paused{f' until {until:%Y-%m-%d %H:%M} UTC' if until else ''}.")


@people.command()
@command
async def resume(address: AddressArgument) -> None:
    """Resume deliveries to a paused address."""
    async with stored() as store:
        to = read_address(address, store)
        async with store.write() as connection:
            reader = await subscriber_queries.get(connection, to)
            if reader is None:
                raise _nobody(address)
            if reader.status is not Status.PAUSED:
                raise CommandError(f"{to} is {reader.status}, not paused; only readers themselves can subscribe again.")
            await subscriber_queries.resume(connection, reader.id)
    say(f"Editions go to {to} again.")


@people.command()
@command
async def why(address: AddressArgument, date: Day = None) -> None:
    """Explain why the latest edition, or that of a day, was or was not delivered to an address."""
    async with stored() as store:
        to = read_address(address, store)
        async with store.read() as connection:
            reader = await subscriber_queries.get(connection, to)
        if reader is None:
            raise _nobody(address)
        services = Services(store, closes=configuration().core.edition_closes)
        context = Context(Requester(to), reader, reader.preferences, words(DEFAULT), clock(), services)
        answer = await personal_data.why(context, date)
    for line in answer.says:
        say(line)


def _nobody(written: str) -> CommandError:
    return CommandError(f"{written} is not subscribed.")


def _cells(subscriber: Subscriber) -> list[str]:
    row = as_row(subscriber)
    topics = ", ".join(subscriber.preferences.topics)
    shown = [row[name] for name in ("address", "status", "language", "style", "papers")]
    when = [row[name] for name in ("hour", "timezone", "cadence")]
    return [*map(str, shown), topics, *map(str, when), subscriber.reason or ""]
