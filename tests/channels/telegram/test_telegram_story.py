"""A reader in Telegram does all there is to do, in three languages, with the bot restarted between any two steps."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from bot.channel import Rate
from bot.commands import token_buckets
from bot.model import Cadence, Status, Style
from bot.render.words import words
from channels.telegram import channel
from tests.support.telegram_program import Station
from tests.support.telegram_server import TelegramServer
from tests.support.telegram_server.chats import Message
from tests.support.telegram_server.people import Person

COMMAND = re.compile(r"/[a-z]+")
ENGLISH = re.compile(r"\b(the|you|your|and|of|subscribe|settings)\b", re.IGNORECASE)


@pytest.fixture(autouse=True)
def _no_rate_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    """A script does in a second what takes a person a morning."""
    monkeypatch.setattr(channel, "PER_CHAT", Rate(1000))
    monkeypatch.setattr(channel, "PER_GROUP", Rate(1000))
    monkeypatch.setattr(token_buckets, "BURST", 10_000)


@pytest.fixture
async def server() -> AsyncIterator[TelegramServer]:
    async with TelegramServer() as opened:
        yield opened
        assert not opened.violations
        assert not [code for code in opened.refusals if code in {400, 429}], opened.refusals


@pytest.fixture
async def station(server: TelegramServer, tmp_path: Path) -> AsyncIterator[Station]:
    async with Station(tmp_path, server) as opened:
        await opened.publish()
        yield opened


class Reader:
    """A person who does things and looks at what comes back; the bot may be restarted before each of them."""

    def __init__(self, station: Station, person: Person, *, restarts: bool = False) -> None:
        self.station, self.person, self._restarts = station, person, restarts

    async def writes(self, text: str) -> Message:
        return await self._does(lambda: self.person.writes(text), "message")

    async def replies(self, menu: Message, text: str) -> Message:
        return await self._does(lambda: self.person.replies(menu, text), "message")

    async def is_at(self, latitude: float, longitude: float) -> Message:
        return await self._does(lambda: self.person.presses_location_key(latitude, longitude), "message")

    async def taps(self, message: Message, wanted: str, *, opens: bool = False) -> Message:
        """Tap a button; what it changes the message into, or the message that it `opens`."""
        return await self._does(lambda: self.person.taps(message, wanted), "message" if opens else "edit")

    async def hears(self, kind: str = "message") -> Message:
        heard = await self.person.hears(kind)
        assert heard.message is not None
        return heard.message

    async def _does(self, act: Callable[[], Awaitable[object]], kind: str) -> Message:
        if self._restarts:
            await self.station.restart()
        await act()
        return await self.hears(kind)


def turn(message: Message, sign: str) -> str:
    """The label of the button with an arrow."""
    return next(label for label in message.labels if label.startswith(sign))


@pytest.mark.parametrize("language", ["en", "ko", "ar"])
async def test_all_a_reader_can_do(station: Station, server: TelegramServer, language: str, long: bool) -> None:
    w = words(language)
    person = server.person(42, language=language)
    ada = Reader(station, person, restarts=long or language == "ko")

    # Subscribed with one tap, greeted, and the latest edition at once
    welcome = await ada.writes("/start")
    assert w.gettext("subscribe.done") in welcome.text
    edition = await ada.hears()
    assert w.gettext("edition.daily") in edition.text
    assert edition.preview == {"is_disabled": True}
    reader = await station.reader("42")
    assert (reader.status, reader.preferences.language) == (Status.ACTIVE, language)

    # One message, the page turned in place, more on one paper, and settings below it
    forward, back = ("◀", "▶") if language == "ar" else ("▶", "◀")
    second = await ada.taps(edition, turn(edition, forward))
    assert turn(edition, forward).startswith(f"{forward} 2/")
    assert turn(second, back).startswith(f"{back} 1/")
    assert second.message_id == edition.message_id
    assert second.text.partition("\n")[0] == edition.text.partition("\n")[0]
    assert "#1" in edition.labels
    assert "#1" not in second.labels
    first = await ada.taps(second, turn(second, back))
    assert first.labels == edition.labels
    one = await ada.taps(first, "#2")
    assert one.message_id == edition.message_id
    assert "apples" in one.text  # the whole abstract
    [copied] = [button["copy_text"]["text"] for button in one.buttons if "copy_text" in button]
    assert copied.startswith("Ada et al. (2026). ")
    again = await ada.taps(one, turn(one, back))
    assert (again.labels, again.text) == (first.labels, first.text)
    panel = await ada.taps(first, f"⚙ {w.gettext('settings.title')}", opens=True)
    assert panel.message_id != first.message_id

    # Papers to read now
    for line in ("/today", "/date", "/week", "/month", "/top 3", "/search diffusion", "diffusion", "/paper 2604.00003"):
        shown = await ada.writes(line)
        assert "diffusion" in shown.text, line
    assert w.gettext("help.not_understood") in (await ada.writes("/nonsense")).text

    # Settings: one message that edits itself
    menu = await ada.taps(panel, "style")
    assert {Style.HEADLINE, Style.ABSTRACT} <= {button["callback_data"][6:] for button in menu.buttons}
    saved = await ada.taps(menu, "style abstract")
    assert saved.message_id == panel.message_id
    again = await ada.taps(saved, w.gettext("settings.title"))
    menu = await ada.taps(again, "weekdays")
    menu = await ada.taps(menu, "weekdays 1,2,3,4,5,6")
    await ada.taps(menu, w.gettext("settings.title"))
    for line in ("/count 5", "/time 7:30", "/topics diffusion, -robots", "/votes 2", "/cadence week"):
        await ada.writes(line)
    await ada.taps(await ada.writes("/picture"), "picture on")
    reader = await station.reader("42")
    wanted = reader.preferences
    assert (wanted.style, wanted.papers, wanted.hour, wanted.weekdays) == (Style.ABSTRACT, 5, 450, 0b111111)
    assert (wanted.topics, wanted.min_votes, wanted.cadence) == (("diffusion", "-robots"), 2, Cadence.WEEK)
    assert reader.extras == {"picture": "on"}

    # A zone by a city typed, typed as a reply to the menu, and by a place on earth
    await ada.replies(await ada.writes("/zone"), "Lisbon")
    assert (await station.reader("42")).preferences.timezone == "Europe/Lisbon"
    asked = await ada.taps(await ada.writes("/zone"), w.gettext("settings.my_location"), opens=True)
    assert asked.text == w.gettext("settings.location_asked")
    placed = await ada.is_at(37.5712, 126.9834)
    assert placed.markup == {"remove_keyboard": True}
    assert (await station.reader("42")).preferences.timezone == "Asia/Seoul"
    kept = b"".join(each.read_bytes() for each in station.home.rglob("*") if each.is_file())
    assert not any(place in kept for place in (b"37.57", b"126.98"))

    # Languages, each named in itself
    menu = await ada.writes("/language")
    assert {"English", "한국어", "العربية", "日本語"} <= {label.removeprefix("✓ ") for label in menu.labels}
    in_japanese = await ada.taps(menu, "language ja")
    assert "日本語" in in_japanese.text
    await ada.taps(await ada.writes("/language"), f"language {language}")

    # Staying away, and what is known
    await ada.writes("/pause 7")
    assert (await station.reader("42")).status is Status.PAUSED
    await ada.writes("/resume")
    await ada.writes("/why")
    await ada.writes("/privacy")
    await ada.writes("/help topics")
    export = await ada.writes("/export")
    assert "document" in export.media

    # Leaving takes one tap, coming back as well
    settings = await ada.writes("/settings")
    left = await ada.taps(settings, "unsubscribe")
    assert (await station.reader("42")).status is Status.UNSUBSCRIBED
    await ada.taps(left, "subscribe")
    assert (await station.reader("42")).preferences.papers == 5
    await ada.writes("/stop")

    # Blocked and unblocked, noticed without a failed send
    await ada.writes("/start")
    await person.blocks_bot()
    await server.polled()
    assert (await station.reader("42")).status is Status.GONE
    await person.unblocks_bot()
    await server.polled()
    reader = await station.reader("42")
    assert (reader.status, reader.preferences.papers) == (Status.ACTIVE, 5)

    # The first message's buttons still work
    assert (await ada.taps(edition, f"⚙ {w.gettext('settings.title')}", opens=True)).labels

    # Forgotten
    await ada.taps(await ada.writes("/forget"), "forget confirmed")
    if language != "en":
        papers = ("measur", "apples", "diffusion")  # whose words are English
        said = [message.text for message in person.messages if not any(word in message.text for word in papers)]
        assert [text for text in said if ENGLISH.search(COMMAND.sub("", text))] == []


async def test_papers_of_a_rich_edition_open_in_place_and_lead_back_to_it(
    station: Station, server: TelegramServer
) -> None:
    ada = Reader(station, server.person(42, language="en"))
    await ada.writes("/start")
    await ada.hears()
    await ada.writes("/rich on")
    edition = await ada.writes("/today")
    assert edition.rich is not None
    one = await ada.taps(edition, "#2")
    assert (one.message_id, one.rich) == (edition.message_id, None)
    again = await ada.taps(one, turn(one, "◀"))
    assert (again.message_id, again.rich, again.labels) == (edition.message_id, edition.rich, edition.labels)
    server.world.rich = False  # an older server
    onwards = await ada.taps(again, turn(again, "▶"))
    assert (onwards.message_id, onwards.rich) == (edition.message_id, None)
    assert server.refusals.pop(400) == 1
