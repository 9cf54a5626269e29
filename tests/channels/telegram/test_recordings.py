"""Editions read aloud on Telegram: a button, a command, and one upload however many ask."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot.channel import Deferred, Personal, Rate, Recording
from bot.media.speech.episodes import EpisodeKey
from bot.model import Cadence, Style
from bot.store import edition_queries
from channels.telegram import channel
from tests.support.speech_servers import SpeechServer
from tests.support.telegram_program import Station
from tests.support.telegram_server import Fault, TelegramServer
from tests.support.telegram_server.chats import Message

pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(channel, "PER_CHAT", Rate(1000))
    monkeypatch.setattr(channel, "PER_GROUP", Rate(1000))


@pytest.fixture
async def station(server: TelegramServer, tmp_path: Path) -> AsyncIterator[Station]:
    async with SpeechServer() as voice:
        given = {"TTS_BASE_URL": voice.url, "TTS_MODEL": "m", "TTS_API_KEY": voice.key}
        async with Station(tmp_path, server, given) as opened:
            await opened.publish(5)
            yield opened


async def read_aloud(station: Station, language: str = "en") -> EpisodeKey:
    """Record the latest edition."""
    async with station.store.read() as connection:
        edition = await edition_queries.latest(connection, Cadence.DAY)
    assert edition is not None
    key = EpisodeKey(Cadence.DAY, edition.day, language, Style.HEADLINE)
    assert await station.service.workers.narrator.make(edition, key, datetime.now(UTC)) is not None
    return key


def uploads(server: TelegramServer) -> int:
    return len([call for call in server.calls_of("sendAudio") if not isinstance(call.arguments["audio"], str)])


async def heard(person: object, kind: str = "message") -> Message:
    found = (await person.hears(kind)).message  # type: ignore[attr-defined]
    assert isinstance(found, Message)
    return found


async def test_an_edition_has_a_button_that_plays_it_and_is_uploaded_once(
    server: TelegramServer, station: Station
) -> None:
    ada, bo = server.person(42, language="en"), server.person(43, language="en")
    await ada.writes("/listen")
    assert (await heard(ada)).text == "There is no recording of this edition."
    key = await read_aloud(station)
    await ada.writes("/start")
    await heard(ada)
    edition = await heard(ada)
    assert "🎧 Listen" in edition.labels
    await ada.taps(edition, "🎧 Listen")
    played = await heard(ada)
    audio = played.media["audio"]
    assert (audio["performer"], audio["title"].startswith("Daily papers")) == ("Morning Papers", True)
    assert audio["duration"] > 5
    for line in ("/listen", f"/listen {key.day}"):
        await bo.writes(line)
        assert "audio" in (await heard(bo)).media
    assert uploads(server) == 1
    await ada.writes("/date")
    assert "🎧 Listen" in (await heard(ada)).labels


async def test_without_a_recording_there_is_no_button(server: TelegramServer, station: Station) -> None:
    ada = server.person(42, language="en")
    await ada.writes("/start")
    await heard(ada)
    assert "🎧 Listen" not in (await heard(ada)).labels


async def test_a_file_that_telegram_has_dropped_is_uploaded_again(server: TelegramServer, station: Station) -> None:
    ada = server.person(42, language="en")
    await read_aloud(station)
    await ada.writes("/listen")
    await heard(ada)
    server.fail(Fault.refuse(400, "Bad Request: wrong file identifier/HTTP URL specified"), method="sendAudio", times=1)
    await ada.writes("/listen")
    assert "audio" in (await heard(ada)).media
    assert uploads(server) == 2


async def test_a_recording_whose_file_is_gone_waits(server: TelegramServer, station: Station, tmp_path: Path) -> None:
    [sender] = [each.recordings for each in station.service.channel_jobs]
    assert sender is not None
    await sender._session.open()
    gone = Recording(tmp_path / "gone.mp3", "Daily papers", "Morning Papers", 9.0, "d1", "listen", "Listen · 0:09")
    assert isinstance(await sender._player.play("42", gone, Personal("1.1.recording")), Deferred)
    assert not server.calls_of("sendAudio")


async def test_a_group_s_button_leads_to_the_private_chat(server: TelegramServer, station: Station) -> None:
    await read_aloud(station)
    lab, ada = server.supergroup(-1001, title="The Lab"), server.person(42, language="en")
    await lab.adds(ada, "creator")
    await lab.adds_bot(by=ada)
    await lab.hears("message")
    await ada.writes("/date", to=lab)
    found = (await lab.hears("message")).message
    assert found is not None
    [button] = [each for each in found.buttons if each["text"] == "🎧 Listen"]
    assert "start=" in button["url"]


async def test_with_audio_on_the_recording_follows_the_edition_once(server: TelegramServer, station: Station) -> None:
    await read_aloud(station)
    ada, bo = server.person(42, language="en"), server.person(43, language="en")
    for person in (ada, bo):
        await person.writes("/start")
        for _ in range(2):
            await heard(person)
    await ada.writes("/audio on")
    assert "Audio: on" in (await heard(ada)).text
    [sender] = [each.recordings for each in station.service.channel_jobs]
    assert sender is not None
    for _ in range(2):
        await sender.step(datetime.now(UTC))
    followed = await heard(ada)
    assert followed.media["audio"]["performer"] == "Morning Papers"
    assert [call.arguments["chat_id"] for call in server.calls_of("sendAudio")] == [42]


async def test_without_a_voice_nothing_offers_audio(server: TelegramServer, tmp_path: Path) -> None:
    async with Station(tmp_path, server) as silent:
        await silent.publish(5)
        ada = server.person(42, language="en")
        await ada.writes("/settings")
        assert "Audio" not in str((await heard(ada)).labels)
        assert "audio" not in {each.name for each in silent.service.incoming.commands.listed("telegram", "en")}
