"""Channel state, a circuit breaker: waits that the service imposed, halts after too many rejections."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from functools import cache
from typing import Any

from sqlalchemy import Select, bindparam, delete, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.rules.answer_counts import AnswerCounts
from bot.rules.outcomes import ChannelState
from bot.store.schema import channels, renderings
from bot.store.upsert import insert, put


async def load(connection: AsyncConnection, channel: str, *, lock: bool = False) -> ChannelState:
    """The state of a channel; `lock` keeps others from changing it until the transaction ends."""
    query, named = statement(lock=lock), {"name": channel}
    row = (await connection.execute(query, named)).one_or_none()
    if row is None and lock and connection.dialect.name == "postgresql":
        await connection.execute(insert(connection, channels).values(channel=channel).on_conflict_do_nothing())
        row = (await connection.execute(query, named)).one_or_none()
    return state_of(None if row is None else row._mapping)  # noqa: SLF001 - SQLAlchemy's public name for it


def state_of(row: Mapping[str, Any] | None) -> ChannelState:
    """The state in a row of `channels`; without one nothing has happened yet."""
    if row is None:
        return ChannelState()
    values = {name: value for name, value in row.items() if name != "channel"}
    values["spam_domains"] = tuple(filter(None, row["spam_domains"].split(",")))
    values["counts"] = AnswerCounts.load(row["counts"])
    return ChannelState(**values)


@cache
def statement(*, lock: bool = False) -> Select[Any]:
    """The statement of `load`, built once: it runs with every turn of a dispatcher."""
    query = select(channels).where(channels.c.channel == bindparam("name"))
    return query.with_for_update() if lock else query


async def save(connection: AsyncConnection, channel: str, state: ChannelState) -> None:
    """Store the state of a channel."""
    stored = {"channel": channel, "spam_domains": ",".join(state.spam_domains), "counts": state.counts.dump()}
    await put(connection, channels, asdict(state) | stored)


async def resume(connection: AsyncConnection, channel: str) -> ChannelState:
    """Close the circuit breaker: end a wait or halt, and forget rejected renderings. Returns the state before."""
    before = await load(connection, channel)
    await connection.execute(delete(channels).where(channels.c.channel == channel))
    await connection.execute(delete(renderings).where(renderings.c.channel == channel))
    return before
