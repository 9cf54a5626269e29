"""`papers doctor`: the configuration checked."""

from __future__ import annotations

import os
from dataclasses import asdict

from bot.cli import console
from bot.cli.options import Json
from bot.cli.startup import DONE, FAILED, command
from bot.doctor import examine
from bot.settings import home


@command
async def doctor(json: Json = False) -> int:
    """Check your configuration.

    Every setting and every service is looked at: ok, or one sentence of advice, or of what is wrong and what to do.
    Nothing is changed; only what is wrong makes the exit code 1.
    """
    found = await examine(home(os.environ), os.environ)
    if json:
        console.as_json([asdict(each) | {"level": each.level} for each in found])
    else:
        console.findings(found)
    return DONE if all(finding.ok for finding in found) else FAILED
