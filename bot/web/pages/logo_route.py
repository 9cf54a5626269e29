"""The newsletter's logo, for mails and pages."""

from __future__ import annotations

from collections.abc import Sequence

from aiohttp import web

from bot.render.branding import branding

KEEP = 86_400
"""Seconds for which browsers may use it without asking again."""


def logo_routes(root: str) -> Sequence[web.RouteDef]:
    """The route of the logo below the path `root`; none where there is no logo."""
    logo = branding.logo
    if logo is None:
        return []

    async def answer(_: web.Request) -> web.StreamResponse:
        headers = {"Cache-Control": f"public, max-age={KEEP}", "Content-Type": "image/png"}
        return web.Response(body=logo.body, headers=headers)

    return [web.get(f"{root}/logo.png", answer)]
