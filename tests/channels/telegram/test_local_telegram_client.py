"""The client library against the local Bot API server."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
import telegram
import telegram.error

from tests.support.telegram_server import Fault
from tests.support.telegram_server.town import Town, open_town, png


@pytest.fixture
async def town() -> AsyncIterator[Town]:
    async with open_town() as town:
        yield town


# With the real client


@pytest.fixture
async def bot(town: Town) -> AsyncIterator[telegram.Bot]:
    server = town.server
    async with telegram.Bot(server.token, base_url=server.base_url, base_file_url=server.base_file_url) as bot:
        yield bot


async def test_the_client_library_reads_answers_and_is_answered(town: Town, bot: telegram.Bot) -> None:
    poll = asyncio.create_task(bot.get_updates(timeout=20, allowed_updates=["message", "callback_query"]))
    await town.server.polled()
    await town.ada.writes("/start now")
    (update,) = await poll
    assert update.message
    assert update.message.parse_entities() == {update.message.entities[0]: "/start"}
    buttons = [
        [telegram.InlineKeyboardButton("Go", callback_data="go"), telegram.InlineKeyboardButton("X", url="x.org")]
    ]
    sent = await bot.send_message(
        chat_id=42,
        text="<b>Hello</b> &amp; <a href='https://arxiv.org/abs/1'>more</a>",
        parse_mode="HTML",
        reply_markup=telegram.InlineKeyboardMarkup(buttons),
        link_preview_options=telegram.LinkPreviewOptions(is_disabled=True),
    )
    assert sent.text == "Hello & more"
    assert list(sent.parse_entities().values()) == ["Hello", "more"]
    heard = await town.ada.hears("message")
    assert heard.message
    assert heard.message.labels == ["Go", "X"]
    await town.ada.taps(heard.message, "Go")
    (tap,) = await bot.get_updates(offset=update.update_id + 1)
    assert tap.callback_query
    await tap.callback_query.answer("done")
    await tap.callback_query.edit_message_text("Changed")
    assert [(await town.ada.hears()).kind for _ in range(2)] == ["answer", "edit"]
    photo = await bot.send_photo(42, png(), caption="<i>c</i>", parse_mode="HTML")
    assert bytes(await (await bot.get_file(photo.photo[-1].file_id)).download_as_bytearray()) == png()
    assert (await bot.get_chat(-1001)).title == "Reading group"
    assert (await bot.get_chat_member(-1001, town.server.world.bot["id"])).status == "member"
    await bot.set_my_commands([("today", "x")], scope=telegram.BotCommandScopeChat(42), language_code="ko")
    await bot.do_api_request("sendRichMessage", {"chat_id": 42, "rich_message": {"html": "<h1>x</h1>"}})
    assert town.server.violations == []


async def test_the_client_library_tells_refusals_apart(
    town: Town, bot: telegram.Bot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PTB_TIMEDELTA", "true")  # else it warns of its own future
    town.server.fail(Fault.flood(43_200), times=1)
    with pytest.raises(telegram.error.RetryAfter) as flood:
        await bot.send_message(42, "x")
    assert flood.value.retry_after == timedelta(hours=12)
    with pytest.raises(telegram.error.ChatMigrated) as migrated:
        await bot.send_message(-24, "x")
    assert migrated.value.new_chat_id < -(2**31)
    with pytest.raises(telegram.error.Forbidden, match="bot was blocked by the user"):
        await bot.send_message(44, "x")
    with pytest.raises(telegram.error.BadRequest, match="unsupported start tag"):
        await bot.send_message(42, "<br>", parse_mode="HTML")
    town.server.fail(Fault.unauthorized(), times=1)
    with pytest.raises(telegram.error.InvalidToken):
        await bot.send_message(42, "x")
    poll = asyncio.create_task(bot.get_updates(timeout=20))
    await town.server.polled()
    await town.done("getUpdates")  # somebody else, with the same token
    with pytest.raises(telegram.error.Conflict):
        await poll
    for fault in (Fault.drop_early(), Fault.drop_late(), Fault.server_error()):
        town.server.fail(fault, times=1)
        with pytest.raises(telegram.error.NetworkError):
            await bot.send_message(42, "x")
    assert len(town.ada.messages) == 1
