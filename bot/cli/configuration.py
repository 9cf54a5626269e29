"""The configuration that a command works with."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from bot import settings
from bot.model import Preferences
from bot.render.words import match
from bot.settings import Settings


@dataclass(frozen=True, slots=True)
class Configuration:
    """Where the program's files are, every setting as written, and the core's settings."""

    home: Path
    environ: dict[str, str]
    core: Settings

    @property
    def default_preferences(self) -> Preferences:
        """What a subscriber gets who has chosen nothing."""
        return Preferences(language=match(self.core.default_language), timezone=self.core.default_timezone)


def configuration() -> Configuration:
    """Read the configuration of this process. Raises SettingsError."""
    home = settings.home(os.environ)
    environ = settings.environment(home, os.environ)
    return Configuration(home, environ, settings.read(Settings, environ))
