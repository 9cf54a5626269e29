"""The command `listen` on channels that play nothing, and the links in their editions."""

from datetime import time
from pathlib import Path

import pytest

from bot.channel import Requester
from bot.commands import ReaderCommands
from bot.delivery.rendering import compose
from bot.media.media_store import MediaStore
from bot.media.speech.episodes import EpisodeKey
from bot.media.speech.narrator import Narrator, Podcast
from bot.media.speech.recording_finder import RecordingFinder
from bot.model import Address, Cadence, Found, Preferences, Style
from bot.store import Store, edition_queries, paper_queries
from tests.support.fake_channel import FakeChannel, Plain
from tests.support.pages import CLOSED, DAY, edition, paper
from tests.support.speech_servers import ToneSpeaker

ADA = Requester(Address("fake", "ada"))
MADE = edition(paper(1))
PUBLIC = "https://papers.example.org"


@pytest.fixture
async def media(store: Store, tmp_path: Path) -> MediaStore:
    """A store of media with the Korean headlines of an edition."""
    async with store.write() as connection:
        await paper_queries.keep(connection, Found([paper(1)], frozenset({DAY})))
        await edition_queries.add(connection, MADE)
    kept, voice = MediaStore(tmp_path / "media"), ToneSpeaker()
    narrator = Narrator(store, kept, voice, podcast=Podcast(), budget=0, recorder=voice.recorder())
    await narrator.make(MADE, EpisodeKey(Cadence.DAY, DAY, "ko", Style.HEADLINE), CLOSED)
    return kept


def commands(store: Store, finder: RecordingFinder | None) -> ReaderCommands:
    fallback = Preferences(language="ko")
    find = None if finder is None else finder.find
    return ReaderCommands(store, [FakeChannel()], fallback=fallback, closes=time(22), find_recording=find)


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
async def test_a_channel_that_plays_nothing_links(store: Store, media: MediaStore) -> None:
    asked = commands(store, RecordingFinder(media, Podcast(["ko"]), PUBLIC))
    for line in ("listen", "listen 2026-04-29", "listen 29.4.2026"):
        reply = await asked.ask(ADA, line, CLOSED)
        assert reply.says[-1].endswith(f"{PUBLIC}/podcast/ko/2026-04-29.mp3"), line
    for line in ("listen 2026-W18", "listen 2026-04-28"):
        assert not (await asked.ask(ADA, line, CLOSED)).ok


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
async def test_without_an_address_or_a_voice_there_is_nothing_to_link(store: Store, media: MediaStore) -> None:
    assert not (await commands(store, RecordingFinder(media, Podcast())).ask(ADA, "listen", CLOSED)).ok
    silent = commands(store, None)
    assert "listen" not in {each.name for each in silent.listed("fake", "en")}
    assert not (await silent.ask(ADA, "listen", CLOSED)).ok


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
async def test_an_edition_links_what_was_read_aloud_in_its_language(store: Store, media: MediaStore) -> None:
    finder = RecordingFinder(media, Podcast(), PUBLIC)
    wanted = Preferences(language="ko", style=Style.ABSTRACT)
    found = await finder.find(Cadence.DAY, DAY, wanted.language, wanted.style)
    message = compose(MADE, wanted, FakeChannel(), recording=found)
    assert isinstance(message, Plain)
    [link] = message.page.actions
    assert link.label.startswith("듣기 · 0:")
    assert link.url == f"{PUBLIC}/podcast/ko/2026-04-29.mp3"
    assert await finder.find(Cadence.DAY, DAY, "en", Style.HEADLINE) is None
