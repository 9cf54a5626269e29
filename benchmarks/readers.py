"""Readers in great numbers: a list of them imported, and their topics held against a day's papers."""

from __future__ import annotations

import argparse
import csv
import io
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime
from pathlib import Path

from bot.model import Paper
from bot.rules.topics import TopicFilter

MOST_TIMES_BARE_IMPORT = 50.0
"""Ratio, at most: importing a list to what `csv` and `sqlite3` alone take for as many bare rows."""
MOST_TIMES_BARE_TOPICS = 2.5
"""Ratio, at most: matching topics with papers to looking for the same words in plain strings."""
READERS = 10_000
PAPERS = 50
CHOICES = 200
"""Different choices that the imported readers have made between them."""

SUBJECTS = [
    "diffusion",
    "transformer",
    "robotics",
    "agent",
    "reasoning",
    "video",
    "speech",
    "retrieval",
    "alignment",
    "compression",
    "planning",
    "vision",
    "graph",
    "protein",
    "translation",
    "benchmark",
    "memory",
    "attention",
    "safety",
    "audio",
    "simulation",
    "code",
    "music",
]
NAMES = ["Hinton", "He", "Chen", "Kim", "Garcia", "Sato", "Okafor", "Novak"]


def write_list(file: Path, rows: int) -> None:
    """A CSV file of `rows` subscribers, no two neighbours alike."""
    chance = random.Random(3)
    made = io.StringIO()
    writer = csv.writer(made)
    writer.writerow(["address", "language", "style", "papers", "topics", "hour", "weekdays", "timezone", "cadence"])
    topics = [", ".join(chance.sample(SUBJECTS, chance.randrange(4))) for _ in range(CHOICES)]
    zones = ["Asia/Seoul", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Australia/Sydney", "UTC"]
    for number in range(rows):
        hour = f"{number % 24:02}:{15 * (number % 4):02}"
        cadence = ("day", "week", "month")[number % 3]
        language = ("en", "ko", "ja", "zh-Hans", "zh-Hant", "ar")[number % 6]
        chosen = [language, "headline", str(number % 50 + 1), topics[number % CHOICES], hour]
        writer.writerow([f"outbox:reader-{number}", *chosen, "1,2,3,4,5", zones[number % 6], cadence])
    file.write_text(made.getvalue(), encoding="utf-8")


def import_them(rows: int) -> tuple[float, float]:
    """Seconds that `papers subscribers import` takes as a command, and that sqlite3 needs for as many bare rows."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "readers.csv"
        write_list(file, rows)
        environ = os.environ | {"PAPERS_HOME": folder}
        papers = [sys.executable, "-m", "bot"]
        subprocess.run([*papers, "migrate"], env=environ, check=True, capture_output=True)
        begun = time.perf_counter()
        done = subprocess.run(
            [*papers, "subscribers", "import", str(file)], env=environ, check=True, capture_output=True, text=True
        )
        taken = time.perf_counter() - begun
        assert done.stdout.startswith(f"{rows} added"), done.stdout
        return taken, _bare(file, Path(folder) / "bare.db")


def _bare(file: Path, database: Path) -> float:
    """The least there is to do: the lines read by csv, and put into one table in one transaction."""
    import sqlite3

    begun = time.perf_counter()
    with file.open(encoding="utf-8", newline="") as lines:
        rows = list(csv.reader(lines))[1:]
    connection = sqlite3.connect(database)
    with connection:
        columns = ", ".join(f"c{number}" for number in range(len(rows[0])))
        connection.execute(f"create table readers ({columns})")
        connection.executemany(f"insert into readers values ({', '.join('?' * len(rows[0]))})", rows)
    connection.close()
    return time.perf_counter() - begun


def filter_papers() -> tuple[float, float]:
    """Seconds for 10,000 readers' topics on 50 papers, and for looking for as many words in as many plain strings."""
    chance = random.Random(4)
    day = date(2026, 4, 29)
    listed = [_paper(number, day, chance) for number in range(PAPERS)]
    readers = [_topics(chance) for _ in range(READERS)]
    begun = time.perf_counter()
    kept = sum(topic_filter.lets_through(paper) for topic_filter in map(TopicFilter, readers) for paper in listed)
    taken = time.perf_counter() - begun
    assert 0 < kept < READERS * PAPERS
    texts = [f"{paper.title} {paper.abstract}".casefold() for paper in listed]
    begun = time.perf_counter()
    sum(any(topic in text for topic in topics) for topics in readers for text in texts)
    return taken, time.perf_counter() - begun


def _paper(number: int, day: date, chance: random.Random) -> Paper:
    words = [*SUBJECTS, *(f"word{place}" for place in range(400))]
    return Paper(
        id=f"2604.{number:05}",
        title=" ".join(chance.choices(words, k=9)),
        abstract=" ".join(chance.choices(words, k=200)),
        listed_on=day,
        listed_at=datetime(2026, 4, 29, tzinfo=UTC),
        authors=tuple(chance.sample(NAMES, 5)),
        organisation=chance.choice(["DeepMind", "KAIST", "Tsinghua", None]),
        keywords=tuple(chance.sample(SUBJECTS, 4)),
    )


def _topics(chance: random.Random) -> list[str]:
    wanted = [*chance.sample(SUBJECTS, chance.randrange(1, 5)), "world model"]
    more = [f"author:{chance.choice(NAMES)}", "org:KAIST", f"-{chance.choice(SUBJECTS)}", "확산 모델"]
    return [*wanted, *chance.sample(more, chance.randrange(3))]


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print, and give 1 where a bound does not hold."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.readers", description=__doc__)
    parser.add_argument("--rows", type=int, default=100_000, help="subscribers to import (100,000)")
    parser.add_argument("--json", action="store_true", help="one object for scripts")
    given = parser.parse_args(arguments)
    taken, bare = import_them(given.rows)
    filtering, looking = filter_papers()
    figures: dict[str, tuple[float, float | None]] = {
        "import, rows/s": (given.rows / taken, None),
        "import, times bare": (taken / bare, MOST_TIMES_BARE_IMPORT),
        "topics of 10,000 readers, s": (filtering, None),
        "topics, times bare": (filtering / looking, MOST_TIMES_BARE_TOPICS),
    }
    if given.json:
        print(json.dumps({name: round(value, 3) for name, (value, _) in figures.items()}))
    else:
        _show(figures.items())
    return 0 if all(most is None or value <= most for value, most in figures.values()) else 1


def _show(figures: Iterable[tuple[str, tuple[float, float | None]]]) -> None:
    for name, (value, most) in figures:
        bound = "" if most is None else f"at most {most:g}  {'ok' if value <= most else 'TOO MUCH'}"
        print(f"{name:32} {value:12,.2f}  {bound}".rstrip())


if __name__ == "__main__":
    sys.exit(main())
