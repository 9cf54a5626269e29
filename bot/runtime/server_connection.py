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


OTHER_CONNECTIONS = 12
"""Connections of a process for all but delivering: publishing, housekeeping, pictures, answers, probes."""
FOR_ACCOUNT = 3
"""Connections that an account may take while it delivers: one that it keeps for its turns, one for what else a turn
asks, one to reserve its rate."""
MOST_CONNECTIONS = 90
"""Connections of a process up to which every account has all of these; with more accounts those take turns."""
KEPT_OPEN = 5
"""Connections that stay open while nothing is delivered, beside one for each account."""


def pool_arguments(accounts: int) -> dict[str, int]:
    """SQLAlchemy's sizes of the connection pool for a process that delivers through a number of `accounts`.

    However many accounts there are, OTHER_CONNECTIONS are left when each keeps one. So there is no deadlock in the
    pool, where all that have a connection wait for another one.
    """
    most = max(min(OTHER_CONNECTIONS + FOR_ACCOUNT * accounts, MOST_CONNECTIONS), OTHER_CONNECTIONS + accounts)
    return {"pool_size": KEPT_OPEN + accounts, "max_overflow": most - KEPT_OPEN - accounts}


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
