"""The site: whole files or none, nothing that strangers wrote alive in them, and git that touches only what is ours."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token

from bot.channel import Channel, Deferred, Gone, Page, Personal, Sent
from bot.model import Cadence, Edition, Found, Preferences, Style, Text
from bot.render.edition_page import edition_page, notice_page
from bot.render.styles import TEXT_FIELDS
from bot.render.words import words
from bot.rules.closing import rank
from bot.runtime.text import one_line
from bot.settings import SettingsError, read
from bot.store import edition_queries, paper_queries
from channels import site
from channels.site import folder_writer, git
from channels.site.channel import Site
from channels.site.escaping import escape, scalar
from channels.site.git import Git, GitError
from channels.site.settings import Settings
from tests.support.command import papers_command
from tests.support.databases import fresh_store
from tests.support.pages import CLOSED, HOSTILE, edition, kit, page, paper

ROOT = Path(__file__).resolve().parents[3]
PERSONAL = Personal(key="1")
MARKDOWN = MarkdownIt("commonmark").enable("table")


def opened(home: Path, **given_: str) -> Site:
    return site.open(Settings.model_validate(given_), kit(home))


@pytest.fixture
def channel(tmp_path: Path) -> Site:
    return opened(tmp_path)


@pytest.fixture
def blog(tmp_path: Path) -> Path:
    return tmp_path / "site" / "blog"


def contents(folder: Path) -> dict[str, bytes]:
    found = (path for path in folder.rglob("*") if path.is_file() and ".git" not in path.parts)
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in found}


def stamps(folder: Path) -> dict[str, tuple[int, int]]:
    return {name: ((folder / name).stat().st_ino, (folder / name).stat().st_mtime_ns) for name in contents(folder)}


# ---- the channel --------------------------------------------------------------------------------------------


async def test_an_edition_is_a_page_its_twin_its_records_and_the_index(channel: Site, blog: Path) -> None:
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


def test_it_is_a_channel_that_rehearses_and_has_nobody_in_it(channel: Site) -> None:
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
async def test_what_names_no_folder_is_gone_and_writes_nothing(name: str, channel: Site, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no folder of a site"):
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


async def test_pictures_that_are_there_are_shown_and_stand_beside_the_page(
    channel: Site, blog: Path, tmp_path: Path
) -> None:
    name = f"{paper().id}.thumb.jpg"
    (channel._pictures / name).write_bytes(b"a picture")
    message = channel.compose(page(paper(), paper(2), style=Style.HIGHLIGHTS))
    assert isinstance(await channel.send("blog", message, PERSONAL), Sent)
    assert (blog / "images" / name).read_bytes() == b"a picture"
    shown = (blog / "2026-04-29.md").read_text(encoding="utf-8")
    assert shown.count("![") == 1
    assert f"images/{name}" in shown


async def test_a_notice_is_no_page_of_a_site(channel: Site, blog: Path) -> None:
    notice = notice_page("The disk is full.", words("en"), CLOSED)
    assert await channel.send("blog", channel.compose(notice), PERSONAL) == Sent()
    assert contents(blog) == {}


async def test_a_sample_can_be_looked_at_and_is_no_part_of_the_site(channel: Site, blog: Path) -> None:
    sample = page(paper(), slug="sample")
    assert isinstance(await channel.send("blog", channel.compose(sample), PERSONAL), Sent)
    assert set(contents(blog)) == {"sample.md", "sample.html"}


def test_composing_looks_at_no_file(channel: Site, blog: Path) -> None:
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
def test_pictures_are_called_by_their_paper_or_day(name: str, channel: Site, blog: Path) -> None:
    with pytest.raises(ValueError, match="names no picture"):
        channel.place(blog, {name: ROOT / "LICENSE"})


def test_the_index_lists_what_is_there_newest_first(channel: Site, blog: Path) -> None:
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


async def test_a_folder_that_cannot_be_made_is_its_own_fault(channel: Site, tmp_path: Path) -> None:
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "blog").write_text("a file stands in the way")
    outcome = await channel.send("blog", channel.compose(page(paper())), PERSONAL)
    assert isinstance(outcome, Deferred)
    assert outcome.scope == "recipient"
    assert isinstance(await channel.send("other", channel.compose(page(paper())), PERSONAL), Sent)


async def test_a_place_that_cannot_be_written_to_defers_the_channel(channel: Site, tmp_path: Path) -> None:
    (tmp_path / "site").write_text("a file stands in the way")
    outcome = await channel.send("blog", channel.compose(page(paper())), PERSONAL)
    assert isinstance(outcome, Deferred)
    assert outcome.scope == "channel"
    (finding,) = await channel.check()
    assert not finding.ok
    assert "SITE_DIR" in finding.says


# ---- settings -----------------------------------------------------------------------------------------------


def test_it_is_configured_when_its_folder_is_named() -> None:
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
def test_a_wrong_value_is_one_sentence(name: str, value: str) -> None:
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


# ---- what strangers wrote -----------------------------------------------------------------------------------

NASTY = [
    HOSTILE, "quotes \" ' “”", "colon: and # hash", "a | b", "[x](http://evil.example) ![y](z)",
    "{{ 7*7 }} {% raw %}", "{% include a %}{%- x -%}", "`code` ``more``", "---", "--- title: x", "***", "===",
    "> quoted", "- item", "+ item", "1. one", "12) twelve", "# heading #", "ends with #",
    "a\nb\r\nc\u2028d\x85e", "<script>alert(1)</script>", "<!-- x", "</details>", "\u202eabc\u202c", "\u2066x",
    "🤖🇰🇷👩‍👩‍👧", "\\", "a\\", "\\\\*", "\\[x](y)", "&lt;b&gt; &#123; &amp;", "*a* _b_ __c__", "snake_case_word",
    "~~gone~~", "$$x$$ $y$", "[^1]: note", "*[HTML]: abbr", "{: .class}", "{::options /}", ": definition", "\t",
    "\x00\x1b[31mred", "\ud800", "yes", "null", "2026-04-29", "0x10", "1e3", "~", "@", "%", "!tag", "&anchor",
    "*alias", "[a, b]", "{a: b}", "'", '"', "عنوان: «ورقة»", "논문 제목", "\ufeff", "http://evil.example/x_y_z",
    "www.evil.example",
]  # fmt: skip
TEXTS = st.one_of(
    st.sampled_from(NASTY),
    st.text(max_size=40),
    st.text(alphabet="ab 1.)(-=+*_#>|~`\\[]{}!%$&;:<'\"\n@^", max_size=30),
    st.lists(st.sampled_from(NASTY), min_size=2, max_size=3).map(" ".join),
    st.tuples(st.sampled_from(NASTY), st.text(max_size=10)).map("".join),
)


def seen(tokens: list[Token]) -> str:
    """What a reader sees of a line."""
    return "".join(token.content if token.type != "softbreak" else " " for token in tokens)


@given(TEXTS)
def test_text_in_markdown_says_itself_wherever_it_stands(text: str) -> None:
    """At a line's beginning, in a heading, in bold, in a bullet, in a link, in a table."""
    line, safe = one_line(text), escape(text)
    if not line:
        assert not safe.strip()
        return
    assert "{{" not in safe
    assert "{%" not in safe
    safe = safe.strip(" ")
    for around, kinds in (
        (f"{safe}\n", ["paragraph_open"]),
        (f"before\n{safe}\n", ["paragraph_open"]),
        (f"# {safe}\n", ["heading_open"]),
        (f"## 1. [{safe}](https://a.example)\n", ["heading_open"]),
        (f"- {safe}\n", ["bullet_list_open", "list_item_open", "paragraph_open"]),
    ):
        tokens = MARKDOWN.parse(around)
        assert [token.type for token in tokens if token.nesting > 0] == kinds
        (inline,) = (token for token in tokens if token.type == "inline")
        children = inline.children or []
        allowed = {"text", "text_special", "softbreak"} | (
            {"link_open", "link_close"} if "a.example" in around else set()
        )
        assert {token.type for token in children} <= allowed
        shown = seen(children)
        assert shown.removeprefix("before ").removeprefix("1. " if "](https" in around else "") == line
    table = MARKDOWN.parse(f"| a | b |\n| --- | --- |\n| {safe} | x |\n")
    cells = [token for token in table if token.type == "inline"]
    assert [seen(cell.children or []) for cell in cells] == ["a", "b", line, "x"]


@given(TEXTS)
@example("{{ x }}")
def test_a_value_in_front_matter_is_read_back(text: str) -> None:
    line, safe = one_line(text), scalar(text)
    assert yaml.safe_load(f"title: {safe}\nnext: x\n") == {"title": line, "next": "x"}
    assert yaml.safe_load(f"tags: [{safe}, x]\n") == {"tags": [line, "x"]}
    assert "{{" not in safe
    assert "{%" not in safe


@given(TEXTS, st.sampled_from(Style))
def test_a_title_is_itself_in_every_layout(text: str, style: Style) -> None:
    channel = opened(Path("nowhere"))
    odd = paper(
        title=text, abstract=f"{text} {text}", sentence=text, organisation=text, authors=(text,), keywords=(text,)
    )
    parts = {part.name: text or "x" for part in TEXT_FIELDS.get(style, ())}
    texts = {odd.id: {style: Text(odd.id, "en", style, parts)}} if parts else {}
    wanted = Preferences(style=style, papers=0)
    shown = edition_page(edition(odd, paper(2)), wanted, texts=texts)
    sheet = channel.compose(shown)
    body = re.sub(r"\A---\n.*?\n---\n", "", sheet.markdown, flags=re.DOTALL)
    assert "{{" not in sheet.markdown
    assert "{%" not in sheet.markdown
    tokens = MARKDOWN.parse(body)
    inlines = [token for token in tokens if token.type == "inline"]
    links = [
        str(child.attrs["href"]) for token in inlines for child in token.children or [] if child.type == "link_open"
    ]
    assert links
    known = r"https://(?:huggingface\.co/papers|arxiv\.org/abs|www\.alphaxiv\.org/overview)/2604\.0000[12]"
    assert [link for link in links if not re.fullmatch(known, link)] == []
    title = shown.blocks[0].original_title or shown.blocks[0].title
    assert any(title in seen(token.children or []) for token in inlines)
    html = [token.content for token in tokens if token.type == "html_block"]
    html += [child.content for token in inlines for child in token.children or [] if child.type == "html_inline"]
    assert [
        each
        for each in html
        if not re.match(r"<details>\n<summary>Original Abstract</summary>|</details>|<img src", each)
    ] == []
    assert sum(token.type == "heading_open" for token in tokens) == sum(
        token.type == "heading_open" for token in MARKDOWN.parse(plainly(channel, shown))
    )
    assert "<script" not in sheet.html


def plainly(channel: Site, shown: Page) -> str:
    """The same page, where nobody wrote anything odd."""
    blocks = [
        replace(
            block,
            title="t",
            original_title=None,
            abstract="a",
            said=replace(block.said, parts={name: "x" if text else "" for name, text in block.said.parts.items()}),
        )
        for block in shown.blocks
    ]
    text = channel.compose(replace(shown, blocks=blocks)).markdown
    return re.sub(r"\A---\n.*?\n---\n", "", text, flags=re.DOTALL)


# ---- the same again -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("style", Style)
async def test_the_same_edition_again_changes_no_byte_and_no_date(style: Style, channel: Site, blog: Path) -> None:
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


def test_a_folder_that_another_holds_for_ever_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folder_writer, "PATIENCE", 0.2)
    with folder_writer.alone(tmp_path), pytest.raises(OSError), folder_writer.alone(tmp_path):  # noqa: PT011 - whatever the system says
        raise AssertionError


def test_a_record_that_is_none_costs_nothing(channel: Site, blog: Path) -> None:
    (blog / "data").mkdir(parents=True)
    for name, text in {"27": "{", "28": "[]", "26": '{"papers": [{}]}', "25": "\xff"}.items():
        (blog / "data" / f"2026-04-{name}.json").write_bytes(text.encode("latin-1"))
        (blog / "data" / f"2026-04-{name}.keywords.json").write_text("[]")
    channel.write(blog, channel.compose(page(paper())))
    assert json.loads((blog / "data" / "2026-04.json").read_text())["days_crawled"] == 1


# ---- git ----------------------------------------------------------------------------------------------------


def run_git(folder: Path, *words_: str) -> str:
    named = ["-c", "user.name=Somebody", "-c", "user.email=somebody@lab.example", "-c", "commit.gpgSign=false"]
    done = subprocess.run(["git", *named, *words_], cwd=folder, capture_output=True, text=True, check=True)
    return done.stdout.strip()


@pytest.fixture(autouse=True)
def no_config_of_the_machine(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    monkeypatch.setenv("HOME", str(tmp_path_factory.mktemp("home")))


@pytest.fixture
def remote(tmp_path: Path, blog: Path) -> Path:
    """A bare repository, and a clone of it around the site's folder with one commit and somebody's own files."""
    bare = tmp_path / "remote.git"
    run_git(tmp_path, "init", "--quiet", "--bare", "--initial-branch=main", str(bare))
    blog.mkdir(parents=True)
    run_git(blog, "init", "--quiet", "--initial-branch=main")
    (blog / "README").write_text("mine\n")
    run_git(blog, "add", "README")
    run_git(blog, "commit", "--quiet", "-m", "first")
    run_git(blog, "remote", "add", "origin", str(bare))
    run_git(blog, "push", "--quiet", "-u", "origin", "main")
    return bare


def commits(folder: Path, name: str = "HEAD") -> list[str]:
    return run_git(folder, "log", "--format=%an <%ae> %s", name).splitlines()


async def test_each_edition_becomes_one_commit_of_its_own_files(tmp_path: Path, blog: Path, remote: Path) -> None:
    channel = opened(tmp_path, SITE_GIT="commit", SITE_AUTHOR="Ada <ada@lab.example>")
    (blog / "README").write_text("changed by somebody\n")
    (blog / "draft").write_text("staged by somebody\n")
    (blog / "notes").write_text("not known to git\n")
    run_git(blog, "add", "draft")
    for _ in range(2):
        assert isinstance(await channel.send("blog", channel.compose(page(paper())), PERSONAL), Sent)
    assert commits(blog)[:-1] == ["Ada <ada@lab.example> Papers of 2026-04-29"]
    assert set(run_git(blog, "show", "--name-only", "--format=").splitlines()) == {
        name for name in contents(blog) if name not in {"README", "draft", "notes"}
    }
    assert run_git(blog, "status", "--porcelain").splitlines() == ["M README", "A  draft", "?? notes"]
    assert len(commits(remote, "main")) == 1


async def test_an_edition_is_pushed_and_one_that_stayed_behind_with_it(
    tmp_path: Path, blog: Path, remote: Path
) -> None:
    kept = opened(tmp_path, SITE_GIT="commit")
    await kept.send("blog", kept.compose(page(paper())), PERSONAL)
    pushed = opened(tmp_path, SITE_GIT="push")
    assert isinstance(await pushed.send("blog", pushed.compose(page(paper())), PERSONAL), Sent)
    assert commits(remote, "main")[0].endswith("Papers of 2026-04-29")
    assert isinstance(await pushed.send("blog", pushed.compose(page(paper())), PERSONAL), Sent)
    assert len(commits(remote, "main")) == 2


def move_on(tmp_path: Path, remote: Path, name: str, text: str) -> None:
    """Somebody else pushes a file from elsewhere."""
    elsewhere = tmp_path / f"elsewhere-{name.replace('/', '-')}"
    run_git(tmp_path, "clone", "--quiet", str(remote), str(elsewhere))
    (elsewhere / name).parent.mkdir(parents=True, exist_ok=True)
    (elsewhere / name).write_text(text)
    run_git(elsewhere, "add", name)
    run_git(elsewhere, "commit", "--quiet", "-m", f"somebody's {name}")
    run_git(elsewhere, "push", "--quiet")


async def test_a_branch_that_moved_on_is_rebased_once(tmp_path: Path, blog: Path, remote: Path) -> None:
    channel = opened(tmp_path, SITE_GIT="push")
    move_on(tmp_path, remote, "theirs", "x\n")
    (blog / "notes").write_text("not known to git\n")
    assert isinstance(await channel.send("blog", channel.compose(page(paper())), PERSONAL), Sent)
    assert [line.split("> ")[1] for line in commits(remote, "main")] == [
        "Papers of 2026-04-29", "somebody's theirs", "first",
    ]  # fmt: skip
    assert (blog / "notes").read_text() == "not known to git\n"


async def test_where_both_wrote_the_same_page_the_files_stay_and_it_is_deferred(
    tmp_path: Path, blog: Path, remote: Path
) -> None:
    channel = opened(tmp_path, SITE_GIT="push")
    move_on(tmp_path, remote, "index.md", "theirs\n")
    outcome = await channel.send("blog", channel.compose(page(paper())), PERSONAL)
    assert isinstance(outcome, Deferred)
    assert outcome.scope == "recipient"
    assert outcome.reason.startswith("git rebase: ")
    assert "2026-04-29" in (blog / "index.md").read_text()
    assert not (blog / ".git" / "rebase-merge").exists()
    assert commits(blog)[0].endswith("Papers of 2026-04-29")


async def test_somebodys_changes_outlast_a_rebase_that_they_forbid(tmp_path: Path, blog: Path, remote: Path) -> None:
    channel = opened(tmp_path, SITE_GIT="push")
    move_on(tmp_path, remote, "theirs", "x\n")
    (blog / "README").write_text("changed by somebody\n")
    outcome = await channel.send("blog", channel.compose(page(paper())), PERSONAL)
    assert isinstance(outcome, Deferred)
    assert (blog / "README").read_text() == "changed by somebody\n"
    assert run_git(blog, "status", "--porcelain").strip() == "M README"


def move(folder: Path, elsewhere: Path) -> None:
    folder.rename(elsewhere)


async def test_a_remote_that_is_gone_defers_and_is_pushed_to_later(tmp_path: Path, blog: Path, remote: Path) -> None:
    channel = opened(tmp_path, SITE_GIT="push")
    move(remote, tmp_path / "away")
    outcome = await channel.send("blog", channel.compose(page(paper())), PERSONAL)
    assert isinstance(outcome, Deferred)
    assert outcome.scope == "recipient"
    assert (blog / "2026-04-29.html").is_file()
    move(tmp_path / "away", remote)
    assert isinstance(await channel.send("blog", channel.compose(page(paper())), PERSONAL), Sent)
    assert len(commits(remote, "main")) == 2


async def test_the_doctor_says_whose_repository_it_is(tmp_path: Path, blog: Path, remote: Path) -> None:
    async def says(channel: Site) -> str:
        found = await channel.check()
        assert [finding.ok for finding in found[:-1]] == [True] * (len(found) - 1)
        return f"{found[-1].ok}: {found[-1].says}"

    channel = opened(tmp_path, SITE_GIT="push")
    channel.write(blog, channel.compose(page(paper())))
    assert (await says(channel)).startswith("True: each edition in ")
    run_git(blog, "branch", "--unset-upstream")
    assert "has no upstream" in await says(channel)
    assert (await says(opened(tmp_path, SITE_GIT="commit"))).startswith("True")
    run_git(blog, "checkout", "--quiet", "--detach")
    assert "HEAD is not a symbolic ref" in await says(channel)
    outside = opened(tmp_path / "outside", SITE_GIT="commit")
    assert "not a git repository" in await says(outside)
    (blog / ".gitignore").write_text("lab/\n")
    run_git(blog, "checkout", "--quiet", "main")
    ignored = opened(tmp_path, SITE_GIT="commit", SITE_DIR=str(blog / "lab"))
    assert "ignores" in await says(ignored)


async def test_the_programs_own_checkout_is_no_place_for_a_site(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_git(tmp_path, "init", "--quiet")
    monkeypatch.setattr(git, "_OURS", tmp_path)
    channel = opened(tmp_path, SITE_GIT="commit")
    outcome = await channel.send("blog", channel.compose(page(paper())), PERSONAL)
    assert isinstance(outcome, Deferred)
    assert "not ours to commit to" in outcome.reason


async def test_a_git_that_hangs_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake = tmp_path / "bin" / "git"
    fake.parent.mkdir()
    fake.write_text("#!/bin/sh\nsleep 60 &\nwait\n")
    fake.chmod(0o755)
    monkeypatch.setenv("PATH", f"{fake.parent}:{os.environ['PATH']}")
    with pytest.raises(GitError, match="took longer than"):
        await Git(tmp_path, "Ada", seconds=0.2).commit(["x"], "y")


async def test_a_machine_without_git_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(GitError, match="git cannot be run"):
        await Git(tmp_path, "Ada").commit(["x"], "y")


@pytest.mark.parametrize(
    ("said", "told"),
    [
        (b"hint: x\nfatal: unable to access 'https://ada:t0ken@git.example/x'\nhint: y\n", "t0ken"),
        (
            b"remote: no\n ! [remote rejected] main -> main (hook declined)\nerror: failed to push some refs\n",
            "remote:",
        ),
    ],
)
def test_what_git_says_is_one_line_without_passwords(said: bytes, told: str) -> None:
    line = git._last_line(said)
    assert line
    assert told not in line
    assert "\n" not in line


# ---- papers export ------------------------------------------------------------------------------------------


@pytest.fixture
async def home(tmp_path: Path) -> Path:
    """A home with the editions of three days."""
    store = fresh_store(tmp_path)
    async with store.write() as connection:
        for day in (27, 28, 29):
            listed = [paper(day * 10 + n, votes=n, listed_on=date(2026, 4, day)) for n in range(7)]
            await paper_queries.keep(connection, Found(listed, frozenset({date(2026, 4, day)})))
            closed = datetime(2026, 4, day, 22, tzinfo=UTC)
            await edition_queries.add(connection, Edition(Cadence.DAY, date(2026, 4, day), closed, rank(listed)))
    await store.close()
    return tmp_path


def exported(home: Path, *words_: str, given: Mapping[str, str] | None = None) -> Any:
    done = papers_command(home, "export", *words_, given=given)
    assert "Traceback" not in done.stderr, done.stderr
    return done


def test_a_day_is_exported_and_said_so(home: Path) -> None:
    out = home / "out"
    done = exported(
        home, "--layout", "illustrated", "--no-pictures", "--language", "ko", "--date", "2026-04-28", "--out", str(out)
    )
    assert done.returncode == 0, done.stderr
    assert f"wrote: {out / '2026-04-28.md'}" in done.stdout
    assert (out / "2026-04-28.md").read_text().startswith("# 2026-04-28 Daily Papers (Top 5)\n")
    record = json.loads((out / "data" / "2026-04-28.json").read_text())
    assert (record["crawled_at"], record["total_papers"]) == ("2026-04-28T22:00:00Z", 5)
    again = exported(
        home, "--layout", "illustrated", "--no-pictures", "--language", "ko", "--date", "2026-04-28", "--out", str(out)
    )
    assert "wrote" not in again.stdout


def test_a_range_is_exported_with_a_bar(home: Path) -> None:
    done = exported(home, "--layout", "plain", "--from", "2026-04-01", "--to", "2026-04-28", "--out", str(home / "out"))
    assert done.returncode == 0, done.stderr
    assert "2 of 2" in done.stderr
    assert done.stdout.startswith("2 editions in ")
    assert sorted(path.name for path in (home / "out").glob("*_papers.md")) == [
        "2026-04-27_papers.md", "2026-04-28_papers.md",
    ]  # fmt: skip


def test_papers_are_picked_and_put_in_order(home: Path) -> None:
    out = home / "out"
    done = exported(home, "--layout", "review", "--papers", "2604.00291, 2604.00294", "--out", str(out))
    assert done.returncode == 0, done.stderr
    text = (out / "_posts" / "2026-04-29-daily-papers.md").read_text()
    assert re.findall(r"^# (\d)\. \[.*\]\(https://arxiv\.org/abs/(.*)\)$", text, re.MULTILINE) == [
        ("1", "2604.00291"), ("2", "2604.00294"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("words_", "code", "says"),
    [
        (["--layout", "poster"], 2, "There is no layout poster; there are: illustrated, jekyll"),
        (["--layout", "plain", "--cadence", "year"], 2, "There is no cadence year"),
        (["--layout", "plain", "--date", "2026-04-26"], 1, "There is no edition of 2026-04-26"),
        (["--layout", "plain", "--from", "2026-05-01"], 1, "There is no edition since 2026-05-01"),
        (["--layout", "plain", "--papers", "2604.99999"], 2, "No edition yet holds 2604.99999"),
        (["--layout", "plain", "--papers", "x"], 2, "x is no arXiv id"),
        (["--layout", "plain", "--to", "2026-04-28"], 2, "give --from as well"),
        (["--layout", "plain", "--to", "2026-04-28", "--date", "2026-04-28"], 2, "give one of them"),
        (["--layout", "plain", "--date", "yesterday"], 2, "is no day"),
    ],
)
def test_what_is_wrong_is_one_sentence(home: Path, words_: list[str], code: int, says: str) -> None:
    done = exported(home, *words_, "--out", str(home / "out"))
    assert done.returncode == code
    assert says in re.sub(r"\s+", " ", done.stderr)
    assert not (home / "out").exists()


def test_a_folder_that_cannot_be_written_to_is_one_sentence(home: Path) -> None:
    (home / "out").write_text("a file stands in the way")
    done = exported(home, "--layout", "plain", "--out", str(home / "out"))
    assert done.returncode == 1
    assert "cannot be written to" in done.stderr


def test_an_export_leaves_git_alone(home: Path) -> None:
    run_git(home, "init", "--quiet")
    done = exported(home, "--layout", "plain", "--out", str(home / "out"), given={"SITE_GIT": "push"})
    assert done.returncode == 0
    assert run_git(home, "status", "--porcelain", "out") == "?? out/"


def test_chosen_papers_leave_the_records_of_their_day_alone(home: Path) -> None:
    out = home / "out"
    exported(home, "--layout", "plain", "--date", "2026-04-28", "--out", str(out))
    before = (out / "data" / "2026-04-28.json").read_bytes()
    done = exported(home, "--layout", "plain", "--papers", "2604.00291", "--out", str(out))
    assert done.returncode == 0, done.stderr
    assert (out / "data" / "2026-04-28.json").read_bytes() == before


def test_a_strangers_page_with_an_impossible_date_stops_nothing(channel: Site, blog: Path) -> None:
    blog.mkdir(parents=True)
    (blog / "2025-13-45.html").write_text("not ours")
    assert channel.write(blog, channel.compose(page(paper()))).changed
    assert "2025-13-45" not in (blog / "index.html").read_text(encoding="utf-8")
