"""What `papers doctor` says of pictures: fine, or which font is missing and how to get it."""

import os
from pathlib import Path

import pytest

from bot.doctor import picture_checks
from bot.doctor.picture_checks import check_pictures
from bot.media.font_files import FontFile, fonts_of
from bot.settings import Settings


def settings(folder: Path) -> Settings:
    return Settings.model_validate({"MEDIA_DIR": str(folder)})


def test_all_is_fine_with_the_fonts_that_come_along(tmp_path: Path) -> None:
    (found,) = check_pictures(settings(tmp_path / "media"), tmp_path)
    assert (found.subject, found.level) == ("pictures", "ok")
    assert not (tmp_path / "media").exists()


def test_a_language_without_a_font_is_named_with_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def latin_alone(language: str) -> list[FontFile]:
        return [each for each in fonts_of(language) if each.path.name.startswith("NotoSans[")]

    monkeypatch.setattr(picture_checks, "fonts_of", latin_alone)
    found = check_pictures(settings(tmp_path), tmp_path)
    assert {each.level for each in found} == {"advice"}
    says = "\n".join(each.says for each in found)
    assert "none in ko" in says
    assert "manimgx-fonts-cjk (pip) or fonts-noto-cjk (Debian)" in says
    assert "none in en" not in says


def test_arabic_needs_raqm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(picture_checks, "HAS_RAQM", False)
    (found,) = check_pictures(settings(tmp_path), tmp_path)
    assert found.level == "advice"
    assert "none in ar" in found.says


def test_a_folder_that_cannot_be_written_to_is_a_fault(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder", encoding="utf-8")
    found = check_pictures(settings(tmp_path / "file"), tmp_path)
    assert [each.level for each in found] == ["fault"]


def test_a_folder_within_another_users_folder_is_a_fault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    closed, exists = tmp_path / "closed", Path.exists

    def looked_for(path: Path) -> bool:
        if path.parent == closed:
            raise PermissionError(13, "Permission denied", str(path))
        return exists(path)

    closed.mkdir()
    monkeypatch.setattr(Path, "exists", looked_for)
    monkeypatch.setattr(os, "access", lambda path, _mode: path != closed)
    found = check_pictures(settings(closed / "media"), tmp_path)
    assert [each.level for each in found] == ["fault"]
