"""Papers with all that the feed knows of a paper, pictures too, for pages that are to be looked at."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

from PIL import Image, ImageDraw

from bot.model import Cadence, Paper
from bot.publishing.feed import sample
from bot.summaries.fulltext.figures import Size
from tests.support.pages import paper
from tests.support.web_program import Served

KEYWORDS = (
    ("multi-agent systems", "latent reasoning"),
    ("data visualization", "benchmarks"),
    ("training data", "test-driven data"),
    ("image editing", "chain of thought"),
    ("literature search", "benchmarks"),
)
ABSTRACT = (
    "Agents that work together talk in words, which is slow and loses much of what they know. We propose to let them "
    "hand each other hidden states in loops, and to train the whole team at once. Experiments on nine tasks show that "
    "the team is 8% more accurate than one that talks, at a third of the tokens. "
)
MORE = (
    ("Small Models That Know When to Ask", "A model of two billion parameters asks a larger one only where it errs."),
    ("Maps from Memory: Navigation without a Plan", "A robot that has walked through a house once finds its way back."),
    ("How Long Is a Good Answer?", "People prefer answers that are half as long as those that models give."),
    ("Sound before Sight in Video Generation", "Videos whose sound is made first move in time with it."),
    ("A Thousand Readers for One Paper", "Reviews by many short-sighted readers agree with those of experts."),
)
"""Titles and sentences of our own, so that a day is as long as days are."""
COLOURS = ("#a8410b", "#2f6690", "#3a7d44", "#8a5a9e", "#b08900")


def papers() -> list[Paper]:
    """Ten papers: the sample's, with keywords and abstracts, and some of our own."""
    known = [
        replace(each.paper, keywords=keywords, abstract=ABSTRACT, comments=4 - place)
        for place, (each, keywords) in enumerate(zip(sample.edition().papers, KEYWORDS, strict=True))
    ]
    return [*known, *others(len(MORE), 90)]


def others(count: int, first: int) -> list[Paper]:
    """Papers of our own, numbered from `first` on."""
    return [
        paper(number, title=title, sentence=said, votes=20 - number % 10, keywords=("language models",))
        for number in range(first, first + count)
        for title, said in [MORE[number % len(MORE)]]
    ]


def drawing(number: int) -> Image.Image:
    """A picture such as papers have: boxes with arrows between them, or bars."""
    made = Image.new("RGB", (1280, 692), "white")
    pen, colour = ImageDraw.Draw(made), COLOURS[number % len(COLOURS)]
    for place in range(4):
        left = 80 + place * 300
        if number % 2:
            height = 120 + (number * 97 + place * 131) % 420
            pen.rectangle((left, 620 - height, left + 180, 620), fill=colour)
        else:
            pen.rounded_rectangle((left, 230, left + 220, 460), 24, outline=colour, width=8, fill="#f3efe6")
            pen.line((left + 40, 320, left + 180, 320), fill=colour, width=10)
            pen.line((left + 40, 370, left + 140, 370), fill="#999", width=10)
        if place:
            pen.line((left - 74, 345, left - 6, 345), fill="#555", width=6)
    pen.line((60, 622, 1240, 622), fill="#555", width=4)
    return made


def illustrate(cache: Path, found: list[Paper]) -> None:
    """Put a picture of each paper into the cache of thumbnails, in every size."""
    cache.mkdir(exist_ok=True)
    for number, each in enumerate(found):
        shown = drawing(number)
        for size in sorted(Size, key=lambda each: -each.value[0]):
            shown.thumbnail(size.value[:2])
            shown.save(cache / size.file_name(each.id), quality=85)


async def publish(served: Served) -> None:
    """These papers on the last day of April, others on the days before, and two weeks and a month."""
    found = papers()
    await served.publish(*found)
    for days in range(1, 17):
        day = sample.DAY - timedelta(days=days)
        if day.weekday() < 5:
            await served.publish(*others(2 + days % 4, 100 + 11 * days), day=day)
    await served.publish(*found, day=date(2026, 4, 26), cadence=Cadence.WEEK)
    older = [replace(each, listed_on=date(2026, 4, 17)) for each in others(4, 400)]
    await served.publish(*older, day=date(2026, 4, 19), cadence=Cadence.WEEK)
    await served.publish(*found, day=date(2026, 3, 31), cadence=Cadence.MONTH)
