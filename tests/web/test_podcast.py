"""The podcast: its feed read and its episodes downloaded as podcast programs do it, and the pages that lead there."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from xml.etree import ElementTree as ET

import feedparser
import pytest

from bot.media.speech.narrator import Podcast
from bot.model import Cadence, Style
from bot.render.words import words
from bot.store import edition_queries
from bot.web.pages.podcast_format import ITUNES, PSC, normal_time
from tests.support.pages import DAY, HOSTILE, paper
from tests.support.speech_servers import played
from tests.support.web_program import Served, some

PUBLIC = "https://papers.example.org/lab"
HOST = {"Host": "papers.example.org"}
SOUND = "/lab/podcast/ko/2026-04-29.mp3"


@pytest.fixture
async def served(tmp_path: Path) -> AsyncIterator[Served]:
    async with Served(tmp_path, public=PUBLIC, podcast=Podcast(["ko"])) as opened:
        made = await opened.publish(paper(1, title="Diffusion & <b>proteins</b>"), paper(2, title=HOSTILE))
        await opened.publish(*some(2, 10), day=DAY - timedelta(days=1))
        await opened.read_aloud(made, "ko")
        yield opened


async def test_a_podcast_program_reads_the_feed_and_downloads_the_episode(served: Served) -> None:
    answer = await served.get("/lab/podcast/ko.xml", **HOST)
    assert answer.headers["Content-Type"].startswith("application/rss+xml")
    read = feedparser.parse(answer.body, response_headers={"content-type": answer.headers["Content-Type"]})
    assert not read.bozo, read.get("bozo_exception")
    assert (read.feed.title, read.feed.language) == (words("ko").gettext("newsletter.name"), "ko")
    assert read.feed.image.href == f"{PUBLIC}/podcast/artwork.png"
    assert [each.term for each in read.feed.tags] == ["Technology", "Science", "Natural Sciences"]
    [episode] = read.entries
    assert episode.link == f"{PUBLIC}/ko/2026-04-29"
    assert episode.id == f"{PUBLIC}/ko/2026-04-29#headline"
    [enclosure] = episode.enclosures
    assert episode.published_parsed[:5] == (2026, 4, 29, 22, 0)
    assert enclosure.type == "audio/mpeg"
    assert enclosure.href == f"https://papers.example.org{SOUND}"
    sound = await served.get(SOUND, **HOST)
    assert (sound.status, sound.headers["Content-Type"]) == (200, "audio/mpeg")
    assert len(sound.body) == int(enclosure.length) == int(sound.headers["Content-Length"])
    heard = played(sound.body)
    assert int(episode.itunes_duration) == pytest.approx(heard.info.length, abs=0.6)
    assert str(heard["TIT2"]) == episode.title
    picture = await served.get("/lab/podcast/artwork.png", **HOST)
    assert picture.body.startswith(b"\x89PNG")


async def test_the_feed_has_what_directories_ask_for(served: Served) -> None:
    root = ET.fromstring((await served.get("/lab/podcast/ko.xml", **HOST)).body)
    channel = root.find("channel")
    assert channel is not None
    for name in ("author", "image", "category", "explicit", "type"):
        assert channel.find(f"{{{ITUNES}}}{name}") is not None, name
    chapters = [each.attrib for each in root.iter(f"{{{PSC}}}chapter")]
    assert chapters[0] == {"start": "00:00:00.000", "title": "인사"}
    assert chapters[1]["title"] == "1. Diffusion & <b>proteins</b>"
    assert normal_time(3723.4567) == "01:02:03.457"


@pytest.mark.parametrize(
    ("asked", "status", "part"),
    [
        ("bytes=0-99", 206, (0, 100)),
        ("bytes=100-", 206, (100, None)),
        ("bytes=-50", 206, (-50, None)),
        ("bytes=0-", 206, (0, None)),
        ("bytes=0-1,5-9", 200, (0, None)),
        ("lines=1-2", 200, (0, None)),
        ("bytes=99999999-", 416, (0, 0)),
    ],
)
async def test_players_may_ask_for_a_part(
    served: Served, asked: str, status: int, part: tuple[int, int | None]
) -> None:
    whole = (await served.get(SOUND, **HOST)).body
    answer = await served.get(SOUND, Range=asked, **HOST)
    assert answer.status == status
    if status == 416:
        assert answer.headers["Content-Range"] == f"bytes */{len(whole)}"
        return
    assert answer.body == whole[part[0] : part[1]]
    assert answer.headers["Accept-Ranges"] == "bytes"
    if status == 206:
        first = part[0] % len(whole)
        assert answer.headers["Content-Range"] == f"bytes {first}-{first + len(answer.body) - 1}/{len(whole)}"


async def test_a_part_of_another_recording_is_not_mixed_in(served: Served) -> None:
    first = await served.get(SOUND, **HOST)
    tag = first.headers["ETag"]
    assert (await served.get(SOUND, Range="bytes=0-9", If_Range=tag, **HOST)).status == 206
    assert (await served.get(SOUND, Range="bytes=0-9", If_Range='"other"', **HOST)).status == 200
    assert (await served.get(SOUND, If_None_Match=tag, **HOST)).status == 304
    head = await served.get(SOUND, method="HEAD", **HOST)
    assert (head.status, head.body, head.headers["Content-Length"]) == (200, b"", f"{len(first.body)}")


async def test_no_cache_hides_a_recording_that_is_made_again(served: Served) -> None:
    first = await served.get(SOUND, **HOST)
    served.now += timedelta(minutes=30)
    async with served.store.read() as connection:
        made = await edition_queries.latest(connection, Cadence.DAY)
    assert made is not None
    await served.read_aloud(made, "ko")
    again = await served.get(SOUND, If_None_Match=first.headers["ETag"], **HOST)
    assert again.status == 200
    assert again.headers["Cache-Control"] == "public, max-age=300"


@pytest.mark.parametrize(
    "path",
    [
        "/lab/podcast/en.xml",
        "/lab/podcast/xx.xml",
        "/lab/podcast/en/2026-04-29.mp3",
        "/lab/podcast/ko/2026-04-28.mp3",
        "/lab/podcast/ko/2026-04-29.mp3?style=abstract",
        "/lab/podcast/ko/2026-04-29.mp3?style=loud",
        "/lab/podcast/ko/..%2F2026-04-29.mp3",
        "/lab/podcast/..%2Fko/2026-04-29.mp3",
    ],
)
async def test_what_is_not_there_is_404(served: Served, path: str) -> None:
    assert (await served.get(path, **HOST)).status == 404


async def test_pages_lead_to_the_podcast_and_play_what_there_is(served: Served) -> None:
    page = (await served.get("/lab/ko/2026-04-29", **HOST)).text
    assert f'src="{SOUND}"' in page
    assert page.count('href="/lab/podcast/ko.xml"') == 2, "in the head and in the foot"
    for path in ("/lab/ko/2026-04-28", "/lab/ko/2026-04-29?style=abstract", "/lab/en/2026-04-29"):
        assert "<audio" not in (await served.get(path, **HOST)).text
    assert "podcast" not in (await served.get("/lab/en/", **HOST)).text
    policy = (await served.get("/lab/ko/2026-04-29", **HOST)).headers["Content-Security-Policy"]
    assert "media-src 'self'" in policy


async def test_a_recording_in_another_style_has_an_address_too(served: Served) -> None:
    made = await served.publish(*some(2, 30), day=DAY + timedelta(days=4), cadence=Cadence.WEEK)
    await served.read_aloud(made, "ko", Style.ABSTRACT)
    page = (await served.get("/lab/ko/2026-W18?style=abstract", **HOST)).text
    assert 'src="/lab/podcast/ko/2026-W18.mp3?style=abstract"' in page
    assert (await served.get("/lab/podcast/ko/2026-W18.mp3?style=abstract", **HOST)).status == 200


async def test_without_a_voice_there_is_no_podcast(tmp_path: Path) -> None:
    async with Served(tmp_path) as silent:
        assert (await silent.get("/podcast/ko.xml")).status == 404
