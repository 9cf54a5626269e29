"""How commands open the whole program, channels included."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, nullcontext

from bot import app
from bot.cli import console
from bot.cli.configuration import configuration
from bot.runtime import logs
from bot.service import Service


@asynccontextmanager
async def open_service(
    *, only: str | None = None, bar: str = "Reading the feed", quiet: bool = True
) -> AsyncIterator[Service]:
    """Wire the program from the environment, with all configured channels or `only` one.

    `bar` labels the progress bar. `quiet` keeps all but errors out of the log. Raises SettingsError, StoreError.
    """
    here = configuration()
    logs.configure(here.core.log_format, here.secrets, level=logging.ERROR if quiet else logging.INFO)
    with console.progress(bar) if quiet else nullcontext() as progress:  # a log and a bar would mix
        async with app.open_app(here.home, here.environ, only=only, progress=progress) as service:
            yield service
