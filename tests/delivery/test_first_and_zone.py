"""What differs between readers of one edition: a first edition's greeting, and the hour of the count in their zone."""

from __future__ import annotations

from datetime import timedelta

from bot.channel import Deferred, Outcome, Personal, Sent
from bot.delivery.dispatcher import Dispatcher
from bot.model import Preferences
from bot.runtime.locks import make_locks
from bot.store import Store
from tests.support.fake_channel import DAY, NOW, FakeChannel, Plain, publish, settle

ONE = timedelta(days=1)
EVENING = Preferences(hour=22 * 60)


def dispatcher_of(store: Store, channel: FakeChannel) -> Dispatcher:
    return Dispatcher(store, channel, make_locks(store.engine.url, store.path))


async def test_a_reader_is_welcomed_with_the_first_edition_that_arrives(store: Store) -> None:
    outcomes: list[Outcome] = [Deferred("busy"), Sent(), Sent()]
    channel = FakeChannel(answer=lambda to, message, personal: outcomes.pop(0))
    dispatcher = dispatcher_of(store, channel)
    await publish(store, {"ada": EVENING})
    await settle(dispatcher, NOW)
    await settle(dispatcher, NOW + timedelta(minutes=30))
    await publish(store, {}, day=DAY + ONE, now=NOW + ONE)
    await settle(dispatcher, NOW + ONE)
    assert [personal.welcome for _, _, personal in channel.sent] == ["Daily · 22:00 · UTC"] * 2 + [""]


async def test_a_reader_of_long_ago_is_not_welcomed(store: Store) -> None:
    channel = FakeChannel()
    await publish(store, {"ada": EVENING})
    late = timedelta(days=60)
    await publish(store, {}, day=DAY + late, now=NOW + late)
    await settle(dispatcher_of(store, channel), NOW + late)
    assert [personal.welcome for _, _, personal in channel.sent] == [""]


async def test_the_hour_of_the_count_is_the_readers_own(store: Store) -> None:
    feet: dict[str, str] = {}

    def note(to: str, message: Plain, personal: Personal) -> Outcome:
        feet[to] = message.page.footer[-1]
        return Sent()

    zones = {"seoul": "Asia/Seoul", "tokyo": "Asia/Tokyo", "london": "Europe/London"}
    readers = {
        name: Preferences(hour=hour * 60, timezone=zone)
        for (name, zone), hour in zip(zones.items(), (7, 7, 22), strict=True)
    }
    await publish(store, readers)
    channel = FakeChannel(answer=note)
    await settle(dispatcher_of(store, channel), NOW)
    assert feet["seoul"].endswith("votes as of 4 November, 07:00")
    assert feet["tokyo"] == feet["seoul"]
    assert feet["london"].endswith("votes as of 3 November, 22:00")
