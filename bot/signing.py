"""Signed links and tokens, by which a reader acts without logging in; the only module that imports itsdangerous.

A token is `value-signature`, in digits, lower-case letters, dots and a hyphen, since it stands in paths, in the local
part of mail addresses and in subjects, where some software changes the case. It is bound to a purpose, so that a token
leaked from a bounce address opens nothing else. It names a reader by id, never by address.
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

UNSUBSCRIBE, SETTINGS, FEWER, WEB = "unsubscribe", "settings", "fewer", "web"
"""The links that a message may have; all but the last lead to pages of one reader, the last to a public page."""

PATHS = {UNSUBSCRIBE: "/unsubscribe/", SETTINGS: "/settings/", FEWER: "/fewer/"}
"""Paths of the pages of one reader, in front of the token."""
PURPOSES = {UNSUBSCRIBE: LEAVE, SETTINGS: "settings", FEWER: "fewer"}
"""The purpose that the token in a path is signed for. The unsubscribe address of mails has the same token."""

_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"
_PAIRS = [high + low for high in _DIGITS for low in _DIGITS]
_NAME = re.compile(r"([0-9a-z]{1,12})\.([0-9a-z]{1,8})")
_TOKEN = re.compile(r"([0-9a-z.]{1,40})-([0-9a-f]{32})")
SIGNATURE_BYTES = 16
"""Bytes of the signature that a token carries."""


def token_name(subscriber_id: int, since: datetime | None) -> str:
    """How tokens name a subscriber: by id and second of subscribing, since ids may be used again.

    Both are in base 36: the local part of a mail address has at most 64 octets (RFC 5321 section 4.5.3.1.1).
    """
    return f"{_base36(subscriber_id)}.{'0' if since is None else _second(since)}"


def named(reader: str) -> tuple[int, int] | None:
    """The id and the second of subscribing in a name made by `token_name`, None if it is malformed."""
    found = _NAME.fullmatch(reader)
    return None if found is None else (int(found[1], 36), int(found[2], 36))


def _base36(number: int) -> str:
    digits = ""
    while number >= len(_PAIRS):
        number, pair = divmod(number, len(_PAIRS))
        digits = _PAIRS[pair] + digits
    return _PAIRS[number].removeprefix("0") + digits or "0"


@lru_cache(maxsize=4096)
def _second(since: datetime) -> str:
    """A moment's second in base 36; thousands subscribe in the same ones when they are imported."""
    return _base36(int(since.timestamp()))


class SignedLinks:
    """Signs and verifies tokens with one key per purpose. The first secret signs, all of them verify."""

    def __init__(self, secrets: Sequence[str], public: str | None = None) -> None:
        """`public` is the web server's public address (`https://papers.example`), None without one.

        Raises ValueError without a secret.
        """
        if not secrets:
            raise ValueError("nothing to sign with")
        self.public = None if public is None else public.rstrip("/")
        self._secrets = [secret.encode() for secret in secrets]
        self._signers: dict[str, list[_Signer]] = {}
        # A mail names its reader in several places.
        self.sign = lru_cache(maxsize=256)(self._sign)

    def _sign(self, purpose: str, value: str) -> str:
        """A token that holds `value` for one purpose and never expires. Raises ValueError if it cannot hold it."""
        token = f"{value}-{self._signed_by(purpose)[0].short_signature(value)}"
        if not _TOKEN.fullmatch(token):
            raise ValueError("a token holds up to 40 digits, lower-case letters and dots")
        return token

    def read(self, purpose: str, token: str) -> str | None:
        """The value that a token holds; None if we did not sign it for this purpose."""
        found = _TOKEN.fullmatch(token.lower())
        if found is None:
            return None
        value, signature = found[1], found[2]
        if any(compare_digest(each.short_signature(value), signature) for each in self._signed_by(purpose)):
            return value
        return None

    def of(self, reader: str, language: str, slug: str | None) -> Mapping[str, str]:
        """The links of a message to one reader, by name; empty without a web server.

        `reader` is their token name, `slug` that of the edition that the message is about, if there is one.
        """
        if self.public is None:
            return {}
        links = {name: f"{self.public}{path}{self.sign(PURPOSES[name], reader)}" for name, path in PATHS.items()}
        return links if slug is None else links | {WEB: f"{self.public}/{language}/{slug}"}

    def _signed_by(self, purpose: str) -> list[_Signer]:
        if purpose not in self._signers:
            self._signers[purpose] = [_Signer(secret, purpose) for secret in self._secrets]
        return self._signers[purpose]


class _Signer(Signer):
    """itsdangerous' Signer with a key that is derived once, and a signature cut in half to fit into a mail address.

    128 of 256 bits of an HMAC are enough (RFC 2104 section 5).
    """

    def __init__(self, secret: bytes, purpose: str) -> None:
        super().__init__(secret, salt=f"morning-papers.{purpose}", key_derivation="hmac", digest_method=hashlib.sha256)
        self._key = self.derive_key()

    def short_signature(self, value: str) -> str:
        """The first half of a value's signature, as hexadecimal digits."""
        return self.algorithm.get_signature(self._key, value.encode())[:SIGNATURE_BYTES].hex()
