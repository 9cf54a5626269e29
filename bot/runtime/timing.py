"""How long things take, told to whoever keeps figures of it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from time import perf_counter
from typing import Protocol


class Timed(StrEnum):
    """What takes time with every delivery."""

    RENDER = "render"
    SEND = "send"


class Observe(Protocol):
    """Takes down that something took so many seconds on a channel."""

    def __call__(self, what: Timed, channel: str, seconds: float) -> None: ...


def ignore_timing(what: Timed, channel: str, seconds: float) -> None:
    """What is told where nobody keeps figures."""


@contextmanager
def timed(observe: Observe, what: Timed, channel: str) -> Iterator[None]:
    """Tell how long a block takes, however it ends."""
    began = perf_counter()
    try:
        yield
    finally:
        observe(what, channel, perf_counter() - began)
