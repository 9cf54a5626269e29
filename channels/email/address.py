"""Mail addresses: the one form in which they are stored and reach the wire. email-validator's home.

Stored is `local@domain` with the domain in ASCII (IDNA), so that two names that look alike do not read alike, and in
small letters throughout: no mail system that is in use tells capitals apart, and people type them as they come.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from email.utils import parseaddr
from typing import Self

from email_validator import EmailNotValidError, ValidatedEmail, validate_email

LONGEST = 254
"""Octets of an address in a path (RFC 5321 section 4.5.3.1.3, less the brackets)."""
_PLAIN = re.compile(
    r"(?=.{3,254}\Z)(?=.{1,64}@)[a-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[a-z0-9!#$%&'*+/=?^_`{|}~-]+)*"
    r"@([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]([a-z0-9-]{0,61}[a-z0-9])?"
)
"""Addresses as nearly all are stored: nothing in them has to be looked at twice."""
_TYPED_LINK = re.compile(r"mailto:", re.IGNORECASE)


def normal(written: str) -> str:
    """The form in which an address is stored. Raises ValueError, whose message is a sentence."""
    bare = _TYPED_LINK.sub("", written.strip(), count=1)
    if len(bare) > LONGEST:
        raise ValueError(f"an e-mail address has at most {LONGEST} characters")
    known = _checked(bare)
    stored = f"{known.local_part}@{known.ascii_domain}".lower()
    if len(stored.encode()) > LONGEST:
        raise ValueError(f"an e-mail address has at most {LONGEST} characters")
    return stored


def is_normal(address: str) -> bool:
    """Whether an address is in the form in which addresses are stored, and nothing else is hidden in it."""
    if _PLAIN.fullmatch(address):
        return True
    try:
        return normal(address) == address
    except ValueError:
        return False


def domain(address: str) -> str:
    """The part behind the last @."""
    return address.rpartition("@")[2]


@dataclass(frozen=True, slots=True)
class Mailbox:
    """An address with the name that is shown for it."""

    address: str
    name: str = ""

    @classmethod
    def parse(cls, written: str) -> Self:
        """Read `papers@example.org` or `Morning Papers <papers@example.org>`. Raises ValueError for neither."""
        if any(ord(character) < 32 or character == "\x7f" for character in written):
            raise ValueError("an address holds no control characters")
        name, address = parseaddr(written)
        known = _checked(address)
        if not known.local_part.isascii():
            raise ValueError("an address of our own is written in ASCII, which every mail system can answer to")
        return cls(f"{known.local_part}@{known.ascii_domain}", name)

    @property
    def domain(self) -> str:
        """The part behind the @."""
        return domain(self.address)


def _checked(address: str) -> ValidatedEmail:
    try:
        return validate_email(address, check_deliverability=False, allow_smtputf8=True)
    except EmailNotValidError as error:
        raise ValueError(f"{address!r:.100} is no e-mail address: {error}") from None
