"""The channel itself: login, sending, what becomes of it."""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any, Self

from telegram import Bot, InlineKeyboardMarkup, Message
from telegram.constants import ParseMode
from telegram.error import (
    BadRequest,
    ChatMigrated,
    EndPointNotFound,
    Forbidden,
    InvalidToken,
    NetworkError,
    TelegramError,
)
from telegram.request import HTTPXRequest

from bot.channel import (
    Barred,
    BaseChannel,
    Commands,
    Deferred,
    Finding,
    Gone,
    Handler,
    Hook,
    Kit,
    Link,
    LoginError,
    Outcome,
    Pace,
    Page,
    Personal,
    Rate,
    Rejected,
    Sent,
    Unknown,
)
from bot.channel import Message as Composed
from bot.model import ON, Extra
from channels.telegram import errors
from channels.telegram.chats import SHARED, ChatAddress, chat_of, kind_of
from channels.telegram.keyboards import keyboard
from channels.telegram.listener import clock, poll
from channels.telegram.markup import close_up, escape
from channels.telegram.message import LIMITS, TelegramMessage
from channels.telegram.profile import introduce
from channels.telegram.replies import FloodWait, Replies
from channels.telegram.settings import Settings
from channels.telegram.updates import UpdateHandler
from channels.telegram.webhook import WebhookUpdates, hold, take

log = logging.getLogger(__name__)

CONCURRENCY = 30
CONNECTIONS = 2 * CONCURRENCY
"""Answers go out beside editions."""
MARGIN = 0.015
"""Seconds that a second is taken to be longer: of two messages the later may travel faster."""
A_MINUTE = 60.0
TO_ONE_CHAT = Rate(1, 1 + MARGIN)
TO_ONE_PLACE = Rate(20, A_MINUTE + MARGIN, even=False)
"""https://core.telegram.org/bots/faq: one message a second to a chat, twenty a minute to a group."""
FIRST_BOT = "first bot"
"""The memory's key for the bot that the readers know."""
WRONG_TOKEN = (
    "Telegram does not know the token in TELEGRAM_TOKEN: copy it again from @BotFather, or have it make a new one."  # noqa: S105 - a sentence
)


class Telegram(BaseChannel):
    """One bot of Telegram's."""

    name = "telegram"
    limits = LIMITS
    extras: Sequence[Extra] = (Extra.PICTURE, Extra.SILENT, Extra.RICH)

    def __init__(self, settings: Settings, kit: Kit, bot: Bot) -> None:
        self._kit = kit
        self._bot = bot
        self.repeats_unknown = settings.on_unknown == "resend"
        self.pace = Pace(
            concurrency=CONCURRENCY,
            account=Rate(settings.rate, 1 + MARGIN),
            recipient=TO_ONE_CHAT,
            kinds={SHARED: (TO_ONE_CHAT, TO_ONE_PLACE)},
            kind=kind_of,
            same=chat_of,
        )
        self._text = kit.template("telegram/edition.html", escape)
        self._rich = kit.template("telegram/rich.html", escape)
        self._flood = FloodWait()
        self._knows_rich = True
        self._posted: WebhookUpdates | None = None
        """What was posted and is being handled."""
        self._is_known = True
        """Whether this is the bot that the readers have met."""

    def recipient(self, written: str) -> str:
        return str(ChatAddress.parse(written))

    @property
    def invitation(self) -> Link | None:
        """Where the bot is; its name is known once it has logged in."""
        try:
            return Link("Telegram", f"https://t.me/{self._bot.username}")
        except RuntimeError:
            return None

    async def __aenter__(self) -> Self:
        try:
            await self._bot.initialize()
        except InvalidToken as error:  # its message holds the token
            await self._bot.shutdown()
            if not errors.is_telegrams(error):
                raise ConnectionError("something between us and Telegram answered in its place") from None
            raise LoginError(WRONG_TOKEN) from None
        except BaseException:
            await self._bot.shutdown()
            raise
        first = await self._kit.memory.get(FIRST_BOT)
        if first is None:
            await self._kit.memory.put(FIRST_BOT, f"{self._bot.id}")
        self._is_known = first in {None, f"{self._bot.id}"}
        if not self._is_known:
            log.warning("TELEGRAM_TOKEN is another bot's than before; readers have to start that one first")
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self._bot.shutdown()

    async def listen(self, commands: Commands) -> None:
        """Take updates until cancelled: have them posted where there is an https address, else by long polling."""
        try:
            await introduce(self._bot, commands, self._kit.memory, offered=self.extras)
        except InvalidToken:
            raise LoginError(WRONG_TOKEN) from None
        if self.webhooks():
            await hold(self._bot, f"{self._kit.links.public}/hooks/{self.name}", self._hook_secret())
        else:
            await poll(self._bot, self._update_handler(commands).handle)

    def webhooks(self) -> Mapping[str, Handler]:
        """Telegram posts to https alone."""
        return {self.name: self._take} if (self._kit.links.public or "").startswith("https://") else {}

    async def _take(self, hook: Hook, commands: Commands) -> int:
        if self._posted is None:
            self._posted = WebhookUpdates(self._update_handler(commands).handle)
        return await take(hook, self._bot, self._hook_secret(), self._posted)

    def _hook_secret(self) -> str:
        return self._kit.links.sign("hook", self.name)

    def _update_handler(self, commands: Commands) -> UpdateHandler:
        replies = Replies(
            self._bot, commands, self._kit, self._flood, offered=self.extras, clock=clock, inline=self._is_inline
        )
        return UpdateHandler(self._bot, commands, self._kit.memory, replies, self.compose, clock=clock)

    def compose(self, page: Page) -> TelegramMessage:
        return TelegramMessage(page, close_up(self._text(page)), self._rich)

    async def send(self, to: str, message: Composed, personal: Personal) -> Outcome:
        assert isinstance(message, TelegramMessage)
        try:
            place = ChatAddress.parse(to)
        except ValueError:
            return Gone("no chat of Telegram's")
        if (wait := self._flood.left()) > 0:
            return Deferred("flood wait", wait, "channel")
        try:
            is_channel = await self._is_channel(place)
        except NetworkError as error:  # nothing has left yet
            found = errors.outcome(error, place)
            return Deferred(found.reason, scope="channel") if isinstance(found, Unknown) else found
        try:
            return await self._send_to(place, message, personal, is_channel=is_channel)
        except TelegramError as error:
            return await self._outcome(error, place)

    async def _send_to(
        self, place: ChatAddress, card: TelegramMessage, personal: Personal, *, is_channel: bool
    ) -> Outcome:
        """Send, where the place has changed to where it is now."""
        rows = card.rows(place, self._bot.username, is_channel=is_channel, inline=self._is_inline)
        keys = await keyboard(rows, self._kit.memory)
        try:
            sent = await self._post(place, card, personal, keys)
        except ChatMigrated as moved:
            now_at = ChatAddress(moved.new_chat_id)
            sent = await self._post(now_at, card, personal, keys)
            return Sent(f"{sent.message_id}", moved_to=f"{now_at}")
        except BadRequest as error:
            if place.topic is None or not errors.says(error, *errors.NO_TOPIC, *errors.CLOSED_TOPIC):
                raise
            general = ChatAddress(place.chat)  # General has no id of its own to send to
            sent = await self._post(general, card, personal, keys)
            moved_to = f"{general}" if errors.says(error, *errors.NO_TOPIC) else None
            return Sent(f"{sent.message_id}", moved_to=moved_to)
        return Sent(f"{sent.message_id}")

    async def _post(
        self, place: ChatAddress, card: TelegramMessage, personal: Personal, keys: InlineKeyboardMarkup | None
    ) -> Message:
        if personal.extras.get(Extra.RICH) == ON and self._knows_rich and card.page.blocks:
            try:
                return await self._post_rich(place, card, personal, keys)
            except (BadRequest, EndPointNotFound) as error:  # an older server knows no such method
                if errors.says(error, *errors.OF_THE_PLACE):
                    raise
                self._knows_rich = not isinstance(error, EndPointNotFound)
                log.info("rich message refused, sent as HTML", extra={"reason": errors.reason(error)})
        return await self._bot.send_message(
            place.chat,
            card.text,
            ParseMode.HTML,
            message_thread_id=place.topic,
            link_preview_options=card.preview(personal.extras),
            disable_notification=personal.extras.get(Extra.SILENT) == ON,
            reply_markup=keys,
        )

    async def _post_rich(
        self, place: ChatAddress, card: TelegramMessage, personal: Personal, keys: InlineKeyboardMarkup | None
    ) -> Message:
        """By a raw request: the library has no types for it yet."""
        given: dict[str, Any] = {
            "chat_id": place.chat,
            "rich_message": {"html": card.rich, "is_rtl": card.page.direction == "rtl", "skip_entity_detection": True},
            "disable_notification": personal.extras.get(Extra.SILENT) == ON,
        }
        if place.topic is not None:
            given["message_thread_id"] = place.topic
        if keys is not None:
            given["reply_markup"] = keys
        sent: Message = await self._bot.do_api_request("sendRichMessage", api_kwargs=given, return_type=Message)
        return sent

    async def _is_channel(self, place: ChatAddress) -> bool:
        """Whether nobody can press buttons that ask something there; what is learned is remembered."""
        if not place.is_shared:
            return False
        key = f"kind {place.chat}"
        kind = await self._kit.memory.get(key)
        if kind is None:
            try:
                kind = str((await self._bot.get_chat(place.chat)).type)
            except (BadRequest, Forbidden, ChatMigrated):  # sending says what is the matter with it
                return False
            await self._kit.memory.put(key, kind)
        return kind == "channel"

    @property
    def _is_inline(self) -> bool:
        """Whether papers can be put into other chats: @BotFather switches that on."""
        return bool(self._bot.bot.supports_inline_queries)

    async def _outcome(self, error: TelegramError, place: ChatAddress) -> Outcome:
        found = errors.outcome(error, place)
        if isinstance(found, Barred):
            title = None
            with suppress(TelegramError):
                title = (await self._bot.get_chat(place.chat)).title
            return Barred(found.reason, title)
        if isinstance(found, Gone) and not self._is_known:  # it is the token that is wrong, not the reader
            return Deferred("the reader has not met this bot: TELEGRAM_TOKEN is another one's than before")
        if isinstance(found, Gone) and errors.says(error, *errors.NO_CHAT):
            with suppress(TelegramError):
                await self._bot.get_chat(place.chat)
                return Deferred(found.reason)  # it is there after all
        if isinstance(found, Rejected):
            log.error("message refused", extra={"channel": self.name, "reason": found.reason})
        return found

    async def check(self) -> Sequence[Finding]:
        try:
            me = await self._bot.get_me()
            hook = await self._bot.get_webhook_info()
        except InvalidToken:
            return [Finding("TELEGRAM_TOKEN", False, WRONG_TOKEN)]
        except TelegramError as error:
            return [Finding("telegram", False, f"Telegram could not be asked ({errors.reason(error)})")]
        found = [Finding("telegram", True, f"@{me.username} is ready; subscribe at https://t.me/{me.username}")]
        if hook.url:
            says = "another program has set a web hook for this bot; it is taken down as soon as this one listens"
            found.append(Finding("telegram", True, says))
        if not me.supports_inline_queries:
            says = "inline mode is off: people find papers from any chat once you send /setinline to @BotFather"
            found.append(Finding("telegram", True, says))
        return found


def make(settings: Settings, kit: Kit) -> Telegram:
    """The bot as configured, not yet logged in."""
    os.environ.setdefault("PTB_TIMEDELTA", "true")  # else the library warns, at every flood wait, of what it will do
    token = "0:0" if settings.token is None else settings.token.get_secret_value()
    origin = settings.api_url.rstrip("/")
    bot = Bot(
        token,
        base_url=f"{origin}/bot",
        base_file_url=f"{origin}/file/bot",
        request=HTTPXRequest(
            CONNECTIONS, read_timeout=30.0, write_timeout=30.0, connect_timeout=10.0, pool_timeout=30.0
        ),
    )
    return Telegram(settings, kit, bot)
