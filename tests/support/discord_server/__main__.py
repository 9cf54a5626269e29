"""The Discord server as a process of its own: prints its port; tests control it by HTTP below /_/."""

from __future__ import annotations

import argparse
import asyncio
import signal

from tests.support.discord_server.buckets import Rates
from tests.support.discord_server.control import ControlledServer


async def serve(given: argparse.Namespace) -> None:
    """Serve until told to stop."""
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    server = ControlledServer(port=given.port, record=given.record, validate=given.validate)
    server.token = given.token or server.token
    if given.real_rates:
        server.rates = Rates.real()
    async with server:
        print(server.port, flush=True)  # noqa: T201 - a command prints
        await stop.wait()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m tests.support.discord_server", description="A local Discord.")
    parser.add_argument("--port", type=int, default=0, help="0: one that is free")
    parser.add_argument("--token", help="the bot's token")
    parser.add_argument("--no-record", dest="record", action="store_false", help="count only")
    parser.add_argument(
        "--no-validate", dest="validate", action="store_false", help="without the description's schemas"
    )
    parser.add_argument("--real-rates", action="store_true", help="50 calls a second, 5 messages in 5 s in a channel")
    asyncio.run(serve(parser.parse_args()))
