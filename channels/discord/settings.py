"""What the Discord channel can be told."""

from __future__ import annotations

from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator

API_URL = "https://discord.com/api/v10"
"""Where Discord's API begins (reference#api-versioning)."""


class Settings(BaseModel):
    """What the Discord channel can be told; every field's alias is the name of its environment variable."""

    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)

    token: SecretStr | None = Field(None, alias="DISCORD_TOKEN")
    """The bot's token, which turns the channel on."""
    api_url: str = Field(API_URL, alias="DISCORD_API_URL")
    """Where the API begins, with its version; a proxy of one's own may stand there."""
    guild: int | None = Field(None, alias="DISCORD_GUILD", ge=1)
    """A server in which changed commands are there at once, for developing."""

    @property
    def configured(self) -> bool:
        """Whether the operator asked for Discord."""
        return self.token is not None

    @field_validator("api_url")
    @classmethod
    def _address(cls, url: str) -> str:
        try:
            parts = urlsplit(url)
            sound = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
        except ValueError:
            sound = False
        if not sound or parts.query or parts.fragment or not url.isascii():
            raise ValueError("must be a web address that starts with https:// (or http://)")
        return url.rstrip("/")
