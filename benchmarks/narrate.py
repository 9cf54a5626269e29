"""What reading an edition aloud costs, beside bare espeak-ng and a bare encoder, and mails that leave meanwhile.

`python -m benchmarks.narrate [--mails 5000] [--no-mails] [--json]`. Bare is espeak-ng, called for each text of the same
script, and LAME for what it said. Each part runs in a process of its own, which says how much processor time it and
its children took; of several tries the best counts, since this machine has others to serve as well. Mails leave from
the process that reads aloud. Exit code 0: within all bounds, 1: not, 2: espeak-ng or smtp-sink is missing here.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import itertools
import json
import multiprocessing
import shutil
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from dataclasses import replace
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import lameenc

from benchmarks.delivery import Figure
from benchmarks.illustrate import edition
from benchmarks.mail import DUE, environment, prepare, sink
from benchmarks.slow_clients import LITE
from benchmarks.spent import best
from bot import app
from bot.cli.startup import new_loop
from bot.media.media_store import MediaStore
from bot.media.speech import episodes
from bot.media.speech.episodes import EpisodeKey
from bot.media.speech.espeak import PROGRAM, VOICES, WORDS_A_MINUTE, Espeak
from bot.media.speech.recorder import Recorder
from bot.media.speech.script import Script, script
from bot.media.speech.wave_sound import BITRATE, read_wave
from bot.model import Style
from bot.rules.closing import rank
from bot.runtime import logs
from bot.service import Role

MOST_TIMES_BARE = 5.0
"""Ratio, at most: processor time of an episode to that of speaking and encoding the same texts, and nothing else."""
MOST_MEGABYTES = 200.0
"""Of the process that reads aloud, and of the one that puts the sounds together."""
LEAST_OF_PACE = 0.95
"""Ratio, at least: the pace of mails while an edition is read aloud to that of mails alone."""
ROUNDS = 3
LANGUAGE = "en"
SENTENCE = "We train small models that know when to ask a larger one, which costs 3.2 times less and gains 4.5 points."


def episode() -> Script:
    """What is said of a day with ten papers."""
    made = edition()
    papers = [replace(each.paper, sentence=SENTENCE) for each in made.papers]
    return script(replace(made, papers=rank(papers)), LANGUAGE, Style.HEADLINE, {})


def bare() -> None:
    """Speak each text and encode what was said, one after the other."""
    encoder = lameenc.Encoder()
    encoder.silence()
    encoder.set_channels(1)
    encoder.set_bit_rate(BITRATE[1])
    encoder.set_in_sample_rate(22_050)
    encoder.set_quality(5)
    for chapter in episode().chapters:
        for said in chapter.utterances:
            asked = [PROGRAM, "-v", VOICES[said.language], "-s", f"{WORDS_A_MINUTE}", "--stdin", "--stdout"]
            sound = read_wave(subprocess.run(asked, input=said.text.encode(), capture_output=True, check=True).stdout)
            assert sound is not None
            encoder.encode(sound.values.tobytes())
    encoder.flush()


async def record(folder: Path) -> float:
    """Record the episode and keep it, as the program does; seconds that it plays."""
    made, said = edition(), episode()
    recorded = await Recorder(Espeak({})).record(said)
    key = EpisodeKey(made.cadence, made.day, LANGUAGE, Style.HEADLINE)
    await asyncio.to_thread(episodes.keep, MediaStore(folder), key, said, recorded, made.closed_at)
    return recorded.seconds


def ours() -> None:
    with tempfile.TemporaryDirectory(prefix="papers") as folder:
        asyncio.run(record(Path(folder)))


async def mailed(home: Path, relay: int, *, aloud: bool) -> float:
    """Seconds for all mails that are due, while the same process reads editions aloud one after the other."""

    async def read_for_ever() -> None:
        for _ in itertools.count():
            await record(home / "media")

    async with app.open_app(home, environment(LITE, relay), only="email") as service:
        gc.freeze()
        reading = asyncio.ensure_future(read_for_ever()) if aloud else None
        await asyncio.sleep(2)
        began = time.perf_counter()
        await service.once(DUE, frozenset({Role.DELIVER}))
        took = time.perf_counter() - began
        if reading is not None:
            reading.cancel()
            with suppress(asyncio.CancelledError):
                await reading
    return took


def part(told: Connection, relay: int, mails: int, aloud: bool) -> None:
    logs.configure("json")
    with tempfile.TemporaryDirectory(prefix="papers") as folder, asyncio.Runner(loop_factory=new_loop()) as runner:
        home = Path(folder)
        runner.run(prepare(LITE, home, mails, 0))
        told.send(runner.run(mailed(home, relay, aloud=aloud)))


def once(relay: int, mails: int, *, aloud: bool) -> float:
    """Everything mailed once, by a process of its own."""
    fresh = multiprocessing.get_context("spawn")
    here, there = fresh.Pipe()
    sender = fresh.Process(target=part, args=(there, relay, mails, aloud))
    sender.start()
    took: float = here.recv()
    sender.join()
    return took


def pace(mails: int) -> float:
    """The pace of mails while an edition is read aloud beside them, as a share of that of mails alone."""
    alone, beside = [], []
    with sink() as relay:
        for _ in range(ROUNDS):
            alone.append(once(relay, mails, aloud=False))
            beside.append(once(relay, mails, aloud=True))
    return min(alone) / min(beside)


def main() -> int:
    """Measure, and print."""
    arguments = argparse.ArgumentParser(prog="python -m benchmarks.narrate", description=__doc__)
    arguments.add_argument("--mails", type=int, default=5_000)
    arguments.add_argument("--no-mails", action="store_true", help="only what reading aloud itself costs")
    arguments.add_argument("--json", action="store_true", help="one JSON object instead of a table")
    given: Any = arguments.parse_args()
    needed = [PROGRAM] if given.no_mails else [PROGRAM, "smtp-sink"]
    if missing := [name for name in needed if shutil.which(name) is None]:
        print(f"{' and '.join(missing)} missing here", file=sys.stderr)
        return 2
    alone, _ = best(bare)
    took, size = best(ours)
    found = [
        Figure("ten papers spoken and encoded, bare", alone, "s"),
        Figure("the same as an episode", took, "s"),
        Figure("  times as long", took / alone, "x", most=MOST_TIMES_BARE),
        Figure("  largest resident size", size, "MB", most=MOST_MEGABYTES),
    ]
    if not given.no_mails:
        found.append(Figure("mails meanwhile, of their pace", pace(given.mails), "x", least=LEAST_OF_PACE))
    if given.json:
        print(json.dumps({figure.name.strip(): figure.value for figure in found}))
    else:
        print(*found, sep="\n")
    return 0 if all(figure.fits for figure in found) else 1


if __name__ == "__main__":
    sys.exit(main())
