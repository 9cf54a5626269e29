"""Which editions are read aloud, when, once each, and what a voice that fails costs."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot.media.media_store import MediaStore
from bot.media.speech import episodes
from bot.media.speech.episodes import Episode, EpisodeKey
from bot.media.speech.narrator import FIRST_BACKOFF, FRESH, LONGEST_BACKOFF, Narrator, Podcast
from bot.media.speech.voices import SpeechError
from bot.model import Cadence, Edition, Found, Style
from bot.store import Store, daily_spending, edition_queries, paper_queries
from bot.store.daily_spending import Spending
from tests.support.databases import fresh_store
from tests.support.pages import CLOSED, DAY, edition, paper
from tests.support.speech_servers import ToneSpeaker, played

NOW = CLOSED + timedelta(minutes=1)
KOREAN = EpisodeKey(Cadence.DAY, DAY, "ko", Style.HEADLINE)


class Studio:
    """A store with an edition, a voice, and a narrator."""

    def __init__(self, store: Store, folder: Path) -> None:
        self.store = store
        self.media = MediaStore(folder / "media")
        self.speaker = ToneSpeaker()

    def narrator(
        self, *languages: str, style: Style = Style.HEADLINE, budget: int = 0, writes: bool = False
    ) -> Narrator:
        return Narrator(
            self.store,
            self.media,
            self.speaker,
            podcast=Podcast(languages, style),
            budget=budget,
            writes=writes,
            recorder=self.speaker.recorder(),
        )

    async def publish(self, made: Edition) -> Edition:
        async with self.store.write() as connection:
            papers = [ranked.paper for ranked in made.papers]
            await paper_queries.keep(connection, Found(papers, frozenset({made.day})))
            edition_id = await edition_queries.add(connection, made)
        return replace(made, id=edition_id)

    def found(self, key: EpisodeKey = KOREAN) -> Episode | None:
        return episodes.find(self.media, key)


@pytest.fixture
async def studio(tmp_path: Path) -> AsyncIterator[Studio]:
    store = fresh_store(tmp_path)
    made = Studio(store, tmp_path)
    await made.publish(edition(paper(1), paper(2)))
    yield made
    await store.close()


async def test_an_edition_is_read_aloud_once_in_each_language_of_the_podcast(studio: Studio) -> None:
    narrator = studio.narrator("ko", "en")
    assert [await narrator.step(NOW) for _ in range(3)] == [True, True, False]
    spoken = len(studio.speaker.said)
    assert not await studio.narrator("ko", "en").step(NOW), "nor by the next process"
    assert len(studio.speaker.said) == spoken
    found = studio.found()
    assert found is not None
    assert (found.performer, found.made_at) == ("모닝 페이퍼스", NOW)
    content = found.path.read_bytes()
    assert found.size == len(content)
    heard = played(content)
    assert heard.info.length == pytest.approx(found.seconds, abs=0.06)
    assert [str(heard[f"CHAP:chp{n}"].sub_frames["TIT2"]) for n in range(4)] == [each.title for each in found.chapters]
    assert str(heard["TIT2"]) == found.title


async def test_nothing_is_recorded_that_nobody_wants_or_that_is_old(studio: Studio) -> None:
    assert not await studio.narrator().step(NOW)
    assert not await studio.narrator("ko").step(CLOSED + FRESH)
    assert studio.speaker.said == []
    silent = Narrator(studio.store, studio.media, None, podcast=Podcast(["ko"]), budget=0)
    assert not silent.has_voice
    assert not await silent.step(NOW)


async def test_a_style_of_the_model_waits_for_its_texts(studio: Studio) -> None:
    narrator = studio.narrator("ko", style=Style.HIGHLIGHTS, writes=True)
    assert not await narrator.step(NOW)
    assert await narrator.step(CLOSED + timedelta(minutes=10))


async def test_a_voice_that_fails_is_left_alone_longer_each_time(studio: Studio) -> None:
    narrator = studio.narrator("ko")
    studio.speaker.faults = [SpeechError("broke off")] * 6
    assert not await narrator.step(NOW)
    assert not await narrator.step(NOW + FIRST_BACKOFF / 2)
    assert len(studio.speaker.faults) == 3
    assert not await narrator.step(NOW + FIRST_BACKOFF)
    assert studio.speaker.faults == []
    assert not await narrator.step(NOW + 2 * FIRST_BACKOFF), "twice as long"
    assert await narrator.step(NOW + 3 * FIRST_BACKOFF)


@pytest.mark.parametrize(
    ("fault", "wait"),
    [
        (SpeechError("no such key", misconfigured=True), LONGEST_BACKOFF),
        (SpeechError("wait", retry_after=600.0), timedelta(minutes=10)),
    ],
)
async def test_a_wrong_key_and_a_service_that_asks_to_wait_are_heeded(
    studio: Studio, fault: SpeechError, wait: timedelta
) -> None:
    narrator = studio.narrator("ko")
    studio.speaker.faults = [fault]
    assert not await narrator.step(NOW)
    assert not await narrator.step(NOW + wait - timedelta(seconds=1))
    assert await narrator.step(NOW + wait)


async def test_one_language_that_fails_does_not_keep_the_others(studio: Studio) -> None:
    narrator = studio.narrator("ja", "ko")
    studio.speaker.mute = {"ja"}
    assert await narrator.step(NOW)
    assert studio.found() is not None
    studio.speaker.mute = set()
    studio.speaker.faults = [SpeechError("broke off")] * 3
    assert not await narrator.step(NOW)
    assert await narrator.step(NOW + FIRST_BACKOFF)


async def test_characters_are_counted_and_a_budget_ends_the_day(studio: Studio) -> None:
    await studio.narrator("ko").step(NOW)
    async with studio.store.read() as connection:
        spent = await daily_spending.spent(connection, Spending.SPEECH, NOW.date())
    assert spent == sum(len(text) for text, _ in studio.speaker.said)
    narrator = studio.narrator("en", budget=spent + 100)
    assert not await narrator.step(NOW)
    tomorrow = datetime(2026, 4, 30, 0, 1, tzinfo=UTC)
    assert await narrator.step(tomorrow)


async def test_what_failed_half_way_is_counted_too(studio: Studio) -> None:
    narrator = studio.narrator("ko")
    speak = studio.speaker.speak

    async def runs_dry(text: str, language: str) -> bytes:
        if len(studio.speaker.said) >= 2:
            raise SpeechError("no balance", misconfigured=True)
        return await speak(text, language)

    studio.speaker.speak = runs_dry  # type: ignore[method-assign]
    assert not await narrator.step(NOW)
    async with studio.store.read() as connection:
        assert await daily_spending.spent(connection, Spending.SPEECH, NOW.date()) == sum(
            len(text) for text, _ in studio.speaker.said
        )


async def test_damaged_files_count_as_none(studio: Studio) -> None:
    await studio.narrator("ko").step(NOW)
    found = studio.found()
    assert found is not None
    described = studio.media.find(KOREAN.owner, "ko", KOREAN.name("json"))
    assert described is not None
    described.path.write_text('{"title": 1}')
    assert studio.found() is None
    described.path.unlink()
    assert studio.found() is None
    assert await studio.narrator("ko").step(NOW)


async def test_a_folder_that_cannot_be_written_costs_nobody_anything(studio: Studio, tmp_path: Path) -> None:
    (tmp_path / "media").write_text("a file where the folder should be")
    assert not await studio.narrator("ko").step(NOW)
