"""What is a reader's own, taken along: exported, moved to another address, erased."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from aiohttp import web

from bot.channel import Asker, Export, Forget, Link
from bot.model import Address, Status, Subscriber
from bot.render.words import words
from bot.store import one_time_tokens, subscriber_queries
from bot.store.one_time_tokens import Purpose
from bot.web.pages.layout import Form, plain_page
from bot.web.subscriptions.browser_sessions import Sessions
from bot.web.subscriptions.forms import Desk
from bot.web.subscriptions.subscribe import TYPED, Joining


class Belongings:
    """Answers readers whose browser is known, and the two letters that a change of address takes."""

    def __init__(self, desk: Desk, sessions: Sessions, joining: Joining) -> None:
        self._desk = desk
        self._sessions = sessions
        self._joining = joining

    async def export(self, request: web.Request, reader: Subscriber, now: datetime) -> web.StreamResponse:
        """All that is stored about the reader, as a file."""
        await self._desk.read(request)
        answered = await self._desk.commands.ask(Asker(reader.address), Export(), now)
        file = answered.file
        if file is None:
            return self._desk.say(answered.language, *answered.says[:1])
        headers = {
            "Content-Type": file.media_type,
            "Content-Disposition": f'attachment; filename="{file.name}"',
            "Cache-Control": "no-store",
        }
        return web.Response(body=file.content, headers=headers)

    async def ask_before_erasing(self, request: web.Request, reader: Subscriber, now: datetime) -> web.StreamResponse:
        """Ask back, with a ticket that erases once."""
        desk, language = self._desk, reader.preferences.language
        await desk.read(request)
        answered = await desk.commands.ask(Asker(reader.address), Forget(), now)
        async with desk.store.write() as connection:
            key = await one_time_tokens.make(
                connection, Purpose.ERASE, reader.address, now=now, subscriber_id=reader.id
            )
        w = words(language)
        there = desk.places.page(language, "settings/erased")
        hidden = {"ticket": desk.links.sign(Purpose.ERASE.value, key)}
        return desk.say(
            language,
            w.gettext("Erase everything"),
            *answered.says,
            form=Form(there, w.gettext("Erase everything"), hidden),
            links=[Link(w.gettext("Keep everything"), desk.settings_link(w).url)],
        )

    async def erase(self, request: web.Request, reader: Subscriber, now: datetime) -> web.StreamResponse:
        """Erase everything, and know this browser no more."""
        desk, language = self._desk, reader.preferences.language
        given = await desk.read(request)
        key = desk.links.read(Purpose.ERASE.value, given.get("ticket"))
        ticket = await desk.use_key(key, Purpose.ERASE, now)
        if ticket is None or ticket.subscriber_id != reader.id:
            return desk.too_old(language)
        answered = await desk.commands.ask(Asker(reader.address), Forget(confirmed=True), now)
        async with desk.store.write() as connection:
            await one_time_tokens.end_all(connection, reader.address, reader.id)
        links = [desk.front_link(words(language))]
        shown = desk.say(language, answered.says[0], *answered.says[1:], links=links)
        return await self._sessions.end(request, shown)

    async def move(self, request: web.Request, reader: Subscriber, now: datetime) -> web.StreamResponse:
        """Another address is wanted: a letter to the old one first, so that an open browser alone moves nobody."""
        desk, language = self._desk, reader.preferences.language
        w = words(language)
        wanted = desk.recipient((await desk.read(request)).get("address"))
        if wanted is None:
            return desk.no_address(language, desk.settings_link(w))
        # A code let the reader in, not the address; a list is of addresses.
        if not (desk.commands.by_invitation or desk.commands.admits(wanted, "")):
            return self._joining.sent(language)
        async with desk.store.write() as connection:
            key = await one_time_tokens.make_once_an_hour(
                connection,
                Purpose.MOVE,
                reader.address,
                among=[Purpose.MOVE],
                now=now,
                subscriber_id=reader.id,
                says={"recipient": wanted.recipient},
            )
        if key is not None:
            self._write(
                reader.address,
                language,
                w.pgettext("a letter", "Another address for your papers"),
                w.pgettext(
                    "a letter",
                    "Somebody, we hope it was you, wants editions to go to another address. "
                    "If it was not you, do nothing.",
                ),
                Link(w.pgettext("a letter", "Yes, change the address"), desk.link(Purpose.MOVE, key, language)),
            )
        return self._joining.sent(language)

    async def offer(self, request: web.Request, language: str, purpose: Purpose) -> web.StreamResponse:
        """The link of either letter: a page with one button, which changes nothing."""
        desk, w = self._desk, words(language)
        ticket = await desk.look(request, purpose, desk.clock())
        if ticket is None:
            return desk.too_old(language)
        where = ticket.says["recipient"]
        return desk.say(
            language,
            w.pgettext("a letter", "Another address for your papers"),
            w.pgettext("a web page", "Press the button, and editions go to {address} from then on.", address=where),
            form=Form(request.path, w.pgettext("a letter", "Yes, change the address")),
        )

    async def agree(self, request: web.Request, language: str) -> web.StreamResponse:
        """The old address agrees: now a letter to the new one."""
        desk, now = self._desk, self._desk.clock()
        await desk.read(request)
        ticket, reader = await desk.redeem(request, Purpose.MOVE, now)
        if ticket is None or reader is None:
            return desk.too_old(language)
        there = Address(reader.address.channel, ticket.says["recipient"])
        async with desk.store.write() as connection:
            key = None
            if not await subscriber_queries.is_suppressed(connection, there):
                key = await one_time_tokens.make_once_an_hour(
                    connection,
                    Purpose.ARRIVE,
                    there,
                    among=[Purpose.ARRIVE, *TYPED],
                    now=now,
                    subscriber_id=reader.id,
                    says=ticket.says,
                )
        w = words(language)
        if key is not None:
            self._write(
                there,
                language,
                w.pgettext("a letter", "Another address for your papers"),
                w.pgettext("a letter", "Morning Papers is to come to this address from now on."),
                Link(w.pgettext("a letter", "Yes, change the address"), desk.link(Purpose.ARRIVE, key, language)),
            )
        return self._joining.sent(language)

    async def arrive(self, request: web.Request, language: str) -> web.StreamResponse:
        """The new address agrees too: editions go there."""
        desk, now = self._desk, self._desk.clock()
        await desk.read(request)
        ticket, before = await desk.redeem(request, Purpose.ARRIVE, now)
        if ticket is None or before is None:
            return desk.too_old(language)
        there = Address(before.address.channel, ticket.says["recipient"])
        async with desk.store.write() as connection:
            other = await subscriber_queries.get(connection, there, lock=True)
            moved = other is None or other.id == before.id or other.status not in {Status.ACTIVE, Status.PAUSED}
            if moved:
                if other is not None and other.id != before.id:
                    # Both addresses have agreed: what an old subscription left behind is in nobody's way.
                    await subscriber_queries.forget(connection, other.id, now=now)
                await subscriber_queries.move(connection, before.id, there.recipient)
        w = words(language)
        heading = (
            w.pgettext("a web page", "Editions come here from now on")
            if moved
            else w.pgettext("a web page", "This address is subscribed already")
        )
        return desk.say(language, heading, links=[desk.settings_link(w), desk.front_link(w)])

    def _write(self, to: Address, language: str, heading: str, says: str, link: Link) -> None:
        page = replace(plain_page(words(language), heading, f"{says}\n"), actions=(link,))
        self._desk.letters.post(to.recipient, page)
