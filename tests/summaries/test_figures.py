"""Pictures over real connections: which one is taken, how it is re-encoded, and what is refused."""

import subprocess
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from io import BytesIO
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw

from bot.model import Media, MediaKind, Paper
from bot.runtime.http import Fetcher
from bot.summaries.fulltext import figures
from bot.summaries.fulltext.figures import ARXIV, HUGGING_FACE, LARGEST_BODY, LONGEST_SIDE, Picture, redrawn
from bot.summaries.fulltext.library import FullTextLibrary
from bot.summaries.fulltext.sections import DocumentError, Figure
from bot.summaries.paper_pictures import LOOK_AGAIN, PaperPictures, collect
from bot.summaries.wanted import WantedTexts
from tests.support.paper_server import Fault, PaperServer, page, picture

ID = "2511.00001"
NOW = datetime(2025, 11, 5, 22, 30, tzinfo=UTC)
PAPER = Paper(ID, "Days and readers", "We ask about days.", date(2025, 11, 5), NOW)


@dataclass
class Desk:
    """A server that is arXiv and Hugging Face, and a client that asks it for pictures."""

    server: PaperServer
    fetcher: Fetcher
    folder: Path

    async def get(self, *urls: str, media: Sequence[Media] = (), now: datetime = NOW) -> Picture | None:
        drawn = [Figure(url, f"Figure {number}: A way.") for number, url in enumerate(urls, 1)]
        origins = {self.server.url}
        return await figures.get(
            replace(PAPER, media=tuple(media)),
            drawn,
            self.folder,
            now,
            fetcher=self.fetcher,
            arxiv=origins,
            hugging_face=origins,
        )

    async def thumbnail(self, url: str | None, now: datetime = NOW) -> Picture | None:
        paper = replace(PAPER, thumbnail=url)
        return await figures.thumbnail(paper, self.folder, now, fetcher=self.fetcher, hugging_face={self.server.url})


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    async with PaperServer() as server, Fetcher(pause=0) as fetcher:
        yield Desk(server, fetcher, tmp_path)


def shown(body: bytes) -> Image.Image:
    with Image.open(BytesIO(body)) as opened:
        opened.load()
        return opened


def saved(image: Image.Image, kind: str = "PNG", **more: object) -> bytes:
    body = BytesIO()
    image.save(body, kind, **more)
    return body.getvalue()


# Which one


async def test_the_first_figure_is_taken_with_its_caption(desk: Desk) -> None:
    one = desk.server.add("/html/x1.png", picture(1600, 900), "image/png")
    found = await desk.get(one, desk.server.url + "/html/x2.png")
    assert found is not None
    assert found == Picture(desk.folder / f"{ID}.fig.jpg", 1280, 720, "Figure 1: A way.", "image/jpeg")
    assert shown(found.path.read_bytes()).size == (1280, 720)
    assert desk.server.requests == ["/html/x1.png"]


@pytest.mark.parametrize("size", [(199, 300), (300, 119), (16, 16), (1300, 200), (200, 1300)])
async def test_a_logo_or_a_strip_is_passed_over(desk: Desk, size: tuple[int, int]) -> None:
    logo = desk.server.add("/html/logo.png", picture(*size), "image/png")
    real = desk.server.add("/html/x1.png", picture(200, 120), "image/png")
    found = await desk.get(logo, real)
    assert found is not None
    assert (found.width, found.height, found.caption) == (200, 120, "Figure 2: A way.")


async def test_a_drawing_in_vectors_is_never_asked_for(desk: Desk) -> None:
    svg = desk.server.add("/html/x1.svg", "<svg xmlns='http://www.w3.org/2000/svg'/>", "image/svg+xml")
    assert await desk.get(svg, svg.replace(".svg", ".SVG?a=b")) is None
    assert desk.server.requests == []
    lying = desk.server.add("/html/x2.png", "<svg xmlns='http://www.w3.org/2000/svg' width='900' height='900'/>")
    assert await desk.get(lying) is None


async def test_no_more_than_a_few_figures_are_asked_for(desk: Desk) -> None:
    assert await desk.get(*(f"{desk.server.url}/html/x{number}.png" for number in range(99))) is None
    assert len(desk.server.requests) == figures.MOST_TRIED


async def test_then_comes_the_first_picture_beside_the_paper_but_no_film(desk: Desk) -> None:
    film = Media(MediaKind.VIDEO, desk.server.url + "/a.mp4")
    one = Media(MediaKind.IMAGE, desk.server.add("/a.webp", picture(kind="WEBP"), "image/webp"))
    two = Media(MediaKind.IMAGE, desk.server.url + "/b.png")
    found = await desk.get(media=[film, one, two])
    assert found is not None
    assert found.caption == ""
    assert desk.server.requests == ["/a.webp"]


async def test_a_paper_with_a_film_alone_has_none(desk: Desk) -> None:
    assert await desk.get(media=[Media(MediaKind.VIDEO, desk.server.url + "/a.mp4")]) is None
    assert desk.server.requests == []
    assert figures.settled(PAPER, desk.folder, NOW), "that there is none is known"


@pytest.mark.parametrize(
    "url",
    [
        "http://arxiv.org/html/x1.png",
        "https://example.org/x1.png",
        "https://arxiv.org.example.org/x1.png",
        "https://huggingface.co/x1.png",
        "file:///etc/passwd",
        "data:image/png;base64,AAAA",
        "//arxiv.org/x1.png",
    ],
)
async def test_a_figure_elsewhere_is_never_asked_for(desk: Desk, url: str, caplog: pytest.LogCaptureFixture) -> None:
    found = await figures.get(PAPER, [Figure(url, "")], desk.folder, NOW, fetcher=desk.fetcher)
    assert found is None
    (line,) = caplog.records
    assert "address" in getattr(line, "reason")  # noqa: B009 - what `extra` adds is no attribute to mypy


def test_the_hosts_are_arxivs_and_hugging_faces() -> None:
    assert all(each.startswith("https://") for each in ARXIV | HUGGING_FACE)


async def test_a_picture_that_sends_us_elsewhere_is_none(desk: Desk) -> None:
    async with PaperServer() as other:
        there = other.add("/x1.png", picture(), "image/png")
        here = desk.server.fault("/html/x1.png", Fault.redirect(there))
        assert await desk.get(here) is None
        assert other.requests == []


async def test_an_id_that_is_none_names_no_file(desk: Desk) -> None:
    one = desk.server.add("/html/x1.png", picture(), "image/png")
    for wrong in ("../../x", "", "2511.00001/../../x"):
        paper = replace(PAPER, id=wrong)
        arxiv = {desk.server.url}
        found = await figures.get(paper, [Figure(one, "")], desk.folder, NOW, fetcher=desk.fetcher, arxiv=arxiv)
        assert found is None
    assert desk.server.requests == []


# What is kept


async def test_a_picture_is_kept_for_thirty_days_and_that_there_is_none_for_six_hours(desk: Desk) -> None:
    one = desk.server.url + "/html/x1.png"
    assert await desk.get(one) is None
    desk.server.add("/html/x1.png", picture(), "image/png")
    assert await desk.get(one, now=NOW + timedelta(hours=5)) is None
    first = await desk.get(one, now=NOW + timedelta(hours=6))
    assert first is not None
    assert await desk.get(now=NOW + timedelta(days=30)) == first
    assert len(desk.server.requests) == 2
    assert await desk.get(now=NOW + timedelta(days=31)) is None
    first.path.unlink()
    assert await desk.get(one, now=NOW + timedelta(hours=6)) == first
    assert len(desk.server.requests) == 3


@pytest.mark.parametrize("fault", [Fault.status(500), Fault.status(429, retry_after="5"), Fault.drop])
async def test_a_passing_fault_is_not_kept(desk: Desk, fault: Fault) -> None:
    desk.server.add("/html/x1.png", picture(), "image/png")
    one = desk.server.fault("/html/x1.png", fault)
    assert await desk.get(one) is None
    desk.server.fault("/html/x1.png", None)
    assert await desk.get(one, now=NOW + timedelta(seconds=5)) is not None


async def test_a_picture_that_cannot_be_kept_is_none(desk: Desk) -> None:
    (desk.folder / "file").write_bytes(b"")
    one = desk.server.add("/html/x1.png", picture(), "image/png")
    assert await replace(desk, folder=desk.folder / "file").get(one) is None


async def test_the_thumbnail_is_a_jpeg_beside_the_figure(desk: Desk) -> None:
    url = desk.server.add("/t.png", saved(Image.new("RGB", (1200, 648), "white")), "image/png")
    found = await desk.thumbnail(url)
    assert found == Picture(desk.folder / f"{ID}.thumb.jpg", 1200, 648, "", "image/jpeg")
    assert await desk.get(url) is not None
    assert await desk.thumbnail(url) == found
    assert {path.name for path in desk.folder.iterdir()} >= {f"{ID}.thumb.jpg", f"{ID}.fig.png"}
    assert await desk.thumbnail(None, NOW + timedelta(days=31)) is None


# What servers and files do wrong


@pytest.mark.parametrize("fault", [Fault.endless, Fault.bomb, Fault.hang, Fault.status(404)])
async def test_a_server_that_misbehaves_costs_the_picture_alone(desk: Desk, fault: Fault) -> None:
    bad = desk.server.fault("/html/x1.png", fault)
    good = desk.server.add("/html/x2.png", picture(), "image/png")
    async with Fetcher(pause=0, total=0.3 if fault is Fault.hang else 30) as fetcher:
        found = await replace(desk, fetcher=fetcher).get(bad, good)
    assert found is not None
    assert found.caption == "Figure 2: A way."


def drawn_as(kind: str) -> bytes:
    return picture(kind=kind)


def bomb() -> bytes:
    """A few hundred kilobytes that would be a picture of 400 million pixels."""
    return saved(Image.new("1", (20_000, 20_000)), "PNG")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>",
        b"\x89PNG\r\n\x1a\n",
        *(body[: len(body) // 2] for body in map(drawn_as, ("PNG", "JPEG", "GIF", "WEBP"))),
        picture(kind="BMP"),
        picture(kind="TIFF"),
        picture(kind="PPM"),
        picture(kind="PDF"),
        b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 600 600\n",
    ],
    ids=range(12),
)
def test_what_is_no_whole_picture_is_refused(body: bytes) -> None:
    with pytest.raises(DocumentError, match=r"cannot be decoded \(\w+\)"):
        redrawn(body)


@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
def test_a_bomb_is_refused_before_it_is_decoded() -> None:
    with pytest.raises(DocumentError, match=r"cannot be decoded|million pixels"):
        redrawn(bomb())
    with pytest.raises(DocumentError, match="million pixels"):
        redrawn(saved(Image.new("1", (8_000, 6_000))))
    assert LARGEST_BODY > 1_000_000


MEASURE = """
import resource, sys
from pathlib import Path
from bot.summaries.fulltext import figures
from bot.summaries.fulltext.sections import DocumentError

def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024

small, *others = (Path(each).read_bytes() for each in sys.argv[1:])
figures.redrawn(small)
before = peak()
for each in others:
    try:
        print(*figures.redrawn(each)[1:3])
    except DocumentError:
        print("refused")
print(peak() - before)
"""


def test_what_costs_little_to_send_costs_little_to_decode(tmp_path: Path) -> None:
    """In a process of its own, whose largest size is what the largest picture took."""
    bodies = {
        "small": saved(Image.new("P", (400, 400))),
        "clear": saved(Image.new("P", (4_000, 4_000), 0), transparency=0),
        "photograph": saved(Image.new("L", (6_300, 6_300)), "JPEG"),
        "large": saved(Image.new("L", (6_300, 6_300))),
    }
    for name, body in bodies.items():
        (tmp_path / name).write_bytes(body)
    command = [sys.executable, "-c", MEASURE, *(str(tmp_path / name) for name in bodies)]
    told = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout.splitlines()
    assert told[:3] == ["1280 1280", "1280 1280", "refused"]
    assert int(told[3]) < 200, "megabytes"


@settings(max_examples=50)
@given(st.integers(0, 4_000), st.binary(min_size=1, max_size=40), st.sampled_from(["PNG", "JPEG", "GIF", "WEBP"]))
def test_a_damaged_picture_is_redrawn_or_refused(place: int, damage: bytes, kind: str) -> None:
    body = picture(kind=kind)
    with suppress(DocumentError):
        redrawn(body[:place] + damage + body[place + len(damage) :])


# How it is re-encoded


def test_an_animation_is_its_first_frame() -> None:
    frames = [Image.new("RGB", (300, 200), colour) for colour in ("red", "blue")]
    for kind in ("GIF", "WEBP", "PNG"):
        body, width, height, suffix = redrawn(
            saved(frames[0], kind, save_all=True, append_images=frames[1:], duration=90, loop=0)
        )
        drawn = shown(body)
        assert (width, height) == drawn.size == (300, 200)
        assert getattr(drawn, "n_frames", 1) == 1
        red, green, blue = drawn.convert("RGB").getpixel((150, 100))  # type: ignore[misc]
        assert red > 240
        assert max(green, blue) < 15
        assert suffix == "png"


def test_what_shines_through_is_white() -> None:
    clear = Image.new("RGBA", (300, 200), (255, 0, 0, 0))
    for body in (saved(clear), saved(clear.convert("LA")), saved(clear, "WEBP", lossless=True)):
        drawn = shown(redrawn(body, plain=True)[0])
        assert drawn.mode == "RGB"
        assert min(drawn.getpixel((150, 100))) > 250  # type: ignore[arg-type]


def test_it_is_turned_the_right_way_up_and_says_no_more_than_it_shows() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned by a quarter
    exif[0x010F] = "SECRETCAMERA"
    for kind in ("JPEG", "PNG", "WEBP"):
        told = {"comment": b"SECRETCOMMENT"} if kind == "JPEG" else {}
        file = picture(400, 300, kind=kind, exif=exif, icc_profile=b"SECRET" * 9, mode="RGB", **told)
        assert b"SECRET" in file
        body, width, height, _ = redrawn(file)
        assert (width, height) == (300, 400)
        drawn = shown(body)
        assert not drawn.getexif()
        assert b"SECRET" not in body
        assert not {"icc_profile", "comment", "exif"} & drawn.info.keys()


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB", "RGBA", "LA", "I;16"])
def test_every_kind_of_pixel_can_be_drawn(mode: str) -> None:
    image = Image.linear_gradient("L").resize((300, 200))
    image = Image.new("I;16", (300, 200), 32_768) if mode == "I;16" else image.convert(mode)
    drawn = shown(redrawn(saved(image), plain=True)[0])
    assert drawn.mode == "RGB"
    if mode == "I;16":
        assert all(120 < value < 136 for value in drawn.getpixel((9, 9)))  # type: ignore[union-attr]


def test_inks_are_colours() -> None:
    body = redrawn(saved(Image.new("CMYK", (300, 200), (0, 255, 255, 0)), "JPEG"), plain=True)[0]
    red, green, blue = shown(body).getpixel((9, 9))  # type: ignore[misc]
    assert red > 200
    assert max(green, blue) < 60


def test_a_drawing_is_a_png_where_that_is_smaller_and_a_photograph_never() -> None:
    lines = Image.new("RGB", (900, 600), "white")
    ImageDraw.Draw(lines).line((0, 0, 900, 600), "black", 3)
    body, _, _, suffix = redrawn(saved(lines))
    assert suffix == "png"
    assert len(body) < len(redrawn(saved(lines), plain=True)[0])
    noise = Image.effect_noise((900, 600), 90).convert("RGB")
    noise.putpixel((0, 0), (255, 0, 0))
    assert redrawn(saved(noise))[3] == "jpg"


@settings(max_examples=20)
@given(st.integers(1, 1_700), st.integers(1, 1_700))
def test_no_side_is_longer_than_it_may_be(width: int, height: int) -> None:
    body = saved(Image.new("L", (width, height), 128))
    if width < 200 or height < 120 or max(width, height) > 6 * min(width, height):
        with pytest.raises(DocumentError, match=f"{width} × {height} pixels"):
            redrawn(body)
        return
    drawn, *size, _ = redrawn(body)
    assert list(shown(drawn).size) == size
    assert max(size) == min(LONGEST_SIDE, max(width, height))


async def test_an_editions_pictures_are_collected_under_the_names_that_pages_ask_for(tmp_path: Path) -> None:
    async with PaperServer() as server:
        caption = '<figcaption class="ltx_caption">Figure 1: A way.</figcaption>'
        drawn = f'<figure class="ltx_figure"><img src="x1.png" class="ltx_graphics">{caption}</figure>'
        server.add(f"/html/{ID}", page(drawn))
        server.add(f"/html/{ID}v2/x1.png", picture(800, 600), "image/png")
        small = server.add("/thumb.png", picture(400, 300), "image/png")
        texts = FullTextLibrary(tmp_path, arxiv=server.url, hugging_face=server.url, pause=0)
        papers = [replace(PAPER, thumbnail=small), replace(PAPER, id="2511.00002", thumbnail=None)]
        async with texts:
            found = await collect(texts, tmp_path, papers, NOW, arxiv={server.url}, hugging_face={server.url})
    assert sorted(found) == [f"{ID}.fig.jpg", f"{ID}.thumb.jpg"]
    assert all(path.is_file() for path in found.values())


class Wanted(WantedTexts):
    """The papers that readers are shown with pictures, as a test says."""

    def __init__(self, papers: Sequence[Paper]) -> None:
        self._shown = papers

    async def papers(self, styles: object, now: datetime) -> list[Paper]:
        return list(self._shown)


async def test_the_pictures_of_papers_are_fetched_until_it_is_known_what_they_have(tmp_path: Path) -> None:
    async with PaperServer() as server:
        server.add(f"/html/{ID}", page("<p>No figure.</p>"))
        small = server.fault("/thumb.png", Fault.status(503))
        paper, origins = replace(PAPER, thumbnail=small), {server.url}
        async with FullTextLibrary(tmp_path, arxiv=server.url, hugging_face=server.url, pause=0) as texts:
            fetched = PaperPictures(Wanted([paper]), texts, tmp_path, arxiv=origins, hugging_face=origins)
            assert not await fetched.step(NOW)
            assert not figures.settled(paper, tmp_path, NOW), "the server may be up again soon"
            server.fault("/thumb.png", None)
            server.add("/thumb.png", picture(400, 300), "image/png")
            assert not await fetched.step(NOW + LOOK_AGAIN / 2)
            assert await fetched.step(NOW + LOOK_AGAIN)
            assert figures.settled(paper, tmp_path, NOW + LOOK_AGAIN)
            asked = len(server.requests)
            assert not await fetched.step(NOW + 3 * LOOK_AGAIN)
    assert len(server.requests) == asked
