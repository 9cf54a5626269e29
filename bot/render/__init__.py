"""From an edition and a reader's preferences to a page, and from a page to a message that fits.

`words` knows the languages, `said` what is said about one paper, `page` puts both together, `fit` keeps
messages within a channel's limits, `templates` is where channels get their markup from.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path


@cache
def folder() -> Path:
    """Where the templates and catalogues lie: inside the package in a wheel, beside it in a checkout."""
    package = Path(__file__).resolve().parents[1]
    packed = package / "_templates"
    return packed if packed.is_dir() else package.parent / "templates"
