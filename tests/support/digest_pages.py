"""Pages of the days that the example digests show. Facts are those of the examples, texts are our own."""

import re
from collections.abc import Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import yaml
from markdown_it import MarkdownIt
from markdown_it.token import Token

from bot.channel import Page
from bot.model import Cadence, Edition, Paper, Preferences, Style, Text
from bot.render.edition_page import edition_page
from bot.render.styles import TEXT_FIELDS
from bot.rules.closing import rank
from channels import site
from channels.site.channel import Site
from channels.site.settings import Settings
from tests.support.pages import kit

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


def front_matter(text: str) -> tuple[dict[str, Any], str]:
    """The front matter of a post and what follows it."""
    found = re.match(r"\A---\n(.*?\n)---\n", text, re.DOTALL)
    return (yaml.safe_load(found[1]), text[found.end() :]) if found else ({}, text)


KNOWN = {title for title, _ in FRIDAYS.values()} | set(MONDAYS.values())
KNOWN |= {f"{place}. {title}" for title in KNOWN for place in range(1, 8)}


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
