"""What people do at the local Bot API server, how the bot is told, and how it answers."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import web

from tests.support.telegram_server.town import Json, Town, article, data, keyboard, open_town, tapped
from tests.support.telegram_server.world import QUERY_LIFE


@pytest.fixture
async def town() -> AsyncIterator[Town]:
    async with open_town() as town:
        yield town


# What people tap and ask


TOO_OLD = "400 Bad Request: query is too old and response timeout expired or query ID is invalid"


async def test_a_tap_is_answered_once_and_in_time(town: Town) -> None:
    query = await tapped(town)
    assert await town.refused("answerCallbackQuery", callback_query_id=query, text="x" * 201) == (
        "400 Bad Request: MESSAGE_TOO_LONG"
    )
    assert await town.refused("answerCallbackQuery", callback_query_id=query, url="https://a.org") == (
        "400 Bad Request: URL_INVALID"
    )
    await town.done("answerCallbackQuery", callback_query_id=query, text="x" * 200, show_alert=True)
    heard = await town.ada.hears("answer")
    assert (heard.text, heard.alert) == ("x" * 200, True)
    assert await town.refused("answerCallbackQuery", callback_query_id=query) == TOO_OLD
    assert await town.refused("answerCallbackQuery", callback_query_id="7") == TOO_OLD
    query = await tapped(town)
    town.server.expire_queries()
    assert await town.refused("answerCallbackQuery", callback_query_id=query) == TOO_OLD


async def test_a_query_is_too_old_after_a_while() -> None:
    now = 0.0
    async with open_town(clock=lambda: now) as town:
        query = await tapped(town)
        now = QUERY_LIFE + 1
        assert await town.refused("answerCallbackQuery", callback_query_id=query) == TOO_OLD


@pytest.mark.parametrize(
    ("arguments", "refusal"),
    [
        ({"results": [article(n) for n in range(51)]}, "RESULTS_TOO_MUCH"),
        ({"results": [article(), article()]}, "RESULT_ID_DUPLICATE"),
        ({"results": [article("")]}, "RESULT_ID_INVALID"),
        ({"results": [article(text="<br>")]}, 'can\'t parse entities: Unsupported start tag "br" at byte offset 0'),
        ({"results": [article(text="x" * 4097)]}, "message is too long"),
        ({"results": [article(text="")]}, "message text is empty"),
        ({"results": [article(reply_markup=keyboard(data("x" * 65)))]}, "BUTTON_DATA_INVALID"),
        ({"results": [], "next_offset": "x" * 65}, "NEXT_OFFSET_INVALID"),
    ],
)
async def test_inline_results_that_cannot_be_are_refused(town: Town, arguments: Json, refusal: str) -> None:
    asked = await town.ada.asks_inline("diffusion")
    query = asked["inline_query"]["id"]
    assert await town.refused("answerInlineQuery", inline_query_id=query, **arguments) == f"400 Bad Request: {refusal}"


@pytest.mark.parametrize(
    ("results", "refusal"),
    [
        ("{}", "expected an Array of inline query results"),
        ("[1]", "can't parse inline query result: expected an Object"),
        ([{"type": "article", "id": "1"}], "can't parse inline query result: Can't find field \"title\""),
        (
            [{"type": "article", "id": "1", "title": "T"}],
            "can't parse inline query result: Can't find field \"input_message_content\"",
        ),
    ],
)
async def test_inline_results_of_another_shape_are_refused(town: Town, results: Any, refusal: str) -> None:
    town.server.reference = None
    query = (await town.ada.asks_inline("x"))["inline_query"]["id"]
    assert await town.refused("answerInlineQuery", inline_query_id=query, results=results) == (
        f"400 Bad Request: {refusal}"
    )


async def test_inline_results_may_be_rich_or_have_captions(town: Town) -> None:
    rich = {"type": "article", "id": "1", "title": "T", "input_message_content": {"rich_message": {"html": "<p>a</p>"}}}
    photo = {"type": "photo", "id": "2", "photo_url": "https://a.org/p", "thumbnail_url": "https://a.org/t"}
    query = (await town.ada.asks_inline("x"))["inline_query"]["id"]
    long = photo | {"caption": "x" * 1025}
    refusal = await town.refused("answerInlineQuery", inline_query_id=query, results=[long])
    assert refusal == "400 Bad Request: message caption is too long"
    captioned = photo | {"caption": "<b>b</b>", "parse_mode": "HTML"}
    await town.done("answerInlineQuery", inline_query_id=query, results=[rich, captioned])
    assert [(await town.ada.chooses_inline(number)).text for number in ("1", "2")] == ["a", "b"]


async def test_an_inline_result_is_chosen_tapped_and_edited(town: Town) -> None:
    query = (await town.ada.asks_inline("diffusion"))["inline_query"]["id"]
    results = [article(1, "<b>one</b>", reply_markup=keyboard(data())), article(2, "two")]
    await town.done("answerInlineQuery", inline_query_id=query, results=results, cache_time=0)
    assert await town.refused("answerInlineQuery", inline_query_id=query, results=results) == TOO_OLD
    heard = await town.ada.hears("inline")
    assert ([each["id"] for each in heard.results], heard.options) == (["1", "2"], {"cache_time": 0})
    with pytest.raises(LookupError, match="no inline result"):
        await town.ada.chooses_inline("3")
    message = await town.ada.chooses_inline("1", to=town.group)
    assert (message.text, message.entities[0]["type"]) == ("one", "bold")
    tap = await town.ada.taps(message, "go")
    assert tap["callback_query"]["inline_message_id"] == message.inline_message_id
    assert "message" not in tap["callback_query"]
    assert message.inline_message_id
    await town.done("editMessageText", inline_message_id=message.inline_message_id, text="edited")
    assert [each.text for each in town.group.chat.everything] == ["edited"]
    kinds = [list(update)[1] for update in town.server.world.updates.pending]
    assert kinds == ["inline_query", "chosen_inline_result", "callback_query"]


# Being told


async def test_updates_are_given_until_they_are_confirmed(town: Town) -> None:
    ids = [(await town.ada.writes(text))["update_id"] for text in ("a", "b", "c")]

    async def numbers(**arguments: Any) -> list[int]:
        return [update["update_id"] for update in await town.done("getUpdates", **arguments)]

    assert await numbers() == ids
    assert await numbers(limit=2) == ids[:2]
    assert await numbers(offset=ids[1]) == ids[1:]
    assert await numbers() == ids[1:]
    assert await numbers(offset=-1) == ids[2:]
    assert await numbers(offset=ids[2] + 1) == []
    for n in range(150):
        await town.ada.writes(str(n))
    assert len(await numbers()) == 100


async def test_a_long_poll_is_held_until_something_happens(town: Town) -> None:
    poll = asyncio.create_task(town.done("getUpdates", timeout=50))
    await town.server.polled()
    written = await town.ada.writes("hello")
    assert await poll == [written]


async def test_a_second_poll_ends_the_first(town: Town) -> None:
    first = asyncio.create_task(town.refused("getUpdates", timeout=50))
    await town.server.polled()
    second = asyncio.create_task(town.done("getUpdates", timeout=50))
    words = "terminated by other getUpdates request; make sure that only one bot instance is running"
    assert await first == f"409 Conflict: {words}"
    await town.server.polled()
    await town.ada.writes("hello")
    assert len(await second) == 1


async def test_only_what_was_asked_for_is_told(town: Town) -> None:
    await town.super.promotes_bot(by=town.ada)
    town.server.world.updates.pending.clear()
    await town.super.adds(town.bo)  # chat_member: not told unless asked for
    await town.done("getUpdates", allowed_updates=["chat_member"])
    await town.super.adds(town.bo, "left")
    await town.ada.writes("hello")
    updates = await town.done("getUpdates")
    assert [list(update)[1] for update in updates] == ["chat_member"]
    await town.done("getUpdates", allowed_updates=[], offset=updates[0]["update_id"] + 1)
    await town.ada.writes("hello")
    assert [list(update)[1] for update in await town.done("getUpdates")] == ["message"]
    town.server.reference = None
    assert await town.refused("getUpdates", allowed_updates="{}") == (
        "400 Bad Request: allowed_updates must be an Array of String"
    )


@pytest.mark.parametrize(
    ("arguments", "refusal"),
    [
        ({"url": "http://papers.example.org/hook"}, "bad webhook: An HTTPS URL must be provided for webhook"),
        (
            {"url": "https://papers.example.org:8080/hook"},
            "bad webhook: Webhook can be set up only on ports 80, 88, 443 or 8443",
        ),
        ({"url": "https://papers.example.org", "secret_token": "a b"}, "secret token contains unallowed characters"),
    ],
)
async def test_a_webhook_that_cannot_be_is_refused(town: Town, arguments: Json, refusal: str) -> None:
    assert await town.refused("setWebhook", **arguments) == f"400 Bad Request: {refusal}"


async def test_updates_are_posted_to_a_webhook_until_it_takes_them(town: Town) -> None:
    posted: list[tuple[str | None, str]] = []
    taken = asyncio.Event()

    async def hook(request: web.Request) -> web.Response:
        update = await request.json()
        posted.append((request.headers.get("X-Telegram-Bot-Api-Secret-Token"), update["message"]["text"]))
        if len(posted) == 3:
            taken.set()
        return web.Response(status=500 if len(posted) == 1 else 200)

    app = web.Application()
    app.router.add_post("/hook", hook)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    town.server.route_webhook(f"http://127.0.0.1:{runner.addresses[0][1]}")
    try:
        poll = asyncio.create_task(town.refused("getUpdates", timeout=50))
        await town.server.polled()
        hook_to = {"url": "https://papers.example.org/hook", "secret_token": "secret_-1"}
        await town.done("setWebhook", **hook_to, drop_pending_updates=True)
        assert await poll == "409 Conflict: terminated by setWebhook request"
        await town.ada.writes("a")
        await town.ada.writes("b")
        async with asyncio.timeout(10):
            await taken.wait()
        assert posted == [("secret_-1", "a"), ("secret_-1", "a"), ("secret_-1", "b")]
        active = "can't use getUpdates method while webhook is active; use deleteWebhook to delete the webhook first"
        assert await town.refused("getUpdates") == f"409 Conflict: {active}"
        info = await town.done("getWebhookInfo")
        assert info["last_error_message"] == "Wrong response from the webhook: 500 Internal Server Error"
        await town.done("deleteWebhook")
        assert (await town.done("getWebhookInfo"))["url"] == ""
        await town.ada.writes("c")
        assert len(await town.done("getUpdates")) == 1
        await town.done("setWebhook", url="", drop_pending_updates=True)
        assert await town.done("getUpdates") == []
    finally:
        await runner.cleanup()


# People


async def test_in_a_group_with_privacy_the_bot_hears_what_is_meant_for_it(town: Town) -> None:
    ada, group = town.ada, town.super
    await town.done("sendMessage", chat_id=-1001, text="x")
    assert await ada.writes("good morning", to=group) == {}
    assert await ada.writes("/today@other_bot", to=group) == {}
    assert (await ada.writes("/today@papers_bot", to=group))["message"]["entities"][0]["length"] == 17
    assert await ada.writes("/today now", to=group)
    assert (await ada.replies(group.messages[-1], "more"))["message"]["reply_to_message"]["text"] == "x"
    await group.promotes_bot(by=ada)
    assert await ada.writes("good morning", to=group)


async def test_what_people_do_is_told_with_who_and_where(town: Town) -> None:
    ada = town.ada
    topic = town.topics["open"]
    written = (await ada.writes("/today", to=town.forum, topic=topic))["message"]
    assert written["from"] == {"id": 42, "is_bot": False, "first_name": "Ada", "language_code": "ko"}
    assert (written["message_thread_id"], written["is_topic_message"]) == (topic.thread_id, True)
    assert written["entities"] == [{"type": "bot_command", "offset": 0, "length": 6}]
    location = (await ada.sends_location(37.5, 127.0))["message"]["location"]
    assert location == {"latitude": 37.5, "longitude": 127.0}
    document = (await ada.sends_file("readers.csv", b"a,b"))["message"]["document"]
    assert (await town.done("getFile", file_id=document["file_id"]))["file_size"] == 3
    blocked = (await ada.blocks_bot())["my_chat_member"]
    assert (blocked["old_chat_member"]["status"], blocked["new_chat_member"]["status"]) == ("member", "kicked")
    with pytest.raises(ValueError, match="has blocked"):
        await ada.writes("hello")
    assert (await town.refused("sendMessage", chat_id=42, text="x")).startswith("403")
    await ada.unblocks_bot()
    await town.done("sendMessage", chat_id=42, text="x")
    posted = await ada.writes("A post", to=town.channel)
    assert posted["channel_post"]["sender_chat"]["id"] == -1003
    with pytest.raises(ValueError, match="say which"):
        await ada.writes("x", topic=topic)
    with pytest.raises(ValueError, match="does not migrate"):
        await town.super.migrates()
    with pytest.raises(ValueError, match="topics are in forums"):
        await town.super.opens_topic("x")
    with pytest.raises(ValueError, match="there is a chat 42"):
        town.server.person(42)
    removed = (await town.group.removes_bot(by=ada))["my_chat_member"]
    assert (removed["from"]["id"], removed["new_chat_member"]["status"]) == (42, "kicked")
    assert await ada.writes("/today", to=town.group) == {}


async def test_a_button_is_tapped_by_its_data_or_its_label(town: Town) -> None:
    link = {"text": "Read", "url": "https://arxiv.org/"}
    await town.done("sendMessage", chat_id=42, text="x", reply_markup=keyboard(data("a"), link))
    message = town.ada.messages[0]
    assert (await town.ada.taps(message, "a"))["callback_query"]["data"] == "a"
    assert (await town.ada.taps(message, "Go"))["callback_query"]["data"] == "a"
    assert await town.ada.taps(message, "Read") == {}
    with pytest.raises(LookupError, match="no button 'b'"):
        await town.ada.taps(message, "b")
    await town.done("deleteMessage", chat_id=42, message_id=message.message_id)
    with pytest.raises(LookupError, match="not there any more"):
        await town.ada.taps(message, "a")


async def test_whoever_waits_for_nothing_is_told_what_did_not_come(town: Town) -> None:
    with pytest.raises(TimeoutError, match="chat 42 heard no edit"):
        await town.ada.hears("edit", limit=0.01)
    with pytest.raises(TimeoutError, match="1 calls did not come"):
        await town.server.answered(1, limit=0.01)
    with pytest.raises(TimeoutError, match="does not wait"):
        await town.server.polled(limit=0.01)


KEY = {"keyboard": [[{"text": "Send my location", "request_location": True}]], "one_time_keyboard": True}


async def test_a_key_that_sends_a_location_is_for_private_chats_and_goes_away_again(town: Town) -> None:
    words = "400 Bad Request: location can be requested in private chats only"
    assert await town.refused("sendMessage", chat_id=-1001, text="Where?", reply_markup=KEY) == words
    with pytest.raises(LookupError):
        await town.ada.presses_location_key(37.5, 127.0)
    await town.done("sendMessage", chat_id=42, text="Where?", reply_markup=KEY)
    told = await town.ada.presses_location_key(37.5, 127.0)
    assert told["message"]["location"] == {"latitude": 37.5, "longitude": 127.0}
    await town.done("sendMessage", chat_id=42, text="Thanks", reply_markup={"remove_keyboard": True})
    with pytest.raises(LookupError):
        await town.ada.presses_location_key(37.5, 127.0)
