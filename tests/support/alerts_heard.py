"""Alerts that were raised, for tests."""

from __future__ import annotations

import logging
from datetime import datetime


class Heard:
    """Records the alerts that are raised."""

    def __init__(self) -> None:
        self.alerts: list[tuple[str, dict[str, object]]] = []

    def __call__(self, event: str, now: datetime, *, level: int = logging.INFO, **fields: object) -> None:
        self.alerts.append((event, fields))
