"""The routes of the local Discord: messages, threads, rights and publishing, by bare calls."""

import io
from pathlib import Path

import aiohttp
import pytest

from tests.support.discord_server import DiscordServer
from tests.support.discord_server.errors import CODES
from tests.support.discord_server.guilds import Guild
from tests.support.discord_server.messages import SUPPRESS_NOTIFICATIONS
from tests.support.discord_server.places import Channel
from tests.support.discord_server.raw import Raw, messages

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
    assert (await raw("POST", messages(plain), {"embeds": [{"title": "T"}]})).code == 50013
    assert (await raw("POST", messages(plain), data=form("{}", f0=b"x"))).code == 50013
    assert (await raw("POST", messages(plain), {"content": "x"})).status == 200
    plain.allow(server.bot, "embed_links")
    assert (await raw("POST", messages(plain), {"embeds": [{"title": "T"}]})).status == 200


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
    sent = (await raw("POST", messages(papers), {"flags": 1 << 15, "components": [{"type": 10, "content": "w"}]})).body
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
