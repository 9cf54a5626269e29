"""The process that draws: started for some pictures and gone afterwards, its memory and its faults with it."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from multiprocessing.connection import Connection
from typing import cast

from bot.media.picture_specs import Task
from bot.runtime.background_process import background, received

PATIENCE = 120.0
"""Seconds that one picture may take; the usual ones take a tenth of a second."""

Drawn = list[tuple[str, bytes]] | str
"""The files of a picture by name, or the sentence that says why there are none."""


async def draw(tasks: Sequence[Task]) -> AsyncGenerator[tuple[Task, Drawn]]:
    """Draw pictures in a process of their own, and give each when it is there. Raises BackgroundError.

    Closing the iteration early (`contextlib.aclosing`) ends the process.
    """
    if not tasks:
        return
    async with background(_draw, list(tasks)) as pipe:
        for task in tasks:
            yield task, cast("Drawn", await received(pipe, PATIENCE))


def _draw(tasks: Sequence[Task], pipe: Connection) -> None:
    """The main loop of the drawing process; the libraries that draw are imported there alone."""
    from bot.media.drawing import draw_all

    draw_all(tasks, pipe)
