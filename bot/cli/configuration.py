"""The configuration that a command works with."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from bot import channel_loader, settings
from bot.model import Preferences
from bot.render.words import match
from bot.settings import Settings


@dataclass(frozen=True, slots=True)
class Configuration:
    """Where the program's files are, every setting as written, the core's settings, and what no log may show."""

    home: Path
    environ: dict[str, str]
    core: Settings
    secrets: list[str]

    @property
    def default_preferences(self) -> Preferences:
        """The preferences of a subscriber who has chosen nothing."""
        return Preferences(language=match(self.core.default_language), timezone=self.core.default_timezone)


def configuration() -> Configuration:
    """Read the configuration of this process. Raises SettingsError for any wrong setting, whichever part it is for."""
    home = settings.home(os.environ)
    environ = settings.environment(home, os.environ)
    core = channel_loader.core_settings(environ)
    found = [settings.read(each, environ) for each in channel_loader.settings_classes()]
    return Configuration(home, environ, core, [secret for each in found for secret in settings.secrets(each)])
