"""How connections to PostgreSQL are made: with deadlines, behind poolers, and to the host that leads."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

CONNECTION = {
    "connect_timeout": 5,
    "keepalives_idle": 5,
    "keepalives_interval": 3,
    "keepalives_count": 3,
    "tcp_user_timeout": 10_000,
}
"""Parameters of libpq, in seconds but the last: https://www.postgresql.org/docs/current/libpq-connect.html.

With these a network that was cut is noticed within 14 seconds, about as long as a lease lasts (bot.runtime.locks).
"""
LEADER = "read-write"
"""The session that a URL with several hosts asks for: on the server that takes writes, whichever that is just now."""


def connection_arguments(query: Mapping[str, Any]) -> dict[str, Any]:
    """Connection arguments for PostgreSQL beside the URL, whose own parameters (`query`) take precedence.

    No statement is prepared, since a pooler may send the next one to another session
    (https://www.psycopg.org/psycopg3/docs/advanced/prepare.html#using-prepared-statements-with-pgbouncer).
    """
    arguments: dict[str, Any] = {name: value for name, value in CONNECTION.items() if name not in query}
    hosts = query.get("host", ())
    if (not isinstance(hosts, str) or "," in hosts) and len(hosts) > 1:
        arguments.setdefault("target_session_attrs", query.get("target_session_attrs", LEADER))
    return arguments | {"prepare_threshold": None}
