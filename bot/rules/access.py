"""Access control: everybody, holders of an invite code, or the addresses on a list may subscribe. Pure."""

from __future__ import annotations

import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from fnmatch import fnmatchcase

from bot.model import Address


class Admission(StrEnum):
    """The access policies, as in the setting ACCESS."""

    OPEN = "open"
    INVITE = "invite"
    LIST = "list"


@dataclass(frozen=True, slots=True)
class Access:
    """The access policy. `allowed` are address patterns with `*` as wildcard, `always` the operators' addresses."""

    by: Admission = Admission.OPEN
    codes: Sequence[str] = ()
    allowed: Sequence[str] = ()
    always: Sequence[Address] = ()

    def operates(self, address: Address) -> bool:
        """Whether an address is an operator's."""
        return str(address).casefold() in {str(each).casefold() for each in self.always}

    def admits(self, address: Address, invite: str | None = None) -> bool:
        """Whether an address may subscribe with this invite code."""
        if self.by is Admission.OPEN or self.operates(address):
            return True
        if self.by is Admission.LIST:
            return any(fnmatchcase(str(address).casefold(), pattern.casefold()) for pattern in self.allowed)
        given = (invite or "").strip().encode()
        # Every code is compared, each in constant time, so that timing tells a guesser nothing.
        return bool(sum(hmac.compare_digest(given, code.encode()) for code in self.codes))
