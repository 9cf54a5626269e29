"""A script spoken and put together: every utterance asked for, pauses between them, chapters, one MP3."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial

from bot.media.speech import mp3_frames, wave_sound
from bot.media.speech.id3_tag import ChapterMark
from bot.media.speech.mp3_frames import Frames, SoundFormat
from bot.media.speech.script import Script, Utterance
from bot.media.speech.voices import Speaker, SpeechError
from bot.media.speech.wave_sound import Samples
from bot.runtime.background_process import BackgroundError, in_background
from bot.runtime.text import sentences

PAUSES = (1.0, 4.0)
"""Seconds before a text that failed is asked for again, and again."""
BETWEEN_UTTERANCES = 0.3
BETWEEN_CHAPTERS = 0.9
"""Seconds of silence."""
ASSEMBLING = 900.0
"""Seconds in which sounds are put together at most; an hour of speech takes some ten."""
LONGEST = 3 * 3600.0
"""Seconds of a recording; a longer one is a fault of the voice."""

Report = Callable[[int, int], None]
"""Told how many utterances are spoken, of how many."""


Assemble = Callable[[Callable[[], "Recorded"]], Awaitable["Recorded"]]
"""Runs what takes seconds of a processor. Raises SpeechError."""


def unreported(done: int, of: int) -> None:
    """For recordings that nobody watches."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """An MP3 without its tag, how many seconds it plays, and its chapters."""

    content: bytes = field(repr=False)
    seconds: float
    chapters: Sequence[ChapterMark]


class Recorder:
    """Has scripts spoken. What was spoken of a script that then failed is kept, so that nobody pays for it again."""

    def __init__(self, speaker: Speaker, *, pauses: Sequence[float] = PAUSES, assemble: Assemble | None = None) -> None:
        """`assemble` runs what puts the sounds together, by default in a process of its own."""
        self._speaker = speaker
        self._assemble = assemble or _in_background
        self._pauses = pauses
        self._spoken: dict[Utterance, bytes] = {}
        self.characters = 0
        """Characters that the speaker has spoken so far."""

    async def record(self, script: Script, report: Report = unreported) -> Recorded:
        """The recording of a script. Raises SpeechError."""
        wanted = [[list(self._pieces(each)) for each in chapter.utterances] for chapter in script.chapters]
        total, done = sum(len(pieces) for chapter in wanted for pieces in chapter), 0
        report(0, total)
        for chapter in wanted:
            for piece in (piece for pieces in chapter for piece in pieces):
                await self._speak(piece)
                done += 1
                report(done, total)
        sounds = [[b for pieces in chapter for b in map(self._spoken.__getitem__, pieces)] for chapter in wanted]
        recorded = await self._assemble(partial(assembled, sounds, [each.title for each in script.chapters]))
        self._spoken.clear()
        return recorded

    def forget(self) -> None:
        """Drop what is kept of a script that failed."""
        self._spoken.clear()

    async def _speak(self, piece: Utterance) -> None:
        if piece in self._spoken:
            return
        for pause in (*self._pauses, None):
            try:
                sound = await self._speaker.speak(piece.text, piece.language)
                if not sound:
                    raise SpeechError("the voice gave no sound")
                await asyncio.to_thread(_read, sound)  # what is no sound must not be kept
                break
            except SpeechError as error:
                if pause is None or error.misconfigured or error.retry_after is not None:
                    raise
            await asyncio.sleep(pause)
        self.characters += len(piece.text)
        self._spoken[piece] = sound

    def _pieces(self, whole: Utterance) -> Iterator[Utterance]:
        """An utterance in pieces that the speaker takes, parted between sentences, else between words."""
        most, waiting = self._speaker.most, ""
        for said in sentences(whole.text):
            for part in _cut(said, most):
                if waiting and len(waiting) + 1 + len(part) > most:
                    yield Utterance(waiting, whole.language)
                    waiting = ""
                waiting = f"{waiting} {part}" if waiting else part
        if waiting:
            yield Utterance(waiting, whole.language)


async def _in_background(work: Callable[[], Recorded]) -> Recorded:
    try:
        return await in_background(work, seconds=ASSEMBLING)
    except BackgroundError as error:
        raise SpeechError(f"the recording cannot be put together: {error}") from None


def _cut(said: str, most: int) -> Iterator[str]:
    while len(said) > most:
        at = said.rfind(" ", 1, most)
        at = most if at < 0 else at
        yield said[:at]
        said = said[at:].lstrip()
    if said:
        yield said


def assembled(sounds: Sequence[Sequence[bytes]], titles: Sequence[str]) -> Recorded:
    """The sounds of each chapter as one recording. Raises SpeechError where they do not go together."""
    read = [[_read(each) for each in chapter] for chapter in sounds]
    first = next(each for chapter in read for each in chapter)
    recorded = _of_samples(read, titles, first) if isinstance(first, Samples) else _of_frames(read, titles, first)
    if recorded.seconds > LONGEST:
        raise SpeechError("the voice speaks without an end")
    return recorded


def _read(sound: bytes) -> Samples | Frames:
    found = wave_sound.read_wave(sound) or mp3_frames.frames(sound)
    if found is None:
        raise SpeechError("the voice gave something else than MP3 or WAV of 16 bits", misconfigured=True)
    return found


def _of_frames(read: Sequence[Sequence[Samples | Frames]], titles: Sequence[str], first: Frames) -> Recorded:
    """MP3 stays as it came; silence is encoded in the same format."""
    kind, found, marks = first.format, list[bytes](), list[ChapterMark]()
    pauses = {each: _silent(each, first) for each in (BETWEEN_UTTERANCES, BETWEEN_CHAPTERS)}
    for title, chapter in zip(titles, read, strict=True):
        begins = len(found)
        for number, sound in enumerate(chapter):
            if not isinstance(sound, Frames) or sound.format != kind:
                raise _apart(first, sound)
            if number:
                found += pauses[BETWEEN_UTTERANCES]
            found += sound.frames
        found += pauses[BETWEEN_CHAPTERS]
        each = kind.samples / kind.rate
        marks.append(ChapterMark(title, begins * each, len(found) * each))
    whole = Frames(kind, found)
    return Recorded(mp3_frames.joined(whole), whole.seconds, marks)


def _silent(seconds: float, like: Frames) -> Sequence[bytes]:
    kind: SoundFormat = like.format
    pause = wave_sound.silence(seconds, kind.rate, kind.channels)
    made = mp3_frames.frames(wave_sound.encode(pause, kilobits=like.kilobits))
    return made.frames if made is not None and made.format == kind else []


def _of_samples(read: Sequence[Sequence[Samples | Frames]], titles: Sequence[str], first: Samples) -> Recorded:
    """Samples are brought to one loudness, joined and encoded."""
    values, marks = wave_sound.silence(0, first.rate, first.channels).values, list[ChapterMark]()
    pauses = {
        each: wave_sound.silence(each, first.rate, first.channels).values
        for each in (BETWEEN_UTTERANCES, BETWEEN_CHAPTERS)
    }
    a_second = first.rate * first.channels
    for title, chapter in zip(titles, read, strict=True):
        begins = len(values)
        for number, sound in enumerate(chapter):
            if not isinstance(sound, Samples) or (sound.rate, sound.channels) != (first.rate, first.channels):
                raise _apart(first, sound)
            if number:
                values.extend(pauses[BETWEEN_UTTERANCES])
            values.extend(wave_sound.evened(sound).values)
        values.extend(pauses[BETWEEN_CHAPTERS])
        marks.append(ChapterMark(title, begins / a_second, len(values) / a_second))
    made = mp3_frames.frames(wave_sound.encode(Samples(first.rate, first.channels, values)))
    assert made is not None
    return Recorded(mp3_frames.joined(made), made.seconds, marks)


def _apart(first: Samples | Frames, other: Samples | Frames) -> SpeechError:
    found = " and ".join(_described(each) for each in (first, other))
    return SpeechError(
        f"the voices answer in formats that do not go together ({found}): choose others", misconfigured=True
    )


def _described(sound: Samples | Frames) -> str:
    if isinstance(sound, Samples):
        return f"WAV at {sound.rate} Hz, {sound.channels} channels"
    return f"MP3 at {sound.format.rate} Hz, {sound.format.channels} channels"
