"""`papers subscribers`: list, add, remove, pause, import and export subscribers."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Annotated

import typer

from bot.channel import Requester
from bot.cli import subscriber_import, suppression_import
from bot.cli.configuration import configuration
from bot.cli.console import as_json, complain, say, table
from bot.cli.open_store import stored
from bot.cli.options import Channel, Day, Json, parse_day
from bot.cli.startup import DONE, FAILED, WRONG, execute
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
    help="List, add, remove, import and export subscribers.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
people.command("add")(subscriber_import.add)
people.command("set")(subscriber_import.set_)
people.command("import")(subscriber_import.import_)
people.command("export")(subscriber_import.export)
people.command("suppress")(suppression_import.suppress)


@people.command("list")
def list_subscribers(
    channel: Channel = None,
    status: Annotated[str | None, typer.Option(metavar="STATUS", help="Only this status, such as active.")] = None,
    language: Annotated[str | None, typer.Option(metavar="TAG", help="Only readers of this language.")] = None,
    limit: Annotated[int, typer.Option(min=0, metavar="N", help="The first N; 0 for all.")] = 50,
    json: Json = False,
) -> None:
    """List subscribers, oldest first."""
    execute(_list(channel, status, language, limit, json))


async def _list(channel: str | None, status: str | None, language: str | None, limit: int, json: bool) -> int:
    if status is not None and status not in set(Status):
        complain(f"There is no status {status}; there are: {', '.join(Status)}.")
        return WRONG
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
    return DONE


@people.command()
def remove(
    address: AddressArgument,
    forget: Annotated[bool, typer.Option("--forget", help="Also erase everything stored about them.")] = False,
    suppress: Annotated[bool, typer.Option("--suppress", help="Also let no import add them again.")] = False,
) -> None:
    """Unsubscribe an address."""
    execute(_remove(address, forget, suppress))


async def _remove(written: str, forget: bool, suppress: bool) -> int:
    now = clock()
    async with stored() as store:
        address = read_address(written, store)
        async with store.write() as connection:
            reader = await subscriber_queries.get(connection, address)
            if suppress:
                await subscriber_queries.suppress(connection, address, Reason.REMOVED, now=now)
            if reader is not None and forget:
                await subscriber_queries.forget(connection, reader.id, now=now)
            elif reader is not None:
                await subscriber_queries.unsubscribe(connection, reader.id, now=now, reason=Reason.REMOVED)
    if reader is None and not suppress:
        return _nobody(written)
    say(f"Nothing is sent to {address} any more.")
    return DONE


@people.command()
def allow(address: AddressArgument) -> None:
    """Take an address off the suppression list, after a complaint or --suppress. It is not subscribed by that."""
    execute(_allow(address))


async def _allow(written: str) -> int:
    async with stored() as store:
        address = read_address(written, store)
        async with store.write() as connection:
            suppressed = await subscriber_queries.is_suppressed(connection, address)
            await subscriber_queries.unsuppress(connection, address)
    if not suppressed:
        complain(f"{address} is not on the suppression list.")
        return FAILED
    say(f"{address} may subscribe again.")
    return DONE


@people.command()
def pause(
    address: AddressArgument,
    days: Annotated[int, typer.Option(min=0, metavar="N", help="Number of days; 0: until resumed.")] = 0,
) -> None:
    """Pause deliveries to an address."""
    execute(_pause(address, days))


async def _pause(written: str, days: int) -> int:
    now = clock()
    async with stored() as store:
        address = read_address(written, store)
        async with store.write() as connection:
            reader = await subscriber_queries.get(connection, address)
            if reader is None:
                return _nobody(written)
            if reader.status not in {Status.ACTIVE, Status.PAUSED}:
                complain(f"{address} is {reader.status}; nothing is sent there.")
                return FAILED
            until = now + timedelta(days=days) if days else None
            await subscriber_queries.pause(connection, reader.id, until=until, now=now)
    say(f"{address} is paused{f' until {until:%Y-%m-%d %H:%M} UTC' if until else ''}.")
    return DONE


@people.command()
def resume(address: AddressArgument) -> None:
    """Resume deliveries to a paused address."""
    execute(_resume(address))


async def _resume(written: str) -> int:
    async with stored() as store:
        address = read_address(written, store)
        async with store.write() as connection:
            reader = await subscriber_queries.get(connection, address)
            if reader is None:
                return _nobody(written)
            if reader.status is not Status.PAUSED:
                complain(f"{address} is {reader.status}, not paused; only readers themselves can subscribe again.")
                return FAILED
            await subscriber_queries.resume(connection, reader.id)
    say(f"Editions go to {address} again.")
    return DONE


@people.command()
def why(address: AddressArgument, date: Day = None) -> None:
    """Explain why the latest edition, or that of a day, was or was not delivered to an address."""
    execute(_why(address, parse_day(date)))


async def _why(written: str, day: date | None) -> int:
    async with stored() as store:
        address = read_address(written, store)
        async with store.read() as connection:
            reader = await subscriber_queries.get(connection, address)
        if reader is None:
            return _nobody(written)
        services = Services(store, closes=configuration().core.edition_closes)
        context = Context(Requester(address), reader, reader.preferences, words(DEFAULT), clock(), services)
        answer = await personal_data.why(context, day)
    for line in answer.says:
        say(line)
    return DONE


def _nobody(written: str) -> int:
    complain(f"{written} is not subscribed.")
    return FAILED


def _cells(subscriber: Subscriber) -> list[str]:
    row = as_row(subscriber)
    topics = ", ".join(subscriber.preferences.topics)
    shown = [row[name] for name in ("address", "status", "language", "style", "papers")]
    when = [row[name] for name in ("hour", "timezone", "cadence")]
    return [*map(str, shown), topics, *map(str, when), subscriber.reason or ""]
