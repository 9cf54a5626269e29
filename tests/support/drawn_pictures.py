"""Sheets of an edition's pictures in each language, light and dark, to be looked at.

By hand: python -m tests.support.drawn_pictures FOLDER [--language ko]
"""

from __future__ import annotations

import argparse
import tempfile
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from io import BytesIO
from pathlib import Path

from PIL import Image

from bot.media.drawing import laid_out
from bot.media.edition_pictures import Surroundings, keywords, tasks
from bot.media.painting import png
from bot.media.picture_specs import Task
from bot.media.scene import Theme
from bot.media.typesetting import Typesetter
from bot.model import Cadence, Edition, Style, Text
from bot.render.catalogue import languages
from bot.render.edition_page import Texts
from bot.rules.closing import rank
from tests.support.web_sample import drawing, papers

DAY = date(2026, 4, 29)
CLOSED = datetime(2026, 4, 29, 22, tzinfo=UTC)
KEYWORDS = (
    *("large language models", "reinforcement learning", "vision-language models", "multi-agent systems", "GRPO"),
    *("diffusion models", "world models", "video generation", "chain-of-thought", "reward hacking", "image editing"),
    *("spatial reasoning", "flow matching", "sparse attention", "knowledge distillation", "tool use", "planning"),
    *("speculative decoding", "synthetic data", "latent space", "test-time scaling", "code generation", "memory"),
)
NEW = (
    *("latent handovers", "reading by committee", "maps from memory", "half-length answers", "π₀ policies"),
    *("E²R search", "sound-first video", "asking models", "box-and-arrow figures", "test-driven data"),
    *("loop training", "chart repair"),
)
SAID = {
    "ko": "작은 모델이 언제 물어야 하는지 배우는 방법: 더 큰 모델에게 묻는 두 가지 길",
    "zh-Hans": "知道何时提问的小模型：向更大的模型求助的两种方法",
    "zh-Hant": "知道何時提問的小模型：向更大的模型求助的兩種方法",
    "ja": "いつ尋ねるべきかを知る小さなモデル：大きなモデルに助けを求める二つの方法",
    "ar": "نماذج صغيرة تعرف متى تسأل: طريقتان لطلب العون من نموذج أكبر",
}
"""A translated title of each language; the other titles stay English, as where a model has not come to them."""


def edition() -> Edition:
    """Ten papers with keywords that several share, and some that are new."""
    found = [
        replace(
            each,
            listed_on=DAY,
            keywords=(*(KEYWORDS[(3 * at + n * n) % len(KEYWORDS)] for n in range(5)), NEW[at], NEW[-1 - at]),
        )
        for at, each in enumerate(papers())
    ]
    return Edition(Cadence.DAY, DAY, CLOSED, rank(found))


def made(language: str, photo: Path) -> list[Task]:
    """The pictures of that edition in a language."""
    shown = edition()
    counts = {
        DAY - timedelta(days=n): (0 if (DAY - timedelta(days=n)).weekday() > 4 else 9 + n * 7 % 17) for n in range(90)
    }
    around = Surroundings([KEYWORDS] * 20, counts, DAY - timedelta(days=90), photo)
    texts: Texts = {}
    if language in SAID:
        second = shown.papers[1].paper.id
        parts = {"title": SAID[language], "abstract": SAID[language]}
        texts = {second: {Style.TRANSLATION: Text(second, language, Style.TRANSLATION, parts)}}
    found = tasks(shown, language, around, keywords(shown, around), texts)
    return [each for each in found if each.paper in {"", shown.papers[1].paper.id}]


def sheet(language: str, photo: Path) -> Image.Image:
    """Cloud, trend and card below each other, light and dark, and the two posters beside them."""
    columns: list[list[Image.Image]] = [[], [], [], []]
    for task in made(language, photo):
        typesetter = Typesetter(language, rtl=task.rtl)
        scene = laid_out(task.spec, typesetter)
        for place, theme in enumerate(Theme):
            drawn = Image.open(BytesIO(png(scene, typesetter, theme))).convert("RGB")
            drawn.thumbnail((640, 4000), Image.Resampling.LANCZOS)
            columns[place + (2 if task.stem == "poster" else 0)].append(drawn)
    height = max(sum(each.height + 12 for each in column) for column in columns)
    whole = Image.new("RGB", (4 * 652 + 12, height + 12), (128, 128, 128))
    for place, column in enumerate(columns):
        top = 12
        for each in column:
            whole.paste(each, (12 + place * 652, top))
            top += each.height + 12
    return whole


def main() -> None:
    """Write the sheets."""
    arguments = argparse.ArgumentParser(prog="python -m tests.support.drawn_pictures", description=__doc__)
    arguments.add_argument("folder", type=Path)
    arguments.add_argument("--language", choices=languages())
    given = arguments.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        photo = Path(folder, "photo.jpg")
        drawing(0).save(photo)
        for language in [given.language] if given.language else languages():
            sheet(language, photo).save(given.folder / f"drawn-{language}.webp", quality=60, method=6)


if __name__ == "__main__":
    main()
