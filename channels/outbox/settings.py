"""Settings of the outbox channel."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field


class Settings(BaseModel):
    """Settings of the outbox channel; a field's alias is the name of its environment variable."""

    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)

    folder: Path = Field(Path("outbox"), alias="OUTBOX_DIR")
    """The folder of the files; relative to the program's home unless absolute."""

    @property
    def configured(self) -> bool:
        """Whether the operator set up the outbox besides other channels."""
        return "folder" in self.model_fields_set
