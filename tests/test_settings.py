"""Settings: a wrong one is one sentence that names it and exit code 2, and no secret ever shows in it."""

import os
import subprocess
import sys
from datetime import time, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, Field, SecretStr

from bot import channel_loader
from bot.settings import Settings, SettingsError, environment, home, names, read, secrets

ROOT = Path(__file__).resolve().parents[1]

WRONG = [
    ("FEED_URL", "huggingface.co/api/daily_papers"),
    ("FEED_URL", "ftp://huggingface.co/"),
    ("FEED_URL", "https://"),
    ("FEED_URL", "https://a b"),
    ("FEED_URL", "file:///etc/passwd"),
    ("POLL_INTERVAL", "often"),
    ("POLL_INTERVAL", "15 minutes"),
    ("POLL_INTERVAL", "-15m"),
    ("POLL_INTERVAL", "0"),
    ("POLL_INTERVAL", "59s"),
    ("POLL_INTERVAL", "7h"),
    ("POLL_INTERVAL", "9999999999m"),
    ("EDITION_CLOSES", "24:00"),
    ("EDITION_CLOSES", "00:00"),
    ("EDITION_CLOSES", "22"),
    ("EDITION_CLOSES", "22:60"),
    ("EDITION_CLOSES", "22:00 UTC"),
    ("DATABASE_URL", "subscribers.db"),
    ("DATABASE_URL", "mysql://localhost/papers"),
    ("DATABASE_URL", "sqlite:///"),
    ("DATABASE_URL", "postgresql://localhost/papers"),
    ("DEFAULT_LANGUAGE", "k"),
    ("DEFAULT_LANGUAGE", "Korean language"),
    ("DEFAULT_LANGUAGE", "ko_KR"),
    ("DEFAULT_TIMEZONE", "Mars/Olympus"),
    ("DEFAULT_TIMEZONE", "America"),
    ("DEFAULT_TIMEZONE", "../UTC"),
    ("DEFAULT_TIMEZONE", "+09:00"),
    ("LOG_FORMAT", "xml"),
    ("FEED_URL", "http://[::1"),
    ("DATABASE_URL", "postgresql+psycopg://ada:pa55word@host:port/papers"),
    ("MEDIA_DIR", "~nobody-of-that-name/media"),
]


def settings(**given: str) -> Settings:
    return read(Settings, given)


@pytest.mark.parametrize(("name", "value"), WRONG)
def test_a_wrong_setting_is_one_sentence_that_names_it(name: str, value: str) -> None:
    with pytest.raises(SettingsError) as caught:
        settings(**{name: value})
    told = str(caught.value)
    assert told.startswith(f"{name} ")
    assert told.endswith(".")
    assert "\n" not in told
    assert "pa55word" not in told
    assert caught.value.__suppress_context__  # the cause would show the value


def run(folder: Path, *command: str, **given: str) -> subprocess.CompletedProcess[str]:
    environ = {"PATH": os.environ["PATH"], "HOME": str(folder), "PYTHONPATH": str(ROOT)} | given
    return subprocess.run(
        [sys.executable, "-m", "bot", *command],
        cwd=folder,
        env=environ,
        text=True,
        capture_output=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize(
    ("command", "given"),
    [
        ("editions", {"POLL_INTERVAL": "often"}),
        ("migrate", {"DATABASE_URL": "postgresql+psycopg://ada:pa55word@host:port/papers"}),
        ("run", {"FEED_URL": "http://[::1"}),
        ("today", {"FEED_URL_FILE": "nowhere.txt"}),
    ],
)
def test_a_wrong_setting_exits_2_without_a_traceback(command: str, given: dict[str, str], tmp_path: Path) -> None:
    done = run(tmp_path, command, **given)
    assert done.returncode == 2, done.stderr
    assert done.stdout == ""
    [sentence] = done.stderr.splitlines()
    assert next(iter(given)) in sentence
    assert "pa55word" not in sentence


def test_every_setting_has_a_default() -> None:
    known = settings()
    assert (known.poll_interval, known.edition_closes, known.default_timezone) == (
        timedelta(minutes=15),
        time(22),
        "UTC",
    )
    assert known.feed_url.get_secret_value() == "https://huggingface.co/api/daily_papers"


def test_an_empty_setting_counts_as_not_set() -> None:
    assert settings(POLL_INTERVAL="", EDITION_CLOSES="  ", FEED_URL="", LOG_FORMAT="") == settings()


@pytest.mark.parametrize(
    ("name", "written", "field", "value"),
    [
        ("POLL_INTERVAL", "15", "poll_interval", timedelta(minutes=15)),
        ("POLL_INTERVAL", "90s", "poll_interval", timedelta(seconds=90)),
        ("POLL_INTERVAL", " 1 h ", "poll_interval", timedelta(hours=1)),
        ("EDITION_CLOSES", "7:05", "edition_closes", time(7, 5)),
        ("DEFAULT_LANGUAGE", "zh-Hant", "default_language", "zh-Hant"),
        ("DEFAULT_TIMEZONE", "Asia/Seoul", "default_timezone", "Asia/Seoul"),
        ("LOG_FORMAT", "json", "log_format", "json"),
    ],
)
def test_settings_accept_usual_spellings(name: str, written: str, field: str, value: object) -> None:
    assert getattr(settings(**{name: written}), field) == value


@given(st.sampled_from([name for name in names(Settings) if not name.endswith("_FILE")]), st.text(max_size=40))
def test_any_value_is_read_or_refused_in_one_sentence(name: str, written: str) -> None:
    try:
        secrets(settings(**{name: written}))
    except SettingsError as error:
        told = str(error)
    else:
        return
    assert told.startswith(name)


def test_every_secret_may_come_from_a_file(tmp_path: Path) -> None:
    (tmp_path / "url").write_text("https://feed.example/?token=a-long-token\n", encoding="utf-8")
    known = settings(FEED_URL_FILE=str(tmp_path / "url"))
    assert known.feed_url.get_secret_value() == "https://feed.example/?token=a-long-token"
    assert {"FEED_URL_FILE", "DATABASE_URL_FILE"} <= set(names(Settings))


def test_an_optional_secret_may_come_from_a_file(tmp_path: Path) -> None:
    class Bot(BaseModel):
        token: SecretStr | None = Field(None, alias="BOT_TOKEN")

    (tmp_path / "token").write_text("a-long-token\n", encoding="utf-8")
    known = read(Bot, {"BOT_TOKEN_FILE": str(tmp_path / "token")})
    assert secrets(known) == ["a-long-token"]
    assert secrets(read(Bot, {})) == []


def test_a_secret_overrides_its_file() -> None:
    known = settings(FEED_URL="https://feed.example/", FEED_URL_FILE="/nowhere/at/all")
    assert known.feed_url.get_secret_value() == "https://feed.example/"


@pytest.mark.parametrize("content", [None, b"\xff\xfe\xfd"], ids=["missing", "no text"])
def test_an_unreadable_secret_file_is_named(content: bytes | None, tmp_path: Path) -> None:
    if content:
        (tmp_path / "url").write_bytes(content)
    with pytest.raises(SettingsError, match=r"^DATABASE_URL_FILE names a file that cannot be read"):
        settings(DATABASE_URL_FILE=str(tmp_path / "url"))


def test_a_wrong_secret_from_a_file_is_not_shown(tmp_path: Path) -> None:
    (tmp_path / "url").write_text("mysql://ada:pa55word@host/", encoding="utf-8")
    with pytest.raises(SettingsError) as caught:
        settings(DATABASE_URL_FILE=str(tmp_path / "url"))
    assert "pa55word" not in f"{caught.value!r}{caught.value}"


def test_secrets_are_masked_when_settings_are_printed() -> None:
    known = settings(
        FEED_URL="https://feed.example/?token=a-long-token",
        DATABASE_URL="postgresql+psycopg://ada:pa55word@host/papers",
    )
    assert "a-long-token" not in f"{known!r} {known}"
    assert "pa55word" not in f"{known!r} {known}"
    assert {"token=a-long-token", "pa55word"} <= set(secrets(known))
    assert secrets(settings()) == []


def test_home_is_papers_home_or_the_working_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a").mkdir()
    monkeypatch.chdir(tmp_path)
    assert home({}) == home({"PAPERS_HOME": ""}) == tmp_path
    assert home({"PAPERS_HOME": "a"}) == home({"PAPERS_HOME": str(tmp_path / "a")}) == tmp_path / "a"


def test_a_home_that_is_not_a_folder_is_refused_in_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"^PAPERS_HOME .*\.$"):
        home({"PAPERS_HOME": str(tmp_path / "nowhere")})


def test_the_environment_overrides_the_env_file(tmp_path: Path) -> None:
    written = "POLL_INTERVAL=5m\nDEFAULT_LANGUAGE='ko'  # a comment\nexport LOG_FORMAT=json\nBARE\nURL=a${HOME}b\n"
    (tmp_path / ".env").write_text(written, encoding="utf-8")
    found = environment(tmp_path, {"POLL_INTERVAL": "10m"})
    assert found == {"POLL_INTERVAL": "10m", "DEFAULT_LANGUAGE": "ko", "LOG_FORMAT": "json", "URL": "a${HOME}b"}


def test_the_env_file_is_optional(tmp_path: Path) -> None:
    assert environment(tmp_path, {"A": "b"}) == {"A": "b"}


def test_an_env_file_that_is_not_text_is_refused_in_one_sentence(tmp_path: Path) -> None:
    (tmp_path / ".env").write_bytes(b"LOG_FORMAT=\xff\xfe")
    with pytest.raises(SettingsError, match=r"\.env is not UTF-8 text"):
        environment(tmp_path, {})


def test_the_env_file_is_found_from_any_working_directory(tmp_path: Path) -> None:
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / ".env").write_text("DATABASE_URL=sqlite:///elsewhere.db\n", encoding="utf-8")
    done = run(tmp_path, "migrate", PAPERS_HOME=str(tmp_path / "home"))
    assert done.returncode == 0, done.stderr
    assert sorted(file.name for file in (tmp_path / "home").glob("*.db")) == ["elsewhere.db"]
    assert sorted(file.name for file in tmp_path.iterdir()) == ["home"]


@pytest.mark.parametrize("name", channel_loader.CHANNELS)
def test_a_channels_settings_are_read_in_the_same_way(name: str) -> None:
    model: type[BaseModel] = channel_loader.settings_class(name)
    nothing: dict[str, Any] = {}
    assert read(model, nothing).model_config["hide_input_in_errors"] is True
    assert set(names(model)).isdisjoint(names(Settings))


def test_passwords_and_tokens_in_urls_are_secrets() -> None:
    given = {"FEED_URL": "https://t0ken-of-ours@feed.example/", "DATABASE_URL": "postgresql+psycopg://a:pa%40ss@h/b"}
    assert {"t0ken-of-ours", "pa%40ss", "pa@ss"} <= set(secrets(read(Settings, given)))


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("HTTPS://Papers.Example.org/Lab/", "https://papers.example.org/Lab"),
        ("https://papers.example.org:443", "https://papers.example.org"),
        ("http://papers.example.org:80/a", "http://papers.example.org/a"),
        ("https://papers.example.org:80", "https://papers.example.org:80"),
        ("http://localhost:8080/", "http://localhost:8080"),
        ("", ""),
    ],
)
def test_the_public_address_is_normalised(written: str, meant: str) -> None:
    assert read(Settings, {"PUBLIC_URL": written}).public_url == meant
