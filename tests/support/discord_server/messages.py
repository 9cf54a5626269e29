"""Messages in their current state, and how users see them."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from tests.support.discord_server.clock import stamp

if TYPE_CHECKING:
    from tests.support.discord_server.places import Channel, User

Json = dict[str, Any]

CROSSPOSTED, SUPPRESS_EMBEDS, EPHEMERAL, LOADING = 1, 1 << 2, 1 << 6, 1 << 7
SUPPRESS_NOTIFICATIONS, COMPONENTS_V2 = 1 << 12, 1 << 15
ROW, BUTTON, SELECT, LINK = 1, 2, 3, 5


@dataclass(frozen=True)
class Attachment:
    """A file that came with a message."""

    id: int
    name: str
    content: bytes
    description: str | None = None

    def json(self) -> Json:
        """The attachment as the API shows it."""
        url = f"https://cdn.example/attachments/{self.id}/{self.name}"
        said = {"description": self.description} if self.description is not None else {}
        return {
            "id": str(self.id),
            "filename": self.name,
            "size": len(self.content),
            "url": url,
            "proxy_url": url,
        } | said


@dataclass(eq=False, repr=False)
class Message:
    """One message, in its current state; what is said of it changes with every edit."""

    id: int
    channel: Channel
    author: User
    created_at: datetime
    content: str = ""
    embeds: list[Json] = field(default_factory=list)
    components: list[Json] = field(default_factory=list)
    attachments: list[Attachment] = field(default_factory=list)
    flags: int = 0
    nonce: str | int | None = None
    allowed_mentions: Json | None = None
    edited_at: datetime | None = None
    reference: Json | None = None
    interaction: Json | None = None
    """Metadata of the interaction that it answers."""
    by_webhook: int | None = None
    deleted: bool = False
    edits: int = 0

    def __repr__(self) -> str:
        return f"<Message {self.id} by {self.author.name}: {self.content[:60]!r}, {len(self.embeds)} embeds>"

    @property
    def ephemeral(self) -> bool:
        """Whether only the person who asked sees it."""
        return bool(self.flags & EPHEMERAL)

    @property
    def deferred(self) -> bool:
        """Whether it still says that the bot is thinking."""
        return bool(self.flags & LOADING)

    @property
    def silent(self) -> bool:
        """Whether nobody is notified."""
        return bool(self.flags & SUPPRESS_NOTIFICATIONS)

    @property
    def crossposted(self) -> bool:
        """Whether it was published to following channels."""
        return bool(self.flags & CROSSPOSTED)

    @property
    def files(self) -> dict[str, bytes]:
        """The attached files by name."""
        return {each.name: each.content for each in self.attachments}

    @property
    def interactive(self) -> list[Json]:
        """Every button and select, from the top."""
        return [each for each in walk(self.components) if each["type"] in {BUTTON, SELECT, 5, 6, 7, 8}]

    def json(self, *, seen: bool = True) -> Json:
        """The message as the API shows it; not `seen`: without what the intent for message content guards."""
        body: Json = {
            "id": str(self.id),
            "type": 20 if self.interaction and self.interaction["type"] == 2 else 0,
            "channel_id": str(self.channel.id),
            "author": self.author.json(),
            "content": self.content if seen else "",
            "embeds": [{"type": "rich"} | embed for embed in self.embeds] if seen else [],
            "components": self.components if seen else [],
            "attachments": [each.json() for each in self.attachments] if seen else [],
            "timestamp": stamp(self.created_at),
            "edited_timestamp": stamp(self.edited_at) if self.edited_at else None,
            "tts": False,
            "mention_everyone": False,
            "mentions": [],
            "mention_roles": [],
            "pinned": False,
            "flags": self.flags,
        }
        if self.nonce is not None:
            body["nonce"] = self.nonce
        if self.reference is not None:
            body["message_reference"] = self.reference
        if self.interaction is not None:
            body["interaction_metadata"] = self.interaction
        if self.by_webhook is not None:
            body |= {"webhook_id": str(self.by_webhook), "application_id": str(self.by_webhook)}
        return body

    def change(self, body: Json, files: list[Attachment], now: datetime) -> None:
        """Edit: what the body names is replaced, null empties it, the rest stays."""
        if "content" in body:
            self.content = (body["content"] or "").strip()
        if "embeds" in body:
            self.embeds = list(body["embeds"] or [])
        if "components" in body:
            self.components = numbered(body["components"] or [])
        if "attachments" in body:
            kept = {str(each["id"]) for each in body["attachments"] or []}
            self.attachments = [each for each in self.attachments if str(each.id) in kept]
        self.attachments += files
        if body.get("flags") is not None:
            fixed = EPHEMERAL | CROSSPOSTED | LOADING
            self.flags = self.flags & fixed | body["flags"] & ~fixed
        self.edited_at, self.edits = now, self.edits + 1


def walk(components: list[Json]) -> list[Json]:
    """All components with what is inside them, from the top."""
    found = []
    for each in components:
        found.append(each)
        found += walk(each.get("components") or [])
        for inner in (each.get("accessory"), each.get("component")):
            found += walk([inner] if inner else [])
    return found


def numbered(components: list[Json]) -> list[Json]:
    """Components with an id each, as Discord gives them out."""
    fresh = [_copy(each) for each in components]
    for number, each in enumerate(walk(fresh), start=1):
        each.setdefault("id", number)
    return fresh


def _copy(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _copy(each) for key, each in value.items()}
    return [_copy(each) for each in value] if isinstance(value, list) else value
