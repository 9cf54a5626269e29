"""Counts what a channel's service answers, and holds back what goes to a judge that has to wait."""

from __future__ import annotations

from collections.abc import Iterable
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
) -> ChannelState:
    """The channel's state with an answer counted: each delivery that was accepted, or refused for the first time."""
    refused = is_first_refusal(delivery, result)
    if not (refused or isinstance(result, Sent)):
        return state
    judge, before = channel.judge(delivery.to), 0
    if judge is not None and refused and state.counts.on(now.date()).of(judge) is None:
        midnight = datetime.combine(now.astimezone(UTC), time(), UTC)
        before = await recording.accepted_since(connection, channel.name, judge, midnight)
    return replace(state, counts=state.counts.with_answer(judge, now, refused=refused, before=before))


def held_back(channel: Channel, state: ChannelState, claimed: Iterable[Delivery], now: datetime) -> dict[int, datetime]:
    """Until when deliveries have to wait because their judge refuses too much."""
    if not state.counts.judges:
        return {}
    waits = {each.id: state.counts.waits_until(channel.judge(each.to), now) for each in claimed}
    return {number: until for number, until in waits.items() if until is not None}
