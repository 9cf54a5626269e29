"""What DNS says of our sending: SPF, DKIM, DMARC, alignment, reverse names. dnspython's home.

Each finding is one sentence, with what to do where something is missing.
"""

from __future__ import annotations

import asyncio
import re
from base64 import b64decode
from collections.abc import Sequence

import dns.asyncresolver
import dns.exception
import dns.resolver
import dns.reversename

from bot.channel import Finding
from channels.email.address import domain
from channels.email.dkim_signature import modulus
from channels.email.settings import TOKEN, Settings

SECONDS = 5.0
"""How long one question may take."""
LOOKUPS = 10
"""So many further questions an SPF record may make a receiver ask (RFC 7208 section 4.6.4)."""
_ASKING = re.compile(r"(?<!\S)[+?~-]?(include:|a\b|mx\b|ptr\b|exists:)|redirect=", re.IGNORECASE)


class OutOfReachError(Exception):
    """DNS cannot be asked."""


class Resolver:
    """Questions to DNS. No answer is an empty list; where nobody answers, OutOfReachError."""

    def __init__(self, resolver: dns.asyncresolver.Resolver | None = None, seconds: float = SECONDS) -> None:
        try:
            self._resolver = resolver or dns.asyncresolver.Resolver()
        except dns.resolver.NoResolverConfiguration:
            raise OutOfReachError from None
        self._resolver.lifetime = seconds

    async def ask(self, name: str, kind: str) -> list[str]:
        """The records of a kind that a name has."""
        try:
            answer = await self._resolver.resolve(name, kind, search=False)
        except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
            return []
        except (dns.exception.DNSException, OSError, ValueError):
            raise OutOfReachError from None
        if kind == "TXT":
            return [b"".join(row.strings).decode("utf-8", "replace") for row in answer]
        return [row.to_text().rstrip(".") for row in answer]


async def look_up(settings: Settings, names: Resolver | None = None) -> list[Finding]:
    """Everything that DNS can tell about how our mail will be received."""
    try:
        asked = names or Resolver()
        found = await asyncio.gather(
            _spf(settings, asked), _dkim(settings, asked), _dmarc(settings, asked), _reverse(settings, asked)
        )
    except OutOfReachError:
        says = "could not be asked, so nothing is known of SPF, DKIM, DMARC and reverse names; run this where DNS works"
        return [Finding("DNS", False, says)]
    return [*found, _aligned(settings)]


def envelope_domain(settings: Settings) -> str:
    """The domain of the envelope's sender, which SPF is about."""
    return domain(settings.bounces.replace(TOKEN, "")) if settings.bounces else settings.own.domain


async def _spf(settings: Settings, names: Resolver) -> Finding:
    """RFC 7208."""
    where = envelope_domain(settings)
    records = [text for text in await names.ask(where, "TXT") if re.match(r"v=spf1(\s|$)", text, re.IGNORECASE)]
    if not records:
        says = f"{where} has no SPF record; add a TXT record such as “v=spf1 include:<your relay> ~all”"
        return Finding("SPF", False, says)
    if len(records) > 1:
        return Finding("SPF", False, f"{where} has {len(records)} SPF records, which counts as none; leave one")
    [record] = records
    if re.search(r"(?<!\S)\+?all\b", record, re.IGNORECASE):
        return Finding("SPF", False, f"{where} lets everybody send in its name; end its SPF record with ~all or -all")
    if len(_ASKING.findall(record)) > LOOKUPS:
        return Finding("SPF", False, f"{where} has an SPF record of more than {LOOKUPS} look-ups; shorten it")
    return Finding("SPF", True, f"{where} says “{record[:120]}”; see to it that it names {settings.host}")


async def _dkim(settings: Settings, names: Resolver) -> Finding:
    """RFC 6376 and RFC 8301."""
    if settings.dkim_key is None:
        says = "mails are not signed here (DKIM_KEY); see to it that the relay signs for the domain of EMAIL_FROM"
        return Finding("DKIM", True, says)
    ours = modulus(settings.dkim_key.get_secret_value())
    if ours is None:
        return Finding("DKIM", False, "DKIM_KEY holds no private RSA key; make one with openssl genrsa 2048")
    if ours.bit_length() < 2048:
        return Finding("DKIM", False, f"DKIM_KEY has {ours.bit_length()} bits; make one of 2048")
    where = f"{settings.dkim_selector}._domainkey.{settings.own.domain}"
    records = await names.ask(where, "TXT")
    key = next((found[1] for text in records if (found := re.search(r"(?:^|;)\s*p=([A-Za-z0-9+/=\s]*)", text))), None)
    if not key:
        return Finding("DKIM", False, f"{where} holds no key; publish the public half of DKIM_KEY there")
    try:
        published = b64decode("".join(key.split()))
    except ValueError:
        published = b""
    if ours.to_bytes((ours.bit_length() + 7) // 8) not in published:
        return Finding("DKIM", False, f"{where} holds another key than DKIM_KEY's public half; publish that")
    return Finding("DKIM", True, f"{where} holds the public half of DKIM_KEY")


async def _dmarc(settings: Settings, names: Resolver) -> Finding:
    """RFC 7489: looked for at the domain of EMAIL_FROM, then at its parents."""
    labels = settings.own.domain.split(".")
    for start in range(len(labels) - 1):
        where = ".".join(labels[start:])
        records = [text for text in await names.ask(f"_dmarc.{where}", "TXT") if text.startswith("v=DMARC1")]
        if records:
            policy = re.search(r";\s*p=(none|quarantine|reject)\b", records[0])
            if len(records) > 1 or policy is None:
                says = f"_dmarc.{where} cannot be understood; say “v=DMARC1; p=none” there, once"
                return Finding("DMARC", False, says)
            return Finding("DMARC", True, f"_dmarc.{where} says p={policy[1]}")
    says = f"{settings.own.domain} has no DMARC record; add “v=DMARC1; p=none” as a TXT record at _dmarc"
    return Finding("DMARC", False, says)


async def _reverse(settings: Settings, names: Resolver) -> Finding:
    """Whether the relay's addresses have names that lead back to them."""
    if re.fullmatch(r"[\d.]+|.*:.*|localhost", settings.host):
        says = f"{settings.host} is no public name; see to it that the address it sends from has one that leads back"
        return Finding("PTR", True, says)
    addresses = [*await names.ask(settings.host, "A"), *await names.ask(settings.host, "AAAA")]
    if not addresses:
        return Finding("PTR", False, f"{settings.host} has no address; check SMTP_HOST")
    for address in addresses:
        back = await names.ask(dns.reversename.from_address(address).to_text(), "PTR")
        kind = "AAAA" if ":" in address else "A"
        if not any([address in await names.ask(name, kind) for name in back[:LOOKUPS]]):
            says = (
                f"{address} ({settings.host}) has no name that leads back to it; ask who runs the relay to give it one"
            )
            return Finding("PTR", False, says)
    return Finding("PTR", True, f"{settings.host} and its addresses lead to each other")


def _aligned(settings: Settings) -> Finding:
    """DMARC asks that who the mail is from, for people and for machines, is one organisation (RFC 7489 section 3.1)."""
    shown, envelope = settings.own.domain, envelope_domain(settings)
    if _related(shown, envelope):
        return Finding("alignment", True, f"EMAIL_FROM ({shown}) and the envelope's sender ({envelope}) are one domain")
    says = f"EMAIL_FROM is at {shown} and EMAIL_BOUNCES at {envelope}; take addresses of one domain"
    return Finding("alignment", False, says)


def _related(one: str, other: str) -> bool:
    """Whether two domains are one, or one lies in the other, or both in a third that looks like nobody's suffix."""
    if one == other or one.endswith(f".{other}") or other.endswith(f".{one}"):
        return True
    shared = _shared(one.split(".")[::-1], other.split(".")[::-1])
    return len(shared) > 2 or (len(shared) == 2 and len(shared[1]) > 3)


def _shared(one: Sequence[str], other: Sequence[str]) -> list[str]:
    """The labels that two domains end with, the last first."""
    shared = []
    for mine, theirs in zip(one, other, strict=False):
        if mine != theirs:
            break
        shared.append(mine)
    return shared
