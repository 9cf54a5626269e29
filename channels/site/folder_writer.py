"""Files in a folder that others read meanwhile: whole or not at all, the same again untouched, one writer at a time."""

from __future__ import annotations

import fcntl
import os
import re
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from bot.runtime.files import write_atomic

PICTURE = re.compile(r"\d{4}\.\d{4,5}\.(?:thumb\.jpg|fig\.(?:jpg|png))|\d{4}-\d\d-\d\d_(?:keywords|trend)\.png")
"""What a picture is called: by its paper's arXiv id, or by its day."""

PATIENCE = 120.0
"""Seconds after which another writer is taken to hang; git may take its time."""
LOOK = 0.1


def write(folder: Path, files: Mapping[str, str]) -> list[str]:
    """Write files, named by their paths below `folder`; the names of those that changed. Raises OSError."""
    return [name for name, text in files.items() if write_atomic(folder / name, text.encode("utf-8", "replace"))]


def place(folder: Path, pictures: Mapping[str, Path]) -> list[str]:
    """Copy pictures, by the name that each is to have, into `folder`/images; the names of those that changed.

    Raises ValueError for a name that no page asks for, OSError.
    """
    for name in pictures:
        if not PICTURE.fullmatch(name):
            raise ValueError(f"{name!r} names no picture: an arXiv id with .thumb.jpg, .fig.jpg or .fig.png, or a day")
    return [name for name, source in pictures.items() if write_atomic(folder / "images" / name, source.read_bytes())]


def present(folder: Path) -> frozenset[str]:
    """The pictures and recordings that there are, by their paths below `folder`: what a page may show."""
    found = [path for kind in ("images", "audio") for path in (folder / kind).glob("*") if path.is_file()]
    return frozenset(path.relative_to(folder).as_posix() for path in found)


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Write to a folder while no other process does. Raises OSError where another does not end."""
    folder.mkdir(parents=True, exist_ok=True)
    with held(folder) as handle:
        until = time.monotonic() + PATIENCE
        while True:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)  # let go of with the handle, however we end
                break
            except BlockingIOError:
                if time.monotonic() > until:
                    raise
                time.sleep(LOOK)
        yield


@contextmanager
def held(folder: Path) -> Iterator[int]:
    """A handle of the folder itself."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        yield handle
    finally:
        os.close(handle)
