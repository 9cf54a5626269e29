"""Runs `papers` as a process of its own, in a home of its own.

Importing the program takes a second, so one process imports it and each command is a fork of that, if the machine can
fork. Tests of the start itself, or of interrupting a command, start `python -m bot`.
"""

from __future__ import annotations

import multiprocessing
import os
import pickle
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

ROOT = Path(__file__).resolve().parents[2]
Answer = TypeVar("Answer")

PATIENCE = 100.0
"""Seconds that a command may take."""
READ_BEFORE = [
    *(f"bot.cli.{file.stem}" for file in sorted((ROOT / "bot" / "cli").glob("*.py")) if file.stem != "__init__"),
    *(f"channels.{file.parent.name}.channel" for file in sorted((ROOT / "channels").glob("*/channel.py"))),
    *("bot.commands", "bot.store.announcements", "alembic.command", "rich.progress", "uvloop"),
]
"""Modules that one process reads for all commands."""


def papers_command(
    home: Path, *words: str, url: str = "", stdin: int | None = None, given: Mapping[str, str] | None = None
) -> Any:
    """Run a command with the settings `given`; returns its output as text, and its exit code."""
    environ = {"PATH": os.environ["PATH"], "PAPERS_HOME": str(home), "DATABASE_URL": url, **(given or {})}
    done = run(words, environ, ROOT, stdin)
    return subprocess.CompletedProcess(done.args, done.returncode, done.stdout.decode(), done.stderr.decode())


def run(
    words: Sequence[str], environ: Mapping[str, str], folder: Path, stdin: int | None = None
) -> subprocess.CompletedProcess[bytes]:
    """Run a command in a folder to its end."""
    if "forkserver" not in multiprocessing.get_all_start_methods() or stdin is not None:
        command = [sys.executable, "-m", "bot", *words]
        return subprocess.run(
            command, cwd=folder, env=environ, stdin=subprocess.DEVNULL if stdin is None else stdin, capture_output=True,
            timeout=PATIENCE, check=False,
        )  # fmt: skip
    with tempfile.TemporaryDirectory() as said:
        out, err = Path(said, "out"), Path(said, "err")
        process = _forks().Process(target=_run, args=(words, dict(environ), folder, out, err))
        process.start()
        process.join(PATIENCE)
        if process.exitcode is None:
            process.kill()
            process.join()
            raise subprocess.TimeoutExpired(list(words), PATIENCE, out.read_bytes(), err.read_bytes())
        return subprocess.CompletedProcess(list(words), process.exitcode, out.read_bytes(), err.read_bytes())


@cache
def _forks() -> Any:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([*READ_BEFORE, __name__])
    return context


def _run(words: Sequence[str], environ: Mapping[str, str], folder: Path, out: Path, err: Path) -> None:
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    for number, path in ((1, out), (2, err)):
        os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT), number)
    os.environ.clear()
    os.environ.update(environ)
    os.chdir(folder)
    if environ.get("PYTHONWARNINGS") == "error":
        warnings.simplefilter("error")
    sys.argv = ["papers", *words]
    from bot.cli import main

    main()


def fork(work: Callable[..., Answer], *given: Any) -> Answer:
    """What a function answers in a process of its own, which has read all that commands are made of."""
    with tempfile.TemporaryDirectory() as said:
        answer = Path(said, "answer")
        process = _forks().Process(target=_answer, args=(work, given, answer))
        process.start()
        process.join(PATIENCE)
        if process.exitcode is None:
            process.kill()
        found: Answer = pickle.loads(answer.read_bytes())
        return found


def _answer(work: Callable[..., Any], given: Sequence[Any], answer: Path) -> None:
    answer.write_bytes(pickle.dumps(work(*given)))
