"""Deadlines of connections to PostgreSQL: nothing waits for ever for a server that is gone or a network that is cut."""

from __future__ import annotations

from collections.abc import Container

CONNECTION = {
    "connect_timeout": 10,
    "keepalives_idle": 30,
    "keepalives_interval": 10,
    "keepalives_count": 3,
    "tcp_user_timeout": 30_000,
}
"""Parameters of libpq, in seconds but the last: https://www.postgresql.org/docs/current/libpq-connect.html."""


def connection_deadlines(given: Container[str]) -> dict[str, int]:
    """The deadlines of a connection to a server, without the parameters that its URL gives itself."""
    return {name: value for name, value in CONNECTION.items() if name not in given}
