"""What drawing a day's pictures costs, beside the bare library `wordcloud`, and mails that leave meanwhile.

`python -m benchmarks.illustrate [--mails 5000] [--no-mails] [--json]`. Each part runs in a process of its own, which
says how much processor time it took; of several tries the best counts, since this machine has others to serve as well.
Exit code 0: within all bounds, 1: not, 2: smtp-sink is missing here.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import shutil
import sys
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from io import BytesIO
from typing import Any

from benchmarks.delivery import Figure
from benchmarks.mail import sink
from benchmarks.slow_clients import once
from benchmarks.spent import best
from bot.media.drawing import draw
from bot.media.edition_pictures import WORDS, Surroundings, keywords, tasks
from bot.media.picture_specs import Task
from bot.media.word_cloud import HEIGHT, WIDTH
from bot.model import Cadence, Edition, Paper
from bot.render.catalogue import languages
from bot.rules.closing import rank
from bot.runtime.background_process import lower_priority

MOST_TIMES_BARE = 8.0
"""Ratio, at most: processor time of a day's pictures in all languages to that of one bare word cloud."""
MOST_MEGABYTES = 300.0
LEAST_OF_PACE = 0.95
"""Ratio, at least: the pace of mails while pictures are drawn to that of mails alone."""
ROUNDS = 3
DAY = date(2026, 4, 29)
PAPERS = 30
TERMS = (
    *("large language models", "reinforcement learning", "vision-language models", "diffusion models", "world models"),
    *("video generation", "chain-of-thought", "reward models", "multi-agent systems", "image editing", "tool use"),
    *("spatial reasoning", "flow matching", "sparse attention", "knowledge distillation", "speculative decoding"),
    *("synthetic data", "latent space", "test-time scaling", "code generation"),
)


def edition() -> Edition:
    """A day's papers, each with three keywords that others have too and eight of its own."""
    papers = [
        Paper(
            id=f"2604.{n:05}",
            title=f"Learning to Plan with Model Number {n}: A Long Title as They Are Found on Any Day",
            abstract="",
            listed_on=DAY,
            listed_at=datetime(2026, 4, 29, 5, tzinfo=UTC),
            votes=3 * n,
            organisation="A Laboratory",
            keywords=(
                *(TERMS[(n * 7 + k) % len(TERMS)] for k in range(3)),
                *(f"topic {n}{chr(97 + k)}" for k in range(8)),
            ),
        )
        for n in range(PAPERS)
    ]
    return Edition(Cadence.DAY, DAY, datetime(2026, 4, 29, 22, tzinfo=UTC), rank(papers))


def days_tasks() -> list[Task]:
    """The pictures of that day in every language."""
    made = edition()
    counts = {DAY - timedelta(days=n): 10 + n % 15 for n in range(60)}
    around = Surroundings([TERMS[:4]] * 300, counts, DAY - timedelta(days=60))
    weighed = keywords(made, around)
    return [task for tag in languages() for task in tasks(made, tag, around, weighed, {})]


def draw_all() -> None:
    for task in days_tasks():
        draw(task)


def bare_cloud() -> None:
    """One cloud as the library makes it, of as many words and of the same size, as a PNG."""
    from wordcloud import WordCloud

    weighed = keywords(edition(), Surroundings([], {}, None))
    cloud = WordCloud(width=WIDTH, height=HEIGHT, max_words=WORDS, background_color="white")
    cloud.generate_from_frequencies({each.text: each.weight for each in weighed})
    cloud.to_image().save(BytesIO(), "PNG")


def draw_for_ever() -> None:
    """Draw day after day, at the priority at which the program's own process does it once a day."""
    lower_priority()
    while True:
        draw_all()


def pace(mails: int) -> float:
    """The pace of mails while pictures are drawn beside them, as a share of that of mails alone."""
    alone, beside = [], []
    with sink() as relay:
        for _ in range(ROUNDS):
            alone.append(once(relay, mails, visited=False))
            artist = multiprocessing.get_context("spawn").Process(target=draw_for_ever)
            artist.start()
            beside.append(once(relay, mails, visited=False))
            artist.terminate()
            artist.join()
    return min(alone) / min(beside)


def main() -> int:
    """Measure, and print."""
    arguments = argparse.ArgumentParser(prog="python -m benchmarks.illustrate", description=__doc__)
    arguments.add_argument("--mails", type=int, default=5_000)
    arguments.add_argument("--no-mails", action="store_true", help="only what drawing itself costs")
    arguments.add_argument("--json", action="store_true", help="one JSON object instead of a table")
    given: Any = arguments.parse_args()
    if not given.no_mails and shutil.which("smtp-sink") is None:
        print("smtp-sink is missing here: it comes with Postfix", file=sys.stderr)
        return 2
    bare, _ = best(bare_cloud)
    drawn, size = best(draw_all)
    found: Sequence[Figure] = [
        Figure("one bare word cloud", bare, "s"),
        Figure(f"a day's pictures in {len(languages())} languages", drawn, "s"),
        Figure("  times as long", drawn / bare, "x", most=MOST_TIMES_BARE),
        Figure("  largest resident size", size, "MB", most=MOST_MEGABYTES),
    ]
    if not given.no_mails:
        found = [*found, Figure("mails meanwhile, of their pace", pace(given.mails), "x", least=LEAST_OF_PACE)]
    if given.json:
        print(json.dumps({figure.name.strip(): figure.value for figure in found}))
    else:
        print(*found, sep="\n")
    return 0 if all(figure.fits for figure in found) else 1


if __name__ == "__main__":
    sys.exit(main())
