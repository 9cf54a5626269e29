"""Lighthouse on the public pages: search engines, accessibility and best practices, 100 of 100 each."""

import asyncio
import json
import os
import shutil
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from bot.model import Cadence
from bot.web.pages.thumbnails import Thumbnails
from tests.support.browser import CHROMIUM, insist
from tests.support.mail_program import free_port
from tests.support.pages import DAY, paper
from tests.support.web_program import Served, some

LIGHTHOUSE = "lighthouse@12"
CATEGORIES = ("seo", "accessibility", "best-practices")
PATHS = ("/en/", "/en/2026-04-29", "/ar/2026-04-29", "/en/papers/2604.00001", "/ko/archive", "/en/keywords/robots")
SECONDS = 120
"""Time for one page; the first one may have to be installed."""


async def audit(url: str, home: Path) -> dict[str, Any]:
    """What Lighthouse says of a page."""
    report = home / "report.json"
    command = ["npx", "--yes", LIGHTHOUSE, url, "--quiet", "--output=json", f"--output-path={report}"]
    command += [f"--only-categories={','.join(CATEGORIES)}", "--chrome-flags=--headless=new --no-sandbox"]
    environ = {**os.environ, "CHROME_PATH": str(CHROMIUM), "npm_config_update_notifier": "false"}
    process = await asyncio.create_subprocess_exec(
        *command, cwd=home, env=environ, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    try:
        said, _ = await asyncio.wait_for(process.communicate(), SECONDS)
    except TimeoutError:
        process.kill()
        pytest.skip("no Lighthouse: npx could not get it in time")
    if not report.exists():
        pytest.skip(f"no Lighthouse: {said.decode(errors='replace')[-300:]}")
    found: dict[str, Any] = json.loads(report.read_text(encoding="utf-8"))
    return found


def faults(report: dict[str, Any], category: str) -> list[str]:
    """The audits of a category that cost points, each with what it found."""
    found = []
    for each in report["categories"][category]["auditRefs"]:
        said = report["audits"][each["id"]]
        if each["weight"] and said["score"] is not None and said["score"] < 1:
            items = said.get("details", {}).get("items", [])
            found.append(f"{each['id']}: {json.dumps(items[:3], ensure_ascii=False)[:600]}")
    return found


@pytest.mark.long
@pytest.mark.timeout(900)
@pytest.mark.parametrize("path", PATHS)
async def test_lighthouse_finds_nothing(tmp_path: Path, long: bool, path: str) -> None:
    if not long:
        pytest.skip("only with --long")
    if shutil.which("npx") is None:
        pytest.skip("no npx")
    insist()
    cache = tmp_path / "cache"
    cache.mkdir()
    for name in ("2604.00001.small.jpg", "2604.00001.large.jpg"):
        Image.new("RGB", (320, 173), "grey").save(cache / name)
    port = free_port()
    async with Served(
        tmp_path, public=f"http://127.0.0.1:{port}", thumbnails=Thumbnails(cache), WEB_PORT=f"{port}"
    ) as served:
        listed = [paper(1, keywords=("robots",), code="https://code.example/1"), *some(9, 2, keywords=("robots",))]
        await served.publish(*listed)
        await served.publish(*some(3, 50), day=DAY.replace(day=28))
        await served.publish(*listed, day=DAY, cadence=Cadence.WEEK)
        report = await audit(f"{served.url}{path}", tmp_path)
    scores = {name: report["categories"][name]["score"] for name in CATEGORIES}
    assert scores == dict.fromkeys(CATEGORIES, 1), [each for name in CATEGORIES for each in faults(report, name)]
