"""Accounts of a channel that has several, such as bots: how each is named, and which readers it reaches.

A channel's first account has the channel's own name, and each further one a key behind it: `telegram`,
`telegram.987654321`. Deliveries, locks, rates, the channel's state and its memory are kept by that name, so that no
account waits for another.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from sqlalchemy import exists, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.channel import FIRST_ACCOUNT
from bot.model import Address, Delivery, State
from bot.settings import SettingsError
from bot.store.channel_memory import ChannelMemory
from bot.store.database import Store
from bot.store.schema import channel_memory, channels, deliveries, subscribers

through = func.coalesce(subscribers.c.account, subscribers.c.channel)
"""The name of the account that reaches a subscriber: the `channel` of their deliveries."""

reaching_now = func.coalesce(
    select(through).where(subscribers.c.id == deliveries.c.subscriber_id).scalar_subquery(), deliveries.c.channel
)
"""For deliveries that become owed again: their reader may have moved to another account since."""


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

    Raises SettingsError for several accounts where an earlier one has readers and nobody noted which one it is.
    """
    if not keys:
        return [Account(channel, channel)]
    first = await ChannelMemory(store, channel).get(FIRST_ACCOUNT)
    if first is None and len(keys) > 1 and await _was_used(store, channel):
        raise SettingsError(
            f"Several bots are set up for {channel}, and it is not known which of them its readers started: start once "
            f"with the token of that bot alone, then with all of them; see docs/{channel}.md."
        )
    first = first or keys[0]
    return [Account(channel, channel if key == first else f"{channel}.{key}", key) for key in keys]


async def _was_used(store: Store, channel: str) -> bool:
    """Whether a channel has readers of no stored account, and was at work: those added before its first start wait."""
    theirs = exists().where(subscribers.c.channel == channel, subscribers.c.account.is_(None))
    worked = exists().where(channels.c.channel == channel) | exists().where(channel_memory.c.channel == channel)
    async with store.read() as connection:
        return bool(await connection.scalar(select(theirs & worked)))


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


async def pass_on(connection: AsyncConnection, delivery: Delivery) -> None:
    """Have a delivery go out by the account that reaches its subscriber now."""
    row = update(deliveries).where(deliveries.c.id == delivery.id, deliveries.c.edition_id == delivery.edition_id)
    await connection.execute(row.values(channel=reaching_now))


async def reaches(connection: AsyncConnection, account: str, subscriber_id: int) -> bool:
    """Whether an account is the one that reaches a subscriber; another one's refusal says nothing about them."""
    theirs = await connection.scalar(select(through).where(subscribers.c.id == subscriber_id))
    return theirs in {None, account}
