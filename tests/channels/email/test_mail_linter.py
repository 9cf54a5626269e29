"""What mail programs do not know of what our mails use, by the tables of caniemail.com: only what was gone through.

docs/email.md says of each what is seen instead.
"""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from bot.model import Style
from bot.publishing.feed import sample
from tests.support.mail_pictures import mail, pictured

LINTER = "caniemail@2.0.2"
SECONDS = 120
"""Time to install it and to look at one mail."""
SCRIPT = """
import {caniemail} from 'caniemail';
import {readFileSync} from 'node:fs';
const html = readFileSync(process.argv[2], 'utf8');
const found = {};
for (const client of process.argv.slice(3)) {
  const {issues} = caniemail({clients: [client], html});
  found[client] = [...issues.errors.values()].flat().map(each => each.title);
}
console.log(JSON.stringify(found));
"""
LOOKS = {"aria-hidden attribute", "aria-label attribute", "color-scheme meta tag", "overflow-wrap", "word-break"}
WORD = LOOKS | {
    "@media",
    "Chaining selectors",
    "border-radius",
    "max-height property",
    "overflow",
    "role attribute",
    "text-decoration-color",
    "white-space",
    "word-wrap",
}
"""What Word does not know, which draws mails for Outlook on Windows."""
GONE_THROUGH = {
    "apple-mail.macos": set[str](),
    "apple-mail.ios": LOOKS,
    "gmail.desktop-webmail": LOOKS,
    "gmail.android": LOOKS,
    "outlook.windows": WORD,
    "outlook.windows-mail": WORD,
    "outlook.outlook-com": LOOKS | {"Chaining selectors"},
    "outlook.ios": LOOKS,
    "outlook.android": LOOKS | {"word-wrap"},
    "yahoo.desktop-webmail": LOOKS | {"height property"},
}


async def run(home: Path, *command: str) -> str:
    """What a command says. Skips where there is no network, or no Node."""
    try:
        process = await asyncio.create_subprocess_exec(
            *command, cwd=home, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
        )
        said, wrong = await asyncio.wait_for(process.communicate(), SECONDS)
    except (OSError, TimeoutError) as error:
        pytest.skip(f"no linter: {error!r}")
    if process.returncode:
        pytest.skip(f"no linter: {wrong.decode(errors='replace')[-300:]}")
    return said.decode()


@pytest.mark.long
@pytest.mark.timeout(300)
@pytest.mark.parametrize("language", ["en", "ar"])
async def test_mail_programs_miss_only_what_was_gone_through(tmp_path: Path, long: bool, language: str) -> None:
    if not long:
        pytest.skip("only with --long")
    await run(tmp_path, "npm", "install", "--no-audit", "--no-fund", LINTER)
    (tmp_path / "lint.mjs").write_text(SCRIPT, encoding="utf-8")
    for style in (Style.HEADLINE, Style.HIGHLIGHTS, Style.REVIEW):
        (tmp_path / "mail.html").write_text(mail(pictured(sample.edition()), language, style).parts()["html"], "utf-8")
        found = json.loads(await run(tmp_path, "node", "lint.mjs", "mail.html", *GONE_THROUGH))
        assert [(client, each) for client in found for each in found[client] if each not in GONE_THROUGH[client]] == []
