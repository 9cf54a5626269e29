"""Every row of what the five example digests have (docs/digests.md), on their own papers and on two recorded days."""

import csv
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pytest

from bot.channel import Page
from bot.model import Cadence, Edition, Style
from bot.render.keyword_names import keyword_in
from bot.render.styles import MISSING
from bot.rules.periods import compile_period, period_of
from tests.support.digest_pages import PHOTOGRAPH, a_page, a_site, fridays, front_matter, mondays, written
from tests.support.pages import changed, recorded

ROOT = Path(__file__).resolve().parents[3]
HOME = "https://github.com/ada/papers"


@dataclass(frozen=True)
class Exported:
    """A page as its layout writes it into a folder, and the edition it shows."""

    folder: Path
    edition: Edition
    page: Page
    text: str

    @property
    def day(self) -> str:
        return self.page.about.slug

    @property
    def papers(self) -> int:
        return len(self.page.blocks)

    @cached_property
    def sections(self) -> list[str]:
        """The page's text paper by paper."""
        heads = [
            match.start() for match in re.finditer(r"^(#{1,3} |)\d+\. (?=\[|\*\*|[^\n]+\n)", self.text, re.MULTILINE)
        ]
        heads = heads[: self.papers]
        return [self.text[start:end] for start, end in zip(heads, [*heads[1:], None], strict=True)]

    def record(self, name: str) -> Any:
        return json.loads((self.folder / "data" / name).read_text(encoding="utf-8"))

    def each(self, pattern: str) -> bool:
        """Whether every paper's section has a line like this; `{id}`, `{title}` and `{votes}` are the paper's."""
        for block, section in zip(self.page.blocks, self.sections, strict=True):
            title = re.escape(block.original_title or block.title).replace("\\ ", " ")
            line = pattern.replace("{id}", re.escape(block.paper.id)).replace("{votes}", str(block.votes_count))
            if not re.search(line.replace("{title}", r"[^\n]+" if "\\" in title else title), section, re.MULTILINE):
                return False
        return True


Row = Callable[[Exported], bool]


def best_first(page: Exported) -> bool:
    votes = [block.votes_count or 0 for block in page.page.blocks]
    return votes == sorted(votes, reverse=True)


def points_between(page: Exported, heading: str, number: int) -> bool:
    found = [re.search(rf"^{heading}.*?\n\n((?:- .+\n)+)", section, re.MULTILINE) for section in page.sections]
    return all(each is not None and each[1].count("\n- ") + 1 == number for each in found)


def figures(page: Exported) -> bool:
    shown = ["![" in section.split("🖼️")[-1] for section in page.sections if "🖼️" in section]
    missing = [section for section in page.sections if "🖼️" not in section]
    return (
        len(shown) == 2
        and all(shown)
        and len(missing) == page.papers - 2
        and not any(".fig." in each for each in missing)
    )


def posted(page: Exported, keys: list[str]) -> bool:
    return list(front_matter(page.text)[0]) == keys


def month(page: Exported) -> str:
    """The month post of the page's folder, written from the same papers."""
    papers = [ranked.paper for ranked in page.edition.papers]
    edition = compile_period(period_of(Cadence.MONTH, page.edition.day), papers, (), now=page.edition.closed_at)
    return written(a_site(page.folder.parent), page.folder, a_page(edition, Style.ABSTRACT, "ko"))


def months_record(page: Exported) -> bool:
    found = page.record(f"{page.day[:7]}.json")
    keys = ["year", "month", "generated_at", "total_papers", "total_likes", "average_likes", "days_crawled"]
    urls = [paper["url"] for paper in found["top_papers"]]
    return list(found) == [*keys, "top_papers", "top_tags"] and len(urls) == len(set(urls)) <= 20


def hot_topics(page: Exported) -> bool:
    line = next(line for line in page.text.splitlines() if line.startswith("- 热门领域："))
    keywords = {keyword_in("zh-Hans", keyword) for block in page.page.blocks for keyword in block.paper.keywords}
    named = line.removeprefix("- 热门领域：").replace("\\", "")
    return named == "综合领域" or set(re.split(", |、", named)) <= keywords


def table(page: Exported) -> bool:
    rows = list(csv.DictReader((page.folder / "data" / f"{page.day}.csv").read_text(encoding="utf-8").splitlines()))
    names = ["Name", "Date", "Input_Output", "Problem", "Solution", "ArXiv", "HF", "Upvotes", "Tags"]
    return len(rows) == page.papers and list(rows[0]) == names and all(row["Problem"] for row in rows)


def statistics(page: Exported) -> bool:
    keys = ["period", "total_papers", "daily_average", "top_keywords", "daily_counts", "titles"]
    twin = (page.folder / f"{page.day}.html").read_text(encoding="utf-8")
    return list(page.record(f"{page.day}.stats.json")) == keys and f"images/{page.day}_poster.png" in twin + page.text


INTRODUCTION = "## Introduction"
ROWS: Mapping[str, Row] = {
    "S0-1": lambda page: page.text.startswith(f"# {page.day} Daily Papers (Top {page.papers})\n"),
    "S0-2": lambda page: page.papers == min(5, len(page.edition.papers)) and best_first(page),
    "S0-3": lambda page: page.each(r"^## \d\. \[{title}\]\(https://huggingface\.co/papers/{id}\)$"),
    "S0-4": lambda page: page.each(r"\A[^\n]+\n\n\*\*Upvotes\*\*: {votes}$"),
    "S0-5": lambda page: page.each(r"^!\[Thumbnail\]\(images/{id}\.thumb\.jpg\)$"),
    "S0-6": lambda page: page.each(r"^### 📌 요약\n\n[^\n]+\n"),
    "S0-7": lambda page: points_between(page, "### 🔑 핵심 포인트", 3),
    "S0-8": figures,
    "S0-9": lambda page: page.each(r"^---$") and page.text.rstrip().endswith("---"),
    "S0-10": lambda page: all(re.fullmatch(r"\d{4}\.\d{5}\.\w+", Path(name).stem) for name in images(page)),
    "S0-11": lambda page: not re.search(r"arxiv\.org|저자|초록|github", page.text),
    "S1-1": lambda page: (
        posted(page, ["title", "date", "categories", "tags", "author"])
        and f'\ndate: {page.day} 09:15:00 +0900\ncategories: ["Daily Papers", 일간]\n' in page.text
    ),
    "S1-2": lambda page: f"\n# Hugging Face Daily Papers - {page.day}\n" in page.text,
    "S1-3": lambda page: f"\n총 **{page.papers}개**의 논문이 수집되었습니다.\n" in page.text and page.papers <= 10,
    "S1-4": lambda page: "\n## 📊 좋아요 순위\n" in page.text and best_first(page),
    "S1-5": lambda page: page.each(r"^\d+\. \*\*{title}\*\* - 👍 {votes}$"),
    "S1-6": lambda page: (
        [bool(block.organisation) for block in page.page.blocks] == ["- 기관: " in section for section in page.sections]
    ),
    "S1-7": lambda page: page.each(
        r"^ {3,4}- \[HF 페이지\]\(https://huggingface\.co/papers/{id}\)\n"
        r" {3,4}- \[논문 링크\]\(https://arxiv\.org/abs/{id}\)$"
    ),
    "S1-8": lambda page: page.each(r"^ {3,4}- Abstract: [^\n]+$"),
    "S1-9": lambda page: list(page.record(f"{page.day}.json")) == ["date", "crawled_at", "total_papers", "papers"],
    "S1-10": months_record,
    "S1-11": lambda page: "## 🔥 가장 인기 있는 논문 Top" in month(page) and "월간" in month(page),
    "S1-12": lambda page: "](this" not in re.sub(r"\\.", "", page.text),
    "S2-1": lambda page: page.text.startswith(
        f"# HF Daily Papers - {page.day}\n\nTotal: {page.papers} papers\n\n---\n"
    ),
    "S2-2": lambda page: page.each(r"\A## \d+\. {title}\n"),
    "S2-3": lambda page: (
        page.each(r"^\*\*Upvotes\*\*: {votes} \| \*\*Authors\*\*: [^\n]+$")
        and [len(block.paper.authors) > 3 for block in page.page.blocks]
        == [bool(re.search(r"\*\*Authors\*\*: [^\n]+\.\.\.\n", section)) for section in page.sections]
    ),
    "S2-4": lambda page: page.each(
        r"^\[HuggingFace\]\(https://huggingface\.co/papers/{id}\) \| \[arXiv\]\(https://arxiv\.org/abs/{id}\)$"
    ),
    "S2-5": lambda page: page.each(r"^\*\*输入→输出\*\*：[^\n]+$"),
    "S2-6": lambda page: page.each(r"^\*\*问题\*\*：[^\n]+$"),
    "S2-7": lambda page: page.each(r"^\*\*方案\*\*：[^\n]+$"),
    "S2-8": lambda page: page.each(r"^<details>\n<summary>Original Abstract</summary>\n\n[^\n]+\n\n</details>$"),
    "S2-9": lambda page: page.each(r"^---$") and (page.folder / f"{page.day}_papers.md").is_file(),
    "S2-10": lambda page: page.edition.day.isoformat() == page.day,  # the options: test_export.py
    "S2-11": table,
    "S3-1": lambda page: page.text.startswith("\n# <img ") and f" Hugging Face {page.day} 论文日报\n" in page.text,
    "S3-2": lambda page: (
        f"## 📊 今日论文统计\n\n- 总论文数：{page.papers}\n- 热门领域：" in page.text and hot_topics(page)
    ),
    "S3-3": lambda page: "\n## 📝 论文详情\n" in page.text and page.each(r"\A### \d+\. [^\n]+\n"),
    "S3-4": lambda page: page.each(r"^\*\*原文标题：\*\* {title}$"),
    "S3-5": lambda page: page.each(r"^\*\*摘要：\*\*\n\n?[^\n]+$"),
    "S3-6": lambda page: page.each(
        r"^\*\*论文链接：\*\* \[HuggingFace\]\(https://huggingface\.co/papers/{id}\) "
        r"\| \[arXiv\]\(https://arxiv\.org/abs/{id}\)$"
    ),
    "S3-7": lambda page: (
        [bool(block.paper.code) for block in page.page.blocks]
        == ["**代码链接：** [GitHub](" in section for section in page.sections]
    ),
    "S3-8": lambda page: page.each(r"^---$"),
    "S3-9": lambda page: all(
        f"\n## {heading}\n\n![{words}](images/{page.day}_{name}.png)\n" in page.text
        for heading, words, name in (
            ("🔍 关键词云图", "关键词云图", "keywords"),
            ("📈 近期论文趋势", "近期论文趋势", "trend"),
        )
    ),
    "S3-10": lambda page: f"(audio/{page.day}.mp3)" in page.text.split("## 🎙️ 语音播报")[-1],
    "S3-11": lambda page: page.text.rstrip().endswith(f"## 📱 订阅渠道\n\n- GitHub: [papers]({HOME})"),
    "S3-12": statistics,
    "S3-13": lambda page: page.edition.day.isoformat() == page.day,  # `papers publish --date`: test_publish.py
    "S4-1": lambda page: (
        posted(page, ["layout", "title", "date", "tags", "categories"])
        and f'\ntitle: "Daily Papers — {page.day}"\ndate: {page.day} 09:15:00\n' in page.text
    ),
    "S4-2": lambda page: page.each(r"\A# \d\. \[{title}\]\(https://arxiv\.org/abs/{id}\)\n"),
    "S4-3": lambda page: page.each(r"^> \[Alphaxiv\]\(https://www\.alphaxiv\.org/ko/overview/{id}\)$"),
    "S4-4": lambda page: all(
        re.findall("^## (.+)$", section, re.MULTILINE)
        == ["Introduction", "Method", "Results", "Limitations", "Conclusion"]
        for section in page.sections
    ),
    "S4-5": lambda page: points_between(page, INTRODUCTION, 3),
    "S4-6": lambda page: page.each(r"^## Limitations\n\n[^\n]+$") and "\n## Limitations\n\n정보 부족.\n" in page.text,
    "S4-7": lambda page: (
        page.papers == min(5, len(page.edition.papers))
        and not re.search(r"👍|Upvotes|!\[|Authors|^---$", front_matter(page.text)[1], re.MULTILINE)
    ),
}
LAYOUTS = {
    "S0": ("illustrated", "ko"),
    "S1": ("jekyll", "ko"),
    "S2": ("plain", "zh-Hans"),
    "S3": ("newspaper", "zh-Hans"),
    "S4": ("review", "ko"),
}
DAYS = ("their own", "2025-11-05", "2026-04-28")


def images(page: Exported) -> list[str]:
    return re.findall(r"\]\(images/([^)]+)\)", page.text)


@pytest.fixture(params=DAYS)
def day(request: pytest.FixtureRequest) -> str:
    if request.param != DAYS[0]:
        request.getfixturevalue("reference")  # skips where there are no recordings
    return str(request.param)


def edition_of(digest: str, day: str, recordings: Path | None) -> Edition:
    if recordings is not None:
        return recorded(recordings / "data" / "daily_papers" / f"{day}.json")
    return mondays() if digest == "S4" else fridays([57, 54, 25, 13, 8, 6, 3])


@pytest.fixture(params=LAYOUTS)
def exported(request: pytest.FixtureRequest, day: str, tmp_path: Path) -> tuple[str, Exported]:
    """The page of one digest's layout, with everything that may stand beside it."""
    digest = request.param
    recordings = None if day == DAYS[0] else request.getfixturevalue("reference")
    edition = edition_of(digest, day, recordings)
    name, language = LAYOUTS[digest]
    channel, out = a_site(tmp_path, SITE_URL=HOME, SITE_TIME="09:15", SITE_TIMEZONE="+0900"), tmp_path / "out"
    layout = channel.layouts[name]
    last = edition.papers[min(layout.papers or 99, len(edition.papers)) - 1].paper.id
    page = a_page(edition, layout.style, language, layout.papers, **{f"p{last}_limitations": MISSING})
    (tmp_path / "photograph").write_bytes(PHOTOGRAPH)
    shown = [block.paper.id for block in page.blocks]
    pictures = [f"{id_}.thumb.jpg" for id_ in shown] + [f"{shown[0]}.fig.jpg", f"{shown[-1]}.fig.png"]
    pictures += [f"{page.about.slug}_{kind}.png" for kind in ("keywords", "trend", "poster")]
    channel.place(out, dict.fromkeys(pictures, tmp_path / "photograph"))
    (out / "audio").mkdir()
    (out / "audio" / f"{page.about.slug}.mp3").write_bytes(b"ID3")
    return digest, Exported(out, edition, page, written(channel, out, page))


def test_a_page_has_every_row_of_its_digest(exported: tuple[str, Exported]) -> None:
    digest, page = exported
    rows = {name: row for name, row in ROWS.items() if name.startswith(digest)}
    assert [name for name, row in rows.items() if not row(page)] == []


def test_the_table_in_the_documents_lists_every_row() -> None:
    documented = re.findall(
        r"^\| (S\d-\d+) \|", (ROOT / "docs" / "digests.md").read_text(encoding="utf-8"), re.MULTILINE
    )
    assert documented == list(ROWS)


# S1-11 makes a page of its own, S3-7 is about what may be absent.
@pytest.mark.parametrize("name", sorted(ROWS.keys() - {"S1-11", "S3-7"}))
def test_a_row_is_missed_where_it_is_not(name: str, tmp_path: Path) -> None:
    """No check passes on a page of another layout."""
    digest = name[:2]
    edition = edition_of(digest, DAYS[0], None)
    channel, out = a_site(tmp_path), tmp_path / "out"
    page = a_page(edition, Style.REVIEW if digest == "S1" else Style.HEADLINE, "ja", 4)
    text = written(channel, out, page)
    other = Exported(out, edition, changed(page, slug="2000-01-01"), f"{text}\n![x](images/title.jpg) arxiv.org ](this")
    try:
        held = ROWS[name](other)
    except (OSError, StopIteration, ValueError):
        held = False
    assert not held
