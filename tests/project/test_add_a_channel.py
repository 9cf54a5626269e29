"""Adding a channel works as CONTRIBUTING.md says: in a copy of the checkout, with the files that it names."""

import re
import shutil
from pathlib import Path

from tests.support.checkout import ROOT, copy_checkout, run_in, run_tests

NEW = ROOT / "tests" / "project" / "new_channel"
ROW = "| `{}` | {} | {} | {} |\n"
URL_IS_WRONG = "NTFY_URL has a form that does not fit; see .env.example."

CHANGES = {
    "bot/app.py": (r"(CHANNELS = \(.*)\)", r'\1, "ntfy")'),
    "tests/project/test_house.py": (r'("aiohttp": \([^)]*)\)', r'\1, "channels.ntfy")'),
    ".env.example": (r"\Z", "\n# Address of an ntfy server.\n# NTFY_URL=https://ntfy.sh\n\n# Access token.\n# NTFY_TOKEN=\n"
                            "\n# A file that holds it.\n# NTFY_TOKEN_FILE=\n"),
    "docs/settings.md": (r"(?=\n## Beside the settings)", "\n### ntfy\n\n| setting | default | meaning | a wrong one says |\n"
        "| --- | --- | --- | --- |\n"
        + ROW.format("NTFY_URL", "`https://ntfy.sh`", "Address of the server.", URL_IS_WRONG)
        + ROW.format("NTFY_TOKEN", "", "Access token.", "Nothing at the start.")
        + ROW.format("NTFY_TOKEN_FILE", "", "A file that holds `NTFY_TOKEN`.", "")),
    "docs/design.md": (r"(?m)^  outbox/ ", "  ntfy/                ntfy channel\n\\g<0>"),
    "docs/README.md": (r"(?m)^(?=\| \[Web pages\])", "| [ntfy](ntfy.md) | topics of an ntfy server |\n"),
    "README.md": (r"(?m)^(?=\| Web pages )", "| ntfy | `NTFY_URL` | [docs/ntfy.md](docs/ntfy.md) |\n"),
    "CHANGELOG.md": (r"(?m)^### Added\n", "\\g<0>\n- The ntfy channel.\n"),
}  # fmt: skip
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
    written = run_in(checkout, "tests.support.room_diagram", "--write")
    assert written.returncode == 0, written.stderr
    for program, *words in (
        ("ruff", "check", "--quiet"),
        ("ruff", "format", "--check", "--quiet", "channels", "tests/channels"),
    ):
        done_by = run_in(checkout, program, *words)
        assert done_by.returncode == 0, done_by.stdout
    contracts = run_in(checkout, "python", "-c", "from importlinter.cli import lint_imports_command as c; c()")
    assert contracts.returncode == 0, contracts.stdout + contracts.stderr
    tests = (
        "tests/channels/ntfy",
        "tests/project/test_house.py",
        "tests/project/test_docs.py",
        "tests/test_settings.py",
    )
    passed = run_tests(checkout, *tests)
    assert passed.returncode == 0, passed.stdout
    assert "ntfy" in run_in(checkout, "bot", "resume", "pigeon").stderr
