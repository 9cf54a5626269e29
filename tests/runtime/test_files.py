"""Atomic writes: all or nothing, nothing twice, and no litter."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot.runtime.files import sync, write_atomic


def test_a_file_is_written_with_its_folder_and_only_once(tmp_path: Path) -> None:
    path = tmp_path / "new" / "file.txt"
    assert write_atomic(path, b"one")
    written = path.stat().st_mtime_ns
    assert not write_atomic(path, b"one")
    assert path.stat().st_mtime_ns == written
    assert write_atomic(path, b"two")
    assert [each.name for each in path.parent.iterdir()] == ["file.txt"]
    assert path.read_bytes() == b"two"


def test_a_file_can_be_dated(tmp_path: Path) -> None:
    when = datetime(2025, 11, 5, tzinfo=UTC)
    assert write_atomic(tmp_path / "file", b"one", durable=False, modified=when, writer=".1")
    assert (tmp_path / "file").stat().st_mtime == when.timestamp()


def test_a_write_that_fails_leaves_what_was_there(tmp_path: Path) -> None:
    (tmp_path / "taken").mkdir()
    with pytest.raises(OSError, match="taken"):
        write_atomic(tmp_path / "taken", b"one")
    assert [each.name for each in tmp_path.iterdir()] == ["taken"]
    with pytest.raises(FileNotFoundError):
        sync(tmp_path / "missing")
