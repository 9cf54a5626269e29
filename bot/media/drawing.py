"""Draws pictures, in a process of their own: lays them out, and paints them as files."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from multiprocessing.connection import Connection

from bot.media import poster, trend_chart, word_cloud
from bot.media.painting import items, png
from bot.media.picture_specs import Card, Cloud, Poster, Spec, Task, Trend
from bot.media.scene import Scene, Theme
from bot.media.typesetting import MissingGlyphError, Typesetter

Files = list[tuple[str, bytes]]
"""The files of a picture, by name."""


def draw_all(tasks: Iterable[Task], to: Connection) -> None:
    """Draw pictures one after another, and send the files of each, or the sentence that says why there are none."""
    for task in tasks:
        try:
            files: Files | str = draw(task)
        except (MissingGlyphError, OSError, ValueError) as error:
            files = str(error) or type(error).__name__
        except Exception as error:  # noqa: BLE001 - one picture's fault must not cost those after it
            files = f"it cannot be drawn ({type(error).__name__})"
        try:
            to.send(files)
        except OSError:  # nobody waits for it any more
            return
    to.close()


def draw(task: Task) -> Files:
    """The files of one picture: PNG; of what pages show also PNG for dark ones, and the data of an SVG element.

    Raises MissingGlyphError.
    """
    typesetter = _typesetter(task.language, task.rtl)
    scene = laid_out(task.spec, typesetter)
    files = [(f"{task.stem}.png", png(scene, typesetter, Theme.LIGHT, task.accent))]
    if isinstance(task.spec, Cloud | Trend):
        files.append((f"{task.stem}-dark.png", png(scene, typesetter, Theme.DARK, task.accent)))
        files.append((f"{task.stem}.json", items(scene, rtl=task.rtl)))
    return files


def laid_out(spec: Spec, typesetter: Typesetter) -> Scene:
    """Lay a picture out. Raises MissingGlyphError."""
    match spec:
        case Cloud():
            return word_cloud.lay_out(spec.words, typesetter)
        case Trend():
            return trend_chart.lay_out(spec, typesetter)
        case Poster():
            return poster.poster(spec, typesetter)
        case Card():
            return poster.card(spec, typesetter)


@lru_cache(1)
def _typesetter(language: str, rtl: bool) -> Typesetter:
    return Typesetter(language, rtl=rtl)
