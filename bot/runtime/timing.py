"""Timing of renders and sends, reported to a callback that keeps metrics."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from time import perf_counter
from typing import Protocol


class Timed(StrEnum):
    """The steps of a delivery that are timed."""

    RENDER = "render"
    SEND = "send"


class Observe(Protocol):
    """Records that something took a number of seconds on a channel."""

    def __call__(self, what: Timed, channel: str, seconds: float) -> None: ...


def ignore_timing(what: Timed, channel: str, seconds: float) -> None:
    """An `Observe` that records nothing."""


@contextmanager
def timed(observe: Observe, what: Timed, channel: str) -> Iterator[None]:
    """Time a block and report it, however it ends."""
    began = perf_counter()
    try:
        yield
    finally:
        observe(what, channel, perf_counter() - began)
