"""The site channel as tests open it, and what its folder holds."""

import subprocess
from pathlib import Path

from markdown_it import MarkdownIt

from bot.channel import Personal
from channels import site
from channels.site.channel import Site
from channels.site.settings import Settings
from tests.support.pages import kit

ROOT = Path(__file__).resolve().parents[2]
PERSONAL = Personal(key="1")
MARKDOWN = MarkdownIt("commonmark").enable("table")


def opened(home: Path, **given_: str) -> Site:
    return site.open(Settings.model_validate(given_), kit(home))


def contents(folder: Path) -> dict[str, bytes]:
    found = (path for path in folder.rglob("*") if path.is_file() and ".git" not in path.parts)
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in found}


def stamps(folder: Path) -> dict[str, tuple[int, int]]:
    return {name: ((folder / name).stat().st_ino, (folder / name).stat().st_mtime_ns) for name in contents(folder)}


def run_git(folder: Path, *words_: str) -> str:
    named = ["-c", "user.name=Somebody", "-c", "user.email=somebody@lab.example", "-c", "commit.gpgSign=false"]
    done = subprocess.run(["git", *named, *words_], cwd=folder, capture_output=True, text=True, check=True)
    return done.stdout.strip()
