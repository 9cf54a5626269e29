"""Writing files so that readers see the old content or the new, never a part of it."""

from __future__ import annotations

import os
from contextlib import suppress
from datetime import datetime
from pathlib import Path


def write_atomic(
    path: Path, content: bytes, *, durable: bool = True, modified: datetime | None = None, writer: str = ""
) -> bool:
    """Replace the file at `path` in one step, making its folder where needed. Returns whether anything changed.

    A file that holds `content` already is left as it is. With `durable` the content is on disk when this returns, and
    a power cut does not undo it; `modified` dates the file; `writer` tells apart processes that may write the same file
    at the same time. Raises OSError, and then leaves the old file in place.
    """
    if modified is None:
        with suppress(OSError):
            if path.read_bytes() == content:
                return False
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}{writer}.part")  # the same name each time: kills leave one file, not many
    try:
        with part.open("wb") as file:
            file.write(content)
            file.flush()
            if durable:
                os.fsync(file.fileno())
        if modified is not None:
            os.utime(part, (modified.timestamp(), modified.timestamp()))
        part.replace(path)
    except OSError:
        with suppress(OSError):
            part.unlink()
        raise
    if durable:
        sync(path.parent)
    return True


def try_to_write(folder: Path) -> None:
    """Write a file into a folder and delete it, in one go, so that nothing that is cut short leaves it there.

    Raises OSError.
    """
    trial = folder / ".doctor"
    write_atomic(trial, b"")
    trial.unlink()


def sync(path: Path) -> None:
    """Flush a file or folder to disk (fsync). Raises OSError; a folder that cannot be opened is skipped."""
    try:
        handle = os.open(path, os.O_RDONLY)
    except OSError:
        if path.is_dir():
            return
        raise
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def whole_path(written: str | Path) -> Path:
    """A path with `~` replaced by a home. Raises ValueError, whose message ends a sentence, if there is none."""
    try:
        return Path(written).expanduser()
    except RuntimeError:
        raise ValueError("begins with ~ and the name of a user who has no home here; write the whole path") from None
