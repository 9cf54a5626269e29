"""Text made speakable, by a table of cases for each language."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.media.speech.speakable import LONGEST, speakable
from bot.render.catalogue import catalogues
from tests.support.pages import HOSTILE, recorded
from tests.support.recorded_days import days

CASES = {
    "en": [
        ("It is 3.2× faster than GPT-4o.", "It is 3.2 times faster than GPT 4o."),
        ("2.5x on 8×H100 GPUs with 80GB", "2.5 times on 8 H100 GPUs with 80 gigabytes."),
        ("A 7B model, 128K context, $1.5M", "A 7 billion model, 128 thousand context, 1.5 million dollars."),
        ("It raised $20 million.", "It raised 20 million dollars."),
        ("Qwen2.5-VL-7B and DeepSeek-R1", "Qwen 2.5 VL 7B and Deep Seek R1."),
        ("LoRA vs. LLaMA", "LoRA versus LLaMA."),
        ("state-of-the-art, e.g. SOTA", "state-of-the-art, for example state of the art."),
        ("10–20% and 5-10 runs", "10 to 20 percent and 5 to 10 runs."),
        ("by 2.5pp, -3.2%", "by 2.5 percentage points, minus 3.2 percent."),
        ("$O(n^2)$ and $10^{-3}$", "O n squared, and 10 to the power of minus 3."),
        (r"\alpha-divergence, x \leq 5", "alpha divergence, x at most 5."),
        ("a 4×4 grid of 1,234 cells", "a 4 by 4 grid of 1234 cells."),
        ("~3.5 s at 30 fps", "about 3.5 seconds at 30 frames per second."),
        ("44k hours of C++ and 4K video", "44 thousand hours of C plus plus and 4 K video."),
        ("in the 2020s", "in the 2020s."),
        ("on arXiv at https://arxiv.org/abs/2604.00001", "on archive."),
        ("Code is at github.com/a/b.", "Code is."),
        ("pass@1, R&D, A+B", "pass at 1, R and D, A plus B."),
        ("“Quoted” [12, 13] <b>bold</b> 🎉", "Quoted bold."),
        ("OMC (One Man Company) — new", "OMC, One Man Company, new."),
        ("#1 on the list!", "number 1 on the list!"),
        ("2026-04-28", "2026-04-28."),
        ("…", ""),
    ],
    "ko": [
        ("7B 모델이 3.2배, 12.4% 향상", "70억 모델이 3.2배, 12.4퍼센트 향상."),
        ("1.5T 토큰, 128K 문맥", "1.5조 토큰, 12.8만 문맥."),
        ("10~20% 절감($1.5M)", "10에서 20퍼센트 절감, 150만달러."),
        ("arXiv의 LLM 논문", "아카이브의 엘엘엠 논문."),
        ("희소 오토인코더(SAE)를 텍스트-3D에", "희소 오토인코더, SAE를 텍스트-3D에."),
        ("GPT-o1과 HumanEval(+).. 끝", "GPT o1과 Human Eval, 끝."),
        ("3.5ms, 80GB에서 2×", "3.5밀리초, 80기가바이트에서 2배."),
        ("α는 0.1 이하", "알파는 0.1 이하."),
    ],
    "zh-Hans": [
        ("提升6%-11%（+4.3%）。（2）感知⇒推理", "提升百分之6到11，加百分之4.3。2，感知到推理。"),
        ("50M-120M参数，pass@k，-3.2%", "5000万到1.2亿参数，pass at k，负百分之3.2。"),
        ("7B模型在MATH-500上达到97.3%（约3×）", "70亿模型在MATH 500上达到百分之97.3，约3倍。"),
        ("1.5T词元，±0.5，α=0.1", "1.5万亿词元，正负0.5，阿尔法等于0.1。"),
        ("提升2.5pp，10–20倍", "提升2.5个百分点，10到20倍。"),
        ("10–20%，＞90%", "百分之10到20，大于百分之90。"),
        ("用时3.5ms。", "用时3.5毫秒。"),
    ],
    "zh-Hant": [
        ("7B模型達到97.3%，1.5T詞元", "70億模型達到百分之97.3，1.5兆詞元。"),
        ("−3.2%，≤5", "負百分之3.2，最多5。"),
    ],
    "ja": [
        ("7Bモデルは128Kトークンで97.3%（3.2×）", "70億モデルは12.8万トークンで97.3パーセント、3.2倍。"),
        ("10〜20%、arXiv論文", "10から20パーセント、アーカイブ論文。"),
        ("30 fpsで「動く」。", "30フレーム毎秒で動く。"),
    ],
    "ar": [
        ("نموذج 7B يحقق 97.3%", "نموذج 7 مليار يحقق 97.3 بالمئة."),
        ("أسرع 3.2× (GPT-4o)", "أسرع 3.2 أضعاف، GPT 4o."),
        ("10–20%", "10 إلى 20 بالمئة."),
    ],
}


@pytest.mark.parametrize(
    ("language", "written", "spoken"),
    [(language, written, spoken) for language, cases in CASES.items() for written, spoken in cases],
)
def test_it_is_said_as_people_say_it(language: str, written: str, spoken: str) -> None:
    assert speakable(written, language) == spoken


def test_every_language_of_a_catalogue_in_full_has_a_table() -> None:
    assert set(CASES) <= set(catalogues())


def test_a_language_without_a_table_is_only_cleaned() -> None:
    assert speakable("97 % (see https://x.example) **bold**", "nl") == "97 %, bold."


@given(st.text(max_size=300), st.sampled_from(sorted(CASES)))
@settings(max_examples=60)
def test_nothing_that_only_eyes_read_is_left(text: str, language: str) -> None:
    spoken = speakable(text, language)
    assert not re.search(r"[\\{}^_$|*<>≤≥×]|\s\s|https?://", spoken)
    assert "\n" not in spoken


def test_nothing_of_an_emoji_is_left() -> None:
    assert speakable("👨‍👩‍👧 Emoji 🏳️‍🌈 one ✨", "en") == "Emoji one."
    assert "\u200d" in speakable("क्‍ष", "hi")


def test_hostile_and_endless_text_ends() -> None:
    for text in (HOSTILE, "(" * 50_000, "1×" * 50_000, "A-" * 50_000, "$" * 50_000, "9" * 50_000):
        assert len(speakable(text, "en")) < 20 * LONGEST


def test_recorded_titles_and_abstracts_are_speakable() -> None:
    for ranked in (ranked for file in days()[:4] for ranked in recorded(file).papers):
        for text in (ranked.paper.title, ranked.paper.sentence or "", ranked.paper.abstract):
            assert not re.search(r"[\\{}^_$|*<>≤≥×≈→%]|https?:", speakable(text, "en")), text
