"""DKIM signatures (RFC 6376) for relays that do not sign. dkimpy's home."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from functools import lru_cache

SIGNED = (
    b"from",
    b"to",
    b"subject",
    b"date",
    b"message-id",
    b"reply-to",
    b"mime-version",
    b"content-type",
    b"list-id",
    b"list-unsubscribe",
    b"list-unsubscribe-post",
    b"list-post",
    b"list-archive",
    b"archived-at",
    b"auto-submitted",
    b"feedback-id",
)
"""Headers that are signed; one-click unsubscription needs both of its own signed (RFC 8058 section 4)."""
_STUFFED = re.compile(rb"^\.\.", re.MULTILINE)


class KeyFaultError(Exception):
    """The DKIM key cannot be used; the message is one sentence for operators."""


class Signer:
    """Signs mails with one key."""

    def __init__(self, key: str, selector: str, domain: str) -> None:
        """`key` is a private RSA key as PEM. Raises KeyFaultError."""
        if modulus(key) is None:
            raise KeyFaultError("DKIM_KEY holds no private RSA key; make one with openssl genrsa 2048.")
        self._key, self._selector, self._domain = key.encode(), selector.encode(), domain.encode()

    async def sign(self, wire: Sequence[bytes]) -> bytes:
        """Sign a mail, given dot-stuffed as it goes over the wire. Returns the DKIM-Signature header with CRLF."""
        mail = _STUFFED.sub(b".", b"".join(wire))
        return await asyncio.to_thread(self._sign, mail)

    def _sign(self, mail: bytes) -> bytes:
        import dkim

        present = {line.partition(b":")[0].lower() for line in mail.partition(b"\r\n\r\n")[0].split(b"\r\n")}
        signature: bytes = dkim.sign(
            mail,
            self._selector,
            self._domain,
            self._key,
            canonicalize=(b"relaxed", b"relaxed"),
            include_headers=[name for name in SIGNED if name in present],
        )
        return signature


@lru_cache(maxsize=2)
def modulus(key: str) -> int | None:
    """The modulus of a private RSA key, which its public key shares; None for anything else."""
    from dkim.crypto import UnparsableKeyError, parse_pem_private_key

    try:
        return int(parse_pem_private_key(key.encode())["modulus"])
    except (UnparsableKeyError, ValueError, KeyError, IndexError, TypeError):
        return None
