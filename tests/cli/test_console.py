"""The output of commands: progress is for terminals, and a pipe gets log lines alone."""

from __future__ import annotations

import io
import sys

import pytest

from bot.cli.console import progress


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize("stream", [Terminal, io.StringIO])
def test_progress_is_shown_on_a_terminal_and_never_on_a_pipe(
    stream: type[io.StringIO], monkeypatch: pytest.MonkeyPatch
) -> None:
    written = stream()
    monkeypatch.setattr(sys, "stderr", written)
    monkeypatch.setenv("TERM", "xterm")
    with progress("days") as report:
        report(1, 2)
    assert ("days" in written.getvalue()) is (stream is Terminal)
    assert bool(written.getvalue()) is (stream is Terminal)
