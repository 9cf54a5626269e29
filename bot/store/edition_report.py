"""Reports on editions: deliveries by state, which add up to the audience, and how long sending took."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from math import ceil

from sqlalchemy import func, literal, select, union_all
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.model import Kind, State, kind_of
from bot.store.schema import deliveries, delivery_counts, edition_papers, editions

SHARES = (50, 95, 100)
"""Percentiles of the messages sent for which the report gives a time."""


@dataclass(frozen=True, slots=True)
class Reach:
    """One edition on one channel: deliveries by state, and seconds from closing until 50, 95 and 100 % were sent.

    The seconds are there only while its deliveries are kept one by one.
    """

    states: Mapping[State, int]
    seconds: Mapping[int, float]


@dataclass(frozen=True, slots=True)
class Report:
    """One edition and its deliveries, channel by channel."""

    cadence: Kind
    day: date
    closed_at: datetime
    complete: bool
    papers: int
    audience: int
    channels: Mapping[str, Reach] = field(default_factory=dict)

    @property
    def adds_up(self) -> bool:
        """Whether every reader of the audience is accounted for."""
        return self.audience == sum(sum(reach.states.values()) for reach in self.channels.values())


async def reports(connection: AsyncConnection, *, day: date | None = None, limit: int = 30) -> list[Report]:
    """The newest editions, or those of one day, newest first."""
    held = (
        select(edition_papers.c.edition_id, func.count().label("papers"))
        .group_by(edition_papers.c.edition_id)
        .subquery()
    )
    query = (
        select(editions, func.coalesce(held.c.papers, 0).label("papers"))
        .outerjoin(held, held.c.edition_id == editions.c.id)  # an announcement holds none
        .order_by(editions.c.day.desc(), editions.c.cadence)
        .limit(limit)
    )
    if day is not None:
        query = query.where(editions.c.day == day)
    return [
        Report(
            cadence=kind_of(row.cadence),
            day=row.day,
            closed_at=row.closed_at,
            complete=row.complete,
            papers=row.papers,
            audience=row.audience,
            channels=await _channels(connection, row.id, row.closed_at),
        )
        for row in (await connection.execute(query)).all()
    ]


async def count_states(connection: AsyncConnection, edition_id: int) -> Mapping[State, int]:
    """Deliveries of one edition by state, on all channels together."""
    total: Counter[State] = Counter()
    for states in (await _states(connection, edition_id))[0].values():
        total += states
    return total


async def _channels(connection: AsyncConnection, edition_id: int, closed_at: datetime) -> dict[str, Reach]:
    states, timeless = await _states(connection, edition_id)
    return {
        channel: Reach(
            counts,
            {}
            if channel in timeless
            else await _seconds(connection, edition_id, channel, closed_at, counts[State.SENT]),
        )
        for channel, counts in states.items()
    }


async def _states(connection: AsyncConnection, edition_id: int) -> tuple[Mapping[str, Counter[State]], set[str]]:
    """Deliveries by channel and state, and the channels whose times of sending are no longer known.

    One statement, so that rows that are being folded into `delivery_counts` count once.
    """
    rows = (
        select(deliveries.c.channel, deliveries.c.state, func.count().label("count"), literal(False).label("folded"))
        .where(deliveries.c.edition_id == edition_id)
        .group_by(deliveries.c.channel, deliveries.c.state)
    )
    folded = select(
        delivery_counts.c.channel, delivery_counts.c.state, delivery_counts.c["count"], literal(True)
    ).where(delivery_counts.c.edition_id == edition_id)
    states: dict[str, Counter[State]] = {}
    timeless = set()
    for channel, state, count, is_folded in await connection.execute(union_all(rows, folded).order_by("channel")):
        states.setdefault(channel, Counter())[State(state)] += count
        if is_folded:
            timeless.add(channel)
    return states, timeless


async def _seconds(
    connection: AsyncConnection, edition_id: int, channel: str, closed_at: datetime, sent: int
) -> dict[int, float]:
    if not sent:
        return {}
    in_order = (
        select(deliveries.c.ended_at)
        .where(deliveries.c.edition_id == edition_id, deliveries.c.channel == channel, deliveries.c.state == State.SENT)
        .order_by(deliveries.c.ended_at)
    )
    found = {}
    for share in SHARES:
        at = await connection.scalar(in_order.offset(ceil(sent * share / 100) - 1).limit(1))
        if at is not None:
            found[share] = (at - closed_at).total_seconds()
    return found
