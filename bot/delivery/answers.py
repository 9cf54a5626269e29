"""Counts what a channel's service answers, and holds back what goes to a judge that has to wait."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import replace
from datetime import UTC, datetime, time

from sqlalchemy.ext.asyncio import AsyncConnection

from bot.channel import Channel, Sent
from bot.model import Delivery
from bot.rules.outcomes import ChannelState, Result, is_first_refusal
from bot.store import recording


async def count_answer(
    connection: AsyncConnection,
    channel: Channel,
    state: ChannelState,
    delivery: Delivery,
    result: Result,
    *,
    now: datetime,
    later: Collection[int] = (),
) -> ChannelState:
    """The channel's state with an answer counted: each delivery that was accepted, or refused for the first time.

    `later` are the ids of deliveries that are recorded already, but counted after this one.
    """
    refused = is_first_refusal(delivery, result)
    if not (refused or isinstance(result, Sent)):
        return state
    judge, before = channel.judge(delivery.reader.to), 0
    today = state.counts.on(now.date())
    # Where nothing was accepted, nothing has to be looked for: that reads the channel's day under the write lock.
    if judge is not None and refused and today.of(judge) is None and today.answers > today.refused:
        midnight = datetime.combine(now.astimezone(UTC), time(), UTC)
        before = await recording.accepted_since(connection, channel.name, judge, midnight, apart_from=later)
    return replace(state, counts=state.counts.with_answer(judge, now, refused=refused, before=before))


def count_many(channel: Channel, state: ChannelState, accepted: Iterable[Delivery], now: datetime) -> ChannelState:
    """The state with messages counted that were accepted while nothing failed; most of their judges refused nothing."""
    counts, unknown = state.counts, 0
    for delivery in accepted:
        judge = channel.judge(delivery.reader.to) if counts.judges else None
        if judge is not None and counts.of(judge) is not None:
            counts = counts.with_answer(judge, now, refused=False)
        else:
            unknown += 1
    return replace(state, counts=counts.with_accepted(unknown, now)) if unknown or counts != state.counts else state


def count_accepted(state: ChannelState, number: int, now: datetime) -> ChannelState:
    """The state with that many accepted messages counted at once, while no judge has refused anything."""
    return replace(state, counts=state.counts.with_accepted(number, now)) if number else state


def held_back(channel: Channel, state: ChannelState, claimed: Iterable[Delivery], now: datetime) -> dict[int, datetime]:
    """Until when deliveries have to wait because their judge refuses too much."""
    if not state.counts.judges:
        return {}
    waits = {each.id: state.counts.waits_until(channel.judge(each.reader.to), now) for each in claimed}
    return {number: until for number, until in waits.items() if until is not None}
