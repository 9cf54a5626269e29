"""Settings of the Discord channel; each field's alias is its environment variable."""

from __future__ import annotations

from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator

API_URL = "https://discord.com/api/v10"
"""The API with its version (reference#api-versioning)."""


class Settings(BaseModel):
    """The bot's token, the address of the API, and a server for development."""

    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)

    token: SecretStr | None = Field(None, alias="DISCORD_TOKEN")
    """The bot's token, which turns the channel on."""
    api_url: str = Field(API_URL, alias="DISCORD_API_URL")
    """Base URL of the API with its version; may be a proxy's."""
    guild: int | None = Field(None, alias="DISCORD_GUILD", ge=1)
    """Id of a server where changed slash commands appear at once, for development."""

    @property
    def configured(self) -> bool:
        """Whether the operator set a token, which turns the channel on."""
        return self.token is not None

    @field_validator("api_url")
    @classmethod
    def _is_a_base_url(cls, url: str) -> str:
        try:
            parts = urlsplit(url)
            valid = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
        except ValueError:
            valid = False
        if not valid or parts.query or parts.fragment or not url.isascii():
            raise ValueError("must be a web address that starts with https:// (or http://)")
        return url.rstrip("/")
