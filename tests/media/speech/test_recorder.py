"""Recordings: frames and samples put together, read back by mutagen, which players' tags are tested with."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.media.speech import mp3_frames, wave_sound
from bot.media.speech.id3_tag import ChapterMark, Tags, tag
from bot.media.speech.recorder import BETWEEN_CHAPTERS, BETWEEN_UTTERANCES, Recorder, assembled
from bot.media.speech.script import Chapter, Script, Utterance
from bot.media.speech.voices import SpeechError
from tests.support.speech_servers import A_SENTENCE, ToneSpeaker, mp3, played, samples, tags_of, wav

SCRIPT = Script(
    "ko",
    "뉴스레터",
    [
        Chapter("인사", [Utterance("안녕하세요.", "ko")]),
        Chapter("1. DeepSeek", [Utterance("1위.", "ko"), Utterance("Deep Seek. It is fast.", "en")]),
        Chapter("마무리", [Utterance("끝.", "ko")]),
    ],
)


@pytest.mark.parametrize("sound", [mp3(), wav(), wav(told=0x7FFFF000), mp3(channels=2, rate=44_100)])
async def test_a_recording_plays_as_long_as_its_chapters_say(sound: bytes) -> None:
    speaker, seen = ToneSpeaker(sound=sound), list[tuple[int, int]]()
    recorded = await speaker.recorder().record(SCRIPT, lambda done, of: seen.append((done, of)))
    assert [each.title for each in recorded.chapters] == ["인사", "1. DeepSeek", "마무리"]
    expected = 4 * A_SENTENCE + BETWEEN_UTTERANCES + 3 * BETWEEN_CHAPTERS
    assert recorded.seconds == pytest.approx(expected, abs=0.8)
    starts = [each.start for each in recorded.chapters]
    assert starts[0] == 0
    assert starts == sorted(starts)
    assert [each.end for each in recorded.chapters[:-1]] == starts[1:]
    assert seen == [(0, 4), (1, 4), (2, 4), (3, 4), (4, 4)]
    heard = played(recorded.content).info
    assert heard.length == pytest.approx(recorded.seconds, abs=0.06)
    assert not heard.sketchy


def test_players_find_title_language_chapters_and_artwork() -> None:
    sound = mp3(2.0)
    marks = [ChapterMark("Opening", 0, 0.5), ChapterMark("1. 논문 \N{SNOWMAN}", 0.5, 2.0)]
    shown = Tags("Morning · 조간", "모닝 페이퍼스", "Album", "ko", 2026, marks, artwork=b"\x89PNG picture")
    read = tags_of(tag(shown, 2.0) + sound)
    assert (str(read["TIT2"]), str(read["TPE1"]), str(read["TLAN"]), str(read["TLEN"])) == (
        "Morning · 조간",
        "모닝 페이퍼스",
        "kor",
        "2000",
    )
    assert read["CTOC:toc"].child_element_ids == ["chp0", "chp1"]
    chapters = [read[f"CHAP:{name}"] for name in read["CTOC:toc"].child_element_ids]
    assert [(each.start_time, each.end_time, str(each.sub_frames["TIT2"])) for each in chapters] == [
        (0, 500, "Opening"),
        (500, 2000, "1. 논문 \N{SNOWMAN}"),
    ]
    assert read.getall("APIC")[0].data == b"\x89PNG picture"
    assert mp3_frames.frames(tag(shown, 2.0) + sound) == mp3_frames.frames(sound), "the tag is no sound"


@given(st.text(max_size=40), st.sampled_from([0, 1, 3, 260]))
@settings(max_examples=8)
def test_any_titles_make_a_readable_tag(title: str, chapters: int) -> None:
    marks = [ChapterMark(title, n, n + 1) for n in range(chapters)]
    read = tags_of(tag(Tags(title * 30, "", title, "xx", 2026, marks), 300.0) + mp3(0.1))
    assert len(read.getall("CHAP")) == min(chapters, 255)


async def test_long_texts_are_parted_and_nothing_is_lost() -> None:
    speaker = ToneSpeaker()
    speaker.most = 30
    text = "One two three. Four five six seven. " + "".join(map(str, range(40))) + "."
    long = Script("en", "t", [Chapter("c", [Utterance(text, "en")])])
    await speaker.recorder().record(long)
    assert all(len(text) <= 30 for text, _ in speaker.said)
    assert "".join(each for each, _ in speaker.said).replace(" ", "") == text.replace(" ", "")


async def test_a_text_that_fails_is_asked_for_again_and_what_was_spoken_is_kept() -> None:
    speaker = ToneSpeaker()
    recorder = speaker.recorder()
    speaker.faults = [SpeechError("broke off"), SpeechError("broke off")]
    await recorder.record(SCRIPT)
    assert len(speaker.said) == 4
    speaker.faults = []
    speaker.said.clear()
    other = Script("en", "t", [Chapter("c", [Utterance("First.", "ko"), Utterance("Second.", "en")])])

    async def second_fails(text: str, language: str) -> bytes:
        if text == "Second." and not speaker.said.count((text, language)):
            raise SpeechError("wait", retry_after=60.0)
        return await ToneSpeaker.speak(speaker, text, language)

    speaker.speak = second_fails  # type: ignore[method-assign]
    with pytest.raises(SpeechError, match="wait"):
        await recorder.record(other)
    del speaker.speak
    await recorder.record(other)
    assert [text for text, _ in speaker.said] == ["First.", "Second."], "what was paid for is not asked for again"
    assert recorder.characters == sum(len(text) for text, _ in speaker.said) + SCRIPT.characters


async def test_what_is_no_sound_is_not_kept_and_ends_the_try() -> None:
    speaker = ToneSpeaker()
    recorder, sound, answers = speaker.recorder(), speaker.sound, [b"<html>Sign in to this network</html>"]

    async def answering(text: str, language: str) -> bytes:
        speaker.said.append((text, language))
        return answers.pop() if text == "1위." and answers else sound

    speaker.speak = answering  # type: ignore[method-assign]
    with pytest.raises(SpeechError, match="something else than MP3"):
        await recorder.record(SCRIPT)
    assert [text for text, _ in speaker.said] == ["안녕하세요.", "1위."], "no more is paid for"
    assert (await recorder.record(SCRIPT)).seconds > 0
    assert len(speaker.said) == 5


async def test_a_wrong_setting_is_not_tried_again() -> None:
    speaker = ToneSpeaker()
    speaker.faults = [SpeechError("no such key", misconfigured=True)]
    with pytest.raises(SpeechError, match="no such key"):
        await Recorder(speaker).record(SCRIPT)
    assert speaker.said == []


@pytest.mark.parametrize(
    ("sounds", "why"),
    [
        ([mp3(), mp3(rate=44_100)], "formats that do not go together"),
        ([wav(), mp3()], "formats that do not go together"),
        ([b'{"error": "no"}'], "something else than MP3"),
        ([b"RIFF1234WAVEfmt "], "something else than MP3"),
        ([b"\xff\xfb" * 200], "something else than MP3"),
    ],
)
def test_sounds_that_make_no_recording_are_refused(sounds: list[bytes], why: str) -> None:
    with pytest.raises(SpeechError, match=why):
        assembled([sounds], ["c"])


@given(st.binary(max_size=3000))
@settings(max_examples=60)
def test_any_bytes_are_read_or_refused(content: bytes) -> None:
    mp3_frames.frames(content)
    mp3_frames.frames(b"\xff\xfb\x90\x00" + content)
    wave_sound.read_wave(b"RIFF\0\0\0\0WAVE" + content)


@pytest.mark.parametrize("loud", [0.03, 0.2, 0.9])
def test_quiet_and_loud_voices_come_out_alike(loud: float) -> None:
    even = wave_sound.evened(samples(loud=loud))
    measured = wave_sound.loudness(even)
    assert measured == pytest.approx(wave_sound.LOUDNESS, abs=0.5)
    assert max(even.values) <= wave_sound.PEAK * wave_sound.FULL_SCALE + 1


def test_silence_stays_silent() -> None:
    pause = wave_sound.silence(0.2, 24_000, 1)
    assert wave_sound.evened(pause) == pause
