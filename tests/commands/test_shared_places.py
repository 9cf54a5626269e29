"""A channel's own preferences, and shared places: who set them up, the bot's removal, a new recipient id."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from bot.channel import Barred, Sent
from bot.model import Address, Status
from bot.render import timezones
from bot.store import Store
from tests.support.fake_channel import NOW, publish
from tests.support.shared_room import ADA, PLACE, Room


@pytest.fixture
async def room(store: Store) -> Room:
    await publish(store, {})
    return Room(store)


@pytest.mark.parametrize(
    ("line", "stored"),
    [
        ("silent on", {"silent": "on"}),
        ("silent off", {"silent": "off"}),
        ("ping <@&123456789012345678>", {"ping": "123456789012345678"}),
    ],
)
async def test_an_extra_is_stored_and_handed_to_the_channel(room: Room, line: str, stored: dict[str, str]) -> None:
    await room.ask("subscribe")
    assert (await room.ask(line)).extras == stored
    assert (await room.reader()).extras == stored
    await room.deliver()
    [(_, _, personal)] = room.channel.sent
    assert personal.extras == stored


@pytest.mark.parametrize("line", ["thread on", "ping me", "silent maybe", "ping on"])
async def test_extras_of_other_channels_and_invalid_values_are_refused(room: Room, line: str) -> None:
    await room.ask("subscribe")
    assert not (await room.ask(line)).ok
    assert (await room.reader()).extras == {}


async def test_settings_and_help_list_only_this_channels_extras(room: Room) -> None:
    await room.ask("subscribe")
    labels = [row.label for row in (await room.ask("settings")).rows]
    assert labels[-2:] == ["Silent", "Mention"]
    commands = {row.label for row in (await room.ask("help")).rows}
    assert {"silent", "ping"} <= commands
    assert not {"thread", "publish", "picture", "rich"} & commands
    assert [option.chosen for option in (await room.ask("silent")).options[:2]] == [False, True]


async def test_a_switch_is_turned_over_in_one_tap_and_the_settings_stay_open(room: Room) -> None:
    await room.ask("subscribe")
    settings = await room.ask("settings")
    for stored in ("on", "off", "on"):
        line = next(row.line for row in settings.rows if row.label == "Silent")
        settings = await room.ask(line)
        assert settings.says == [f"Saved. Silent: {stored}"]
        assert settings.extras == {"silent": stored}
    assert await _after_a_second_tap(room, line) == "on", "a tap on what is outdated does not turn it back"


async def _after_a_second_tap(room: Room, line: str) -> str:
    await room.ask(line)
    return (await room.reader()).extras["silent"]


@pytest.mark.parametrize("line", ["settings", "style", "topics", "silent", "zone"])
async def test_who_may_change_nothing_sees_how_it_is_set_and_no_menus(room: Room, line: str) -> None:
    await room.ask("subscribe")
    await room.ask("topics agents")
    seen = await room.ask(line, person="bo", may_change=False)
    assert seen.ok
    assert seen.says
    assert not seen.options
    assert {row.command for row in seen.rows} <= {"", "paper"}


async def test_an_extra_outlives_other_changes_and_is_in_the_export(room: Room) -> None:
    await room.ask("subscribe")
    await room.ask("silent on")
    await room.ask("language ko")
    assert (await room.reader()).extras == {"silent": "on"}
    exported = (await room.ask("export")).file
    assert exported is not None
    assert json.loads(exported.content)["extras"] == {"silent": "on"}


async def test_who_set_up_a_place_is_alerted_in_their_language_when_posting_is_forbidden(room: Room) -> None:
    await room.ask("subscribe ko", address=ADA, person=None)
    await room.ask("subscribe")
    room.channel.answer = lambda to, *_: Barred("not enough rights", place="The Lab") if to == "lab" else Sent()
    await room.deliver()
    [notice] = room.channel.alerts
    assert "The Lab" in notice.lead
    assert notice.language == "ko"
    assert (await room.reader()).status is Status.PAUSED


async def test_a_reader_who_blocks_us_is_gone_until_they_come_back(room: Room) -> None:
    await room.ask("subscribe", address=ADA, person=None)
    await room.readers.gone(ADA, "blocked by the reader", NOW)
    assert (await room.reader(ADA)).status is Status.GONE
    await room.deliver()
    assert not room.channel.sent
    assert await room.readers.back(ADA)
    assert not await room.readers.back(ADA)
    assert (await room.reader(ADA)).status is Status.ACTIVE


async def test_unblocking_does_not_resubscribe(room: Room) -> None:
    await room.ask("subscribe", address=ADA, person=None)
    await room.ask("unsubscribe", address=ADA, person=None)
    await room.readers.gone(ADA, "blocked by the reader", NOW)
    assert not await room.readers.back(ADA)
    assert (await room.reader(ADA)).status is Status.UNSUBSCRIBED


async def test_a_place_that_moves_keeps_its_subscription(room: Room) -> None:
    await room.ask("subscribe")
    await room.readers.moved(PLACE, "new-lab")
    assert (await room.reader(Address("fake", "new-lab"))).status is Status.ACTIVE
    await room.readers.moved(Address("fake", "nowhere"), "else")


async def test_the_pages_of_ones_own_edition_go_on_where_the_message_ended(room: Room) -> None:
    await room.ask("subscribe", address=ADA, person=None)
    await room.ask("count 3", address=ADA, person=None)
    whole = await room.ask("date 2025-11-03 mine", address=ADA, person=None)
    rest = await room.ask("date +1 2025-11-03 mine", address=ADA, person=None)
    assert whole.page is not None
    assert rest.page is not None
    assert [block.rank for block in rest.page.blocks] == [block.rank for block in whole.page.blocks][1:]


@pytest.mark.parametrize(
    ("place", "found"),
    [
        ("52.52,13.40", ["Europe/Berlin"]),
        ("37.57, 126.98", ["Asia/Seoul"]),
        ("-33.87,151.21", ["Australia/Sydney"]),
        ("28.61,77.21", ["Asia/Kolkata"]),
        ("0.0,-30.0", []),
        ("99.0,181.5", []),
    ],
)
def test_coordinates_have_a_time_zone(place: str, found: list[str]) -> None:
    assert [zone.name for zone in timezones.find(place, "en", datetime(2025, 11, 4, tzinfo=UTC))] == found
