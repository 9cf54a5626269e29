"""Discord: no message is sent twice, also in forums and threads; role mentions, threads and publishing."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest

from bot.channel import Barred, Deferred, Sent, Unknown
from tests.support.discord_server import Fault
from tests.support.discord_server.messages import COMPONENTS_V2
from tests.support.discord_server.places import Channel as Room
from tests.support.discord_stage import FORUM_POST, POST, Desk

# Once, whatever happens


async def test_a_repeat_within_the_window_is_the_same_message(stage: Desk) -> None:
    assert isinstance(await stage.sends(), Sent)
    assert isinstance(await stage.sends(), Sent)
    assert stage.room.posted == 1
    assert stage.server.counts["repeats"] == 1


async def test_after_the_window_the_message_is_looked_for(stage: Desk) -> None:
    stage.server.fails(Fault.lost(), route=POST, times=1)
    assert isinstance(await stage.sends(), Unknown)
    stage.server.clock.move(timedelta(minutes=30))
    for number in range(120):
        stage.server.person(f"p{number}").can(stage.guild).says("noise", in_=stage.room)
    assert isinstance(await stage.sends(repeat=1), Sent)
    assert stage.room.posted == 1 + 120


async def test_what_never_arrived_is_sent_after_all(stage: Desk) -> None:
    stage.server.fails(Fault.unread(), route=POST, times=1)
    assert isinstance(await stage.sends(), Unknown)
    stage.server.clock.move(timedelta(minutes=30))
    assert isinstance(await stage.sends(repeat=1), Sent)
    assert stage.room.posted == 1


async def test_where_we_may_not_look_nothing_is_sent_twice(stage: Desk) -> None:
    assert isinstance(await stage.sends(), Sent)
    stage.server.clock.move(timedelta(minutes=30))
    stage.room.deny(stage.guild.everyone, "read_message_history")
    assert isinstance(await stage.sends(repeat=1), Unknown)
    assert stage.room.posted == 1


async def test_another_edition_in_the_same_place_is_another_message(stage: Desk) -> None:
    assert isinstance(await stage.sends(), Sent)
    assert isinstance(await stage.sends(key="2.1", repeat=1), Sent)
    assert stage.room.posted == 2


async def test_a_service_that_failed_although_it_took_the_message_is_looked_at_first(
    stage: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """discord.py repeats what failed with 502 by itself, which the nonce makes harmless; its breaks are cut short."""
    await stage.sends(key="0.1")
    stage.server.fails(Fault.answers(502), route=POST)
    monkeypatch.setattr("discord.http.asyncio", Hasty())
    outcome = await stage.sends()
    assert isinstance(outcome, Deferred)
    assert outcome.scope == "channel"
    stage.server.heal()
    async with stage.opened() as after_a_restart:
        stage.channel = after_a_restart
        before = stage.server.counts["GET /channels/{channel_id}/messages"]
        assert isinstance(await stage.sends(), Sent)
        assert stage.server.counts["GET /channels/{channel_id}/messages"] == before + 1
        assert isinstance(await stage.sends(key="3.1"), Sent)
        assert stage.server.counts["GET /channels/{channel_id}/messages"] == before + 1


class Hasty:
    """asyncio for one module, whose sleeps are over at once."""

    def __getattr__(self, name: str) -> Any:
        return getattr(asyncio, name)

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(0)


# Forums, threads, announcements


async def test_an_edition_in_a_forum_is_a_post_of_its_own(stage: Desk) -> None:
    forum = stage.guild.forum("ai", "daily", required_tag=True)
    assert isinstance(await stage.sends(f"forum:{forum.id}"), Sent)
    [post] = posts(stage, forum)
    assert post.name == "Daily papers · Wednesday, 29 April 2026"
    assert post.applied_tags == list(forum.tags)
    assert post.messages[0].flags & COMPONENTS_V2


def posts(stage: Desk, forum: Room) -> list[Room]:
    return [each for each in stage.guild.channels.values() if each.parent is forum]


@pytest.mark.parametrize("archived", [False, True])
async def test_a_post_in_a_forum_is_looked_for_before_it_is_made_again(stage: Desk, archived: bool) -> None:
    forum = stage.guild.forum("ai")
    stage.server.fails(Fault.lost(), route=FORUM_POST, times=1)
    assert isinstance(await stage.sends(f"forum:{forum.id}"), Unknown)
    stage.server.clock.move(timedelta(minutes=1))
    posts(stage, forum)[0].archive(archived=archived)
    assert isinstance(await stage.sends(f"forum:{forum.id}", repeat=1), Sent)
    assert isinstance(await stage.sends(f"forum:{forum.id}", key="2.1", repeat=1), Sent)
    assert len(posts(stage, forum)) == 2


async def test_a_post_that_may_have_been_made_is_not_made_again_by_the_library(
    stage: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    forum = stage.guild.forum("ai")
    stage.server.fails(Fault.answers(502), route=FORUM_POST, times=1)
    monkeypatch.setattr("discord.http.asyncio", Hasty())
    assert isinstance(await stage.sends(f"forum:{forum.id}"), Unknown)
    assert stage.server.counts[FORUM_POST] == 1


async def test_what_is_no_forum_any_more_is_barred(stage: Desk) -> None:
    assert isinstance(await stage.sends(f"forum:{stage.room.id}"), Barred)


async def test_each_extra_does_what_it_says(stage: Desk) -> None:
    news = stage.guild.announcement("news")
    role = stage.guild.role("readers")
    extras = {"silent": "on", "thread": "on", "ping": str(role.id), "publish": "on"}
    assert isinstance(await stage.sends(f"channel:{news.id}", extras=extras), Sent)
    [message] = news.messages
    assert message.silent
    assert message.crossposted
    assert message.components[0]["content"] == f"<@&{role.id}>"
    assert message.allowed_mentions == {"parse": [], "roles": [role.id]}
    [thread] = [each for each in stage.guild.channels.values() if each.parent is news]
    assert thread.id == message.id


@pytest.mark.parametrize("extras", [{}, {"silent": "off", "thread": "off", "ping": "off"}])
async def test_without_extras_nobody_is_mentioned_and_nothing_else_is_done(
    stage: Desk, extras: Mapping[str, str]
) -> None:
    assert isinstance(await stage.sends(extras=extras), Sent)
    [message] = stage.room.messages
    assert (message.content, message.silent, message.allowed_mentions) == ("", False, {"parse": []})
    assert not [each for each in stage.guild.channels.values() if each.parent is stage.room]


async def test_an_extra_that_fails_does_not_cost_the_edition(stage: Desk) -> None:
    stage.room.deny(stage.guild.everyone, "create_public_threads")
    extras = {"thread": "on", "publish": "on"}
    assert isinstance(await stage.sends(extras=extras), Sent)
    assert stage.room.posted == 1


async def test_no_more_than_ten_are_published_in_an_hour(stage: Desk) -> None:
    news = stage.guild.announcement("news")
    for number in range(12):
        assert isinstance(await stage.sends(f"channel:{news.id}", key=f"{number}.1", extras={"publish": "on"}), Sent)
    assert sum(message.crossposted for message in news.messages) == 10
    assert stage.server.counts["status 429"] == 0
