"""The budget of a service's account, which all processes that send with it share, by the database's clock."""

from __future__ import annotations

from sqlalchemy import text

from bot.store.database import Store

FARTHEST, FARTHEST_SENDS = 60.0, 100
"""Seconds, and sends, that processes reserve ahead at most. What seems to be farther is from before the server's clock
was set back, or from another server, and counts no more."""

_RESERVE = text(
    "insert into system_state (key, value)"
    " values (:key, (extract(epoch from clock_timestamp())::float8 + :span)::text)"
    " on conflict (key) do update set value ="
    " (case when system_state.value::float8 > extract(epoch from clock_timestamp())::float8 + :farthest"
    " then extract(epoch from clock_timestamp())::float8"
    " else greatest(system_state.value::float8, extract(epoch from clock_timestamp())::float8) end + :span)::text"
    " returning value::float8 - :span - extract(epoch from clock_timestamp())::float8"
)


async def reserve(store: Store, account: str, count: int, apart: float) -> float:
    """Reserve the next `count` sends of an account, `apart` seconds apart: the seconds until the first of them.

    For PostgreSQL. What one process has reserved no other one sends, so all of them together keep the rate.
    """
    given = {"key": f"budget:{account}", "span": count * apart, "farthest": FARTHEST + FARTHEST_SENDS * apart}
    async with store.write() as connection:
        first: float = (await connection.execute(_RESERVE, given)).scalar_one()
    return max(first, 0.0)
