"""Signed tokens in links and addresses, by which what comes back is matched to a reader."""

from __future__ import annotations

from typing import Protocol

LEAVE = "leave"
"""The purpose of tokens that unsubscribe; the value is `Personal.reader`."""
MAIL = "mail"
"""The purpose of tokens that name one message; the value is the edition's number, a dot, and `Personal.reader`."""


class Links(Protocol):
    """Signs values, and verifies tokens that come back."""

    @property
    def public(self) -> str | None:
        """The public URL of the web server, None where there is none."""

    def sign(self, purpose: str, value: str) -> str:
        """A token for `value`, of digits, lower-case letters, dots and a hyphen; valid for one purpose, for ever.

        Raises LookupError without a key, ValueError for a value that is longer or has other characters.
        """

    def read(self, purpose: str, token: str) -> str | None:
        """The value that a token holds; None for one that we did not sign for this purpose."""


class Unsigned:
    """Links without a key, for tests: signs nothing and accepts no token."""

    public: str | None = None

    def sign(self, purpose: str, value: str) -> str:  # noqa: ARG002 - the protocol's signature
        raise LookupError("there is no key to sign with")

    def read(self, purpose: str, token: str) -> str | None:  # noqa: ARG002 - the protocol's signature
        return None
