"""Work in a process of its own: what it returns and raises comes back, and nothing of it stays."""

from __future__ import annotations

import asyncio
import errno
import multiprocessing
import multiprocessing.util
import os
import stat
from collections.abc import Sequence
from contextlib import ExitStack
from functools import partial
from multiprocessing.context import SpawnProcess
from pathlib import Path
from threading import Event

import pytest

from bot.media.speech.voices import SpeechError
from bot.runtime.background_process import NICE, BackgroundError, in_background

pytestmark = pytest.mark.slow


def priority() -> tuple[int, int]:
    return os.getpid(), os.getpriority(os.PRIO_PROCESS, 0)


def refuse(why: str) -> None:
    raise SpeechError(why, misconfigured=True)


async def test_it_runs_elsewhere_behind_everything_else() -> None:
    process, nice = await in_background(priority, seconds=60)
    assert process != os.getpid()
    assert nice == NICE
    with pytest.raises(ProcessLookupError):
        os.kill(process, 0)


async def test_its_errors_are_raised_here_whole() -> None:
    with pytest.raises(SpeechError, match="not go together") as raised:
        await in_background(partial(refuse, "the sounds do not go together"), seconds=60)
    assert raised.value.misconfigured


async def test_a_process_that_cannot_be_started_is_an_error_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    def start(_: object) -> None:
        raise OSError(errno.EAGAIN, "Resource temporarily unavailable")

    monkeypatch.setattr(SpawnProcess, "start", start)
    with pytest.raises(BackgroundError, match="cannot be started"):
        await in_background(priority, seconds=60)


async def test_one_that_is_cancelled_while_it_starts_is_given_pipes_and_no_other_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, goes_on, started, spawn = Event(), Event(), Event(), multiprocessing.util.spawnv_passfds
    are_pipes: list[bool] = []

    def start(path: bytes, arguments: Sequence[str], passed: Sequence[int]) -> int:
        begun.set()
        assert goes_on.wait(60)
        are_pipes.extend(stat.S_ISFIFO(os.fstat(each).st_mode) for each in passed)
        started.set()
        return spawn(path, arguments, passed)

    monkeypatch.setattr(multiprocessing.util, "spawnv_passfds", start)
    task = asyncio.create_task(in_background(priority, seconds=60))
    await asyncio.to_thread(begun.wait, 60)
    task.cancel()
    for _ in range(10):  # until the task has seen it
        await asyncio.sleep(0)
    with ExitStack() as opened:
        for number in range(20):
            opened.enter_context((tmp_path / str(number)).open("wb"))
        goes_on.set()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert started.is_set()
        assert are_pipes
        assert all(are_pipes)
        assert not multiprocessing.active_children()


async def test_a_process_that_ends_is_an_error_of_its_own() -> None:
    with pytest.raises(BackgroundError, match="has ended"):
        await in_background(partial(os._exit, 9), seconds=60)
