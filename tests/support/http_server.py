"""A local HTTP server whose every request is answered by one handler."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import web

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@asynccontextmanager
async def serving(handler: Handler) -> AsyncIterator[str]:
    """Run a server that passes every request to `handler`; yields its address, without a closing slash."""
    app = web.Application()
    app.router.add_get("/{path:.*}", handler)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1, handler_cancellation=True)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


def answers(body: bytes = b"[]", **more: Any) -> Handler:
    """A handler that always gives the same answer; `more` goes to web.Response."""

    async def handler(request: web.Request) -> web.StreamResponse:
        return web.Response(body=body, **more)

    return handler
