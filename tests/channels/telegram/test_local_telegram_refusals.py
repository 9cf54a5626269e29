"""What the local Bot API server refuses, each by raw HTTP, so that it and a client cannot agree on an error."""

import io
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest

from tests.support.telegram_server.arguments import MEGABYTE, Upload
from tests.support.telegram_server.town import Json, Town, data, keyboard, open_town, png


@pytest.fixture
async def town() -> AsyncIterator[Town]:
    async with open_town() as town:
        yield town


# What may be said, and where


@pytest.mark.parametrize(
    ("chat", "refusal"),
    [
        (999, "400 Bad Request: chat not found"),
        ("@nobody_here", "400 Bad Request: chat not found"),
        ("nonsense", "400 Bad Request: chat not found"),
        ("", "400 Bad Request: chat_id is empty"),
        (43, "403 Forbidden: bot can't initiate conversation with a user"),
        (44, "403 Forbidden: bot was blocked by the user"),
        (45, "403 Forbidden: user is deactivated"),
        (-21, "403 Forbidden: bot was kicked from the group chat"),
        (-22, "403 Forbidden: bot is not a member of the group chat"),
        (-23, "403 Forbidden: the group chat was deleted"),
        (-24, "400 Bad Request: group chat was upgraded to a supergroup chat"),
        (-2021, "403 Forbidden: bot was kicked from the supergroup chat"),
        (-2022, "403 Forbidden: bot is not a member of the supergroup chat"),
        (-2031, "403 Forbidden: bot was kicked from the channel chat"),
        (-2032, "403 Forbidden: bot is not a member of the channel chat"),
        (-2040, "400 Bad Request: need administrator rights in the channel chat"),
        (-2050, "400 Bad Request: not enough rights to send text messages to the chat"),
        (-2051, "400 Bad Request: not enough rights to send text messages to the chat"),
        (-2052, "400 Bad Request: CHAT_WRITE_FORBIDDEN"),
    ],
)
async def test_where_the_bot_may_not_speak_it_is_told_why(town: Town, chat: int | str, refusal: str) -> None:
    assert await town.refused("sendMessage", chat_id=chat, text="x") == refusal


@pytest.mark.parametrize(
    ("thread", "refusal"),
    [
        (1, "400 Bad Request: message thread not found"),
        (99, "400 Bad Request: message thread not found"),
        ("closed", "400 Bad Request: TOPIC_CLOSED"),
        ("deleted", "400 Bad Request: TOPIC_DELETED"),
    ],
)
async def test_a_topic_that_takes_nothing_refuses(town: Town, thread: int | str, refusal: str) -> None:
    number = town.topics[thread].thread_id if isinstance(thread, str) else thread
    assert await town.refused("sendMessage", chat_id=-1002, message_thread_id=number, text="x") == refusal


async def test_only_forums_have_topics_and_general_has_no_number(town: Town) -> None:
    number = town.topics["open"].thread_id
    for chat in (42, -10, -1001):
        answer = await town.refused("sendMessage", chat_id=chat, message_thread_id=number, text="x")
        assert answer == "400 Bad Request: message thread not found"
    sent = await town.done("sendMessage", chat_id=-1002, message_thread_id=number, text="x")
    assert (sent["message_thread_id"], sent["is_topic_message"]) == (number, True)
    assert "message_thread_id" not in await town.done("sendMessage", chat_id=-1002, text="x")
    town.forum.chat.general_closed = True
    assert await town.refused("sendMessage", chat_id=-1002, text="x") == "400 Bad Request: TOPIC_CLOSED"
    await town.forum.promotes_bot(by=town.ada, can_manage_topics=True)
    await town.done("sendMessage", chat_id=-1002, text="x")
    await town.done("sendMessage", chat_id=-1002, message_thread_id=town.topics["closed"].thread_id, text="x")


async def test_a_migrated_group_says_where_it_is(town: Town) -> None:
    _, answer = await town.call("sendMessage", chat_id=-24, text="x")
    number = answer["parameters"]["migrate_to_chat_id"]
    assert number < -(2**31)
    await town.done("sendMessage", chat_id=number, text="x")


@pytest.mark.parametrize(
    ("arguments", "refusal"),
    [
        ({"text": ""}, "400 Bad Request: message text is empty"),
        ({"text": " \n\t "}, "400 Bad Request: message text is empty"),
        ({"text": "<b> </b>", "parse_mode": "HTML"}, "400 Bad Request: message text is empty"),
        ({"text": "x" * 4097}, "400 Bad Request: message is too long"),
        ({"text": "😀" * 2049}, "400 Bad Request: message is too long"),
        ({"text": "x", "parse_mode": "BBCode"}, "400 Bad Request: unsupported parse_mode"),
        ({"text": "x", "parse_mode": "MarkdownV2"}, "400 Bad Request: REFERENCE: this server parses HTML alone"),
        (
            {"text": "0123456789é<br>", "parse_mode": "HTML"},
            '400 Bad Request: can\'t parse entities: Unsupported start tag "br" at byte offset 12',
        ),
        (
            {"text": "".join(f"<b>{n}</b> " for n in range(101)), "parse_mode": "HTML"},
            "400 Bad Request: REFERENCE: too many entities",
        ),
        (
            {"text": "x", "entities": [{"type": "bold", "offset": 2, "length": 1}]},
            "400 Bad Request: entity begins after the end of the text at UTF-16 offset 2",
        ),
        (
            {"text": "x", "entities": [{"type": "bold", "offset": 0, "length": 2}]},
            "400 Bad Request: entity beginning at UTF-16 offset 0 ends after the end of the text at UTF-16 offset 2",
        ),
        (
            {"text": "x", "entities": [{"type": "bold", "offset": -1, "length": 1}]},
            "400 Bad Request: receive an entity with incorrect offset -1",
        ),
        (
            {"text": "x", "entities": [{"type": "bold", "offset": 0, "length": -1}]},
            "400 Bad Request: receive an entity with incorrect length -1",
        ),
        (
            {"text": "x", "entities": [{"type": "loud", "offset": 0, "length": 1}]},
            "400 Bad Request: can't parse MessageEntity: Unsupported type specified",
        ),
        (
            {"text": "x", "entities": [{"type": "text_link", "offset": 0, "length": 1, "url": "no"}]},
            "400 Bad Request: entity URL 'no' is invalid: Wrong HTTP URL",
        ),
        ({"text": "x", "reply_parameters": {"message_id": 99}}, "400 Bad Request: message to be replied not found"),
        ({"text": "x", "link_preview_options": {"url": "no"}}, "400 Bad Request: WEBPAGE_URL_INVALID"),
    ],
)
async def test_a_text_that_cannot_be_is_refused(town: Town, arguments: Json, refusal: str) -> None:
    assert await town.refused("sendMessage", chat_id=42, **arguments) == refusal
    assert town.ada.messages == []


async def test_a_text_as_long_as_can_be_is_taken(town: Town) -> None:
    text = "".join(f"<b>{n}</b> " for n in range(100))
    for taken in ("x" * 4096, "<b>" + "😀" * 2048 + "</b>", text):
        await town.done("sendMessage", chat_id=42, text=taken, parse_mode="HTML")
    assert len(town.ada.messages[-1].entities) == 100


TEXT_BUTTON = "400 Bad Request: can't parse inline keyboard button: Text buttons are unallowed in the inline keyboard"


@pytest.mark.parametrize(
    ("markup", "refusal"),
    [
        (keyboard(data("x" * 65)), "400 Bad Request: BUTTON_DATA_INVALID"),
        (keyboard(data("é" * 33)), "400 Bad Request: BUTTON_DATA_INVALID"),
        (keyboard(data("")), TEXT_BUTTON),
        (keyboard({"text": "Go"}), TEXT_BUTTON),
        (keyboard(data() | {"text": " "}), "400 Bad Request: inline keyboard button text must be non-empty"),
        (
            keyboard({"text": "Go", "url": ""}),
            "400 Bad Request: inline keyboard button URL '' is invalid: URL host is empty",
        ),
        (
            keyboard({"text": "Go", "url": "http://localhost/"}),
            "400 Bad Request: inline keyboard button URL 'http://localhost/' is invalid: Wrong HTTP URL",
        ),
        (
            keyboard({"text": "Go", "url": "ftp://a.org"}),
            "400 Bad Request: inline keyboard button URL 'ftp://a.org' is invalid: Unsupported URL protocol",
        ),
        (
            keyboard(data() | {"url": "https://a.org"}),
            "400 Bad Request: REFERENCE: a button does exactly one thing",
        ),
        (keyboard({"text": "Go", "copy_text": {"text": "x" * 257}}), "400 Bad Request: BUTTON_COPY_TEXT_INVALID"),
        (keyboard(*[data()] * 9), "400 Bad Request: reply markup is too long"),
        ({"inline_keyboard": [[data()] * 8] * 12 + [[data()] * 5]}, "400 Bad Request: reply markup is too long"),
    ],
)
async def test_a_keyboard_that_cannot_be_is_refused(town: Town, markup: Json, refusal: str) -> None:
    assert await town.refused("sendMessage", chat_id=42, text="x", reply_markup=markup) == refusal


@pytest.mark.parametrize(
    ("markup", "refusal"),
    [
        ("{", "400 Bad Request: can't parse reply keyboard markup JSON object"),
        ("[]", "400 Bad Request: object expected as reply markup"),
        ('{"inline_keyboard": {}}', '400 Bad Request: field "inline_keyboard" of the InlineKeyboardMarkup must be'),
        ('{"inline_keyboard": [{}]}', "400 Bad Request: inline keyboard must be an Array of Arrays"),
        ('{"inline_keyboard": [[1]]}', "400 Bad Request: can't parse inline keyboard button: expected an Object"),
        (
            '{"inline_keyboard": [[{}]]}',
            "400 Bad Request: can't parse inline keyboard button: Can't find field \"text\"",
        ),
    ],
)
async def test_a_keyboard_of_another_shape_is_refused(town: Town, markup: str, refusal: str) -> None:
    town.server.reference = None
    assert (await town.refused("sendMessage", chat_id=42, text="x", reply_markup=markup)).startswith(refusal)


@pytest.mark.parametrize(
    ("method", "arguments", "refusal"),
    [
        ("sendMessage", {}, "message text is empty"),
        ("sendMessage", {"text": "x", "link_preview_options": "[]"}, "object expected as link preview options"),
        ("sendMessage", {"text": "x", "entities": [1]}, "can't parse MessageEntity: expected an Object"),
        (
            "sendMessage",
            {"text": "x", "entities": [{"type": "bold", "offset": "0", "length": 1}]},
            "can't parse MessageEntity: offset and length must be of type Number",
        ),
        ("sendRichMessage", {"rich_message": "[]"}, "object expected as rich message"),
        ("editMessageText", {"message_id": "one", "text": "x"}, "message identifier is not specified"),
    ],
)
async def test_what_has_another_shape_is_refused(town: Town, method: str, arguments: Json, refusal: str) -> None:
    town.server.reference = None
    assert await town.refused(method, chat_id=42, **arguments) == f"400 Bad Request: {refusal}"


async def test_other_keyboards_are_passed_on(town: Town) -> None:
    await town.done("sendMessage", chat_id=42, text="x", reply_markup={"force_reply": True})
    assert (town.ada.chat.last.markup, town.ada.chat.last.labels) == ({"force_reply": True}, [])


async def test_a_keyboard_as_large_as_can_be_is_taken(town: Town) -> None:
    rows = [[data("x" * 64)] * 8] * 12 + [[data("é" * 32)] * 4]
    sent = await town.done("sendMessage", chat_id=42, text="x", reply_markup={"inline_keyboard": rows})
    assert sent["reply_markup"]["inline_keyboard"] == rows


# Pictures, files, rich messages


@pytest.mark.parametrize(
    ("method", "content", "caption", "refusal"),
    [
        ("sendPhoto", b"", "", "file must be non-empty"),
        ("sendPhoto", b"no picture", "", "IMAGE_PROCESS_FAILED"),
        ("sendPhoto", png(9000, 1001), "", "PHOTO_INVALID_DIMENSIONS"),
        ("sendPhoto", png(210, 10), "", "PHOTO_INVALID_DIMENSIONS"),
        ("sendPhoto", b"\0" * (10 * 2**20 + 1), "", "file is too big"),
        ("sendPhoto", png(), "x" * 1025, "message caption is too long"),
        ("sendDocument", b"", "", "file must be non-empty"),
        ("sendAudio", b"x", "<b>", "can't parse entities: Can't find end tag corresponding to start tag \"b\""),
    ],
)
async def test_a_file_that_cannot_be_is_refused(
    town: Town, method: str, content: bytes, caption: str, refusal: str
) -> None:
    form = aiohttp.FormData({"chat_id": "42", "caption": caption, "parse_mode": "HTML"})
    form.add_field(method.removeprefix("send").lower(), io.BytesIO(content), filename="file")
    async with town.http.post(f"{town.server.base_url}{town.server.token}/{method}", data=form) as answer:
        assert (answer.status, (await answer.json())["description"]) == (400, f"Bad Request: {refusal}")


async def test_an_upload_that_is_too_large_is_refused() -> None:
    async with open_town(largest=1) as town:
        form = aiohttp.FormData({"chat_id": "42"})
        form.add_field("document", io.BytesIO(b"\0" * (2 * 2**20)), filename="file")
        async with town.http.post(f"{town.server.base_url}{town.server.token}/sendDocument", data=form) as answer:
            assert (answer.status, (await answer.json())["description"]) == (413, "Request Entity Too Large")


async def test_a_file_is_kept_and_sent_again_by_its_id(town: Town) -> None:
    form = aiohttp.FormData({"chat_id": "42", "caption": "<i>c</i>", "parse_mode": "HTML"})
    form.add_field("photo", png(8, 6), filename="p.png", content_type="image/png")
    async with town.http.post(f"{town.server.base_url}{town.server.token}/sendPhoto", data=form) as answer:
        photo = (await answer.json())["result"]["photo"][-1]
    assert (photo["width"], photo["height"]) == (8, 6)
    again = await town.done("sendPhoto", chat_id=42, photo=photo["file_id"])
    assert again["photo"][-1]["file_id"] == photo["file_id"]
    path = (await town.done("getFile", file_id=photo["file_id"]))["file_path"]
    async with town.http.get(f"{town.server.base_file_url}{town.server.token}/{path}") as answer:
        assert await answer.read() == png(8, 6)
    await town.done("sendPhoto", chat_id=42, photo="https://a.org/p.png")
    assert (town.ada.messages[0].text, len(town.ada.messages)) == ("c", 3)


@pytest.mark.parametrize(
    ("method", "arguments", "refusal"),
    [
        ("sendPhoto", {"chat_id": 42, "photo": "no such id"}, "wrong file identifier/HTTP URL specified"),
        ("sendPhoto", {"chat_id": 42, "photo": "http://localhost/"}, "wrong file identifier/HTTP URL specified"),
        ("sendDocument", {"chat_id": 42, "document": ""}, "there is no document in the request"),
        ("sendPhoto", {"chat_id": -2051, "photo": "https://a.org/p"}, "not enough rights to send photos to the chat"),
        ("getFile", {"file_id": ""}, "invalid file_id"),
        ("getFile", {"file_id": "large"}, "file is too big"),
        ("getFile", {"file_id": "none"}, "wrong file_id or the file is temporarily unavailable"),
        ("sendRichMessage", {"chat_id": 42, "rich_message": {}}, "exactly one of the fields html and markdown must be"),
        ("sendRichMessage", {"chat_id": 42, "rich_message": {"html": "<p> </p>"}}, "message text is empty"),
        ("sendRichMessage", {"chat_id": 42, "rich_message": {"html": "x" * 32769}}, "message is too long"),
        ("sendRichMessage", {"chat_id": 42, "rich_message": {"html": "<font>x</font>"}}, "can't parse entities: Unsup"),
        ("sendRichMessage", {"chat_id": 42, "rich_message": {"html": "<p>x"}}, "can't parse entities: Can't find end"),
        ("sendRichMessage", {"chat_id": 42, "rich_message": {"html": "<p>x</h1>"}}, "can't parse entities: Unmatched"),
        ("sendRichMessage", {"chat_id": 42, "rich_message": {"html": "x</p>"}}, "can't parse entities: Unexpected end"),
        ("sendRichMessage", {"chat_id": 42, "rich_message": {"html": "<ul>" * 17 + "x"}}, "RICH_MESSAGE_TOO_DEEP"),
        (
            "sendRichMessage",
            {"chat_id": 42, "rich_message": {"html": "<table><tr>" + "<td>x</td>" * 21 + "</tr></table>"}},
            "RICH_MESSAGE_TABLE_TOO_WIDE",
        ),
        (
            "sendRichMessage",
            {"chat_id": 42, "rich_message": {"html": "<p>x</p>" * 501}},
            "RICH_MESSAGE_TOO_MANY_BLOCKS",
        ),
        ("sendChatAction", {"chat_id": 42, "action": "dancing"}, "wrong parameter action in request"),
        ("sendChatAction", {"chat_id": -1003, "action": "typing"}, "REFERENCE: channels show no action"),
    ],
)
async def test_what_else_is_sent_is_looked_at_too(town: Town, method: str, arguments: Json, refusal: str) -> None:
    town.server.world.files["large"] = Upload("large", bytes(20 * MEGABYTE + 1), "text/plain")
    assert (await town.refused(method, **arguments)).startswith(f"400 Bad Request: {refusal}")


async def test_sound_and_actions_are_sent(town: Town) -> None:
    form = aiohttp.FormData({"chat_id": "42", "title": "Today", "audio": "attach://sound"})
    form.add_field("sound", io.BytesIO(b"x"), filename="today.mp3", content_type="audio/mpeg")
    async with town.http.post(f"{town.server.base_url}{town.server.token}/sendAudio", data=form) as answer:
        audio = (await answer.json())["result"]["audio"]
    assert (audio["title"], audio["mime_type"], audio["file_name"]) == ("Today", "audio/mpeg", "today.mp3")
    await town.done("sendChatAction", chat_id=42, action="typing")
    assert town.ada.chat.actions == ["typing"]


async def test_an_older_server_knows_no_rich_messages(town: Town) -> None:
    rich = {"html": "<h1>A</h1><table><tr><td>b</td></tr></table>"}
    await town.done("sendRichMessage", chat_id=42, rich_message=rich)
    assert town.ada.messages[-1].rich == rich
    edit = {"chat_id": 42, "message_id": town.ada.messages[-1].message_id}
    await town.done("editMessageText", **edit, rich_message={"markdown": "# B"})
    assert town.ada.messages[-1].rich == {"markdown": "# B"}
    await town.done("editMessageText", **edit, rich_message={"html": "<tg-math-block/>c<hr/>"})
    await town.done("editMessageText", **edit, text="plain")
    assert [message.rich for message in town.ada.messages] == [None]
    town.server.world.rich = False
    assert await town.refused("sendRichMessage", chat_id=42, rich_message=rich) == "404 Not Found"


# Changing what was said


UNCHANGED = (
    "400 Bad Request: message is not modified: specified new message content and reply markup are exactly the same as "
    "a current content and reply markup of the message"
)


async def test_an_edit_changes_text_and_keyboard(town: Town) -> None:
    sent = await town.done("sendMessage", chat_id=42, text="a", reply_markup=keyboard(data()))
    edit = {"chat_id": 42, "message_id": sent["message_id"]}
    markup = keyboard(data())
    assert await town.refused("editMessageText", **edit, text="<b></b>a ", parse_mode="HTML", reply_markup=markup) == (
        UNCHANGED
    )
    assert (await town.done("editMessageText", **edit, text="<b>a</b>", parse_mode="HTML", reply_markup=markup))["text"]
    assert town.ada.messages[0].entities == [{"type": "bold", "offset": 0, "length": 1}]
    changed = await town.done("editMessageText", **edit, text="a")  # a keyboard that is not named is gone
    assert "reply_markup" not in changed
    assert await town.refused("editMessageReplyMarkup", **edit) == UNCHANGED
    await town.done("editMessageReplyMarkup", **edit, reply_markup=markup)
    assert (town.ada.messages[0].labels, town.ada.messages[0].edits) == (["Go"], 3)
    assert [heard.kind for heard in town.ada.history] == ["message", "edit", "edit", "edit"]
    assert [heard.message.text for heard in town.ada.history if heard.message] == ["a", "a", "a", "a"]


async def test_what_is_not_the_bots_or_not_there_is_not_edited(town: Town) -> None:
    sent = (await town.done("sendMessage", chat_id=42, text="x"))["message_id"]
    theirs = (await town.ada.writes("hello"))["message"]["message_id"]
    photo = (await town.done("sendPhoto", chat_id=42, photo="https://a.org/p.png"))["message_id"]
    elsewhere = (await town.ada.writes("/x", to=town.group))["message"]["message_id"]

    async def edited(**arguments: Any) -> str:
        return await town.refused("editMessageText", text="y", **arguments)

    await town.done("deleteMessage", chat_id=42, message_id=sent)
    assert await edited(chat_id=42, message_id=sent) == "400 Bad Request: message to edit not found"
    assert await edited(chat_id=42, message_id=999) == "400 Bad Request: message to edit not found"
    assert await edited(chat_id=42, message_id=theirs) == "400 Bad Request: message can't be edited"
    assert await edited(chat_id=42, message_id=photo) == "400 Bad Request: there is no text in the message to edit"
    assert await edited(chat_id=42) == "400 Bad Request: message identifier is not specified"
    assert await edited(inline_message_id="none") == "400 Bad Request: MESSAGE_ID_INVALID"
    assert await edited(chat_id=44, message_id=1) == "403 Forbidden: bot was blocked by the user"
    gone = await town.refused("deleteMessage", chat_id=42, message_id=sent)
    assert gone == "400 Bad Request: message to delete not found"
    not_ours = await town.refused("deleteMessage", chat_id=-10, message_id=elsewhere)
    assert not_ours == "400 Bad Request: message can't be deleted"


# What the bot says of itself


@pytest.mark.parametrize(
    ("arguments", "refusal"),
    [
        ({"commands": [{"command": "Today", "description": "x"}]}, "BOT_COMMAND_INVALID"),
        ({"commands": [{"command": "x" * 33, "description": "x"}]}, "BOT_COMMAND_INVALID"),
        ({"commands": [{"command": "오늘", "description": "x"}]}, "BOT_COMMAND_INVALID"),
        ({"commands": [{"command": "today", "description": ""}]}, "BOT_COMMAND_DESCRIPTION_INVALID"),
        ({"commands": [{"command": "today", "description": "x" * 257}]}, "BOT_COMMAND_DESCRIPTION_INVALID"),
        ({"commands": [{"command": f"c{n}", "description": "x"} for n in range(101)]}, "BOT_COMMANDS_TOO_MUCH"),
        ({"commands": [], "language_code": "zh-hans"}, "invalid language code specified"),
        ({"commands": [], "scope": {"type": "chat", "chat_id": 999}}, "chat not found"),
    ],
)
async def test_commands_that_cannot_be_are_refused(town: Town, arguments: Json, refusal: str) -> None:
    assert await town.refused("setMyCommands", **arguments) == f"400 Bad Request: {refusal}"


async def test_commands_are_kept_for_each_scope_and_language(town: Town) -> None:
    today, heute = [{"command": "today", "description": "x"}], [{"command": "today", "description": "y"}]
    chat = {"type": "chat", "chat_id": 42}
    await town.done("setMyCommands", commands=today)
    await town.done("setMyCommands", commands=heute, scope=chat, language_code="de")
    assert await town.done("getMyCommands") == today
    assert await town.done("getMyCommands", language_code="de") == []
    assert await town.done("getMyCommands", scope=chat, language_code="de") == heute
    await town.done("deleteMyCommands")
    assert await town.done("getMyCommands") == []
    town.server.reference = None
    for wrong, refusal in (({"commands": "{}"}, "expected an Array of BotCommand"),):
        assert await town.refused("setMyCommands", **wrong) == f"400 Bad Request: {refusal}"
    scope = await town.refused("setMyCommands", commands=[], scope={"type": "everyone"})
    assert scope == "400 Bad Request: can't parse BotCommandScope: Unsupported type specified"


@pytest.mark.parametrize(("name", "most"), [("Description", 512), ("ShortDescription", 120), ("Name", 64)])
async def test_the_bots_texts_are_kept_for_each_language(town: Town, name: str, most: int) -> None:
    field = {"ShortDescription": "short_description"}.get(name, name.lower())
    await town.done(f"setMy{name}", **{field: "x" * most})
    await town.done(f"setMy{name}", **{field: "y"}, language_code="ko")
    assert await town.done(f"getMy{name}", language_code="ko") == {field: "y"}
    assert await town.done(f"getMy{name}", language_code="ja") == {field: "x" * most}
    refusal = await town.refused(f"setMy{name}", **{field: "x" * (most + 1)})
    assert refusal == f"400 Bad Request: {field.replace('_', ' ')} is too long"


# Chats and members


async def test_chats_and_members_are_described(town: Town) -> None:
    await town.super.adds(town.ada, "creator")
    await town.super.adds(town.bo, "administrator", can_delete_messages=True)
    assert (await town.done("getMe"))["username"] == "papers_bot"
    assert (await town.done("getChat", chat_id="@daily_papers"))["id"] == -1003
    assert (await town.done("getChat", chat_id=43))["first_name"] == "Bo"
    assert (await town.done("getChatMember", chat_id=-1001, user_id=42))["status"] == "creator"
    assert (await town.done("getChatMember", chat_id=-1001, user_id=44))["status"] == "left"
    assert (await town.done("getChatMember", chat_id=42, user_id=42))["status"] == "member"
    administrators = await town.done("getChatAdministrators", chat_id=-1001)
    assert [each["user"]["id"] for each in administrators] == [42, 43]
    assert administrators[1]["can_delete_messages"] is True
    assert await town.done("getChatMemberCount", chat_id=-1001) == 3
    await town.done("leaveChat", chat_id=-1001)
    assert town.server.world.updates.pending[-1]["my_chat_member"]["new_chat_member"]["status"] == "left"


@pytest.mark.parametrize(
    ("method", "arguments", "refusal"),
    [
        ("getChat", {"chat_id": -22}, "403 Forbidden: bot is not a member of the group chat"),
        ("getChatMember", {"chat_id": -1001, "user_id": 999}, "400 Bad Request: PARTICIPANT_ID_INVALID"),
        ("getChatMember", {"chat_id": 42, "user_id": 999}, "400 Bad Request: user not found"),
        ("getChatMember", {"chat_id": -1001, "user_id": 0}, "400 Bad Request: invalid user_id specified"),
        ("getChatAdministrators", {"chat_id": 42}, "400 Bad Request: there are no administrators in the private chat"),
        ("leaveChat", {"chat_id": 42}, "400 Bad Request: chat can't be left"),
    ],
)
async def test_what_cannot_be_asked_of_a_chat(town: Town, method: str, arguments: Json, refusal: str) -> None:
    assert await town.refused(method, **arguments) == refusal
