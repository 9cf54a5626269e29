"""A paper's PDF as sections: pypdf's home. It is slow, so it has a thread of its own, which may be left behind."""

from __future__ import annotations

import asyncio
import logging
import re
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from io import BytesIO

from bot.summaries.fulltext.sections import MOST_TEXT, DocumentError, Draft, Section, kind_of

MOST_PAGES = 60
LONGEST_READING = 60.0
"""Seconds for one document; thirty pages take about five."""

_NUMBERED = re.compile(r"(\d{1,2}|[A-Z])((?:\.\d{1,2}){0,3})\.?\s+([A-Z][^.!?]{2,79})")
_BROKEN = re.compile(r"(?<=[a-z])-\n(?=[a-z])")
_MARGIN = re.compile(r"\d{1,4}|arXiv:\S{1,30}(?:\s.{0,60})?")
"""Numbers of pages and lines, and arXiv's stamp."""
_LIGATURES = str.maketrans({"ﬀ": "ff", "ﬁ": "fi", "ﬂ": "fl", "ﬃ": "ffi", "ﬄ": "ffl", "ﬅ": "st", "ﬆ": "st"})

_busy = threading.Lock()


async def read(body: bytes, *, seconds: float = LONGEST_READING, pages: int = MOST_PAGES) -> Sequence[Section]:
    """The sections of a document's first `pages` pages.

    Raises DocumentError where it has no text, or cannot be read in `seconds`. One is read at a time: while one that ran
    out of time is still at work, all others are refused as well.
    """
    if b"%PDF-" not in body[:1024]:
        raise DocumentError("it is no PDF")
    if not _busy.acquire(blocking=False):
        raise DocumentError("another PDF is still being read", temporary=True)
    loop = asyncio.get_running_loop()
    done: asyncio.Future[str | DocumentError] = loop.create_future()

    def finish(result: str | DocumentError) -> None:
        if not done.done():
            done.set_result(result)

    def work() -> None:
        try:
            result = _text(body, time.monotonic() + seconds, pages)
        finally:
            _busy.release()
        with suppress(RuntimeError):  # the loop was closed meanwhile
            loop.call_soon_threadsafe(finish, result)

    # Not of the loop's own threads, for which it would wait at its end, however long a hostile document takes.
    threading.Thread(target=work, name="pdf", daemon=True).start()
    try:
        async with asyncio.timeout(seconds * 1.5):
            result = await done
    except TimeoutError:
        raise DocumentError(f"it could not be read within {seconds:g} s") from None
    if isinstance(result, DocumentError):
        raise result
    return await asyncio.to_thread(sections, result)


def _text(body: bytes, until: float, most: int) -> str | DocumentError:
    """All text, pages parted by lines; what is wrong with the document where there is none."""
    try:
        import pypdf

        logging.getLogger("pypdf").setLevel(logging.CRITICAL)  # quotes what it cannot read

        def tick(*_: object) -> None:
            if time.monotonic() > until:
                raise TimeoutError

        reader = pypdf.PdfReader(BytesIO(body))
        if reader.is_encrypted:
            return DocumentError("it is encrypted")
        said: list[str] = []
        for page in reader.pages[:most]:
            tick()
            said.append(page.extract_text(visitor_operand_before=tick))
            if sum(map(len, said)) > MOST_TEXT:
                break
        return "\n".join(said)[:MOST_TEXT]
    except TimeoutError:
        return DocumentError("it takes too long to read")
    except Exception as error:  # noqa: BLE001 - whatever a stranger's document does, it costs that document alone
        return DocumentError(f"it cannot be read ({type(error).__name__})")


def sections(text: str) -> Sequence[Section]:
    """A PDF's lines as sections: headings are told by their numbers or names. DocumentError where it is too little."""
    draft = Draft()
    paragraph: list[str] = []
    number, over = "0", False
    for line in _BROKEN.sub("", text.translate(_LIGATURES)).splitlines():
        stripped = line.strip()
        if _MARGIN.fullmatch(stripped):
            continue
        level = 0
        found = _NUMBERED.fullmatch(stripped)
        if found and not (over and found[1].isdecimal()):  # the references have numbers of their own
            level = 2 + found[2].count(".") if _follows(found[1], number, nested=bool(found[2])) else 0
            number = found[1] if level else number
        elif stripped.istitle() or stripped.isupper():
            level = 2 if len(stripped) < 60 and kind_of(stripped) not in {"other", "method"} else 0
        if level:
            draft.text(" ".join(paragraph))
            paragraph.clear()
            draft.heading(level, stripped)
            over |= kind_of(stripped) == "references"
        else:
            paragraph.append(stripped)
    draft.text(" ".join(paragraph))
    return draft.sections()


def _follows(number: str, last: str, *, nested: bool) -> bool:
    """Whether a heading's number is the next one: a table's rows begin with numbers too."""
    if number.isdecimal() and last.isdecimal():
        return int(number) in ({int(last)} if nested else {int(last) + 1})
    return number == last if nested else number == ("A" if last.isdecimal() else chr(ord(last) + 1))
