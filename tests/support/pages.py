"""Papers, editions and pages for tests of rendering."""

from collections.abc import Mapping
from dataclasses import fields, replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from bot.channel import About, Kit, Page
from bot.model import Cadence, Edition, Paper, Preferences, Style
from bot.publishing.feed import huggingface
from bot.render.edition_page import edition_page
from bot.render.templates import template
from bot.rules.closing import rank
from channels import outbox

DAY = date(2026, 4, 29)
CLOSED = datetime(2026, 4, 29, 22, 4, tzinfo=UTC)

HOSTILE = (
    "<think>alert('1')</think> & \"quoted\" {{ 7*7 }} {% raw %} </title> "
    "*bold* _under_ [link](http://x) `code` \\ $x$ %s %(n)s"
)


def paper(number: int = 1, **changes: Any) -> Paper:
    known: dict[str, Any] = {
        "id": f"2604.{number:05}",
        "title": f"Paper number {number}",
        "abstract": f"We measure thing {number}. Thing {number} is large, e.g. larger than 3.5 apples. We are glad.",
        "listed_on": DAY,
        "listed_at": datetime(2026, 4, 29, number % 24, tzinfo=UTC),
        "position": number,
        "votes": 100 - number,
        "sentence": f"Thing {number} is measured.",
        "authors": ("Ada", "Bo", "Chi", "Dee", "Eli"),
        "organisation": "Somewhere",
    }
    return Paper(**{**known, **changes})


def edition(*papers: Paper, **changes: Any) -> Edition:
    return replace(Edition(Cadence.DAY, DAY, CLOSED, rank(papers)), **changes)


def page(*papers: Paper, language: str = "en", style: Style = Style.HEADLINE, **changes: Any) -> Page:
    wanted = Preferences(language=language, style=style, papers=0)
    return changed(edition_page(edition(*papers), wanted), **changes)


def changed(shown: Page, **changes: Any) -> Page:
    """A page with other values of its own fields, or of those of `About`."""
    about = {each.name: changes.pop(each.name) for each in fields(About) if each.name in changes}
    return replace(shown, about=replace(shown.about, **about), **changes)


def recorded(file: Path) -> Edition:
    """The edition that one recorded day makes."""
    day = date.fromisoformat(file.stem)
    papers = huggingface.parse(file.read_bytes(), day)
    return Edition(Cadence.DAY, day, datetime(day.year, day.month, day.day, 22, tzinfo=UTC), rank(papers))


class NoMemory:
    """A channel's memory for channels that remember nothing."""

    async def get(self, key: str) -> str | None:
        return None

    async def put(self, key: str, value: str) -> None:
        raise AssertionError("nothing to remember")


class Kept:
    """A channel's key-value store in memory."""

    def __init__(self) -> None:
        self.kept: dict[str, str] = {}

    async def get(self, key: str) -> str | None:
        return self.kept.get(key)

    async def put(self, key: str, value: str) -> None:
        self.kept[key] = value


def kit(home: Path) -> Kit:
    return Kit(home, home, NoMemory(), template)


def settings(**named: Any) -> outbox.Settings:
    return outbox.Settings.model_validate(named)


class Written:
    """A plain-text message for tests of fitting, with the sizes it is told to have."""

    def __init__(self, text: str, sizes: Mapping[str, int]) -> None:
        self.text, self._sizes = text, sizes

    def sizes(self) -> Mapping[str, int]:
        return self._sizes

    def parts(self) -> Mapping[str, str]:
        return {"text": self.text}
