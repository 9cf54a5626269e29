"""Pictures and recordings on disk: one file of each name, found by what it was made from, and not for ever."""

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot.media.media_store import ABANDONED, KEEP, MediaStore, fingerprint

NOW = datetime(2026, 4, 29, 22, tzinfo=UTC)
DAY, ID = "2026-04-29", "2604.25917"


def files(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def test_a_file_is_kept_by_edition_language_and_what_it_was_made_from(tmp_path: Path) -> None:
    store, made_from = MediaStore(tmp_path), fingerprint("trend", [1, 2])
    assert store.find(DAY, "ko", "trend.png") is None
    kept = store.put(DAY, "ko", "trend.png", b"one", made_from=made_from, now=NOW)
    assert kept == store.find(DAY, "ko", "trend.png")
    assert kept.path.read_bytes() == b"one"
    assert (kept.fingerprint, kept.media_type) == (made_from, "image/png")
    assert files(tmp_path) == [f"{DAY}/ko/trend.{made_from}.png"]
    assert store.find(DAY, "ja", "trend.png") is None
    assert store.find(DAY, "ko", "trend.svg") is None
    assert store.find("2026-W18", "ko", "trend.png") is None


def test_a_new_file_takes_the_place_of_the_old_one(tmp_path: Path) -> None:
    store = MediaStore(tmp_path)
    store.put(DAY, "ko", "trend.png", b"one", made_from="a1", now=NOW)
    store.put(DAY, "ko", "trend-dark.png", b"dark", made_from="a1", now=NOW)
    store.put(DAY, "ko", "trend.png", b"two", made_from="b2", now=NOW)
    assert files(tmp_path) == [f"{DAY}/ko/trend-dark.a1.png", f"{DAY}/ko/trend.b2.png"]
    found = store.find(DAY, "ko", "trend.png")
    assert found is not None
    assert found.path.read_bytes() == b"two"
    store.drop(DAY, "ko", "trend.png")
    assert store.find(DAY, "ko", "trend.png") is None


def test_the_newer_of_two_files_that_a_kill_left_is_found(tmp_path: Path) -> None:
    store = MediaStore(tmp_path)
    kept = store.put(DAY, "ko", "trend.png", b"new", made_from="aa", now=NOW)
    older = kept.path.with_name("trend.bb.png")
    older.write_bytes(b"old")
    os.utime(older, (0, 0))
    assert store.find(DAY, "ko", "trend.png") == kept


@pytest.mark.parametrize(
    ("owner", "language", "name"),
    [
        ("..", "ko", "trend.png"),
        (DAY, "..", "trend.png"),
        (DAY, "ko", "../trend.png"),
        (DAY, "ko", "trend.exe"),
        (DAY, "ko", ".png"),
        ("٢٠٢٦-04-29", "ko", "trend.png"),
        (f"{DAY}\n", "ko", "trend.png"),
    ],
)
def test_nothing_is_kept_or_found_outside(tmp_path: Path, owner: str, language: str, name: str) -> None:
    store = MediaStore(tmp_path / "media")
    assert store.find(owner, language, name) is None
    with pytest.raises(ValueError, match="no file can be kept"):
        store.put(owner, language, name, b"", made_from="a", now=NOW)


def test_papers_have_files_too(tmp_path: Path) -> None:
    store = MediaStore(tmp_path)
    store.put(ID, "zh-Hans", "card.png", b"card", made_from="c", now=NOW)
    assert store.find(ID, "zh-Hans", "card.png") is not None


def test_old_files_go_with_their_folders(tmp_path: Path) -> None:
    store = MediaStore(tmp_path)
    store.put("2026-02-01", "ko", "trend.png", b"old", made_from="a", now=NOW - KEEP - timedelta(hours=1))
    store.put(DAY, "ko", "trend.png", b"new", made_from="a", now=NOW)
    (tmp_path / "notes.txt").write_text("somebody else's", encoding="utf-8")
    assert store.drop_old(NOW) == 1
    assert files(tmp_path) == [f"{DAY}/ko/trend.a.png", "notes.txt"]
    assert not (tmp_path / "2026-02-01").exists()
    assert MediaStore(tmp_path / "missing").drop_old(NOW) == 0


def test_what_a_kill_left_half_written_goes_and_what_is_being_written_stays(tmp_path: Path) -> None:
    store = MediaStore(tmp_path)
    store.put(DAY, "ko", "trend.png", b"whole", made_from="a", now=NOW)
    for name, age in ((".poster.b.png.77.part", ABANDONED * 2), (".card.c.png.78.part", timedelta(minutes=5))):
        part = tmp_path / DAY / "ko" / name
        part.write_bytes(b"half")
        at = (NOW - age).timestamp()
        os.utime(part, (at, at))
    assert store.drop_old(NOW) == 1
    assert files(tmp_path) == [f"{DAY}/ko/.card.c.png.78.part", f"{DAY}/ko/trend.a.png"]


def test_the_same_content_has_the_same_fingerprint() -> None:
    assert fingerprint("a", 1) == fingerprint("a", 1) != fingerprint("a", 2)
    assert fingerprint("\ud800")
