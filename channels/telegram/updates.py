"""What people do in Telegram, as requests: they write, press, ask inline, let the bot in and throw it out."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime

from telegram import (
    Bot,
    CallbackQuery,
    Chat,
    ChatMember,
    ChatMemberAdministrator,
    ChatMemberRestricted,
    ChatMemberUpdated,
    InlineQuery,
    Message,
    Update,
    User,
)
from telegram.constants import ChatType
from telegram.error import BadRequest, TelegramError

from bot.channel import Command, Commands, Memory, Page, Pause, Requester, ShowSettings, written
from bot.model import Address
from channels.telegram import errors, inline
from channels.telegram.callbacks import SHOWING, Callback, followed, released
from channels.telegram.chats import ChatAddress
from channels.telegram.message import TelegramMessage
from channels.telegram.replies import Replies
from channels.telegram.reply_layout import menu_of

log = logging.getLogger(__name__)

LONGEST_POP_UP = 200
"""Characters of the answer to a press: https://core.telegram.org/bots/api#answercallbackquery."""
LONGEST_QUERY = 200
RUNS_IT = {ChatMember.OWNER, ChatMember.ADMINISTRATOR}
INSIDE = {*RUNS_IT, ChatMember.MEMBER, ChatMember.RESTRICTED}
SHUT = "the reader has blocked the bot"
THROWN_OUT = "the bot was removed"
ALIASES = {"stop": Command.UNSUBSCRIBE}
START = "start"
SETTER = "setter {chat}"
"""The memory's key for who let the bot into a channel, where nobody can be answered."""
_CHANNEL = re.compile(rf"{Command.SETTINGS} (@[A-Za-z0-9_]{{4,32}}|-[1-9]\d{{5,18}})", re.ASCII)
"""Settings of a channel or group that is named."""
_PLAIN = re.compile(
    rf"(?:{'|'.join(Command)})"
    r"|(?:date|week|month|top|why|time|count|votes|pause) [\d:./+W-]+"
    r"|(?:search|paper|zone|help) .+",
    re.IGNORECASE | re.DOTALL,
)
"""What is taken for a command though it has no slash: a command alone, or with what nobody would search for."""
_COMMAND = re.compile(r"/([a-z_]{1,32})(?:@([a-z0-9_]{1,64}))?(?:\s+(.*))?", re.DOTALL | re.IGNORECASE)


class UpdateHandler:
    """Handles updates, one at a time for each chat."""

    def __init__(
        self,
        bot: Bot,
        commands: Commands,
        memory: Memory,
        replies: Replies,
        compose: Callable[[Page], TelegramMessage],
        *,
        clock: Callable[[], datetime],
    ) -> None:
        self._clock = clock
        self._bot = bot
        self._commands = commands
        self._memory = memory
        self._compose = compose
        self._replies = replies

    async def handle(self, update: Update) -> None:
        """Do what an update asks for."""
        if update.callback_query is not None:
            await self._pressed(update.callback_query)
        elif update.inline_query is not None:
            await self._asked_inline(update.inline_query)
        elif update.my_chat_member is not None:
            await self._stands_otherwise(update.my_chat_member)
        elif update.channel_post is not None:
            await self._posted(update.channel_post)
        elif update.message is not None:
            await self._wrote(update.message)

    async def _wrote(self, message: Message) -> None:
        here = _place(message)
        if message.migrate_to_chat_id is not None:
            await self._commands.moved(_address(here), f"{ChatAddress(message.migrate_to_chat_id)}")
            return
        asked = self._asked_by(message)
        if asked is None:
            return
        if not here.is_shared and (named := _CHANNEL.fullmatch(asked.line)):
            await self._show_named(here, message.from_user, named[1])
            return
        requester = await self._requester(asked.of or here, message.from_user, message.sender_chat)
        if asked.of is not None and not requester.may_change:
            return
        answer = await self._commands.ask(requester, asked.line, self._clock())
        title = await self._title(asked.of) if asked.of is not None else ""
        await self._replies.say(here, answer, of=asked.of, title=title, asked=asked.line)

    def _asked_by(self, message: Message) -> Callback | None:
        """What is asked by a message, and for which place; None where it is none of the bot's business."""
        shared, text = message.chat.type != ChatType.PRIVATE, (message.text or "").strip()
        if found := _COMMAND.fullmatch(text):
            line = self._command(found[1].lower(), found[2], found[3] or "", shared=shared)
            return None if line is None else Callback(line)
        if message.location is not None and not shared:
            return Callback(f"{Command.ZONE} {message.location.latitude:.4f},{message.location.longitude:.4f}")
        if text and (menu := self._menu_replied_to(message)):
            return Callback(f"{menu.line} {text}", of=menu.of)
        if shared:
            return None
        if not text:
            return Callback(Command.HELP)
        return Callback(text if _PLAIN.fullmatch(text) else f"{Command.SEARCH} {text[:LONGEST_QUERY]}")

    def _command(self, name: str, mentioned: str | None, rest: str, *, shared: bool) -> str | None:
        if mentioned is not None and mentioned.casefold() != self._bot.username.casefold():
            return None
        if name == START:
            return followed(rest) or f"{Command.SUBSCRIBE} {rest}"
        if shared and name not in {*Command, *ALIASES} and mentioned is None:
            return None  # another bot's
        return f"{ALIASES.get(name, name)} {rest}"

    def _menu_replied_to(self, message: Message) -> Callback | None:
        """The preference whose menu somebody answers in their own words, such as a city."""
        menu = message.reply_to_message
        if menu is None or menu.reply_markup is None or menu.from_user is None or menu.from_user.id != self._bot.id:
            return None
        keys = [key for row in menu.reply_markup.inline_keyboard for key in row]
        return menu_of([key.callback_data for key in keys if isinstance(key.callback_data, str)])

    async def _pressed(self, query: CallbackQuery) -> None:
        callback, message = await released(query.data or "", self._memory), query.message
        if message is None or not callback.line:
            await self._pop_up(query)
            return
        if not isinstance(message, Message) and message.chat.is_forum:  # nobody knows of which topic it was
            await self._pop_up(query)
            return
        here = _place(message) if isinstance(message, Message) else ChatAddress(message.chat.id)
        requester = await self._requester(callback.of or here, query.from_user, None)
        changes_here = here.is_shared and not callback.apart and callback.line.partition(" ")[0] not in SHOWING
        if not requester.may_change and (callback.of is not None or changes_here):
            # What one person may not do is nobody else's business, nor is it theirs to see.
            refusal = await self._commands.ask(requester, written(Pause()), self._clock())
            await self._pop_up(query, refusal.says[0] if refusal.says else "", alert=True)
            return
        answer = await self._commands.ask(requester, callback.line, self._clock())
        refused = not answer.ok and answer.says
        await self._pop_up(query, answer.says[0] if refused else "", alert=here.is_shared)
        if refused and (here.is_shared or not (answer.options or answer.rows)):
            return
        instead = message if isinstance(message, Message) and not callback.apart else None
        title = await self._title(callback.of) if callback.of is not None else ""
        await self._replies.say(here, answer, instead=instead, of=callback.of, title=title, asked=callback.line)

    async def _pop_up(self, query: CallbackQuery, says: str = "", *, alert: bool = False) -> None:
        """End the waiting that a press shows; a press that waited too long shows none any more."""
        shown = says if len(says) <= LONGEST_POP_UP else says[: LONGEST_POP_UP - 1] + "…"
        try:
            await query.answer(shown or None, show_alert=alert and bool(shown))
        except TelegramError as error:
            if not errors.says(error, *errors.TOO_LATE):
                log.info("press not ended", extra={"channel": "telegram", "reason": errors.reason(error)})

    async def _asked_inline(self, query: InlineQuery) -> None:
        person = query.from_user
        requester = Requester(
            Address("telegram", f"{person.id}"), person.language_code, counted_as=f"telegram inline {person.id}"
        )
        answer = await self._commands.ask(requester, inline.line_of(query.query, query.offset), self._clock())
        found = inline.results(answer, self._compose)
        follows = inline.offset_of(answer.page)
        with suppress(BadRequest):  # it is asked anew with every letter, and may be too old by now
            await query.answer(found, cache_time=inline.CACHED if found else 0, is_personal=True, next_offset=follows)

    async def _stands_otherwise(self, change: ChatMemberUpdated) -> None:
        """The bot was let in, thrown out, or given other rights."""
        here, new = ChatAddress(change.chat.id), change.new_chat_member
        address = _address(here)
        if not _is_inside(new):
            await self._commands.gone(address, THROWN_OUT if here.is_shared else SHUT, self._clock())
            return
        if not here.is_shared:
            await self._commands.back(address)
            return
        if not _may_post(change.chat, new):
            return
        again = [await self._commands.permitted(address), await self._commands.back(address)]
        was_in = _is_inside(change.old_chat_member) and _may_post(change.chat, change.old_chat_member)
        if not was_in and not any(again):
            await self._greet(change, here)

    async def _greet(self, change: ChatMemberUpdated, here: ChatAddress) -> None:
        """Say how it goes on: in a group to all; of a channel, whose posts are for its readers, to who let us in."""
        if change.chat.type == ChatType.CHANNEL:
            await self._memory.put(SETTER.format(chat=here.chat), f"{change.from_user.id}")
            await self._show_panel(here, change.from_user)
            return
        requester = await self._requester(here, change.from_user, None)
        await self._replies.say(here, await self._commands.ask(requester, written(ShowSettings()), self._clock()))

    async def _posted(self, post: Message) -> None:
        """A command in a channel is answered to who let the bot in there, in their own chat with it."""
        found = _COMMAND.fullmatch((post.text or "").strip())
        setter = await self._memory.get(SETTER.format(chat=post.chat.id))
        if setter is None or not found or found[1].lower() not in {START, Command.SETTINGS}:
            return
        with suppress(TelegramError):
            member = await self._bot.get_chat_member(post.chat.id, int(setter))
            if member.status in RUNS_IT:
                await self._show_panel(ChatAddress(post.chat.id), member.user)

    async def _show_named(self, here: ChatAddress, person: User | None, named: str) -> None:
        """The panel of a channel or group that somebody names who runs it; to others it is as if it were not there."""
        with suppress(TelegramError):
            chat = await self._bot.get_chat(named if named.startswith("@") else int(named))
            if person is not None and chat.type != ChatType.PRIVATE and await self._runs(ChatAddress(chat.id), person):
                await self._show_panel(ChatAddress(chat.id), person)
                return
        requester = await self._requester(here, person, None)
        await self._replies.say(here, await self._commands.ask(requester, written(ShowSettings()), self._clock()))

    async def _show_panel(self, channel: ChatAddress, person: User) -> None:
        requester = Requester(_address(channel), person.language_code, person=f"{person.id}")
        answer = await self._commands.ask(requester, written(ShowSettings()), self._clock())
        await self._replies.say(ChatAddress(person.id), answer, of=channel, title=await self._title(channel))

    async def _title(self, place: ChatAddress) -> str:
        with suppress(TelegramError):
            return (await self._bot.get_chat(place.chat)).title or f"{place}"
        return f"{place}"

    async def _requester(self, place: ChatAddress, person: User | None, sender: Chat | None) -> Requester:
        locale = None if person is None else person.language_code
        if not place.is_shared:
            return Requester(_address(place), locale)
        if sender is not None and sender.id == place.chat:  # an admin who stays anonymous
            return Requester(_address(place), locale, f"{place.chat}")
        known = f"{place.chat}" if person is None else f"{person.id}"
        return Requester(_address(place), locale, known, may_change=await self._runs(place, person))

    async def _runs(self, place: ChatAddress, person: User | None) -> bool:
        """Whether a person runs a group or channel."""
        if person is None:
            return False
        try:
            member = await self._bot.get_chat_member(place.chat, person.id)
        except TelegramError:  # who cannot be looked up changes nothing
            return False
        return member.status in RUNS_IT


def _may_post(chat: Chat, member: ChatMember) -> bool:
    if chat.type == ChatType.CHANNEL:
        return isinstance(member, ChatMemberAdministrator) and bool(member.can_post_messages)
    return not isinstance(member, ChatMemberRestricted) or member.can_send_messages


def _is_inside(member: ChatMember) -> bool:
    return member.status in INSIDE and not (isinstance(member, ChatMemberRestricted) and not member.is_member)


def _place(message: Message) -> ChatAddress:
    is_topic = message.is_topic_message and message.chat.type != ChatType.PRIVATE
    return ChatAddress(message.chat.id, message.message_thread_id if is_topic else None)


def _address(place: ChatAddress) -> Address:
    return Address("telegram", f"{place}")
