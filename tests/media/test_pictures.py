"""Pictures are drawn without boxes, overlaps or cut words, in every script, light and dark."""

import json
from dataclasses import replace
from io import BytesIO
from itertools import combinations
from multiprocessing import Pipe
from pathlib import Path

import pytest
from PIL import Image, ImageColor, ImageFont

from bot.media import drawing, font_files
from bot.media.drawing import draw, draw_all, laid_out
from bot.media.font_files import SANS, FontFile, fonts_of
from bot.media.glyph_coverage import coverage
from bot.media.picture_specs import Bar, Card, Cloud, Entry, Poster, Task, Trend, Word
from bot.media.scene import COLOURS, Label, Photo, Scene, Stroke, Theme, Tone
from bot.media.typesetting import ELLIPSIS, MissingGlyphError, Typesetter

WORDS = {
    "en": ["vision-language models", "reinforcement learning", "GRPO", "E²R tree search", "π₀"],
    "ko": ["강화 학습", "LLM", "멀티 에이전트", "test-time scaling", "확산 모델"],
    "ja": ["強化学習", "大規模言語モデル", "LLM", "拡散モデル", "エージェント"],
    "zh-Hans": ["强化学习", "大语言模型", "LLM", "扩散模型", "视觉语言模型"],
    "zh-Hant": ["強化學習", "大型語言模型", "LLM", "擴散模型", "視覺語言模型"],
    "ar": ["التعلم المعزز", "LLM", "نماذج الانتشار", "Flow-GRPO", "الاستدلال المكاني"],
    "hi": ["सुदृढीकरण अधिगम", "LLM", "भाषा मॉडल", "विसरण", "तर्क"],
    "ru": ["обучение с подкреплением", "LLM", "модели", "диффузия", "рассуждения"],
    "es": ["aprendizaje por refuerzo", "LLM", "difusión", "año", "¿cómo?"],
    "fr": ["apprentissage par renforcement", "LLM", "cœur", "naïf", "Où ?"],
    "de": ["bestärkendes Lernen", "LLM", "Größe", "Übersetzung", "Maß"],
    "pt-BR": ["aprendizado por reforço", "LLM", "difusão", "ação", "três"],
    "vi": ["học tăng cường", "LLM", "mô hình khuếch tán", "suy luận", "Đường"],
    "el": ["ενισχυτική μάθηση", "LLM", "μοντέλα", "διάχυση", "συλλογισμός"],
}
MANY = [f"{word} {n}" if n else word for n in range(9) for word in WORDS["en"]]
BARS = [Bar(f"{n} Apr", n % 13, f"{n % 13}", is_marked=n == 29) for n in range(1, 31)]
MEAN = [None] * 6 + [float(n % 7) for n in range(24)]
TREND = Trend("Papers a day", BARS, MEAN, "7-day average", [(0, "0"), (5, "5"), (10, "10"), (15, "15")])
ENTRIES = [
    Entry(f"{n}", "Recursive Multi-Agent Systems of a Long Name that Takes Two Lines", "57 votes") for n in "123"
]
POSTER = Poster("Morning Papers", "Daily papers", "Wednesday, 29 April 2026", "3 papers", ENTRIES, "Data: somewhere")
CARD = Card("Morning Papers", "Daily papers", "Wednesday, 29 April 2026", ENTRIES)


def cloud(language: str, words: list[str] | None = None) -> Scene:
    written = words or WORDS[language]
    spec = Cloud([Word(word, 0.96**at, is_new=at == 1) for at, word in enumerate(written)])
    return laid_out(spec, Typesetter(language, rtl=language == "ar"))


def box(label: Label, typesetter: Typesetter) -> tuple[float, float, float, float]:
    line = typesetter.line(label.text, label.size, label.weight, rtl=label.rtl)
    top, bottom = typesetter.ink(line)
    return label.left, label.y + top, label.left + line.width, label.y + bottom


def overlap(one: tuple[float, ...], other: tuple[float, ...]) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


@pytest.mark.parametrize("language", WORDS)
def test_words_of_a_cloud_neither_touch_nor_leave_it(language: str) -> None:
    scene, typesetter = cloud(language), Typesetter(language, rtl=language == "ar")
    labels = [item for item in scene.items if isinstance(item, Label)]
    assert {label.text for label in labels} == set(WORDS[language])
    boxes = [box(label, typesetter) for label in labels]
    assert not any(overlap(one, other) for one, other in combinations(boxes, 2))
    assert all(b[0] >= 0 and b[1] >= 0 and b[2] <= scene.width and b[3] <= scene.height for b in boxes)
    space = max(typesetter.line("a b", label.size).width - typesetter.line("ab", label.size).width for label in labels)
    beside = [(b[0] - space, b[1], b[2] + space, b[3]) for b in boxes]
    assert not any(overlap(one, other) for one, other in combinations(beside, 2))
    assert [label.tone for label in labels if label.text == WORDS[language][1]] == [Tone.SUN]


def test_many_words_get_smaller_and_still_do_not_touch() -> None:
    scene, typesetter = cloud("en", MANY), Typesetter("en")
    boxes = [box(item, typesetter) for item in scene.items if isinstance(item, Label)]
    assert len(boxes) > 0.7 * len(MANY)
    assert not any(overlap(one, other) for one, other in combinations(boxes, 2))


@pytest.mark.parametrize("spec", [Cloud([Word("LLM", 1.0), Word("RL", 0.5, is_new=True)]), TREND, POSTER, CARD])
def test_pictures_are_files_of_the_size_they_were_laid_out_for(spec: Cloud | Trend | Poster | Card) -> None:
    files = dict(draw(Task("it", spec, "en")))
    scene = laid_out(spec, Typesetter("en"))
    for name in (each for each in files if each.endswith(".png")):
        with Image.open(BytesIO(files[name])) as opened:
            assert opened.size == (scene.width, scene.height)
            theme = Theme.DARK if "dark" in name else Theme.LIGHT
            paper = opened.convert("RGB").getpixel((2, scene.height - 3))
            assert paper == ImageColor.getrgb(COLOURS[theme][Tone.PAPER])
    assert ("it.json" in files) == isinstance(spec, Cloud | Trend)


@pytest.mark.parametrize("language", WORDS)
def test_every_catalogue_letter_has_a_glyph(language: str) -> None:
    """A text that no font covers raises, so that a picture is left out rather than drawn with boxes."""
    typesetter = Typesetter(language, rtl=language == "ar")
    for word in WORDS[language]:
        line = typesetter.line(word, 40)
        assert all(character in coverage(run.font.path, run.font.index) for run in line.runs for character in run.text)
        for run in line.runs:
            font = ImageFont.truetype(str(run.font.path), 40, index=run.font.index)
            no_glyph = bytes(font.getmask("\U0010fffe"))
            assert all(bytes(font.getmask(character)) != no_glyph for character in run.text if not character.isspace())


@pytest.mark.parametrize(
    ("language", "word", "letters"), [("hi", "क्षमता", "कषमत"), ("hi", "प्रशिक्षण", "परशकषण"), ("ar", "نماذج", "نماذج")]
)
def test_letters_join_where_a_script_joins_them(language: str, word: str, letters: str) -> None:
    typesetter = Typesetter(language, rtl=language == "ar")
    assert typesetter.line(word, 40).width < sum(typesetter.line(each, 40).width for each in letters)


def test_a_separator_is_as_narrow_in_chinese_as_elsewhere() -> None:
    widths = {Typesetter(language).line(" · ", 40).width for language in ("ko", "zh-Hans", "zh-Hant")}
    assert max(widths) < 40


def test_a_date_is_not_parted() -> None:
    lines = Typesetter("zh-Hant").fitted("讚數統計至4月29日", 40, 400, 260, 2)
    assert lines == ["讚數統計至", "4月29日"]


def test_a_letter_that_no_font_has_leaves_the_picture_out() -> None:
    with pytest.raises(MissingGlyphError, match="CUNEIFORM"):
        draw(Task("it", replace(CARD, title="\U00012000"), "en"))


def test_light_words_are_legible_where_there_is_room() -> None:
    words = [Word("大语言模型", 1.0), *(Word(f"视觉 {n}", 0.08) for n in range(30))]
    sizes = [item.size for item in laid_out(Cloud(words), Typesetter("zh-Hans")).items if isinstance(item, Label)]
    assert len(sizes) == len(words)
    assert max(sizes) > 2 * min(sizes) > 50


def test_a_word_that_no_font_has_is_left_out_of_its_cloud() -> None:
    scene = cloud("en", ["GRPO", "\U00012000", "ไทย", "planning"])
    assert {item.text for item in scene.items if isinstance(item, Label)} == {"GRPO", "planning"}


def test_a_glyph_that_fails_in_bold_is_drawn() -> None:
    assert draw(Task("it", replace(CARD, title="﷽ in a title", entries=()), "ko"))


def test_signs_that_no_font_has_are_left_out_and_letters_become_plain() -> None:
    line = Typesetter("en").line("𝒯ask \U0001f9ff one", 30)
    assert "".join(run.text for run in line.runs).split() == ["Task", "one"]


@pytest.mark.parametrize("language", ["en", "ko", "ar", "hi", "zh-Hant"])
def test_a_mark_is_drawn_in_the_font_of_its_letter_or_not_at_all(language: str) -> None:
    line = Typesetter(language).line("z\u0337a\u0335 e\u0301 \u0301 1\u0337 क्षि بِ", 30)
    for run in line.runs:
        fonts = coverage(run.font.path, run.font.index)
        assert [sign for sign in run.text if not sign.isspace() and sign not in fonts] == []
    assert {"é", "क्षि", "بِ"} <= {word for run in line.runs for word in run.text.split()}


def test_a_sign_that_is_left_out_leaves_no_gap() -> None:
    assert Typesetter("en").fitted("\U0001f9ff One \U0001f9ff two", 30, 400, 600, 2) == ["One two"]


def test_chinese_characters_are_those_of_the_language() -> None:
    faces = {language: fonts_of(language)[0].index for language in ("ja", "ko", "zh-Hans", "zh-Hant")}
    assert len(set(faces.values())) == 4


def test_lines_break_at_words_and_end_in_an_ellipsis() -> None:
    typesetter = Typesetter("ko")
    lines = typesetter.fitted("강화 학습으로 배우는 대규모 언어 모델의 추론 능력에 관한 연구", 40, 700, 400, 2)
    assert len(lines) == 2
    assert lines[1].endswith(ELLIPSIS)
    assert all(typesetter.line(line, 40, 700).width <= 400 for line in lines)
    assert typesetter.fitted("short", 40, 700, 400, 2) == ["short"]
    assert len(typesetter.fitted("x" * 200, 40, 700, 400, 3)) == 3


def test_arabic_is_mirrored_and_its_english_titles_are_not() -> None:
    entries = [Entry("1", "Agent-World (v2): an end", "57 صوتًا", is_latin=True)]
    card = Card("أوراق الصباح", "أبحاث اليوم", "الأربعاء", entries)
    scene = laid_out(card, Typesetter("ar", rtl=True))
    labels = {item.text: item for item in scene.items if isinstance(item, Label)}
    assert labels["أبحاث اليوم"].anchor == "end"
    assert labels["أبحاث اليوم"].x > scene.width / 2
    title = labels["Agent-World (v2): an end"]
    assert title.rtl is False
    assert [run.is_rtl for run in Typesetter("ar", rtl=True).line(title.text, 30, rtl=False).runs] == [False]


def test_a_trend_marks_the_day_and_breaks_its_line_where_nothing_is_known() -> None:
    scene = laid_out(TREND, Typesetter("en"))
    labels = [item for item in scene.items if isinstance(item, Label)]
    assert [each.text for each in labels if each.tone is Tone.SUN] == ["3", "29 Apr"]
    strokes = [item for item in scene.items if isinstance(item, Stroke)]
    assert len(strokes[-1].points) + len(strokes[0].points) == 24 + 2
    names = [box(each, Typesetter("en")) for each in labels if each.y == labels[-3].y]
    assert not any(overlap(one, other) for one, other in combinations(names, 2))


@pytest.mark.parametrize("means", [[0.0] * 28 + [15.0, 3.0], [3.0] * 29 + [9.0], [9.0] * 30])
def test_a_line_of_means_goes_through_no_number(means: list[float | None]) -> None:
    bars = [replace(BARS[at], papers=9, written="109", is_marked=at == 29) for at in range(30)]
    scene, typesetter = laid_out(replace(TREND, bars=bars, mean=means), Typesetter("en")), Typesetter("en")
    number = next(item for item in scene.items if isinstance(item, Label) and item.text == "109")
    left, top, right, bottom = box(number, typesetter)
    (line,) = (item.points for item in scene.items if isinstance(item, Stroke) and len(item.points) > 2)
    (x0, y0), (x1, y1) = line[-2:]
    crossed = [y0 + (y1 - y0) * (x - x0) / (x1 - x0) for x in (max(left, x0), min(right, x1))]
    assert max(crossed) < top or min(crossed) > bottom


def test_pages_get_texts_with_their_places(tmp_path: Path) -> None:
    files = dict(draw(Task("it", Cloud([Word("<script>&", 1.0), Word("LLM", 0.5)]), "en")))
    read = json.loads(files["it.json"])
    assert (read["width"], read["height"]) == (1200, 750)
    assert [(item["kind"], item["text"], item["rtl"]) for item in read["items"]] == [
        ("text", "<script>&", False),
        ("text", "LLM", False),
    ]
    kinds = {item["kind"] for item in json.loads(dict(draw(Task("it", TREND, "ar", rtl=True)))["it.json"])["items"]}
    assert kinds == {"box", "line", "text"}


def test_a_thumbnail_is_shown_and_a_broken_one_left_out(tmp_path: Path) -> None:
    photo = tmp_path / "one.jpg"
    Image.new("RGB", (640, 360), "#3366ff").save(photo)
    with_photo = replace(POSTER, photo=photo)
    (_, content), *_ = draw(Task("it", with_photo, "en"))
    scene = laid_out(with_photo, Typesetter("en"))
    (item,) = [each for each in scene.items if isinstance(each, Photo)]
    with Image.open(BytesIO(content)) as opened:
        pixel = opened.convert("RGB").getpixel((round(item.x + 200), round(item.y + 200)))
    assert isinstance(pixel, tuple)
    assert pixel[2] > 240
    photo.write_bytes(b"no picture")
    assert draw(Task("it", with_photo, "en"))


def test_a_font_that_is_missing_is_sought_in_the_system(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(font_files, "_wheels", lambda: iter(()))
    monkeypatch.setattr(font_files, "_installed", lambda: {"DejaVuSans.ttf": Path("/fonts/DejaVuSans.ttf")})
    font_files._file.cache_clear()
    try:
        assert fonts_of("en")[0] == FontFile(Path("/fonts/DejaVuSans.ttf"))
        assert font_files._file(SANS.files) == Path("/fonts/DejaVuSans.ttf")
    finally:
        font_files._file.cache_clear()


def test_what_is_no_font_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "no.ttf"
    file.write_bytes(b"ttcf")
    with pytest.raises(ValueError, match="no font"):
        coverage(file)


def test_a_picture_that_fails_in_any_way_costs_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    def failing(task: Task) -> drawing.Files:
        if task.stem == "trend":
            raise TypeError("a fault of a library")
        return [(f"{task.stem}.png", b"picture")]

    monkeypatch.setattr(drawing, "draw", failing)
    here, there = Pipe(duplex=False)
    draw_all([Task(stem, CARD, "en") for stem in ("trend", "card")], there)
    assert here.recv() == "it cannot be drawn (TypeError)"
    assert here.recv() == [("card.png", b"picture")]
    here.close()
