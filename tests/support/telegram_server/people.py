"""People, and what they do to a bot: write, tap, ask, come, leave. Each act is told to the bot as an update."""

from typing import TYPE_CHECKING, Any

from tests.support.telegram_server.arguments import Upload
from tests.support.telegram_server.bell import LIMIT
from tests.support.telegram_server.chats import Chat, Heard, Message, Topic, User
from tests.support.telegram_server.keyboard import asks_for_location
from tests.support.telegram_server.text import find_entities
from tests.support.telegram_server.updates import Update
from tests.support.telegram_server.world import Query, World

if TYPE_CHECKING:
    from tests.support.telegram_server.places import Place


class Resident:
    """A chat with its world: what was said in it, and waiting for what comes next."""

    def __init__(self, world: World, chat: Chat) -> None:
        self.world, self.chat = world, chat

    @property
    def chat_id(self) -> int:
        return self.chat.chat_id

    @property
    def messages(self) -> list[Message]:
        """What the bot said here and did not delete, as it stands now."""
        return self.chat.messages

    @property
    def history(self) -> list[Heard]:
        """All that reached the people here, in order, as it was."""
        return self.chat.history

    async def hears(self, kind: str | None = None, limit: float = LIMIT) -> Heard:
        """The next thing that reaches the people here and was not asked about before, skipping other kinds.

        Raises TimeoutError after the limit, in seconds.
        """

        def look() -> Heard | None:
            while (heard := self.chat.next_heard()) and kind not in {None, heard.kind}:
                pass
            return heard

        return await self.world.bell.until(look, lambda: f"chat {self.chat_id} heard no {kind or 'thing'}", limit)


class Person(Resident):
    """Somebody with a private chat with the bot. What they do may happen in another place too, `to` or `topic`."""

    def __init__(self, world: World, chat: Chat, user: User) -> None:
        super().__init__(world, chat)
        self.user = user
        self.inline: Query | None = None  # what was asked inline last

    async def writes(self, text: str, *, to: "Place | None" = None, topic: Topic | None = None) -> Update:
        """Say something, by default to the bot alone. Empty if the bot is not told, as in a group with privacy."""
        return self._say(_place(to, topic), topic, text=text, entities=find_entities(text))

    async def replies(self, message: Message, text: str) -> Update:
        topic = message.chat.topics.get(message.thread or 0)
        entities = find_entities(text)
        return self._say(None, topic, text=text, entities=entities, reply_to=message, chat=message.chat)

    async def sends_location(self, latitude: float, longitude: float) -> Update:
        return self._say(None, None, media={"location": {"latitude": latitude, "longitude": longitude}})

    async def presses_location_key(self, latitude: float, longitude: float) -> Update:
        """Press the key that sends where they are, as an app hides it then. Raises LookupError if there is none."""
        if not asks_for_location(self.chat.keys):
            raise LookupError("no key sends a location")
        return await self.sends_location(latitude, longitude)

    async def sends_file(self, name: str, content: bytes, content_type: str = "text/plain") -> Update:
        """Send a document, which the bot may fetch by getFile."""
        file_id = f"sent-{len(self.world.files) + 1}"
        self.world.files[file_id] = Upload(name, content, content_type)
        document: dict[str, Any] = {"file_id": file_id, "file_unique_id": f"u{file_id}", "file_name": name}
        document |= {"mime_type": content_type, "file_size": len(content)}
        return self._say(None, None, media={"document": document})

    async def taps(self, message: Message, wanted: str, *, accessible: bool = True) -> Update:
        """Tap the button with that data or label under a message. Empty for a button that only opens something.

        Of a message that is not `accessible`, being too old, the bot is told the chat and the id alone.

        Raises LookupError if there is no such button, or no such message any more.
        """
        button = message.button(wanted)
        if message.inline_message_id:
            current: Message | None = self.world.inline_messages.get(message.inline_message_id)
        else:
            current = message.chat.find(message.message_id)
        if current is None:
            raise LookupError(f"message {message.message_id} is not there any more")
        if "callback_data" not in button:
            return {}
        query = self.world.ask(self.chat)
        tap: dict[str, Any] = {"id": query.query_id, "from": self.user, "chat_instance": self.world.chat_instance}
        if current.inline_message_id:
            tap["inline_message_id"] = current.inline_message_id
        else:
            told = current.json()
            tap["message"] = told if accessible else {"chat": told["chat"], "message_id": told["message_id"], "date": 0}
        return self.world.alert("callback_query", tap | {"data": button["callback_data"]})

    async def asks_inline(self, query: str, *, offset: str = "") -> Update:
        """Type @bot and a question, wherever they are."""
        self.inline = self.world.ask(self.chat)
        asked = {"id": self.inline.query_id, "from": self.user, "query": query, "offset": offset}
        update = self.world.alert("inline_query", asked | {"chat_type": "sender"})
        self._asked = query
        return update

    async def chooses_inline(self, result_id: str, *, to: "Place | None" = None) -> Message:
        """Take one of the results of what was asked inline last: it is said, by them, through the bot.

        Raises LookupError if that result was not among the answers.
        """
        results = self.inline.results if self.inline else []
        found = next((result for result in results if result["id"] == result_id), None)
        if found is None:
            raise LookupError(f"no inline result {result_id!r}; there are {[result['id'] for result in results]}")
        chat = to.chat if to else self.chat
        message = Message(
            chat, chat.take_id(), self.world.date, self.user, via_bot=self.world.bot_user, **found["sends"]
        )
        chosen = {"result_id": result_id, "from": self.user, "query": self._asked}
        if message.markup:
            message.inline_message_id = f"inline-{len(self.world.inline_messages) + 1}"
            self.world.inline_messages[message.inline_message_id] = message
            chosen["inline_message_id"] = message.inline_message_id
        self.world.keep(message)
        self.world.alert("chosen_inline_result", chosen)
        return message

    async def blocks_bot(self) -> Update:
        self.chat.blocked = True
        return self._change("member", "kicked")

    async def unblocks_bot(self) -> Update:
        self.chat.blocked = False
        return self._change("kicked", "member")

    async def leaves_telegram(self) -> None:
        """The account is gone; the bot is told nothing."""
        self.chat.deactivated = True

    def _change(self, old: str, new: str) -> Update:
        bot = self.world.bot_user
        change = {"chat": self.chat.json(), "from": self.user, "date": self.world.date}
        standings = [{"status": status, "user": bot} for status in (old, new)]
        kicked = {"until_date": 0}
        before, after = ({**each, **kicked} if each["status"] == "kicked" else each for each in standings)
        return self.world.alert("my_chat_member", change | {"old_chat_member": before, "new_chat_member": after})

    def _say(self, place: "Place | None", topic: Topic | None, *, chat: Chat | None = None, **content: Any) -> Update:
        chat = chat or (place.chat if place else self.chat)
        if chat is self.chat:
            if chat.blocked:
                raise ValueError(f"{self.user['first_name']} has blocked the bot, and cannot write to it")
            chat.started = True
        elif chat.kind != "channel" and not chat.member(self.user).inside:
            chat.member(self.user).status = "member"
        thread = topic.thread_id if topic else None
        sender = None if chat.kind == "channel" else self.user
        message = Message(chat, chat.take_id(), self.world.date, sender, thread=thread, **content)
        self.world.keep(message)
        if not self._told(chat, message):
            return {}
        return self.world.alert("channel_post" if chat.kind == "channel" else "message", message.json())

    def _told(self, chat: Chat, message: Message) -> bool:
        """Whether the bot is told, by the rules of core.telegram.org/bots/features#privacy-mode."""
        if chat.kind == "private":
            return True
        standing = self.world.standing(chat)
        if not standing.inside:
            return False
        if not self.world.privacy or standing.status == "administrator":
            return True
        name = f"@{self.world.bot['username']}".lower()
        command = message.text.partition(" ")[0].lower() if message.text.startswith("/") else ""
        meant = command.endswith(name) if "@" in command else bool(command)
        return meant or bool(message.reply_to and message.reply_to.from_bot)


def _place(to: "Place | None", topic: Topic | None) -> "Place | None":
    if topic and not to:
        raise ValueError("a topic is in a group: say which, with `to`")
    return to
