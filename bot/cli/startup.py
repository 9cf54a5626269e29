"""How every command runs: its event loop, its exit code, and one sentence for what went wrong."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable, Coroutine
from contextlib import suppress
from functools import wraps
from typing import Any, ParamSpec

import typer

from bot.channel import LoginError
from bot.cli.console import complain
from bot.publishing.feed import FeedError
from bot.runtime.locks import HeldError, LockError, LostError
from bot.settings import SettingsError
from bot.store import DatabaseFault, StoreError
from bot.store.database_faults import explain

P = ParamSpec("P")
DONE, FAILED, WRONG, RUNNING = 0, 1, 2, 3
"""Exit codes: done, failed, a setting or an argument is wrong, another process is already running this."""
INTERRUPTED = 130
"""Exit code after Ctrl-C, as shells have it."""


class CommandError(Exception):
    """A command has failed; the message is a sentence for the operator."""

    code = FAILED


class WrongError(CommandError):
    """A setting or an argument is wrong."""

    code = WRONG


def command(work: Callable[P, Coroutine[Any, Any, int | None]]) -> Callable[P, None]:
    """Make a command, as typer takes it, of a coroutine that returns its exit code, None for DONE."""

    @wraps(work)
    def run(*arguments: P.args, **options: P.kwargs) -> None:
        execute(work(*arguments, **options))

    return run


def execute(work: Coroutine[Any, Any, int | None], *, stand_by: bool = False) -> None:
    """Run a command to its end. Raises typer.Exit with the code that it returns, DONE for None.

    An error that the operator can mend becomes one sentence. `stand_by` says that the command has the option --standby.
    """
    signal.signal(signal.SIGINT, signal.default_int_handler)  # bot.__main__ had turned it off
    with suppress(AttributeError):  # Windows has no such signal
        signal.signal(
            signal.SIGUSR1, signal.SIG_IGN
        )  # `papers drain` sends it; only `papers run` has something to drain
    try:
        with asyncio.Runner(loop_factory=new_loop()) as runner:
            code = runner.run(work) or DONE
    except CommandError as error:
        complain(str(error))
        code = error.code
    except (SettingsError, LoginError) as error:
        complain(str(error))
        code = WRONG
    except HeldError as error:
        instead = ", or start this one with --standby" if stand_by else ""
        complain(f"Another process is already running this: {error}. Stop it first{instead}.")
        code = RUNNING
    except FeedError as error:
        complain(f"The feed could not be read: {error}.")
        code = FAILED
    except (StoreError, LockError) as error:
        complain(str(error))
        code = FAILED
    except typer.BadParameter as error:  # the usage, which typer would show as well, helps nobody here
        complain(as_sentence(error.message))
        code = WRONG
    except (DatabaseFault, LostError) as error:
        complain(explain(error))
        code = FAILED
    except KeyboardInterrupt:
        code = INTERRUPTED
    raise typer.Exit(code)


def as_sentence(said: str) -> str:
    """An exception's message as a sentence, with a capital and a full stop."""
    return f"{said[:1].upper()}{said[1:].rstrip('.')}."


def new_loop() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """The factory of the event loop: uvloop's if it is installed, which sends half as many mails again, else None."""
    try:
        import uvloop  # optional
    except ImportError:
        return None
    return uvloop.new_event_loop
