"""Signed links and tokens: what a reader can tap or write to without logging in. itsdangerous' only home.

A token is `value-signature`, in digits, small letters, dots and a hyphen: it lives in a path, in the local part of
a mail address and in a subject, and survives software that makes small letters of capitals. It is bound to a purpose,
so that one which leaks from a bounce address opens nothing else. It names a reader by number, never by address.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from hmac import compare_digest

from itsdangerous import Signer

from bot.channel import LEAVE

UNSUBSCRIBE, SETTINGS, WEB = "unsubscribe", "settings", "web"
"""The links that a message may show; the first two are pages of one reader, the last is everybody's."""

PATHS = {UNSUBSCRIBE: "/unsubscribe/", SETTINGS: "/settings/"}
"""Where the pages of one reader are, in front of the token."""
PURPOSES = {UNSUBSCRIBE: LEAVE, SETTINGS: "settings"}
"""What the token in a path is signed for. A mail to the unsubscribe address carries the same one as the link."""

_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"
_NAME = re.compile(r"([0-9a-z]{1,12})\.([0-9a-z]{1,8})")
_TOKEN = re.compile(r"([0-9a-z.]{1,40})-([0-9a-f]{32})")
HALF = 16
"""Bytes of a signature that a token carries."""


def token_name(subscriber_id: int, since: datetime | None) -> str:
    """What tokens call a subscriber: the number, and when they subscribed, since numbers may be given again.

    Both in base 36: the local part of an address has 64 octets.
    """
    return f"{_base36(subscriber_id)}.{_base36(0 if since is None else int(since.timestamp()))}"


def named(reader: str) -> tuple[int, int] | None:
    """The number of a subscriber in what tokens call them, and the second in which they subscribed."""
    found = _NAME.fullmatch(reader)
    return None if found is None else (int(found[1], 36), int(found[2], 36))


def _base36(number: int) -> str:
    digits = ""
    while True:
        number, digit = divmod(number, 36)
        digits = _DIGITS[digit] + digits
        if not number:
            return digits


class SignedLinks:
    """Signs and checks with a key of its own per purpose. The first secret signs, all of them verify."""

    def __init__(self, secrets: Sequence[str], public: str | None = None) -> None:
        """`public` is the address of the web side (`https://papers.example`), None where there is none."""
        if not secrets:
            raise ValueError("nothing to sign with")
        self.public = None if public is None else public.rstrip("/")
        self._secrets = [secret.encode() for secret in secrets]
        self._signers: dict[str, list[_Signer]] = {}
        # A mail names its reader in several places.
        self.sign = lru_cache(maxsize=256)(self._sign)

    def _sign(self, purpose: str, value: str) -> str:
        """A token that says `value`, for one purpose, for ever. Raises ValueError for what a token cannot hold."""
        token = f"{value}-{self._signed_by(purpose)[0].sign_shortly(value)}"
        if not _TOKEN.fullmatch(token):
            raise ValueError("a token holds up to 40 digits, small letters and dots")
        return token

    def read(self, purpose: str, token: str) -> str | None:
        """What a token says; None for one that was not signed by us for this purpose."""
        found = _TOKEN.fullmatch(token.lower())
        if found is None:
            return None
        value, signature = found[1], found[2]
        if any(compare_digest(each.sign_shortly(value), signature) for each in self._signed_by(purpose)):
            return value
        return None

    def of(self, reader: str, language: str, slug: str | None) -> Mapping[str, str]:
        """The links of a message to one reader, about one edition or none; empty where there is no web side."""
        if self.public is None:
            return {}
        links = {name: f"{self.public}{path}{self.sign(PURPOSES[name], reader)}" for name, path in PATHS.items()}
        return links if slug is None else links | {WEB: f"{self.public}/{language}/{slug}"}

    def _signed_by(self, purpose: str) -> list[_Signer]:
        if purpose not in self._signers:
            self._signers[purpose] = [_Signer(secret, purpose) for secret in self._secrets]
        return self._signers[purpose]


class _Signer(Signer):
    """itsdangerous' own, with a key that is derived once, and half of a signature: it has to fit into an address.

    128 bits of an HMAC are as many as anybody can guess at (RFC 2104 section 5).
    """

    def __init__(self, secret: bytes, purpose: str) -> None:
        super().__init__(secret, salt=f"morning-papers.{purpose}", key_derivation="hmac", digest_method=hashlib.sha256)
        self._key = self.derive_key()

    def sign_shortly(self, value: str) -> str:
        """The first half of a value's signature, in hexadecimal."""
        return self.algorithm.get_signature(self._key, value.encode())[:HALF].hex()
