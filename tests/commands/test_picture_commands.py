"""`cloud`, `trend` and `poster`: a picture of the latest edition or another one, or a sentence that there is none."""

from __future__ import annotations

from datetime import date, time
from pathlib import Path

import pytest

from bot.channel import Requester
from bot.commands import ReaderCommands
from bot.commands.command import MisreadError, split
from bot.commands.picture_commands import PictureArguments, parse_picture
from bot.media.media_store import MediaStore
from bot.model import Address, Cadence, Preferences
from bot.render.words import words
from bot.store import Store
from tests.support.fake_channel import NOW, FakeChannel, publish

READER = Requester(Address("fake", "ada"), locale="ko")


def commands(store: Store, media: MediaStore, *, shows_pictures: bool = True) -> ReaderCommands:
    channel = FakeChannel(shows_pictures=shows_pictures)
    return ReaderCommands(store, [channel], fallback=Preferences(), closes=time(22), media=media.path)


@pytest.mark.parametrize(
    ("typed", "asked"),
    [
        ("", PictureArguments()),
        ("2025-11-03", PictureArguments(Cadence.DAY, date(2025, 11, 3))),
        ("2026-W18", PictureArguments(Cadence.WEEK, date(2026, 5, 3))),
        ("2026-04", PictureArguments(Cadence.MONTH, date(2026, 4, 1))),
    ],
)
def test_the_edition_is_named_as_in_other_commands(typed: str, asked: PictureArguments) -> None:
    assert parse_picture(split(f"trend {typed}", words("en"), NOW)[1]) == asked


async def test_a_picture_comes_as_a_file_with_the_edition_as_its_caption(store: Store, tmp_path: Path) -> None:
    media = MediaStore(tmp_path / "media")
    await publish(store, {})
    readers = commands(store, media)
    reply = await readers.ask(READER, "cloud", NOW)
    assert not reply.ok
    assert reply.file is None
    media.put("2025-11-03", "ko", "keywords.png", b"png", made_from="a1", now=NOW)
    reply = await readers.ask(READER, "cloud", NOW)
    assert reply.ok
    assert reply.file is not None
    assert (reply.file.name, reply.file.content) == ("2025-11-03-ko-keywords.a1.png", b"png")
    assert reply.file.media_type == "image/png"
    assert "2025" in reply.says[0]
    other = await readers.ask(READER, "poster 2025-11-03", NOW)
    assert not other.ok
    assert not (await readers.ask(READER, "trend 2031-01-01", NOW)).ok


@pytest.mark.parametrize("written", ["9999-12", "9999-W53", "0000-01", "2026-13"])
def test_a_period_that_no_calendar_has_is_not_understood(written: str) -> None:
    with pytest.raises(MisreadError):
        parse_picture(split(f"trend {written}", words("en"), NOW)[1])


async def test_before_the_first_edition_there_is_none(store: Store, tmp_path: Path) -> None:
    assert not (await commands(store, MediaStore(tmp_path)).ask(READER, "trend", NOW)).ok


async def test_channels_without_pictures_do_not_list_the_commands(store: Store, tmp_path: Path) -> None:
    listed = {each.name for each in commands(store, MediaStore(tmp_path)).listed("fake", "en")}
    assert listed >= {"cloud", "trend", "poster"}
    plain = {each.name for each in commands(store, MediaStore(tmp_path), shows_pictures=False).listed("fake", "en")}
    assert not plain & {"cloud", "trend", "poster"}
