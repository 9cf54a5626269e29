"""What was fetched, on disk: JSON and pictures by arXiv id, aged by their files' times, within a size."""

from __future__ import annotations

import json
import logging
import os
import re
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from bot.runtime.files import write_atomic

log = logging.getLogger(__name__)

LIFETIME = timedelta(days=30)
NEGATIVE = timedelta(hours=6)
"""How long it is remembered that there is nothing."""
LARGEST = 500 << 20
"""Bytes of all that is kept; what is oldest goes first."""

MISSING: Final = object()
"""What is not on the shelf, or not any more; None is what is known not to be had."""

_OURS = re.compile(r"\.?\d{4}\.\d{4,5}\.[a-z.\d]{1,40}", re.ASCII)


class FileCache:
    """A folder of files `{arxiv id}.…`. Its methods block; a disk that fails costs the cache, not the answer."""

    def __init__(self, folder: Path, largest: int = LARGEST) -> None:
        self.folder = folder
        self._largest = largest

    def look(self, name: str, now: datetime) -> Any:
        """What was put under `name`: None where it was nothing, MISSING where it is too old, damaged or not there."""
        path = self.folder / name
        try:
            age = abs(now - datetime.fromtimestamp(path.stat().st_mtime, UTC))
            value = json.loads(path.read_bytes())
        except (OSError, ValueError, RecursionError):
            return MISSING
        return value if age < (NEGATIVE if value is None else LIFETIME) else MISSING

    def put(self, name: str, value: object, now: datetime) -> bool:
        """Keep `value`, anything that JSON can say, or None for what cannot be had. Whether it was kept."""
        return self.write(name, json.dumps(value).encode("ascii"), now)

    def write(self, name: str, body: bytes, now: datetime) -> bool:
        """Put a file in place at once, dated `now`, and drop the oldest ones. Whether it was kept."""
        path = self.folder / name
        try:
            write_atomic(path, body, durable=False, modified=now, writer=f".{os.getpid()}")
        except OSError as error:
            log.warning("cannot keep a paper's file", extra={"file": name, "reason": error.strerror or "OSError"})
            return False
        self._drop(name)
        return True

    def _drop(self, newest: str) -> None:
        """The oldest files go until the rest is within the size; what is nobody's business of ours stays."""
        files: list[tuple[float, int, Path]] = []
        with suppress(OSError), os.scandir(self.folder) as found:
            for entry in found:
                if _OURS.fullmatch(entry.name) and entry.name != newest:
                    with suppress(OSError):
                        about = entry.stat(follow_symlinks=False)
                        files.append((about.st_mtime, about.st_size, Path(entry.path)))
        with suppress(OSError):
            files.append((float("inf"), (self.folder / newest).stat().st_size, self.folder / newest))
        total = sum(size for _, size, _ in files)
        for _, size, path in sorted(files):
            if total <= self._largest or path.name == newest:
                return
            with suppress(OSError):
                path.unlink()
                total -= size
