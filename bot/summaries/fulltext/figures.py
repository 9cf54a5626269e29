"""The one picture of a paper, made small and harmless: a figure of its own, else one that its authors put beside it."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from bot.model import ARXIV_ID, MediaKind, Paper
from bot.runtime.http import Fetcher, FetchError
from bot.summaries.fulltext.file_cache import MISSING, FileCache
from bot.summaries.fulltext.sections import DocumentError, Figure

if TYPE_CHECKING:
    from PIL.Image import Image
    from PIL.ImageFile import ImageFile

log = logging.getLogger(__name__)

ARXIV = frozenset({"https://arxiv.org"})
HUGGING_FACE = frozenset(
    {
        "https://huggingface.co",
        "https://cdn-uploads.huggingface.co",
        "https://cdn-thumbnails.huggingface.co",
        "https://*.hf.co",
    }
)

LARGEST_BODY = 8 << 20
MOST_TRIED = 4
"""Figures that are asked for before the paper counts as one without."""
MOST_PIXELS = 16_000_000
"""Of what is decoded: 64 MB with transparency, and as much again while it is laid on white."""
MOST_JPEG_PIXELS = 100_000_000
"""Of a JPEG that can be decoded at a fraction of its size."""
LEAST_WIDTH, LEAST_HEIGHT = 200, 120
"""In pixels; what is smaller is a logo or an icon."""
LONGEST_RATIO = 6
LONGEST_SIDE = 1280
QUALITY = 85
COLOURS = 256
"""A picture with no more of them is a drawing, for which PNG is often smaller."""
ORIENTATION, ON_ITS_SIDE = 0x0112, range(5, 9)
"""The tag of EXIF that says how a picture is turned, and its values for a quarter turn."""
ONE_AT_A_TIME = threading.Lock()
"""Held while a picture is decoded, so that only one is in memory."""
FORMATS = ("JPEG", "PNG", "GIF", "WEBP")

SMALLEST_QUALITY = 40

MEDIA_TYPES = {"jpg": "image/jpeg", "png": "image/png"}


class Size(Enum):
    """A size in which thumbnails are shown: pixels across and down, and bytes, at most."""

    SMALL = (320, 180, 40 << 10)
    """Beside a title."""
    LARGE = (800, 450, 90 << 10)
    """Of the paper that comes first, across a phone or half a page."""

    def file_name(self, paper_id: str) -> str:
        """What the file of a paper's thumbnail in this size is called."""
        return f"{paper_id}.{self.name.lower()}.jpg"


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture on disk, of at most LONGEST_SIDE pixels, with nothing in its file but the picture."""

    path: Path
    width: int
    height: int
    caption: str
    media_type: str


async def get(
    paper: Paper,
    figures: Sequence[Figure] | None,
    folder: Path,
    now: datetime,
    *,
    fetcher: Fetcher,
    arxiv: Collection[str] = ARXIV,
    hugging_face: Collection[str] = HUGGING_FACE,
) -> Picture | None:
    """The first of a paper's `figures` that is a picture to be shown, else the first picture beside it, else None.

    Only the origins named are asked: `arxiv` for figures, `hugging_face` for what stands beside papers. Without any it
    is remembered that there is none, unless `figures` is None: its text could not be had, so nobody knows.
    """
    drawn = [figure for figure in figures or () if not _is_vector(figure.url)][:MOST_TRIED]
    beside = [media.url for media in paper.media if media.kind is MediaKind.IMAGE][:1]
    wanted = [(figure.url, figure.caption, arxiv) for figure in drawn] + [(url, "", hugging_face) for url in beside]
    return await _first(paper.id, "fig", wanted, folder, now, fetcher=fetcher, remember=figures is not None)


def settled(paper: Paper, folder: Path, now: datetime) -> bool:
    """Whether it is known what pictures a paper has: each is there, or cannot be had. Blocks; asks nobody."""
    file_cache = FileCache(folder)
    uses = ("thumb", "fig") if paper.thumbnail else ("fig",)
    return all(file_cache.look(f"{paper.id}.{use}.json", now) is not MISSING for use in uses)


def kept(paper_id: str, folder: Path, now: datetime) -> Picture | None:
    """A paper's figure if one was fetched before, for whatever; nobody is asked for it. Blocks."""
    if not (paper_id.isascii() and ARXIV_ID.fullmatch(paper_id)):
        return None
    name, file_cache = f"{paper_id}.fig", FileCache(folder)
    found = file_cache.look(f"{name}.json", now)
    return None if found is None or found is MISSING else _restored(found, file_cache.folder, name)


async def thumbnail(
    paper: Paper, folder: Path, now: datetime, *, fetcher: Fetcher, hugging_face: Collection[str] = HUGGING_FACE
) -> Picture | None:
    """The small picture that the feed shows of a paper, always a JPEG; None where it cannot be had."""
    wanted = [(paper.thumbnail, "", hugging_face)] if paper.thumbnail else []
    return await _first(paper.id, "thumb", wanted, folder, now, fetcher=fetcher)


async def resized(
    paper: Paper, folder: Path, now: datetime, *, fetcher: Fetcher, hugging_face: Collection[str] = HUGGING_FACE
) -> bool:
    """Keep the thumbnail in every `Size`, beside the one that was fetched. False where it cannot be had or kept."""
    fetched = await thumbnail(paper, folder, now, fetcher=fetcher, hugging_face=hugging_face)
    if fetched is None:
        return False
    file_cache = FileCache(folder)
    for size in Size:
        try:
            body = await asyncio.to_thread(_shrunk, fetched.path, *size.value)
        except (OSError, ValueError) as error:
            log.warning("a thumbnail cannot be made smaller", extra={"paper": paper.id, "reason": type(error).__name__})
            return False
        if not await asyncio.to_thread(file_cache.write, size.file_name(paper.id), body, now):
            return False
    return True


def _shrunk(path: Path, width: int, height: int, most: int) -> bytes:
    """The picture at most `width` × `height` pixels large, in at most `most` bytes if a poor quality can do that."""
    from PIL import Image

    with Image.open(path, formats=("JPEG",)) as opened:
        picture = opened.convert("RGB")
    picture.thumbnail((width, height), Image.Resampling.LANCZOS)
    quality = QUALITY
    while True:
        written = BytesIO()
        picture.save(written, "JPEG", quality=quality, optimize=True, progressive=True)
        if written.tell() <= most or quality <= SMALLEST_QUALITY:
            return written.getvalue()
        quality -= 15


async def _first(
    paper_id: str,
    use: str,
    wanted: Iterable[tuple[str, str, Collection[str]]],
    folder: Path,
    now: datetime,
    *,
    fetcher: Fetcher,
    remember: bool = False,
) -> Picture | None:
    """The first of the addresses `wanted` that holds a picture, with its caption; kept under the paper's id.

    That none of them has one is remembered; with `remember` also that there are none.
    """
    if not (paper_id.isascii() and ARXIV_ID.fullmatch(paper_id)):
        return None
    name, file_cache = f"{paper_id}.{use}", FileCache(folder)
    kept = await asyncio.to_thread(file_cache.look, f"{name}.json", now)
    if kept is None:
        return None
    if kept is not MISSING and (picture := await asyncio.to_thread(_restored, kept, file_cache.folder, name)):
        return picture
    passing = tried = False
    for url, caption, within in wanted:
        tried = True
        try:
            fetched = await fetcher.get(url, now, largest=LARGEST_BODY, within=within)
            body, width, height, suffix = await asyncio.to_thread(redrawn, fetched.body, plain=use == "thumb")
        except (FetchError, DocumentError) as error:
            passing |= error.temporary
            log.warning("a picture of a paper cannot be used", extra={"paper": paper_id, "reason": str(error)})
            continue
        about = {"suffix": suffix, "width": width, "height": height, "caption": caption}
        if not await asyncio.to_thread(file_cache.write, f"{name}.{suffix}", body, now):
            return None
        await asyncio.to_thread(file_cache.put, f"{name}.json", about, now)
        return Picture(file_cache.folder / f"{name}.{suffix}", width, height, caption, MEDIA_TYPES[suffix])
    if (tried or remember) and not passing:
        await asyncio.to_thread(file_cache.put, f"{name}.json", None, now)
    return None


def redrawn(body: bytes, *, plain: bool = False) -> tuple[bytes, int, int, str]:
    """An untrusted picture, re-encoded: its bytes, width, height and suffix ("jpg", or "png" unless `plain`).

    The first frame alone, the right way up, on white, without anything that its file told beside. Raises
    DocumentError for what is broken, too large to be decoded, or too small or narrow to be a figure.
    """
    from PIL import Image, ImageOps

    Image.MAX_IMAGE_PIXELS = MOST_JPEG_PIXELS
    try:
        with ONE_AT_A_TIME, Image.open(BytesIO(body), formats=FORMATS) as opened:
            width, height = opened.size
            _bound(opened)
            turn = opened.getexif().get(ORIENTATION, 1)
            if turn in ON_ITS_SIDE:
                width, height = height, width
            if width < LEAST_WIDTH or height < LEAST_HEIGHT or max(width, height) > LONGEST_RATIO * min(width, height):
                raise DocumentError(f"it is no figure, being {width} × {height} pixels")
            simple = opened.mode in {"1", "L", "P"}
            opened.load()
            canvas = _on_white(opened)
        simple = simple or canvas.getcolors(COLOURS) is not None
        canvas.thumbnail((LONGEST_SIDE, LONGEST_SIDE), Image.Resampling.LANCZOS)
        canvas.getexif()[ORIENTATION] = turn
        return _encoded(_on_white(ImageOps.exif_transpose(canvas)), simple=simple and not plain)
    except DocumentError:
        raise
    except Exception as error:  # noqa: BLE001 - a decoder may raise anything for a file that was made to
        raise DocumentError(f"it cannot be decoded ({type(error).__name__})") from None


def _bound(opened: ImageFile) -> None:
    """Have a file decoded at a fraction of its size if its format can do that. DocumentError if it is still too large.

    All of this is known before anything is decoded. A progressive JPEG is kept whole in memory, whatever its fraction.
    """
    if opened.format == "JPEG" and not opened.info.get("progressive"):
        opened.draft(None, (LONGEST_SIDE, LONGEST_SIDE))
    if opened.width * opened.height > MOST_PIXELS:
        raise DocumentError(f"it has more than {MOST_PIXELS // 1_000_000} million pixels")


def _on_white(image: Image) -> Image:
    """The bare pixels on a new canvas: nothing of the file's comments, profiles or positions comes along."""
    from PIL import Image

    if image.mode.startswith("I"):  # 16 bits of grey, of which converting would keep the lower half
        image = image.convert("I").point(lambda value: value / 256).convert("L")
    canvas = Image.new("RGB", image.size, "white")
    if image.has_transparency_data:
        image = image.convert("RGBA")
        canvas.paste(image, mask=image.getchannel("A"))
    else:
        canvas.paste(image.convert("RGB"))
    return canvas


def _encoded(canvas: Image, *, simple: bool) -> tuple[bytes, int, int, str]:
    from PIL import Image

    jpeg = BytesIO()
    canvas.save(jpeg, "JPEG", quality=QUALITY, optimize=True)
    if simple:
        png = BytesIO()
        canvas.quantize(COLOURS, dither=Image.Dither.NONE).save(png, "PNG", optimize=True)
        if png.tell() < jpeg.tell():
            return png.getvalue(), *canvas.size, "png"
    return jpeg.getvalue(), *canvas.size, "jpg"


def _restored(kept: Any, folder: Path, name: str) -> Picture | None:
    """What was kept, if it is whole."""
    try:
        path = folder / f"{name}.{kept['suffix']}"
        sizes = int(kept["width"]), int(kept["height"])
        picture = Picture(path, *sizes, str(kept["caption"]), MEDIA_TYPES[kept["suffix"]])
    except (TypeError, KeyError, ValueError):
        return None
    return picture if path.is_file() else None


def _is_vector(url: str) -> bool:
    return urlsplit(url).path.lower().endswith((".svg", ".svgz", ".pdf", ".eps"))
