"""Chats, their members and topics, and messages as the people in them see them."""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

User = dict[str, Any]

SEND_RIGHTS = (
    *("can_send_messages", "can_send_audios", "can_send_documents", "can_send_photos", "can_send_videos"),
    *("can_send_video_notes", "can_send_voice_notes", "can_send_polls", "can_send_other_messages"),
    *("can_add_web_page_previews", "can_react_to_messages", "can_edit_tag", "can_change_info", "can_invite_users"),
    *("can_pin_messages", "can_manage_topics"),
)
ADMIN_RIGHTS = (
    *("can_be_edited", "is_anonymous", "can_manage_chat", "can_delete_messages", "can_manage_video_chats"),
    *("can_restrict_members", "can_promote_members", "can_change_info", "can_invite_users", "can_post_stories"),
    *("can_edit_stories", "can_delete_stories"),
)


@dataclass
class Message:
    """A message as it stands now; `html` is the markup it was sent as."""

    chat: "Chat" = field(repr=False)
    message_id: int
    date: int
    sender: User | None  # None: a channel's post
    from_bot: bool = False
    text: str = ""  # or the caption
    entities: list[dict[str, Any]] = field(default_factory=list)
    html: str = ""
    markup: dict[str, Any] | None = None
    preview: dict[str, Any] | None = None
    media: dict[str, Any] = field(default_factory=dict)  # {"photo": […]}, {"document": {…}}, {"audio": {…}}, …
    rich: dict[str, Any] | None = None
    thread: int | None = None
    reply_to: "Message | None" = None
    silent: bool = False
    protected: bool = False
    via_bot: User | None = None
    inline_message_id: str | None = None
    edits: int = 0
    edit_date: int | None = None
    deleted: bool = False
    when: float = 0  # of the monotonic clock, when it came or was last changed

    @property
    def keyboard(self) -> list[list[dict[str, Any]]]:
        """The rows of buttons under it."""
        rows: list[list[dict[str, Any]]] = (self.markup or {}).get("inline_keyboard", [])
        return rows

    @property
    def buttons(self) -> list[dict[str, Any]]:
        return list(itertools.chain.from_iterable(self.keyboard))

    @property
    def labels(self) -> list[str]:
        return [button["text"] for button in self.buttons]

    def button(self, wanted: str) -> dict[str, Any]:
        """The button with that data, or else that label. Raises LookupError, naming those there are."""
        for name in ("callback_data", "text"):
            for button in self.buttons:
                if button.get(name) == wanted:
                    return button
        raise LookupError(f"no button {wanted!r} under {self.text[:60]!r}; there are {self.labels}")

    def json(self, *, replied: bool = True) -> dict[str, Any]:
        """The Message object, without what it replies to if `replied` is off."""
        said: dict[str, Any] = {"message_id": self.message_id, "date": self.date, "chat": self.chat.json()}
        if self.sender:
            said["from"] = self.sender
        if self.chat.kind == "channel":
            said["sender_chat"] = self.chat.json()
        body: dict[str, Any] = {"caption": self.text, "caption_entities": self.entities} if self.media else {}
        body = body or {"text": self.text, "entities": self.entities}
        if self.rich:
            body = {"rich_message": {"blocks": [{"type": "paragraph", "text": self.text}]}}
        options = body | self.media
        options |= {"link_preview_options": self.preview, "edit_date": self.edit_date, "via_bot": self.via_bot}
        options |= {"has_protected_content": self.protected or None, "message_thread_id": self.thread}
        options |= {"is_topic_message": True} if self.thread and self.chat.is_forum else {}
        options |= {"reply_markup": self.markup} if self.keyboard else {}
        if self.reply_to and replied:
            options["reply_to_message"] = self.reply_to.json(replied=False)
        return said | {name: value for name, value in options.items() if value not in (None, [], "")}


@dataclass(frozen=True)
class Heard:
    """Something that reached people: a `message`, an `edit`, a `deletion`, an `answer` to a tap, `inline` results."""

    kind: str
    when: float
    message: Message | None = None  # as it was then
    text: str = ""
    alert: bool = False
    url: str = ""
    results: list[dict[str, Any]] = field(default_factory=list)
    options: dict[str, Any] = field(default_factory=dict)  # the other arguments of inline results


@dataclass
class Topic:
    """A topic of a forum. General is no topic here: it has no thread id."""

    chat: "Chat" = field(repr=False)
    thread_id: int
    name: str
    state: str = "open"  # closed, deleted

    def close(self) -> None:
        self.state = "closed"

    def delete(self) -> None:
        self.state = "deleted"

    def reopen(self) -> None:
        self.state = "open"


@dataclass
class Member:
    """How somebody stands in a chat: a status of core.telegram.org/bots/api#chatmember, and rights that differ."""

    user: User
    status: str = "left"
    rights: dict[str, bool] = field(default_factory=dict)

    def json(self, kind: str) -> dict[str, Any]:
        said: dict[str, Any] = {"status": self.status, "user": self.user}
        if self.status == "creator":
            said["is_anonymous"] = False
        elif self.status == "administrator":
            said |= dict.fromkeys(ADMIN_RIGHTS, False) | {"can_manage_chat": True}
            said |= {"can_post_messages": False, "can_edit_messages": False} if kind == "channel" else {}
            said |= {"can_pin_messages": False} if kind != "channel" else {}
            said |= {"can_manage_topics": False} if kind == "supergroup" else {}
            said |= self.rights
        elif self.status == "restricted":
            said |= {"is_member": True} | dict.fromkeys(SEND_RIGHTS, True) | {"until_date": 0} | self.rights
        elif self.status == "kicked":
            said["until_date"] = 0
        return said

    def may(self, right: str) -> bool:
        """Whether a right is theirs; a mere member's are the chat's to give."""
        if self.status == "creator":
            return True
        if self.status == "administrator":
            return self.rights.get(right, right in SEND_RIGHTS[:10])
        return self.rights.get(right, True) if self.status == "restricted" else self.status == "member"

    @property
    def inside(self) -> bool:
        return self.status in {"creator", "administrator", "member", "restricted"}


@dataclass(repr=False)
class Chat:
    """A chat as it stands: what was said, who is in it, what is forbidden in it."""

    chat_id: int
    kind: str  # private, group, supergroup, channel
    title: str = ""
    username: str | None = None
    is_forum: bool = False
    user: User | None = None  # of a private chat
    members: dict[int, Member] = field(default_factory=dict)
    permissions: dict[str, bool] = field(default_factory=lambda: dict.fromkeys(SEND_RIGHTS, True))
    topics: dict[int, Topic] = field(default_factory=dict)
    history: list[Heard] = field(default_factory=list)
    general_closed: bool = False
    write_forbidden: bool = False  # answered with the server's own bare CHAT_WRITE_FORBIDDEN
    deleted: bool = False
    migrated_to: int | None = None
    started: bool = False  # a private chat in which the bot may speak
    blocked: bool = False
    deactivated: bool = False
    actions: list[str] = field(default_factory=list)
    keys: dict[str, Any] | None = None  # the keyboard that stands in place of the phone's own
    number: Iterator[int] = field(default_factory=lambda: itertools.count(1))  # of the next message
    _all: dict[int, Message] = field(default_factory=dict)
    _heard: int = 0

    @property
    def messages(self) -> list[Message]:
        """What the bot said here, as it stands now, without what was deleted."""
        return [message for message in self.everything if message.from_bot]

    @property
    def everything(self) -> list[Message]:
        """What anybody said here."""
        return [message for message in self._all.values() if not message.deleted]

    @property
    def last(self) -> Message:
        """The newest message of the bot. Raises IndexError if there is none."""
        return self.messages[-1]

    def find(self, message_id: int) -> Message | None:
        message = self._all.get(message_id)
        return None if message is None or message.deleted else message

    def keep(self, message: Message) -> None:
        self._all[message.message_id] = message

    def take_id(self) -> int:
        return next(self.number)

    def note(self, heard: Heard) -> None:
        """Write down what reached the people here, with the message as it is at this moment."""
        message = heard.message
        self.history.append(replace(heard, message=replace(message) if message else None))

    def next_heard(self) -> Heard | None:
        """What came first of all that nobody has asked about yet."""
        if self._heard >= len(self.history):
            return None
        self._heard += 1
        return self.history[self._heard - 1]

    def __repr__(self) -> str:
        return f"<{self.kind} chat {self.chat_id}>"

    def member(self, user: User) -> Member:
        return self.members.setdefault(user["id"], Member(user))

    def json(self) -> dict[str, Any]:
        said: dict[str, Any] = {"id": self.chat_id, "type": self.kind}
        if self.user:
            names = ("first_name", "last_name", "username")
            return said | {name: self.user[name] for name in names if self.user.get(name)}
        said["title"] = self.title
        if self.username:
            said["username"] = self.username
        return said | ({"is_forum": True} if self.is_forum else {})
