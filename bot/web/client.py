"""Who asks: which language they read best, and which address they come from. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address

from bot.render.words import match
from bot.web.settings import Network

MOST_RANGES = 20
"""As many languages of a header are looked at."""
_RANGE = re.compile(r"\s*([A-Za-z]{1,8}(?:-[A-Za-z0-9]{1,8})*)\s*(?:;\s*q=([01](?:\.\d{0,3})?)\s*)?", re.ASCII)

NEIGHBOURS = 64
"""Bits of an IPv6 address that name a subscriber's line; the others are theirs to choose."""


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
    """What a visitor is counted by: their IP address, of IPv6 the line it belongs to; "" where it is unknown.

    `forwarded` are the X-Forwarded-For headers. They are read from the end, for as long as each address is that of
    a trusted proxy: whatever stands before is what a visitor wrote.
    """
    address = _address(peer or "")
    hops = [hop.strip() for line in forwarded for hop in line.split(",")]
    while address is not None and hops and any(address in each for each in proxies):
        further = _address(hops.pop())
        if further is None:
            break
        address = further
    if isinstance(address, IPv6Address):
        return str(IPv6Network((int(address), NEIGHBOURS), strict=False))
    return "" if address is None else str(address)


def is_among(peer: str, proxies: Sequence[Network]) -> bool:
    """Whether an IP address is that of a trusted proxy."""
    address = _address(peer)
    return address is not None and any(address in each for each in proxies)


def _address(written: str) -> IPv4Address | IPv6Address | None:
    try:
        found = ip_address(written.partition("%")[0].strip("[]"))
    except ValueError:
        return None
    return found.ipv4_mapped or found if isinstance(found, IPv6Address) else found
