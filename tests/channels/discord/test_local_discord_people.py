"""People at the local Discord: what they see, and when an answer comes too late."""

import pytest

from tests.support.discord_server import Channel, DiscordServer, NotOfferedError, Person, Reply, UnansweredError
from tests.support.discord_server.guilds import Guild
from tests.support.discord_server.messages import EPHEMERAL, Json
from tests.support.discord_server.people import fields
from tests.support.local_discord_bot import BUTTON, ROWS, Bot


@pytest.fixture
def guild(server: DiscordServer) -> Guild:
    return server.guild("Readers", locale="ja")


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
