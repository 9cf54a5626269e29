"""People at the local Discord: what they may use, what they see, and when an answer comes too late."""

import asyncio
from collections.abc import AsyncIterator, Awaitable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.support.discord_server import Channel, DiscordServer, NotOfferedError, Person, Reply, UnansweredError
from tests.support.discord_server.commands import is_name
from tests.support.discord_server.errors import CODES
from tests.support.discord_server.guilds import Guild
from tests.support.discord_server.messages import EPHEMERAL, Json
from tests.support.discord_server.people import fields
from tests.support.discord_server.raw import Answer, Line, Raw

DATE = {"type": 3, "name": "day", "description": "Which day", "required": True, "autocomplete": True}
PAPERS: Json = {
    "name": "papers",
    "name_localizations": {"ko": "논문"},
    "description": "Papers",
    "integration_types": [0, 1],
    "contexts": [0, 1, 2],
    "options": [
        {"type": 1, "name": "today", "name_localizations": {"ko": "오늘"}, "description": "Today"},
        {"type": 1, "name": "date", "description": "A day", "options": [DATE]},
        {
            "type": 1,
            "name": "subscribe",
            "description": "Subscribe",
            "options": [
                {"type": 7, "name": "channel", "description": "Where", "required": True, "channel_types": [0, 5]},
                {
                    "type": 3,
                    "name": "language",
                    "name_localizations": {"ko": "언어"},
                    "description": "In which language",
                    "choices": [{"name": "한국어", "value": "ko"}, {"name": "English", "value": "en"}],
                },
                {"type": 4, "name": "max-papers", "description": "How many", "min_value": 1, "max_value": 30},
                {"type": 5, "name": "quiet", "description": "Without a sound"},
                {"type": 6, "name": "editor", "description": "Whose"},
                {"type": 8, "name": "role", "description": "For whom"},
                {"type": 3, "name": "topic", "description": "What", "min_length": 2, "max_length": 5},
            ],
        },
    ],
}
ADMIN: Json = {"name": "admin", "description": "For few", "default_member_permissions": 1 << 5}


@dataclass
class Bot:
    """A bot that answers as a test tells it to, by bare calls."""

    server: DiscordServer
    raw: Raw
    line: Line

    async def asked(self, doing: Awaitable[Any]) -> tuple[Json, asyncio.Future[Any]]:
        """Somebody does something: the event that comes of it, and what they will see."""
        task = asyncio.ensure_future(doing)
        event = asyncio.ensure_future(self.line.next("INTERACTION_CREATE"))
        await asyncio.wait([task, event], return_when=asyncio.FIRST_COMPLETED)
        if not event.done():
            event.cancel()
            await task
        return (await event)["d"], task

    async def answer(self, event: Json, kind: int, data: Json | None = None, query: str = "") -> Answer:
        body = {"type": kind} | ({"data": data} if data is not None else {})
        path = f"/interactions/{event['id']}/{event['token']}/callback{query}"
        return await self.raw("POST", path, body, headers={"Authorization": None})

    async def follow(self, method: str, event: Json, body: Json | None = None, which: str = "") -> Answer:
        path = f"/webhooks/{self.server.application_id}/{event['token']}{which}"
        return await self.raw(method, path, body, headers={"Authorization": None})

    async def says(self, doing: Awaitable[Reply], content: str = "Hello", **more: Any) -> Reply:
        """Answer at once with a message."""
        event, task = await self.asked(doing)
        assert (await self.answer(event, 4, {"content": content} | more)).status == 204
        reply: Reply = await task
        return reply


@pytest.fixture
async def server() -> AsyncIterator[DiscordServer]:
    async with DiscordServer() as started:
        yield started


@pytest.fixture
async def bot(server: DiscordServer) -> AsyncIterator[Bot]:
    async with Raw(server) as raw:
        assert (await raw("PUT", f"/applications/{server.application_id}/commands", [PAPERS, ADMIN])).status == 200
        line = await raw.identified()
        await line.next("READY")
        yield Bot(server, raw, line)


@pytest.fixture
def guild(server: DiscordServer) -> Guild:
    return server.guild("Readers", locale="ja")


@pytest.fixture
def papers(guild: Guild) -> Channel:
    return guild.text("papers")


@pytest.fixture
def ada(server: DiscordServer, guild: Guild, papers: Channel) -> Person:
    person = server.person("ada", locale="ko").can(guild)
    person.at = papers
    return person


# What comes and what goes


async def test_a_command_is_told_with_who_and_where(
    bot: Bot, server: DiscordServer, guild: Guild, papers: Channel, ada: Person
) -> None:
    ada.can(guild, "manage_guild")
    papers.deny(server.bot, "embed_links")
    news, role = guild.announcement("news"), guild.role("editors")
    event, task = await bot.asked(
        ada.uses("/papers subscribe", channel=news, 언어="한국어", max_papers=5, quiet=True, editor=ada, role=role)
    )
    assert (event["type"], event["locale"], event["guild_locale"], event["context"]) == (2, "ko", "ja", 0)
    assert event["authorizing_integration_owners"] == {"0": str(guild.id)}
    assert event["member"]["user"]["id"] == str(ada.id)
    assert int(event["member"]["permissions"]) & 1 << 5
    assert not int(event["app_permissions"]) & 1 << 14
    assert event["data"]["name"] == "papers"
    [sub] = event["data"]["options"]
    assert (sub["name"], sub["type"]) == ("subscribe", 1)
    assert {each["name"]: each["value"] for each in sub["options"]} == {
        "channel": str(news.id),
        "language": "ko",
        "max-papers": 5,
        "quiet": True,
        "editor": str(ada.id),
        "role": str(role.id),
    }
    resolved = event["data"]["resolved"]
    assert resolved["channels"][str(news.id)]["permissions"] == str(news.grants(ada))
    assert {*resolved["users"], *resolved["roles"]} == {str(ada.id), str(role.id)}
    assert (await bot.answer(event, 4, {"content": "Done", "flags": EPHEMERAL})).status == 204
    reply = await task
    assert (reply.content, reply.ephemeral, reply.deferred, papers.messages) == ("Done", True, False, [])
    assert 0 < reply.interaction.acknowledged_after < 3


async def test_names_in_a_persons_own_language_are_known(bot: Bot, ada: Person) -> None:
    assert (await bot.says(ada.uses("/논문 오늘"))).content == "Hello"
    assert (await bot.says(ada.uses("/papers today"))).content == "Hello"


async def test_an_answer_that_is_public_stands_in_the_channel(bot: Bot, papers: Channel, ada: Person) -> None:
    reply = await bot.says(ada.uses("/papers today"), embeds=[{"title": "T", "fields": [{"name": "n", "value": "v"}]}])
    assert papers.messages == [reply.message]
    assert reply.text == "Hello\nT\nn\nv"
    assert reply.message.interaction is not None


async def test_a_deferred_answer_is_filled_by_an_edit(bot: Bot, papers: Channel, ada: Person) -> None:
    event, task = await bot.asked(ada.uses("/papers today"))
    assert (await bot.answer(event, 5, {"flags": EPHEMERAL})).status == 204
    assert not task.done()
    edit = await bot.follow("PATCH", event, {"content": "At last"}, "/messages/@original")
    assert (edit.status, edit.body["content"]) == (200, "At last")
    reply = await task
    assert (reply.content, reply.ephemeral, reply.deferred) == ("At last", True, True)
    await bot.follow("PATCH", event, {"content": "Better"}, "/messages/@original")
    assert (await reply.edited()).content == "Better"


async def test_a_deferred_answer_is_filled_by_the_first_follow_up(bot: Bot, ada: Person) -> None:
    event, task = await bot.asked(ada.uses("/papers today"))
    await bot.answer(event, 5)
    sent = (await bot.follow("POST", event, {"content": "First"})).body
    reply = await task
    assert (reply.content, str(reply.message.id), reply.follow_ups) == ("First", sent["id"], [])
    second = (await bot.follow("POST", event, {"content": "Second"})).body
    assert [each.content for each in await reply.more()] == ["Second"]
    edited = await bot.follow("PATCH", event, {"content": "2"}, f"/messages/{second['id']}")
    assert edited.body["content"] == reply.follow_ups[0].content == "2"
    assert (await bot.follow("GET", event, None, f"/messages/{second['id']}")).body["id"] == second["id"]
    assert (await bot.follow("DELETE", event, None, f"/messages/{second['id']}")).status == 204
    assert reply.follow_ups[0].deleted
    assert (await bot.follow("GET", event, None, "/messages/@original")).body["content"] == "First"
    assert (await bot.follow("DELETE", event, None, "/messages/@original")).status == 204
    assert (await bot.follow("GET", event, None, "/messages/@original")).code == 10008


async def test_a_deferred_answer_that_was_deleted_is_followed_up(bot: Bot, ada: Person) -> None:
    event, task = await bot.asked(ada.uses("/papers today"))
    await bot.answer(event, 5)
    assert (await bot.follow("DELETE", event, None, "/messages/@original")).status == 204
    await bot.follow("POST", event, {"content": "After all"})
    assert (await task).content == "After all"


async def test_a_thread_that_was_locked_meanwhile_takes_no_answer(
    bot: Bot, server: DiscordServer, papers: Channel, ada: Person
) -> None:
    elsewhere = server.guild("Others", joined=False)
    ada.can(elsewhere).installs()
    for thread, code in [(papers.thread("t"), 50083), (elsewhere.text("talk").thread("t"), 50001)]:
        event, task = await bot.asked(ada.uses("/papers today", in_=thread))
        thread.archive(archived=False, locked=True)
        assert (await bot.answer(event, 4, {"content": "x"})).code == code
        thread.archive(archived=False, locked=False)
        assert (await bot.answer(event, 4, {"content": "x"})).status == 204
        await task
        thread.archive(archived=False, locked=True)
        assert (await bot.follow("POST", event, {"content": "x"})).code == code


async def test_an_answer_may_be_asked_to_show_what_became_of_it(bot: Bot, ada: Person) -> None:
    event, task = await bot.asked(ada.uses("/papers today"))
    answer = await bot.answer(event, 4, {"content": "x"}, "?with_response=1")
    reply = await task
    assert answer.status == 200
    assert answer.body["interaction"]["response_message_id"] == str(reply.message.id)
    assert answer.body["resource"]["message"]["content"] == "x"


async def test_completions(bot: Bot, ada: Person) -> None:
    event, task = await bot.asked(ada.completes("/papers date", day="2026"))
    assert event["type"] == 4
    assert event["data"]["options"][0]["options"] == [{"name": "day", "type": 3, "value": "2026", "focused": True}]
    assert (await bot.answer(event, 8, {"choices": [{"name": "April", "value": "2026-04-29"}]})).status == 204
    assert await task == [{"name": "April", "value": "2026-04-29"}]


BUTTON = {"type": 2, "style": 1, "label": "Next", "custom_id": "next"}
LINK = {"type": 2, "style": 5, "label": "Open", "url": "https://a.example"}
SELECT = {
    "type": 3,
    "custom_id": "style",
    "placeholder": "Style",
    "options": [{"label": "Short", "value": "s"}, {"label": "Long", "value": "l"}],
}
ROWS = [{"type": 1, "components": [BUTTON, LINK]}, {"type": 1, "components": [SELECT]}]


async def test_a_tap_changes_the_message(bot: Bot, ada: Person) -> None:
    reply = await bot.says(ada.uses("/papers today"), components=ROWS)
    assert reply.button("Next")["custom_id"] == "next"
    event, task = await bot.asked(ada.taps(reply, "Next"))
    assert (event["type"], event["data"]["custom_id"], event["data"]["component_type"]) == (3, "next", 2)
    assert event["message"]["id"] == str(reply.message.id)
    await bot.answer(event, 7, {"content": "Page 2"})
    after = await task
    assert (after.updated, after.content, after.message is reply.message) == (True, "Page 2", True)


async def test_a_tap_is_acknowledged_and_answered_later(bot: Bot, ada: Person) -> None:
    reply = await bot.says(ada.uses("/papers today"), components=ROWS)
    for method, which, updated in [("PATCH", "/messages/@original", True), ("POST", "", False)]:
        event, task = await bot.asked(ada.taps(reply, "next"))
        await bot.answer(event, 6)
        assert not task.done()
        await bot.follow(method, event, {"content": method}, which)
        after = await task
        assert (after.content, after.updated, after.deferred) == (method, updated, True)


async def test_a_choice_in_a_select(bot: Bot, papers: Channel, ada: Person) -> None:
    reply = await bot.says(ada.uses("/papers today"), components=ROWS)
    event, task = await bot.asked(ada.selects(reply, "Style", "Long"))
    assert (event["data"]["values"], event["data"]["component_type"]) == (["l"], 3)
    await bot.answer(event, 4, {"content": "New"})
    assert (await task).content == "New"
    places = {"type": 8, "custom_id": "where", "placeholder": "Where"}
    reply = await bot.says(ada.uses("/papers today"), components=[{"type": 1, "components": [places]}])
    event, task = await bot.asked(ada.selects(reply, "where", papers))
    assert event["data"]["values"] == list(event["data"]["resolved"]["channels"]) == [str(papers.id)]
    await bot.answer(event, 4, {"content": "There"})
    assert (await task).content == "There"


async def test_a_form_is_filled_in(bot: Bot, ada: Person) -> None:
    reply = await bot.says(ada.uses("/papers today"), components=ROWS)
    event, task = await bot.asked(ada.taps(reply, "Next"))
    entry = {"type": 4, "custom_id": "topics", "style": 1, "label": "Topics", "max_length": 9}
    form = {"custom_id": "f", "title": "Topics", "components": [{"type": 1, "components": [entry]}]}
    assert (await bot.answer(event, 9, form)).status == 204
    opened = await task
    assert fields(opened.modal) == ["topics"]
    event, task = await bot.asked(ada.submits(opened, topics="agents"))
    assert (event["type"], event["data"]["custom_id"]) == (5, "f")
    assert event["data"]["components"][0]["components"][0]["value"] == "agents"
    assert event["message"]["id"] == str(reply.message.id)
    await bot.answer(event, 7, {"content": "Kept"})
    assert (await task).updated
    for wrong in ({"topics": "x" * 10}, {"topics": ""}, {"topics": "x", "other": "y"}):
        with pytest.raises(NotOfferedError):
            await ada.submits(opened, **wrong)


# Answers that are refused


async def test_an_interaction_is_answered_once_and_in_time(bot: Bot, server: DiscordServer, ada: Person) -> None:
    event, task = await bot.asked(ada.uses("/papers today"))
    assert (await bot.answer(event | {"token": "x"}, 4, {"content": "x"})).code == 10062
    assert (await bot.answer(event | {"id": "1"}, 4, {"content": "x"})).code == 10062
    assert (await bot.follow("POST", event, {"content": "x"})).code == 10015
    assert (await bot.answer(event, 4, {"content": "x"})).status == 204
    assert (await bot.answer(event, 4, {"content": "x"})).code == 40060
    await task
    event, task = await bot.asked(ada.uses("/papers today"))
    server.clock.move(3.1)
    late = await bot.answer(event, 4, {"content": "x"})
    assert (late.status, late.code) == (404, 10062)
    task.cancel()


async def test_a_token_is_good_for_fifteen_minutes(bot: Bot, server: DiscordServer, ada: Person) -> None:
    event, task = await bot.asked(ada.uses("/papers today"))
    await bot.answer(event, 4, {"content": "x"})
    await task
    server.clock.move(895)
    assert (await bot.follow("PATCH", event, {"content": "y"}, "/messages/@original")).status == 200
    server.clock.move(6)
    for method, which in [("POST", ""), ("GET", "/messages/@original"), ("DELETE", "/messages/@original")]:
        answer = await bot.follow(method, event, {"content": "z"} if method == "POST" else None, which)
        assert (answer.status, answer.code) == (401, 50027)


async def test_an_app_of_a_users_own_follows_up_five_times(bot: Bot, server: DiscordServer, ada: Person) -> None:
    elsewhere = server.guild("Others", joined=False)
    ada.can(elsewhere).installs()
    event, task = await bot.asked(ada.uses("/papers today", in_=elsewhere.text("talk")))
    assert event["authorizing_integration_owners"] == {"1": str(ada.id)}
    await bot.answer(event, 4, {"content": "x"})
    assert not (await task).ephemeral
    answers = [await bot.follow("POST", event, {"content": str(each)}) for each in range(6)]
    assert [each.code for each in answers] == [0] * 5 + [40094]


async def test_an_app_that_may_not_speak_aloud_is_hidden(bot: Bot, server: DiscordServer, ada: Person) -> None:
    elsewhere = server.guild("Others", joined=False)
    talk = elsewhere.text("talk")
    talk.deny(elsewhere.everyone, "use_external_apps")
    ada.can(elsewhere).installs()
    reply = await bot.says(ada.uses("/papers today", in_=talk))
    assert (reply.ephemeral, talk.messages) == (True, [])


@pytest.mark.parametrize(
    ("kind", "data", "place"),
    [
        (4, {"content": "x" * 2_001}, "content"),
        (4, {"embeds": [{"description": "x" * 4_000}] * 2}, "embeds"),
        (4, {"content": "x", "components": [{"type": 1, "components": [BUTTON, BUTTON]}]}, "components"),
        (4, {"content": "x", "flags": 1 << 7}, "flags"),
        (5, {"flags": 1 << 12}, "data.flags"),
        (6, None, "type"),
        (7, {"content": "x"}, "type"),
        (8, {"choices": []}, "type"),
        (1, None, "type"),
        (9, {"custom_id": "", "title": "T", "components": []}, "data.custom_id"),
        (9, {"custom_id": "f", "title": "T" * 46, "components": []}, "data.title"),
        (9, {"custom_id": "f", "title": "T", "components": []}, "data.components"),
    ],
)
@pytest.mark.parametrize("described", [True, False])
async def test_an_answer_that_is_malformed(
    bot: Bot, server: DiscordServer, ada: Person, *, kind: int, data: Json | None, place: str, described: bool
) -> None:
    server.service.validate = described
    event, task = await bot.asked(ada.uses("/papers today"))
    answer = await bot.answer(event, kind, data)
    assert (answer.status, answer.code) == (400, 50035)
    assert any(place in each for each in answer.faults), answer.faults
    assert (await bot.answer(event, 4, {"content": "x"})).status == 204  # it is still to be answered
    await task


async def test_an_empty_answer_is_refused(bot: Bot, ada: Person) -> None:
    event, task = await bot.asked(ada.uses("/papers today"))
    assert (await bot.answer(event, 4, {})).code == 50006
    assert (await bot.answer(event, 4)).code == 50006
    await bot.answer(event, 4, {"content": "x"})
    assert (await bot.follow("POST", event, {})).code == 50006
    assert (await bot.follow("POST", event, {"content": "x", "nonce": "a"})).code == 50035
    await task


@pytest.mark.parametrize(
    ("data", "place"),
    [
        ({"choices": [{"name": str(each), "value": str(each)} for each in range(26)]}, "data.choices"),
        ({"choices": [{"name": "x" * 101, "value": "v"}]}, "data.choices.0.name"),
        ({"choices": [{"name": "n", "value": "x" * 101}]}, "data.choices.0.value"),
        ({"choices": [{"name": "", "value": "v"}]}, "data.choices.0.name"),
        ({}, "data.choices"),
    ],
)
@pytest.mark.parametrize("described", [True, False])
async def test_completions_that_are_too_many_or_too_long(
    bot: Bot, server: DiscordServer, ada: Person, *, data: Json, place: str, described: bool
) -> None:
    server.service.validate = described
    event, task = await bot.asked(ada.completes("/papers date", day=""))
    answer = await bot.answer(event, 8, data)
    assert answer.code == 50035
    assert any(each.startswith(place) for each in answer.faults), answer.faults
    assert (await bot.answer(event, 4, {"content": "x"})).code == 50035
    task.cancel()


async def test_nobody_waits_for_ever(bot: Bot, server: DiscordServer, ada: Person) -> None:
    ada.patience = 0.01
    with pytest.raises(UnansweredError, match="nothing was answered"):
        await ada.uses("/papers today")
    await bot.line.next("INTERACTION_CREATE")
    ada.patience = 10
    event, task = await bot.asked(ada.uses("/papers today"))
    await bot.answer(event, 5)
    with pytest.raises(UnansweredError, match="type was 5"):
        await Reply(server.service.by_id[int(event["id"])]).settle(0.01)
    task.cancel()


# What people are offered


@pytest.mark.parametrize(
    ("command", "options", "says"),
    [
        ("/nothing", {}, "not offered"),
        ("/papers", {}, "goes on"),
        ("/papers tomorrow", {}, "none of"),
        ("/papers date", {}, "required"),
        ("/papers today", {"loud": True}, "no options"),
        ("/papers subscribe", {"channel": "x"}, "nothing for"),
        ("/papers date", {"day": 1}, "nothing for"),
        ("/papers subscribe", {"channel": None, "language": "fr"}, "none of"),
        ("/papers subscribe", {"channel": None, "max_papers": 31}, "out of range"),
        ("/papers subscribe", {"channel": None, "max_papers": True}, "nothing for"),
        ("/papers subscribe", {"channel": None, "topic": "a"}, "too long or too short"),
        ("/admin", {}, "not offered"),
    ],
)
async def test_what_is_not_registered_cannot_be_used(
    bot: Bot, papers: Channel, ada: Person, *, command: str, options: Json, says: str
) -> None:
    filled = {name: papers if value is None else value for name, value in options.items()}
    with pytest.raises(NotOfferedError, match=says):
        await ada.uses(command, **filled)


async def test_where_commands_are_not_offered(
    bot: Bot, server: DiscordServer, guild: Guild, papers: Channel, ada: Person
) -> None:
    eve, group = server.person("eve"), server.group("friends", ada)
    with pytest.raises(NotOfferedError, match="no member"):
        await eve.uses("/papers today", in_=papers)
    with pytest.raises(NotOfferedError, match="not offered"):
        await ada.uses("/papers today", in_=group)
    with pytest.raises(NotOfferedError, match="not offered"):
        await eve.uses("/papers today", in_=eve.direct)
    assert (await bot.says(ada.uses("/papers today", in_=ada.direct))).content == "Hello"
    assert (await bot.says(ada.installs().uses("/papers today", in_=group))).content == "Hello"
    with pytest.raises(NotOfferedError, match="not offered"):
        await ada.uses("/admin", in_=group)
    assert (await bot.says(ada.can(guild, "manage_guild").uses("/admin", in_=papers))).content == "Hello"
    papers.deny(guild.everyone, "use_application_commands")
    with pytest.raises(NotOfferedError, match="not offered"):
        await ada.uses("/papers today", in_=papers)
    with pytest.raises(NotOfferedError, match="type 2"):
        await ada.uses("/papers subscribe", in_=guild.text("t"), channel=guild.voice("v"))
    hidden = guild.text("hidden")
    hidden.deny(guild.everyone, "view_channel")
    with pytest.raises(NotOfferedError, match="does not see"):
        await ada.uses("/papers subscribe", channel=hidden)
    with pytest.raises(NotOfferedError, match="does not see"):
        await ada.uses("/papers today", in_=hidden)


async def test_what_cannot_be_tapped(bot: Bot, server: DiscordServer, guild: Guild, ada: Person) -> None:
    off = BUTTON | {"label": "Off", "custom_id": "off", "disabled": True}
    rows = [*ROWS, {"type": 1, "components": [off]}]
    reply = await bot.says(ada.uses("/papers today"), components=rows, flags=EPHEMERAL)
    for wanted in ("Nothing", "Open", "Off"):
        with pytest.raises(NotOfferedError):
            await ada.taps(reply, wanted)
    for named, *values in [("Style", "Medium"), ("Other", "Long"), ("Style", "Long", "Short")]:
        with pytest.raises(NotOfferedError):
            await ada.selects(reply, named, *values)
    with pytest.raises(NotOfferedError, match="only another"):
        await server.person("bob").can(guild).taps(reply, "Next")
    reply.message.deleted = True
    with pytest.raises(NotOfferedError, match="gone"):
        await ada.taps(reply, "Next")
    with pytest.raises(UnansweredError):
        assert reply.modal


def test_a_locale_that_is_none_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="no locale"):
        DiscordServer().person("ada", locale="kr")


# Commands as they are registered


def option(**more: Any) -> Json:
    return {"type": 3, "name": "o", "description": "d"} | more


def command(*options: Json, **more: Any) -> Json:
    return {"name": "c", "description": "d", "options": list(options)} | more


MANY = [{"name": str(each), "value": "v" * 100} for each in range(25)]
LARGE = [option(name=f"o{each}", choices=MANY) for each in range(4)]
BAD_COMMANDS = [
    (command(name="Papers"), "name"),
    (command(name="two words"), "name"),
    (command(name="x" * 33), "name"),
    (command(name=""), "name"),
    (command(name_localizations={"kr": "논문"}), "name_localizations"),
    (command(name_localizations={"ko": "논 문"}), "name_localizations.ko"),
    (command(description=""), "description"),
    (command(description="x" * 101), "description"),
    (command(description_localizations={"ja": "x" * 101}), "description_localizations.ja"),
    (command(description_localizations={"jp": "x"}), "description_localizations"),
    (command(*(option(name=f"o{each}") for each in range(26))), "options"),
    (command(option(name="O")), "options.0.name"),
    (command(option(), option()), "options.1.name"),
    (command(option(), option(name="p", required=True)), "options.1"),
    (command(option(), {"type": 1, "name": "s", "description": "d"}), "options"),
    (command(option(choices=[*MANY, {"name": "x", "value": "v"}])), "options.0.choices"),
    (command(option(choices=[{"name": "x" * 101, "value": "v"}])), "options.0.choices.0.name"),
    (command(option(choices=[{"name": "x", "value": "v" * 101}])), "options.0.choices.0.value"),
    (command(option(choices=[MANY[0], MANY[0]])), "options.0.choices.1"),
    (command(option(choices=MANY, autocomplete=True)), "options.0"),
    (command(option(type=5, autocomplete=True)), "options.0"),
    (command(*LARGE), ""),
    (
        command(
            {
                "type": 2,
                "name": "g",
                "description": "d",
                "options": [{"type": 2, "name": "h", "description": "d", "options": []}],
            }
        ),
        "options.0.options.0",
    ),
    (
        command(
            {"type": 1, "name": "s", "description": "d", "options": [{"type": 1, "name": "t", "description": "d"}]}
        ),
        "options.0.options",
    ),
]


@pytest.mark.parametrize(("body", "place"), BAD_COMMANDS, ids=[f"{n}-{p}" for n, (_, p) in enumerate(BAD_COMMANDS)])
@pytest.mark.parametrize("described", [True, False])
async def test_a_command_that_is_refused(
    bot: Bot, server: DiscordServer, body: Json, place: str, described: bool
) -> None:
    server.service.validate = described
    before = server.registry.listed(None)
    path = f"/applications/{server.application_id}/commands"
    one, whole = await bot.raw("POST", path, body), await bot.raw("PUT", path, [PAPERS, body])
    assert (one.code, whole.code) == (50035, 50035)
    assert any(each.startswith(place) for each in one.faults), one.faults
    assert any(each.startswith(f"1.{place}".rstrip(".")) for each in whole.faults), whole.faults
    assert server.registry.listed(None) == before


async def test_too_many_commands(bot: Bot, server: DiscordServer) -> None:
    path = f"/applications/{server.application_id}/commands"
    many = [command(name=f"c{each}") for each in range(101)]
    assert (await bot.raw("PUT", path, many)).code == 50035
    assert (await bot.raw("PUT", path, [many[0], many[0]])).code == 50035
    assert (await bot.raw("PUT", path, many[:100])).status == 200
    assert (await bot.raw("POST", path, many[100])).code == 30032
    assert (await bot.raw("PUT", path, [command(name=f"d{each}") for each in range(100)])).code == 30034
    assert (await bot.raw("PUT", path, many[:100])).code == 30034
    server.clock.move(86_400)
    assert (await bot.raw("PUT", path, many[:100])).status == 200


async def test_commands_of_one_guild(bot: Bot, server: DiscordServer, guild: Guild, ada: Person) -> None:
    path = f"/applications/{server.application_id}/guilds/{guild.id}/commands"
    made = (await bot.raw("POST", path, command(name="local"))).body
    assert made["guild_id"] == str(guild.id)
    assert (await bot.raw("PATCH", f"{path}/{made['id']}", {"description": "new"})).body["description"] == "new"
    assert (await bot.raw("GET", f"{path}/{made['id']}")).body["name"] == "local"
    again = (await bot.raw("POST", path, command(name="local"))).body
    assert (again["id"], len((await bot.raw("GET", path)).body)) == (made["id"], 1)
    assert (await bot.raw("PATCH", f"{path}/{made['id']}", {"name": "No"})).code == 50035
    assert (await bot.says(ada.uses("/local"))).content == "Hello"
    with pytest.raises(NotOfferedError):
        await ada.uses("/local", in_=ada.direct)
    assert (await bot.raw("DELETE", f"{path}/{made['id']}")).status == 204
    assert (await bot.raw("PUT", path, [])).body == []
    assert CODES[(await bot.raw("GET", f"{path}/{made['id']}")).code][0] == 404


async def test_the_description_knows_the_fields_of_commands(bot: Bot, reference: Path, server: DiscordServer) -> None:
    path = f"/applications/{server.application_id}/commands"
    assert "colour" in (await bot.raw("POST", path, command(colour=1))).faults
    assert "0.contexts.0" in (await bot.raw("PUT", path, [command(contexts=[7])])).faults


@pytest.mark.parametrize("name", ["papers", "논문", "論文", "أوراق", "a-b_c'd", "पेपर", "เอกสาร", "x" * 32])
def test_names_that_commands_may_have(name: str) -> None:
    assert is_name(name)


@pytest.mark.parametrize("name", ["", "A", "a b", "a.b", "x" * 33, "논 문", "é́", "a/b", "İ", "😀"])
def test_names_that_commands_may_not_have(name: str) -> None:
    assert not is_name(name)
