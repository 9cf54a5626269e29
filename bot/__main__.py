"""`python -m bot` is the `papers` command, as is the installed script."""

from __future__ import annotations

import signal


def main() -> None:
    """Run `papers`. Until a command runs, which has its own way to stop, Ctrl-C ends the process without a word."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    from bot import cli

    cli.main()


if __name__ == "__main__":
    main()
