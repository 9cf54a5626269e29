"""Sound as samples (WAV): read, brought to an even loudness, and encoded as MP3. The only module that uses lameenc."""

from __future__ import annotations

import math
import struct
import sys
from array import array
from dataclasses import dataclass, field

LOUDNESS = -18.5
"""Decibels below full scale of the parts that are spoken: in mono -19 LUFS, in stereo, where both channels add up, -16,
as podcast directories want it (https://podcasters.apple.com/support/893-audio-requirements)."""
GATE = -45.0
"""Decibels below full scale under which a moment counts as a pause."""
PEAK = 0.8
"""Share of full scale that no sample exceeds: encoded as MP3, peaks grow, and shall stay below -1 dB."""
KNEE = 0.5
"""Share of full scale above which peaks are rounded off towards PEAK, rather than all of the sound made quieter."""
MOST_GAIN = 8.0
"""Times by which a quiet voice is made louder at most."""
MOMENT = 0.05
"""Seconds over which loudness is measured at once."""
EVERY = 4
"""Samples of which one is measured."""
BITRATE = {1: 48, 2: 96}
"""Kilobits a second of the MP3, by channels."""
FULL_SCALE = 32_768
_PCM, _EXTENSIBLE = 1, 0xFFFE


@dataclass(frozen=True, slots=True)
class Samples:
    """Sound as 16-bit samples, those of several channels in turn."""

    rate: int
    channels: int
    values: array[int] = field(repr=False)

    @property
    def seconds(self) -> float:
        """How long it plays."""
        return len(self.values) / self.channels / self.rate


def read_wave(content: bytes) -> Samples | None:
    """The samples of a WAV file of 16 bits; None where it is something else.

    A program that writes to a pipe does not know how long its sound will be: sizes beyond the end mean the end.
    """
    if len(content) < 12 or content[:4] != b"RIFF" or content[8:12] != b"WAVE":
        return None
    at, rate, channels = 12, 0, 0
    while at + 8 <= len(content):
        name, size = content[at : at + 4], int.from_bytes(content[at + 4 : at + 8], "little")
        body = content[at + 8 : at + 8 + size]
        if name == b"fmt " and len(body) >= 16:
            kind, channels, rate, _, _, bits = struct.unpack("<HHIIHH", body[:16])
            if kind not in {_PCM, _EXTENSIBLE} or bits != 16 or channels not in BITRATE or not 8_000 <= rate <= 48_000:
                return None
        elif name == b"data" and rate:
            values = array("h", body[: len(body) // (2 * channels) * 2 * channels])
            if sys.byteorder == "big":
                values.byteswap()
            return Samples(rate, channels, values)
        at += 8 + size + size % 2
    return None


def evened(sound: Samples) -> Samples:
    """The sound as loud as every other: its spoken parts at LOUDNESS, no sample above PEAK."""
    loud = loudness(sound)
    if loud is None:
        return sound
    gain = min(10 ** ((LOUDNESS - loud) / 20), MOST_GAIN)
    most = int(KNEE * FULL_SCALE / gain)
    highest, lowest = max(sound.values), min(sound.values)
    found = (*range(max(highest, 0) + 1), *range(min(lowest, 0), 0))  # negative samples count from the end
    scaled = [round(value * gain) if -most <= value <= most else _rounded_off(value * gain) for value in found]
    return Samples(sound.rate, sound.channels, array("h", map(scaled.__getitem__, sound.values)))


def _rounded_off(value: float) -> int:
    """A sample, below PEAK: what is under KNEE stays as it is."""
    knee, room = KNEE * FULL_SCALE, (PEAK - KNEE) * FULL_SCALE
    over = abs(value) - knee
    return round(value if over <= 0 else math.copysign(knee + room * math.tanh(over / room), value))


def loudness(sound: Samples) -> float | None:
    """The loudness of the spoken parts in decibels below full scale, by their mean square; None for silence."""
    step = max(1, int(sound.rate * sound.channels * MOMENT))
    spoken: list[float] = []
    for at in range(0, len(sound.values), step):
        moment = sound.values[at : at + step : EVERY]
        square = sum(value * value for value in moment) / len(moment)
        if square > (FULL_SCALE * 10 ** (GATE / 20)) ** 2:
            spoken.append(square)
    if not spoken:
        return None
    return 10 * math.log10(sum(spoken) / len(spoken) / FULL_SCALE**2)


def silence(seconds: float, rate: int, channels: int) -> Samples:
    """A pause."""
    return Samples(rate, channels, array("h", bytes(2 * channels * round(seconds * rate))))


def encode(sound: Samples, *, kilobits: int | None = None) -> bytes:
    """The sound as MP3; `kilobits` a second, by default what speech needs. Lets other threads run meanwhile."""
    import lameenc

    encoder = lameenc.Encoder()
    encoder.silence()
    encoder.set_bit_rate(kilobits or BITRATE[sound.channels])
    encoder.set_in_sample_rate(sound.rate)
    encoder.set_out_sample_rate(sound.rate)
    encoder.set_channels(sound.channels)
    encoder.set_quality(5)
    values = sound.values
    if sys.byteorder == "big":
        values = array("h", values)
        values.byteswap()
    return bytes(encoder.encode(values.tobytes())) + bytes(encoder.flush())
