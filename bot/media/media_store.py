"""Where pictures and recordings are kept: a folder of files by edition, language and what they were made from."""

from __future__ import annotations

import hashlib
import logging
import os
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bot.model import ARXIV_ID
from bot.runtime.files import write_atomic

log = logging.getLogger(__name__)

KEEP = timedelta(days=60)
"""Age up to which files are kept, as deliveries are; each can be made again."""
ABANDONED = timedelta(days=1)
"""Age from which a file that is being written is what a kill left of one."""
FINGERPRINT = 16
"""Hexadecimal digits of a fingerprint in a file's name."""
MEDIA_TYPES = {
    "json": "application/json",
    "jpg": "image/jpeg",
    "mp3": "audio/mpeg",
    "png": "image/png",
}
"""The media types of the files that are kept, by suffix."""

_OWNER = re.compile(r"\d{4}-(?:\d\d-\d\d|W\d\d|\d\d)", re.ASCII)
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*", re.ASCII)
_NAME = re.compile(rf"([a-z][a-z0-9-]{{0,40}})\.({'|'.join(MEDIA_TYPES)})", re.ASCII)


@dataclass(frozen=True, slots=True)
class MediaFile:
    """A file that was made: where it is, and the fingerprint of what it was made from."""

    path: Path
    fingerprint: str

    @property
    def media_type(self) -> str:
        """Its media type, such as `image/png`."""
        return MEDIA_TYPES[self.path.suffix[1:]]


def fingerprint(*parts: object) -> str:
    """A hash of what a file is made from: the same parts make the same file, so that it need not be made again."""
    return hashlib.sha256(repr(parts).encode("utf-8", "backslashreplace")).hexdigest()[:FINGERPRINT]


class MediaStore:
    """The files in a folder, as `{owner}/{language}/{stem}.{fingerprint}.{suffix}`. Its methods block.

    An owner is an edition's slug (`2026-04-29`, `2026-W18`, `2026-04`) or a paper's arXiv id; a name is `trend.png`.
    There is one file of each name: a new one takes the place of the old one, and readers see either.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def find(self, owner: str, language: str, name: str) -> MediaFile | None:
        """The file of that name; None where there is none, or where no file could have such a name."""
        if not _is_valid(owner, language, name):
            return None
        stem, suffix = name.rsplit(".", 1)
        found = sorted(self._written(owner, language, stem, suffix), key=_age)
        return found[-1] if found else None

    def path(self, owner: str, language: str, name: str) -> Path | None:
        """The path of the file of that name, None where there is none: a `bot.channel.MediaFinder`."""
        found = self.find(owner, language, name)
        return None if found is None else found.path

    def put(self, owner: str, language: str, name: str, content: bytes, *, made_from: str, now: datetime) -> MediaFile:
        """Keep a file, dated `now`, in place of an earlier one of that name. `made_from` is its `fingerprint`.

        Raises ValueError for an owner, language or name that cannot be one; OSError where the file cannot be written.
        """
        if not _is_valid(owner, language, name) or not re.fullmatch(r"[0-9a-f]{1,64}", made_from):
            raise ValueError(f"no file can be kept as {owner}/{language}/{name}")
        stem, suffix = name.rsplit(".", 1)
        path = self._folder / owner / language / f"{stem}.{made_from}.{suffix}"
        write_atomic(path, content, durable=False, modified=now, writer=f".{os.getpid()}")
        for other in self._written(owner, language, stem, suffix):
            if other.path != path:
                with suppress(OSError):
                    other.path.unlink()
        return MediaFile(path, made_from)

    def drop(self, owner: str, language: str, name: str) -> None:
        """Delete the file of that name, if there is one."""
        while (found := self.find(owner, language, name)) is not None:
            try:
                found.path.unlink()
            except OSError as error:
                log.warning("media file cannot be deleted", extra={"file": name, "reason": error.strerror or "OSError"})
                return

    def drop_old(self, now: datetime) -> int:
        """Delete files older than KEEP, what kills left, and folders that are then empty. Returns how many files."""
        dropped = 0
        for owner in self._folders(self._folder):
            for language in self._folders(owner):
                for path in _within(language):
                    with suppress(OSError):
                        if (now - datetime.fromtimestamp(path.stat().st_mtime, UTC)) > _keeps(path):
                            path.unlink()
                            dropped += 1
                with suppress(OSError):
                    language.rmdir()
            with suppress(OSError):
                owner.rmdir()
        return dropped

    def _written(self, owner: str, language: str, stem: str, suffix: str) -> Iterator[MediaFile]:
        for path in _within(self._folder / owner / language):
            if (found := re.fullmatch(rf"{re.escape(stem)}\.([0-9a-f]{{1,64}})\.{suffix}", path.name)) is not None:
                yield MediaFile(path, found[1])

    def _folders(self, folder: Path) -> list[Path]:
        return [path for path in _within(folder) if path.is_dir() and not path.is_symlink()]


def _within(folder: Path) -> list[Path]:
    with suppress(OSError):
        return list(folder.iterdir())
    return []


def _keeps(path: Path) -> timedelta:
    """How old a file may become; what is nobody's business of ours stays."""
    if path.name.startswith(".") and path.suffix == ".part":  # bot.runtime.files.write_atomic
        return ABANDONED
    return KEEP if path.suffix[1:] in MEDIA_TYPES else timedelta.max


def _is_valid(owner: str, language: str, name: str) -> bool:
    owned = _OWNER.fullmatch(owner) or (owner.isascii() and ARXIV_ID.fullmatch(owner))
    return bool(owned and _LANGUAGE.fullmatch(language) and _NAME.fullmatch(name))


def _age(file: MediaFile) -> float:
    with suppress(OSError):
        return file.path.stat().st_mtime
    return 0.0
