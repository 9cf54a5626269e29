"""The Telegram channel: login, receiving updates, sending editions, checks for the doctor."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Self

from telegram.error import BadRequest, ChatMigrated, Forbidden, InvalidToken, NetworkError, RetryAfter, TelegramError

from bot.channel import (
    AUDIO,
    FIRST_ACCOUNT,
    SILENT,
    Barred,
    Channel,
    Commands,
    Deferred,
    Finding,
    Gone,
    Handler,
    Hook,
    Kit,
    Link,
    LoginError,
    Message,
    Outcome,
    Pace,
    Page,
    Personal,
    Preference,
    Rate,
    Recording,
    Rejected,
    Sent,
    Unknown,
    cloud_url,
)
from bot.model import ON
from channels.telegram import errors
from channels.telegram.bot_client import make_bot
from channels.telegram.callbacks import deep_link
from channels.telegram.chats import CHANNEL, SHARED, ChatAddress, chat_of, kind_of
from channels.telegram.doctor import WRONG_TOKEN, check
from channels.telegram.flood_waits import FloodWaits
from channels.telegram.keyboards import keyboard
from channels.telegram.markup import collapse_blank_lines, escape
from channels.telegram.message import LIMITS, PICTURE, RICH, TelegramMessage
from channels.telegram.paid_broadcasts import PAID_CONCURRENCY, balance_findings, paid_broadcasts, unpaid
from channels.telegram.polling import clock, poll
from channels.telegram.posting import Poster
from channels.telegram.profile import Profile
from channels.telegram.replies import Replies
from channels.telegram.reply_layout import tappable
from channels.telegram.settings import Settings
from channels.telegram.updates import UpdateHandler
from channels.telegram.uploads import UploadedRecordings
from channels.telegram.webhook import WebhookUpdates, handle_request, keep_webhook

log = logging.getLogger(__name__)

CONCURRENCY = 30  # sends in flight
CONNECTIONS = 30
"""Connections to the Bot API for replies, beside those for editions."""
MARGIN = 0.06
"""Seconds added to a rate's window: of two messages the later may travel faster, by 50 ms and more."""
MINUTE = 60.0  # seconds
PER_CHAT = Rate(1, 1 + MARGIN)
PER_GROUP = Rate(20, MINUTE + MARGIN, even=False)
"""https://core.telegram.org/bots/faq#my-bot-is-hitting-limits-how-do-i-avoid-this: one message a second to a chat,
twenty a minute to a group."""


class Telegram(Channel):
    """One Telegram bot."""

    limits = LIMITS
    extras: Sequence[Preference] = (PICTURE, SILENT, RICH)
    shows_pictures = True

    def __init__(self, settings: Settings, kit: Kit) -> None:
        self._kit = kit = replace(kit, name=kit.name or CHANNEL)
        self.name = kit.name
        self._setting = settings.setting_of(kit.account or next(iter(settings.accounts), ""))
        paid = paid_broadcasts(settings)
        concurrency = CONCURRENCY if paid is None else PAID_CONCURRENCY
        self._bot = make_bot(settings, kit.account, CONNECTIONS + concurrency)
        self.repeats_unknown = settings.on_unknown == "resend"
        self.pace = Pace(
            concurrency=concurrency,
            account=Rate(settings.rate, 1 + MARGIN),
            paid=paid,
            recipient=PER_CHAT,
            kinds={SHARED: (PER_CHAT, PER_GROUP)},
            kind=kind_of,
            same=chat_of,
        )
        self._template = kit.template("telegram/edition.html", escape)
        self._rich_template = kit.template("telegram/rich.html", escape)
        self._flood = FloodWaits(self.name)
        if kit.reads_aloud:
            self.extras = (*self.extras, AUDIO)
        self._recordings = UploadedRecordings(kit.memory)
        self._poster = Poster(self._bot)
        self._updates: UpdateHandler | None = None
        self._webhook_updates: WebhookUpdates | None = None

    def typed(self, line: str, language: str) -> str:  # noqa: ARG002 - the same in every language
        """The line behind a slash."""
        return f"/{line}"

    def recipient(self, written: str) -> str:
        return str(ChatAddress.parse(written))

    @property
    def invitation(self) -> Link | None:
        """The bot's address; its name is known after login."""
        try:
            return Link("Telegram", f"https://t.me/{self._bot.username}")
        except RuntimeError:
            return None

    def link_to(self, line: str) -> Link | None:
        """The link that runs a line in the reader's own chat; the bot's name is known after login."""
        try:
            url = deep_link(self._bot.username, line)
        except RuntimeError:
            return None
        return None if url is None else Link("Telegram", url)

    async def __aenter__(self) -> Self:
        try:
            await self._bot.initialize()
        except InvalidToken as error:  # its message holds the token
            await self._bot.shutdown()
            if not errors.is_from_telegram(error):
                raise ConnectionError(errors.NOT_TELEGRAM) from None
            raise LoginError(WRONG_TOKEN.format(setting=self._setting)) from None
        except BaseException:
            await self._bot.shutdown()
            raise
        if await self._kit.memory.get(FIRST_ACCOUNT) is None:
            await self._kit.memory.put(FIRST_ACCOUNT, f"{self._bot.id}")
        return self

    async def __aexit__(self, *exc: object) -> None:
        if self._updates is not None:
            await self._updates.close()
        await self._bot.shutdown()

    async def listen(self, commands: Commands) -> None:
        """Receive updates until cancelled, by webhook if PUBLIC_URL is HTTPS, else by polling. Raises LoginError."""
        try:
            await self._profile(commands).update()
        except InvalidToken:
            raise LoginError(WRONG_TOKEN.format(setting=self._setting)) from None
        if self.webhooks():
            url = f"{self._kit.links.public}/hooks/{self.name}"
            await keep_webhook(self._bot, url, self._webhook_secret(), commands, self.name)
        else:
            await poll(self._bot, self._update_handler(commands).handle, commands, self.name)

    def webhooks(self) -> Mapping[str, Handler]:
        """The webhook, if PUBLIC_URL is HTTPS, which Telegram requires."""
        return {self.name: self._on_request} if (self._kit.links.public or "").startswith("https://") else {}

    async def _on_request(self, hook: Hook, commands: Commands) -> int:
        if self._webhook_updates is None:
            self._webhook_updates = WebhookUpdates(self._update_handler(commands).handle)
        return await handle_request(hook, self._bot, self._webhook_secret(), self._webhook_updates)

    def _webhook_secret(self) -> str:
        # Telegram takes letters, digits, hyphens and underscores (https://core.telegram.org/bots/api#setwebhook).
        return self._kit.links.sign("hook", self.name).replace(".", "_")

    def _update_handler(self, commands: Commands) -> UpdateHandler:
        """The one handler: answers that wait for the end of a flood outlive an outage of listening."""
        if self._updates is None:
            self._updates = self._make_update_handler(commands)
        return self._updates

    def _make_update_handler(self, commands: Commands) -> UpdateHandler:
        profile = self._profile(commands)
        replies = Replies(
            self._bot,
            commands,
            self._kit,
            self._flood,
            poster=self._poster,
            profile=profile,
            clock=clock,
            inline=self._is_inline,
        )
        return UpdateHandler(self._bot, commands, self._kit, replies, self.compose, clock=clock)

    def _profile(self, commands: Commands) -> Profile:
        return Profile(self._bot, commands, self._kit)

    async def play(self, to: str, recording: Recording, personal: Personal) -> Outcome:
        """Send a recording: uploaded once, and by its file id afterwards."""
        chat = self._chat(to)
        if not isinstance(chat, ChatAddress):
            return chat
        try:
            silent = personal.extras.get(SILENT.name) == ON
            sent = await self._recordings.send(self._bot, chat, recording, silent=silent)
        except TelegramError as error:
            return await self._outcome(error, chat)
        except OSError:  # replaced or deleted a moment ago
            return Deferred("the recording's file is gone")
        return Sent(f"{sent.message_id}")

    def _chat(self, to: str) -> ChatAddress | Outcome:
        """The chat of a recipient, or why nothing is sent there now."""
        try:
            chat = ChatAddress.parse(to)
        except ValueError:
            return Gone("not a Telegram chat")
        return self._flood.outcome_now(chat) or chat

    def compose(self, page: Page) -> TelegramMessage:
        # The lead of another page may be an operator's own words.
        lead = tappable(page.lead) if page.about.is_notice else page.lead
        page = replace(page, lead=lead, notes=[tappable(note) for note in page.notes])
        return TelegramMessage(
            page, collapse_blank_lines(self._template(page)), self._rich_template, cloud_url(page, self._kit)
        )

    async def send(self, to: str, message: Message, personal: Personal) -> Outcome:
        assert isinstance(message, TelegramMessage)
        chat = self._chat(to)
        if not isinstance(chat, ChatAddress):
            return chat
        try:
            is_channel = await self._is_channel(chat)
        except RetryAfter as error:
            return self._flood.begin(chat, errors.seconds(error))
        except NetworkError as error:  # the message itself was not sent yet
            found = errors.outcome(error)
            return Deferred(found.reason, scope="channel") if isinstance(found, Unknown) else found
        try:
            return await self._send_following(chat, message, personal, is_channel=is_channel)
        except TelegramError as error:
            refused = unpaid(error) if personal.paid else None
            return await self._outcome(error, chat, paid=personal.paid) if refused is None else refused

    async def _send_following(
        self, chat: ChatAddress, message: TelegramMessage, personal: Personal, *, is_channel: bool
    ) -> Outcome:
        """Send, to the new id of a group that was migrated, or to General in place of a topic that was closed."""
        rows = message.rows(chat, self._bot.username, is_channel=is_channel, inline=self._is_inline)
        keys = await keyboard(rows, self._kit.memory)
        moved_to = None
        try:
            sent = await self._poster.post(chat, message, personal, keys)
        except ChatMigrated as migrated:
            moved_to = ChatAddress(migrated.new_chat_id)
            sent = await self._poster.post(moved_to, message, personal, keys)
        except BadRequest as error:
            if chat.topic is None or not errors.mentions(error, *errors.NO_TOPIC, *errors.CLOSED_TOPIC):
                raise
            general = ChatAddress(chat.id)  # General has no id of its own to send to
            sent = await self._poster.post(general, message, personal, keys)
            moved_to = general if errors.mentions(error, *errors.NO_TOPIC) else None
        return Sent(f"{sent.message_id}", moved_to=None if moved_to is None else f"{moved_to}")

    async def _is_channel(self, chat: ChatAddress) -> bool:
        """Whether it is a broadcast channel, where buttons have nobody to answer; the answer is remembered."""
        if not chat.is_shared:
            return False
        key = f"kind {chat.id}"
        kind = await self._kit.memory.get(key)
        if kind is None:
            try:
                kind = str((await self._bot.get_chat(chat.id)).type)
            except (BadRequest, Forbidden, ChatMigrated):  # sending will meet the same error and classify it
                return False
            await self._kit.memory.put(key, kind)
        return kind == "channel"

    @property
    def _is_inline(self) -> bool:
        """Whether inline mode is on (set with @BotFather), which sharing papers needs."""
        return bool(self._bot.bot.supports_inline_queries)

    async def _outcome(self, error: TelegramError, chat: ChatAddress, *, paid: bool = False) -> Outcome:
        """The outcome of an error, after a second look at the chat where the error alone does not tell."""
        if isinstance(error, RetryAfter):
            return replace(self._flood.begin(chat, errors.seconds(error)), unpaid=paid)
        found = errors.outcome(error)
        if isinstance(found, Barred):
            title = None
            with suppress(TelegramError):
                title = (await self._bot.get_chat(chat.id)).title
            return Barred(found.reason, title)
        if isinstance(found, Gone) and errors.mentions(error, *errors.NO_CHAT):
            with suppress(TelegramError):
                await self._bot.get_chat(chat.id)
                return Deferred(found.reason)  # the chat exists after all
        if isinstance(found, Rejected):
            log.error("message rejected", extra={"channel": self.name, "reason": found.reason})
        return found

    async def check(self) -> Sequence[Finding]:
        found = await check(self._bot, self.name, self._setting)
        if self.pace.paid is not None and all(finding.ok for finding in found):
            found = [*found, *await balance_findings(self._bot, self.name)]
        return found
