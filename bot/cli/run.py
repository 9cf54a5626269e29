"""`papers run`: the main job."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from bot.cli.startup import DONE, FAILED, an_instant, execute, opened

if TYPE_CHECKING:  # see bot.cli.startup
    import asyncio

    from bot.service import Role, Service

HOW_TO_ADD = (
    "To reach people in Telegram put TELEGRAM_TOKEN into .env, on Discord DISCORD_TOKEN, by e-mail SMTP_HOST and\n"
    "EMAIL_FROM. More readers, each as they like it:\n"
    "papers add outbox:ada --language ko --hour 7:30 --timezone Asia/Seoul"
)


def run(
    once: Annotated[
        bool, typer.Option("--once", help="Poll, close what is due, deliver what is due, and exit.")
    ] = False,
    only: Annotated[
        str | None, typer.Option(metavar="poll|deliver|listen|web", help="Do only this part of the work.")
    ] = None,
    now: Annotated[
        str | None, typer.Option(metavar="TIME", help="With --once: pretend that it is this time (a rehearsal).")
    ] = None,
    standby: Annotated[
        bool, typer.Option("--standby", help="Where another process does this already: wait, and take over.")
    ] = False,
) -> None:
    """Poll the feed, close an edition a day, deliver it, until told to stop."""
    at = an_instant(now)
    if only not in (None, "poll", "deliver", "listen", "web"):
        raise typer.BadParameter("--only takes poll, deliver, listen or web")
    if at is not None and not once:
        raise typer.BadParameter("--now goes with --once")
    if standby and once:
        raise typer.BadParameter("--standby does not go with --once")
    execute(_run(once, only, at, standby), stand_by=not once)


async def _run(once: bool, only: str | None, at: datetime | None, standby: bool) -> int:
    import asyncio
    import gc

    from bot.cli.console import complain
    from bot.runtime.supervisor import clock
    from bot.service import Role

    roles = frozenset({Role(only)}) if only else frozenset(Role)
    async with opened(quiet=False) as app:
        if roles == {Role.WEB} and app.web is None:
            complain("The web side has nowhere to listen: set WEB_PORT or PUBLIC_URL; see .env.example.")
            return 2
        real = [channel.name for channel in app.channels if not channel.rehearsal]
        if at is not None and real:
            complain(f"--now is for rehearsals, and {', '.join(real)} would reach real people: take --now away.")
            return 2
        gc.freeze()  # what is there by now stays: looking through it again and again would hold every message up
        if not once:
            return await _serve(app, roles, standby)
        stop = asyncio.Event()
        _stop_on_signals(stop)
        await app.once(at or clock(), roles, stop)
        if app.publisher.fault is None:
            return DONE
        complain(f"The feed could not be read: {app.publisher.fault}.")
        if await _is_first_start(app):
            _show_sample(app)
        return FAILED


async def _serve(app: Service, roles: frozenset[Role], standby: bool) -> int:
    import asyncio

    from bot.runtime.supervisor import clock
    from bot.service import Role

    stop = asyncio.Event()
    _stop_on_signals(stop)
    if not standby:
        await app.take_locks(roles, stop)
    if not standby and Role.POLL in roles and await _is_first_start(app):
        await app.once(clock(), roles, stop)
        if not stop.is_set():
            await _introduce(app, clock())
    else:
        await _what_comes(app, clock())
    await app.run(stop, roles)
    return DONE


def _stop_on_signals(stop: asyncio.Event) -> None:
    import asyncio
    import signal

    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        try:
            loop.add_signal_handler(number, stop.set)
        except NotImplementedError:  # Windows
            signal.signal(number, lambda *_: loop.call_soon_threadsafe(stop.set))


async def _is_first_start(app: Service) -> bool:
    from bot.model import Cadence
    from bot.store import edition_queries

    async with app.store.read() as connection:
        return await edition_queries.latest_day(connection, Cadence.DAY) is None


async def _introduce(app: Service, now: datetime) -> None:
    """The end of a first start: a sample where the feed gave nothing, and what happens next."""
    from bot.cli.console import say

    if await _is_first_start(app):
        say(f"The feed could not be read: {app.publisher.fault or 'it lists no finished day yet'}.")
        say("It is asked again until it answers.")
        _show_sample(app)
    await _what_comes(app, now)


def _show_sample(app: Service) -> None:
    from bot.app import STANDING_IN, open_channel
    from bot.cli.console import say
    from bot.delivery.rendering import compose
    from bot.model import Preferences
    from bot.publishing.feed import sample
    from bot.render.words import match

    wanted = Preferences(language=match(app.settings.default_language))
    on_paper = open_channel(STANDING_IN, {}, app.home, app.store)  # what others make of it is no text for a terminal
    message = compose(sample.edition(), wanted, on_paper)
    assert message is not None
    say("This is what an edition looks like:")
    say()
    say(message.parts()["text"])


async def _what_comes(app: Service, now: datetime) -> None:
    """A few lines: what the program does next, and how to reach more people."""
    from bot.cli.console import say
    from bot.rules.closing import closing_time, newest_finished

    settings = app.settings
    day = newest_finished(now, settings.edition_closes) + timedelta(days=1)
    left = closing_time(day, settings.edition_closes) - now
    hours, minutes = divmod(int(left.total_seconds()) // 60, 60)
    say()
    say(f"The feed is read every {settings.poll_interval.total_seconds() / 60:g} minutes.")
    say(f"The list of {day} closes at {settings.edition_closes:%H:%M} UTC, in {hours} h {minutes:02} min;")
    say("readers get it at their own hour (08:00 unless they chose another).")
    if app.web is not None:
        say(f"Web pages: {app.web.home}")
    for session in app.sessions:
        for finding in await session.findings():
            say(f"{finding.subject}: {finding.says}")
    say(HOW_TO_ADD)
