"""The local Discord's gateway: sessions, resuming, and every code with which it closes."""

from typing import Any

import pytest

from tests.support.discord_server import DiscordServer
from tests.support.discord_server.raw import Line, Raw

PRESENCE, RESUME, RECONNECT, INVALID_SESSION, HELLO, ACK = 3, 6, 7, 9, 10, 11


async def resumed(raw: Raw, session_id: str, seq: Any, token: str | None = None) -> Line:
    line = await raw.connect()
    await line.next(HELLO)
    await line.send(RESUME, {"token": token or raw.server.token, "session_id": session_id, "seq": seq})
    return line


async def test_a_client_is_told_of_its_guilds(server: DiscordServer, raw: Raw) -> None:
    guild = server.guild("Readers", locale="ko")
    papers = guild.text("papers")
    papers.thread("today")
    papers.thread("yesterday", archived=True)
    server.guild("Others", joined=False)
    line = await raw.identified()
    ready = await line.next("READY")
    assert ready["s"] == 1
    assert ready["d"]["guilds"] == [{"id": str(guild.id), "unavailable": True}]
    assert (ready["d"]["resume_gateway_url"], ready["d"]["user"]["id"]) == (server.gateway.url, str(server.bot.id))
    assert ready["d"]["application"]["id"] == str(server.application_id)
    full = (await line.next("GUILD_CREATE"))["d"]
    assert (full["preferred_locale"], full["unavailable"]) == ("ko", False)
    assert [each["name"] for each in full["channels"]] == ["papers"]
    assert [each["name"] for each in full["threads"]] == ["today"]


async def test_heartbeats_are_acknowledged_until_they_are_not(server: DiscordServer, raw: Raw) -> None:
    line = await raw.connect()
    assert (await line.next(HELLO))["d"] == {"heartbeat_interval": 41_250}
    await line.send(1, None)
    assert await line.next(ACK)
    server.gateway.acknowledges = False
    await line.send(1, None)
    await server.gateway.until("HEARTBEAT", 2)
    assert line.server.gateway.connections[0].outgoing.empty()


async def test_frames_come_compressed_where_that_was_asked_for(server: DiscordServer, raw: Raw) -> None:
    line = await raw.connect(compress="zlib-stream")
    await line.next(HELLO)
    await line.identify()
    assert (await line.next("READY"))["d"]["v"] == 10


@pytest.mark.parametrize(
    ("query", "code"),
    [({"v": "9"}, 4012), ({"encoding": "etf"}, 4002), ({"compress": "zstd-stream"}, 4002)],
)
async def test_another_protocol_is_refused(raw: Raw, query: dict[str, str], code: int) -> None:
    assert await (await raw.connect(**query)).closed() == code


@pytest.mark.parametrize(
    ("op", "data", "code"),
    [
        (PRESENCE, {}, 4003),
        (99, None, 4003),
        (2, "x", 4004),
        (2, {"token": "wrong"}, 4004),
        (2, {"token": "bot-token"}, 4002),
        (6, {"token": "wrong", "session_id": "x", "seq": 0}, 4004),
    ],
)
async def test_who_may_not_speak_yet(raw: Raw, op: int, data: Any, code: int) -> None:
    line = await raw.connect()
    await line.send(op, data)
    assert await line.closed() == code


@pytest.mark.parametrize("frame", ["{", "[]", '"x"', '{"d": 1}', '{"op": 1, "d": "' + "x" * 4_096 + '"}'])
async def test_a_frame_that_is_none_or_too_large(raw: Raw, frame: str) -> None:
    line = await raw.connect()
    await line.socket.send_str(frame)
    assert await line.closed() == 4002


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"properties": None}, 4002),
        ({"intents": None}, 4013),
        ({"intents": -1}, 4013),
        ({"intents": 1 << 40}, 4013),
        ({"intents": 1 << 1}, 4014),
        ({"intents": 1 << 8}, 4014),
        ({"intents": 1 << 15}, 4014),
        ({"shard": [1, 1]}, 4010),
        ({"shard": 1}, 4010),
    ],
)
async def test_an_identify_that_is_refused(raw: Raw, more: dict[str, Any], code: int) -> None:
    assert await (await raw.identified(**more)).closed() == code


async def test_an_intent_that_was_granted_may_be_asked_for(server: DiscordServer, raw: Raw) -> None:
    server.gateway.privileged = 1 << 15
    assert await (await raw.identified(intents=1 << 15)).next("READY")


@pytest.mark.parametrize(("op", "code"), [(2, 4005), (6, 4005), (99, 4001)])
async def test_what_may_not_be_said_after_ready(raw: Raw, op: int, code: int) -> None:
    line = await raw.identified()
    await line.next("READY")
    await line.send(op, {"token": raw.server.token})
    assert await line.closed() == code


async def test_too_many_frames_in_a_minute(server: DiscordServer, raw: Raw) -> None:
    line = await raw.connect()
    for _ in range(120):
        await line.send(1)
    await server.gateway.until("HEARTBEAT", 120)
    server.clock.move(61)
    await line.send(1)
    await server.gateway.until("HEARTBEAT", 121)
    for _ in range(120):
        await line.send(1)
    assert await line.closed() == 4008


async def test_silence_ends_a_connection(server: DiscordServer, raw: Raw) -> None:
    server.gateway.interval = 0.02
    assert await (await raw.connect()).closed() == 4009


async def test_frames_are_no_heartbeats(server: DiscordServer, raw: Raw) -> None:
    line = await raw.identified()
    await line.next("READY")
    server.clock.move(100)
    await line.send(PRESENCE, {})
    assert await line.closed() == 4009


async def test_a_bot_in_too_many_guilds_must_shard(server: DiscordServer, raw: Raw) -> None:
    owner = server.person("owner")
    for number in range(2_501):
        guild = server.guild(f"g{number}", joined=False)
        guild.joins(server.bot)
        guild.owner = owner
    assert await (await raw.identified()).closed() == 4011
    assert (await raw("GET", "/gateway/bot")).body["shards"] == 2


async def test_a_shard_hears_of_its_own_guilds(server: DiscordServer, raw: Raw) -> None:
    first = await raw.identified(shard=[0, 2])
    second = await raw.identified(shard=[1, 2])
    lines = {0: first, 1: second}
    for line in lines.values():
        await line.next("READY")
    number = (server.guild("Readers").id >> 22) % 2
    assert (await lines[number].next("GUILD_CREATE"))["d"]["name"] == "Readers"
    assert lines[1 - number].server.gateway.live[1 - number].seq == 1


async def test_a_thousand_identifies_a_day_and_the_token_is_reset(server: DiscordServer, raw: Raw) -> None:
    server.gateway.identify_limit = 2
    for _ in range(2):
        assert await (await raw.identified()).next("READY")
    assert (await raw("GET", "/gateway/bot")).body["session_start_limit"]["remaining"] == 0
    before = server.token
    assert await (await raw.identified()).closed() == 4004
    assert server.token != before
    assert (await raw("GET", "/users/@me", headers={"Authorization": f"Bot {before}"})).status == 401
    server.clock.move(86_401)
    assert await (await raw.identified()).next("READY")


async def test_what_was_missed_is_told_again(server: DiscordServer, raw: Raw) -> None:
    guild = server.guild("Readers")
    line = await raw.identified()
    ready = await line.next("READY")
    seen = (await line.next("GUILD_CREATE"))["s"]
    server.gateway.drop()
    assert await line.closed() == 1006
    await server.gateway.until("disconnect")
    guild.text("one")
    guild.text("two")
    again = await resumed(raw, ready["d"]["session_id"], seen)
    frames = [await again.next("CHANNEL_CREATE"), await again.next("CHANNEL_CREATE"), await again.next("RESUMED")]
    assert [each["s"] for each in frames] == [seen + 1, seen + 2, seen + 3]
    assert [each["d"].get("name") for each in frames] == ["one", "two", None]
    guild.text("three")
    assert (await again.next("CHANNEL_CREATE"))["d"]["name"] == "three"


async def test_a_session_that_cannot_be_resumed(server: DiscordServer, raw: Raw) -> None:
    line = await raw.identified()
    session = (await line.next("READY"))["d"]["session_id"]
    unknown = await resumed(raw, "unknown", 1)
    assert (await unknown.next(INVALID_SESSION))["d"] is False
    await unknown.identify()
    assert await unknown.next("READY")
    assert await (await resumed(raw, session, 99)).closed() == 4007
    assert await (await resumed(raw, session, None)).closed() == 4007
    server.gateway.resumable = False
    assert (await (await resumed(raw, session, 1)).next(INVALID_SESSION))["d"] is False
    server.gateway.resumable = True
    await line.socket.close(code=1000)
    await server.gateway.until("disconnect", 3)
    assert (await (await resumed(raw, session, 1)).next(INVALID_SESSION))["d"] is False


async def test_what_can_be_done_to_a_client(server: DiscordServer, raw: Raw) -> None:
    line = await raw.identified()
    await line.next("READY")
    server.gateway.reconnect()
    assert await line.next(RECONNECT)
    server.gateway.invalidate(resumable=True)
    assert (await line.next(INVALID_SESSION))["d"] is True
    assert len(server.gateway.sessions) == 1
    server.gateway.invalidate()
    assert (await line.next(INVALID_SESSION))["d"] is False
    assert not server.gateway.sessions
    server.gateway.close(4000)
    assert await line.closed() == 4000


async def test_what_happens_in_guilds_is_told(server: DiscordServer, raw: Raw) -> None:
    line = await raw.identified(intents=1 | 1 << 9)
    await line.next("READY")
    guild = server.guild("Readers")
    assert (await line.next("GUILD_CREATE"))["d"]["id"] == str(guild.id)
    papers = guild.text("papers")
    assert (await line.next("CHANNEL_CREATE"))["d"]["name"] == "papers"
    papers.deny(server.bot, "send_messages")
    overwrite = (await line.next("CHANNEL_UPDATE"))["d"]["permission_overwrites"][0]
    assert overwrite == {"id": str(server.bot.id), "type": 1, "allow": "0", "deny": str(1 << 11)}
    thread = papers.thread("today")
    assert (await line.next("THREAD_CREATE"))["d"]["newly_created"]
    thread.archive(locked=True)
    assert (await line.next("THREAD_UPDATE"))["d"]["thread_metadata"]["locked"]
    guild.role("editors", "manage_guild")
    assert (await line.next("GUILD_ROLE_CREATE"))["d"]["role"]["permissions"] == str(1 << 5)
    server.person("ada").can(guild).says("hello", in_=papers)
    assert (await line.next("MESSAGE_CREATE"))["d"]["content"] == ""  # not without the intent
    papers.delete()
    assert (await line.next("THREAD_DELETE"))["d"]["id"] == str(thread.id)
    assert (await line.next("CHANNEL_DELETE"))["d"]["id"] == str(papers.id)
    guild.fall_silent()
    assert (await line.next("GUILD_DELETE"))["d"] == {"id": str(guild.id), "unavailable": True}
    guild.come_back()
    assert (await line.next("GUILD_CREATE"))["d"]["name"] == "Readers"
    guild.remove_bot()
    assert (await line.next("GUILD_DELETE"))["d"] == {"id": str(guild.id)}
    guild.add_bot()
    assert (await line.next("GUILD_CREATE"))["d"]["id"] == str(guild.id)
    guild.delete()
    assert (await line.next("GUILD_DELETE"))["d"] == {"id": str(guild.id)}


async def test_events_that_nobody_asked_for_are_not_told(server: DiscordServer, raw: Raw) -> None:
    line = await raw.identified(intents=0)
    await line.next("READY")
    guild = server.guild("Readers")
    server.person("ada").can(guild).says("hello", in_=guild.text("papers"))
    assert server.gateway.live[0].seq == 1


async def test_the_bot_may_leave(server: DiscordServer, raw: Raw) -> None:
    guild = server.guild("Readers")
    line = await raw.identified()
    await line.next("GUILD_CREATE")
    assert (await raw("DELETE", f"/users/@me/guilds/{guild.id}")).status == 204
    assert (await line.next("GUILD_DELETE"))["d"] == {"id": str(guild.id)}
    assert (await raw("GET", f"/guilds/{guild.id}")).code == 10004
