"""Tokens that we sign, so that what comes back is known by them and not by what a stranger wrote."""

from __future__ import annotations

from typing import Protocol

LEAVE = "leave"
"""The purpose of tokens that unsubscribe; the value is `Personal.reader`."""
MAIL = "mail"
"""The purpose of tokens that name one message; the value is the edition's number, a dot, and `Personal.reader`."""


class Links(Protocol):
    """Signs values and checks what comes back."""

    @property
    def public(self) -> str | None:
        """The address of the web side, None where there is none and no link can lead to it."""
        ...

    def sign(self, purpose: str, value: str) -> str:
        """A token of digits, small letters, dots and a hyphen that says `value`, for one purpose, for ever."""
        ...

    def read(self, purpose: str, token: str) -> str | None:
        """What a token says; None for one that was not signed by us for this purpose."""
        ...


class Unsigned:
    """Links of a program that has no key, such as a test's: nothing can be signed, nothing is believed."""

    public: str | None = None

    def sign(self, purpose: str, value: str) -> str:  # noqa: ARG002 - the protocol's signature
        raise LookupError("there is no key to sign with")

    def read(self, purpose: str, token: str) -> str | None:  # noqa: ARG002 - the protocol's signature
        return None
