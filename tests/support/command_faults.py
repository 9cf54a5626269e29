"""Every command of `papers`, in each unfortunate home: what it says and how it ends.

One process plays all commands of a situation, each in a home of its own. Root gives up the powers by which it reads and
writes whatever it likes.
"""

from __future__ import annotations

import ctypes
import io
import os
import struct
import sys
import tempfile
import traceback
from collections.abc import Callable, Sequence
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from pathlib import Path

from tests.support.command import fork

NOWHERE = "http://127.0.0.1:9/"
"""A feed that nothing serves."""
STRANGER = 65534
"""The other user whose files lie in the way, where the tests run as root; else those have no rights at all."""
CAPABILITY_VERSION_3 = 0x20080522
CRASHED = 99
"""Stands for the exit code of a command that ended with a traceback."""
CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH = 1 << 1, 1 << 2
ADDRESSES = {
    "email": "email:ada@example.org",
    "telegram": "telegram:42",
    "discord": "discord:channel:123456789012345678",
    "site": "site:blog",
}

PLAIN: Sequence[Sequence[str]] = [
    ["illustrate"],
    ["narrate"],
    ["run", "--once"],
    ["today"],
    ["publish"],
    ["publish", "--date", "2025-11-03"],
    ["editions"],
    ["preview", "--channel", "outbox"],
    ["export", "--layout", "plain", "--out", "out"],
    ["add", "outbox:ada"],
    ["languages"],
    ["send-test", "outbox:ada"],
    ["texts"],
    ["texts", "write"],
    ["texts", "retry"],
    ["resume", "telegram"],
    ["broadcast", "Words to all.", "--yes"],
    ["doctor"],
    ["health"],
    ["drain"],
    ["migrate", "--check"],
    ["migrate"],
    ["backup", "copy.db"],
    ["move", "--to", "sqlite:///other.db"],
    ["email", "bounces"],
    ["deliveries", "list"],
    ["deliveries", "retry", "--all"],
    ["deliveries", "drop", "--all"],
    ["subscribers", "list"],
    ["subscribers", "add", "outbox:ada"],
    ["subscribers", "set", "outbox:ada", "--papers", "5"],
    ["subscribers", "import", "readers.csv"],
    ["subscribers", "suppress", "readers.csv"],
    ["subscribers", "export"],
    *(["subscribers", name, "outbox:ada"] for name in ("remove", "allow", "pause", "resume", "why")),
]
"""Every command once, with the least it needs."""
READERS = "\n".join(["address", "outbox:ada", *ADDRESSES.values(), "outbox:eve"])
OF_CHANNELS: Sequence[Sequence[str]] = [
    ["email", "bounces", "nowhere"],
    *(["preview", "--channel", name] for name in ADDRESSES),
    *(["add", address] for address in ADDRESSES.values()),
    *(["send-test", address] for address in ADDRESSES.values()),
]
"""What is different for each channel."""


@dataclass(frozen=True)
class Situation:
    """What is wrong: settings, and what happens to a home before a command meets it."""

    environ: dict[str, str] = field(default_factory=dict)
    prepare: Callable[[Path], object] = Path.exists


@dataclass(frozen=True)
class Ended:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def sentences(self) -> list[str]:
        """What was said on standard error, without the log and without how a command is used."""
        lines = [line for line in self.err.splitlines() if line.strip() and not line.startswith("{")]
        return [line for line in lines if not line.startswith(("Usage: ", "Try '"))]


def play(situation: Situation, commands: Sequence[Sequence[str]] = PLAIN) -> dict[str, Ended]:
    """Each command as it goes in a situation, by its words."""
    return fork(_play, situation, [list(words) for words in commands])


def _play(situation: Situation, commands: Sequence[Sequence[str]]) -> dict[str, Ended]:
    _give_up_powers()
    found = {}
    for words in commands:
        with tempfile.TemporaryDirectory(prefix="papers") as folder:
            home = Path(folder, "home")
            home.mkdir()
            (home / "readers.csv").write_text(READERS, encoding="utf-8")
            situation.prepare(home)
            os.environ.clear()
            os.environ.update({"PATH": os.defpath, "PAPERS_HOME": str(home), "FEED_URL": NOWHERE, **situation.environ})
            os.chdir(home)
            try:
                found[" ".join(words)] = _run(words)
            finally:
                os.chdir("/")
                for path in (home, *home.iterdir()):
                    path.chmod(0o700)
    return found


def _run(words: Sequence[str]) -> Ended:
    from bot.cli import main

    out, err, code = io.StringIO(), io.StringIO(), 0
    sys.argv = ["papers", *words]
    with redirect_stdout(out), redirect_stderr(err):
        try:
            main()
        except SystemExit as ended:
            code = int(ended.code or 0)
        except BaseException:  # noqa: BLE001 - that is what is looked for
            traceback.print_exc()
            code = CRASHED
    return Ended(code, out.getvalue(), err.getvalue())


def _give_up_powers() -> None:
    """Let root be stopped by a file's rights, as everybody is (capabilities(7))."""
    if sys.platform != "linux" or os.geteuid() != 0:
        return
    libc = ctypes.CDLL(None, use_errno=True)
    header = struct.pack("Ii", CAPABILITY_VERSION_3, 0)
    sets = ctypes.create_string_buffer(24)  # effective, permitted and inheritable, twice
    libc.capget(header, sets)
    effective, permitted, *rest = struct.unpack("6I", sets.raw)
    kept = ~(CAP_DAC_OVERRIDE | CAP_DAC_READ_SEARCH)
    if libc.capset(header, struct.pack("6I", effective & kept, permitted & kept, *rest)):
        raise OSError(ctypes.get_errno(), "capset")
