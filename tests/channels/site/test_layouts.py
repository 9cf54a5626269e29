"""The five layouts have the structure of the five example digests, line by line."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from bot.model import Cadence, Preferences, Style
from bot.render.catalogue import languages
from bot.render.edition_page import edition_page
from bot.render.styles import MISSING, TEXT_FIELDS
from bot.rules.periods import compile_period, period_of
from tests.support.digest_pages import (
    FRIDAY,
    FRIDAYS,
    MONDAY,
    PHOTOGRAPH,
    a_page,
    a_paper,
    a_site,
    fridays,
    front_matter,
    mondays,
    skeleton,
    texts_about,
    written,
)
from tests.support.pages import recorded


def example(reference: Path, number: str) -> str:
    (path,) = (reference / "examples").glob(f"{number}_*.txt")
    return path.read_text(encoding="utf-8")


def test_illustrated_matches_its_example(reference: Path, tmp_path: Path) -> None:
    edition = fridays([57, 54, 25, 13, 8, 6, 3])
    channel, best = a_site(tmp_path), list(FRIDAYS)[:5]
    pictures = {f"{id_}.thumb.jpg" for id_ in best} | {f"{best[0]}.fig.jpg", f"{best[4]}.fig.png"}
    (tmp_path / "photograph").write_bytes(PHOTOGRAPH)
    channel.place(tmp_path / "out", dict.fromkeys(pictures, tmp_path / "photograph"))
    ours = written(channel, tmp_path / "out", a_page(edition, Style.HIGHLIGHTS, "ko", 5))
    assert skeleton(ours) == skeleton(example(reference, "000"))
    assert ours.startswith("# 2025-12-26 Daily Papers (Top 5)\n")


def test_jekyll_matches_its_example(reference: Path, tmp_path: Path) -> None:
    """Its words were read in the wrong encoding and cannot all be recovered; three institutions are counters."""
    saturday = replace(fridays([43, 34, 18, 10, 6, 6, 3]), day=date(2025, 12, 27))
    channel = a_site(tmp_path, SITE_TIME="09:15", SITE_TIMEZONE="+0900", SITE_AUTHOR="lim4349")
    ours = written(channel, tmp_path / "out", a_page(saturday, Style.ABSTRACT, "ko", 10))
    theirs = example(reference, "001")

    def without_words(text: str) -> list[str]:
        blurred = re.sub(r"[^\x00-\x7f]+(?: [^\x00-\x7f]+)*", "¤", text)
        named = re.sub(r"^(   - ¤: [A-Z][A-Za-z -]*[A-Za-z])\d+$", r"\1", blurred, flags=re.MULTILINE)
        return skeleton(re.sub(r"^   - ¤: ¤\d authors\d+\n", "", named, flags=re.MULTILINE))

    assert without_words(ours) == without_words(theirs)
    keys, _ = front_matter(ours)
    assert list(keys) == ["title", "date", "categories", "tags", "author"]
    assert keys["title"] == "Hugging Face Daily Papers - 2025-12-27"
    assert keys["categories"] == ["Daily Papers", "일간"]
    assert keys["tags"] == ["huggingface", "papers", "daily", "ai"]
    assert "date: 2025-12-27 09:15:00 +0900\n" in ours
    assert "author: lim4349\n" in ours
    assert "총 **7개**의 논문이 수집되었습니다." in ours
    assert "## 📊 좋아요 순위" in ours


def test_plain_matches_its_example(reference: Path, tmp_path: Path) -> None:
    page = a_page(fridays([51, 46, 20]), Style.PLAIN, "zh-Hans", 3)
    ours = written(a_site(tmp_path), tmp_path / "out", page)
    assert skeleton(ours) == skeleton(example(reference, "002"))
    assert (tmp_path / "out" / "2025-12-26_papers.md").is_file()


def test_newspaper_matches_its_example(reference: Path, tmp_path: Path) -> None:
    channel = a_site(tmp_path, SITE_URL="https://github.com/2404589803/hf-daily-paper-newsletter-chinese")
    out = tmp_path / "out"
    (tmp_path / "photograph").write_bytes(PHOTOGRAPH)
    channel.place(out, {f"2025-12-26_{name}.png": tmp_path / "photograph" for name in ("keywords", "trend")})
    (out / "audio").mkdir()
    (out / "audio" / "2025-12-26.mp3").write_bytes(b"ID3")
    ours = written(channel, out, a_page(fridays([43, 34, 18, 10, 6, 6, 3]), Style.TRANSLATION, "zh-Hans"))

    def without_words(lines: Sequence[str]) -> list[str]:
        """Titles are translated, ours by ourselves; the repository's name is whatever it is."""
        lines = [re.sub(r"^(h3 \d\.).*", r"\1", line) for line in lines]
        lines = [
            re.sub(r"\[ \S+ \]\(github:\)", "[](github:)", line.replace("…](github", "](github")) for line in lines
        ]
        return [line.replace("![论文趋势]", "![近期论文趋势]") for line in lines]

    assert without_words(skeleton(ours)) == without_words(skeleton(example(reference, "003")))
    assert ours.startswith("\n# <img ")


def test_review_matches_its_example(reference: Path, tmp_path: Path) -> None:
    page = a_page(mondays(), Style.REVIEW, "ko", 5, **{"p2512.17459_limitations": MISSING})
    ours = written(a_site(tmp_path, SITE_TAGS="papers, hugginface"), tmp_path / "out", page)
    theirs = example(reference, "004")

    def without_drift(lines: Sequence[str]) -> list[str]:
        """After the introduction the examples say one thing now in a paragraph, now in bullets."""
        kept: list[str] = []
        section = ""
        for line in lines:
            if line.startswith(("h1", "h2", ">", "front")):
                section = line
                kept.append(line)
            elif section.endswith("Introduction"):
                kept.append("* - …")
            elif not kept[-1].startswith("said"):
                kept.append("said nothing" if "정보 부족." in line else "said")
        return kept

    assert without_drift(skeleton(ours)) == without_drift(skeleton(theirs))
    keys, _ = front_matter(ours)
    assert keys == front_matter(theirs)[0]
    assert "date: 2025-12-22 08:15:00\n" in ours


# ---- the same in other languages, on other days -------------------------------------------------------------

H, LINK = r"[^\[\]]+", r"\[ .+ \]\({}:.+\)"
Rules = tuple[Sequence[str], Sequence[str], Sequence[str]]
RULES: Mapping[str, Rules] = {
    # before the papers · each paper · after them; a question mark ends what may be missing
    "illustrated": (
        [r"h1 .+\d\D?"],
        [
            rf"h2 \d\. {LINK.format('hf')}",
            r"\*\* .+ \*\* : \d+",
            rf"h3 📌 {H}",
            "prose",
            rf"h3 🔑 {H}",
            *["point"] * 3,
            "---",
        ],
        [],
    ),
    "jekyll": (
        ["front title date categories tags author", "h1 .+", r".*\*\* .*\d+.* \*\*.*", rf"h2 📊 {H}"],
        [
            r"\* \d+\. \*\* .+ \*\* - 👍 \d+",
            r"\* \d+\. \* - [^\[].*?",
            rf"\* \d+\. \* - {LINK.format('hf')}",
            rf"\* \d+\. \* - {LINK.format('arxiv')}",
            r"\* \d+\. \* - .+",
        ],
        [],
    ),
    "plain": (
        ["h1 .+", r".*\d.*", "---"],
        [
            r"h2 \d+\. .+",
            r"\*\* .+ \*\* : \d+ \| \*\* .+ \*\* .+",
            rf"{LINK.format('hf')} \| {LINK.format('arxiv')}",
            *[r"\*\* .+ \*\* (?:: )?.+"] * 3,
            r"<details><summary>.+</summary>",
            "prose",
            "</details>",
            "---",
        ],
        [],
    ),
    "newspaper": (
        ["h1 <img.+", rf"h2 📊 {H}", r"\* - .+\d+", r"\* - .+", rf"h2 📝 {H}"],
        [
            r"h3 \d+\. .+",
            r"\*\* .+ \*\* .+",
            r"\*\* .+ \*\* …",
            rf"\*\* .+ \*\* {LINK.format('hf')} \| {LINK.format('arxiv')}",
            r"\*\* .+ \*\* \[ GitHub \]\(.+\)?",
            "---",
        ],
        [],
    ),
    "review": (
        ["front layout title date tags categories"],
        [
            rf"h1 \d+\. {LINK.format('arxiv')}",
            r"\> \[ Alphaxiv \]\(alphaxiv:.+\)",
            rf"h2 {H}",
            *["point"] * 3,
            *[rf"h2 {H}", "prose"] * 4,
        ],
        [],
    ),
}
NAMED = {"prose": "…", "point": r"\* - …"}


def follows(lines: Sequence[str], rules: Rules, papers: int) -> str:
    """Where a skeleton leaves the rules, empty where it does not."""
    rest = list(lines)
    head, each, tail = rules
    for rule in [*head, *(list(each) * papers), *tail]:
        pattern = NAMED.get(rule, rule.removesuffix("?"))
        if rest and re.fullmatch(pattern, rest[0], re.DOTALL):
            rest.pop(0)
        elif not rule.endswith("?"):
            return f"{rule} is not {rest[:1]}"
    return f"left over: {rest[0]}" if rest else ""


OTHER_DAYS = [
    ("illustrated", "2025-11-05", "ja"), ("illustrated", "2026-04-27", "ar"),
    ("jekyll", "2025-11-06", "en"), ("jekyll", "2026-04-28", "zh-Hant"),
    ("plain", "2025-11-07", "ko"), ("plain", "2026-04-29", "ar"),
    ("newspaper", "2025-11-10", "ko"), ("newspaper", "2026-04-27", "en"),
    ("review", "2025-11-11", "ja"), ("review", "2026-04-28", "zh-Hans"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "day", "language"), OTHER_DAYS)
def test_a_layout_keeps_its_structure_on_another_day_in_another_language(
    reference: Path, tmp_path: Path, name: str, day: str, language: str
) -> None:
    edition = recorded(reference / "data" / "daily_papers" / f"{day}.json")
    channel = a_site(tmp_path)
    layout = channel.layouts[name]
    page = a_page(edition, layout.style, language, layout.papers)
    lines = skeleton(written(channel, tmp_path / "out", page))
    assert len(page.blocks) == min(layout.papers or 999, len(edition.papers)) > 0
    assert follows(lines, RULES[name], len(page.blocks)) == ""


@pytest.mark.parametrize("language", languages())
@pytest.mark.parametrize("name", RULES)
def test_every_layout_renders_in_every_language(tmp_path: Path, name: str, language: str) -> None:
    channel = a_site(tmp_path, SITE_URL="https://github.com/ada/papers")
    page = a_page(fridays([9, 8, 7, 6, 5, 4, 3]), channel.layouts[name].style, language)
    parts = channel.compose(page).parts()
    assert f'<html lang="{language}" dir="{"rtl" if language == "ar" else "ltr"}">' in parts["html"]
    english = channel.compose(a_page(fridays([9, 8, 7, 6, 5, 4, 3]), channel.layouts[name].style, "en")).parts()
    headings = [line for line in skeleton(parts["markdown"]) if re.match(r"h[23] \W* ?[^\d\[]+$", line)]
    if language not in {"en", "ko"}:
        assert not set(headings) & {line for line in skeleton(english["markdown"]) if not re.search(r"\d", line)}


@pytest.mark.parametrize("name", RULES)
@pytest.mark.parametrize("other", [None, *TEXT_FIELDS])
def test_a_missing_text_falls_back_to_another_style(tmp_path: Path, name: str, other: Style | None) -> None:
    """Where a text is missing there is another style's, or sentences of the authors, in the same layout."""
    channel = a_site(tmp_path)
    layout, edition = channel.layouts[name], fridays([9, 8, 7])
    texts = texts_about(edition, layout.style, "ko")
    texts["2512.20605"] = texts_about(edition, other, "ko")["2512.20605"] if other else {}
    page = edition_page(edition, Preferences(language="ko", style=layout.style), texts=texts)
    lines = skeleton(channel.compose(page).parts()["markdown"])
    whole = skeleton(channel.compose(a_page(edition, layout.style, "ko")).parts()["markdown"])
    headings = [line for line in lines if re.match(r"h\d|---|>|front", line)]
    expected = [line for line in whole if re.match(r"h\d|---|>|front", line)]
    if other is not layout.style and name == "illustrated":
        # A text has no points, the authors' points have no sentence: one of the second paper's headings goes.
        del expected[7 if other else 6]
    assert [re.sub("^(h3 2[.]).*", r"\1", line) for line in headings] == [
        re.sub("^(h3 2[.]).*", r"\1", line) for line in expected
    ]
    assert "None" not in "".join(lines)


def test_a_month_has_a_post_of_its_own(tmp_path: Path) -> None:
    days = [fridays([57, 54, 25, 13, 8, 6, 3]), mondays()]
    channel, out = a_site(tmp_path), tmp_path / "out"
    for edition in days:
        channel.write(out, channel.compose(a_page(edition, Style.ABSTRACT, "ko")))
    more = [a_paper(f"2512.0{n:04}", f"One more {n}", n, 1000 + n, MONDAY) for n in range(30)]
    papers = [ranked.paper for edition in days for ranked in edition.papers] + more
    month = compile_period(period_of(Cadence.MONTH, FRIDAY), papers, (), now=datetime(2025, 12, 31, 22, tzinfo=UTC))
    ours = written(channel, out, a_page(month, Style.ABSTRACT, "ko"))
    keys, body = front_matter(ours)
    assert keys["title"] == "Hugging Face Papers Monthly Summary - 2025년 12월"
    assert keys["categories"][1] == "월간"
    lines = skeleton(ours)
    likes = sum(paper.votes or 0 for paper in papers)
    assert lines[2:6] == [
        f"* - ** 논문 수 ** : {len(papers)}",
        f"* - ** 좋아요 합계 ** : {likes:,}",
        f"* - ** 논문당 평균 좋아요 ** : {round(likes / len(papers), 2)}",
        "* - ** 수집한 날 ** : 2",
    ]
    assert lines[6] == "h2 🔥 가장 인기 있는 논문 Top 20"
    assert sum(line.startswith("* ") and "👍" in line for line in lines) == 20
    assert (out / "_posts" / "2025-12-31-monthly-papers.md").is_file()
    assert "\n    - [HF 페이지]" in body  # the sub-items of the tenth belong to it
