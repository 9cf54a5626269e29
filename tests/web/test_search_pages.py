"""The search page: what it finds, how it pages, and what it does under load."""

from collections.abc import AsyncIterator
from datetime import date, timedelta
from pathlib import Path

import pytest

from bot.channel import Link
from bot.render.words import words
from bot.store import database
from bot.web.pages import public
from bot.web.pages.search_gate import SearchGate
from tests.support.pages import DAY, paper
from tests.support.seen_pages import Seen
from tests.support.web_program import Served, some


@pytest.fixture
async def served(tmp_path: Path) -> AsyncIterator[Served]:
    async with Served(tmp_path, invitations=[Link("Telegram", "https://t.me/papers_bot")]) as opened:
        await opened.publish(*some(3))
        yield opened


async def test_search_shows_the_papers_found(served: Served) -> None:
    await served.publish(paper(60, title="扩散模型的新方法"), day=date(2026, 4, 28))
    found = await served.get("/en/search", method="GET")
    assert "<article>" not in found.text
    assert "扩散模型的新方法" in (await served.get("/en/search?q=扩散")).text
    hostile = await served.get('/en/search?q="><script>alert(1)</script>')
    assert "<script" not in hostile.text
    assert "&lt;script&gt;" in hostile.text
    assert 'content="noindex"' in hostile.text
    assert hostile.headers["Cache-Control"] == "no-cache"


async def test_a_search_says_how_many_were_found_and_turns_pages(served: Served) -> None:
    found = [paper(n, title=f"Whales {n}", votes=n) for n in range(100, 145)]
    await served.publish(*found, day=date(2026, 4, 28))
    first = (await served.get("/en/search?q=whales&sort=votes")).text
    assert "45 papers" in first
    assert '<time datetime="2026-04-28">' in first
    assert "/en/search?q=whales&sort=votes&page=2" in Seen(first).links
    last = (await served.get("/en/search?q=whales&sort=votes&page=3")).text
    assert [f"/en/papers/2604.00{n}" in last for n in (105, 104, 100, 99)] == [False, True, True, False]
    assert "page=4" not in last
    assert "page=2" in last
    for odd in ("page=0", "page=x", "page=99999999999", "page=²", "sort=x", "year=0", "year=99999", "year=x"):
        assert (await served.get(f"/en/search?q=whales&{odd}")).status == 200


async def test_a_search_stays_within_a_year_and_a_topic(served: Served) -> None:
    old = paper(70, title="Old whales", keywords=("ocean",))
    await served.publish(old, day=date(2025, 4, 28))
    await served.publish(paper(71, title="New whales"), day=date(2026, 4, 28))
    for filters, there in (("", 2), ("&year=2025", 1), ("&year=2024", 0), ("&topic=ocean", 1), ("&topic=desert", 0)):
        assert (await served.get(f"/en/search?q=whales{filters}")).text.count("<article>") == there
    shown = (await served.get("/ja/search?q=whales&year=2025")).text
    assert "<option selected>2025</option>" in shown


async def test_a_young_archive_says_since_when_it_has_papers(served: Served) -> None:
    since = f"The archive here starts on {words('en').day(DAY)}."
    for path in ("archive", "archive/2026", "search", "search?q=thing", "search?q=nothing"):
        assert since in (await served.get(f"/en/{path}")).text, path
    served.now += timedelta(days=366)
    for path in ("archive", "search", "search?q=thing"):
        assert "stored here since" not in (await served.get(f"/en/{path}")).text, path


async def test_a_misspelt_search_leads_to_another(served: Served) -> None:
    await served.publish(paper(70, title="Whales"), day=date(2026, 4, 28))
    shown = (await served.get("/en/search?q=whalse")).text
    assert "Did you mean “whales”?" in shown
    assert "/en/search?q=whales" in Seen(shown).links


async def test_searches_are_rate_limited(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(public, "REFUSED_AFTER", 0)
    statuses = [(await served.get(f"/en/search?q=x{n}")).status for n in range(25)]
    assert statuses == [200] * 20 + [429] * 5
    assert (await served.get("/en/2026-04-29")).status == 200


async def test_a_search_that_finds_no_place_is_put_off(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    closed = SearchGate(waiting=0).turn()
    monkeypatch.setattr(SearchGate, "turn", lambda _: closed)
    answer = await served.get("/ko/search?q=thing")
    assert (answer.status, answer.headers["Retry-After"]) == (503, "30")
    assert (await served.get("/ko/2026-04-29")).status == 200


async def test_pages_are_put_off_when_other_visitors_have_all_connections(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "VISITORS", 1)
    monkeypatch.setattr(database, "VISITORS_WAIT", 0.0)
    async with Served(tmp_path) as served:
        await served.publish(*some(3))
        async with served.visitors.read() as busy:
            await busy.exec_driver_sql("select 1")
            for path in ("2026-04-29", "archive", "search?q=thing", "papers/2604.00001"):
                answer = await served.get(f"/ko/{path}")
                assert (answer.status, answer.headers["Retry-After"]) == (503, "30"), path
                assert f"<span>{words('ko').gettext('errors.went_wrong')}</span>" in answer.text
                assert f"<p>{words('ko').gettext('errors.nothing_changed')}</p>" in answer.text
        assert (await served.get("/ko/2026-04-29")).status == 200
