"""Checks of settings: wrong, unknown, set but unused, readable by others."""

from __future__ import annotations

import difflib
import os
import stat
from collections.abc import Mapping
from pathlib import Path

from pydantic import BaseModel

from bot import channel_loader, settings
from bot.channel import Finding
from bot.media.speech.settings import SpeechSettings
from bot.settings import SettingsError

FAMILIAR = ("PAPERS_HOME",)
"""Names in `.env` that are no settings but do no harm there."""
MODEL = ("LLM_API_KEY", "LLM_MODEL", "LLM_CONCURRENCY", "LLM_TIMEOUT", "LLM_WINDOW", "LLM_BUDGET_TOKENS")
VOICES = [name for name in settings.names(SpeechSettings) if name.startswith("TTS_VOICE")]
NEEDS = {
    "LOGO": ("PUBLIC_URL",),
    "INVITE_CODES": ("ACCESS=invite",),
    "ALLOWED": ("ACCESS=list",),
    **dict.fromkeys(MODEL, ("LLM_BASE_URL",)),
    **dict.fromkeys(("LLM_FALLBACK_API_KEY", "LLM_FALLBACK_MODEL"), ("LLM_FALLBACK_BASE_URL",)),
    **dict.fromkeys(("CHECK_API_KEY", "CHECK_MODEL"), ("CHECK_BASE_URL",)),
    **dict.fromkeys(("TTS_MODEL", "TTS_API_KEY"), ("TTS_BASE_URL",)),
    **dict.fromkeys((*VOICES, "TTS_BUDGET"), ("TTS_BASE_URL", "TTS")),
    "PODCAST_STYLE": ("PODCAST",),
    **dict.fromkeys(("WEB_HOST", "TRUSTED_PROXIES", "METRICS_TOKEN", "MAIL_HOOK_SECRET"), ("WEB_PORT", "PUBLIC_URL")),
}
"""Settings of the core that do nothing without one of others."""


def check(home: Path, environ: Mapping[str, str]) -> list[Finding]:
    """Every finding about the settings themselves; those under "settings" are faults that stop every command."""
    wrong = [sentence for model in channel_loader.settings_classes() for sentence in _wrong(model, environ)]
    found = [Finding("settings", False, sentence) for sentence in wrong]
    if not wrong:
        try:
            channel_loader.use_logo(channel_loader.core_settings(environ), home)
            found.append(Finding("settings", True, f"valid; home is {home}"))
        except SettingsError as error:
            found.append(Finding("settings", False, str(error)))
    found += [*_files(home), *_unknown_names(home)]
    return found if wrong else [*found, *_unused(environ)]


def _wrong(model: type[BaseModel], environ: Mapping[str, str]) -> list[str]:
    """A sentence for each setting of a class that is wrong."""
    found: list[str] = []
    left = dict(environ)
    while True:
        try:
            settings.read(model, left)
        except SettingsError as error:
            found.append(str(error))
            named = [name for name in settings.names(model) if left.get(name) and str(error).startswith(name)]
            if not named:
                return found
            for name in named:
                del left[name]
        else:
            return found


def _files(home: Path) -> list[Finding]:
    """Check that the program's home can be written to, and that its `.env` is its owner's alone."""
    found = []
    if not os.access(home, os.W_OK):
        found.append(Finding("home", False, f"{home} is not writable; set PAPERS_HOME to a folder of your own"))
    return [*found, *others_can_read(home / ".env", ".env", "secrets")]


def others_can_read(file: Path, subject: str, holds: str) -> list[Finding]:
    """Advice where a file that `holds` something private has rights for others than its owner."""
    if os.name != "posix" or not file.is_file() or not stat.S_IMODE(file.stat().st_mode) & 0o077:
        return []
    says = f"other users can read {file}, and the {holds} in it: chmod 600 {file}"
    return [Finding(subject, True, says, advice=True)]


def _unknown_names(home: Path) -> list[Finding]:
    """Find names in `.env` that no setting has, most often misspelt."""
    known = {*FAMILIAR, *(name for model in channel_loader.settings_classes() for name in settings.names(model))}
    found = []
    for name in settings.environment(home, {}):
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            meant = f"did you mean {near[0]}?" if near else "remove it"
            found.append(Finding(".env", True, f"{name} is not a setting; {meant}", advice=True))
    return found


def _unused(environ: Mapping[str, str]) -> list[Finding]:
    """Name what is set and does nothing: a channel's settings without the one that turns it on, and the core's."""
    needs: dict[str, tuple[str, ...]] = dict(NEEDS)
    for channel in channel_loader.CHANNELS:
        if not channel_loader.channel_settings(channel, environ).configured:
            switch, *others = settings.names(channel_loader.settings_class(channel))
            needs |= dict.fromkeys(others, (switch,))
    return [
        Finding(name, True, f"is set but unused: it needs {' or '.join(needed)}", advice=True)
        for name, needed in needs.items()
        if _is_set(name, environ) and not any(_is_met(each, environ) for each in needed)
    ]


def _is_set(name: str, environ: Mapping[str, str]) -> bool:
    return bool(environ.get(name, "").strip() or environ.get(f"{name}_FILE", "").strip())


def _is_met(need: str, environ: Mapping[str, str]) -> bool:
    name, has_value, value = need.partition("=")
    return environ.get(name, "").strip() == value if has_value else _is_set(name, environ)
