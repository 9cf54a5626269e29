"""Public pages: language, links, content."""

import re
from collections.abc import AsyncIterator
from datetime import date, timedelta
from io import BytesIO
from pathlib import Path
from urllib.parse import quote

import pytest
from PIL import Image

from bot.channel import Link
from bot.commands.token_buckets import TokenBuckets
from bot.model import Cadence, Style
from bot.render.catalogue import languages
from bot.render.words import words
from bot.summaries.fulltext.figures import Size
from bot.summaries.fulltext.file_cache import FileCache
from bot.web.pages.thumbnails import Thumbnails
from tests.support.pages import DAY, HOSTILE, paper
from tests.support.seen_pages import Seen
from tests.support.web_program import NOW, Served, some

KINDS = ("", "2026-04-29", "archive", "search?q=thing", "privacy", "papers/2604.00001", "nothing")


@pytest.fixture
async def served(tmp_path: Path) -> AsyncIterator[Served]:
    async with Served(tmp_path, invitations=[Link("Telegram", "https://t.me/papers_bot")]) as opened:
        await opened.publish(*some(3))
        yield opened


@pytest.mark.parametrize("language", languages())
@pytest.mark.parametrize("kind", KINDS)
async def test_every_page_is_in_the_language_of_its_path(served: Served, language: str, kind: str) -> None:
    answer = await served.get(f"/{language}/{kind}")
    assert answer.status == (404 if kind == "nothing" else 200)
    seen = Seen(answer.text)
    html = seen.all("html")[0]
    w = words(language)
    assert (html["lang"], html["dir"]) == (language, w.direction.value)
    assert w.gettext("web.archive") in seen.words
    tongues = [attributes["lang"] for attributes in seen.all("a") if "hreflang" in attributes]
    assert tongues == list(languages())
    assert len(seen.all("h1")) == 1


@pytest.mark.parametrize("kind", KINDS)
async def test_no_page_loads_from_other_servers_or_runs_scripts(served: Served, kind: str) -> None:
    answer = await served.get(f"/en/{kind}")
    seen = Seen(answer.text)
    asked = [attributes.get("src") or "" for _, attributes in seen.tags if "src" in attributes]
    asked += [
        attributes["href"] or "" for attributes in seen.all("link") if attributes["rel"] in {"stylesheet", "icon"}
    ]
    assert all(each.startswith("/") for each in asked)
    assert not {"iframe", "style", "object"} & {tag for tag, _ in seen.tags}
    assert {each["type"] for each in seen.all("script")} <= {"application/ld+json"}, "data, which is not run"
    assert not [attributes for _, attributes in seen.tags if "style" in attributes]
    policy = answer.headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'")
    assert "unsafe" not in policy
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


async def test_no_internal_link_is_broken(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(TokenBuckets, "take", lambda *_: None)
    await served.publish(*some(2, 10), day=DAY - timedelta(days=1))
    looked_at: dict[str, int] = {}
    waiting = ["/en/", "/en/2026-04-29"]
    while waiting:
        path = waiting.pop()
        answer = await served.get(path)
        looked_at[path] = answer.status
        if answer.status == 302:  # the newest week
            answer = await served.get(answer.headers["Location"])
            looked_at[path] = answer.status
        if answer.headers["Content-Type"].startswith("text/html"):
            # Feeds of topics are limited for each visitor.
            ours = {each for each in Seen(answer.text).links if each.startswith("/") and "?topics=" not in each}
            waiting += [link for link in ours if link not in looked_at and link not in waiting]
    assert {path: status for path, status in looked_at.items() if status != 200} == {}
    assert len(looked_at) > 40


@pytest.mark.parametrize(
    ("accepts", "language"),
    [
        ("ko-KR,ko;q=0.9,en;q=0.8", "ko"),
        ("fr, de;q=0.9, zh-TW;q=0.5, en;q=0.1", "zh-Hant"),
        ("en;q=0.1, ja;q=0.2", "ja"),
        ("ko;q=0, en", "en"),
        ("*", "en"),
        ("", "en"),
        ("\xff;q=9,,;;=,ar", "ar"),
    ],
)
async def test_the_root_redirects_to_the_visitors_language(served: Served, accepts: str, language: str) -> None:
    answer = await served.get("/", Accept_Language=accepts)
    assert (answer.status, answer.headers["Location"]) == (302, f"/{language}/")
    assert answer.headers["Vary"] == "Accept-Language"


async def test_a_near_language_is_redirected_to_ours(served: Served) -> None:
    near = await served.get("/zh-TW/2026-04-29?style=abstract")
    assert (near.status, near.headers["Location"]) == (301, "/zh-Hant/2026-04-29?style=abstract")
    assert (await served.get("/ko")).headers["Location"] == "/ko/"
    for stranger in ("//evil.example/", "/xx/", "/evil.example/2026-04-29", "/%2fevil.example/", "/ko%2f..%2f/x"):
        answer = await served.get(stranger)
        assert answer.status == 404 or answer.headers["Location"].startswith("/ko/"), stranger


async def test_an_edition_shows_its_papers_in_order_and_its_neighbours(served: Served) -> None:
    await served.publish(*some(2, 10), day=date(2026, 4, 27))
    await served.publish(*some(2, 20), day=date(2026, 4, 30))
    await served.publish(*some(3), day=date(2026, 5, 3), cadence=Cadence.WEEK)
    seen = Seen((await served.get("/en/2026-04-29")).text)
    titles = [word for word in seen.words if word.startswith("Paper number")]
    assert titles == ["Paper number 1", "Paper number 2", "Paper number 3"]
    turns = {attributes["rel"]: attributes["href"] for attributes in seen.all("a") if attributes.get("rel")}
    assert turns == {"prev": "/en/2026-04-27", "next": "/en/2026-04-30"}
    assert "/en/2026-W18" in seen.links
    week = Seen((await served.get("/en/2026-W18")).text)
    assert {"/en/2026-04-27", "/en/2026-04-29", "/en/2026-04-30"} <= set(week.links)


async def test_the_newest_week_and_month_have_paths_of_their_own(served: Served) -> None:
    for name, heading in (("week", "Weekly papers"), ("month", "Monthly papers")):
        answer = await served.get(f"/en/{name}")
        assert (answer.status, f"<span>{heading}</span>" in answer.text) == (200, True)
    for day in (date(2026, 4, 19), date(2026, 4, 26)):
        await served.publish(*some(2), day=day, cadence=Cadence.WEEK)
    for path, there in (("week", "/ko/2026-W17"), ("month", None)):
        assert (await served.get(f"/ko/{path}")).headers.get("Location") == there


async def test_a_page_opens_with_the_day_and_ends_with_the_bookkeeping(served: Served) -> None:
    for path in ("/en/", "/en/2026-04-29"):
        text = (await served.get(path)).text
        head, _, rest = text.partition('<ol class="papers')
        assert "3 papers" in head
        assert "UTC" not in head, path
        assert "UTC" in rest, path


async def test_cards_lead_to_code_long_discussions_and_keywords(served: Served) -> None:
    told = {"code": "https://github.com/a/b", "comments": 3, "keywords": ("Agents", "agents", "x" * 40, "robots")}
    await served.publish(
        paper(50, votes=9, **told), paper(51, votes=8, comments=2, keywords=("agents",)), day=date(2026, 4, 28)
    )
    seen = Seen((await served.get("/en/2026-04-28")).text)
    assert [link for link in seen.links if "huggingface.co/papers/" in link] == [
        "https://huggingface.co/papers/2604.00050"
    ]
    assert "https://github.com/a/b" in seen.links
    assert "https://arxiv.org/abs/2604.00050" not in seen.links, "that is on its own page"
    topics = [link for link in seen.links if "/keywords/" in link]
    assert topics == [f"/en/keywords/{topic}" for topic in ("agents", "robots", "agents", "robots", "agents")]
    assert seen.words.count("Agents") == 2
    assert (await served.get(topics[0])).text.count("<article>") == 2
    assert seen.words.count("▲ 9") == 1


async def test_the_first_paper_has_a_second_sentence_of_its_authors(served: Served) -> None:
    abstract = "We propose a thing. Experiments show that it outperforms all others by 12%. We are glad."
    await served.publish(paper(50, votes=9, abstract=abstract), paper(51, abstract=abstract), day=date(2026, 4, 28))
    text = (await served.get("/en/2026-04-28")).text
    assert text.count("Experiments show that it outperforms all others by 12%.") == 1
    assert text.count("from the abstract</bdi>") == 1


@pytest.mark.parametrize(
    "slug",
    ["2026-04-28", "2026-13-01", "2026-02-30", "2026-W54", "2026-W00", "0000-01", "2026-00", "٢٠٢٦-٠٤-٢٩", "2026-4-29"],
)
async def test_an_unknown_edition_is_not_found(served: Served, slug: str) -> None:
    assert (await served.get(f"/en/{slug}")).status == 404


async def test_the_style_is_a_query_parameter(served: Served) -> None:
    plain, abstract = await served.get("/en/2026-04-29"), await served.get("/en/2026-04-29?style=abstract")
    assert "Thing 1 is measured." in plain.text
    assert "e.g. larger than 3.5 apples" in abstract.text
    gone = await served.get("/en/2026-04-29?style=review")  # of a mail from when there was a model
    assert (gone.status, gone.headers["Location"]) == (302, "/en/2026-04-29")
    assert (await served.get("/en/2026-04-29?style=nonsense")).status == 404


async def test_the_brief_page_leads_to_the_other_papers(tmp_path: Path) -> None:
    async with Served(tmp_path) as served:
        await served.publish(*some(8))
        brief = await served.get("/en/2026-04-29?style=brief")
        assert brief.text.count("<article") == 3
        assert '<a href="/en/2026-04-29">+5 more papers</a>' in brief.text


async def test_the_front_page_before_the_first_edition(tmp_path: Path) -> None:
    async with Served(tmp_path) as empty:
        answer = await empty.get("/ko/")
        assert words("ko").gettext("papers.no_edition_at_all") in answer.text
        assert (await empty.get("/ko/archive")).status == 200


async def test_the_front_page_shows_today_and_links_to_the_channels(served: Served) -> None:
    today = Seen((await served.get("/en/")).text)
    assert "https://t.me/papers_bot" in today.links
    assert "Papers so far" in today.words
    served.now = NOW + timedelta(days=1)
    assert "Here’s the latest edition." in (await served.get("/en/")).text


async def test_the_archive_lists_days_weeks_and_months_of_a_year(served: Served) -> None:
    await served.publish(*some(1, 50), day=date(2025, 12, 31), cadence=Cadence.MONTH)
    await served.publish(*some(1, 51), day=date(2025, 12, 28), cadence=Cadence.WEEK)
    newest, before = Seen((await served.get("/en/archive")).text), Seen((await served.get("/en/archive/2025")).text)
    assert "/en/2026-04-29" in newest.links
    assert "Paper number 1" in newest.words, "what the day began with"
    assert newest.words.count("Wed") == 2
    assert {"/en/2025-12", "/en/2025-W52", "/en/archive/2026"} <= set(before.links)
    assert (await served.get("/en/archive/2019")).status == 404


async def test_an_arxiv_id_or_link_leads_to_its_paper(served: Served) -> None:
    for typed in ("2604.00002", "https://arxiv.org/abs/2604.00002v3"):
        answer = await served.get(f"/ko/search?q={quote(typed)}")
        assert (answer.status, answer.headers["Location"]) == (302, "/ko/papers/2604.00002")
    assert (await served.get("/ko/search?q=2604.99999")).status == 200


async def test_a_papers_page_shows_its_texts_and_editions(served: Served) -> None:
    answer = await served.get("/ko/papers/2604.00002")
    seen = Seen(answer.text)
    assert {"/ko/2026-04-29", "https://arxiv.org/abs/2604.00002"} <= set(seen.links)
    assert "Eli" in answer.text
    for stranger in ("2604.99999", "x"):
        assert (await served.get(f"/ko/papers/{stranger}")).status == 404


async def test_a_papers_page_shows_the_figure_that_is_kept(tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    cache.mkdir()
    Image.new("RGB", (640, 300)).save(cache / "2604.00001.fig.png")
    about = {"suffix": "png", "width": 640, "height": 300, "caption": "Figure 1: <b>A way</b>."}
    FileCache(cache).put("2604.00001.fig.json", about, NOW)
    async with Served(tmp_path, thumbnails=Thumbnails(cache)) as served:
        await served.publish(*some(2))
        text = (await served.get("/ko/papers/2604.00001")).text
        shown = next(each for each in Seen(text).all("img") if each["src"] == "/pictures/2604.00001.figure")
        assert (shown["width"], shown["height"]) == ("640", "300")
        assert "Figure 1: &lt;b&gt;A way&lt;/b&gt;." in text
        picture = await served.get("/pictures/2604.00001.figure")
        assert (picture.status, picture.headers["Content-Type"]) == (200, "image/png")
        assert ".figure" not in (await served.get("/ko/papers/2604.00002")).text
        for stranger in ("2604.00002", "..%2f2604.00001", "x"):
            assert (await served.get(f"/pictures/{stranger}.figure")).status == 404


async def test_the_page_on_privacy_names_all_that_is_kept_and_for_how_long(served: Served) -> None:
    shown = (await served.get("/en/privacy")).text
    kept = ("delivery address", "set up a group", "one-time links", "a hash of the address", "backups")
    assert [each for each in kept if each not in shown] == []
    assert ("60 days" in shown, "180 days" in shown) == (True, True)


async def test_a_page_that_is_not_there_leads_on(served: Served) -> None:
    answer = await served.get("/ko/nothing")
    seen = Seen(answer.text)
    assert answer.status == 404
    assert {"/ko/", "/ko/archive"} <= set(seen.links)
    assert [each["name"] for each in seen.all("input") if each.get("type") == "search"] == ["q"]
    nothing = await served.get("/en/search?q=nothing")
    assert "Try fewer or other words" in nothing.text


async def test_no_paper_can_inject_markup(tmp_path: Path) -> None:
    names = []
    for number, text in enumerate(("tame", HOSTILE)):
        home = tmp_path / str(number)
        home.mkdir()
        async with Served(home) as served:
            await served.publish(paper(title=text, abstract=text, sentence=text, authors=(text,), organisation=text))
            paths = ("/en/", "/en/2026-04-29", "/en/papers/2604.00001", "/en/search?q=tame+think")
            names.append([[tag for tag, _ in Seen((await served.get(path)).text).tags] for path in paths[:3]])
    assert names[0] == names[1]


async def test_thumbnails_are_served_from_here_once_fetched(tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    cache.mkdir()
    for number, size in ((1, Size.SMALL), (2, Size.SMALL), (2, Size.LARGE)):
        Image.new("RGB", size.value[:2]).save(cache / size.file_name(f"2604.0000{number}"))
    (cache / "secret.small.jpg").write_text("secret")
    async with Served(tmp_path, thumbnails=Thumbnails(cache)) as served:
        await served.publish(*some(3))
        text = (await served.get("/en/2026-04-29")).text
        first, second = "/pictures/2604.00001.large.jpg", "/pictures/2604.00002.jpg"
        assert re.findall(r'src="(/pictures/[^"]+)"', text) == [first, second]
        picture = await served.get(second)
        assert (picture.status, picture.headers["Content-Type"], picture.body[:2]) == (200, "image/jpeg", b"\xff\xd8")
        assert "Accept-Ranges" not in picture.headers, "sent by us, where it is seen who takes nothing of it"
        large = "/pictures/2604.00002.large.jpg"
        for path, width, keep in ((second, 320, "604800"), (large, 800, "604800"), (first, 320, "60")):
            picture = await served.get(path)
            assert (picture.headers["Cache-Control"], Image.open(BytesIO(picture.body)).width) == (
                f"public, max-age={keep}",
                width,
            )
        for stranger in ("2604.00003", "secret", "..%2f..%2fsubscribers", "2604.00001.small"):
            assert (await served.get(f"/pictures/{stranger}.jpg")).status == 404


async def test_the_public_address_may_have_a_path(tmp_path: Path) -> None:
    async with Served(tmp_path, public="https://lab.example/papers") as served:
        await served.publish(*some(1))
        here = {"Host": "lab.example"}
        assert (await served.get("/papers", **here)).headers["Location"] == "/papers/en/"
        answer = await served.get("/papers/en/2026-04-29", **here)
        assert answer.status == 200
        ours = [link for link in Seen(answer.text).links if not link.startswith(("https:", "#"))]
        assert all(link.startswith("/papers/") for link in ours)
        assert '<link rel="canonical" href="https://lab.example/papers/en/2026-04-29">' in answer.text
        assert answer.headers["Strict-Transport-Security"]
        assert (await served.get("/en/2026-04-29", **here)).status == 404
        assert (await served.get("/healthz")).status == 200


async def test_a_page_of_fifty_papers_is_small(served: Served) -> None:
    await served.publish(
        *some(
            50,
            100,
            votes=9,
            sentence="A sentence of a usual length about what it is. " * 4,
            code="https://github.com/somebody/something",
            keywords=("multi-agent systems", "reinforcement learning"),
        ),
        day=date(2026, 4, 28),
    )
    answer = await served.get("/en/2026-04-28")
    assert answer.text.count("<article>") == 50
    assert len(answer.body) <= 180_000


async def test_texts_of_the_model_are_shown(tmp_path: Path) -> None:
    async with Served(tmp_path, styles=tuple(Style)) as served:
        await served.publish(*some(1))
        answer = await served.get("/ko/2026-04-29?style=highlights")
        assert answer.status == 200
        assert words("ko").gettext("style.highlights") in answer.text
