"""Commands on Discord: registered once, acknowledged in time, and refused to those who may not."""

from __future__ import annotations

import asyncio

import pytest

from bot.model import Status
from tests.support.discord_program import World
from tests.support.discord_server import NotOfferedError
from tests.support.discord_story import at, texts

pytestmark = [pytest.mark.parametrize("database", ["sqlite"], indirect=True), pytest.mark.slow]


async def test_suggestions_come_while_somebody_types(world: World) -> None:
    guild = world.server.guild("Readers")
    ada = world.server.person("ada", locale="ko").can(guild, "manage_guild")
    ada.at = guild.text("papers")
    async with world.life():
        assert [each["value"] for each in await ada.completes("/papers date", day="2026-04")] == ["2026-04-29"]
        assert len(await ada.completes("/papers paper", paper="number")) == 12
        assert (await ada.completes("/papers paper", paper="number 1"))[0]["value"] == "2604.00001"
        assert [each["value"] for each in await ada.completes("/papers set zone", zone="서울")] == ["Asia/Seoul"]
        assert {each["value"] for each in await ada.completes("/papers language", language="")} >= {"en", "ko"}


async def test_who_asks_too_much_keeps_what_is_on_the_screen(world: World) -> None:
    guild = world.server.guild("Readers")
    ada = world.server.person("ada").can(guild, "manage_guild")
    ada.at = guild.text("papers")
    async with world.life():
        menu = await ada.uses("/papers help")
        reply = await ada.taps(menu, "Today’s papers")
        for turn in "▶◀" * 15:
            reply = await ada.taps(menu, turn)
            if not reply.updated:
                break
        assert "One moment" in reply.text
        assert reply.ephemeral
        assert texts(menu.message)[0].startswith("**Daily papers")
        assert len(menu.message.interactive) == 2


async def test_commands_are_registered_once_and_anew_when_they_changed(world: World) -> None:
    async with world.life():
        pass
    async with world.life():
        assert world.server.registry.syncs == 1
    await world.memory.put(f"commands:{world.server.application_id}:", '{"digest": "another", "id": 1}')
    async with world.life():
        assert world.server.registry.syncs == 2


async def test_while_developing_commands_are_in_one_server_alone(world: World) -> None:
    guild, other = world.server.guild("Ours"), world.server.guild("Others")
    ada = world.server.person("ada").can(guild).can(other)
    async with world.life(DISCORD_GUILD=f"{guild.id}"):
        assert (await ada.uses("/papers help", in_=guild.text("a"))).text
        with pytest.raises(NotOfferedError):
            await ada.uses("/papers help", in_=other.text("b"))


async def test_a_tap_on_what_is_not_known_any_more_is_answered(world: World) -> None:
    guild = world.server.guild("Readers")
    papers = guild.text("papers")
    ada = world.server.person("ada").can(guild, "manage_guild")
    async with world.life():
        await ada.uses("/papers subscribe", in_=papers)
        await ada.uses("/papers topics", topics=", ".join(f"a rather long topic number {n}" for n in range(12)))
        menu = await ada.uses("/papers topics")
        assert all(each["value"].startswith("~") for each in menu.select("Choose…")["options"][:-1])
    async with world.life():
        removed = await ada.selects(menu, "Choose…", "Remove a rather long topic number 3")
        assert len((await world.reader(at(papers))).preferences.topics) == 11
        for mark in range(500):
            await world.memory.put(f"line:{mark}", "~0 gone")
        stale = await ada.selects(removed, "Choose…", "Remove a rather long topic number 4")
        assert "expired" in stale.text


async def test_others_cannot_do_what_only_moderators_may(world: World) -> None:
    guild = world.server.guild("Readers")
    papers, other = guild.text("papers"), guild.text("other")
    ada = world.server.person("ada").can(guild, "manage_guild")
    bo = world.server.person("bo").can(guild)
    async with world.life():
        for place in (papers, other):
            await ada.uses("/papers subscribe", in_=place)
        there = await ada.uses("/papers settings", in_=papers, channel=other)
        guild.members[ada.id].roles.clear()  # Ada runs nothing any more
        world.server.service.places.announce(
            "GUILD_MEMBER_UPDATE", guild.member(ada.id).json() | {"guild_id": str(guild.id)}, guild.id
        )
        assert "Only people who manage this" in (await ada.taps(there, "Unsubscribe")).text
        for name, given in (
            ("unsubscribe", {}),
            ("pause", {}),
            ("export", {}),
            ("forget", {}),
            ("style", {"style": "abstract"}),
            ("unsubscribe", {"channel": other}),
        ):
            assert "Only people who manage this" in (await bo.uses(f"/papers {name}", in_=papers, **given)).text
        assert (await world.reader(at(papers))).status is Status.ACTIVE
        assert (await world.reader(at(other))).status is Status.ACTIVE
        seen = await bo.uses("/papers settings", in_=papers)
        assert "Language" in seen.text
        assert not seen.components, "who may change nothing is shown no menus"
    with pytest.raises(NotOfferedError):
        await bo.taps(there, "Unsubscribe")


@pytest.mark.parametrize("does", ["uses", "taps", "shares"])
async def test_a_question_is_acknowledged_before_it_is_answered(world: World, does: str) -> None:
    guild = world.server.guild("Readers")
    ada = world.server.person("ada").can(guild, "manage_guild")
    ada.at = guild.text("papers")
    async with world.life():
        menu = await ada.uses("/papers help")
        world.readers.open.clear()
        begun = world.server.counts["interactions"]
        asks = {
            "uses": lambda: ada.uses("/papers today"),
            "taps": lambda: ada.taps(menu, "Today’s papers"),
            "shares": lambda: ada.uses("/papers today", share=True),
        }
        asking = asyncio.create_task(asks[does]())
        service = world.server.service
        await world.server.bell.until(lambda: service.counts["interactions"] > begun, limit=10)
        last = max(service.by_id.values(), key=lambda each: each.id)
        await world.server.bell.until(lambda: last.answer is not None, limit=10)
        assert not asking.done()
        world.readers.open.set()
        assert "1. Paper number 1" in (await asking).text
