"""The client of a request: the language they read best, and the IP address for the rate limit. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address

from aiohttp import web

from bot.render.words import match
from bot.web.settings import Network

MOST_RANGES = 20
"""Languages of an Accept-Language header that are read."""
_RANGE = re.compile(r"\s*([A-Za-z]{1,8}(?:-[A-Za-z0-9]{1,8})*)\s*(?:;\s*q=([01](?:\.\d{0,3})?)\s*)?", re.ASCII)

LINE_PREFIX = 64
"""Bits of an IPv6 address that name an internet line; the rest its user can choose."""


def preferred(accepts: str, fallback: str) -> str:
    """The language to answer in, by Accept-Language (RFC 9110 section 12.5.4), else `fallback`."""
    wanted: list[tuple[float, str]] = []
    for written in accepts.split(",")[:MOST_RANGES]:
        found = _RANGE.fullmatch(written)
        if found and float(found[2] or 1) > 0:
            wanted.append((float(found[2] or 1), found[1]))
    for _, tag in sorted(wanted, key=lambda each: -each[0]):  # stable: of equals the first
        language = match(tag, "")
        if language:
            return language
    return fallback


def rate_limit_key(peer: str | None, forwarded: Sequence[str], proxies: Sequence[Network]) -> str:
    """The key that a client's quotas are counted by: its IPv4 address or IPv6 /64 network, "" if unknown.

    `forwarded` are the X-Forwarded-For headers. They are read from the end for as long as each address is a trusted
    proxy's; anything before that may have been made up by the client.
    """
    address = _address(peer or "")
    hops = [hop.strip() for line in forwarded for hop in line.split(",")]
    while address is not None and hops and any(address in each for each in proxies):
        further = _address(hops.pop())
        if further is None:
            break
        address = further
    if isinstance(address, IPv6Address):
        return str(IPv6Network((int(address), LINE_PREFIX), strict=False))
    return "" if address is None else str(address)


def is_among(peer: str, proxies: Sequence[Network]) -> bool:
    """Whether an IP address is a trusted proxy's."""
    address = _address(peer)
    return address is not None and any(address in each for each in proxies)


def _address(written: str) -> IPv4Address | IPv6Address | None:
    try:
        found = ip_address(written.partition("%")[0].strip("[]"))
    except ValueError:
        return None
    return found.ipv4_mapped or found if isinstance(found, IPv6Address) else found


def is_our_own(request: web.Request, origin: str) -> bool:
    """Whether a browser sent a form from a page of ours; `origin` is ours, in small letters.

    Browsers send the header Origin with every form (https://fetch.spec.whatwg.org/#origin-header); a request without
    it is none of theirs.
    """
    site = request.headers.get("Sec-Fetch-Site", "same-origin")
    return request.headers.get("Origin", "").lower() == origin and site == "same-origin"
