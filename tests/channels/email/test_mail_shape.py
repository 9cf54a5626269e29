"""The shape of a mail: what an inbox shows, the first paper with its picture, few links, and bookkeeping last."""

import re
from dataclasses import replace
from email import message_from_bytes
from email.policy import SMTPUTF8
from pathlib import Path

import pytest

from bot.channel import Personal
from bot.model import OFF, Cadence, Preferences, Style
from bot.render.edition_page import edition_page
from channels.email.message import Mail
from channels.email.plain_text import wrap
from channels.email.subject import short_title
from tests.support.email_channel import PUBLIC, READER, opened
from tests.support.mail_pictures import LANGUAGES, channel, mail
from tests.support.pages import edition, page, paper, recorded

KEYWORDS = "The keywords of these papers; larger ones stand for more papers and votes"
TITLES = (
    "Recursive Multi-Agent Systems",
    "DV-World: Benchmarking Data Visualization Agents in Real-World Scenarios",
    "Programming with Data: Test-Driven Data Engineering for Self-Improving LLMs",
    "Meta-CoT: Enhancing Granularity and Generalization in Image Editing",
    "A fifth",
)
FIVE = [
    paper(
        number,
        title=title,
        comments=number,
        code=f"https://github.com/example/{number}",
        project=f"https://example.org/{number}",
        thumbnail=f"https://cdn-thumbnails.huggingface.co/{number}.png",
    )
    for number, title in enumerate(TITLES, start=1)
]
BUSY = [replace(each, id=f"2604.1{n}{each.id[-3:]}", comments=9) for n in range(2) for each in FIVE]


def arrived(made: Mail, personal: Personal, *, public: str | None = PUBLIC) -> tuple[str, str]:
    """Text and HTML of a mail as it arrives at a reader."""
    there = opened(25, public=public)
    raw = b"".join(there._wire_message("ada@example.com", made, personal, there._token(personal)))
    read = message_from_bytes(raw, policy=SMTPUTF8)
    text, html = (read.get_body((kind,)) for kind in ("plain", "html"))
    assert text is not None
    assert html is not None
    return text.get_content(), html.get_content()


def subject_of(made: Mail) -> str:
    return str(message_from_bytes(made.headers, policy=SMTPUTF8)["Subject"])


@pytest.mark.parametrize(
    ("count", "subject"),
    [
        (1, "Recursive Multi-Agent Systems"),
        (2, "Recursive Multi-Agent Systems, DV-World"),
        (3, "Recursive Multi-Agent Systems, DV-World + 1 more"),
        (5, "Recursive Multi-Agent Systems, DV-World + 3 more"),
    ],
)
def test_the_subject_names_the_first_papers(count: int, subject: str) -> None:
    assert subject_of(mail(edition(*FIVE[:count]), "en", Style.HEADLINE)) == subject


def test_the_subject_counts_in_every_language() -> None:
    said = {language: subject_of(mail(edition(*FIVE), language, Style.HEADLINE)) for language in LANGUAGES}
    assert said["ko"] == "Recursive Multi-Agent Systems, DV-World 외 3편"
    assert all("3" in each for each in said.values())


@pytest.mark.parametrize(
    ("title", "shown"),
    [
        ("Attention Is All You Need", "Attention Is All You Need"),
        ("World-R1: Reinforcing 3D Constraints", "World-R1"),
        ("A: what", "A: what"),
        ("研究：一个方法", "研究"),
        ("Ratio 3:1 matters", "Ratio 3:1 matters"),
        ("Words " * 20, "Words " * 8 + "Words…"),
        ("字" * 60, "字" * 27 + "…"),
        ("x" * 300, "x" * 28 + "…"),
    ],
)
def test_a_title_in_the_subject_is_short(title: str, shown: str) -> None:
    assert short_title(title.strip()) == shown


def test_subjects_of_recorded_days_differ_from_their_beginning(reference: Path, long: bool) -> None:
    days = sorted((reference / "data" / "daily_papers").glob("*.json"))[-(400 if long else 12) :]
    papers = [recorded(day) for day in days]
    subjects = [subject_of(mail(each, "en", Style.HEADLINE, 10))[:40] for each in papers if each.papers]
    assert len(set(subjects)) == len(subjects)


def test_the_preheader_goes_on_with_the_next_papers() -> None:
    html = mail(edition(*FIVE), "en", Style.HEADLINE).parts()["html"]
    [preview] = re.findall(r'<div class="preview"[^>]*>([^<]*)<', html)
    assert preview.startswith(" · ".join(TITLES[1:4]))
    assert TITLES[4] not in preview


@pytest.mark.parametrize("style", list(Style))
@pytest.mark.parametrize("part", ["text", "html"])
def test_bookkeeping_comes_last(style: Style, part: str) -> None:
    said = mail(edition(*FIVE, paper(6)), "en", style, 5).parts()[part]
    last = said.index(TITLES[2 if style is Style.BRIEF else 4][:20])
    assert last < said.index("votes as of 29 April, 22:04 UTC") < said.index("Unsubscribe")
    assert said.count("▲") == said.count("▲ ") + said.count("▲\xa0") + said.count("▲&nbsp;") >= 3
    assert "99 votes" not in re.sub(r'aria-label="[^"]*"', "", said), "votes are said once"


@pytest.mark.parametrize("style", list(Style))
def test_ten_papers_have_few_links(style: Style) -> None:
    ten = replace(edition(*BUSY), cadence=Cadence.DAY)
    html = mail(ten, "en", style, 10).parts()["html"]
    assert html.count("<a ") <= 42 - 3, "three more name missed editions"
    assert "arxiv.org" not in html
    assert "example.org/1" not in html, "the rest stands on the paper's page"


def test_a_discussion_is_linked_from_three_comments_on() -> None:
    html = mail(edition(*FIVE), "en", Style.HEADLINE).parts()["html"]
    assert re.findall(r"Discussion \((\d)\)", html) == ["3", "4", "5"]


def test_long_styles_have_contents_with_anchors() -> None:
    html = mail(edition(*FIVE), "en", Style.ABSTRACT).parts()["html"]
    anchors = re.findall(r'href="#(\w+)"', html)
    assert anchors == ["p2", "p3", "p4", "p5"]
    assert all(f'id="{each}"' in html for each in anchors)
    assert 'href="#' not in mail(edition(*FIVE), "en", Style.HEADLINE).parts()["html"]


def test_the_first_paper_also_says_what_came_of_it() -> None:
    abstract = "Agents are slow. We propose a loop. Experiments show that it improves accuracy by 8.3% on nine tasks."
    first = paper(1, abstract=abstract, sentence="A loop for agents.")
    for said in mail(edition(first, paper(2)), "en", Style.HEADLINE).parts().values():
        assert "Experiments show that it improves accuracy by 8.3%" in " ".join(said.split())


# The picture


def test_the_picture_has_one_address_for_all_readers_and_a_fixed_size() -> None:
    made = mail(edition(*FIVE), "en", Style.HEADLINE)
    _, html = arrived(made, READER)
    [picture] = re.findall(r"<img [^>]*>", html)
    assert f'src="{PUBLIC}/pictures/{FIVE[0].id}.large.jpg"' in picture
    assert 'width="576" height="311"' in picture
    assert f'alt="{TITLES[0]}"' in picture


def test_a_reader_can_turn_the_picture_off() -> None:
    made = mail(edition(*FIVE), "en", Style.HEADLINE)
    _, html = arrived(made, replace(READER, extras={"picture": OFF}))
    assert "<img" not in html


@pytest.mark.parametrize("public", [True, False])
def test_without_a_picture_of_ours_there_is_none(public: bool) -> None:
    bare = edition(paper(1), paper(2)) if public else edition(*FIVE)
    assert "<img" not in mail(bare, "en", Style.HEADLINE, public=public).parts()["html"]


# Pictures of weeks and months


def drawn(cadence: Cadence, *names: str, public: str | None = PUBLIC) -> Mail:
    """The mail of a period of which the pictures with these names have been drawn, in English."""
    there = opened(25, public=public)
    kit = replace(
        there._kit,
        media=lambda slug, language, name: Path(name) if (language, name) in {("en", n) for n in names} else None,
    )
    week = edition_page(edition(*FIVE, cadence=cadence), Preferences())
    return replace(there._composer, kit=kit).compose(week)


def test_a_weeks_mail_shows_what_was_drawn_of_it_by_day_and_by_night() -> None:
    made = drawn(Cadence.WEEK, "keywords.png", "keywords-dark.png", "trend.png")
    _, html = arrived(made, READER)
    assert (
        f'<source media="(prefers-color-scheme: dark)" srcset="{PUBLIC}/media/2026-W18/en/keywords-dark.png">' in html
    )
    shown = re.findall(r'src="([^"]+/media/[^"]+)" width="576" height="(\d+)" alt="([^"]+)"', html)
    assert shown == [
        (f"{PUBLIC}/media/2026-W18/en/keywords.png", "360", KEYWORDS),
        (f"{PUBLIC}/media/2026-W18/en/trend.png", "269", "The number of papers over time"),
    ]
    assert html.index("/media/") > html.index(TITLES[4])
    assert "/media/" not in arrived(made, replace(READER, extras={"picture": OFF}))[1]
    assert "The number of papers over time" in drawn(Cadence.MONTH, "trend.png").parts()["html"]


def test_days_and_periods_without_pictures_have_none() -> None:
    assert "/media/" not in drawn(Cadence.DAY, "keywords.png", "trend.png").parts()["html"]
    assert "/media/" not in drawn(Cadence.WEEK).parts()["html"]
    assert "/media/" not in drawn(Cadence.WEEK, "keywords.png", public=None).parts()["html"]


# Readers


def test_the_first_mail_says_when_editions_come_and_how_to_change_that() -> None:
    made = mail(edition(*FIVE), "en", Style.HEADLINE)
    for said in arrived(made, replace(READER, welcome="daily · 08:00 · Berlin")):
        welcome, first = said.index("Welcome!"), said.rindex(TITLES[0])
        assert welcome < said.index("When it comes: daily · 08:00 · Berlin") < first
        assert welcome < said.index(READER.links["settings"]) < first
        assert "papers@example.org" in said
    assert all("Welcome!" not in said for said in arrived(made, READER))
    assert arrived(made, READER)[0].count("\r\n\r\n\r\n") == 5, "nothing is left of it"


def test_fewer_emails_stands_beside_unsubscribe() -> None:
    text, html = arrived(mail(edition(*FIVE), "en", Style.HEADLINE), READER)
    assert f'href="{READER.links["fewer"]}"' in html
    assert f"Fewer emails: {READER.links['fewer']}" in text


def test_somebody_who_was_forwarded_a_mail_can_subscribe() -> None:
    text, html = arrived(mail(edition(*FIVE), "ko", Style.ABSTRACT), READER)
    where = f"{PUBLIC}/ko/2026-04-29?style=abstract#subscribe"
    assert where in html
    assert where in text


def test_without_a_web_site_no_page_of_ours_is_named() -> None:
    made = mail(edition(*FIVE), "en", Style.HEADLINE, public=False)
    for said in arrived(made, Personal("1.2", reader=READER.reader), public=None):
        assert "papers.example.org" not in said
        assert "https://huggingface.co/papers/2604.00001" in said


# Whose words


def test_the_model_and_the_day_are_named_once_where_they_are_the_same() -> None:
    said = page(*FIVE, style=Style.HEADLINE)
    written = [replace(each, said=replace(each.said, byline="Written by m on 29 Apr 2026")) for each in said.blocks]
    same = channel(Path()).compose(replace(said, blocks=written)).parts()
    assert [part.count("Written by m") for part in same.values()] == [1, 1]
    written[2] = replace(written[2], said=replace(written[2].said, byline="Written by n on 30 Apr 2026"))
    differing = channel(Path()).compose(replace(said, blocks=written)).parts()
    assert [part.count("Written by m") for part in differing.values()] == [4, 4]


# Plain text from the right


def test_an_isolate_that_is_wrapped_is_whole_on_every_line() -> None:
    names = ", ".join(["Grace Brewster Murray Hopper"] * 6)
    lines = wrap(f"    \u2068{names}\u2069 · \u2068Somewhere\u2069").splitlines()
    assert len(lines) > 2
    for line in lines:
        assert line.count("\u2068") == line.count("\u2069") > 0
        assert re.match(r" {4}\u2068", line)


# The head


@pytest.mark.parametrize(("size", "shown"), [((480, 80), (240, 40)), ((100, 200), (20, 40)), ((60, 20), (60, 20))])
def test_a_logo_stands_at_the_head_as_small_as_it_has_to_be(size: tuple[int, int], shown: tuple[int, int]) -> None:
    there = channel(Path())
    composer = replace(there._composer, kit=replace(there._composer.kit, logo=size))
    html = composer.compose(page(*FIVE)).parts()["html"]
    [logo] = re.findall(r"<img [^>]*logo[^>]*>", html)
    assert f'src="{PUBLIC}/logo.png"' in logo
    assert f'width="{shown[0]}" height="{shown[1]}"' in logo
    assert 'alt="Morning Papers"' in logo
