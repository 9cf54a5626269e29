"""DMARC records (RFC 9989): what one says, where the one that applies is found, and which domains belong together."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

MAX_LABELS = 8
"""Labels of a domain beyond which the tree walk goes on with the last seven (RFC 9989 section 4.10)."""
POLICIES = ("none", "quarantine", "reject")
MILDER = {"reject": "quarantine", "quarantine": "none", "none": "none"}
"""How a policy is treated that is being tested (t=y)."""
OBSOLETE = ("pct", "ri", "rf")
"""Tags of RFC 7489 that mean nothing any more."""

Ask = Callable[[str], Awaitable[list[str]]]
"""The TXT records of a name."""


@dataclass(frozen=True, slots=True)
class DmarcRecord:
    """A record and the domain that it stands at."""

    domain: str
    tags: Mapping[str, str]

    @property
    def is_understood(self) -> bool:
        """Whether it has a policy, or at least asks for reports, which makes its policy `none`."""
        return self.tags.get("p") in POLICIES or "rua" in self.tags

    @property
    def policy(self) -> str:
        """The policy for the domain itself."""
        written = self.tags.get("p", "none")
        return written if written in POLICIES else "none"

    def policy_below(self, tag: str = "sp") -> str:
        """The policy for subdomains; `tag` is "sp" for those that exist, "np" for those that do not."""
        tags = (tag, "sp") if tag == "np" else (tag,)
        return next((self.tags[each] for each in tags if self.tags.get(each) in POLICIES), self.policy)

    @property
    def is_tested(self) -> bool:
        """Whether it asks for milder treatment (t=y)."""
        return self.tags.get("t") == "y"

    def is_strict(self, tag: str) -> bool:
        """Whether alignment is strict for SPF ("aspf") or DKIM ("adkim")."""
        return self.tags.get(tag) == "s"


@dataclass(frozen=True, slots=True)
class Found:
    """The result of a tree walk for one domain."""

    domain: str
    organisation: str
    """The organisational domain; the domain itself where no record is found."""
    record: DmarcRecord | None
    """The record that applies; None where there is none, or more than one at the same name."""
    doubled_at: str = ""
    """Where several records stand, which count as none."""

    @property
    def policy(self) -> str:
        """The policy that receivers apply, before `t`."""
        if self.record is None:
            return "none"
        return self.record.policy if self.record.domain == self.domain else self.record.policy_below()


def parse(text: str, domain: str) -> DmarcRecord | None:
    """The record in a TXT record, None where it is none. Spaces and case do not matter, but for the version."""
    pairs = [part.partition("=") for part in text.split(";")]
    tags = {name.strip().lower(): value.strip() for name, _, value in pairs if name.strip()}
    if not re.match(r"\s*v\s*=\s*DMARC1\s*(;|$)", text, re.IGNORECASE):
        return None
    return DmarcRecord(
        domain, {name: value if name in {"rua", "ruf"} else value.lower() for name, value in tags.items()}
    )


async def walk(domain: str, ask: Ask) -> Found:
    """Find the record that applies to a domain, from it towards the root (RFC 9989 section 4.10)."""
    found: list[DmarcRecord] = []
    doubled = ""
    for where in _path(domain):
        records = [record for text in await ask(f"_dmarc.{where}") if (record := parse(text, where)) is not None]
        if len(records) > 1:
            doubled = doubled or where
        elif records:
            found.append(records[0])
            if records[0].tags.get("psd") in {"y", "n"}:
                break
    return Found(domain, _organisation(domain, found), _applying(domain, found), doubled)


def _path(domain: str) -> list[str]:
    labels = domain.split(".")
    above = labels[1 - MAX_LABELS :] if len(labels) > MAX_LABELS else labels[1:]
    return [domain, *(".".join(above[start:]) for start in range(len(above)))]


def _organisation(domain: str, found: list[DmarcRecord]) -> str:
    """The organisational domain: below a public suffix, where psd=n says so, else the record nearest to the root."""
    if not found:
        return domain
    last = found[-1]
    if last.tags.get("psd") == "y" and last.domain != domain:
        own = domain.split(".")
        return ".".join(own[-(last.domain.count(".") + 2) :])
    return last.domain


def _applying(domain: str, found: list[DmarcRecord]) -> DmarcRecord | None:
    """The record of the domain itself, else of its organisation, else of the public suffix above."""
    own = next((record for record in found if record.domain == domain), None)
    organisation = _organisation(domain, found)
    theirs = next((record for record in found if record.domain == organisation), None)
    return own or theirs or (found[-1] if found else None)
