"""Writes a site's files atomically, by one process at a time, and leaves unchanged files alone."""

from __future__ import annotations

import fcntl
import os
import re
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from bot.runtime.files import write_atomic

PICTURE = re.compile(
    r"\d{4}\.\d{4,5}\.(?:thumb\.jpg|fig\.(?:jpg|png))"
    r"|\d{4}-(?:\d\d-\d\d|W\d\d|\d\d)_(?:(?:keywords|trend)(?:-dark)?|poster)\.png"
)
"""File names of pictures: by a paper's arXiv id, or by the day, week or month of an edition."""

LOCK_SECONDS = 120.0
"""Seconds to wait for another writer; its git commands may be slow."""
LOCK_POLL_SECONDS = 0.1
"""Seconds between two attempts to take the lock."""


def write(folder: Path, files: Mapping[str, str]) -> list[str]:
    """Write `files`, by their paths below `folder`. Returns the paths of those that changed. Raises OSError."""
    return [name for name, text in files.items() if write_atomic(folder / name, text.encode("utf-8", "replace"))]


def place(folder: Path, pictures: Mapping[str, Path]) -> list[str]:
    """Copy pictures, given by file name, into `folder`/images. Returns the names of those that changed.

    Raises ValueError for a name that no page uses, OSError.
    """
    for name in pictures:
        if not PICTURE.fullmatch(name):
            raise ValueError(f"{name!r} names no picture: an arXiv id and .thumb.jpg, .fig.jpg or .fig.png, or a day")
    return [name for name, source in pictures.items() if write_atomic(folder / "images" / name, source.read_bytes())]


def place_recording(folder: Path, slug: str, source: Path) -> list[str]:
    """Copy the recording of an edition into `folder`/audio. Returns its path there if it changed. Raises OSError."""
    name = f"audio/{slug}.mp3"
    return [name] if write_atomic(folder / name, source.read_bytes()) else []


def present(folder: Path) -> frozenset[str]:
    """The pictures and recordings that a page may show, by their paths below `folder`."""
    found = [path for kind in ("images", "audio") for path in (folder / kind).glob("*") if path.is_file()]
    return frozenset(path.relative_to(folder).as_posix() for path in found)


@contextmanager
def exclusive(folder: Path) -> Iterator[None]:
    """Hold the folder's lock (flock), so that no other process writes. Raises OSError after LOCK_SECONDS."""
    folder.mkdir(parents=True, exist_ok=True)
    with held(folder) as handle:
        until = time.monotonic() + LOCK_SECONDS
        while True:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)  # released with the handle, even if we are killed
                break
            except BlockingIOError:
                if time.monotonic() > until:
                    raise
                time.sleep(LOCK_POLL_SECONDS)
        yield


@contextmanager
def held(folder: Path) -> Iterator[int]:
    """Open the folder itself. Yields its file descriptor."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        yield handle
    finally:
        os.close(handle)
