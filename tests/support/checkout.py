"""A copy of the checkout that a test may change, and the project's own tests run in it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LEFT_OUT = (".git", ".venv*", ".setup", ".*_cache", ".hypothesis", ".env", "*.db*", "cache")


def copy_checkout(folder: Path) -> Path:
    """Copy the checkout into a new folder, without environments and tools' caches; returns that folder.

    Compiled modules come along, which saves each process in the copy seconds."""
    copied = folder / "checkout"
    shutil.copytree(ROOT, copied, ignore=shutil.ignore_patterns(*LEFT_OUT))
    return copied


def run_in(checkout: Path, program: str, *words: str) -> subprocess.CompletedProcess[str]:
    """Run a program of this environment (`python`, `pytest`, `mypy` …) in a copy, to its end."""
    command = [sys.executable, "-m", program, *words] if program != "python" else [sys.executable, *words]
    environ = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST_", "PAPERS_"))}
    environ.pop("PYTHONDONTWRITEBYTECODE", None)  # the next process in the copy reads what this one compiled
    return subprocess.run(command, cwd=checkout, env=environ, capture_output=True, text=True, check=False, timeout=300)


def run_tests(checkout: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run pytest in a copy, in one process and without its cache."""
    return run_in(checkout, "pytest", "-q", "-n", "0", "-p", "no:cacheprovider", *words)
