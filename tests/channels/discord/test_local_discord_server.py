"""The local Discord refuses what Discord refuses: every refusal, provoked by bare calls."""

import asyncio
import io
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.support.discord_server import DiscordServer, Fault, Rates
from tests.support.discord_server.errors import CODES
from tests.support.discord_server.guilds import Guild
from tests.support.discord_server.messages import EPHEMERAL, SUPPRESS_NOTIFICATIONS
from tests.support.discord_server.places import Channel
from tests.support.discord_server.raw import Raw

POST = "POST /channels/{channel_id}/messages"


@pytest.fixture
async def server() -> AsyncIterator[DiscordServer]:
    async with DiscordServer() as started:
        yield started


@pytest.fixture
async def raw(server: DiscordServer) -> AsyncIterator[Raw]:
    async with Raw(server) as client:
        yield client


@pytest.fixture
def guild(server: DiscordServer) -> Guild:
    return server.guild("Readers")


@pytest.fixture
def papers(guild: Guild) -> Channel:
    return guild.text("papers")


def messages(channel: Channel) -> str:
    return f"/channels/{channel.id}/messages"


# Who may call


@pytest.mark.parametrize("given", [None, "Bot wrong", "bot-token"])
async def test_a_wrong_token_is_unauthorized(raw: Raw, given: str | None) -> None:
    answer = await raw("GET", "/users/@me", headers={"Authorization": given})
    assert (answer.status, answer.body) == (401, {"message": "401: Unauthorized", "code": 0})


async def test_who_does_not_say_what_they_are_is_blocked(raw: Raw) -> None:
    assert (await raw("GET", "/users/@me", headers={"User-Agent": "curl/8"})).code == 40333
    assert (await raw("POST", "/interactions/1/x/callback", {"type": 4}, headers={"User-Agent": None})).code == 40333


async def test_a_route_that_is_not_there(raw: Raw) -> None:
    answer = await raw("GET", "/nothing")
    assert (answer.status, answer.body) == (404, {"message": "404: Not Found", "code": 0})


async def test_answers_say_that_they_are_json_and_nothing_more(raw: Raw, papers: Channel) -> None:
    for method, path, body in (("GET", "/users/@me", None), ("POST", messages(papers), {"content": ""})):
        assert (await raw(method, path, body)).headers["Content-Type"] == "application/json"


async def test_what_there_is_can_be_read(raw: Raw, server: DiscordServer, guild: Guild, papers: Channel) -> None:
    thread = papers.thread("old", archived=True)
    fresh = papers.thread("new")
    ada = server.person("ada").can(guild)
    reads = {
        "/users/@me": ("id", str(server.bot.id)),
        "/applications/@me": ("id", str(server.application_id)),
        "/oauth2/applications/@me": ("id", str(server.application_id)),
        f"/users/{ada.id}": ("username", "ada"),
        f"/guilds/{guild.id}": ("name", "Readers"),
        f"/channels/{thread.id}": ("parent_id", str(papers.id)),
        f"/guilds/{guild.id}/members/@me": ("nick", None),
        "/gateway": ("url", server.gateway.url),
        "/gateway/bot": ("shards", 1),
    }
    for path, (name, value) in reads.items():
        assert (await raw("GET", path)).body[name] == value, path
    assert [each["id"] for each in (await raw("GET", "/users/@me/guilds")).body] == [str(guild.id)]
    assert [each["id"] for each in (await raw("GET", f"/guilds/{guild.id}/channels")).body] == [str(papers.id)]
    assert len((await raw("GET", f"/guilds/{guild.id}/roles")).body) == 2
    active = (await raw("GET", f"/guilds/{guild.id}/threads/active")).body["threads"]
    archived = (await raw("GET", f"/channels/{papers.id}/threads/archived/public")).body["threads"]
    assert ([each["id"] for each in active], [each["id"] for each in archived]) == ([str(fresh.id)], [str(thread.id)])


@pytest.mark.parametrize(
    ("method", "path", "code"),
    [
        ("GET", "/users/1", 10013),
        ("GET", "/guilds/1", 10004),
        ("GET", "/guilds/{outside}", 10004),
        ("GET", "/guilds/{guild}/members/1", 10007),
        ("GET", "/channels/1", 10003),
        ("GET", "/channels/x1", 50035),
        ("GET", "/channels/{foreign}", 50001),
        ("GET", "/channels/{hidden}", 50001),
        ("GET", "/channels/{group}", 50001),
        ("GET", "/channels/{papers}/messages/1", 10008),
        ("GET", "/channels/{papers}/messages?limit=101", 50035),
        ("GET", "/channels/{papers}/messages?after=x", 50035),
        ("GET", "/applications/1/commands", 10002),
        ("GET", "/applications/{app}/commands/1", 10063),
        ("DELETE", "/applications/{app}/commands/1", 10063),
        ("GET", "/applications/{app}/guilds/{outside}/commands", 50001),
        ("GET", "/webhooks/1/x/messages/@original", 10015),
        ("GET", "/webhooks/{app}/x/messages/@original", 10015),
        ("PATCH", "/channels/{papers}", 50013),
        ("PUT", "/channels/{papers}/thread-members/@me", 50024),
    ],
)
async def test_what_is_not_there_or_not_open(
    raw: Raw, server: DiscordServer, guild: Guild, papers: Channel, *, method: str, path: str, code: int
) -> None:
    outside = server.guild("Others", joined=False)
    hidden = guild.text("hidden")
    hidden.deny(server.bot, "view_channel")
    names = {
        "outside": outside.id,
        "guild": guild.id,
        "foreign": outside.text("theirs").id,
        "hidden": hidden.id,
        "group": server.group("friends", server.person("ada")).id,
        "papers": papers.id,
        "app": server.application_id,
    }
    answer = await raw(method, path.format(**names), {} if method in {"PATCH", "PUT"} else None)
    assert (answer.status, answer.code) == (CODES[code][0], code)


# Messages


async def test_a_message_is_posted_read_edited_and_deleted(raw: Raw, server: DiscordServer, papers: Channel) -> None:
    sent = (await raw("POST", messages(papers), {"content": " one ", "flags": SUPPRESS_NOTIFICATIONS})).body
    assert (sent["content"], sent["author"]["id"]) == ("one", str(server.bot.id))
    assert papers.messages[0].silent
    path = f"{messages(papers)}/{sent['id']}"
    assert (await raw("PATCH", path, {"embeds": [{"title": "Two"}]})).body["embeds"][0]["title"] == "Two"
    assert (await raw("GET", path)).body["content"] == "one"
    assert (await raw("DELETE", path)).status == 204
    assert papers.messages == []
    assert (await raw("GET", path)).code == 10008


async def test_a_list_of_messages_is_newest_first(raw: Raw, papers: Channel) -> None:
    ids = [(await raw("POST", messages(papers), {"content": str(number)})).body["id"] for number in range(5)]

    async def listed(query: str) -> list[str]:
        return [each["id"] for each in (await raw("GET", f"{messages(papers)}?{query}")).body]

    assert await listed("") == ids[::-1]
    assert await listed("limit=2") == [ids[4], ids[3]]
    assert await listed(f"after={ids[1]}&limit=2") == [ids[3], ids[2]]
    assert await listed(f"before={ids[2]}") == [ids[1], ids[0]]
    assert await listed(f"around={ids[2]}&limit=3") == [ids[3], ids[2], ids[1]]


async def test_history_that_may_not_be_read_is_empty(raw: Raw, server: DiscordServer, papers: Channel) -> None:
    sent = (await raw("POST", messages(papers), {"content": "x"})).body
    papers.deny(server.bot, "read_message_history")
    assert (await raw("GET", messages(papers))).body == []
    assert (await raw("GET", f"{messages(papers)}/{sent['id']}")).code == 50001


async def test_what_people_write_is_hidden_from_a_bot_without_the_intent(
    raw: Raw, server: DiscordServer, guild: Guild, papers: Channel
) -> None:
    server.person("ada").can(guild).says("secret", in_=papers)
    assert (await raw("GET", messages(papers))).body[0]["content"] == ""
    server.gateway.privileged = 1 << 15
    assert (await raw("GET", messages(papers))).body[0]["content"] == "secret"


async def test_a_nonce_repeated_gives_the_first_message(raw: Raw, server: DiscordServer, papers: Channel) -> None:
    server.clock.stop()
    body = {"content": "once", "nonce": "n" * 25, "enforce_nonce": True}
    first = (await raw("POST", messages(papers), body)).body
    assert (await raw("POST", messages(papers), body | {"content": "twice"})).body == first
    assert first["nonce"] == "n" * 25
    assert server.counts["repeats"] == 1
    server.clock.move(299)
    assert (await raw("POST", messages(papers), body)).body["id"] == first["id"]
    server.clock.move(2)
    assert (await raw("POST", messages(papers), body)).body["id"] != first["id"]


async def test_a_nonce_counts_only_where_it_is_enforced_and_in_its_channel(
    raw: Raw, guild: Guild, papers: Channel
) -> None:
    body = {"content": "x", "nonce": "n", "enforce_nonce": True}
    await raw("POST", messages(papers), body)
    await raw("POST", messages(papers), {"content": "x", "nonce": "n"})
    await raw("POST", messages(guild.text("other")), body)
    assert len(papers.messages) == 2


def embed(**more: Any) -> dict[str, Any]:
    return {"embeds": [{"title": "T"} | more]}


def row(*components: dict[str, Any]) -> dict[str, Any]:
    return {"content": "x", "components": [{"type": 1, "components": list(components)}]}


def button(**more: Any) -> dict[str, Any]:
    return {"type": 2, "style": 1, "label": "Tap", "custom_id": "a"} | more


def select(count: int = 1, **more: Any) -> dict[str, Any]:
    options = [{"label": f"L{number}", "value": f"v{number}"} for number in range(count)]
    return {"type": 3, "custom_id": "s", "options": options} | more


FIELD = {"name": "n", "value": "v"}
WORDS = {"type": 10, "content": "w" * 2_000}
MODERN = 1 << 15

BAD_MESSAGES = [
    ({"content": "x" * 2_001}, "content"),
    ({"content": 5}, "content"),
    ({"content": "x", "nonce": "n" * 26}, "nonce"),
    ({"content": "x", "flags": EPHEMERAL}, "flags"),
    ({"embeds": [{"title": "T"}] * 11}, "embeds"),
    (embed(title="x" * 257), "embeds.0.title"),
    (embed(description="x" * 4_097), "embeds.0.description"),
    (embed(footer={"text": "x" * 2_049}), "embeds.0.footer.text"),
    (embed(author={"name": "x" * 257}), "embeds.0.author.name"),
    (embed(fields=[FIELD] * 26), "embeds.0.fields"),
    (embed(fields=[FIELD | {"name": "x" * 257}]), "embeds.0.fields.0.name"),
    (embed(fields=[FIELD | {"value": "x" * 1_025}]), "embeds.0.fields.0.value"),
    (embed(fields=[FIELD, FIELD | {"value": " "}]), "embeds.0.fields.1.value"),
    (embed(fields=[{"name": "n"}]), "embeds.0.fields.0.value"),
    ({"embeds": [{"description": "x" * 3_001}, {"description": "x" * 3_000}]}, "embeds"),
    ({"content": "x", "components": [{"type": 1, "components": [button()]}] * 6}, "components"),
    ({"content": "x", "components": [button()]}, "components.0.type"),
    (row(*(button(custom_id=str(each)) for each in range(6))), "components.0.components"),
    (row(), "components.0.components"),
    (row(button(), select()), "components.0.components"),
    (row(button(), button()), "components.0.components.1.custom_id"),
    (row(button(custom_id="x" * 101)), "components.0.components.0.custom_id"),
    (row(button(custom_id="")), "components.0.components.0.custom_id"),
    (row(button(custom_id=None)), "components.0.components.0.custom_id"),
    (row(button(label="x" * 81)), "components.0.components.0.label"),
    (row(button(label=None)), "components.0.components.0.label"),
    (row(button(url="https://a.example")), "components.0.components.0"),
    (row(button(style=5, url="https://a.example")), "components.0.components.0"),
    (row(button(style=5, custom_id=None)), "components.0.components.0.url"),
    (
        row(button(style=5, custom_id=None, url="https://a.example/" + "x" * 500)),
        "components.0.components.0.url",
    ),
    (row(select(26)), "components.0.components.0.options"),
    (row(select(0)), "components.0.components.0.options"),
    (row(select(placeholder="x" * 151)), "components.0.components.0.placeholder"),
    (row(select(2, max_values=3)), "components.0.components.0"),
    (
        row(select(options=[{"label": "a", "value": "v"}, {"label": "b", "value": "v"}])),
        "components.0.components.0.options.1.value",
    ),
    (
        row(select(options=[{"label": "x" * 101, "value": "v"}])),
        "components.0.components.0.options.0.label",
    ),
    (row({"type": 4, "custom_id": "t", "style": 1, "label": "l"}), "components.0.components.0"),
    ({"content": "x", "components": [WORDS]}, "components.0.type"),
    ({"content": "x", "flags": MODERN, "components": [WORDS]}, "content"),
    ({"flags": MODERN, "components": [WORDS, WORDS, {"type": 10, "content": "w"}]}, "components"),
    ({"flags": MODERN, "components": [{"type": 10, "content": "w"}] * 41}, "components"),
    ({"content": "x", "message_reference": {"message_id": "1"}}, "message_reference"),
    ({"content": "x", "attachments": [{"id": "0", "filename": "a.txt"}]}, "attachments.0.id"),
]


@pytest.mark.parametrize(
    ("body", "place"), BAD_MESSAGES, ids=[f"{n}-{place}" for n, (_, place) in enumerate(BAD_MESSAGES)]
)
@pytest.mark.parametrize("described", [True, False])
async def test_a_message_past_a_limit_is_refused_at_its_place(
    raw: Raw, server: DiscordServer, papers: Channel, *, body: dict[str, Any], place: str, described: bool
) -> None:
    server.service.validate = described
    answer = await raw("POST", messages(papers), body)
    assert (answer.status, answer.code) == (400, 50035), answer.body
    assert any(each == place or each.startswith(f"{place}.") for each in answer.faults), answer.faults
    assert len(server.violations) == 1
    assert papers.messages == []


GOOD_MESSAGES = [
    {"content": "x" * 2_000, "nonce": 7},
    {"embeds": [{"title": "x" * 256, "description": "y" * 4_096, "footer": {"text": "z" * 1_648}}]},
    embed(fields=[FIELD] * 25),
    {"embeds": [{"title": "T"}] * 10},
    row(*(button(custom_id=str(each) * 100) for each in range(5))),
    row(button(style=5, custom_id=None, url="https://a.example")),
    row(select(25, max_values=25)),
    {"flags": MODERN, "components": [WORDS, WORDS]},
]


@pytest.mark.parametrize("body", GOOD_MESSAGES)
async def test_a_message_at_the_limits_is_taken(
    raw: Raw, server: DiscordServer, papers: Channel, body: dict[str, Any]
) -> None:
    answer = await raw("POST", messages(papers), body)
    assert (answer.status, server.violations) == (200, []), answer.body


@pytest.mark.parametrize("body", [{}, {"content": "  "}, {"embeds": [{}]}, {"embeds": [{"color": 1}]}])
async def test_an_empty_message_is_refused(raw: Raw, papers: Channel, body: dict[str, Any]) -> None:
    answer = await raw("POST", messages(papers), body)
    assert (answer.status, answer.code) == (400, 50006)


@pytest.mark.parametrize(
    ("body", "place"),
    [
        ({"content": "x", "shout": True}, "shout"),
        (embed(colour=1), "embeds.0.colour"),
        (embed(url="no address"), "embeds.0.url"),
        (embed(timestamp="yesterday"), "embeds.0.timestamp"),
        (row(button(style=9)), "components.0.components.0.style"),
        (row(button(emoji={"nom": "x"})), "components.0.components.0.emoji.nom"),
        ({"content": "x", "allowed_mentions": {"parse": ["all"]}}, "allowed_mentions.parse.0"),
    ],
)
async def test_what_the_description_does_not_know_is_refused(
    raw: Raw, reference: Path, papers: Channel, body: dict[str, Any], place: str
) -> None:
    answer = await raw("POST", messages(papers), body)
    assert answer.code == 50035
    assert place in answer.faults


async def test_a_body_that_is_no_json(raw: Raw, papers: Channel) -> None:
    kind = {"Content-Type": "application/json"}
    assert (await raw("POST", messages(papers), data=b"{", headers=kind)).code == 50109
    assert (await raw("POST", messages(papers), data=b"{}", headers={"Content-Type": "text/plain"})).code == 50035
    assert (await raw("POST", messages(papers), data=b"[]", headers=kind)).code == 50035


def form(payload: str, **files: bytes) -> aiohttp.FormData:
    data = aiohttp.FormData(quote_fields=False)
    data.add_field("payload_json", payload)
    for name, content in files.items():
        data.add_field(f"files[{name[1:]}]", io.BytesIO(content), filename=f"{name}.txt")
    return data


async def test_files_come_with_a_message(raw: Raw, papers: Channel) -> None:
    payload = '{"attachments": [{"id": 1, "filename": "second.txt"}]}'
    answer = await raw("POST", messages(papers), data=form(payload, f0=b"one", f1=b"two"))
    assert [each["filename"] for each in answer.body["attachments"]] == ["f0.txt", "second.txt"]
    assert papers.messages[0].files == {"f0.txt": b"one", "second.txt": b"two"}


async def test_too_many_files_or_too_large_ones(raw: Raw, papers: Channel) -> None:
    many = await raw("POST", messages(papers), data=form("{}", **{f"f{each}": b"x" for each in range(11)}))
    assert many.code == 50035
    large = await raw("POST", messages(papers), data=io.BytesIO(b"x" * (25 * 2**20 + 1)))
    assert (large.status, large.code) == (413, 40005)


# Where may be posted


async def test_a_bot_posts_only_where_it_may(raw: Raw, server: DiscordServer, guild: Guild, papers: Channel) -> None:
    mute = guild.text("mute")
    mute.deny(server.bot, "send_messages")
    assert (await raw("POST", messages(mute), {"content": "x"})).code == 50013
    plain = guild.text("plain")
    plain.deny(guild.everyone, "embed_links", "attach_files")
    assert (await raw("POST", messages(plain), embed())).code == 50013
    assert (await raw("POST", messages(plain), data=form("{}", f0=b"x"))).code == 50013
    assert (await raw("POST", messages(plain), {"content": "x"})).status == 200
    plain.allow(server.bot, "embed_links")
    assert (await raw("POST", messages(plain), embed())).status == 200


@pytest.mark.parametrize("kind", ["forum", "category"])
async def test_some_channels_hold_no_messages(raw: Raw, guild: Guild, kind: str) -> None:
    channel = getattr(guild, kind)("x")
    answer = await raw("POST", messages(channel), {"content": "x"})
    assert (answer.status, answer.code) == (400, 50008)


@pytest.mark.parametrize("kind", ["text", "announcement", "stage", "voice"])
async def test_other_channels_hold_messages(raw: Raw, guild: Guild, kind: str) -> None:
    assert (await raw("POST", messages(getattr(guild, kind)("x")), {"content": "x"})).status == 200


async def test_threads_that_are_archived_or_locked(raw: Raw, guild: Guild, papers: Channel) -> None:
    asleep = papers.thread("asleep", archived=True)
    assert (await raw("POST", messages(asleep), {"content": "x"})).status == 200
    assert not asleep.archived
    message = asleep.messages[0]
    asleep.archive()
    assert (await raw("PATCH", f"{messages(asleep)}/{message.id}", {"content": "y"})).code == 50083
    assert (await raw("DELETE", f"{messages(asleep)}/{message.id}")).code == 50083
    assert (await raw("PATCH", f"/channels/{asleep.id}", {"locked": True})).code == 50083
    assert (await raw("PATCH", f"/channels/{asleep.id}", {"archived": False, "name": "awake"})).body["name"] == "awake"
    assert (await raw("POST", messages(papers.thread("l", locked=True)), {"content": "x"})).code == 160005
    shut = papers.thread("s", locked=True, archived=True)
    assert (await raw("POST", messages(shut), {"content": "x"})).code == 50083
    assert (await raw("PATCH", f"/channels/{shut.id}", {"archived": False})).code == 50013


async def test_a_moderator_opens_threads(raw: Raw, server: DiscordServer) -> None:
    papers = server.guild("Own", bot_can=("manage_threads",)).text("papers")
    shut = papers.thread("s", locked=True, archived=True)
    assert (await raw("POST", messages(shut), {"content": "x"})).status == 200
    locked = {"archived": True, "locked": True}
    assert (await raw("PATCH", f"/channels/{shut.id}", locked)).body["thread_metadata"]["locked"]
    assert shut.archived


async def test_direct_messages(raw: Raw, server: DiscordServer, guild: Guild) -> None:
    ada, bob, eve = (server.person(name) for name in ("ada", "bob", "eve"))
    ada.can(guild)
    opened = (await raw("POST", "/users/@me/channels", {"recipient_id": str(ada.id)})).body
    assert (
        opened["id"]
        == str(ada.direct.id)
        == (await raw("POST", "/users/@me/channels", {"recipient_id": ada.id})).body["id"]
    )
    assert (await raw("POST", messages(ada.direct), {"content": "x"})).status == 200
    ada.closes_messages()
    assert (await raw("POST", messages(ada.direct), {"content": "x"})).code == 50007
    assert (await raw("POST", messages(bob.direct), {"content": "x"})).code == 50278
    assert (await raw("POST", messages(eve.installs().direct), {"content": "x"})).status == 200
    assert (await raw("POST", "/users/@me/channels", {"recipient_id": "1"})).code == 10013
    assert (await raw("POST", "/users/@me/channels", {})).code == 50035
    assert (await raw("POST", "/users/@me/channels", {"recipient_id": str(server.bot.id)})).code == 50007


async def test_what_others_wrote_is_theirs(raw: Raw, server: DiscordServer, guild: Guild, papers: Channel) -> None:
    ada = server.person("ada").can(guild)
    path = f"{messages(papers)}/{ada.says('mine', in_=papers).id}"
    assert (await raw("PATCH", path, {"content": "y"})).code == 50005
    assert (await raw("DELETE", path)).code == 50013
    direct = ada.says("mine", in_=ada.direct)
    assert (await raw("DELETE", f"{messages(ada.direct)}/{direct.id}")).code == 50003
    papers.allow(server.bot, "manage_messages")
    assert (await raw("DELETE", path)).status == 204


async def test_an_edit_that_leaves_nothing_is_refused(raw: Raw, papers: Channel) -> None:
    sent = (await raw("POST", messages(papers), {"content": "x"})).body
    path = f"{messages(papers)}/{sent['id']}"
    assert (await raw("PATCH", path, {"content": ""})).code == 50006
    assert (await raw("PATCH", path, {"content": "x" * 2_001})).code == 50035
    assert (await raw("PATCH", path, {"content": None, "embeds": [{"title": "T"}]})).body["content"] == ""


async def test_modern_components_stay(raw: Raw, papers: Channel) -> None:
    sent = (await raw("POST", messages(papers), {"flags": MODERN, "components": [WORDS]})).body
    path = f"{messages(papers)}/{sent['id']}"
    assert "flags" in (await raw("PATCH", path, {"flags": 0, "components": []})).faults
    assert "content" in (await raw("PATCH", path, {"content": "x"})).faults


async def test_only_announcements_are_published_and_once(
    raw: Raw, server: DiscordServer, guild: Guild, papers: Channel
) -> None:
    news = guild.announcement("news")
    plain = (await raw("POST", messages(papers), {"content": "x"})).body["id"]
    assert (await raw("POST", f"{messages(papers)}/{plain}/crosspost")).code == 50068
    sent = (await raw("POST", messages(news), {"content": "x"})).body["id"]
    assert (await raw("POST", f"{messages(news)}/{sent}/crosspost")).body["flags"] & 1
    assert news.messages[0].crossposted
    assert (await raw("POST", f"{messages(news)}/{sent}/crosspost")).code == 40033
    assert (await raw("POST", f"{messages(news)}/1/crosspost")).code == 10008
    theirs = server.person("ada").can(guild).says("x", in_=news)
    assert (await raw("POST", f"{messages(news)}/{theirs.id}/crosspost")).code == 50013


async def test_ten_announcements_an_hour_are_published(raw: Raw, server: DiscordServer, guild: Guild) -> None:
    news = guild.announcement("news")
    paths = []
    for _ in range(11):
        sent = (await raw("POST", messages(news), {"content": "x"})).body["id"]
        paths.append(f"{messages(news)}/{sent}/crosspost")
    answers = [await raw("POST", path) for path in paths]
    assert [each.status for each in answers] == [200] * 10 + [429]
    assert 3_590 < answers[-1].body["retry_after"] <= 3_600
    assert server.invalid_requests == 0  # a limit that others share does not speak against the bot
    server.clock.move(3_601)
    assert (await raw("POST", paths[-1])).status == 200


# Threads


async def test_a_forum_takes_posts_and_no_nonce(raw: Raw, server: DiscordServer, guild: Guild) -> None:
    forum = guild.forum("papers", "daily")
    tag = str(next(iter(forum.tags)))
    path = f"/channels/{forum.id}/threads"
    answer = await raw("POST", path, {"name": "Today", "applied_tags": [tag], "message": {"content": "x"}})
    assert (answer.status, answer.body["parent_id"], answer.body["message"]["content"]) == (201, str(forum.id), "x")
    assert server.service.places.channels[int(answer.body["id"])].messages[0].id == int(answer.body["id"])
    for bad, place in [
        ({"name": "", "message": {"content": "x"}}, "name"),
        ({"name": "n" * 101, "message": {"content": "x"}}, "name"),
        ({"name": "n"}, "message"),
        ({"name": "n", "message": {"content": "x", "nonce": "a"}}, "message.nonce"),
        ({"name": "n", "message": {"content": "x" * 2_001}}, "content"),
        ({"name": "n", "applied_tags": ["1"], "message": {"content": "x"}}, "applied_tags"),
    ]:
        server.service.validate = False
        refused = await raw("POST", path, bad)
        assert (refused.code, place in refused.faults) == (50035, True), refused.body
    assert (await raw("POST", path, {"name": "n", "message": {}})).code == 50006
    strict = guild.forum("strict", "a", required_tag=True)
    body = {"name": "n", "message": {"content": "x"}}
    assert (await raw("POST", f"/channels/{strict.id}/threads", body)).code == 40067
    forum.deny(server.bot, "send_messages")
    assert (await raw("POST", path, body)).code == 50013


async def test_the_description_knows_no_nonce_of_posts(
    raw: Raw, reference: Path, server: DiscordServer, guild: Guild
) -> None:
    body = {"name": "n", "message": {"content": "x", "nonce": "a", "enforce_nonce": True}}
    assert (await raw("POST", f"/channels/{guild.forum('papers').id}/threads", body)).code == 50035
    assert len(server.violations) == 1


async def test_threads_of_text_channels(raw: Raw, server: DiscordServer, guild: Guild, papers: Channel) -> None:
    made = await raw("POST", f"/channels/{papers.id}/threads", {"name": "t", "type": 11})
    assert (made.status, made.body["type"]) == (201, 11)
    assert (await raw("PUT", f"/channels/{made.body['id']}/thread-members/@me")).status == 204
    sent = (await raw("POST", messages(papers), {"content": "x"})).body["id"]
    path = f"{messages(papers)}/{sent}/threads"
    assert (await raw("POST", path, {"name": "t"})).body["id"] == sent
    assert (await raw("POST", path, {"name": "t"})).code == 160004
    assert (await raw("POST", f"{messages(papers)}/1/threads", {"name": "t"})).code == 10008
    assert (await raw("POST", f"/channels/{papers.id}/threads", {"name": "t"})).code == 50013  # private by default
    assert (await raw("POST", f"/channels/{papers.id}/threads", {"name": "t", "type": 10})).code == 50035
    with_message = {"name": "t", "type": 11, "message": {"content": "x"}}
    assert (await raw("POST", f"/channels/{papers.id}/threads", with_message)).code == 50035
    assert (await raw("POST", f"/channels/{guild.voice('v').id}/threads", {"name": "t"})).code == 50024
    stage = guild.stage("s")
    posted = (await raw("POST", messages(stage), {"content": "x"})).body["id"]
    assert (await raw("POST", f"{messages(stage)}/{posted}/threads", {"name": "t"})).code == 50024
    papers.deny(server.bot, "create_public_threads", "send_messages_in_threads")
    assert (await raw("POST", f"/channels/{papers.id}/threads", {"name": "t", "type": 11})).code == 50013
    assert (await raw("POST", messages(papers.thread("t")), {"content": "x"})).code == 50013
    other = (await raw("POST", messages(papers), {"content": "x"})).body["id"]
    assert (await raw("POST", f"{messages(papers)}/{other}/threads", {"name": "t"})).code == 50013


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
