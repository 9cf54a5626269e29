"""`papers doctor` on e-mail: the relay, the sender, and what DNS says, asked of a real name server on this machine."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import dns.asyncresolver
import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import dns.rrset
import pytest

from bot.channel import Finding
from channels.email import dmarc
from channels.email.dns_records import Resolver, check_dns
from channels.email.doctor import check_email
from tests.channels.email.test_mail_message import make_key
from tests.support.email_channel import PUBLIC, opened, settings
from tests.support.mail_server import Relay

Zone = Mapping[tuple[str, str], list[str]]

GOOD: Zone = {
    ("example.org", "TXT"): ['"v=spf1 include:relay.example.net ~all"', '"something else"'],
    ("_dmarc.example.org", "TXT"): ['"v=DMARC1; p=quarantine; rua=mailto:a@example.org"'],
    ("relay.example.net", "A"): ["192.0.2.7"],
    ("7.2.0.192.in-addr.arpa", "PTR"): ["relay.example.net."],
}


class NameServer(asyncio.DatagramProtocol):
    """Answers from a zone; what it does not hold does not exist."""

    def __init__(self, zone: Zone) -> None:
        self._zone = zone

    def connection_made(self, transport: Any) -> None:
        self._transport = transport

    def datagram_received(self, data: bytes, address: Any) -> None:
        asked = dns.message.from_wire(data)
        [question] = asked.question
        answer = dns.message.make_response(asked)
        answer.flags |= dns.flags.RA
        name, kind = question.name.to_text().rstrip(".").lower(), dns.rdatatype.to_text(question.rdtype)
        rows = self._zone.get((name, kind))
        if rows:
            answer.answer.append(dns.rrset.from_text(question.name, 60, "IN", kind, *rows))
        elif not any(name == known for known, _ in self._zone):
            answer.set_rcode(dns.rcode.NXDOMAIN)
        self._transport.sendto(answer.to_wire(), address)


@asynccontextmanager
async def names(zone: Zone) -> AsyncIterator[Resolver]:
    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_datagram_endpoint(lambda: NameServer(zone), local_addr=("127.0.0.1", 0))
    resolver = dns.asyncresolver.Resolver(configure=False)
    resolver.nameservers = ["127.0.0.1"]
    resolver.port = transport.get_extra_info("sockname")[1]
    try:
        yield Resolver(resolver)
    finally:
        transport.close()


async def found(zone: Zone, **named: Any) -> dict[str, Finding]:
    async with names(zone) as asked:
        findings = await check_dns(settings(25, **{"SMTP_HOST": "relay.example.net", **named}), asked)
    return {finding.subject: finding for finding in findings}


async def test_a_well_configured_domain_passes() -> None:
    assert all(finding.ok for finding in (await found(GOOD)).values())


@pytest.mark.parametrize(
    ("subject", "change", "says"),
    [
        ("SPF", {("example.org", "TXT"): []}, "has no SPF record; add"),
        ("SPF", {("example.org", "TXT"): ['"v=spf1 a -all"', '"v=spf1 mx -all"']}, "keep one"),
        ("SPF", {("example.org", "TXT"): ['"v=spf1 +all"']}, "allows everybody to send"),
        ("SPF", {("example.org", "TXT"): ['"v=spf1 mx ?all"']}, "says nothing about strangers"),
        ("SPF", {("example.org", "TXT"): ['"v=spf1 mx"']}, "end its SPF record with ~all or -all"),
        ("DMARC", {("_dmarc.example.org", "TXT"): ['"v=DMARC12; p=none"']}, "has no DMARC record; add"),
        ("DMARC", {("_dmarc.example.org", "TXT"): ['"v=DMARC1; p=none"'] * 2 + ['"v=DMARC1;p=none"']}, "keep one"),
        ("SPF", {("example.org", "TXT"): [f'"v=spf1 {"include:a.example " * 11}-all"']}, "more than 10 lookups"),
        ("DMARC", {("_dmarc.example.org", "TXT"): []}, "has no DMARC record; add"),
        ("DMARC", {("_dmarc.example.org", "TXT"): ['"v=DMARC1; nonsense"']}, "cannot be understood"),
        ("PTR", {("relay.example.net", "A"): []}, "has no address"),
        ("PTR", {("7.2.0.192.in-addr.arpa", "PTR"): []}, "no reverse DNS name"),
        ("PTR", {("7.2.0.192.in-addr.arpa", "PTR"): ["other.example.net."]}, "no reverse DNS name"),
    ],
)
async def test_a_missing_record_is_reported_with_what_to_do(
    subject: str, change: dict[tuple[str, str], list[str]], says: str
) -> None:
    finding = (await found({**GOOD, **change}))[subject]
    assert not finding.ok
    assert says in finding.says


async def test_the_dmarc_record_of_a_parent_domain_applies() -> None:
    assert (await found(GOOD, EMAIL_FROM="a@news.example.org"))["DMARC"].ok


AT_NEWS = {"EMAIL_FROM": "p@news.example.com", "EMAIL_BOUNCES": "b+{token}@bounce.example.com"}


@pytest.mark.parametrize(
    ("where", "record", "says"),
    [
        ("example.com", "v=DMARC1; p=reject; sp=none", "found by the tree walk, says sp=none for it"),
        ("news.example.com", "v=DMARC1; p = none", "says p=none"),
        ("news.example.com", "v=DMARC1; P=None", "says p=none"),
        ("news.example.com", "v=DMARC1; rua=mailto:x@example.com", "says p=none (it has no p"),
        ("news.example.com", "v=DMARC1; p=none; pct=50; ri=3600; rf=afrf", "pct, ri, rf mean nothing any more"),
        ("news.example.com", "v=DMARC1; p=reject; t=y", "one step milder, as quarantine"),
        ("example.com", "v=DMARC1; p=quarantine", "says p=quarantine for it"),
        (
            "com",
            "v=DMARC1; p=reject; psd=y; np=quarantine",
            "public suffix; for names that do not exist its policy is quar",
        ),
    ],
)
async def test_dmarc_is_read_by_rfc_9989(where: str, record: str, says: str) -> None:
    said = await found({**GOOD, (f"_dmarc.{where}", "TXT"): [f'"{record}"']}, **AT_NEWS)
    assert said["DMARC"].ok
    assert says in said["DMARC"].says
    assert said["alignment"].ok


@pytest.mark.parametrize("where", ["example.com", "news.example.com"])
async def test_under_strict_alignment_a_subdomain_is_another_domain(where: str) -> None:
    said = await found({**GOOD, (f"_dmarc.{where}", "TXT"): ['"v=DMARC1; p=reject; aspf=s; adkim=s"']}, **AT_NEWS)
    assert "SPF does not count" in said["alignment"].says
    assert "DKIM must sign as news.example.com" in said["alignment"].says
    assert said["alignment"].level == "advice"


async def test_dkim_of_a_relay_is_not_looked_at_and_says_how_to() -> None:
    said = (await found(GOOD))["DKIM"]
    assert (said.level, said.says[:13]) == ("advice", "not looked at")
    assert "Authentication-Results" in said.says


@pytest.mark.parametrize(
    ("domain", "records", "organisation"),
    [
        ("a.b.example.com", {"b.example.com": "v=DMARC1", "example.com": "v=DMARC1"}, "example.com"),
        ("a.b.example.com", {"b.example.com": "v=DMARC1;psd=n", "example.com": "v=DMARC1"}, "b.example.com"),
        ("a.shop.co.uk", {"co.uk": "v=DMARC1; psd=y"}, "shop.co.uk"),
        ("a.b.c", {}, "a.b.c"),
        ("a.b.c.d.e.f.g.h.i.example.com", {"example.com": "v=DMARC1"}, "example.com"),
    ],
)
async def test_the_tree_walk_finds_the_organisation(domain: str, records: dict[str, str], organisation: str) -> None:
    asked: list[str] = []

    async def ask(name: str) -> list[str]:
        asked.append(name)
        return [records[name.removeprefix("_dmarc.")]] if name.removeprefix("_dmarc.") in records else []

    assert (await dmarc.walk(domain, ask)).organisation == organisation
    assert len(asked) <= dmarc.MAX_LABELS


@pytest.mark.parametrize(
    ("bounces", "ok"),
    [("b+{token}@bounces.example.org", True), ("b+{token}@example.com", False), ("b+{token}@xexample.org", False)],
)
async def test_header_and_envelope_sender_must_be_aligned(bounces: str, ok: bool) -> None:
    assert (await found(GOOD, EMAIL_BOUNCES=bounces))["alignment"].ok is ok


async def test_the_published_dkim_key_is_compared_with_the_private_one() -> None:
    private, public = make_key(2048)
    where = ("mp._domainkey.example.org", "TXT")
    rows = '"' + '" "'.join(public[start : start + 200] for start in range(0, len(public), 200)) + '"'
    how = {"DKIM_KEY": private, "DKIM_SELECTOR": "mp"}
    assert (await found({**GOOD, where: [rows]}, **how))["DKIM"].ok
    assert "holds no key" in (await found(GOOD, **how))["DKIM"].says
    other = make_key(2048)[1]
    rows = '"' + '" "'.join(other[start : start + 200] for start in range(0, len(other), 200)) + '"'
    assert "another key" in (await found({**GOOD, where: [rows]}, **how))["DKIM"].says
    weak = {"DKIM_KEY": make_key(1024)[0], "DKIM_SELECTOR": "mp"}
    assert "1024 bits" in (await found(GOOD, **weak))["DKIM"].says


async def test_without_dns_the_doctor_says_that_nothing_was_checked() -> None:
    resolver = dns.asyncresolver.Resolver(configure=False)
    resolver.nameservers = ["127.0.0.1"]
    resolver.port = 1
    [finding] = await check_dns(settings(25), Resolver(resolver, seconds=0.2))
    assert (finding.subject, finding.ok) == ("DNS", False)
    assert "were not checked" in finding.says


async def test_relay_and_sender_are_checked_without_sending_mail() -> None:
    async with names(GOOD) as asked, Relay() as relay, opened(relay) as channel:
        findings = await check_email(channel.settings, channel._pool, PUBLIC, asked)
    said = {finding.subject: finding for finding in findings}
    assert said["SMTP_HOST"].ok
    assert "without TLS" in said["SMTP_HOST"].says
    assert said["EMAIL_FROM"].ok
    assert said["PUBLIC_URL"].ok
    assert said["EMAIL_BOUNCES"].level == "advice"
    assert relay.verbs["RCPT"] == relay.verbs["DATA"] == 0
    assert relay.letters == []


async def test_a_sender_that_the_relay_refuses_is_reported() -> None:
    async with (
        names(GOOD) as asked,
        Relay(answer=lambda verb, to: "553 5.7.1 not yours" if verb == "MAIL" else None) as relay,
        opened(relay, public=None) as channel,
    ):
        said = {each.subject: each for each in await check_email(channel.settings, channel._pool, None, asked)}
    assert not said["EMAIL_FROM"].ok
    assert "553 5.7.1 not yours" in said["EMAIL_FROM"].says
    assert said["PUBLIC_URL"].level == "advice"
    assert "unsubscribing is by mail alone" in said["PUBLIC_URL"].says
