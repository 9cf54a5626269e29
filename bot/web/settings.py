"""Settings of the web server. PUBLIC_URL and SECRET_KEY are the core's, since messages need them as well."""

from __future__ import annotations

import re
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, SecretStr, field_validator

USUAL_PORT = 8080
"""Port if PUBLIC_URL is set and WEB_PORT is not."""
SHORTEST_TOKEN = 16
"""Characters that a token or secret must have at least."""
MAIL_ADDRESS = re.compile(r"[\w.%+-]+@[\w-]+(\.[\w-]+)+", re.ASCII)

Network = IPv4Network | IPv6Network


def networks(written: object) -> object:
    """Read `127.0.0.1, 10.0.0.0/8`: addresses and networks of proxies. Raises ValueError."""
    if not isinstance(written, str):
        return written
    try:
        return tuple(ip_network(each.strip(), strict=False) for each in written.split(",") if each.strip())
    except ValueError:
        raise ValueError("must be addresses or networks, such as 127.0.0.1, 10.0.0.0/8, separated by commas") from None


class WebSettings(BaseModel):
    """Where the web server listens, which proxies it trusts, and the operator's tokens."""

    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)

    host: str = Field("127.0.0.1", alias="WEB_HOST", min_length=1, max_length=255)
    port: int | None = Field(None, alias="WEB_PORT", ge=0, le=65_535)
    """Setting it turns the web server on; 0 is any free port. With PUBLIC_URL alone it is USUAL_PORT."""
    health_port: int | None = Field(None, alias="HEALTH_PORT", ge=0, le=65_535)
    """Setting it serves the probes alone, whichever jobs the process runs; 0 is any free port."""
    health_host: str = Field("127.0.0.1", alias="HEALTH_HOST", min_length=1, max_length=255)
    proxies: Annotated[tuple[Network, ...], BeforeValidator(networks)] = Field((), alias="TRUSTED_PROXIES")
    """Proxies whose X-Forwarded-For header is trusted."""
    metrics_token: SecretStr | None = Field(None, alias="METRICS_TOKEN")
    """Bearer token of /readyz and /metrics, which are off without it."""

    security_contact: str = Field("", alias="SECURITY_CONTACT", max_length=200)
    """Where faults of security are reported: the URI of a mailbox or a page, empty for nowhere."""
    hook_secret: SecretStr | None = Field(None, alias="MAIL_HOOK_SECRET")
    """Key that mail services sign their webhooks with; without it that webhook is off."""

    @field_validator("security_contact")
    @classmethod
    def _contact(cls, written: str) -> str:
        if MAIL_ADDRESS.fullmatch(written):
            return f"mailto:{written}"
        if written and not re.fullmatch(r"https://[!-~]+", written):
            raise ValueError("must be a mail address, or a web address that starts with https://")
        return written

    @field_validator("metrics_token", "hook_secret")
    @classmethod
    def _long_enough(cls, written: SecretStr | None) -> SecretStr | None:
        if written is not None and len(written.get_secret_value()) < SHORTEST_TOKEN:
            raise ValueError(f"must have at least {SHORTEST_TOKEN} characters")
        return written
