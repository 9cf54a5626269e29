"""The web page of a paper: which model wrote each text and when, and one button that reports it as wrong."""

from __future__ import annotations

from pathlib import Path

from bot.model import Style
from bot.store import text_queries, text_reports
from bot.store.text_queries import StoredText, TextState
from tests.support.web_program import NOW, Served, some

PAPER = "2604.00001"
ABOUT = f"/en/papers/{PAPER}"


async def test_a_visitor_reports_a_wrong_text_from_its_page_alone(tmp_path: Path) -> None:
    async with Served(tmp_path) as served:
        await served.publish(*some(2))
        text = StoredText(PAPER, "en", Style.PLAIN, "Qwen<3>", "p", TextState.ACCEPTED, {"idea": "I."}, [], 1, NOW)
        async with served.store.write() as connection:
            await text_queries.keep(connection, text)
        page = (await served.get(ABOUT)).text
        assert "Written by the language model Qwen&lt;3&gt; on " in page
        assert page.count(f'action="{ABOUT}/report/plain" method="post"') == 1
        assert "checked automatically against the paper" in page
        assert "checked automatically" not in (await served.get("/en/papers/2604.00002")).text
        assert "/report/" not in (await served.get("/en/papers/2604.00002")).text

        async def post(path: str, **headers: str) -> int:
            return (await served.get(path, method="POST", **headers)).status

        ours = {"Origin": served.url, "Sec_Fetch_Site": "same-origin"}
        for strange in ({}, {"Origin": "https://evil.example"}, ours | {"Sec_Fetch_Site": "cross-site"}):
            assert await post(f"{ABOUT}/report/plain", **strange) == 403
        for missing in (f"{ABOUT}/report/review", f"{ABOUT}/report/x", "/en/papers/x/report/plain"):
            assert await post(missing, **ours) == 404
        answer = await served.get(f"{ABOUT}/report/plain", method="POST", **ours)
        assert (answer.status, answer.headers["Cache-Control"]) == (200, "no-store")
        assert "Thank you" in answer.text
        assert ABOUT in answer.text
        codes = [await post(f"{ABOUT}/report/plain", **ours) for _ in range(6)]
        assert codes[-1] == 429
        async with served.store.read() as connection:
            counted = await text_reports.of(connection, [PAPER])
        assert counted == {(PAPER, "en", "plain", "Qwen<3>"): 1 + codes.count(200)}
