"""Pages of a site in Jekyll and over several days, without the faults of the example digests."""

import csv
import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.model import Edition, Preferences, Ranked, Style
from bot.render.edition_page import edition_page
from bot.render.words import words
from bot.runtime.latex import plain_math
from tests.support.digest_pages import (
    PHOTOGRAPH,
    a_page,
    a_paper,
    a_site,
    an_edition,
    fridays,
    mondays,
    skeleton,
    written,
)
from tests.support.pages import recorded

ABSTRACT = "Models answer at once. Yet they are wrong. We propose to have them ask. They gain 4 points."


@pytest.fixture
def jekyll() -> str:
    """Debian's jekyll; a person's machine may lack it, CI may not."""
    found = shutil.which("jekyll")
    if found is None:
        if os.environ.get("CI"):
            raise LookupError("jekyll is not installed")
        pytest.skip("jekyll is not installed")
    return found


def build(jekyll: str, folder: Path) -> Path:
    """A site as Jekyll builds it, without a warning."""
    (folder / "_config.yml").write_text("title: A test\ntimezone: Asia/Seoul\n", encoding="utf-8")
    (folder / "_layouts").mkdir()
    (folder / "_layouts" / "post.html").write_text("<h1>{{ page.title | escape }}</h1>{{ content }}", encoding="utf-8")
    command = [jekyll, "build", "--strict_front_matter", "--trace", "-s", str(folder), "-d", str(folder / "_site")]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=100, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert not re.search(r"warn|error|conflict|deprecat", done.stdout + done.stderr, re.IGNORECASE), (
        done.stdout + done.stderr
    )
    return folder / "_site"


@pytest.mark.parametrize("style", [Style.ABSTRACT, Style.REVIEW])
def test_jekyll_builds_thirty_days_without_a_warning(
    jekyll: str, reference: Path, tmp_path: Path, style: Style
) -> None:
    channel, out = a_site(tmp_path), tmp_path / "out"
    days = sorted((reference / "data" / "daily_papers").glob("*.json"))
    editions = [edition for edition in map(recorded, days) if edition.papers][:30]
    for edition in editions:
        channel.write(out, channel.compose(a_page(edition, style, "ko", 10)))
    built = build(jekyll, out)
    posts = sorted(path for path in built.glob("**/*-papers.html"))
    assert len(posts) == 30
    for edition in editions:
        (post,) = (path for path in posts if path.parts[-4:-1] == tuple(f"{edition.day}".split("-")))
        text = post.read_text(encoding="utf-8")
        assert text.count("https://arxiv.org/abs/") == min(10, len(edition.papers))
        assert "{{" not in text
    assert (built / "index.html").read_bytes() == (out / "index.html").read_bytes()


def test_untrusted_text_means_nothing_to_jekyll(jekyll: str, tmp_path: Path) -> None:
    titles = [
        "{{ site.title }} {% include x %} {: .a} {::nomarkdown}",
        "<script>alert(1)</script> & &lt;b&gt;",
        "a | b `c` ~~d~~",
        "$$x$$ _y_ *z* [l](http://evil.example) ![p](q)",
        "--- === #",
        "1. one",
        "\\* back \\ slash \\",
        "[^1]: note",
    ]
    papers = [a_paper(f"2512.{n:05}", title, n, 50 - n) for n, title in enumerate(titles)]
    papers = [replace(paper, abstract=paper.title) for paper in papers]
    channel, out = a_site(tmp_path), tmp_path / "out"
    channel.write(out, channel.compose(a_page(an_edition(papers), Style.ABSTRACT, "en", 10)))
    (post,) = build(jekyll, out).glob("**/daily-papers.html")
    text = post.read_text(encoding="utf-8")
    assert re.findall(r"<a href=\"(?!https://(?:huggingface\.co/papers|arxiv\.org/abs)/)[^\"]*", text) == []
    assert not re.search(r"<(?!/?(?:h1|h2|p|ol|ul|li|strong|a)\b)[^>]*>", text)
    assert text.count("<li>") == len(titles) * 4
    plain = re.sub(r"<[^>]*>", "", text)
    shown = [
        " ".join(plain_math(title).split()).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
        for title in titles
    ]
    assert [title for title in shown if plain.count(title) < 2] == []


@pytest.fixture
def days(reference: Path) -> list[Edition]:
    """Two weeks of recorded days as the newsletter closes them: no paper comes twice."""
    held: set[str] = set()
    found = []
    for path in sorted((reference / "data" / "daily_papers").glob("2025-12-*.json"))[:14]:
        edition = recorded(path)
        fresh = [ranked.paper for ranked in edition.papers if ranked.paper.id not in held]
        held |= {paper.id for paper in fresh}
        if fresh:
            found.append(an_edition(fresh, edition.day))
    return found


def posts_of(tmp_path: Path, days: Sequence[Edition]) -> Iterator[tuple[Edition, str, Any]]:
    channel, out = a_site(tmp_path), tmp_path / "out"
    for edition in days:
        channel.write(out, channel.compose(a_page(edition, Style.ABSTRACT, "ko")))
    for edition in days:
        post = (out / "_posts" / f"{edition.day}-daily-papers.md").read_text(encoding="utf-8")
        yield edition, post, json.loads((out / "data" / f"{edition.day}.json").read_text(encoding="utf-8"))


def test_an_institution_is_the_feeds_name_without_its_counter(days: Sequence[Edition], tmp_path: Path) -> None:
    for edition, post, record in posts_of(tmp_path, days):
        named = [" ".join(each.paper.organisation.split()) for each in edition.papers if each.paper.organisation]
        assert post.count("   - 기관: ") == len(named)
        assert [each["institution"] for each in record["papers"] if each["institution"]] == named
        assert not re.search(r"기관: ·|authors\d", post)


def test_the_code_link_is_the_papers_own(days: Sequence[Edition], tmp_path: Path) -> None:
    footer = replace(days[0].papers[0].paper, code="https://github.com/huggingface")
    first = replace(days[0], papers=(Ranked(1, footer, 1), *days[0].papers[1:]))
    for edition, _, record in posts_of(tmp_path, [first, *days[1:]]):
        links = {paper["url"].rsplit("/")[-1]: paper["code_link"] for paper in record["papers"]}
        assert "https://github.com/huggingface" not in links.values()
        assert sum(link is not None for link in links.values()) == sum(
            bool(each.paper.code) for each in edition.papers
        ) - (edition is first)


def test_a_weekend_repeats_nothing_and_a_day_has_one_post(days: Sequence[Edition], tmp_path: Path) -> None:
    seen: list[str] = []
    for _, _, record in posts_of(tmp_path, days):
        seen += [paper["url"] for paper in record["papers"]]
    assert len(seen) == len(set(seen))
    again = [
        path.name
        for _ in range(2)
        for _ in posts_of(tmp_path, days)
        for path in (tmp_path / "out" / "_posts").iterdir()
    ]
    assert set(again) == {f"{edition.day}-daily-papers.md" for edition in days}
    assert not any(edition.day.weekday() >= 5 for edition in days)


def test_a_placeholder_is_not_shown_as_an_abstract(tmp_path: Path) -> None:
    paper = replace(a_paper("2512.00001", "T", 1, 1), abstract="Join the discussion on this paper page")
    ((_, post, record),) = posts_of(tmp_path, [an_edition([paper])])
    assert "Abstract" not in post
    assert record["papers"][0]["abstract"] is None


def test_a_months_record_follows_its_days_and_its_post_its_edition(tmp_path: Path) -> None:
    """Its record follows each day's, and its post its edition: no hour of any clock decides."""
    *_, (_, _, _) = posts_of(tmp_path, [mondays(), fridays([5, 4])])
    record = json.loads((tmp_path / "out" / "data" / "2025-12.json").read_text(encoding="utf-8"))
    assert (record["days_crawled"], record["total_papers"]) == (2, 7)
    assert record["generated_at"] == "2025-12-26T22:00:00Z"


def test_a_recording_and_the_days_charts_are_shown_where_they_exist(tmp_path: Path) -> None:
    channel, out = a_site(tmp_path), tmp_path / "out"
    page = a_page(fridays([5, 4]), Style.TRANSLATION, "zh-Hans")
    before = written(channel, out, page)
    for word in ("语音播报", "关键词云图", "近期论文趋势", "订阅渠道", "mp3", "images/"):
        assert word not in before
    (out / "audio").mkdir()
    (out / "audio" / "2025-12-25.mp3").write_bytes(b"ID3")
    (tmp_path / "photograph").write_bytes(PHOTOGRAPH)
    channel.place(out, {"2025-12-25_keywords.png": tmp_path / "photograph"})
    assert written(channel, out, page) == before
    channel.place(out, {"2025-12-26_keywords.png": tmp_path / "photograph"})
    assert "](images/2025-12-26_keywords.png)" in written(channel, out, page)
    assert "mp3" not in written(channel, out, page)


def test_arxiv_placeholders_do_not_become_links(tmp_path: Path) -> None:
    paper = replace(
        a_paper("2512.00001", "T", 1, 1), abstract="Code is available at [this https URL](this https URL) ."
    )
    ((_, post, _),) = posts_of(tmp_path, [an_edition([paper])])
    assert skeleton(post)[-1].endswith("Abstract: …")
    assert "](this" not in re.sub(r"\\.", "", post)


def test_every_file_is_utf_8(tmp_path: Path) -> None:
    ((_, post, _),) = posts_of(tmp_path, [fridays([5, 4, 3, 2, 1, 1, 1])])
    for word in ("일간", "👍", "π"):
        assert word in post
    for path in (tmp_path / "out").rglob("*.*"):
        path.read_bytes().decode("utf-8")


def test_hot_topics_are_shared_by_whole_words(tmp_path: Path) -> None:
    keywords = [("RL", "linear attention", "IS"), ("URL parsing", "attention"), ("Attention sinks", "this is it")]
    papers = [a_paper(f"2512.0000{n}", "T", n, 9 - n, keywords=words) for n, words in enumerate(keywords)]
    ours = written(a_site(tmp_path), tmp_path / "out", a_page(an_edition(papers), Style.TRANSLATION, "zh-Hans"))
    assert "- 热门领域：attention\n" in ours


def test_weeks_and_months_sum_up_their_days(days: Sequence[Edition], tmp_path: Path) -> None:
    records = [record for _, _, record in posts_of(tmp_path, days)]
    for name, first, last in (
        ("2025-12", date(2025, 12, 1), date(2025, 12, 31)),
        ("2025-W50", date(2025, 12, 8), date(2025, 12, 14)),
    ):
        found = json.loads((tmp_path / "out" / "data" / f"{name}.json").read_text(encoding="utf-8"))
        within = [each for each in records if first <= date.fromisoformat(each["date"]) <= last]
        papers = [paper for each in within for paper in each["papers"]]
        likes = sum(paper["likes"] for paper in papers)
        assert list(found)[2:] == [
            "generated_at", "total_papers", "total_likes", "average_likes", "days_crawled", "top_papers", "top_tags",
        ]  # fmt: skip
        assert (found["total_papers"], found["total_likes"]) == (len(papers), likes)
        assert found["average_likes"] == round(likes / len(papers), 2)
        assert found["days_crawled"] == len(within)
        assert [paper["likes"] for paper in found["top_papers"]] == sorted(
            (paper["likes"] for paper in papers), reverse=True
        )[:20]
        assert len(found["top_tags"]) == 10
        assert list(papers[0]) == [
            "title", "url", "published", "likes", "institution", "paper_link", "code_link", "abstract",
        ]  # fmt: skip


def test_statistics_look_back_on_seven_days(days: Sequence[Edition], tmp_path: Path) -> None:
    records = {record["date"]: record for _, _, record in posts_of(tmp_path, days)}
    last = date.fromisoformat(max(records))
    found = json.loads((tmp_path / "out" / "data" / f"{last}.stats.json").read_text(encoding="utf-8"))
    assert list(found) == ["period", "total_papers", "daily_average", "top_keywords", "daily_counts", "titles"]
    within = {day: each for day, each in records.items() if 0 <= (last - date.fromisoformat(day)).days < 7}
    assert found["period"] == f"{last - timedelta(days=6)}/{last}"
    assert list(found["daily_counts"]) == sorted(within)
    titles = {paper["url"]: paper["title"] for each in within.values() for paper in each["papers"]}
    assert found["titles"] == [titles[url] for url in dict.fromkeys(titles)]
    assert found["total_papers"] == sum(found["daily_counts"].values()) == len(titles)
    assert found["daily_average"] == round(len(titles) / len(within), 2)
    assert len(found["top_keywords"]) <= 20


def test_a_page_in_plain_words_has_a_table_that_is_no_formula(tmp_path: Path) -> None:
    edition = an_edition([a_paper("2512.00001", '=HYPERLINK("x")', 1, 7, keywords=("agents", "RL"))])
    channel, out = a_site(tmp_path), tmp_path / "out"
    written(channel, out, a_page(edition, Style.PLAIN, "ko"))
    (row,) = csv.DictReader((out / "data" / "2025-12-26.csv").read_text(encoding="utf-8").splitlines())
    assert row["Name"] == '\'=HYPERLINK("x")'
    assert (row["Upvotes"], row["Tags"], row["Date"]) == ("7", "agents, RL", "2025-12-26")
    assert row["Solution"]


def test_hot_topics_are_named_as_readers_know_them(tmp_path: Path) -> None:
    keywords = ("large language models", "world models")
    papers = [a_paper(f"2512.0000{n}", "T", n, 9 - n, keywords=keywords) for n in range(2)]
    named = {"ko": "LLM, 월드 모델", "en": "large language models, world models", "zh-Hans": "大语言模型、世界模型"}
    for language, topic in named.items():
        ours = written(a_site(tmp_path), tmp_path / language, a_page(an_edition(papers), Style.TRANSLATION, language))
        assert topic in ours.split("📝")[0]
        html = next((tmp_path / language).glob("2*.html")).read_text(encoding="utf-8")
        assert topic in html.split("📝")[0]


def test_hot_topics_of_one_name_are_one(tmp_path: Path) -> None:
    keywords = ("LLM", "large language models", "world models", "LLMs", "tides", "waves", "shores")
    papers = [a_paper(f"2512.0000{n}", "T", n, 9 - n, keywords=keywords) for n in range(2)]
    ours = written(a_site(tmp_path), tmp_path / "out", a_page(an_edition(papers), Style.TRANSLATION, "ko"))
    topics = "LLM, 월드 모델, tides, waves, shores"
    for text in (ours, next((tmp_path / "out").glob("2*.html")).read_text(encoding="utf-8")):
        assert re.search(rf": {topics}(?:</li>)?\n", text)


def test_a_title_without_a_translation_stands_once(tmp_path: Path) -> None:
    page = edition_page(fridays([5, 4]), Preferences(language="zh-Hans", style=Style.TRANSLATION))
    ours = written(a_site(tmp_path), tmp_path / "out", page)
    assert ours.count("Latent Implicit Visual Reasoning") == 1
    assert "原文标题" not in ours


def test_without_a_model_the_abstract_is_whole_and_the_feeds_sentence_is_the_summary(tmp_path: Path) -> None:
    papers = [replace(ranked.paper, abstract=ABSTRACT, sentence="The feed says so.") for ranked in fridays([5]).papers]
    news = edition_page(an_edition(papers), Preferences(language="zh-Hans", style=Style.TRANSLATION))
    for name, said in a_site(tmp_path).compose(news).parts().items():
        assert name == "json" or ABSTRACT in said
    page = edition_page(an_edition(papers), Preferences(language="ko", style=Style.HIGHLIGHTS))
    parts = a_site(tmp_path).compose(page).parts()
    assert "### 📌 요약\n\nThe feed says so.\n" in parts["markdown"]
    assert "The feed says so." in parts["html"]


@pytest.mark.parametrize("style", [Style.TRANSLATION, Style.PLAIN, Style.REVIEW, Style.HIGHLIGHTS])
def test_markdown_says_whose_words_stand_in(style: Style, tmp_path: Path) -> None:
    papers = [replace(ranked.paper, sentence="The feed says so.") for ranked in fridays([5, 4]).papers]
    page = edition_page(an_edition(papers), Preferences(language="ko", style=style))
    parts = a_site(tmp_path).compose(page).parts()
    labels = {page.labels[f"said_by_{block.said.source}"] for block in page.blocks} - {""}
    labels = {words("ko").gettext("site.abstract_original")} if style is Style.TRANSLATION else labels
    assert labels or all(block.said.style is style for block in page.blocks)
    for label in labels:
        assert parts["markdown"].count(f"*{label}*") == parts["html"].count(f">{label}<") > 0
