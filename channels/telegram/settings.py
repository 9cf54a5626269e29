"""What the operator can say of Telegram."""

from __future__ import annotations

import re
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator

TOKEN = re.compile(r"\d{1,19}:[A-Za-z0-9_-]{20,64}", re.ASCII)
"""What @BotFather gives out (https://core.telegram.org/bots/api#authorizing-your-bot)."""


class Settings(BaseModel):
    """The bot's token, where its service is, and how it is used."""

    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)

    token: SecretStr | None = Field(None, alias="TELEGRAM_TOKEN")
    api_url: str = Field("https://api.telegram.org", alias="TELEGRAM_API_URL", pattern=r"^https?://[^\s/?#@]+/?$")
    on_unknown: Literal["resend", "park"] = Field("resend", alias="TELEGRAM_ON_UNKNOWN")
    """What becomes of a message of which nobody knows whether it arrived: sent again, or left to the operator."""
    rate: int = Field(30, alias="TELEGRAM_RATE", ge=1, le=1000)
    """Messages a second of the whole bot (https://core.telegram.org/bots/faq, broadcasting to users)."""

    @field_validator("token")
    @classmethod
    def _is_a_token(cls, token: SecretStr | None) -> SecretStr | None:
        if token is not None and not TOKEN.fullmatch(token.get_secret_value()):
            raise ValueError("must be the token that @BotFather gave you, such as 123456789:AAE…")
        return token

    @property
    def configured(self) -> bool:
        """Whether the operator asked for Telegram."""
        return self.token is not None
