"""Editions on their way by mail: a relay that has its moods, kills in the middle, and who gets what in the end."""

import asyncio
import os
import signal
import sys
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from bot.delivery.dispatcher import Dispatcher
from bot.model import Address, Cadence, Edition, Found, Preferences, Ranked, State, Status
from bot.runtime.locks import holding, make_locks
from bot.store import Store, audience, edition_queries, paper_queries, subscriber_queries
from bot.store.schema import deliveries as rows
from bot.store.schema import subscribers as readers
from tests.support.databases import fresh_store
from tests.support.email_channel import LINKS, opened
from tests.support.fake_channel import DAY, NOW, paper, settle
from tests.support.mail_server import DROP, Letter, Relay

ROOT = Path(__file__).resolve().parents[3]
DUE = datetime(2025, 11, 4, 8, 0, tzinfo=UTC)


async def publish(store: Store, addresses: list[str], *, hour: int = 8 * 60, at: datetime = NOW) -> int:
    """Subscribe readers and owe them an edition; its id."""
    async with store.write() as connection:
        for address in addresses:
            await subscriber_queries.add(connection, Address("email", address), Preferences(hour=hour), now=at)
        found = [paper(number) for number in range(3)]
        await paper_queries.keep(connection, Found(found, frozenset({DAY})))
        ranked = tuple(Ranked(place, each, each.votes) for place, each in enumerate(found, start=1))
        edition_id = await edition_queries.add(connection, Edition(Cadence.DAY, DAY, at, ranked))
        assert edition_id is not None
        assert await audience.owe(connection, edition_id, Cadence.DAY, published_at=at) == len(addresses)
    return edition_id


async def states(store: Store) -> Counter[str]:
    async with store.read() as connection:
        return Counter(await connection.scalars(select(rows.c.state)))


async def repeated(store: Store) -> set[str]:
    """Who was sent a mail again because nobody knew whether the first had arrived."""
    query = select(readers.c.recipient).join(rows, rows.c.subscriber_id == readers.c.id).where(rows.c.repeats > 0)
    async with store.read() as connection:
        return set(await connection.scalars(query))


def check_arrivals(letters: list[Letter], addresses: list[str], listed: set[str]) -> Counter[str]:
    """Everybody got the edition, once but for those who are listed, and those with the same Message-ID."""
    count = Counter(letter.to[0] for letter in letters)
    assert set(count) == set(addresses), "somebody is missing"
    twice = {to for to, number in count.items() if number > 1}
    assert twice <= listed
    for to in twice:
        assert len({letter.mail["Message-ID"] for letter in letters if letter.to == [to]}) == 1
    return count


class Moods:
    """A relay that takes a hundred mails, tires, drops, refuses two domains, and recovers."""

    def __init__(self) -> None:
        self.taken = 0
        self.tired = 12
        self.drops = 8
        self.refuses = True

    def __call__(self, verb: str, to: str) -> str | None:
        if self.taken < 100:
            self.taken += verb == "DOT"
            return None
        if verb == "MAIL" and self.tired:
            self.tired -= 1
            return "421 4.7.0 too much for now"
        if verb == "TEXT" and self.drops:
            self.drops -= 1
            return DROP
        if verb == "RCPT" and self.refuses and to.endswith(("two.example.org", "three.example.org")):
            return "550 5.7.1 we think that you are spam"
        return None


async def test_a_misbehaving_relay_loses_no_edition(store: Store, tmp_path: Path) -> None:
    moods = Moods()
    addresses = [f"r{n}@{name}.example.org" for n in range(60) for name in ("one", "two", "three")]
    await publish(store, addresses)
    locks = make_locks(store.engine.url, store.path)
    async with Relay(answer=moods) as relay, opened(relay, EMAIL_CONNECTIONS="5") as channel:
        dispatcher = Dispatcher(store, channel, locks, links=LINKS)
        async with holding(locks, *dispatcher.roles()):
            now = DUE
            while now < DUE + timedelta(hours=12):
                await settle(dispatcher, now)
                if now > DUE + timedelta(hours=2):
                    moods.refuses = False
                if set(await states(store)) == {State.SENT}:
                    break
                now += timedelta(minutes=10)
            listed = await repeated(store)
    await locks.close()
    assert await states(store) == {State.SENT: len(addresses)}
    count = check_arrivals(relay.letters, addresses, listed)
    assert max(count.values()) == 1, "what was dropped in the middle of the text was not taken"
    assert moods.drops == moods.tired == 0
    assert 0 < len(listed) <= 8
    async with store.read() as connection:
        assert set(await connection.scalars(select(readers.c.status))) == {Status.ACTIVE}


async def test_a_full_mailbox_is_gone_after_three_editions_over_a_week(store: Store) -> None:
    locks = make_locks(store.engine.url, store.path)
    full = "552 5.2.2 mailbox full"
    async with (
        Relay(answer=lambda verb, to: full if verb == "RCPT" and to.startswith("full") else None) as relay,
        opened(relay) as channel,
    ):
        dispatcher = Dispatcher(store, channel, locks, links=LINKS)
        async with holding(locks, *dispatcher.roles()):
            for days in (0, 3, 7):
                at = NOW + timedelta(days=days)
                async with store.write() as connection:
                    if not days:
                        for name in ("full", "well"):
                            address = Address("email", f"{name}@example.com")
                            await subscriber_queries.add(connection, address, Preferences(), now=NOW)
                    found = paper(days, DAY + timedelta(days=days))
                    await paper_queries.keep(connection, Found([found], frozenset({found.listed_on})))
                    edition = Edition(Cadence.DAY, found.listed_on, at, (Ranked(1, found, 1),))
                    edition_id = await edition_queries.add(connection, edition)
                    assert edition_id is not None
                    await audience.owe(connection, edition_id, Cadence.DAY, published_at=at)
                async with store.read() as connection:
                    reader = await subscriber_queries.get(connection, Address("email", "full@example.com"))
                assert reader is not None
                assert reader.status is Status.ACTIVE
                for hours in range(10, 24, 2):
                    await settle(dispatcher, at + timedelta(hours=hours))
    await locks.close()
    async with store.read() as connection:
        status = {row[0]: row[1] for row in await connection.execute(select(readers.c.recipient, readers.c.status))}
    assert status == {"full@example.com": Status.GONE, "well@example.com": Status.ACTIVE}
    assert len(relay.letters) == 3


CONNECTIONS = 4


@pytest.mark.timeout(900)
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
async def test_a_kill_while_sending_loses_no_edition(tmp_path: Path, number: signal.Signals, long: bool) -> None:
    mails, kills = (10_000, 6) if long else (300, 1)
    addresses = [f"r{n}@example.com" for n in range(mails)]
    now = datetime.now(UTC)
    store = fresh_store(tmp_path)
    await publish(store, addresses, hour=now.hour * 60 + now.minute, at=now)
    reached, wanted = asyncio.Event(), 0

    async with Relay(extensions=("PIPELINING",)) as relay:

        def note(verb: str, to: str) -> str | None:
            if verb == "DOT" and len(relay.letters) >= wanted:
                reached.set()
            return None

        relay.answer = note
        repeats = 0
        for kill in range(kills):
            wanted = (kill + 1) * mails // (kills + 1)
            reached.clear()
            process = await start(tmp_path, relay.port)
            await reached.wait()
            process.send_signal(number)
            await process.wait()
            count = Counter(letter.to[0] for letter in relay.letters)
            assert sum(each - 1 for each in count.values()) - repeats <= CONNECTIONS
            repeats = sum(each - 1 for each in count.values())
        wanted = mails * 2
        last = await start(tmp_path, relay.port)
        assert await last.wait() == 0
    check_arrivals(relay.letters, addresses, await repeated(store))
    assert len(relay.letters) - mails <= CONNECTIONS * kills
    if number == signal.SIGTERM:
        assert len(relay.letters) == mails, "an orderly stop waits for what is in flight"
    assert await states(store) == {State.SENT: mails}
    await store.close()


async def start(home: Path, port: int) -> asyncio.subprocess.Process:
    """`papers run --once --only deliver`, delivering by mail."""
    environ = {
        "PATH": os.environ["PATH"],
        "PAPERS_HOME": str(home),
        "SMTP_HOST": "127.0.0.1",
        "SMTP_PORT": f"{port}",
        "SMTP_SECURITY": "none",
        "EMAIL_FROM": "papers@example.org",
        "EMAIL_CONNECTIONS": f"{CONNECTIONS}",
    }
    command = [sys.executable, "-m", "bot", "run", "--once", "--only", "deliver"]
    nowhere = asyncio.subprocess.DEVNULL
    return await asyncio.create_subprocess_exec(*command, cwd=ROOT, env=environ, stdout=nowhere, stderr=nowhere)
