"""python -m tests.support.telegram_server: the server as a process of its own. Its first line is its port."""

import argparse
import asyncio
import gc
import signal

from tests.support.telegram_server.control import ControlledServer
from tests.support.telegram_server.rates import Rates
from tests.support.telegram_server.server import TOKEN


async def serve(server: ControlledServer) -> None:
    """Serve until told to stop."""
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with server:
        print(server.port, flush=True)  # noqa: T201 - a command prints
        await stop.wait()


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m tests.support.telegram_server", description="A Bot API server on this machine."
    )
    parser.add_argument("--port", type=int, default=0, help="0: one that is free")
    parser.add_argument("--token", default=TOKEN)
    parser.add_argument("--rates", action="store_true", help="limit sending as Telegram does")
    parser.add_argument("--per-second", type=float, default=30, help="messages of the whole bot, with --rates")
    parser.add_argument("--no-record", action="store_true", help="count only, so that memory stays bounded")
    parser.add_argument("--everybody", action="store_true", help="any positive chat id is a reader who has written")
    parser.add_argument("--no-rich", action="store_true", help="an older server, without rich messages")
    parser.add_argument("--delay", type=float, default=0, help="seconds that every answer takes longer")
    given = parser.parse_args()
    server = ControlledServer(
        token=given.token,
        record=not given.no_record,
        everybody=given.everybody,
        rates=Rates(per_second=given.per_second) if given.rates else None,
        rich=not given.no_rich,
        port=given.port,
    )
    server.delay = given.delay
    gc.disable()  # it measures when messages come, and a pause of its own would be taken for haste of the bot's
    asyncio.run(serve(server))


if __name__ == "__main__":
    main()
