"""`papers run`: the newsletter itself."""

from __future__ import annotations

import asyncio
import gc
from datetime import datetime
from typing import Annotated

import typer

from bot import settings
from bot.channel_loader import CHANNELS, FALLBACK_CHANNEL, configured, open_channel, settings_class
from bot.cli import PROGRAM
from bot.cli.configuration import configuration
from bot.cli.console import complain, say
from bot.cli.open_service import open_service
from bot.cli.open_store import wait_for_database
from bot.cli.options import parse_time
from bot.cli.startup import DONE, FAILED, WrongError, execute
from bot.delivery.rendering import compose
from bot.model import Cadence, Preferences
from bot.publishing.feed import sample
from bot.render.words import match
from bot.rules.closing import closing_time, next_to_close
from bot.runtime.memory import return_large_blocks
from bot.runtime.stopping import drain_on_signal, stop_on_signals
from bot.service import Role, Service
from bot.store import edition_queries

EXAMPLE = "add {channel}:{recipient} --language ko --hour 7:30 --timezone Asia/Seoul"
"""How a reader is added, with their own language and hour."""
RECIPIENTS = {"outbox": "ada", "email": "ada@example.com"}
"""Recipients as the example names them; of other channels it is an id."""


def run(
    once: Annotated[bool, typer.Option("--once", help="Poll, publish and deliver what is due, then exit.")] = False,
    only: Annotated[
        str | None, typer.Option(metavar="poll|deliver|listen|web", help="Run only these jobs in this process.")
    ] = None,
    now: Annotated[
        datetime | None,
        typer.Option(metavar="TIME", parser=parse_time, help="With --once: pretend it is this time (a rehearsal)."),
    ] = None,
    standby: Annotated[
        bool, typer.Option("--standby", help="If another process is already running this, wait and take over from it.")
    ] = False,
) -> None:
    """Start the newsletter, until it is told to stop.

    It polls the feed, publishes an edition a day, delivers it, and answers readers.
    """
    if only not in (None, *Role):
        raise typer.BadParameter(f"--only takes one of {', '.join(Role)}")
    if now is not None and not once:
        raise typer.BadParameter("--now needs --once")
    if standby and once:
        raise typer.BadParameter("--standby and --once exclude each other")
    execute(_run(once, frozenset({Role(only)} if only else Role), now, standby), stand_by=not once)


async def _run(once: bool, roles: frozenset[Role], at: datetime | None, standby: bool) -> int:
    if not once:
        await wait_for_database()
    async with open_service(quiet=False) as service:
        if roles == {Role.WEB} and service.web is None:
            raise WrongError("The web server has no port to listen on: set WEB_PORT or PUBLIC_URL; see .env.example.")
        real = [channel.name for channel in service.channels if not channel.rehearsal]
        if at is not None and real:
            raise WrongError(
                f"--now is for rehearsals, but {', '.join(real)} would reach real people: leave --now out."
            )
        return_large_blocks()
        gc.freeze()  # what is loaded by now stays; scanning it over and over would delay every message
        stop = asyncio.Event()
        stop_on_signals(stop)
        drain_on_signal(service.drain)
        if not once:
            await _serve(service, roles, stop, standby=standby)
            return DONE
        if at is None:
            await service.clock.measure()
        await service.once(at or service.clock.now(), roles, stop)
        if service.workers.publisher.poller.fault is None:
            return DONE
        complain(f"The feed could not be read: {service.workers.publisher.poller.fault}.")
        if await _is_first_start(service):
            _show_sample(service)
        return FAILED


async def _serve(service: Service, roles: frozenset[Role], stop: asyncio.Event, *, standby: bool) -> None:
    clock = service.clock.now
    await service.clock.measure()
    if not standby:
        await service.take_locks(roles, stop)
    if not standby and Role.POLL in roles and await _is_first_start(service):
        await service.first_round(clock(), roles, stop)
        if not stop.is_set():
            await _introduce(service)
    # Relay and DNS are asked while the work goes on: they may take a while, and nobody waits for them.
    announcing = asyncio.ensure_future(_announce_next(service, clock()))
    try:
        await service.run(stop, roles)
    finally:
        announcing.cancel()
        await asyncio.gather(announcing, return_exceptions=True)


async def _is_first_start(service: Service) -> bool:
    async with service.store.read() as connection:
        return await edition_queries.latest_day(connection, Cadence.DAY) is None


async def _introduce(service: Service) -> None:
    """End a first start: a sample if the feed gave nothing."""
    if await _is_first_start(service):
        say(f"The feed could not be read: {service.workers.publisher.poller.fault or 'it lists no finished day yet'}.")
        say("It is polled again until it answers.")
        _show_sample(service)


def _show_sample(service: Service) -> None:
    wanted = Preferences(language=match(service.settings.default_language))
    # The other channels' messages are no text for a terminal.
    fallback = open_channel(FALLBACK_CHANNEL, {}, configuration().home, service.store)
    message = compose(sample.edition(), wanted, fallback)
    assert message is not None
    say("This is what an edition looks like:")
    say()
    say(message.parts()["text"])


async def _announce_next(service: Service, now: datetime) -> None:
    """Say what the program does next, and how to reach more people."""
    core = service.settings
    day = next_to_close(now, core.edition_closes)
    left = closing_time(day, core.edition_closes) - now
    hours, minutes = divmod(int(left.total_seconds()) // 60, 60)
    say()
    say(f"The feed is polled every {core.poll_interval.total_seconds() / 60:g} minutes.")
    say(f"The list of {day} closes at {core.edition_closes:%H:%M} UTC, in {hours} h {minutes:02} min;")
    say("readers get it at their own hour (08:00 unless they chose another).")
    if service.web is not None:
        say(f"Web pages: {service.web.home}")
    for each in service.channel_jobs:
        for finding in await each.session.findings():
            say(f"{finding.subject}: {finding.says}")
    used = configured(configuration().environ)
    if others := [f"{name} ({settings.names(settings_class(name))[0]})" for name in CHANNELS if name not in used]:
        say(f"It could also deliver by {', '.join(others)}: put that into .env; see docs/settings.md.")
    say(f"To add a reader: {PROGRAM} {example(used[0])}")


def example(channel: str) -> str:
    """The arguments that add a reader of a channel."""
    return EXAMPLE.format(channel=channel, recipient=RECIPIENTS.get(channel, "ID"))
