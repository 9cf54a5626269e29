"""The five layouts are those of the five digests, row for row; what was wrong there is not here.

The facts (ids, titles, names, votes, order) are those of the examples; every text about a paper was written for this
file.
"""

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml
from markdown_it import MarkdownIt
from markdown_it.token import Token

from bot.channel import Page
from bot.model import Cadence, Edition, Paper, Preferences, Ranked, Style, Text
from bot.render.edition_page import edition_page
from bot.render.styles import MISSING, TEXT_FIELDS
from bot.render.words import languages
from bot.rules.closing import rank
from bot.rules.periods import compile_period, period_of
from channels import site
from channels.site.channel import Site
from channels.site.settings import Settings
from tests.support.pages import kit, recorded

FRIDAY, MONDAY = date(2025, 12, 26), date(2025, 12, 22)
PHOTOGRAPH = b"\xff\xd8\xff\xd9"
LITERAL = 34
"""What is longer in a paragraph is prose, which is compared by its being there."""

FRIDAYS = {
    "2512.21218": ("Latent Implicit Visual Reasoning", "UC Berkeley"),
    "2512.20605": (
        "Emergent temporal abstractions in autoregressive models enable hierarchical reinforcement learning",
        "Google",
    ),
    "2512.15716": ("Spatia: Video Generation with Updatable Spatial Memory", "The University of Sydney"),
    "2512.19995": ("Schoenfeld's Anatomy of Mathematical Reasoning by Language Models", None),
    "2512.19949": ("How Much 3D Do Video Foundation Models Encode?", "University of Illinois at Urbana-Champaign"),
    "2512.19680": ("VA-π: Variational Policy Alignment for Pixel-Aware Autoregressive Generation", None),
    "2512.13043": ("GTR-Turbo: Merged Checkpoint is Secretly a Free Teacher for Agentic VLM Training", None),
}
AUTHORS = {
    "2512.21218": ("Kelvin Li", "Chuyi Shang", "Leonid Karlinsky", "A Fourth"),
    "2512.20605": ("Seijin Kobayashi", "Yanick Schimpf", "Maximilian Schlegel", "A Fourth"),
    "2512.15716": ("Jinjing Zhao", "Fangyun Wei", "Zhening Liu", "A Fourth"),
}
MONDAYS = {
    "2512.17909": (
        "Both Semantics and Reconstruction Matter: Making Representation Encoders Ready for Text-to-Image Generation "
        "and Editing"
    ),
    "2512.14870": "HERBench: A Benchmark for Multi-Evidence Integration in Video Question Answering",
    "2512.16483": "StageVAR: Stage-Aware Acceleration for Visual Autoregressive Models",
    "2512.15586": "Bolmo: Byteifying the Next Generation of Language Models",
    "2512.17459": "3D-RE-GEN: 3D Reconstruction of Indoor Scenes with a Generative Framework",
}

SAID = {
    "ko": "이 글은 검사를 위해 우리가 직접 쓴 것으로, {id} 논문의 {part} 부분이 놓일 자리를 보여 준다.",
    "zh-Hans": "这段文字是我们为测试而写的，用来表示论文 {id} 的 {part} 部分应当出现在这个位置上，并没有别的含义。",
}
ELSE = "This was written for a test and stands where the part {part} of the paper {id} is said, in whatever language."


def a_paper(id: str, title: str, place: int, votes: int | None, day: date = FRIDAY, **more: Any) -> Paper:  # noqa: A002
    listed = datetime(day.year, day.month, day.day, 1, place, tzinfo=UTC)
    abstract = (
        f"We wrote this abstract of {id} for a test. It is long enough to be told from a label, and says no more."
    )
    known = {"authors": ("Ada", "Bo"), "published": day, **more}
    return Paper(id, title, abstract, day, listed, votes=votes, **known)


def an_edition(papers: Sequence[Paper], day: date = FRIDAY) -> Edition:
    return Edition(Cadence.DAY, day, datetime(day.year, day.month, day.day, 22, tzinfo=UTC), rank(papers))


def fridays(votes: Sequence[int]) -> Edition:
    papers = []
    for place, (id_, (title, organisation)) in enumerate(FRIDAYS.items()):
        if place < len(votes):
            authors = AUTHORS.get(id_, ("Ada", "Bo"))
            keywords = (f"a keyword of {id_} alone",)
            given: dict[str, Any] = {"organisation": organisation, "authors": authors, "keywords": keywords}
            papers.append(a_paper(id_, title, place, votes[place], **given))
    return an_edition(papers)


def mondays() -> Edition:
    papers = [a_paper(id_, title, place, 16 - place, MONDAY) for place, (id_, title) in enumerate(MONDAYS.items())]
    return an_edition(papers, MONDAY)


def texts_about(edition: Edition, style: Style, language: str, **said: str) -> dict[str, dict[Style, Text]]:
    """What a model might have written about every paper of an edition; `said` gives parts as `p<id>_<part>`."""
    sentence = SAID.get(language, ELSE)
    found = {}
    for ranked in edition.papers:
        id_ = ranked.paper.id
        names = [part.name for part in TEXT_FIELDS.get(style, ())]
        parts = {name: said.get(f"p{id_}_{name}", sentence.format(id=id_, part=name)) for name in names}
        found[id_] = {style: Text(id_, language, style, parts)} if parts else {}
    return found


def a_site(home: Path, **given: str) -> Site:
    return site.open(Settings.model_validate(given), kit(home))


def a_page(edition: Edition, style: Style, language: str, papers: int = 0, **said: str) -> Page:
    wanted = Preferences(language=language, style=style, papers=papers)
    return edition_page(edition, wanted, texts=texts_about(edition, style, language, **said))


def written(channel: Site, folder: Path, page: Page) -> str:
    """A page's Markdown, as it stands in a folder."""
    got = channel.write(folder, channel.compose(page))
    return (folder / got.names[0]).read_text(encoding="utf-8")


# ---- a page as its bare structure ---------------------------------------------------------------------------


def front_matter(text: str) -> tuple[dict[str, Any], str]:
    """The front matter of a post and what follows it."""
    found = re.match(r"\A---\n(.*?\n)---\n", text, re.DOTALL)
    return (yaml.safe_load(found[1]), text[found.end() :]) if found else ({}, text)


def skeleton(text: str) -> list[str]:
    """What a page is made of, line by line: headings, labels, bullets, kinds of links, pictures, rules, folds."""
    front, body = front_matter(text)
    lines = [f"front {' '.join(front)}"] if front else []
    inside: list[str] = []
    for token in MarkdownIt("commonmark").parse(body):
        if token.type == "inline":
            lines.append(f"{' '.join(inside)} {inline(token.children or [])}".strip())
        elif token.type == "hr":
            lines.append("---")
        elif token.type == "html_block":
            lines.append(re.sub(r"\s+", "", token.content))
        elif token.nesting > 0 and token.type != "paragraph_open":
            inside.append({"heading_open": token.tag, "blockquote_open": ">"}.get(token.type, marker(token)))
        elif token.nesting < 0 and token.type != "paragraph_close":
            inside.pop()
    return lines


def marker(token: Token) -> str:
    if token.type == "list_item_open":
        return f"{token.info}." if token.info else "-"
    return "*"


def inline(children: Sequence[Token]) -> str:
    said, where = [""], ""
    for child in children:
        match child.type:
            case "text" | "softbreak":
                said[-1] += child.content or " "
            case "strong_open" | "strong_close":
                said += ["**", ""]
            case "link_open":
                where = kind(str(child.attrs["href"]))
                said += ["[", ""]
            case "link_close":
                said += [f"]({where})", ""]
            case "image":
                said += [f"![{child.content}]({kind(str(child.attrs['src']))})", ""]
            case "html_inline":
                said += [re.sub(r'( alt=""| width="30"|/)', "", re.sub(r'src="[^"]*"', "", child.content)).strip(), ""]
    return " ".join(filter(None, (literal(piece.strip()) for piece in said)))


def literal(text: str) -> str:
    """Labels, names and numbers as they are; prose as its being there."""
    if len(text) <= LITERAL or text in KNOWN or text.endswith("..."):
        return text
    label = re.match(r"Abstract: |\d+\. ", text)
    return f"{label[0] if label else ''}…"


KNOWN = {title for title, _ in FRIDAYS.values()} | set(MONDAYS.values())
KNOWN |= {f"{place}. {title}" for title in KNOWN for place in range(1, 8)}


def kind(url: str) -> str:
    """Where an address leads, as far as a layout decides it."""
    for pattern, name in {
        r"https://huggingface\.co/papers/([\d.]+)": "hf",
        r"https://arxiv\.org/abs/([\d.]+)": "arxiv",
        r"https://www\.alphaxiv\.org/((?:\w\w/)?overview/[\d.]+)": "alphaxiv",
        r"(?:\.\./)?images/.+\.(?:jpe?g|png)()": "picture",
        r"(?:\.\./)?audio/.+\.mp3()": "audio",
        r"https://github\.com/[^/]+/[^/]+()": "github",
    }.items():
        if found := re.fullmatch(pattern, url):
            return f"{name}:{found[1]}"
    return url


def example(reference: Path, number: str) -> str:
    (path,) = (reference / "examples").glob(f"{number}_*.txt")
    return path.read_text(encoding="utf-8")


def test_illustrated_is_made_as_its_example(reference: Path, tmp_path: Path) -> None:
    edition = fridays([57, 54, 25, 13, 8, 6, 3])
    channel, best = a_site(tmp_path), list(FRIDAYS)[:5]
    pictures = {f"{id_}.thumb.jpg" for id_ in best} | {f"{best[0]}.fig.jpg", f"{best[4]}.fig.png"}
    (tmp_path / "photograph").write_bytes(PHOTOGRAPH)
    channel.place(tmp_path / "out", dict.fromkeys(pictures, tmp_path / "photograph"))
    ours = written(channel, tmp_path / "out", a_page(edition, Style.HIGHLIGHTS, "ko", 5))
    assert skeleton(ours) == skeleton(example(reference, "000"))
    assert ours.startswith("# 2025-12-26 Daily Papers (Top 5)\n")


def test_jekyll_is_made_as_its_example(reference: Path, tmp_path: Path) -> None:
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


def test_plain_is_made_as_its_example(reference: Path, tmp_path: Path) -> None:
    page = a_page(fridays([51, 46, 20]), Style.PLAIN, "zh-Hans", 3)
    ours = written(a_site(tmp_path), tmp_path / "out", page)
    assert skeleton(ours) == skeleton(example(reference, "002"))
    assert (tmp_path / "out" / "2025-12-26_papers.md").is_file()


def test_the_newspaper_is_made_as_its_example(reference: Path, tmp_path: Path) -> None:
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


def test_the_review_is_made_as_its_example(reference: Path, tmp_path: Path) -> None:
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
def test_the_same_layout_on_another_day_in_another_language(
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
def test_every_layout_is_there_in_every_language(tmp_path: Path, name: str, language: str) -> None:
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
def test_what_a_paper_lacks_is_said_in_another_way(tmp_path: Path, name: str, other: Style | None) -> None:
    """Where a text is missing there is another style's, or the feed's sentence, in the same layout."""
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
        del expected[7]  # the heading over the second paper's points
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


# ---- Jekyll -------------------------------------------------------------------------------------------------


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


def test_what_strangers_wrote_means_nothing_to_jekyll(jekyll: str, tmp_path: Path) -> None:
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
    shown = [title.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;") for title in titles]
    assert [title for title in shown if plain.count(title) < 2] == []


# ---- what was wrong with the examples, and is not here ------------------------------------------------------


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


def test_an_institution_is_the_feeds_own_name_and_no_counter(days: Sequence[Edition], tmp_path: Path) -> None:
    for edition, post, record in posts_of(tmp_path, days):
        named = [" ".join(each.paper.organisation.split()) for each in edition.papers if each.paper.organisation]
        assert post.count("   - 기관: ") == len(named)
        assert [each["institution"] for each in record["papers"] if each["institution"]] == named
        assert not re.search(r"기관: ·|authors\d", post)


def test_code_is_a_papers_own_and_never_the_footer_of_the_site(days: Sequence[Edition], tmp_path: Path) -> None:
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


def test_what_a_page_says_without_an_abstract_is_no_abstract(tmp_path: Path) -> None:
    paper = replace(a_paper("2512.00001", "T", 1, 1), abstract="Join the discussion on this paper page")
    ((_, post, record),) = posts_of(tmp_path, [an_edition([paper])])
    assert "Abstract" not in post
    assert record["papers"][0]["abstract"] is None


def test_a_month_is_made_whenever_it_is_there(tmp_path: Path) -> None:
    """Its record follows each day's, and its post its edition: no hour of any clock decides."""
    *_, (_, _, _) = posts_of(tmp_path, [mondays(), fridays([5, 4])])
    record = json.loads((tmp_path / "out" / "data" / "2025-12.json").read_text(encoding="utf-8"))
    assert (record["days_crawled"], record["total_papers"]) == (2, 7)
    assert record["generated_at"] == "2025-12-26T22:00:00Z"


def test_a_recording_is_offered_where_it_is_and_a_chart_is_its_days_own(tmp_path: Path) -> None:
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


def test_placeholders_of_arxiv_become_no_links(tmp_path: Path) -> None:
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


def test_the_days_of_a_week_and_a_month_are_summed_up(days: Sequence[Edition], tmp_path: Path) -> None:
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
