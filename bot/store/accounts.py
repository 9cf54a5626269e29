"""Accounts of a channel that has several, such as bots: how each is named, and which readers it reaches.

A channel's first account has the channel's own name, and each further one a key behind it: `telegram`,
`telegram.987654321`. Deliveries, locks, rates, the channel's state and its memory are kept by that name, so that no
account waits for another.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.channel import FIRST_ACCOUNT
from bot.model import Address, State
from bot.store.channel_memory import ChannelMemory
from bot.store.database import Store
from bot.store.schema import deliveries, subscribers

through = func.coalesce(subscribers.c.account, subscribers.c.channel)
"""The name of the account that reaches a subscriber: the `channel` of their deliveries."""


@dataclass(frozen=True, slots=True)
class Account:
    """One account of a channel. `key` is what the channel's settings call it; empty where there is only one."""

    channel: str
    name: str
    key: str = ""


async def named(store: Store, channel: str, keys: Sequence[str]) -> list[Account]:
    """The accounts of a channel whose settings list `keys`, in their order.

    The first that ever logged in keeps the channel's name for good, also while it is not among them: readers of whom no
    account is stored are its own.
    """
    if not keys:
        return [Account(channel, channel)]
    first = await ChannelMemory(store, channel).get(FIRST_ACCOUNT) or keys[0]
    return [Account(channel, channel if key == first else f"{channel}.{key}", key) for key in keys]


def resolved(address: Address, served: Sequence[Account]) -> Address:
    """An address with one of the accounts that are served: the one whose key it names, else the first, else the last.

    One that names none of them stays as it is.
    """
    theirs, key = [each for each in served if each.channel == address.channel], address.via.partition(".")[2]
    fits = (
        [each for each in theirs if each.key == key] if key else [each for each in theirs if each.name == each.channel]
    )
    for each in fits[:1] or ([] if key else theirs[-1:]):
        return replace(address, account=None if each.name == each.channel else each.name)
    return address


async def hand_over(connection: AsyncConnection, subscriber_id: int, to: Address) -> None:
    """Have an account reach a subscriber from now on, with what they are still owed: no wait of the one before holds.

    What that one is just sending is the new one's as well, if it has to be sent again.
    """
    await connection.execute(update(subscribers).where(subscribers.c.id == subscriber_id).values(account=to.account))
    still = deliveries.c.state.in_([State.OWED, State.SENDING])
    await connection.execute(
        update(deliveries)
        .where(deliveries.c.subscriber_id == subscriber_id, still)
        .values(channel=to.via, next_at=deliveries.c.due_at)
    )


async def reaches(connection: AsyncConnection, account: str, subscriber_id: int) -> bool:
    """Whether an account is the one that reaches a subscriber; another one's refusal says nothing about them."""
    theirs = await connection.scalar(select(through).where(subscribers.c.id == subscriber_id))
    return theirs in {None, account}
