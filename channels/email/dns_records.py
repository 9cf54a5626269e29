"""DNS checks of `papers doctor`: SPF, DKIM, DMARC, alignment and reverse DNS. dnspython's home."""

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

QUERY_SECONDS = 5.0
"""Seconds for one DNS query."""
MAX_SPF_LOOKUPS = 10
"""DNS lookups that an SPF record may cause (RFC 7208 section 4.6.4)."""
_LOOKUP = re.compile(r"(?<!\S)[+?~-]?(include:|a\b|mx\b|ptr\b|exists:)|redirect=", re.IGNORECASE)


class DnsUnavailableError(Exception):
    """No DNS server answers."""


class Resolver:
    """Asks DNS; a name without records gives an empty list."""

    def __init__(self, resolver: dns.asyncresolver.Resolver | None = None, seconds: float = QUERY_SECONDS) -> None:
        try:
            self._resolver = resolver or dns.asyncresolver.Resolver()
        except dns.resolver.NoResolverConfiguration:
            raise DnsUnavailableError from None
        self._resolver.lifetime = seconds

    async def ask(self, name: str, kind: str) -> list[str]:
        """The records of type `kind` of a name, TXT records joined and decoded. Raises DnsUnavailableError."""
        try:
            answer = await self._resolver.resolve(name, kind, search=False)
        except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
            return []
        except (dns.exception.DNSException, OSError, ValueError):
            raise DnsUnavailableError from None
        if kind == "TXT":
            return [b"".join(row.strings).decode("utf-8", "replace") for row in answer]
        return [row.to_text().rstrip(".") for row in answer]


async def check_dns(settings: Settings, names: Resolver | None = None) -> list[Finding]:
    """Run every DNS check."""
    try:
        resolver = names or Resolver()
        found = await asyncio.gather(*(check(settings, resolver) for check in (_spf, _dkim, _dmarc, _reverse)))
    except DnsUnavailableError:
        says = "no server answers, so SPF, DKIM, DMARC and reverse DNS were not checked; run this where DNS works"
        return [Finding("DNS", False, says)]
    return [*found, _aligned(settings)]


def envelope_domain(settings: Settings) -> str:
    """The domain of the envelope sender, which SPF checks."""
    return domain(settings.bounces.replace(TOKEN, "")) if settings.bounces else settings.own.domain


async def _spf(settings: Settings, names: Resolver) -> Finding:
    """RFC 7208."""
    where = envelope_domain(settings)
    records = [text for text in await names.ask(where, "TXT") if re.match(r"v=spf1(\s|$)", text, re.IGNORECASE)]
    if not records:
        says = f"{where} has no SPF record; add a TXT record such as “v=spf1 include:<your relay> ~all”"
        return Finding("SPF", False, says)
    if len(records) > 1:
        return Finding("SPF", False, f"{where} has {len(records)} SPF records, which counts as none; keep one")
    [record] = records
    if re.search(r"(?<!\S)\+?all\b", record, re.IGNORECASE):
        return Finding("SPF", False, f"{where} allows everybody to send; end its SPF record with ~all or -all")
    if len(_LOOKUP.findall(record)) > MAX_SPF_LOOKUPS:
        return Finding("SPF", False, f"{where} has an SPF record of more than {MAX_SPF_LOOKUPS} lookups; shorten it")
    return Finding("SPF", True, f"{where} says “{record[:120]}”; make sure that it covers {settings.host}")


async def _dkim(settings: Settings, names: Resolver) -> Finding:
    """RFC 6376 and RFC 8301."""
    if settings.dkim_key is None:
        says = "DKIM_KEY is not set; make sure that the relay signs for the domain of EMAIL_FROM"
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
        return Finding("DKIM", False, f"{where} holds no key; publish DKIM_KEY's public key there")
    try:
        published = b64decode("".join(key.split()))
    except ValueError:
        published = b""
    if ours.to_bytes((ours.bit_length() + 7) // 8) not in published:
        return Finding("DKIM", False, f"{where} holds another key; publish DKIM_KEY's public key there")
    return Finding("DKIM", True, f"{where} holds DKIM_KEY's public key")


async def _dmarc(settings: Settings, names: Resolver) -> Finding:
    """RFC 7489: the record of EMAIL_FROM's domain, else of its parents."""
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
    """Check forward-confirmed reverse DNS of the relay's addresses."""
    if re.fullmatch(r"[\d.]+|.*:.*|localhost", settings.host):
        says = f"{settings.host} is not a public name; make sure that the address it sends from has reverse DNS"
        return Finding("PTR", True, says)
    addresses = [*await names.ask(settings.host, "A"), *await names.ask(settings.host, "AAAA")]
    if not addresses:
        return Finding("PTR", False, f"{settings.host} has no address; check SMTP_HOST")
    for address in addresses:
        back = await names.ask(dns.reversename.from_address(address).to_text(), "PTR")
        kind = "AAAA" if ":" in address else "A"
        if not any([address in await names.ask(name, kind) for name in back[:MAX_SPF_LOOKUPS]]):
            says = f"{address} ({settings.host}) has no reverse DNS name that resolves to it; ask the relay's operator"
            return Finding("PTR", False, says)
    return Finding("PTR", True, f"forward and reverse DNS of {settings.host} agree")


def _aligned(settings: Settings) -> Finding:
    """Check alignment: header and envelope sender must belong to one organisation (RFC 7489 section 3.1)."""
    shown, envelope = settings.own.domain, envelope_domain(settings)
    if _related(shown, envelope):
        return Finding("alignment", True, f"EMAIL_FROM ({shown}) and the envelope sender ({envelope}) are one domain")
    says = f"EMAIL_FROM is at {shown} and EMAIL_BOUNCES at {envelope}; use addresses of one domain"
    return Finding("alignment", False, says)


def _related(one: str, other: str) -> bool:
    """Whether two domains are equal, one a subdomain of the other, or both of a third that is not a public suffix."""
    if one == other or one.endswith(f".{other}") or other.endswith(f".{one}"):
        return True
    shared = _shared(one.split(".")[::-1], other.split(".")[::-1])
    return len(shared) > 2 or (len(shared) == 2 and len(shared[1]) > 3)


def _shared(one: Sequence[str], other: Sequence[str]) -> list[str]:
    """The labels in which two reversed domains agree, from the top-level domain on."""
    shared = []
    for mine, theirs in zip(one, other, strict=False):
        if mine != theirs:
            break
        shared.append(mine)
    return shared
