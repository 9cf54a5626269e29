"""Requests as buttons can hold them: a line of text that the core reads back, together with all that people type."""

from __future__ import annotations

from datetime import date

from bot.channel.requests import (
    Broadcast,
    BroadcastCancelled,
    BroadcastConfirmed,
    Change,
    Command,
    Export,
    FindZone,
    Forget,
    Help,
    Menu,
    Misread,
    Pause,
    Privacy,
    Request,
    Resume,
    Search,
    ShowEdition,
    ShowPaper,
    ShowSettings,
    Stats,
    Subscribe,
    Today,
    Top,
    Unsubscribe,
    Why,
)
from bot.model import Cadence

WEEKDAYS = 7
MINE = "mine"
"""Stands behind an edition's day where it is shown as the reader gets it."""
EVERY_CHANNEL = "all"
"""Stands before an announcement, in the place of a channel's name."""
CONFIRMED, CANCELLED = "confirmed", "cancelled"
"""Stand before an announcement's key."""

ALONE: dict[type[object], Command] = {
    Unsubscribe: Command.UNSUBSCRIBE,
    ShowSettings: Command.SETTINGS,
    Resume: Command.RESUME,
    Export: Command.EXPORT,
    Privacy: Command.PRIVACY,
    Stats: Command.STATS,
}
"""Requests that need nothing to be said beside them."""

PERIODS = {Cadence.DAY: Command.DATE, Cadence.WEEK: Command.WEEK, Cadence.MONTH: Command.MONTH}


def written(request: Request) -> str:
    """A request as a button can hold it: short, in ASCII but for a reader's own words, read back by the core."""
    if isinstance(request, Change):
        return _change(request)
    command, *arguments = _shown(request) or _announced(request) or _asked(request)
    return " ".join(filter(None, (command.value, *arguments)))


def _shown(request: Request) -> tuple[Command, *tuple[str, ...]] | None:
    """A request for papers, in parts."""
    match request:
        case Today(after):
            return (Command.TODAY, _after(after))
        case ShowEdition(cadence, day, after, mine):
            return (PERIODS[cadence], _after(after), _day(day), MINE if mine else "")
        case ShowPaper(paper_id):
            return (Command.PAPER, paper_id)
        case Search(query, after):
            return (Command.SEARCH, _after(after), query)
        case Top(days, after):
            return (Command.TOP, _after(after), f"{days}")
        case _:
            return None


def _announced(request: Request) -> tuple[Command, *tuple[str, ...]] | None:
    """A request about an announcement, in parts; its text is longer than any button."""
    match request:
        case Broadcast(text, channel):
            return (Command.BROADCAST, f"{channel or EVERY_CHANNEL}:", text)
        case BroadcastConfirmed(key):
            return (Command.BROADCAST, CONFIRMED, key)
        case BroadcastCancelled(key):
            return (Command.BROADCAST, CANCELLED, key)
        case _:
            return None


def _asked(request: Request) -> tuple[Command, *tuple[str, ...]]:
    """Any other request, in parts."""
    match request:
        case Subscribe(language, style, invite):
            return (Command.SUBSCRIBE, "-".join(filter(None, (language, style, invite))))
        case Menu(of):
            return (of,)
        case FindZone(query):
            return (Command.ZONE, query)
        case Pause(until):
            return (Command.PAUSE, _day(until))
        case Why(day):
            return (Command.WHY, _day(day))
        case Forget(confirmed):
            return (Command.FORGET, "confirmed" if confirmed else "")
        case Help(of) | Misread(of):
            return (Command.HELP, of or "")
        case _:
            return (ALONE[type(request)],)


def _day(day: date | None) -> str:
    return "" if day is None else f"{day}"


def _line(command: Command, *arguments: str) -> str:
    return " ".join(filter(None, (command.value, *arguments)))


def _after(count: int) -> str:
    return f"+{count}" if count else ""


def _change(wanted: Change) -> str:
    """The one thing that a button changes; ValueError where it would be several."""
    lines = []
    if wanted.language is not None:
        lines.append(_line(Command.LANGUAGE, wanted.language))
    if wanted.style is not None:
        lines.append(_line(Command.STYLE, wanted.style))
    if wanted.papers is not None:
        lines.append(_line(Command.COUNT, f"{wanted.papers}" if wanted.papers else "all"))
    if wanted.min_votes is not None:
        lines.append(_line(Command.VOTES, f"{wanted.min_votes}"))
    if wanted.topics is not None:
        lines.append(_line(Command.TOPICS, ", ".join(wanted.topics) or "none"))
    if wanted.hour is not None:
        lines.append(_line(Command.TIME, "{:02}:{:02}".format(*divmod(wanted.hour, 60))))
    if wanted.weekdays is not None:
        days = [str(day + 1) for day in range(WEEKDAYS) if wanted.weekdays >> day & 1]
        lines.append(_line(Command.WEEKDAYS, ",".join(days)))
    if wanted.timezone is not None:
        lines.append(_line(Command.ZONE, wanted.timezone))
    if wanted.cadence is not None:
        lines.append(_line(Command.CADENCE, wanted.cadence))
    if wanted.extra is not None:
        lines.append(_line(Command(wanted.extra[0].value), wanted.extra[1]))
    if len(lines) != 1:
        raise ValueError("a button changes one preference")
    return lines[0]
