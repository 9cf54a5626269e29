"""Mail addresses: validation and the canonical form in which they are stored and sent. email-validator's home.

Stored is `local@domain` in lower case (no mail system in use tells capitals apart), the domain in ASCII (IDNA), so that
look-alike names differ.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from email.utils import parseaddr
from typing import Self

from email_validator import EmailNotValidError, ValidatedEmail, validate_email

MAX_OCTETS = 254
"""Octets of an address (RFC 5321 section 4.5.3.1.3, less the brackets)."""
_PLAIN = re.compile(
    r"(?=.{3,254}\Z)(?=.{1,64}@)[a-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[a-z0-9!#$%&'*+/=?^_`{|}~-]+)*"
    r"@([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]([a-z0-9-]{0,61}[a-z0-9])?"
)
"""Fast path: matches nearly every stored address, without the full validation."""
_TYPED_LINK = re.compile(r"mailto:", re.IGNORECASE)


def normalise(written: str) -> str:
    """An address in its stored form. Raises ValueError with a sentence for users."""
    bare = _TYPED_LINK.sub("", written.strip(), count=1)
    if len(bare) > MAX_OCTETS:
        raise ValueError(f"an e-mail address has at most {MAX_OCTETS} characters")
    known = _checked(bare)
    stored = f"{known.local_part}@{known.ascii_domain}".lower()
    if len(stored.encode()) > MAX_OCTETS:
        raise ValueError(f"an e-mail address has at most {MAX_OCTETS} characters")
    return stored


def is_normalised(address: str) -> bool:
    """Whether an address is exactly in its stored form, so that it is safe in an SMTP command."""
    if _PLAIN.fullmatch(address):
        return True
    try:
        return normalise(address) == address
    except ValueError:
        return False


def domain(address: str) -> str:
    """The part behind the last @."""
    return address.rpartition("@")[2]


@dataclass(frozen=True, slots=True)
class Mailbox:
    """An address with a display name."""

    address: str
    name: str = ""

    @classmethod
    def parse(cls, written: str) -> Self:
        """Parse `papers@example.org` or `Morning Papers <papers@example.org>`. Raises ValueError."""
        if any(ord(character) < 32 or character == "\x7f" for character in written):
            raise ValueError("an address holds no control characters")
        name, address = parseaddr(written)
        known = _checked(address)
        if not known.local_part.isascii():
            raise ValueError("a sender's address must be ASCII: not every mail system can reply to another")
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
