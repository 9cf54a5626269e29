"""Groups and channels, and what people do in them: the bot is added, given rights, thrown out; topics come and go."""

from typing import Any

from tests.support.telegram_server.admission import GENERAL
from tests.support.telegram_server.chats import Chat, Topic, User
from tests.support.telegram_server.membership import change_standing
from tests.support.telegram_server.people import Person, Resident
from tests.support.telegram_server.updates import Update


class Place(Resident):
    """A group, a supergroup or a channel."""

    async def adds(self, person: Person, status: str = "member", **rights: bool) -> None:
        """Somebody comes in, or stands otherwise from now on: creator, administrator, member, restricted, left, …"""
        member = self.chat.member(person.user)
        old = member.json(self.chat.kind)
        member.status, member.rights = status, rights
        change = {"chat": self.chat.json(), "from": person.user, "date": self.world.date, "old_chat_member": old}
        if self.world.standing(self.chat).status == "administrator":
            self.world.alert("chat_member", change | {"new_chat_member": member.json(self.chat.kind)})

    async def adds_bot(self, by: Person, status: str = "member", **rights: bool) -> Update:
        """The bot is added; to a channel only as an administrator, with the rights that are named."""
        if self.chat.kind == "channel" and status == "member":
            status, rights = "administrator", {"can_post_messages": True} | rights
        came = not self.world.standing(self.chat).inside
        update = change_standing(self.world, self.chat, status, by=by.user, **rights)
        if came and self.chat.kind != "channel":
            self._service(self.chat, by.user, new_chat_members=[self.world.bot_user])
        return update

    async def promotes_bot(self, by: Person, **rights: bool) -> Update:
        return change_standing(self.world, self.chat, "administrator", by=by.user, **rights)

    async def demotes_bot(self, by: Person) -> Update:
        return change_standing(self.world, self.chat, "member", by=by.user)

    async def restricts_bot(self, by: Person, **rights: bool) -> Update:
        return change_standing(self.world, self.chat, "restricted", by=by.user, **rights)

    async def removes_bot(self, by: Person) -> Update:
        return change_standing(self.world, self.chat, "kicked", by=by.user)

    async def migrates(self) -> "Place":
        """A basic group becomes a supergroup under another id; both chats tell the bot so."""
        if self.chat.kind != "group":
            raise ValueError(f"a {self.chat.kind} does not migrate")
        number = -1_000_000_000_000 - 2_000_000_000 - abs(self.chat_id)
        grown = Chat(number, "supergroup", title=self.chat.title, members=self.chat.members)
        self.world.add(grown)
        self.chat.migrated_to = number
        self._service(self.chat, self.world.bot_user, migrate_to_chat_id=number)
        self._service(grown, self.world.bot_user, migrate_from_chat_id=self.chat_id)
        return Place(self.world, grown)

    async def is_deleted(self) -> None:
        """The group is no more; the bot is told nothing."""
        self.chat.deleted = True

    async def opens_topic(self, name: str) -> Topic:
        if not self.chat.is_forum:
            raise ValueError("topics are in forums")
        # The first message of a topic gives it its number; 1 is General's.
        while (number := self.chat.take_id()) <= GENERAL:
            pass
        topic = self.chat.topics[number] = Topic(self.chat, number, name)
        return topic

    def _service(self, chat: Chat, sender: User, **said: Any) -> None:
        """A message that nobody wrote: somebody came, the group moved."""
        message = {"message_id": chat.take_id(), "date": self.world.date, "chat": chat.json(), "from": sender}
        self.world.alert("message", message | said)
