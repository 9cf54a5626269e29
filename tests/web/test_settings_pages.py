"""A reader's settings, data and address on the web: sessions, forms, export, erasing, moving."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.model import Cadence, Status, Style
from tests.support.mail_program import ADA, Mailed, path_in
from tests.support.web_program import some


@pytest.fixture
async def mailed(tmp_path: Path) -> AsyncIterator[Mailed]:
    async with Mailed(tmp_path) as opened:
        await opened.served.publish(*some(3))
        yield opened


async def test_a_forwarded_mail_does_not_open_settings(mailed: Mailed) -> None:
    await mailed.subscribe(ADA)
    reader = await mailed.reader(ADA)
    path = mailed.settings_path(reader)
    shown = await mailed.get(path)
    assert shown.status == 200
    assert ADA not in shown.text
    assert "Abstract" not in shown.text
    asked = await mailed.post(path)
    assert ADA not in asked.text
    letter = await mailed.letter()
    assert letter.to == [ADA], "the link goes to the reader and to nobody else"
    assert "Set-Cookie" not in asked.headers


async def test_the_settings_link_works_once_and_begins_a_session(mailed: Mailed) -> None:
    cookie = await mailed.opened(ADA)
    shown = await mailed.get("/en/settings", Cookie=cookie)
    assert ADA in shown.text
    assert shown.headers["Cache-Control"] == "no-store"
    assert ADA not in (await mailed.get("/en/settings")).text
    assert ADA not in (await mailed.get("/en/settings", Cookie="__Host-papers=" + "0" * 20)).text
    mailed.served.now += timedelta(days=31)
    assert ADA not in (await mailed.get("/en/settings", Cookie=cookie)).text


async def test_pictures_in_mails_are_turned_off_on_the_same_page(mailed: Mailed) -> None:
    cookie = await mailed.opened(ADA)
    shown = (await mailed.get("/en/settings", Cookie=cookie)).text
    assert re.search(r'<select id="picture" name="picture"><option value="on" selected>', shown)
    answer = await mailed.post("/en/settings", Cookie=cookie, picture="off")
    assert re.search(r'<option value="off" selected>', answer.text)
    reader = await mailed.reader(ADA)
    assert reader is not None
    assert reader.extras == {"picture": "off"}


async def test_the_form_changes_every_preference(mailed: Mailed) -> None:
    cookie = await mailed.opened(ADA)
    form: dict[str, Any] = {
        "language": "ko",
        "style": "abstract",
        "cadence": "week",
        "papers": "20",
        "votes": "5",
        "topics": "diffusion, -video",
        "hour": "07:45",
        "zone": "서울",
        "weekdays": "1",
        "weekday": ["0", "4"],
    }
    answer = await mailed.post("/en/settings", Cookie=cookie, **form)
    assert answer.status == 200, answer.text
    wanted = (await mailed.reader(ADA)).preferences  # type: ignore[union-attr]
    assert (wanted.language, wanted.style, wanted.cadence) == ("ko", Style.ABSTRACT, Cadence.WEEK)
    assert (wanted.papers, wanted.min_votes, wanted.topics) == (20, 5, ("diffusion", "-video"))
    assert (wanted.hour, wanted.weekdays, wanted.timezone) == (465, 0b10001, "Asia/Seoul")


@pytest.mark.parametrize(
    "wrong",
    [
        {"language": "xx"},
        {"style": "review"},
        {"style": "loud"},
        {"papers": "-1"},
        {"papers": "9" * 99},
        {"votes": "-5"},
        {"votes": "10001"},
        {"hour": "25:00"},
        {"hour": "7:01"},
        {"zone": "nowhere at all"},
        {"weekdays": "1"},
        {"weekdays": "1", "weekday": "8"},
        {"cadence": "never"},
        {"topics": "x" * 61},
    ],
)
async def test_an_invalid_form_changes_nothing(mailed: Mailed, wrong: dict[str, Any]) -> None:
    cookie = await mailed.opened(ADA)
    before = await mailed.reader(ADA)
    assert (await mailed.post("/en/settings", Cookie=cookie, **wrong)).status == 422
    assert await mailed.reader(ADA) == before


async def test_pause_resume_unsubscribe_and_return(mailed: Mailed) -> None:
    cookie = await mailed.opened(ADA)
    steps: list[tuple[str, dict[str, Any], Status]] = [
        ("pause", {"days": "14"}, Status.PAUSED),
        ("resume", {}, Status.ACTIVE),
        ("leave", {}, Status.UNSUBSCRIBED),
        ("return", {}, Status.ACTIVE),
    ]
    for path, fields, status in steps:
        assert (await mailed.post(f"/en/settings/{path}", Cookie=cookie, **fields)).status == 200
        assert (await mailed.reader(ADA)).status is status  # type: ignore[union-attr]


async def test_data_is_exported_and_erased(mailed: Mailed) -> None:
    cookie = await mailed.opened(ADA)
    exported = await mailed.post("/en/settings/export", Cookie=cookie)
    assert exported.headers["Content-Disposition"].startswith("attachment")
    assert ADA in exported.text
    asked = await mailed.post("/en/settings/erase", Cookie=cookie)
    found = re.search(r'name="token" value="([^"]+)"', asked.text)
    assert found
    assert await mailed.reader(ADA) is not None
    assert (await mailed.post("/en/settings/erased", Cookie=cookie, token="x")).status == 410
    erased = await mailed.post("/en/settings/erased", Cookie=cookie, token=found[1])
    assert "<span>Everything about you has been deleted</span>" in erased.text  # a title: its first sentence
    assert "<p>You won’t hear from us again.</p>" in erased.text
    assert erased.status == 200
    assert await mailed.reader(ADA) is None
    assert ADA not in (await mailed.get("/en/settings", Cookie=cookie)).text
    assert await mailed.tickets() == 0


async def test_a_change_of_address_is_confirmed_at_both_ends(mailed: Mailed) -> None:
    cookie = await mailed.opened(ADA)
    await mailed.post("/en/settings/address", Cookie=cookie, address="new@example.org")
    first = await mailed.letter()
    assert first.to == [ADA]
    assert "new@example.org" in first.raw.decode(), "so that a stranger's wish is seen"
    shown = await mailed.get(path_in(first))
    assert shown.status == 200
    assert "editions at new@example.org" in shown.text
    await mailed.post(path_in(first))
    second = await mailed.letter()
    assert second.to == ["new@example.org"]
    assert ADA not in second.raw.decode()
    assert await mailed.reader(ADA) is not None
    await mailed.post(path_in(second))
    assert await mailed.reader(ADA) is None
    assert (await mailed.reader("new@example.org")).status is Status.ACTIVE  # type: ignore[union-attr]


async def test_an_address_in_use_cannot_be_moved_to(mailed: Mailed) -> None:
    await mailed.subscribe("bo@example.org")
    cookie = await mailed.opened(ADA)
    await mailed.post("/en/settings/address", Cookie=cookie, address="bo@example.org")
    await mailed.post(path_in(await mailed.letter()))
    await mailed.post(path_in(await mailed.letter()))
    for address in (ADA, "bo@example.org"):
        assert (await mailed.reader(address)).status is Status.ACTIVE  # type: ignore[union-attr]


async def test_an_unsubscribed_address_can_be_moved_to(mailed: Mailed) -> None:
    await mailed.post(await mailed.unsubscribing("bo@example.org"))
    cookie = await mailed.opened(ADA)
    number = (await mailed.reader(ADA)).id  # type: ignore[union-attr]
    await mailed.post("/en/settings/address", Cookie=cookie, address="bo@example.org")
    await mailed.post(path_in(await mailed.letter()))
    moved = await mailed.post(path_in(await mailed.letter()))
    assert "Your editions now come to this address" in moved.text
    assert await mailed.reader(ADA) is None
    reader = await mailed.reader("bo@example.org")
    assert reader is not None
    assert (reader.id, reader.status) == (number, Status.ACTIVE)


async def test_an_invited_reader_can_change_their_address(tmp_path: Path) -> None:
    async with Mailed(tmp_path, codes=("letmein1",)) as mailed:
        await mailed.post("/en/subscribe", address=ADA, invite="letmein1")
        confirmed = await mailed.post(path_in(await mailed.letter()))
        cookie = confirmed.headers["Set-Cookie"].partition(";")[0]
        asked = await mailed.post("/en/settings/address", Cookie=cookie, address="new@example.org")
        assert asked.status == 200
        assert (await mailed.letter()).to == [ADA]


async def test_a_session_can_be_ended(mailed: Mailed) -> None:
    cookie = await mailed.opened(ADA)
    gone = await mailed.post("/en/settings/browser", Cookie=cookie)
    assert gone.status == 303
    assert ADA not in (await mailed.get("/en/settings", Cookie=cookie)).text
