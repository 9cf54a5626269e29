"""MP3 as frames: split, measured and joined, so that recordings of several answers become one file. Pure.

The format is MPEG audio layer III (ISO/IEC 11172-3, 13818-3). What is not sound is left out: ID3 tags, and the frame
with which an encoder describes a file of its own ("Xing", "Info", "VBRI"); a new one of these is written for the whole.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

_BITRATES = {
    True: (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    False: (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
"""Kilobits a second by index, of MPEG 1 and of MPEG 2 and 2.5."""
_RATES = {3: (44_100, 48_000, 32_000), 2: (22_050, 24_000, 16_000), 0: (11_025, 12_000, 8_000)}
"""Samples a second by version and index."""
_MONO = 3
_MOST_JUNK = 64 << 10
"""Bytes that are skipped in search of a frame before the rest counts as no MP3."""
_TOC = 100
"""Entries of the table by which players seek."""
_INFO_BYTES = 4 + 4 + 4 + 4 + _TOC


@dataclass(frozen=True, slots=True)
class SoundFormat:
    """The format that frames must share to be one file: version, samples a second, number of channels."""

    version: int
    rate: int
    channels: int

    @property
    def samples(self) -> int:
        """Samples of one frame."""
        return 1152 if self.version == 3 else 576


@dataclass(frozen=True, slots=True)
class Frames:
    """The sound of an MP3, frame by frame."""

    format: SoundFormat
    frames: Sequence[bytes] = field(repr=False)

    @property
    def seconds(self) -> float:
        """How long it plays."""
        return len(self.frames) * self.format.samples / self.format.rate

    @property
    def kilobits(self) -> int:
        """Kilobits a second of the first frame."""
        return _bitrate(self.frames[0])


def frames(content: bytes) -> Frames | None:
    """The frames of an MP3; None where there are none, or where their formats differ."""
    found: list[bytes] = []
    kind: SoundFormat | None = None
    at, junk = _behind_tag(content), 0
    while at + 4 <= len(content):
        here = _format(content, at)
        size = _size(content, at) if here is not None else 0
        if here is None or at + size > len(content) or (kind is not None and here != kind):
            at, junk = at + 1, junk + 1
            if junk > _MOST_JUNK:
                return None
            continue
        frame = content[at : at + size]
        at += size
        if not found and kind is None and not _follows(content, at, here):
            at, junk = at - size + 1, junk + 1  # two bytes that happen to look like a frame's beginning
            continue
        kind = here
        if not (not found and _is_description(frame)):
            found.append(frame)
    return Frames(kind, found) if kind is not None and found else None


def joined(sound: Frames) -> bytes:
    """The frames as one MP3, with a frame before them that tells players how long it is and where to seek."""
    head = _description(sound)
    return b"".join([head, *sound.frames])


def _behind_tag(content: bytes) -> int:
    """Where the sound begins: behind an ID3v2 tag, if there is one."""
    if content[:3] != b"ID3" or len(content) < 10:
        return 0
    size = 0
    for byte in content[6:10]:
        size = size << 7 | byte & 0x7F
    return 10 + size


def _format(content: bytes, at: int) -> SoundFormat | None:
    """The format of a frame that begins here; None where none does."""
    first, second, third, fourth = content[at : at + 4]
    if first != 0xFF or second & 0xE0 != 0xE0:
        return None
    version, layer = second >> 3 & 3, second >> 1 & 3
    rate, bitrate = third >> 2 & 3, third >> 4
    if version == 1 or layer != 1 or rate == 3 or bitrate in {0, 15}:
        return None
    return SoundFormat(version, _RATES[version][rate], 1 if fourth >> 6 == _MONO else 2)


def _bitrate(frame: bytes) -> int:
    return _BITRATES[frame[1] >> 3 & 3 == 3][frame[2] >> 4]


def _size(content: bytes, at: int) -> int:
    version, third = content[at + 1] >> 3 & 3, content[at + 2]
    bitrate, rate = _BITRATES[version == 3][third >> 4], _RATES[version][third >> 2 & 3]
    return (144 if version == 3 else 72) * bitrate * 1000 // rate + (third >> 1 & 1)


def _follows(content: bytes, at: int, kind: SoundFormat) -> bool:
    """Whether another frame of the kind, or the end, comes next."""
    return at + 4 > len(content) or _format(content, at) == kind


def _side(kind: SoundFormat) -> int:
    """Bytes between a frame's header and its sound, where a description stands."""
    if kind.version == 3:
        return 17 if kind.channels == 1 else 32
    return 9 if kind.channels == 1 else 17


def _is_description(frame: bytes) -> bool:
    kind = _format(frame, 0)
    assert kind is not None
    at = 4 + _side(kind)
    return frame[at : at + 4] in {b"Xing", b"Info"} or frame[36:40] == b"VBRI"


def _description(sound: Frames) -> bytes:
    """A silent frame that holds the number of frames and bytes, and a table to seek by."""
    kind, first = sound.format, sound.frames[0]
    needed = 4 + _side(kind) + _INFO_BYTES
    header = bytearray(first[:4])
    header[1] |= 1  # without a checksum
    for index in range(1, 15):
        header[2] = index << 4 | header[2] & 0x0C
        if _size(bytes(header), 0) >= needed:
            break
    size, total = _size(bytes(header), 0), sum(map(len, sound.frames))
    even = all(_bitrate(frame) == sound.kilobits for frame in sound.frames)
    body = (b"Info" if even else b"Xing") + (0b111).to_bytes(4, "big")
    body += len(sound.frames).to_bytes(4, "big") + (total + size).to_bytes(4, "big") + _seek_table(sound, total)
    return bytes(header) + bytes(_side(kind)) + body.ljust(size - 4 - _side(kind), b"\0")


def _seek_table(sound: Frames, total: int) -> bytes:
    """Where each hundredth of the time begins, in 256ths of the bytes."""
    count, table, passed, at = len(sound.frames), bytearray(), 0, 0
    for part in range(_TOC):
        while at < count * part // _TOC:
            passed += len(sound.frames[at])
            at += 1
        table.append(min(255, passed * 256 // max(total, 1)))
    return bytes(table)
