"""Lays out a word cloud: the heaviest word in the middle, the others around it, none touching another.

Places are looked for on a grid whose rows are numbers, one bit for each square. A word's box is free where no square of
it is taken: all free places of a box are found at once by shifting and joining rows. Words lie flat: turned ones are
hard to read, and in some scripts wrong.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

from bot.media.picture_specs import Word
from bot.media.scene import Label, Scene, Tone
from bot.media.typesetting import Typesetter

WIDTH, HEIGHT = 1200, 750
CELL = 4
"""Pixels of a side of the squares of the grid."""
AIR = 6.0
"""Pixels around a word that stay free."""
BESIDE = 0.3
"""The same left and right of it, as a share of its font size, so that two are further apart than the words of one."""
EDGE = 20
"""Pixels at the picture's edge that stay free."""
LARGEST, SMALLEST = 112, 18
"""Font sizes in pixels, of the heaviest word at the first try and of the lightest at any."""
POWERS = (0.4, 0.5, 0.6, 0.7)
"""Powers of a word's weight that its size may follow: with 1.0 most words would be tiny, with 0.0 all alike."""
FILLED = 0.66
"""The share of the picture up to which words may fill it; what is between them takes the rest."""
WIDEST = 0.66
"""The widest word's share of the picture's width."""
SHRINK = 0.92
"""The next try's size, where words found no place."""
TRIES = 10
ENOUGH = 0.9
"""The share of words that must find a place; the later the try, the fewer are asked for."""
HEAVY, LIGHT = 0.4, 0.22
"""Weights from which on a word has the strongest tone, and below which the weakest."""
CAPITALS = 0.72
"""The height of capital letters, as a share of the font size."""
BOLD_FROM = 34
"""Font size in pixels from which on words are bold."""


def lay_out(words: Sequence[Word], typesetter: Typesetter) -> Scene:
    """The cloud of these words, which come with the heaviest first, without those that no font can draw."""
    largest, placed = float(LARGEST), []
    words = [word for word in words if typesetter.can_draw(word.text)]
    power = _power(words, typesetter)
    for attempt in range(TRIES):
        placed = _placed(words, typesetter, largest, power)
        if len(placed) >= len(words) * (ENOUGH - 0.02 * attempt):
            break
        largest *= SHRINK
    return Scene(WIDTH, HEIGHT, _centred(placed))


def _centred(placed: Sequence[Label]) -> list[Label]:
    """The words, as they stand to each other, with as much space above as below and left as right."""
    if not placed:
        return []
    left, right = min(each.x for each in placed), max(each.x + each.width for each in placed)
    top, bottom = min(each.y - each.size * CAPITALS for each in placed), max(each.y for each in placed)
    across, down = (WIDTH - left - right) / 2, (HEIGHT - top - bottom) / 2
    return [replace(each, x=each.x + across, y=each.y + down) for each in placed]


def _power(words: Sequence[Word], typesetter: Typesetter) -> float:
    """The least of POWERS with which words do not take too much of the picture: few heavy ones leave others room."""
    widths = [typesetter.line(word.text, SMALLEST).width / SMALLEST + 2 * BESIDE for word in words]
    for power in POWERS:
        sizes = [_size(word, LARGEST, power) for word in words]
        if sum(width * size * size for width, size in zip(widths, sizes, strict=True)) <= FILLED * WIDTH * HEIGHT:
            return power
    return POWERS[-1]


def _size(word: Word, largest: float, power: float) -> int:
    """The font size of a word, when the heaviest has the size `largest`."""
    return max(SMALLEST, round(largest * math.pow(word.weight, power)))


def _placed(words: Sequence[Word], typesetter: Typesetter, largest: float, power: float) -> list[Label]:
    """The words that find a place, when the heaviest has the size `largest`."""
    across, down = WIDTH // CELL, HEIGHT // CELL
    edge = EDGE // CELL
    rim = ((1 << edge) - 1) | ((1 << edge) - 1) << (across - edge)
    whole = (1 << across) - 1
    taken = [whole if not edge <= row < down - edge else rim for row in range(down)]
    found = []
    for word in words:
        label, top, bottom = _measured(word, _size(word, largest, power), typesetter)
        beside = max(AIR, BESIDE * label.size)
        width = math.ceil((label.width + 2 * beside) / CELL)
        height = math.ceil((bottom - top + 2 * AIR) / CELL)
        place = _nearest(_free(taken, width, height, across), width, height, across)
        if place is None:
            continue
        column, row = place
        box = ((1 << width) - 1) << column
        for at in range(row, row + height):
            taken[at] |= box
        x, y = column * CELL + beside, row * CELL + AIR - top
        found.append(replace(label, x=x, y=y))
    return found


def _measured(word: Word, size: int, typesetter: Typesetter) -> tuple[Label, float, float]:
    """A word at a size, or as large as the picture allows; and how far its ink reaches from its baseline."""
    weight = 700 if size >= BOLD_FROM else 500
    line = typesetter.line(word.text, size, weight)
    if line.width > WIDEST * WIDTH:
        line = typesetter.line(word.text, max(SMALLEST, int(size * WIDEST * WIDTH / line.width)), weight)
    tone = Tone.SUN if word.is_new else _tone(word.weight)
    return Label(word.text, 0, 0, line.size, weight, tone, line.width), *typesetter.ink(line)


def _tone(weight: float) -> Tone:
    return Tone.INK if weight >= HEAVY else Tone.MIDDLE if weight >= LIGHT else Tone.QUIET


def _free(taken: Sequence[int], width: int, height: int, across: int) -> list[int]:
    """Where the corner of a box may be: for each row the columns, as bits, at which no square of the box is taken."""
    wide = [_spread(row, width) for row in taken]
    reach = 1
    while reach < height:
        step = min(reach, height - reach)
        wide = [row | wide[at + step] for at, row in enumerate(wide[: len(wide) - step])]
        reach += step
    whole = (1 << max(0, across - width + 1)) - 1
    return [whole & ~row for row in wide]


def _spread(row: int, width: int) -> int:
    """A row in which every taken square also takes the `width` - 1 squares before it."""
    reach = 1
    while reach < width:
        step = min(reach, width - reach)
        row |= row >> step
        reach += step
    return row


def _nearest(free: Sequence[int], width: int, height: int, across: int) -> tuple[int, int] | None:
    """The free corner whose box is nearest to the middle, by a distance that is as wide as the picture."""
    best, nearest = None, math.inf
    middle = (across - width) // 2
    down = HEIGHT / CELL
    for row, columns in enumerate(free):
        vertical = ((row + height / 2) / down - 0.5) ** 2
        if not columns or vertical >= nearest:
            continue
        before = columns & ((1 << (middle + 1)) - 1)
        after = columns >> middle
        steps = []
        if before:
            steps.append(before.bit_length() - 1)
        if after:
            steps.append(middle + (after & -after).bit_length() - 1)
        for column in steps:
            distance = vertical + ((column + width / 2) / across - 0.5) ** 2
            if distance < nearest:
                best, nearest = (column, row), distance
    return best
