"""What the web side can be told, beside PUBLIC_URL and SECRET_KEY, which messages need as well."""

from __future__ import annotations

from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, SecretStr, field_validator

USUAL_PORT = 8080
SHORTEST_TOKEN = 16

Network = IPv4Network | IPv6Network


def networks(written: object) -> object:
    """Read `127.0.0.1, 10.0.0.0/8`: addresses and networks of proxies."""
    if not isinstance(written, str):
        return written
    try:
        return tuple(ip_network(each.strip(), strict=False) for each in written.split(",") if each.strip())
    except ValueError:
        raise ValueError("must be addresses or networks, such as 127.0.0.1, 10.0.0.0/8, separated by commas") from None


class WebSettings(BaseModel):
    """Where the web side listens, whom it believes, and what opens the operator's pages."""

    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)

    host: str = Field("127.0.0.1", alias="WEB_HOST", min_length=1, max_length=255)
    port: int | None = Field(None, alias="WEB_PORT", ge=0, le=65_535)
    """Setting it makes the program listen; 0 takes any free port. With PUBLIC_URL alone it is USUAL_PORT."""
    proxies: Annotated[tuple[Network, ...], BeforeValidator(networks)] = Field((), alias="TRUSTED_PROXIES")
    """Whose X-Forwarded-For is believed."""
    metrics_token: SecretStr | None = Field(None, alias="METRICS_TOKEN")
    """Opens /readyz and /metrics, which are not there without it."""

    hook_secret: SecretStr | None = Field(None, alias="MAIL_HOOK_SECRET")
    """What events of mail services are signed with; without it none are taken."""

    @field_validator("metrics_token", "hook_secret")
    @classmethod
    def _long_enough(cls, written: SecretStr | None) -> SecretStr | None:
        if written is not None and len(written.get_secret_value()) < SHORTEST_TOKEN:
            raise ValueError(f"must have at least {SHORTEST_TOKEN} characters")
        return written
