"""Sites: an edition is written as whole files, at once, and the same edition again touches none of them."""

import json
import re
import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest
import yaml

from bot.channel import Channel, Deferred, Gone, Sent
from bot.model import Cadence, Style
from bot.render.edition_page import notice_page
from bot.render.words import words
from bot.settings import SettingsError, read
from channels.site import folder_writer
from channels.site.channel import Site
from channels.site.escaping import escape
from channels.site.settings import Settings
from tests.support.pages import CLOSED, page, paper
from tests.support.site_channel import MARKDOWN, PERSONAL, ROOT, contents, opened, stamps


async def test_an_edition_becomes_markdown_html_records_and_index(channel: Site, blog: Path) -> None:
    sheet = channel.compose(page(paper(), paper(2)))
    async with channel:
        outcome = await channel.send("blog", sheet, PERSONAL)
    assert outcome == Sent(receipt=str(blog / "2026-04-29.html"))
    found = contents(blog)
    assert set(found) == {
        "_posts/2026-04-29-daily-papers.md",
        "2026-04-29.html",
        "data/2026-04-29.json",
        "data/2026-04-29.keywords.json",
        "data/2026-04-29.stats.json",
        "data/2026-W18.json",
        "data/2026-04.json",
        "index.md",
        "index.html",
    }
    assert {name: text.encode() for name, text in sheet.parts().items()} == {
        "markdown": found["_posts/2026-04-29-daily-papers.md"],
        "html": found["2026-04-29.html"],
        "json": found["data/2026-04-29.json"],
    }
    assert sheet.sizes()["bytes of Markdown"] == len(found["_posts/2026-04-29-daily-papers.md"])


def test_it_is_a_rehearsal_channel_without_built_in_recipients(channel: Site) -> None:
    assert isinstance(channel, Channel)
    assert channel.rehearsal
    assert channel.repeats_unknown
    assert not channel.residents


@pytest.mark.parametrize("name", ["a", "blog", "lab/ko", "a.b_c-d/2026", "0", "a" * 100])
def test_a_recipient_is_a_folder(name: str, channel: Site) -> None:
    assert channel.recipient(name) == name


@pytest.mark.parametrize(
    "name", ["", "..", "a/..", "../up", "/a", "a/", "a//b", "A", "-a", ".git", "a/.git", "a b", "a\n", "é", "a" * 101]
)
async def test_an_invalid_folder_name_is_gone_and_writes_nothing(name: str, channel: Site, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="not a valid folder name"):
        channel.recipient(name)
    assert isinstance(await channel.send(name, channel.compose(page(paper())), PERSONAL), Gone)
    assert contents(tmp_path) == {}


@pytest.mark.parametrize(
    ("style", "place"),
    [
        (Style.HIGHLIGHTS, "2026-04-29.md"),
        (Style.ABSTRACT, "_posts/2026-04-29-daily-papers.md"),
        (Style.HEADLINE, "_posts/2026-04-29-daily-papers.md"),
        (Style.PLAIN, "2026-04-29_papers.md"),
        (Style.TRANSLATION, "2026-04-29.md"),
        (Style.REVIEW, "_posts/2026-04-29-daily-papers.md"),
    ],
)
async def test_the_style_decides_the_layout(style: Style, place: str, channel: Site, blog: Path) -> None:
    await channel.send("blog", channel.compose(page(paper(), style=style)), PERSONAL)
    assert place in contents(blog)
    assert len([name for name in contents(blog) if name.endswith(".md")]) == 2


async def test_downloaded_pictures_are_copied_and_shown(channel: Site, blog: Path, tmp_path: Path) -> None:
    name = f"{paper().id}.thumb.jpg"
    (channel._pictures / name).write_bytes(b"a picture")
    message = channel.compose(page(paper(), paper(2), style=Style.HIGHLIGHTS))
    assert isinstance(await channel.send("blog", message, PERSONAL), Sent)
    assert (blog / "images" / name).read_bytes() == b"a picture"
    shown = (blog / "2026-04-29.md").read_text(encoding="utf-8")
    assert shown.count("![") == 1
    assert f"images/{name}" in shown


async def test_a_notice_is_not_written_to_a_site(channel: Site, blog: Path) -> None:
    notice = notice_page("The disk is full.", words("en"), CLOSED)
    assert await channel.send("blog", channel.compose(notice), PERSONAL) == Sent()
    assert contents(blog) == {}


async def test_the_sample_is_written_but_not_listed(channel: Site, blog: Path) -> None:
    sample = page(paper(), slug="sample")
    assert isinstance(await channel.send("blog", channel.compose(sample), PERSONAL), Sent)
    assert set(contents(blog)) == {"sample.md", "sample.html"}


def test_composing_reads_no_file(channel: Site, blog: Path) -> None:
    shown = page(paper(), style=Style.HIGHLIGHTS)
    before = channel.compose(shown)
    channel.place(blog, {"2604.00001.thumb.jpg": ROOT / "LICENSE"})
    assert channel.compose(shown) == before
    got = channel.write(blog, before)
    assert "images/2604.00001.thumb.jpg" in got.names
    assert "](images/2604.00001.thumb.jpg)" in (blog / "2026-04-29.md").read_text()
    assert '<img src="images/2604.00001.thumb.jpg"' in (blog / "2026-04-29.html").read_text()
    assert "img-src 'self'" in (blog / "2026-04-29.html").read_text()
    assert "img-src" not in before.html


@pytest.mark.parametrize("name", ["../x.jpg", "2604.00001.jpg", "a title.thumb.jpg", "2604.00001.thumb.png", ""])
def test_other_picture_names_are_refused(name: str, channel: Site, blog: Path) -> None:
    with pytest.raises(ValueError, match="names no picture"):
        channel.place(blog, {name: ROOT / "LICENSE"})


def test_the_index_lists_existing_pages_newest_first(channel: Site, blog: Path) -> None:
    for day, cadence, slug in (
        (date(2026, 4, 28), Cadence.DAY, "2026-04-28"),
        (date(2026, 4, 29), Cadence.DAY, "2026-04-29"),
        (date(2026, 4, 30), Cadence.MONTH, "2026-04"),
        (date(2026, 5, 3), Cadence.WEEK, "2026-W18"),
    ):
        channel.write(blog, channel.compose(page(paper(title="A | B"), day=day, cadence=cadence, slug=slug)))
    html, text = (blog / "index.html").read_text(), (blog / "index.md").read_text()
    assert re.findall(r'href="(2026[^"]*)\.html"', html) == ["2026-W18", "2026-04", "2026-04-29", "2026-04-28"]
    assert sum(token.type == "tr_open" for token in MARKDOWN.parse(text)) == 5
    assert text.count("A \\| B") == 2
    links = [unescaped(link) for link in re.findall(r"\]\(([^)]*)\)", text)]
    assert all((blog / link).is_file() for link in links)
    (blog / "2026-04-28.html").unlink()
    channel.write(blog, channel.compose(page(paper())))
    assert "2026-04-28" not in (blog / "index.html").read_text()


def unescaped(link: str) -> str:
    return link.replace("\\", "")


async def test_a_folder_that_cannot_be_created_defers_only_its_recipient(channel: Site, tmp_path: Path) -> None:
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "blog").write_text("a file stands in the way")
    outcome = await channel.send("blog", channel.compose(page(paper())), PERSONAL)
    assert isinstance(outcome, Deferred)
    assert outcome.scope == "recipient"
    assert isinstance(await channel.send("other", channel.compose(page(paper())), PERSONAL), Sent)


async def test_a_read_only_site_dir_defers_the_channel(channel: Site, tmp_path: Path) -> None:
    (tmp_path / "site").write_text("a file stands in the way")
    outcome = await channel.send("blog", channel.compose(page(paper())), PERSONAL)
    assert isinstance(outcome, Deferred)
    assert outcome.scope == "channel"
    (finding,) = await channel.check()
    assert not finding.ok
    assert "SITE_DIR" in finding.says


def test_it_is_configured_by_site_dir() -> None:
    assert not read(Settings, {}).configured
    assert not read(Settings, {"SITE_AUTHOR": "Ada"}).configured
    assert read(Settings, {"SITE_DIR": "sites"}).configured


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SITE_GIT", "yes"), ("SITE_TAGS", "a, {b}"), ("SITE_TITLE", "Papers"), ("SITE_TIME", "8:15"),
        ("SITE_TIME", "24:00"), ("SITE_TIMEZONE", "KST"), ("SITE_TIMEZONE", "+15000"), ("SITE_PERMALINK", "on"),
        ("SITE_URL", "javascript:alert(1)"), ("SITE_URL", "https://a/b)c"),
    ],
)  # fmt: skip
def test_an_invalid_setting_is_reported_in_one_sentence(name: str, value: str) -> None:
    with pytest.raises(SettingsError) as error:
        read(Settings, {name: value})
    assert str(error.value).startswith(f"{name} must be ")
    said = (ROOT / "docs" / "settings.md").read_text(encoding="utf-8")
    assert str(error.value) in said


def test_names_come_from_the_settings(tmp_path: Path) -> None:
    channel = opened(
        tmp_path,
        SITE_AUTHOR="Ada Lovelace <ada@lab.example>",
        SITE_TAGS="papers, machine learning",
        SITE_TITLE='The "{date}" papers: all',
        SITE_TIME="07:05",
        SITE_TIMEZONE="-0330",
        SITE_PERMALINK="yes",
    )
    text = channel.compose(page(paper(), style=Style.ABSTRACT)).markdown
    front = yaml.safe_load(text.split("---")[1])
    assert list(front) == ["title", "permalink", "date", "categories", "tags", "author"]
    assert front["title"] == 'The "2026-04-29" papers: all'
    assert front["permalink"] == "/posts/daily-papers-2026-04-29/"
    assert front["date"] == "2026-04-29 07:05:00 -0330"  # as Jekyll writes it, which is none of YAML's ways
    assert (front["tags"], front["author"]) == (["papers", "machine learning"], "Ada Lovelace")
    assert "lab.example" not in text
    assert f"# {escape(front['title'])}\n" in text


@pytest.mark.parametrize("style", Style)
async def test_writing_the_same_edition_again_touches_no_file(style: Style, channel: Site, blog: Path) -> None:
    shown = page(paper(), paper(2), style=style)
    await channel.send("blog", channel.compose(shown), PERSONAL)
    before = stamps(blog)
    assert isinstance(await channel.send("blog", channel.compose(shown), PERSONAL), Sent)
    assert stamps(blog) == before
    assert not channel.write(blog, channel.compose(shown)).changed


def test_the_days_record_says_when_its_edition_was_closed(channel: Site, blog: Path) -> None:
    channel.write(blog, channel.compose(page(paper())))
    assert json.loads((blog / "data" / "2026-04-29.json").read_text())["crawled_at"] == "2026-04-29T22:04:00Z"


def test_a_changed_edition_changes_only_its_own_files(channel: Site, blog: Path) -> None:
    for day in (date(2026, 4, 1), date(2026, 4, 29)):
        channel.write(blog, channel.compose(page(paper(day.day), day=day, slug=f"{day}")))
    before = contents(blog)
    got = channel.write(blog, channel.compose(page(paper(29, votes=1), paper(30))))
    after = contents(blog)
    assert {name for name in after if after[name] != before[name]} == set(got.changed)
    assert not [name for name in got.changed if "2026-04-01" in name]
    assert "2026-04-29.html" in got.changed


def test_two_processes_at_once_leave_whole_files(tmp_path: Path) -> None:
    program = """
import sys
from datetime import date
from pathlib import Path
from channels import site
from tests.support.pages import CLOSED, kit, page, paper
channel = site.open(site.Settings(), kit(Path(sys.argv[1])))
for n in range(1, 13):
    day = date(2026, 4, n)
    shown = page(*map(paper, range(1, 20)), day=day, slug=f"{day}")
    channel.write(Path(sys.argv[1]) / "blog", channel.compose(shown))
"""
    command = [sys.executable, "-c", program, str(tmp_path)]
    running = [subprocess.Popen(command, cwd=ROOT) for _ in range(2)]
    assert [process.wait(60) for process in running] == [0, 0]
    found = contents(tmp_path / "blog")
    assert not [name for name in found if name.endswith(".part")]
    for n in range(1, 13):
        assert len(json.loads(found[f"data/2026-04-{n:02}.json"])["papers"]) == 19
        assert found[f"2026-04-{n:02}.html"].endswith(b"</html>\n")
    assert json.loads(found["data/2026-04.json"])["days_crawled"] == 12
    assert found["index.html"].count(b"<tr>") == 13


def test_a_lock_that_is_never_released_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folder_writer, "LOCK_SECONDS", 0.2)
    with folder_writer.exclusive(tmp_path), pytest.raises(OSError), folder_writer.exclusive(tmp_path):  # noqa: PT011 - whatever the system says
        raise AssertionError


def test_an_invalid_record_is_ignored(channel: Site, blog: Path) -> None:
    (blog / "data").mkdir(parents=True)
    for name, text in {"27": "{", "28": "[]", "26": '{"papers": [{}]}', "25": "\xff"}.items():
        (blog / "data" / f"2026-04-{name}.json").write_bytes(text.encode("latin-1"))
        (blog / "data" / f"2026-04-{name}.keywords.json").write_text("[]")
    channel.write(blog, channel.compose(page(paper())))
    assert json.loads((blog / "data" / "2026-04.json").read_text())["days_crawled"] == 1


def test_a_file_named_for_an_impossible_date_is_ignored(channel: Site, blog: Path) -> None:
    blog.mkdir(parents=True)
    (blog / "2025-13-45.html").write_text("not ours")
    assert channel.write(blog, channel.compose(page(paper()))).changed
    assert "2025-13-45" not in (blog / "index.html").read_text(encoding="utf-8")
