"""How every command starts: home, environment, logs, and one sentence where something is wrong."""

from __future__ import annotations

import logging
import os
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

import typer

if TYPE_CHECKING:  # the composition root imports everything, and --help needs none of it
    import asyncio

    from bot.service import Service

DONE, FAILED, WRONG, RUNNING = 0, 1, 2, 3
OR_STAND_BY = ", or start this one with --standby"


def execute(work: Coroutine[Any, Any, int], *, stand_by: bool = False) -> None:
    """Run a command's work to its end and exit with its code; what an operator can mend is said in one sentence.

    `stand_by` says that the command could also wait for who does the same already.
    """
    import asyncio  # a fifth of what --help costs

    from bot.channel import LoginError
    from bot.cli.console import complain
    from bot.publishing.feed import FeedError
    from bot.runtime.locks import HeldError, LostError
    from bot.settings import SettingsError
    from bot.store import DatabaseFault, StoreError

    try:
        with asyncio.Runner(loop_factory=new_loop()) as runner:
            code = runner.run(work)
    except (SettingsError, LoginError) as error:
        complain(str(error))
        code = WRONG
    except HeldError as error:
        complain(f"Another process does this already: {error}. Stop it first{OR_STAND_BY if stand_by else ''}.")
        code = RUNNING
    except FeedError as error:
        complain(f"The feed could not be read: {error}.")
        code = FAILED
    except StoreError as error:
        complain(str(error))
        code = FAILED
    except (DatabaseFault, LostError) as error:
        cause = str(getattr(error, "orig", error)).strip().splitlines()[0]
        complain(f"The database cannot be used just now ({cause}); nothing was lost, try again.")
        code = FAILED
    except KeyboardInterrupt:
        code = 130
    raise typer.Exit(code)


def new_loop() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """What makes an event loop: uvloop where it is installed, which sends mails half as fast again; else asyncio's."""
    try:
        import uvloop
    except ImportError:
        return None
    return uvloop.new_event_loop


@asynccontextmanager
async def opened(
    *, only: str | None = None, bar: str = "Reading the feed", quiet: bool = True
) -> AsyncIterator[Service]:
    """The application, wired from the environment; `quiet` leaves the talking to the command itself."""
    from bot import app, settings
    from bot.cli import console
    from bot.runtime import logs
    from bot.web.settings import WebSettings

    home = settings.home(os.environ)
    environ = settings.environment(home, os.environ)
    core = settings.read(settings.Settings, environ)
    hidden = [*settings.secrets(core), *settings.secrets(settings.read(WebSettings, environ))]
    for name in app.CHANNELS:
        hidden += settings.secrets(settings.read(app.settings_class(name), environ))
    logs.configure(core.log_format, hidden, level=logging.ERROR if quiet else logging.INFO)
    with console.progress(bar) as progress:
        async with app.open_app(home, environ, only=only, progress=progress) as wired:
            yield wired


def a_day(written: str | None) -> date | None:
    """Read YYYY-MM-DD."""
    if written is None:
        return None
    try:
        return date.fromisoformat(written)
    except ValueError:
        raise typer.BadParameter(f"{written!r} is no day; write it like 2026-04-29") from None


def an_instant(written: str | None) -> datetime | None:
    """Read an ISO 8601 instant; one without a zone is in UTC."""
    if written is None:
        return None
    try:
        at = datetime.fromisoformat(written)
    except ValueError:
        raise typer.BadParameter(f"{written!r} is no time; write it like 2026-04-29T22:05:00Z") from None
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
