"""What a relay's answers mean for the reader, the channel and us; each is provoked at a real SMTP server."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from bot.channel import Channel, Deferred, Gone, Outcome, Rejected, Sent
from channels.email.errors import RETRY_SECONDS, outcome_of
from channels.email.smtp import Reply, Stage
from tests.support.channel_contract import Contract
from tests.support.channel_contract import Stage as Standing
from tests.support.email_channel import READER, a_mail, opened
from tests.support.mail_server import LOST, SILENCE, Relay

ADA = "ada@example.com"


class Desk(Standing):
    """The channel, logged in to a local relay, and Ada."""

    def __init__(self, relay: Relay) -> None:
        self.relay = relay
        self.to, self.secret = ADA, "s3cret"
        relay.login = ("papers", self.secret)
        self.channel = self.opened(self.secret)

    def opened(self, password: str) -> Channel:
        return opened(self.relay, SMTP_USERNAME="papers", SMTP_PASSWORD=password)

    def answers(self, verb: str, answer: str) -> None:
        self.relay.answer = lambda said, to: answer if said == verb else None

    async def arrived(self) -> int:
        return sum(letter.to == [self.to] for letter in self.relay.letters)

    async def turns_away(self) -> None:
        self.answers("RCPT", "550 5.1.1 no such mailbox")

    async def slows(self) -> float | None:
        self.answers("RCPT", "451 4.7.1 greylisted")
        return RETRY_SECONDS

    async def floods(self) -> float | None:
        self.answers("RCPT", "421 4.7.0 too much for now")
        return None

    async def breaks_down(self) -> None:
        self.answers("DOT", "452 4.3.1 insufficient storage")

    async def goes_away(self) -> None:
        await self.relay.__aexit__()

    async def forgets_us(self) -> None:
        self.relay.login = ("papers", "changed")
        self.relay.hang_up()

    async def finds_fault(self) -> None:
        self.answers("MAIL", "552 5.3.4 too big")

    async def cuts_off(self) -> None:
        self.answers("DOT", LOST)

    async def hangs(self) -> None:
        self.answers("MAIL", SILENCE)

    async def heals(self) -> None:
        self.relay.answer = lambda verb, to: None

    def stranger(self) -> Channel:
        return self.opened(f"not-{self.secret}")  # which holds what must not be said


class TestContract(Contract):
    @pytest.fixture
    async def stage(self) -> AsyncIterator[Desk]:
        async with Relay() as relay:
            desk = Desk(relay)
            async with desk.channel:
                yield desk


AT_RCPT = [
    ("550 5.1.1 no such mailbox", Gone),
    ("551 5.1.6 moved away", Gone),
    ("550 5.2.1 mailbox disabled", Deferred),
    ("550 User unknown in virtual table", Gone),
    ("550 requested action not taken", Deferred),
    ("552 5.2.2 mailbox full", Deferred),
    ("450 4.2.1 busy", Deferred),
    ("451 4.7.1 greylisted", Deferred),
    ("550 5.7.1 we do not like you", Rejected),
    ("550 5.7.26 unauthenticated", Rejected),
    ("550 5.7.515 access denied", Rejected),
    ("550 5.1.2 no such domain", Deferred),
    ("554 5.6.0 bad text", Rejected),
]


async def outcome(verb: str, answer: str) -> Outcome:
    async with (
        Relay(answer=lambda said, to: answer if said == verb and to == ADA else None) as relay,
        opened(relay) as channel,
    ):
        mail = a_mail(channel)
        became = await channel.send(ADA, mail, READER)
        after = await channel.send("bob@example.com", mail, READER)
    assert isinstance(after, Sent), "the connection can be used on"
    assert [letter.to for letter in relay.letters] == [["bob@example.com"]]
    assert relay.connections == 1
    return became


@pytest.mark.parametrize(("answer", "kind"), AT_RCPT)
async def test_a_refused_recipient_counts_only_for_a_bad_mailbox(answer: str, kind: type[Outcome]) -> None:
    became = await outcome("RCPT", answer)
    assert type(became) is kind
    if isinstance(became, Deferred):
        assert became.scope == "recipient"
        assert became.retry_after == RETRY_SECONDS
        assert became.strike == (answer[4:9] in {"5.2.2", "5.2.1", "5.1.2"} and answer.startswith("55"))
    if isinstance(became, Rejected):
        assert became.judge == ("example.com" if "5.7." in answer else None)


@pytest.mark.parametrize("verb", ["DATA", "DOT"])
async def test_a_refused_message_is_rejected(verb: str) -> None:
    assert await outcome(verb, "550 5.7.1 spam") == Rejected(f"550 5.7.1 spam (to {_stage(verb)})", judge="example.com")
    assert await outcome(verb, "554 5.6.0 garbled") == Rejected(f"554 5.6.0 garbled (to {_stage(verb)})")


async def test_a_refused_message_without_a_code_is_a_spam_verdict() -> None:
    assert await outcome("DOT", "554 message refused") == Rejected(
        "554 message refused (to the message)", judge="example.com"
    )


def _stage(verb: str) -> str:
    return {"DATA": "DATA", "DOT": "the message"}[verb]


@pytest.mark.parametrize("answer", ["550 5.7.1 sender refused", "451 4.3.0 try later", "553 5.1.8 bad sender"])
async def test_a_refused_sender_defers_the_channel(answer: str) -> None:
    async with (
        Relay(answer=lambda verb, to: answer if verb == "MAIL" else None) as relay,
        opened(relay) as channel,
    ):
        became = await channel.send(ADA, a_mail(channel), READER)
    assert isinstance(became, Deferred)
    assert became.scope == "channel"


@pytest.mark.parametrize("verb", ["MAIL", "RCPT", "DATA", "DOT"])
async def test_a_421_ends_only_that_connection(verb: str) -> None:
    said: list[str] = []

    def tired(at: str, to: str) -> str | None:
        if at == verb and not said:
            said.append(at)
            return "421 4.7.0 enough of this connection"
        return None

    async with Relay(answer=tired) as relay, opened(relay) as channel:
        assert isinstance(await channel.send(ADA, a_mail(channel), READER), Sent)
    assert len(relay.letters) == 1
    assert relay.connections == 2


async def test_a_second_421_defers_the_channel() -> None:
    async with (
        Relay(answer=lambda verb, to: "421 4.7.0 slow down" if verb == "MAIL" else None) as relay,
        opened(relay) as channel,
    ):
        became = await channel.send(ADA, a_mail(channel), READER)
    assert isinstance(became, Deferred)
    assert became.scope == "channel"
    assert relay.connections == 2


async def test_a_relay_that_limits_connections_is_used_within_its_limit() -> None:
    """It refuses the third at its greeting: nothing waits but for a connection that is there."""
    relay = Relay()

    def crowded(verb: str, to: str) -> str | None:
        return "421 4.7.0 too many connections" if verb == "EHLO" and len(relay._open) > 2 else None

    relay.answer = crowded
    async with relay, opened(relay, EMAIL_CONNECTIONS="6") as channel:
        mail = a_mail(channel)
        outcomes = await asyncio.gather(*(channel.send(f"r{n}@example.com", mail, READER) for n in range(30)))
    assert {type(each) for each in outcomes} == {Sent}
    assert len(relay.letters) == 30


async def test_an_unreachable_relay_is_not_tried_for_each_waiting_mail() -> None:
    tries = 0

    async def slam(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal tries
        tries += 1
        writer.close()

    async with await asyncio.start_server(slam, "127.0.0.1", 0) as server:
        channel = opened(server.sockets[0].getsockname()[1], EMAIL_CONNECTIONS="4")
        mail = a_mail(channel)
        became = await asyncio.gather(*(channel.send(f"r{n}@example.com", mail, READER) for n in range(30)))
        await channel.__aexit__()
    assert all(isinstance(each, Deferred) and each.scope == "channel" for each in became)
    assert tries <= 8


async def test_a_server_that_does_not_speak_smtp_is_dropped() -> None:
    async def babble(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 hello\r\n")
        await reader.readline()
        writer.write(b"250 fine\r\n")
        await reader.readline()
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n" * 3)
        await reader.read()
        writer.close()

    server = await asyncio.start_server(babble, "127.0.0.1", 0)
    async with server:
        channel = opened(server.sockets[0].getsockname()[1])
        await channel.__aenter__()
        became = await channel.send(ADA, a_mail(channel), READER)
        await channel.__aexit__()
    assert isinstance(became, Deferred)
    assert became.scope == "channel"


@pytest.mark.parametrize("stage", list(Stage))
@pytest.mark.parametrize("code", [400, 421, 450, 451, 452, 500, 530, 535, 550, 552, 554, 599])
@pytest.mark.parametrize("enhanced", ["", "{}.7.1 ", "{}.3.4 ", "{}.4.7 ", "{}.0.0 "])
def test_only_a_missing_mailbox_makes_a_reader_gone(stage: Stage, code: int, enhanced: str) -> None:
    reply = Reply(code, enhanced.format(str(code)[0]) + "whatever")
    became: Any = outcome_of(reply, stage, "example.com")
    assert not isinstance(became, Gone)
    assert not getattr(became, "strike", False)
