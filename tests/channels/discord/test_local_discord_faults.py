"""Faults, rate limits and the record of the local Discord, by bare calls."""

import asyncio
from pathlib import Path

import aiohttp
import pytest

from tests.support.discord_server import DiscordServer, Fault, Rates
from tests.support.discord_server.errors import CODES
from tests.support.discord_server.guilds import Guild
from tests.support.discord_server.places import Channel
from tests.support.discord_server.raw import Raw, messages

POST = "POST /channels/{channel_id}/messages"


# Faults on demand


@pytest.mark.parametrize("code", CODES)
async def test_every_refusal_can_be_asked_for(raw: Raw, server: DiscordServer, papers: Channel, code: int) -> None:
    server.fails(Fault.refusal(code, retry_after=2.5 if CODES[code][0] == 429 else None), channel=papers, times=1)
    answer = await raw("POST", messages(papers), {"content": "x"})
    assert (answer.status, answer.code, answer.body["message"]) == (CODES[code][0], code, CODES[code][1])
    assert answer.body.get("retry_after") == (2.5 if answer.status == 429 else None)
    assert (await raw("POST", messages(papers), {"content": "x"})).status == 200
    assert [each.code for each in server.requests] == [code, 0]


@pytest.mark.parametrize("status", [401, 403, 404, 500, 502, 503, 504])
async def test_every_status_can_be_asked_for(raw: Raw, server: DiscordServer, papers: Channel, status: int) -> None:
    server.fails(Fault.answers(status), route=POST)
    answer = await raw("POST", messages(papers), {"content": "x"})
    assert answer.status == status
    assert answer.headers.get("Content-Type", "").startswith("text/html") == (status == 502)
    assert papers.messages == []


async def test_a_code_or_a_route_that_is_none_is_a_mistake(server: DiscordServer) -> None:
    with pytest.raises(ValueError, match="no code"):
        Fault.refusal(1)
    with pytest.raises(ValueError, match="no route"):
        server.fails(Fault.lost(), route="POST /nothing")


async def test_a_fault_is_for_its_channel_its_user_and_its_route(
    raw: Raw, server: DiscordServer, guild: Guild, papers: Channel
) -> None:
    ada, bob = server.person("ada").can(guild), server.person("bob").can(guild)
    blocked = server.fails(Fault.refusal(50007), user=ada)
    assert (await raw("POST", "/users/@me/channels", {"recipient_id": str(ada.id)})).status == 200
    assert (await raw("POST", messages(ada.direct), {"content": "x"})).code == 50007
    assert (await raw("POST", messages(bob.direct), {"content": "x"})).status == 200
    blocked.lift()
    assert (await raw("POST", messages(ada.direct), {"content": "x"})).status == 200
    server.fails(Fault.refusal(50007), user=ada, route="POST /users/@me/channels")
    assert (await raw("POST", "/users/@me/channels", {"recipient_id": str(ada.id)})).code == 50007
    server.fails(Fault.refusal(50013), channel=papers, route=POST)
    assert (await raw("GET", f"/channels/{papers.id}")).status == 200
    assert (await raw("POST", messages(papers), {"content": "x"})).code == 50013
    server.heal()
    assert (await raw("POST", messages(papers), {"content": "x"})).status == 200


async def test_a_connection_dropped_before_and_after(raw: Raw, server: DiscordServer, papers: Channel) -> None:
    for fault, posted in [(Fault.unread(), 0), (Fault.lost(), 1)]:
        server.fails(fault, times=1)
        with pytest.raises(aiohttp.ClientConnectionError):
            await raw("POST", messages(papers), {"content": "x"})
        assert len(papers.messages) == posted
    assert [each.status for each in server.requests] == [0, 0]


async def test_an_answer_that_never_comes(raw: Raw, server: DiscordServer, papers: Channel) -> None:
    server.fails(Fault.silent(), times=1)
    waiting = asyncio.create_task(raw("POST", messages(papers), {"content": "x"}))
    await server.bell.until(lambda: len(papers.messages) == 1, limit=5)
    assert not waiting.done()
    waiting.cancel()
    assert (await raw("POST", messages(papers), {"content": "y"})).status == 200


async def test_the_wall_before_the_service_answers_in_html(raw: Raw, server: DiscordServer, papers: Channel) -> None:
    server.fails(Fault.banned(), times=1)
    answer = await raw("POST", messages(papers), {"content": "x"})
    assert (answer.status, "Via" in answer.headers, answer.raw[:6]) == (429, False, b"<html>")


@pytest.mark.parametrize(("scope", "counted"), [("user", 1), ("global", 1), ("shared", 0)])
async def test_a_limit_on_demand(raw: Raw, server: DiscordServer, papers: Channel, scope: str, counted: int) -> None:
    server.fails(Fault.limited(1.5, scope=scope), times=1)
    answer = await raw("POST", messages(papers), {"content": "x"})
    assert (answer.status, answer.body["retry_after"], answer.body["global"]) == (429, 1.5, scope == "global")
    assert (answer.headers["Retry-After"], answer.headers["X-RateLimit-Scope"]) == ("2", scope)
    assert ("X-RateLimit-Global" in answer.headers, "Via" in answer.headers) == (scope == "global", True)
    assert server.invalid_requests == counted


# Rate limits


async def test_a_bucket_is_of_a_route_and_a_channel(
    raw: Raw, server: DiscordServer, guild: Guild, papers: Channel
) -> None:
    server.rates = Rates(routes={POST: (2, 5.0)})
    answers = [await raw("POST", messages(papers), {"content": "x"}) for _ in range(3)]
    assert [each.status for each in answers] == [200, 200, 429]
    assert [each.headers["X-RateLimit-Remaining"] for each in answers] == ["1", "0", "0"]
    assert {each.headers["X-RateLimit-Limit"] for each in answers} == {"2"}
    assert len({each.headers["X-RateLimit-Bucket"] for each in answers}) == 1
    limited = answers[2]
    assert 0 < limited.body["retry_after"] <= 5
    assert (limited.headers["X-RateLimit-Scope"], limited.body["global"]) == ("user", False)
    assert float(limited.headers["X-RateLimit-Reset-After"]) <= 5
    assert (await raw("POST", messages(guild.text("other")), {"content": "x"})).status == 200
    assert (await raw("GET", messages(papers))).status == 200
    server.clock.move(5.1)
    assert (await raw("POST", messages(papers), {"content": "x"})).status == 200


async def test_fifty_calls_a_second_in_all(raw: Raw, server: DiscordServer) -> None:
    server.clock.stop()
    server.rates = Rates.real()
    statuses = [(await raw("GET", "/users/@me")).status for _ in range(50)]
    statuses.append((await raw("GET", "/gateway")).status)
    assert statuses == [200] * 50 + [429]
    limited = await raw("GET", "/gateway")
    assert (limited.body["global"], limited.headers["X-RateLimit-Global"]) == (True, "true")
    assert (await raw("POST", "/interactions/1/x/callback", {"type": 4})).code == 10062  # outside of it
    server.clock.move(1.1)
    assert (await raw("GET", "/users/@me")).status == 200


async def test_calls_that_speak_against_the_bot_are_counted(raw: Raw, server: DiscordServer, papers: Channel) -> None:
    papers.deny(server.bot, "send_messages")
    await raw("POST", messages(papers), {"content": "x"})
    await raw("GET", "/users/@me", headers={"Authorization": None})
    await raw("GET", "/channels/1")
    assert server.invalid_requests == 2
    server.clock.move(601)
    assert server.invalid_requests == 0


# Memory


async def test_without_a_record_only_counters_remain(tmp_path: Path) -> None:
    async with DiscordServer(record=False) as server, Raw(server) as raw:
        papers = server.guild("Readers").text("papers")
        for number in range(30):
            await raw("POST", messages(papers), {"content": str(number), "nonce": number, "enforce_nonce": True})
        assert (len(server.requests), len(papers.messages), papers.posted) == (0, 20, 30)
        assert server.counts[POST] == server.counts["status 200"] == 30


async def test_what_came_is_on_record(raw: Raw, server: DiscordServer, papers: Channel) -> None:
    await raw("POST", f"{messages(papers)}?a=1", {"content": "x"})
    seen = server.requests[-1]
    assert (seen.route, seen.body, seen.query, seen.status) == (POST, {"content": "x"}, {"a": "1"}, 200)
    assert seen.headers["Authorization"] == f"Bot {server.token}"
