"""The local Bot API server by raw HTTP: how it is asked, what it records, how it fails."""

import asyncio
import json
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import telegram
import telegram.error
from aiohttp import ClientSession

from tests.support.telegram_server import Chat, Fault, Message, TelegramServer
from tests.support.telegram_server.reference import from_environment
from tests.support.telegram_server.town import Json, Town, article, data, keyboard, open_town, tapped

ROOT = Path(__file__).resolve().parents[3]


recorded = pytest.mark.skipif(from_environment() is None, reason="PAPERS_REFERENCE is not set")


@pytest.fixture
async def http() -> AsyncIterator[ClientSession]:
    async with ClientSession(timeout=aiohttp.ClientTimeout(total=30)) as http:
        yield http


@pytest.fixture
async def town() -> AsyncIterator[Town]:
    async with open_town() as town:
        yield town


# How it is asked


async def test_arguments_are_taken_from_query_form_json_and_multipart(town: Town) -> None:
    base = f"{town.server.base_url}{town.server.token}"
    multipart = aiohttp.FormData({"chat_id": "42", "text": "multipart"})
    multipart.add_field("unused", b"x", filename="x")
    town.server.reference = None
    async with town.http.get(f"{base}/sendmessage", params={"chat_id": "42", "text": "query"}) as answer:
        assert answer.status == 200
    async with town.http.post(f"{base}/SENDMESSAGE", data={"chat_id": "42", "text": "form"}) as answer:
        assert answer.status == 200
    async with town.http.post(f"{base}/sendMessage", json={"chat_id": 42, "text": "json"}) as answer:
        assert answer.status == 200
    async with town.http.post(f"{base}/sendMessage", data=multipart) as answer:
        assert answer.status == 200
    async with town.http.post(f"{base}/sendMessage?chat_id=42", data={"text": "both"}) as answer:
        assert answer.status == 200
    assert [message.text for message in town.ada.messages] == ["query", "form", "json", "multipart", "both"]


@pytest.mark.parametrize(
    ("path", "status", "description"),
    [
        ("/bot{token}/getNothing", 404, "Not Found"),
        ("/bot{token}/", 404, "Not Found"),
        ("/bot1:short/getMe", 404, "Not Found"),
        ("/botnonsense/getMe", 404, "Not Found"),
        ("/bot123456789:AAanother-token-of-somebody-else-00/getMe", 401, "Unauthorized"),
        ("/elsewhere", 404, "Not Found"),
        ("/file/bot{token}/files/none", 404, "Not Found"),
        ("/file/bot1:other/files/none", 401, "Unauthorized"),
    ],
)
async def test_a_wrong_address_is_refused(town: Town, path: str, status: int, description: str) -> None:
    async with town.http.get(town.server.origin + path.format(token=town.server.token)) as answer:
        assert answer.status == status
        assert await answer.json() == {"ok": False, "error_code": status, "description": description}


async def test_only_get_and_post_are_known(town: Town) -> None:
    async with town.http.put(f"{town.server.base_url}{town.server.token}/getMe") as answer:
        assert answer.status == 404


@pytest.mark.parametrize("body", [b"{", b"[]", b'"x"'])
async def test_a_body_that_is_no_object_is_refused(town: Town, body: bytes) -> None:
    headers = {"Content-Type": "application/json"}
    url = f"{town.server.base_url}{town.server.token}/getMe"
    async with town.http.post(url, data=body, headers=headers) as answer:
        assert answer.status == 400


# What goes wrong on demand


@pytest.mark.parametrize(
    ("fault", "refusal"),
    [
        (Fault.blocked(), "403 Forbidden: bot was blocked by the user"),
        (Fault.deactivated(), "403 Forbidden: user is deactivated"),
        (Fault.kicked("supergroup"), "403 Forbidden: bot was kicked from the supergroup chat"),
        (Fault.no_member("channel"), "403 Forbidden: bot is not a member of the channel chat"),
        (Fault.group_deleted(), "403 Forbidden: the group chat was deleted"),
        (Fault.migrated(-1001), "400 Bad Request: group chat was upgraded to a supergroup chat"),
        (Fault.chat_not_found(), "400 Bad Request: chat not found"),
        (Fault.flood(43_200), "429 Too Many Requests: retry after 43200"),
        (Fault.unauthorized(), "401 Unauthorized"),
        (
            Fault.conflict(),
            "409 Conflict: terminated by other getUpdates request; make sure that only one bot instance is running",
        ),
        (Fault.server_error(), "500 Internal Server Error"),
        (Fault.refuse(403, "Forbidden: no"), "403 Forbidden: no"),
    ],
)
async def test_a_fault_refuses_once_or_until_healed(town: Town, fault: Fault, refusal: str) -> None:
    town.server.fail(fault, times=1)
    assert await town.refused("sendMessage", chat_id=42, text="x") == refusal
    await town.done("sendMessage", chat_id=42, text="x")
    town.server.fail(fault)
    for _ in range(2):
        assert await town.refused("sendMessage", chat_id=42, text="x") == refusal
    town.server.heal()
    await town.done("sendMessage", chat_id=42, text="x")
    assert len(town.ada.messages) == 2


async def test_a_fault_may_be_for_a_chat_or_a_method(town: Town) -> None:
    await town.bo.writes("/start")
    town.server.fail(Fault.blocked(), chat=town.bo)
    town.server.fail(Fault.flood(5), method="answerCallbackQuery", times=2)
    await town.done("sendMessage", chat_id=42, text="x")
    assert (await town.refused("sendMessage", chat_id=43, text="x")).startswith("403")
    query = await tapped(town)
    for _ in range(2):
        assert (await town.refused("answerCallbackQuery", callback_query_id=query)).startswith("429")
    await town.done("answerCallbackQuery", callback_query_id=query)
    town.server.fail(Fault.unauthorized())  # listening goes on unless it is named
    await town.done("getUpdates")
    town.server.heal()
    town.server.fail(Fault.unauthorized(), method="*", times=1)
    assert await town.refused("getUpdates") == "401 Unauthorized"
    with pytest.raises(ValueError, match="at least once"):
        town.server.fail(Fault.blocked(), times=0)
    with pytest.raises(ValueError, match="before it is read"):
        town.server.fail(Fault.drop_early(), chat=town.ada)


async def test_an_answer_may_be_no_json(town: Town) -> None:
    url = f"{town.server.base_url}{town.server.token}/sendMessage"
    for fault, status, kind in ((Fault.bad_gateway(), 502, "text/html"), (Fault.garbage(), 200, "application/json")):
        town.server.fail(fault, times=1)
        async with town.http.post(url, data={"chat_id": "42", "text": "x"}) as answer:
            assert (answer.status, answer.content_type) == (status, kind)
            with pytest.raises(json.JSONDecodeError):
                json.loads(await answer.read())
    assert town.ada.messages == []


async def test_a_connection_may_end_before_or_after_the_message_is_there(town: Town) -> None:
    town.server.fail(Fault.drop_early(), times=1)
    with pytest.raises(aiohttp.ClientError):
        await town.call("sendMessage", chat_id=42, text="early")
    town.server.fail(Fault.drop_late(), times=1)
    with pytest.raises(aiohttp.ClientError):
        await town.call("sendMessage", chat_id=42, text="late")
    assert [message.text for message in town.ada.messages] == ["late"]
    assert [call.status for call in town.server.calls] == [0]


async def test_an_answer_may_never_come(town: Town) -> None:
    town.server.fail(Fault.silent(), times=1)
    waiting = asyncio.create_task(town.call("sendMessage", chat_id=42, text="x"))
    assert (await town.ada.hears("message")).text == "x"
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting


async def test_a_server_that_stops_lets_nobody_wait(http: ClientSession) -> None:
    async with TelegramServer() as server:
        town = Town(server, http)
        await town.settle()
        server.fail(Fault.silent(), times=1)
        silent = asyncio.create_task(town.call("sendMessage", chat_id=42, text="x"))
        await town.ada.hears("message")
        poll = asyncio.create_task(town.done("getUpdates", timeout=50))
        await server.polled()
    assert await poll == []
    with pytest.raises(aiohttp.ClientError):
        await silent


# The record, and Telegram's documentation


async def test_calls_are_written_down_as_they_were(town: Town) -> None:
    await town.done("sendMessage", chat_id=42, text="5", reply_markup=keyboard(data()), disable_notification=True)
    await town.refused("sendMessage", chat_id=44, text="x")
    sent, refused = town.server.calls
    assert sent.arguments["reply_markup"] == keyboard(data())
    assert (sent.arguments["chat_id"], sent.status, sent.result["text"]) == (42, 200, "5")
    assert (refused.status, refused.description) == (403, "Forbidden: bot was blocked by the user")
    assert sent.when <= sent.ended <= refused.when
    assert town.server.calls_of("sendMessage") == [sent, refused]
    assert town.server.refusals == {403: 1}
    assert town.ada.messages[0].silent


async def test_without_a_record_there_are_only_numbers(http: ClientSession) -> None:
    async with TelegramServer(record=False, everybody=True) as server:
        town = Town(server, http)
        for n in range(50):
            sent = await town.done("sendMessage", chat_id=1000 + n, text="x")
        await town.done("editMessageText", chat_id=1000, message_id=sent["message_id"], text="y")
        assert (server.calls, server.counts["sendMessage"], server.counters()["peak"]) == ([], 50, 51)
        assert len(server.world.chats) == 6  # those of the town; readers who are nobody in particular take no place


@recorded
@pytest.mark.parametrize(
    ("method", "arguments", "problem"),
    [
        ("sendMessage", {"chat_id": 42, "text": "x", "colour": "red"}, "sendMessage has no parameter colour"),
        ("sendMessage", {"text": "x"}, "sendMessage lacks chat_id"),
        ("sendMessage", {"chat_id": 42}, "sendMessage lacks text"),
        (
            "sendMessage",
            {"chat_id": 42, "text": "x", "message_thread_id": "one"},
            "sendMessage.message_thread_id is no Integer: 'one'",
        ),
        (
            "sendMessage",
            {"chat_id": 42, "text": "x", "disable_notification": "perhaps"},
            "sendMessage.disable_notification is no Boolean: 'perhaps'",
        ),
        (
            "sendMessage",
            {"chat_id": 42, "text": "x", "link_preview_options": {"is_disabled": "yes"}},
            "LinkPreviewOptions.is_disabled is no Boolean: 'yes'",
        ),
        (
            "sendMessage",
            {"chat_id": 42, "text": "x", "link_preview_options": {"disabled": True}},
            "sendMessage.link_preview_options: LinkPreviewOptions has no field disabled",
        ),
        (
            "sendMessage",
            {"chat_id": 42, "text": "x", "reply_markup": keyboard(data() | {"emoji": "x"})},
            "InlineKeyboardMarkup.inline_keyboard[0][0]: InlineKeyboardButton has no field emoji",
        ),
        (
            "sendMessage",
            {"chat_id": 42, "text": "x", "reply_markup": keyboard(data() | {"style": "loud"})},
            "InlineKeyboardButton.style must be one of ['danger', 'success', 'primary'], not 'loud'",
        ),
        ("sendMessage", {"chat_id": 42, "text": "x", "reply_markup": "{"}, "sendMessage.reply_markup is no"),
        ("sendPhoto", {"chat_id": 42}, "sendPhoto lacks photo"),
        ("setMyCommands", {"commands": [{"command": "x"}]}, "setMyCommands.commands[0]: BotCommand lacks description"),
        (
            "setMyCommands",
            {"commands": [], "scope": {"type": "everyone"}},
            "BotCommandScopeDefault.type must be default, not 'everyone'",
        ),
        (
            "answerInlineQuery",
            {"inline_query_id": "1", "results": [{"type": "article", "id": "1", "title": "T"}]},
            "answerInlineQuery.results[0]: InlineQueryResultArticle lacks input_message_content",
        ),
        ("setWebhook", {"url": "https://a.org", "secret_token": "x" * 257}, "setWebhook.secret_token must have 1-256"),
        ("setWebhook", {"url": "https://a.org", "max_connections": 101}, "setWebhook.max_connections must be 1 to 100"),
    ],
)
async def test_what_the_documentation_does_not_know_is_refused_and_kept(
    town: Town, method: str, arguments: Json, problem: str
) -> None:
    refusal = await town.refused(method, **arguments)
    assert refusal.startswith(f"400 REFERENCE: {problem}")
    assert len(town.server.violations) == 1


@recorded
async def test_a_file_where_none_is_taken_is_a_violation(town: Town) -> None:
    for name in ("text", "attachment"):
        form = aiohttp.FormData({"chat_id": "42"})
        form.add_field(name, b"x", filename="x")
        async with town.http.post(f"{town.server.base_url}{town.server.token}/sendMessage", data=form) as answer:
            assert (await answer.json())["description"].startswith("REFERENCE: sendMessage")
    assert "sendMessage.text is no file" in town.server.violations
    assert "sendMessage has no parameter attachment" in town.server.violations


@recorded
async def test_what_the_server_says_is_as_documented(town: Town) -> None:
    reference = from_environment()
    assert reference
    ada, updates = town.ada, town.server.world.updates
    results: list[tuple[str, Any]] = []
    await town.super.adds(ada, "creator")
    await town.super.promotes_bot(by=ada)
    await town.super.adds(town.bo, "restricted", can_send_messages=False)
    for chat in (42, -10, -1001, -1003):
        results.append(("ChatFullInfo", await town.done("getChat", chat_id=chat)))
        said = {"text": "<b>x</b>", "parse_mode": "HTML", "reply_markup": keyboard(data())}
        results.append(("Message", await town.done("sendMessage", chat_id=chat, **said)))
    members = [await town.done("getChatMember", chat_id=-1001, user_id=user) for user in (42, 43, 44, 123456789)]
    results += [("ChatMember", member) for member in members]
    results.append(("Message", await town.done("sendPhoto", chat_id=42, photo="https://a.org/p.png", caption="c")))
    results.append(("Message", await town.done("sendRichMessage", chat_id=42, rich_message={"html": "<p>x</p>"})))
    results.append(("WebhookInfo", await town.done("getWebhookInfo")))
    results.append(("User", await town.done("getMe")))
    await ada.taps(ada.messages[0], "Go")
    await ada.replies(ada.messages[0], "https://arxiv.org/abs/1 @papers_bot #x a@b.org")
    query = (await ada.asks_inline("x"))["inline_query"]["id"]
    inline = [article(reply_markup=keyboard(data()))]
    await town.done("answerInlineQuery", inline_query_id=query, results=inline)
    await ada.taps(await ada.chooses_inline("1"), "Go")
    await ada.writes("/x", to=town.forum, topic=town.topics["open"])
    await ada.sends_location(1, 2)
    await ada.sends_file("x", b"x")
    await ada.writes("post", to=town.channel)
    await ada.blocks_bot()
    await town.group.migrates()
    for place in (town.super, town.forum, town.channel):
        await place.restricts_bot(by=ada)
        await place.demotes_bot(by=ada)
        await place.removes_bot(by=ada)
    results += [("Update", update) for update in updates.pending]
    assert [problem for kind, result in results for problem in reference.problems_of(kind, result)] == []
    assert town.server.violations == []


# As a process


async def test_the_server_runs_as_a_process_and_is_told_by_http(http: ClientSession) -> None:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.support.telegram_server", "--rates"),
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout
    try:
        origin = f"http://127.0.0.1:{int(await process.stdout.readline())}"

        async def asked(path: str, body: Any = None, *, status: int = 200) -> Any:
            method = "GET" if body is None else "POST"
            async with http.request(method, f"{origin}{path}", json=body) as answer:
                assert answer.status == status
                return await answer.json()

        bot = f"/bot{TelegramServer().token}"
        await asked("/_/acts", [{"who": 7, "does": "writes", "text": "/start", "language": "ko"}])
        (update,) = (await asked(f"{bot}/getUpdates", {}))["result"]
        assert update["message"]["from"]["language_code"] == "ko"
        await asked(f"{bot}/sendMessage", {"chat_id": 7, "text": "x", "reply_markup": keyboard(data())})
        assert (await asked("/_/acts", {"who": 7, "does": "taps", "button": "Go"}))["callback_query"]["data"] == "go"
        await asked("/_/faults", {"fault": "flood", "given": [9], "times": 1})
        await asked(f"{bot}/sendMessage", {"chat_id": 7, "text": "x"}, status=429)
        await asked("/_/settings", {"rates": {"per_second": 0}, "delay": 0})
        await asked(f"{bot}/sendMessage", {"chat_id": 7, "text": "x"}, status=429)
        counters = await asked("/_/counters")
        assert (counters["refusals"], counters["calls"]["sendMessage"]) == ({"429": 2}, 3)
        assert [each["text"] for each in await asked("/_/chats/7")] == ["x"]
        assert [call["status"] for call in await asked("/_/calls?method=sendMessage")] == [200, 429, 429]
        assert await asked("/_/violations") == []
        async with http.delete(f"{origin}/_/faults") as answer:
            assert answer.status == 200
        for path, body in (
            ("/_/acts", {"who": 7, "does": "dances"}),
            ("/_/acts", {"who": 7, "does": "taps", "button": "Stop"}),
            ("/_/faults", {"fault": "fire"}),
            ("/_/chats/999", None),
        ):
            assert "error" in await asked(path, body, status=400)
        process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(10):
            assert await process.wait() == 0
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


def test_a_message_and_a_chat_are_short_to_look_at() -> None:
    chat = Chat(42, "private")
    assert repr(chat) == "<private chat 42>"
    assert "chat=" not in repr(Message(chat, 1, 0, None))


# With the real client


@pytest.fixture
async def bot(town: Town) -> AsyncIterator[telegram.Bot]:
    server = town.server
    async with telegram.Bot(server.token, base_url=server.base_url, base_file_url=server.base_file_url) as bot:
        yield bot
