"""Settings of the Telegram channel; each field's alias is its environment variable."""

from __future__ import annotations

import re
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator

TOKEN = re.compile(r"\d{1,19}:[A-Za-z0-9_-]{20,64}", re.ASCII)
"""A bot token from @BotFather (https://core.telegram.org/bots/api#authorizing-your-bot)."""


class Settings(BaseModel):
    """The bot's token, the address of the Bot API, and how to use it."""

    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)

    token: SecretStr | None = Field(None, alias="TELEGRAM_TOKEN")
    api_url: str = Field(
        "https://api.telegram.org",
        alias="TELEGRAM_API_URL",
        pattern=r"^https?://[^\s/?#@]+/?$",
        description="must be a web address without a path, such as https://api.telegram.org",
    )
    on_unknown: Literal["resend", "park"] = Field("resend", alias="TELEGRAM_ON_UNKNOWN")
    """What to do when delivery is unconfirmed: send again, or park the delivery for the operator."""
    rate: int = Field(30, alias="TELEGRAM_RATE", ge=1, le=1000)
    """Messages per second over all chats
    (https://core.telegram.org/bots/faq#my-bot-is-hitting-limits-how-do-i-avoid-this)."""

    @field_validator("token")
    @classmethod
    def _is_a_token(cls, token: SecretStr | None) -> SecretStr | None:
        if token is not None and not TOKEN.fullmatch(token.get_secret_value()):
            raise ValueError("must be the token that @BotFather gave you, such as 123456789:AAE…")
        return token

    @property
    def configured(self) -> bool:
        """Whether the operator set a token, which turns the channel on."""
        return self.token is not None
