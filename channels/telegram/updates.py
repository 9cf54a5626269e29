"""Handles updates: messages, callback queries of buttons, inline queries, and changes of the bot's membership."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from typing import TypeGuard

import telegram
from telegram.constants import ChatType
from telegram.error import BadRequest, TelegramError

from bot.channel import CommandName, Commands, Kit, Page, Reply, Requester
from channels.telegram import errors, inline
from channels.telegram.callbacks import LOCATION, READ_ONLY, Callback, decode, line_of_payload
from channels.telegram.chats import ChatAddress
from channels.telegram.message import TelegramMessage
from channels.telegram.replies import Replies
from channels.telegram.reply_layout import menu_of

log = logging.getLogger(__name__)

LONGEST_NOTICE = 200
"""Characters of the notice that answers a callback query (https://core.telegram.org/bots/api#answercallbackquery)."""
LONGEST_QUERY = 200  # characters
ADMINISTRATORS = {telegram.ChatMember.OWNER, telegram.ChatMember.ADMINISTRATOR}
MEMBERS = {*ADMINISTRATORS, telegram.ChatMember.MEMBER, telegram.ChatMember.RESTRICTED}
BLOCKED = "the reader has blocked the bot"
REMOVED = "the bot was removed"
ALIASES = {"stop": CommandName.UNSUBSCRIBE}
START = "start"
ADDED_BY = "setter {chat}"
"""The memory's key for the person who added the bot to a channel, where nobody can be replied to."""
_SETTINGS_OF_CHAT = re.compile(rf"{CommandName.SETTINGS} (@[A-Za-z0-9_]{{4,32}}|-[1-9]\d{{5,18}})", re.ASCII)
"""Settings of a channel or group that is named."""
_WITH_ARGUMENTS = re.compile(
    r"(?:date|week|month|top|why|time|count|votes|pause) [\d:./+W-]+"
    r"|(?:search|paper|zone|help) .+",
    re.IGNORECASE | re.DOTALL,
)
"""A command that is followed by what nobody would search for: it needs no slash, and neither does one alone."""
_COMMAND = re.compile(r"/([a-z_]{1,32})(?:@([a-z0-9_]{1,64}))?(?:\s+(.*))?", re.DOTALL | re.IGNORECASE)


class UpdateHandler:
    """Handles updates; those of one chat must come one after another."""

    def __init__(
        self,
        bot: telegram.Bot,
        commands: Commands,
        kit: Kit,
        replies: Replies,
        compose: Callable[[Page], TelegramMessage],
        *,
        clock: Callable[[], datetime],
    ) -> None:
        self._bot = bot
        self._commands = commands
        self._memory, self._account = kit.memory, kit.name
        self._replies = replies
        self._compose = compose
        self._clock = clock
        self._names = {info.name for info in commands.listed(self._account, "en")}

    async def close(self) -> None:
        """Give up answers that still wait."""
        await self._replies.close()

    async def handle(self, update: telegram.Update) -> None:
        """Handle one update of any kind."""
        if update.callback_query is not None:
            await self._on_callback_query(update.callback_query)
        elif update.inline_query is not None:
            await self._on_inline_query(update.inline_query)
        elif update.my_chat_member is not None:
            await self._on_membership(update.my_chat_member)
        elif update.channel_post is not None:
            await self._on_channel_post(update.channel_post)
        elif update.message is not None:
            await self._on_message(update.message)

    async def _on_message(self, message: telegram.Message) -> None:
        here = _chat(message)
        if message.migrate_to_chat_id is not None:
            await self._commands.moved(here.through(self._account), f"{ChatAddress(message.migrate_to_chat_id)}")
            return
        callback = self._callback_of(message)
        if callback is None:
            return
        if not here.is_shared and (named := _SETTINGS_OF_CHAT.fullmatch(callback.line)):
            await self._reply_with_named_settings(here, message.from_user, named[1])
            return
        requester = await self._requester(callback.about or here, message.from_user, message.sender_chat)
        if callback.about is None or requester.may_change:
            reply = await self._ask(requester, callback.line)
            is_done = message.location is not None and reply.ok and not any(each.is_value for each in reply.options)
            await self._reply(here, callback, reply, keys=telegram.ReplyKeyboardRemove() if is_done else None)

    def _callback_of(self, message: telegram.Message) -> Callback | None:
        """The command line in a message, and for which chat; None if the message is not for the bot."""
        shared, text = message.chat.type != ChatType.PRIVATE, (message.text or "").strip()
        if found := _COMMAND.fullmatch(text):
            line = self._line_of_command(found[1].lower(), found[2], found[3] or "", shared=shared)
            return None if line is None else Callback(line)
        if message.location is not None and not shared:
            return Callback(f"{CommandName.ZONE} {message.location.latitude:.4f},{message.location.longitude:.4f}")
        if text and (menu := self._menu_replied_to(message)):
            return Callback(f"{menu.line} {text}", about=menu.about)
        if shared:
            return None
        if not text:
            return Callback(CommandName.HELP)
        is_command = text.casefold() in self._names or _WITH_ARGUMENTS.fullmatch(text)
        return Callback(text if is_command else f"{CommandName.SEARCH} {text[:LONGEST_QUERY]}")

    def _line_of_command(self, name: str, mentioned: str | None, rest: str, *, shared: bool) -> str | None:
        if mentioned is not None and mentioned.casefold() != self._bot.username.casefold():
            return None
        if name == START:
            return line_of_payload(rest) or f"{CommandName.SUBSCRIBE} {rest}"
        if shared and name not in {*self._names, *ALIASES} and mentioned is None:
            return None  # another bot's
        return f"{ALIASES.get(name, name)} {rest}"

    def _menu_replied_to(self, message: telegram.Message) -> Callback | None:
        """The preference whose menu the message replies to in the reader's own words, such as a city."""
        menu = message.reply_to_message
        if menu is None or menu.reply_markup is None or menu.from_user is None or menu.from_user.id != self._bot.id:
            return None
        buttons = [button for row in menu.reply_markup.inline_keyboard for button in row]
        return menu_of([button.callback_data for button in buttons if isinstance(button.callback_data, str)])

    async def _on_callback_query(self, query: telegram.CallbackQuery) -> None:
        callback, message = await decode(query.data or "", self._memory), query.message
        if message is None or not callback.line:
            await self._answer_callback_query(query)
            return
        if message.chat.is_forum and not is_accessible(message):  # the topic is unknown, and General is another place
            requester = await self._requester(ChatAddress(message.chat.id), query.from_user, None)
            language = (await self._ask(requester, CommandName.HELP)).language
            await self._answer_callback_query(query, self._replies.too_old(language), alert=True)
            return
        here = _chat(message) if is_accessible(message) else ChatAddress(message.chat.id)
        requester = await self._requester(callback.about or here, query.from_user, None)
        changes_here = here.is_shared and not callback.new_message and callback.line.partition(" ")[0] not in READ_ONLY
        if not requester.may_change and (callback.about is not None or changes_here):
            # The refusal is shown to the one who pressed, and without details of the subscription.
            refusal = await self._ask(requester, CommandName.PAUSE)
            await self._answer_callback_query(query, refusal.says[0] if refusal.says else "", alert=True)
            return
        if callback.line == LOCATION:
            await self._answer_callback_query(query)
            if not here.is_shared:  # Telegram lets people send it to a bot in their own chat alone
                await self._replies.ask_for_location(here, (await self._ask(requester, CommandName.ZONE)).language)
            return
        reply = await self._ask(requester, callback.line)
        refused = not reply.ok and reply.says
        await self._answer_callback_query(query, reply.says[0] if refused else "", alert=here.is_shared)
        if refused and (here.is_shared or not (reply.options or reply.rows)):
            return
        edit = message if is_accessible(message) and not callback.new_message else None
        await self._reply(here, callback, reply, edit=edit)

    async def _answer_callback_query(
        self, query: telegram.CallbackQuery, text: str = "", *, alert: bool = False
    ) -> None:
        """End the progress shown on a pressed button, with a notice if there is a text."""
        notice = text if len(text) <= LONGEST_NOTICE else text[: LONGEST_NOTICE - 1] + "…"
        try:
            await query.answer(notice or None, show_alert=alert and bool(notice))
        except TelegramError as error:
            if not errors.mentions(error, *errors.QUERY_EXPIRED):
                log.info(
                    "callback query not answered", extra={"channel": self._account, "reason": errors.reason(error)}
                )

    async def _on_inline_query(self, query: telegram.InlineQuery) -> None:
        person = query.from_user
        requester = Requester(
            ChatAddress(person.id).through(self._account),
            person.language_code,
            rate_limit_key=f"telegram inline {person.id}",
        )
        reply = await self._ask(requester, inline.line_of(query.query, query.offset))
        found = inline.results(reply, self._compose)
        offset = inline.next_offset(reply.page)
        with suppress(BadRequest):  # every letter sends another query, and this one may be outdated
            await query.answer(
                found, cache_time=inline.CACHE_TIME if found else 0, is_personal=True, next_offset=offset
            )

    async def _on_membership(self, change: telegram.ChatMemberUpdated) -> None:
        """The bot was added, removed, or given other rights."""
        here, new = ChatAddress(change.chat.id), change.new_chat_member
        if not _is_member(new):
            await self._commands.gone(
                here.through(self._account), REMOVED if here.is_shared else BLOCKED, self._clock()
            )
            return
        if not here.is_shared:
            await self._commands.back(here.through(self._account))
            return
        if not _may_post(change.chat, new):
            return
        resumed = [
            await self._commands.permitted(here.through(self._account)),
            await self._commands.back(here.through(self._account)),
        ]
        could_post = _is_member(change.old_chat_member) and _may_post(change.chat, change.old_chat_member)
        if not could_post and not any(resumed):
            await self._greet(change, here)

    async def _greet(self, change: telegram.ChatMemberUpdated, here: ChatAddress) -> None:
        """Show the settings: in a group to all; of a channel, whose posts are for its readers, to who added the bot."""
        if change.chat.type == ChatType.CHANNEL:
            await self._memory.put(ADDED_BY.format(chat=here.id), f"{change.from_user.id}")
            await self._reply_with_settings_of(here, change.from_user)
            return
        requester = await self._requester(here, change.from_user, None)
        await self._replies.send(here, await self._ask(requester, CommandName.SETTINGS))

    async def _on_channel_post(self, post: telegram.Message) -> None:
        """A command posted in a channel is answered in the private chat of the one who added the bot."""
        found = _COMMAND.fullmatch((post.text or "").strip())
        person = await self._memory.get(ADDED_BY.format(chat=post.chat.id))
        if person is None or not found or found[1].lower() not in {START, CommandName.SETTINGS}:
            return
        with suppress(TelegramError):
            member = await self._bot.get_chat_member(post.chat.id, int(person))
            if member.status in ADMINISTRATORS:
                await self._reply_with_settings_of(ChatAddress(post.chat.id), member.user)

    async def _reply_with_named_settings(self, here: ChatAddress, person: telegram.User | None, named: str) -> None:
        """Show the settings of a named chat to its administrators; to others as if there were no such chat."""
        with suppress(TelegramError):
            found = await self._bot.get_chat(named if named.startswith("@") else int(named))
            chat = ChatAddress(found.id)
            if person is not None and found.type != ChatType.PRIVATE and await self._is_administrator(chat, person):
                await self._reply_with_settings_of(chat, person)
                return
        requester = await self._requester(here, person, None)
        await self._replies.send(here, await self._ask(requester, CommandName.SETTINGS))

    async def _reply_with_settings_of(self, chat: ChatAddress, person: telegram.User) -> None:
        """Show the settings of a group or channel in a person's private chat."""
        requester = Requester(chat.through(self._account), person.language_code, person=f"{person.id}")
        reply = await self._ask(requester, CommandName.SETTINGS)
        await self._replies.send(ChatAddress(person.id), reply, about=chat, title=await self._title(chat))

    async def _ask(self, requester: Requester, line: str) -> Reply:
        return await self._commands.ask(requester, line, self._clock())

    async def _reply(
        self,
        here: ChatAddress,
        callback: Callback,
        reply: Reply,
        *,
        edit: telegram.Message | None = None,
        keys: telegram.ReplyKeyboardRemove | None = None,
    ) -> None:
        title = "" if callback.about is None else await self._title(callback.about)
        await self._replies.send(
            here, reply, edit=edit, about=callback.about, title=title, callback=callback, keys=keys
        )

    async def _title(self, chat: ChatAddress) -> str:
        with suppress(TelegramError):
            return (await self._bot.get_chat(chat.id)).title or f"{chat}"
        return f"{chat}"

    async def _requester(
        self, chat: ChatAddress, person: telegram.User | None, sender: telegram.Chat | None
    ) -> Requester:
        locale = None if person is None else person.language_code
        if not chat.is_shared:
            return Requester(chat.through(self._account), locale)
        if sender is not None and sender.id == chat.id:  # an anonymous administrator
            return Requester(chat.through(self._account), locale, f"{chat.id}")
        name = f"{chat.id}" if person is None else f"{person.id}"
        return Requester(
            chat.through(self._account), locale, name, may_change=await self._is_administrator(chat, person)
        )

    async def _is_administrator(self, chat: ChatAddress, person: telegram.User | None) -> bool:
        """Whether a person runs a group or channel; False if that cannot be looked up."""
        if person is None:
            return False
        try:
            member = await self._bot.get_chat_member(chat.id, person.id)
        except TelegramError:
            return False
        return member.status in ADMINISTRATORS


def _may_post(chat: telegram.Chat, member: telegram.ChatMember) -> bool:
    if chat.type == ChatType.CHANNEL:
        return isinstance(member, telegram.ChatMemberAdministrator) and bool(member.can_post_messages)
    return not isinstance(member, telegram.ChatMemberRestricted) or member.can_send_messages


def _is_member(member: telegram.ChatMember) -> bool:
    return member.status in MEMBERS and not (isinstance(member, telegram.ChatMemberRestricted) and not member.is_member)


def is_accessible(message: telegram.MaybeInaccessibleMessage) -> TypeGuard[telegram.Message]:
    """Whether a message is known in full; of one that is too old its date is 0, and little else is told.

    https://core.telegram.org/bots/api#inaccessiblemessage. The class tells nothing: the library makes a `Message` of
    both.
    """
    return isinstance(message, telegram.Message) and message.date.timestamp() > 0


def _chat(message: telegram.Message) -> ChatAddress:
    is_topic = message.is_topic_message and message.chat.type != ChatType.PRIVATE
    return ChatAddress(message.chat.id, message.message_thread_id if is_topic else None)
