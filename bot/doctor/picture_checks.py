"""Checks of what pictures need: a folder that can be written to, and fonts for every language."""

from __future__ import annotations

import os
from pathlib import Path

from bot import channel_loader
from bot.channel import Finding
from bot.media.font_files import family_of, fonts_of
from bot.media.glyph_coverage import coverage
from bot.media.typesetting import HAS_RAQM, SHAPED
from bot.render.catalogue import languages
from bot.render.words import own_name, words
from bot.settings import Settings


def check_pictures(core: Settings, home: Path) -> list[Finding]:
    """Name what keeps pictures from being drawn, and how to mend it. Reads font files."""
    folder = channel_loader.media_folder(core, home)
    found = [_writable(folder)]
    for language in languages():
        if (missing := _missing_letters(language)) is not None:
            family = family_of(language)
            says = (
                f"there are none in {language}: no font has the letter {missing}; "
                f"install {family.wheel} (pip) or {family.package} (Debian)"
            )
            found.append(Finding("pictures", True, says, advice=True))
        elif language in SHAPED and not HAS_RAQM:
            says = f"there are none in {language}: this Pillow is built without raqm; install the one from PyPI"
            found.append(Finding("pictures", True, says, advice=True))
    if len(found) == 1 and found[0].ok:
        return [Finding("pictures", True, f"can be drawn in every language; they are kept in {folder}")]
    return [each for each in found if not each.ok or each.advice]


def _writable(folder: Path) -> Finding:
    nearest = next(each for each in (folder, *folder.parents) if _can_be_looked_at(each))
    if nearest.is_dir() and os.access(nearest, os.W_OK):
        return Finding("MEDIA_DIR", True, f"{folder} can be written to")
    return Finding("MEDIA_DIR", False, f"{folder} cannot be written to; fix it or set MEDIA_DIR")


def _can_be_looked_at(path: Path) -> bool:
    """Whether something is there, as far as we may know: the folder around it may be another user's."""
    try:
        return path.exists()
    except OSError:
        return False


def _missing_letters(language: str) -> str | None:
    """The first letter that a language needs and no font has; None where all are there."""
    w = words(language)
    covered = []
    for font in fonts_of(language):
        try:
            covered.append(coverage(font.path, font.index))
        except (OSError, ValueError):
            continue
    text = own_name(language) + w.gettext("newsletter.description")
    return next((each for each in text if each.isalpha() and not any(each in font for font in covered)), None)
