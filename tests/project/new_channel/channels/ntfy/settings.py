"""Settings of the ntfy channel."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, SecretStr, StringConstraints


class Settings(BaseModel):
    """The server that editions are posted to, and the account there."""

    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)

    url: Annotated[str, StringConstraints(pattern=r"^https?://\S+$")] = Field("https://ntfy.sh", alias="NTFY_URL")
    """The server's address. Setting it turns the channel on."""
    token: SecretStr | None = Field(None, alias="NTFY_TOKEN")
    """Access token, where the server wants one."""

    @property
    def configured(self) -> bool:
        """Whether the operator asked for this channel."""
        return "url" in self.model_fields_set
