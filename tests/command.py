"""`papers` as a process of its own, in a home of its own."""

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]


def papers_command(
    home: Path,
    *words: str,
    url: str = "",
    stdin: int = subprocess.DEVNULL,
    given: Mapping[str, str] | None = None,
) -> Any:
    """What a command said and its exit code; `given` are settings."""
    environ = {"PATH": os.environ["PATH"], "PAPERS_HOME": str(home), "DATABASE_URL": url, **(given or {})}
    command = [sys.executable, "-m", "bot", *words]
    return subprocess.run(
        command, cwd=ROOT, env=environ, stdin=stdin, capture_output=True, text=True, timeout=100, check=False
    )
