"""Settings of the Telegram channel; each field's alias is its environment variable."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator, model_validator

TOKEN = re.compile(r"\d{1,19}:[A-Za-z0-9_-]{20,64}", re.ASCII)
"""A bot token from @BotFather (https://core.telegram.org/bots/api#authorizing-your-bot)."""


class Settings(BaseModel):
    """The tokens of the bots, the address of the Bot API, and how to use it."""

    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)

    token: SecretStr | None = Field(None, alias="TELEGRAM_TOKEN")
    tokens: SecretStr | None = Field(None, alias="TELEGRAM_TOKENS")
    """Tokens of several bots, separated by commas; `token`, if there is one, comes before them."""
    api_url: str = Field(
        "https://api.telegram.org",
        alias="TELEGRAM_API_URL",
        pattern=r"^https?://[^\s/?#@]+/?$",
        description="must be a web address without a path, such as https://api.telegram.org",
    )
    on_unknown: Literal["resend", "park"] = Field("resend", alias="TELEGRAM_ON_UNKNOWN")
    """What to do when delivery is unconfirmed: send again, or park the delivery for the operator."""
    rate: int = Field(30, alias="TELEGRAM_RATE", ge=1, le=1000)
    """Messages per second of each bot over all chats, free of charge
    (https://core.telegram.org/bots/faq#my-bot-is-hitting-limits-how-do-i-avoid-this)."""

    paid: Literal["yes", "no"] = Field("no", alias="TELEGRAM_PAID")
    """Whether messages beyond that rate are paid for (https://core.telegram.org/bots/faq, paid broadcasts)."""
    paid_daily: int = Field(0, alias="TELEGRAM_PAID_DAILY", ge=0, le=100_000_000)
    """Messages of each bot that are paid for in a day at most."""

    @field_validator("token")
    @classmethod
    def _is_a_token(cls, token: SecretStr | None) -> SecretStr | None:
        if token is not None and not TOKEN.fullmatch(token.get_secret_value()):
            raise ValueError("must be the token that @BotFather gave you, such as 123456789:AAE…")
        return token

    @field_validator("tokens")
    @classmethod
    def _are_tokens(cls, tokens: SecretStr | None) -> SecretStr | None:
        if tokens is not None and not all(TOKEN.fullmatch(each) for each in _listed(tokens)):
            raise ValueError("must be the tokens that @BotFather gave you, separated by commas")
        return tokens

    @model_validator(mode="after")
    def _has_a_limit(self) -> Self:
        if self.paid == "yes" and not self.paid_daily:
            raise ValueError("TELEGRAM_PAID needs the most messages to pay for in a day, in TELEGRAM_PAID_DAILY")
        return self

    @model_validator(mode="after")
    def _differ(self) -> Self:
        written = [*_listed(self.token), *_listed(self.tokens)]
        if len({bot_of(token) for token in written}) < len(set(written)):
            raise ValueError("TELEGRAM_TOKENS must name each bot once: two of the tokens have the same digits")
        return self

    @property
    def bots(self) -> Mapping[str, SecretStr]:
        """The token of each bot, by the digits before its colon."""
        return {bot_of(token): SecretStr(token) for token in (*_listed(self.token), *_listed(self.tokens))}

    @property
    def accounts(self) -> Sequence[str]:
        """The bots, in the order of the settings."""
        return tuple(self.bots)

    def setting_of(self, account: str) -> str:
        """The setting that holds a bot's token, as sentences name it."""
        return "TELEGRAM_TOKEN" if account in map(bot_of, _listed(self.token)) else f"bot {account} in TELEGRAM_TOKENS"

    @property
    def configured(self) -> bool:
        """Whether the operator set a token, which turns the channel on."""
        return bool(self.bots)


def bot_of(token: str) -> str:
    """The bot that a token belongs to: the digits before the colon."""
    return token.partition(":")[0]


def _listed(tokens: SecretStr | None) -> list[str]:
    written = "" if tokens is None else tokens.get_secret_value()
    return [each.strip() for each in written.split(",") if each.strip()]
