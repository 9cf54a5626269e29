"""Interactions of users with the bot, and the responses (interactions/receiving-and-responding)."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any

from tests.support.discord_server.bell import Bell
from tests.support.discord_server.errors import RefusalError
from tests.support.discord_server.guilds import Guild
from tests.support.discord_server.messages import Json, Message, walk
from tests.support.discord_server.places import Channel, User

WORDS = 10
"""The type of components that are text to read."""
PING, COMMAND, COMPONENT, AUTOCOMPLETE, MODAL = 1, 2, 3, 4, 5
MESSAGE, THINKING, ACKNOWLEDGED, UPDATE, CHOICES, FORM = 4, 5, 6, 7, 8, 9
IN_GUILD, WITH_BOT, PRIVATE = 0, 1, 2
TO_ANSWER, LIFE = 3.0, 900.0
"""Seconds within which the first answer must come, and for which the token is good."""
FOLLOW_UPS = 5
"""How many messages may follow where the bot is only a user's app."""


class UnansweredError(AssertionError):
    """The bot did not respond in time."""


@dataclass(eq=False)
class Interaction:
    """One question of one person, from its event to the end of its token."""

    id: int
    kind: int
    token: str
    person: User
    channel: Channel
    asked_at: float
    """By the service's clock, in seconds."""
    bell: Bell
    in_guild: Guild | None = None
    data: Json = field(default_factory=dict)
    owners: dict[str, str] = field(default_factory=dict)
    """`authorizing_integration_owners`: "0" the guild's installation, "1" the user's."""
    context: int = IN_GUILD
    source: Message | None = None
    """The message whose component was used."""
    answer: int | None = None
    """The type of the first answer."""
    acknowledged_after: float | None = None
    """Seconds of real time until the first answer."""
    original: Message | None = None
    follow_ups: list[Message] = field(default_factory=list)
    choices: list[Json] | None = None
    form: Json | None = None
    _begun: float = field(default_factory=time.perf_counter)

    @property
    def only_user_installed(self) -> bool:
        """Whether the bot is not here itself."""
        return "0" not in self.owners

    def acknowledge(self, answer: int, now: float) -> None:
        """The first answer came; refuses a second, and one that comes too late."""
        if self.answer is not None:
            raise RefusalError(40060)
        if now - self.asked_at > TO_ANSWER:
            raise RefusalError(10062)
        self.answer, self.acknowledged_after = answer, time.perf_counter() - self._begun

    def admit_follow_up(self, now: float) -> None:
        """Refuses a message after the token's life, before the first answer, or one too many."""
        self.admit(now)
        if self.only_user_installed and len(self.follow_ups) >= FOLLOW_UPS:
            raise RefusalError(40094)

    def admit(self, now: float) -> None:
        """Refuses any use of the token after its life, or before the first answer."""
        if now - self.asked_at > LIFE:
            raise RefusalError(50027)
        if self.answer is None:
            raise RefusalError(10015)

    def metadata(self) -> Json:
        """What a message says about the interaction that it answers."""
        body = {
            "id": str(self.id),
            "type": self.kind,
            "user": self.person.json(),
            "authorizing_integration_owners": self.owners,
        }
        return body | ({"interacted_message_id": str(self.source.id)} if self.source else {})


@dataclass(eq=False)
class Reply:
    """What the person sees after an interaction; it goes on changing while the bot goes on answering."""

    interaction: Interaction
    edits_before: int = 0
    """How often the message whose component was used had been edited until then."""

    @property
    def message(self) -> Message:
        """The answer: the first message, or the one that was updated, or what followed an acknowledgement."""
        asked = self.interaction
        shown = asked.original
        if shown is None or shown.deleted or (asked.answer == ACKNOWLEDGED and asked.follow_ups and not self._updated):
            shown = asked.follow_ups[0] if asked.follow_ups else shown
        if shown is None:
            raise UnansweredError(f"no message: the answer's type was {asked.answer}")
        return shown

    @property
    def content(self) -> str:
        """The text of the answer."""
        return self.message.content

    @property
    def embeds(self) -> list[Json]:
        """Its embeds."""
        return self.message.embeds

    @property
    def components(self) -> list[Json]:
        """Its components, row by row."""
        return self.message.components

    @property
    def files(self) -> dict[str, bytes]:
        """Its files by name."""
        return self.message.files

    @property
    def ephemeral(self) -> bool:
        """Whether only the person sees it."""
        return self.message.ephemeral

    @property
    def deferred(self) -> bool:
        """Whether the bot first said that it is thinking, or acknowledged only."""
        return self.interaction.answer in (THINKING, ACKNOWLEDGED)

    @property
    def updated(self) -> bool:
        """Whether the answer changed the message whose component was used."""
        return self.interaction.source is not None and self.message is self.interaction.source

    @property
    def follow_ups(self) -> list[Message]:
        """The messages that followed."""
        return self.interaction.follow_ups

    @property
    def modal(self) -> Json:
        """The form that was opened."""
        if self.interaction.form is None:
            raise UnansweredError(f"no form: the answer's type was {self.interaction.answer}")
        return self.interaction.form

    @property
    def text(self) -> str:
        """Everything that is said: content, embeds and text components, top to bottom, line by line."""
        return said(self.message)

    def button(self, wanted: str) -> Json:
        """A button by its label or custom id."""
        return self._component(wanted, "label")

    def select(self, wanted: str) -> Json:
        """A select by its placeholder or custom id."""
        return self._component(wanted, "placeholder")

    def _component(self, wanted: str, name: str) -> Json:
        for each in self.message.interactive:
            if wanted in (each.get(name), each.get("custom_id")):
                return each
        raise UnansweredError(f"{wanted!r} is none of {[each.get(name) for each in self.message.interactive]}")

    @property
    def _updated(self) -> bool:
        asked = self.interaction
        return asked.original is not None and asked.original.edits > self.edits_before

    @property
    def settled(self) -> bool:
        """Whether the person sees an answer, and not just that there will be one."""
        asked = self.interaction
        if asked.answer in (CHOICES, FORM, MESSAGE, UPDATE):
            return True
        if asked.answer is None or (asked.original is None and not asked.follow_ups):
            return False
        return bool(asked.follow_ups) or (
            self._updated
            if asked.answer == ACKNOWLEDGED
            else asked.original is not None and not asked.original.deferred
        )

    async def more(self, count: int = 1, *, limit: float = 10) -> list[Message]:
        """Wait until that many messages followed, and return them all."""
        await self._until(lambda: len(self.follow_ups) >= count, f"{count} messages to follow", limit)
        return self.follow_ups

    async def edited(self, count: int = 1, *, limit: float = 10) -> Message:
        """Wait until the answer was edited so often, and return it."""
        await self._until(lambda: self.message.edits >= count, f"{count} edits", limit)
        return self.message

    async def settle(self, limit: float) -> Reply:
        """Wait until the person sees an answer."""
        await self._until(lambda: self.settled, "an answer", limit)
        return self

    async def _until(self, holds: Any, what: str, limit: float) -> None:
        try:
            await self.interaction.bell.until(holds, limit=limit)
        except TimeoutError:
            asked = self.interaction
            first = f"the first answer's type was {asked.answer}" if asked.answer else "nothing was answered"
            raise UnansweredError(f"waited {limit:g} s for {what}: {first}; asked: {asked.data}") from None


def said(message: Message) -> str:
    """All words of a message, top to bottom, line by line."""
    lines: list[str | None] = [message.content]
    for embed in message.embeds:
        lines += [(embed.get("author") or {}).get("name"), embed.get("title"), embed.get("description")]
        for each in embed.get("fields") or []:
            lines += [each["name"], each["value"]]
        lines.append((embed.get("footer") or {}).get("text"))
    lines += [each["content"] for each in walk(message.components) if each["type"] == WORDS]
    return "\n".join(line for line in lines if line)
