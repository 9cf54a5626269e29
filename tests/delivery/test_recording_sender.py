"""Recordings that follow an edition: to whom, when, and never twice."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path

import pytest

from bot.channel import AUDIO, Deferred, Outcome, Personal, Recording, Rejected, Sent
from bot.delivery.dispatcher import Dispatcher
from bot.delivery.recording_sender import LATEST, RecordingSender, recording_sender
from bot.delivery.session import Session
from bot.model import OFF, ON, Address, Cadence, Preferences, Style
from bot.runtime.locks import make_locks
from bot.store import Store, sent_recordings, shared_places, subscriber_queries
from tests.support.fake_channel import DAY, NOW, FakeChannel, publish, settle

EVENING = 22 * 60
READERS = {
    "ada": Preferences(language="ko", hour=EVENING),
    "bo": Preferences(language="ko", hour=EVENING),
    "cy": Preferences(language="ja", hour=EVENING),
}


@dataclass
class Player(FakeChannel):
    """A channel that plays recordings."""

    played: list[tuple[str, str, str]] = field(default_factory=list)
    says: list[Outcome] = field(default_factory=list)
    """What the next recordings are answered with."""

    async def play(self, to: str, recording: Recording, personal: Personal) -> Outcome:
        self.played.append((to, recording.title, personal.key))
        return self.says.pop(0) if self.says else Sent()


async def find(cadence: Cadence, day: date, language: str, style: Style) -> Recording | None:
    """Korean headlines are read aloud, nothing else."""
    if (cadence, day, language, style) != (Cadence.DAY, DAY, "ko", Style.HEADLINE):
        return None
    return Recording(Path("a.mp3"), "조간", "모닝", 240.0, "d1", f"listen {day}", "듣기 · 4:00")


@dataclass
class Air:
    """An edition that reached its readers, of whom some listen."""

    store: Store
    channel: Player
    sender: RecordingSender

    async def switch(self, reader: str, position: str) -> None:
        async with self.store.write() as connection:
            found = await subscriber_queries.get(connection, Address("fake", reader))
            assert found is not None
            await shared_places.set_extras(connection, found.id, {AUDIO.name: position})

    @property
    def reached(self) -> list[str]:
        return sorted(to for to, _, _ in self.channel.played)


@pytest.fixture
async def air(store: Store) -> Air:
    channel = Player()
    edition_id = await publish(store, READERS)
    assert edition_id
    made = Air(store, channel, RecordingSender(store, Session(channel), find))
    for name, position in (("ada", ON), ("bo", OFF), ("cy", ON)):
        await made.switch(name, position)
    return made


async def deliver(air: Air) -> None:
    locks = make_locks(air.store.engine.url, air.store.path)
    await settle(Dispatcher(air.store, air.channel, locks), NOW)
    assert sorted(air.channel.reached) == ["ada", "bo", "cy"]


async def test_a_recording_follows_the_edition_for_those_who_listen_and_once(air: Air) -> None:
    assert not await air.sender.step(NOW), "not before the edition"
    await deliver(air)
    assert await air.sender.step(NOW)
    assert air.reached == ["ada"], "bo does not listen, cy's language has no recording"
    assert not await air.sender.step(NOW + timedelta(minutes=1))
    again = RecordingSender(air.store, Session(air.channel), find)
    assert not await again.step(NOW + timedelta(minutes=1)), "nor by another process"
    assert len(air.channel.played) == 1


async def test_no_paid_message_overtakes_one_until_it_is_answered(air: Air, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[str] = []

    async def play(to: str, recording: Recording, personal: Personal) -> Outcome:
        seen.append("played")
        raise KeyboardInterrupt

    await deliver(air)
    session = Session(air.channel)
    monkeypatch.setattr(session.rate_limiter, "ended", lambda *, paid: seen.append(f"ended, {paid=}"))
    sender = RecordingSender(air.store, session, find)
    monkeypatch.setattr(air.channel, "play", play)
    with pytest.raises(KeyboardInterrupt):
        await sender.step(NOW)
    assert seen == ["played", "ended, paid=False"]


async def test_what_failed_is_not_sent_again(air: Air) -> None:
    await deliver(air)
    air.channel.says = [Rejected("too large")]
    assert not await air.sender.step(NOW)
    assert not await air.sender.step(NOW + timedelta(minutes=5))
    assert len(air.channel.played) == 1


async def test_a_flood_wait_ends_the_turn_for_the_others(air: Air) -> None:
    await deliver(air)
    await air.switch("bo", ON)
    air.channel.says = [Deferred("flood", 30.0, "channel")]
    assert not await air.sender.step(NOW)
    assert len(air.channel.played) == 1
    first = air.channel.played.pop()[0]
    assert await air.sender.step(NOW + timedelta(minutes=1))
    assert air.reached == ["ada", "bo"], f"nothing was sent to {first}"
    assert not await air.sender.step(NOW + timedelta(minutes=2))


async def test_who_alone_has_to_wait_is_not_sent_another(air: Air) -> None:
    await deliver(air)
    air.channel.says = [Deferred("slow mode", 30.0)]
    assert not await air.sender.step(NOW)
    assert not await air.sender.step(NOW + timedelta(minutes=1))


async def test_a_recording_that_comes_too_late_is_not_sent(air: Air) -> None:
    await deliver(air)
    assert not await air.sender.step(NOW + LATEST)


async def test_who_was_noted_before_a_crash_is_not_sent_another(air: Air) -> None:
    await deliver(air)

    async def dies(to: str, recording: Recording, personal: Personal) -> Outcome:
        raise KeyboardInterrupt

    air.channel.play = dies  # type: ignore[method-assign]
    with pytest.raises(KeyboardInterrupt):
        await air.sender.step(NOW)
    del air.channel.play
    assert not await air.sender.step(NOW + timedelta(minutes=1))
    assert air.channel.played == []


async def test_languages_and_styles_of_listeners_are_recorded(air: Air) -> None:
    await air.switch("bo", ON)
    async with air.store.read() as connection:
        assert await sent_recordings.wanted(connection, Cadence.DAY) == [
            ("ko", Style.HEADLINE),
            ("ja", Style.HEADLINE),
        ]
        assert await sent_recordings.wanted(connection, Cadence.WEEK) == []


async def test_only_channels_that_play_have_a_sender(store: Store) -> None:
    locks = make_locks(store.engine.url, store.path)
    player = Session(Player(name="player"))
    made = recording_sender(store, locks, player, find)
    assert made is not None
    assert made.role == "follow:player"
    assert recording_sender(store, locks, Session(FakeChannel()), find) is None
    assert recording_sender(store, locks, player, None) is None
    with pytest.raises(TypeError):
        RecordingSender(store, Session(FakeChannel()), find)
