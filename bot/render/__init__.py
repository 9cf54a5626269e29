"""From an edition and a reader's preferences to a page, and from a page to a message within a channel's limits.

`words` has the catalogues, `attribution` picks the text about a paper, `edition_page` makes pages, `fit` shortens them,
`templates` renders markup, `preference_values` reads and says preferences.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path


@cache
def folder() -> Path:
    """The folder of templates and catalogues: inside the package in a wheel, beside it in a checkout."""
    package = Path(__file__).resolve().parents[1]
    packed = package / "_templates"
    return packed if packed.is_dir() else package.parent / "templates"
