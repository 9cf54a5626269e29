"""The page "fewer emails": what its buttons do, and that nothing happens without them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.model import Cadence, Status
from bot.signing import token_name
from tests.support.email_channel import PUBLIC
from tests.support.mail_program import ADA, Mailed
from tests.support.web_program import some


@pytest.fixture
async def mailed(tmp_path: Path) -> AsyncIterator[Mailed]:
    async with Mailed(tmp_path) as opened:
        await opened.served.publish(*some(3))
        await opened.subscribe(ADA)
        yield opened


async def path_of(mailed: Mailed) -> str:
    reader = await mailed.reader(ADA)
    assert reader is not None
    links = mailed.links.of(token_name(reader.id, reader.created_at), "en", None)
    return links["fewer"].removeprefix(PUBLIC)


async def test_opening_the_page_changes_nothing(mailed: Mailed) -> None:
    before = await mailed.reader(ADA)
    shown = await mailed.get(await path_of(mailed))
    assert shown.status == 200
    assert [
        shown.text.count(each) for each in ("One edition a week", "Only the top 3 papers", "Pause for 30 days")
    ] == [
        1,
        1,
        1,
    ]
    assert ADA not in shown.text, "the mail may have been forwarded"
    assert await mailed.reader(ADA) == before


async def test_each_button_does_what_it_says_and_is_offered_once(mailed: Mailed) -> None:
    path = await path_of(mailed)
    for choice, label in (("weekly", "One edition a week"), ("top", "Only the top 3"), ("pause", "Pause for 30 days")):
        assert (await mailed.post(path, choice=choice)).status == 200
        assert label not in (await mailed.get(path)).text
    reader = await mailed.reader(ADA)
    assert reader is not None
    assert (reader.preferences.cadence, reader.preferences.papers) == (Cadence.WEEK, 3)
    assert reader.status is Status.PAUSED
    assert reader.paused_until is not None


@pytest.mark.parametrize("choice", ["", "everything", "unsubscribe"])
async def test_anything_else_shows_the_page_again(mailed: Mailed, choice: str) -> None:
    before = await mailed.reader(ADA)
    answer = await mailed.post(await path_of(mailed), choice=choice)
    assert "Pause for 30 days" in answer.text
    assert await mailed.reader(ADA) == before


async def test_a_former_reader_is_offered_nothing(mailed: Mailed) -> None:
    path = await path_of(mailed)
    reader = await mailed.reader(ADA)
    assert reader is not None
    await mailed.post(
        mailed.links.of(token_name(reader.id, reader.created_at), "en", None)["unsubscribe"][len(PUBLIC) :], here="1"
    )
    for page in (await mailed.get(path), await mailed.post(path, choice="top")):
        assert "<button" not in page.text.partition("<main")[2].partition("</main>")[0]


async def test_a_token_for_another_page_and_a_form_from_elsewhere_are_refused(mailed: Mailed) -> None:
    path = await path_of(mailed)
    assert (await mailed.get(path.replace("/fewer/", "/fewer/x"))).status == 404
    reader = await mailed.reader(ADA)
    settings = mailed.settings_path(reader).rpartition("/")[2]
    assert (await mailed.get(f"/fewer/{settings}")).status == 404
    assert (await mailed.post(path, choice="top", headers={"Origin": "https://evil.example"})).status == 403
