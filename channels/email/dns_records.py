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
from channels.email import dmarc
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
        """`seconds` is the deadline of each query. Raises DnsUnavailableError where this machine names no resolver."""
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
        spf, dkim, (policy, aligned), reverse = await asyncio.gather(
            _spf(settings, resolver),
            _dkim(settings, resolver),
            _dmarc(settings, resolver),
            _reverse(settings, resolver),
        )
    except DnsUnavailableError:
        says = "no server answers, so SPF, DKIM, DMARC and reverse DNS were not checked; run this where DNS works"
        return [Finding("DNS", False, says)]
    return [spf, dkim, policy, reverse, aligned]


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
    if not re.search(r"(?<!\S)[~-]all\b", record, re.IGNORECASE) and "redirect=" not in record.lower():
        return Finding("SPF", False, f"{where} says nothing about strangers; end its SPF record with ~all or -all")
    if len(_LOOKUP.findall(record)) > MAX_SPF_LOOKUPS:
        return Finding("SPF", False, f"{where} has an SPF record of more than {MAX_SPF_LOOKUPS} lookups; shorten it")
    return Finding("SPF", True, f"{where} says “{record[:120]}”; make sure that it covers {settings.host}")


async def _dkim(settings: Settings, names: Resolver) -> Finding:
    """RFC 6376 and RFC 8301."""
    if settings.dkim_key is None:
        where = "the mailbox of EMAIL_INBOX" if settings.inbox is not None else "a mailbox of yours"
        says = (
            f"not looked at, since the relay signs: send a mail to {where} and read in its Authentication-Results that "
            f"dkim=pass stands there for {settings.own.domain}"
        )
        return Finding("DKIM", True, says, advice=True)
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


async def _dmarc(settings: Settings, names: Resolver) -> list[Finding]:
    """RFC 9989: the record that applies to EMAIL_FROM's domain, and whether the envelope sender is aligned with it."""

    async def ask(name: str) -> list[str]:
        return await names.ask(name, "TXT")

    own, envelope = settings.own.domain, envelope_domain(settings)
    found = await dmarc.walk(own, ask)
    theirs = found if envelope == own else await dmarc.walk(envelope, ask)
    return [_policy(found), _aligned(settings, found, theirs)]


def _policy(found: dmarc.Found) -> Finding:
    record = found.record
    if record is None and found.doubled_at:
        says = f"_dmarc.{found.doubled_at} has several records, which count as none: it cannot be understood; keep one"
        return Finding("DMARC", False, says)
    if record is None:
        says = f"{found.domain} has no DMARC record; add “v=DMARC1; p=none” as a TXT record at _dmarc.{found.domain}"
        return Finding("DMARC", False, says)
    where = f"_dmarc.{record.domain}"
    if not record.is_understood:
        return Finding("DMARC", False, f"{where} cannot be understood; say “v=DMARC1; p=none” there, once")
    return Finding("DMARC", True, "; ".join([_policy_in_words(found, record), *_remarks(record)]))


def _policy_in_words(found: dmarc.Found, record: dmarc.DmarcRecord) -> str:
    where = f"_dmarc.{record.domain}"
    if record.domain == found.domain:
        missing = "" if "p" in record.tags else " (it has no p, which means none)"
        return f"{where} says p={record.policy}{missing}"
    tag = "sp" if "sp" in record.tags else "p"
    return f"{found.domain} has no record of its own; {where}, found by the tree walk, says {tag}={found.policy} for it"


def _remarks(record: dmarc.DmarcRecord) -> list[str]:
    said = []
    if record.tags.get("psd") == "y":
        absent = record.policy_below("np")
        said.append(f"that is the record of a public suffix; for names that do not exist its policy is {absent} (np)")
    if record.is_tested:
        said.append(f"it is being tested (t=y): treated one step milder, as {dmarc.MILDER[record.policy]}")
    obsolete = [tag for tag in dmarc.OBSOLETE if tag in record.tags]
    if obsolete:
        said.append(f"{', '.join(obsolete)} mean nothing any more (RFC 9989) and can be removed")
    strict = [tag for tag in ("adkim", "aspf") if record.is_strict(tag)]
    if strict:
        said.append(f"alignment is strict ({', '.join(strict)})")
    return said


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


def _aligned(settings: Settings, shown: dmarc.Found, envelope: dmarc.Found) -> Finding:
    """Check alignment: header and envelope sender must belong to one organisation (RFC 9989), or be the same."""
    record = shown.record
    if record is not None and record.is_strict("aspf") and shown.domain != envelope.domain:
        says = (
            f"{shown.domain} and {envelope.domain} are two domains, so SPF does not count (aspf=s); "
            f"DKIM must sign as {shown.domain}"
        )
        return Finding("alignment", True, says, advice=True)
    if shown.organisation == envelope.organisation or _related(shown.domain, envelope.domain):
        says = f"EMAIL_FROM ({shown.domain}) and the envelope sender ({envelope.domain}) are one domain"
        strict = record is not None and record.is_strict("adkim") and settings.dkim_key is None
        return Finding("alignment", True, f"{says}; DKIM must sign as {shown.domain} (adkim=s)" if strict else says)
    says = f"EMAIL_FROM is at {shown.domain} and EMAIL_BOUNCES at {envelope.domain}; use addresses of one domain"
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
