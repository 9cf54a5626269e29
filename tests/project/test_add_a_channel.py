"""Adding a channel works as CONTRIBUTING.md says: in a copy of the checkout, with the files that it names."""

import re
import shutil
from pathlib import Path

import pytest

from tests.support.checkout import ROOT, copy_checkout, run_in, run_tests

pytestmark = pytest.mark.timeout(400)  # a copy of the project is checked as a whole

NEW = ROOT / "tests" / "project" / "new_channel"
TESTS = ("tests/channels/ntfy", "tests/project/test_house.py", "tests/project/test_docs.py", "tests/test_settings.py")
LINT_IMPORTS = "from importlinter.cli import lint_imports_command; lint_imports_command()"
ENV_EXAMPLE = """
# Address of an ntfy server.
# NTFY_URL=https://ntfy.sh

# Access token.
# NTFY_TOKEN=

# A file that holds it.
# NTFY_TOKEN_FILE=
"""
SETTINGS_PAGE = """
### ntfy

| setting | default | meaning | a wrong one says |
| --- | --- | --- | --- |
| `NTFY_URL` | `https://ntfy.sh` | Address of the server. | NTFY_URL has a form that does not fit; see .env.example. |
| `NTFY_TOKEN` | | Access token. | Nothing at the start. |
| `NTFY_TOKEN_FILE` | | A file that holds `NTFY_TOKEN`. | |
"""

CHANGES = {
    "bot/channel_loader.py": (r"(CHANNELS = \(.*)\)", r'\1, "ntfy")'),
    "tests/project/test_house.py": (r'("aiohttp": \()', r'\1"channels.ntfy", '),
    ".env.example": (r"\Z", ENV_EXAMPLE),
    "docs/settings.md": (r"(?=\n## Beside the settings)", SETTINGS_PAGE),
    "docs/design.md": (r"(?m)^  outbox/ ", r"  ntfy/                ntfy channel\n\g<0>"),
    "docs/README.md": (r"(?m)^(?=\| \[Web pages\])", r"| [ntfy](ntfy.md) | topics of an ntfy server |\n"),
    "README.md": (r"(?m)^(?=   \| Web pages )", r"   | ntfy | `NTFY_URL` | [docs/ntfy.md](docs/ntfy.md) |\n"),
    "CHANGELOG.md": (r"(?m)^### Added\n", r"\g<0>\n- The ntfy channel.\n"),
}
"""For each file that has to change: what to find in it, and what to put there."""


def files_to_change() -> set[str]:
    section = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8").split("\n## Add a channel\n")[1].split("\n## ")[0]
    table = section.split("Files to change:")[1].split("A library")[0]
    return set(re.findall(r"^\| `([^`]+)` \|", table, re.MULTILINE))


def test_contributing_names_every_file_that_a_new_channel_changes() -> None:
    assert files_to_change() == CHANGES.keys()


def test_a_channel_added_by_these_steps_passes_the_checks(tmp_path: Path) -> None:
    checkout = copy_checkout(tmp_path)
    for source in filter(Path.is_file, NEW.rglob("*.*")):
        target = checkout / source.relative_to(NEW)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, target)
    for name, (find, put) in CHANGES.items():
        text, done = re.subn(find, put, (checkout / name).read_text(encoding="utf-8"), count=1)
        assert done, name
        (checkout / name).write_text(text, encoding="utf-8")
    (checkout / "docs" / "ntfy.md").write_text("# ntfy\n\nSet `NTFY_URL`; then `papers add ntfy:topic`.\n", "utf-8")
    diagram = run_in(checkout, "tests.support.room_diagram", "--write")
    assert diagram.returncode == 0, diagram.stderr
    lint = run_in(checkout, "ruff", "check", "--quiet", "channels", "tests/channels")
    assert lint.returncode == 0, lint.stdout
    contracts = run_in(checkout, "python", "-c", LINT_IMPORTS)
    assert contracts.returncode == 0, contracts.stdout + contracts.stderr
    passed = run_tests(checkout, "--fast", *TESTS)  # tests that start processes say nothing of a channel
    assert passed.returncode == 0, passed.stdout
    assert "ntfy" in run_in(checkout, "bot", "resume", "pigeon").stderr
