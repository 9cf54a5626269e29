"""Telegram as one bot sees it: chats, queries, files, the bot's own profile."""

import itertools
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tests.support.telegram_server.arguments import Upload
from tests.support.telegram_server.bell import Bell
from tests.support.telegram_server.chats import Chat, Heard, Member, Message, User
from tests.support.telegram_server.rates import Rates
from tests.support.telegram_server.updates import Update, Updates

MOST_QUERIES = 10_000  # that are remembered, newest first
QUERY_LIFE = 15.0  # seconds in which a tap or an inline query can be answered


@dataclass
class Query:
    """A tap on a button, or a question asked inline, waiting for its answer."""

    query_id: str
    chat: Chat  # of the person who asked
    asked: float
    answered: bool = False
    results: list[dict[str, Any]] = field(default_factory=list)


class World:
    """Everything that methods act upon, and nothing of how they are called."""

    def __init__(
        self, bot: User, *, clock: Callable[[], float] = time.monotonic, record: bool = True, everybody: bool = False
    ) -> None:
        self.bot, self.clock, self.record, self.everybody = bot, clock, record, everybody
        self.bell = Bell()
        self.updates = Updates(self.bell)
        self.rates: Rates | None = None
        self.rich = True
        self.privacy = not bot["can_read_all_group_messages"]
        self.query_life = QUERY_LIFE
        self.chats: dict[int, Chat] = {}
        self.queries: dict[str, Query] = {}
        self.inline_messages: dict[str, Message] = {}
        self.files: dict[str, Upload] = {}
        self.commands: dict[tuple[str, str], list[dict[str, str]]] = {}  # by scope (as JSON) and language
        self.descriptions: dict[tuple[str, str], str] = {}  # by name of the text and language
        self.chat_instance = "1735189465093402912"
        self._ids = itertools.count(1)  # of messages in private chats and basic groups, all counted together
        self._queries = itertools.count(4_611_686_018_427_387_904)

    def add(self, chat: Chat) -> Chat:
        if chat.chat_id in self.chats:
            raise ValueError(f"there is a chat {chat.chat_id} already")
        if chat.kind in {"private", "group"}:
            chat.number = self._ids
        self.chats[chat.chat_id] = chat
        return chat

    def find(self, wanted: str) -> Chat | None:
        """The chat with that id, or that @username."""
        if wanted.startswith("@"):
            named = (chat for chat in self.chats.values() if chat.username and chat.kind != "private")
            return next((chat for chat in named if f"@{chat.username}".lower() == wanted.lower()), None)
        try:
            number = int(wanted)
        except ValueError:
            return None
        chat = self.chats.get(number)
        if chat is None and self.everybody and number > 0:
            user = {"id": number, "is_bot": False, "first_name": f"Reader {number}", "language_code": "en"}
            chat = Chat(number, "private", user=user, started=True, number=self._ids)
        return chat

    def standing(self, chat: Chat) -> Member:
        """How the bot stands in a chat."""
        return chat.members.get(self.bot["id"]) or Member(self.bot)

    @property
    def bot_user(self) -> User:
        """The bot as others see it."""
        return {name: self.bot[name] for name in ("id", "is_bot", "first_name", "username")}

    @property
    def date(self) -> int:
        return int(time.time())

    def keep(self, message: Message) -> None:
        """A message of anybody's is there from now on."""
        message.when = self.clock()
        if self.record:
            message.chat.keep(message)

    def note(self, chat: Chat, kind: str, message: Message | None = None, **said: Any) -> None:
        """Something has reached the people of a chat."""
        if self.record:
            chat.note(Heard(kind, self.clock(), message, **said))
        self.bell.ring()

    def alert(self, kind: str, payload: dict[str, Any]) -> Update:
        return self.updates.add(kind, payload)

    def ask(self, chat: Chat) -> Query:
        """A new question to the bot from the person of that private chat."""
        query = Query(str(next(self._queries)), chat, self.clock())
        self.queries[query.query_id] = query
        if len(self.queries) > MOST_QUERIES:
            del self.queries[next(iter(self.queries))]
        return query

    def open_query(self, query_id: str) -> Query | None:
        """The question, if it can still be answered."""
        query = self.queries.get(query_id)
        if query is None or query.answered or self.clock() - query.asked > self.query_life:
            return None
        return query

    def expire_queries(self) -> None:
        """Nobody waits any more for an answer to what was tapped or asked so far."""
        self.queries.clear()
