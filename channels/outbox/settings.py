"""Settings of the outbox channel."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field


class Settings(BaseModel):
    """What the outbox can be told."""

    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)

    folder: Path = Field(Path("outbox"), alias="OUTBOX_DIR")
    """Where the files go; below the program's home unless it is an absolute path."""

    @property
    def configured(self) -> bool:
        """Whether the operator asked for the outbox beside other channels."""
        return "folder" in self.model_fields_set
