"""Settings of the e-mail channel: relay, sender, rate, bounce address and DKIM key."""

from __future__ import annotations

import re
from typing import Annotated, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, SecretStr, field_validator, model_validator

from bot.channel import Rate
from channels.email.address import Mailbox

TOKEN = "{token}"  # noqa: S105 - a placeholder
"""Placeholder in EMAIL_BOUNCES for the signed token of a mail (VERP)."""
MAX_TOKEN = 51
"""Octets of the longest token, with numbers of ten digits."""
MAX_LOCAL_PART = 64
"""Octets of an address before the @ (RFC 5321 section 4.5.3.1.1)."""
UNIT_SECONDS = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
PORTS = {"starttls": 587, "tls": 465, "none": 25}
LOOPBACK = {"localhost", "127.0.0.1", "::1"}


def read_rate(written: object) -> object:
    """Parse `14`, `14/s`, `500/h` or `10000/d`; a bare number is per second. Raises ValueError."""
    if not isinstance(written, str):
        return written
    found = re.fullmatch(r"\s*(\d{1,7})\s*(?:/\s*([smhd]))?\s*", written)
    if not found or not int(found[1]):
        raise ValueError("must be a number of mails in a time, such as 14/s, 500/h or 10000/d")
    return Rate(int(found[1]), UNIT_SECONDS[found[2] or "s"])


def read_mailbox(written: object) -> object:
    """Parse `papers@example.org` or `Morning Papers <papers@example.org>`. Raises ValueError."""
    if not isinstance(written, str):
        return written
    try:
        return Mailbox.parse(written)
    except ValueError:
        raise ValueError(
            "must be an address, such as papers@example.org or Morning Papers <papers@example.org>"
        ) from None


class Settings(BaseModel):
    """Settings of the e-mail channel; a field's alias is the name of its environment variable."""

    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True, arbitrary_types_allowed=True)

    host: str = Field(
        "",
        alias="SMTP_HOST",
        pattern=r"^[A-Za-z0-9.:-]{0,253}$",
        description="must be the name or the address of a host alone, such as smtp.example.org; the port is SMTP_PORT",
    )
    port: int = Field(0, alias="SMTP_PORT", ge=1, le=65535)
    security: Literal["starttls", "tls", "none"] = Field("starttls", alias="SMTP_SECURITY")
    username: str = Field("", alias="SMTP_USERNAME", max_length=500)
    password: SecretStr | None = Field(None, alias="SMTP_PASSWORD")
    sender: Annotated[Mailbox | None, BeforeValidator(read_mailbox)] = Field(None, alias="EMAIL_FROM")
    reply_to: Annotated[Mailbox | None, BeforeValidator(read_mailbox)] = Field(None, alias="EMAIL_REPLY_TO")
    rate: Annotated[Rate | None, BeforeValidator(read_rate)] = Field(None, alias="EMAIL_RATE")
    connections: int = Field(10, alias="EMAIL_CONNECTIONS", ge=1, le=200)
    pictures: Literal["link", "inline"] = Field("link", alias="EMAIL_PICTURES")
    """Whether mails have pictures within them where there is no web server (PUBLIC_URL) to link to."""
    bounces: str = Field("", alias="EMAIL_BOUNCES", max_length=254)
    """The envelope sender (return path), in which {token} becomes a mail's signed token (VERP)."""
    inbox: SecretStr | None = Field(None, alias="EMAIL_INBOX")
    """The mailbox with bounces and replies. Secret, because its address may hold a password."""
    dkim_key: SecretStr | None = Field(None, alias="DKIM_KEY")
    """A private RSA key as PEM."""
    dkim_selector: str = Field(
        "",
        alias="DKIM_SELECTOR",
        pattern=r"^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)?$",
        description="must be one name in lower case, such as papers2026",
    )

    @property
    def configured(self) -> bool:
        """Whether the operator set up e-mail."""
        return bool(self.host)

    @property
    def own(self) -> Mailbox:
        """The sender; where e-mail is not set up, and nothing can be sent, one for previews."""
        return self.sender or Mailbox("papers@example.org")

    @property
    def relay_port(self) -> int:
        """SMTP_PORT, or the usual port of SMTP_SECURITY."""
        return self.port or PORTS[self.security]

    @field_validator("bounces")
    @classmethod
    def _pattern(cls, written: str) -> str:
        if written:
            local = written.partition("@")[0]
            room = MAX_LOCAL_PART - MAX_TOKEN
            if written.count(TOKEN) != 1 or TOKEN not in local or len(local.replace(TOKEN, "")) > room:
                raise ValueError(
                    f"must be an address with {TOKEN} and at most {room} other characters before the @, "
                    "such as bounces+{token}@example.org"
                )
            try:
                plain = written.replace(TOKEN, "0.1-a")
                if Mailbox.parse(plain).address.casefold() != plain.casefold():
                    raise ValueError("a name beside the address")
            except ValueError:
                raise ValueError("must be an address, such as bounces+{token}@example.org") from None
        return written

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if self.host and self.sender is None:
            raise ValueError("SMTP_HOST needs the address that mails come from in EMAIL_FROM")
        if self.password is not None and not self.username:
            raise ValueError("SMTP_PASSWORD needs SMTP_USERNAME")
        if self.username and self.security == "none" and self.host not in LOOPBACK:
            raise ValueError("SMTP_SECURITY=none would send SMTP_PASSWORD in the clear: use starttls or tls")
        if (self.dkim_key is None) != (not self.dkim_selector):
            raise ValueError("DKIM_KEY and DKIM_SELECTOR need each other")
        return self
