"""Options that several commands share, and how their values are read."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime
from functools import wraps
from inspect import Parameter, Signature
from typing import Annotated, Any

import typer

from bot.channel_loader import CHANNELS
from bot.cli.startup import WrongError
from bot.render.catalogue import languages
from bot.render.words import match


def parse_day(written: str) -> date:
    """Read YYYY-MM-DD. Raises typer.BadParameter."""
    try:
        return date.fromisoformat(written)
    except ValueError:
        raise typer.BadParameter(f"{written!r} is not a day; write it like 2026-04-29") from None


def day_option(*names: str, help: str) -> Any:
    """An option whose value is a day."""
    return typer.Option(*names, metavar="YYYY-MM-DD", parser=parse_day, help=help)


Channel = Annotated[str | None, typer.Option("--channel", metavar="NAME", help="Only this channel, such as telegram.")]
Day = Annotated[date | None, day_option("--date", help="This day (UTC).")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON for scripts.")]
Language = Annotated[str | None, typer.Option(metavar="TAG", help="In this language, such as ko.")]
Papers = Annotated[int, typer.Option(min=0, metavar="N", help="Only the first N papers; 0 for all.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask for confirmation.")]


def with_parameters(command: Callable[..., None], parameters: Sequence[Parameter]) -> Callable[..., None]:
    """A command with these parameters, as typer sees it: for options that a table or several commands share."""

    @wraps(command)
    def shown(**given: object) -> None:
        command(**given)

    shown.__signature__ = Signature(parameters)  # type: ignore[attr-defined]
    shown.__annotations__ = {each.name: each.annotation for each in parameters}
    return shown


def require_channel(name: str) -> None:
    """Raises WrongError for a channel that there is not."""
    if name not in CHANNELS:
        raise WrongError(f"There is no channel named {name}; there are: {', '.join(CHANNELS)}.")


def require_language(written: str) -> str:
    """The tag of a language that there is. Raises WrongError."""
    tag = match(written, default="")
    if not tag:
        raise WrongError(f"There is no language {written}; there are: {', '.join(languages())}.")
    return tag


def parse_time(written: str) -> datetime:
    """Read an ISO 8601 time; without an offset it is in UTC. Raises typer.BadParameter."""
    try:
        at = datetime.fromisoformat(written)
    except ValueError:
        raise typer.BadParameter(f"{written!r} is not a time; write it like 2026-04-29T22:05:00Z") from None
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
