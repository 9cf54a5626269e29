"""Fixtures of the site tests."""

from pathlib import Path

import pytest

from channels.site.channel import Site
from tests.support.site_channel import opened


@pytest.fixture
def channel(tmp_path: Path) -> Site:
    return opened(tmp_path)


@pytest.fixture
def blog(tmp_path: Path) -> Path:
    return tmp_path / "site" / "blog"


@pytest.fixture(autouse=True)
def no_git_config(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    monkeypatch.setenv("HOME", str(tmp_path_factory.mktemp("home")))
