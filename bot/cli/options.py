"""Options that several commands share, and how their values are read."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime
from functools import wraps
from inspect import Parameter, Signature
from typing import Annotated

import typer

Channel = Annotated[str | None, typer.Option("--channel", metavar="NAME", help="Only this channel, such as telegram.")]
Day = Annotated[str | None, typer.Option("--date", metavar="YYYY-MM-DD", help="This day (UTC).")]
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


def parse_day(written: str | None) -> date | None:
    """Read YYYY-MM-DD. Raises typer.BadParameter."""
    if written is None:
        return None
    try:
        return date.fromisoformat(written)
    except ValueError:
        raise typer.BadParameter(f"{written!r} is not a day; write it like 2026-04-29") from None


def parse_time(written: str | None) -> datetime | None:
    """Read an ISO 8601 time; without an offset it is in UTC. Raises typer.BadParameter."""
    if written is None:
        return None
    try:
        at = datetime.fromisoformat(written)
    except ValueError:
        raise typer.BadParameter(f"{written!r} is not a time; write it like 2026-04-29T22:05:00Z") from None
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
