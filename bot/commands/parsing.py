"""What people type and what buttons hold, read as requests. Pure: whatever makes no sense is `Misread`."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from bot.channel import (
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
from bot.channel.command_lines import CANCELLED, CONFIRMED, EVERY_CHANNEL, MINE
from bot.model import ARXIV_ID, MOST_PAPERS, MOST_VOTES, OFF, ON, Cadence, Extra, Style
from bot.render import typed_values, zones
from bot.render.words import Words, languages, match
from bot.rules.topics import TopicsError, parse
from bot.runtime.text import printable

LONGEST = 4096
"""Characters of a typed line that are looked at."""
LONGEST_QUERY = 200
MOST_DAYS = 31
FARTHEST = 10_000
"""As many papers may be skipped on the way to a later page."""
LONGEST_PAUSE = timedelta(days=366)

ALONE: dict[Command, Request] = {
    Command.UNSUBSCRIBE: Unsubscribe(),
    Command.SETTINGS: ShowSettings(),
    Command.RESUME: Resume(),
    Command.EXPORT: Export(),
    Command.PRIVACY: Privacy(),
    Command.STATS: Stats(),
}


@dataclass(frozen=True, slots=True)
class _Line:
    """What stands behind a command's name, the language it may be in, and the day it is: in UTC, and for the reader."""

    argument: str
    w: Words
    today: date
    local_today: date
    lines: str
    """The argument with its line breaks."""

    @property
    def latest(self) -> date:
        """The later of the two days, by which a day without a year is read."""
        return max(self.today, self.local_today)


def read(line: str, w: Words, now: datetime, timezone: str = "UTC") -> Request:
    """The request in a line such as `time 7:30`, in the language of `w` or in everybody's, by a zone's calendar."""
    cleaned = "\n".join(printable(each) for each in line[:LONGEST].splitlines())
    name, *arguments = cleaned.lstrip("/ \n").split(maxsplit=1)[:2] or [""]
    try:
        command = Command(unicodedata.normalize("NFKC", name).casefold())
    except ValueError:
        return Misread(None)
    lines = arguments[0].strip() if arguments else ""
    if command in ALONE:
        return ALONE[command]
    today, local_today = now.astimezone(UTC).date(), now.astimezone(ZoneInfo(timezone)).date()
    found = _READERS[command](_Line(" ".join(lines.split()), w, today, local_today, lines))
    return Misread(command) if found is None else found


def _subscribe(line: _Line) -> Request | None:
    """`ko`, `ko-abstract`, `zh-Hans-abstract-CODE`: a language, a style, a code, each of which may be missing."""
    rest = line.argument
    language = style = None
    for tag in sorted(languages(), key=len, reverse=True):
        if rest.casefold() == tag.casefold() or rest.casefold().startswith(f"{tag.casefold()}-"):
            language, rest = tag, rest[len(tag) :].lstrip("-")
            break
    for each in Style:
        if rest.casefold() == each or rest.casefold().startswith(f"{each}-"):
            style, rest = each, rest[len(each) :].lstrip("-")
            break
    return Subscribe(language, style, rest.strip() or None)


def _after(argument: str) -> tuple[int, str]:
    """`+10 rest` → 10 and the rest."""
    found = re.match(r"\+(\d{1,5})(?:\s+|$)", argument)
    if not found:
        return 0, argument
    return min(int(found[1]), FARTHEST), argument[found.end() :]


def _today(line: _Line) -> Request | None:
    after, rest = _after(line.argument)
    return None if rest else Today(after)


def _edition(cadence: Cadence) -> Callable[[_Line], Request | None]:
    def read_edition(line: _Line) -> Request | None:
        after, rest = _after(line.argument)
        rest, mine, trailing = rest.rpartition(MINE)
        if not mine or trailing or (rest and not rest.endswith(" ")):
            rest, mine = f"{rest}{mine}{trailing}", ""
        if not rest:
            return ShowEdition(cadence, None, after, bool(mine))
        day = _week(rest.strip()) or typed_values.day(rest.strip(), line.latest)
        return None if day is None else ShowEdition(cadence, day, after, bool(mine))

    return read_edition


def _week(argument: str) -> date | None:
    """`2026-W18` or `2026-04`, as weeks and months are written."""
    found = re.fullmatch(r"(\d{4})-[Ww](\d\d)", argument)
    try:
        if found:
            return date.fromisocalendar(int(found[1]), int(found[2]), 7)
        found = re.fullmatch(r"(\d{4})[-/](\d{1,2})", argument)
        return date(int(found[1]), int(found[2]), 1) if found else None
    except ValueError:
        return None


def _paper(line: _Line) -> Request | None:
    found = ARXIV_ID.search(typed_values.fold(line.argument))
    return ShowPaper(found[0]) if found else None


def _search(line: _Line) -> Request | None:
    after, query = _after(line.argument)
    query = query[:LONGEST_QUERY].strip()
    return Search(query, after) if query else None


def _top(line: _Line) -> Request | None:
    after, rest = _after(line.argument)
    if not rest:
        return Top(after=after)
    days = _number(rest)
    return Top(days, after) if days is not None and 1 <= days <= MOST_DAYS else None


def _language(line: _Line) -> Request | None:
    if not line.argument:
        return Menu(Command.LANGUAGE)
    found = match(line.argument, default="")
    return Change(language=found) if found else None


def _style(line: _Line) -> Request | None:
    if not line.argument:
        return Menu(Command.STYLE)
    wanted = line.argument.casefold()
    return Change(style=Style(wanted)) if wanted in set(Style) else None


def _count(line: _Line) -> Request | None:
    if not line.argument:
        return Menu(Command.COUNT)
    if line.argument.casefold() in {"all", "*", line.w.pgettext("typed for every paper", "all").casefold()}:
        return Change(papers=0)
    count = _number(line.argument)
    return Change(papers=count) if count is not None and 1 <= count <= MOST_PAPERS else None


def _votes(line: _Line) -> Request | None:
    if not line.argument:
        return Menu(Command.VOTES)
    votes = _number(line.argument)
    return Change(min_votes=votes) if votes is not None and votes <= MOST_VOTES else None


def _topics(line: _Line) -> Request | None:
    if not line.argument:
        return Menu(Command.TOPICS)
    if line.argument.casefold() in {"none", line.w.pgettext("typed for no topics", "none").casefold()}:
        return Change(topics=())
    try:
        topics = parse(line.argument)
    except TopicsError:
        return None
    return Change(topics=topics) if topics else None


def _time(line: _Line) -> Request | None:
    if not line.argument:
        return Menu(Command.TIME)
    hour = typed_values.hour(line.argument, line.w.language)
    return None if hour is None else Change(hour=hour)


def _weekdays(line: _Line) -> Request | None:
    if not line.argument:
        return Menu(Command.WEEKDAYS)
    days = typed_values.weekdays(line.argument, line.w.language)
    return Change(weekdays=days) if days else None


def _zone(line: _Line) -> Request | None:
    if not line.argument:
        return Menu(Command.ZONE)
    return (
        Change(timezone=line.argument)
        if zones.is_zone(line.argument)
        else FindZone(line.argument[: zones.LONGEST_QUERY])
    )


def _cadence(line: _Line) -> Request | None:
    if not line.argument:
        return Menu(Command.CADENCE)
    wanted = line.argument.casefold()
    return Change(cadence=Cadence(wanted)) if wanted in set(Cadence) else None


def _extra(extra: Extra) -> Callable[[_Line], Request | None]:
    def read_extra(line: _Line) -> Request | None:
        wanted = line.argument.casefold()
        if not wanted:
            return Menu(Command(extra.value))
        for value, local in ((ON, line.w.pgettext("a switch", "on")), (OFF, line.w.pgettext("a switch", "off"))):
            if wanted in {value, local.casefold()}:
                return Change(extra=(extra, value))
        found = re.fullmatch(r"(?:<@&)?(\d{5,19})>?", wanted) if extra is Extra.PING else None
        return Change(extra=(extra, found[1])) if found else None

    return read_extra


def _pause(line: _Line) -> Request | None:
    if not line.argument:
        return Pause()
    today = line.local_today
    until = typed_values.until(line.argument, today)
    return Pause(until) if until is not None and today < until <= today + LONGEST_PAUSE else None


def _why(line: _Line) -> Request | None:
    if not line.argument:
        return Why()
    day = typed_values.day(line.argument, line.latest)
    return None if day is None or day > line.latest + LONGEST_PAUSE else Why(day)


def _forget(line: _Line) -> Request | None:
    return Forget(confirmed=line.argument.casefold() == "confirmed")


def _help(line: _Line) -> Request | None:
    name = line.argument.lstrip("/").casefold()
    return Help(Command(name)) if name in set(Command) else Help()


def _broadcast(line: _Line) -> Request | None:
    """`TEXT`, `telegram: TEXT`, `all: TEXT`; what a button holds is `confirmed KEY` or `cancelled KEY`."""
    found = re.fullmatch(rf"({CONFIRMED}|{CANCELLED}) ([0-9a-f]{{20}})", line.argument)
    if found:
        return BroadcastConfirmed(found[2]) if found[1] == CONFIRMED else BroadcastCancelled(found[2])
    # What two slashes follow is an address on the web.
    prefix = re.match(r"([A-Za-z]{1,20})[:：](?!//)\s*", line.lines)
    text = line.lines[prefix.end() :] if prefix else line.lines
    channel = prefix[1] if prefix and prefix[1].casefold() != EVERY_CHANNEL else None
    return Broadcast(text, channel) if text else None


def _number(text: str) -> int | None:
    """A whole number of any script's digits."""
    return int(text) if re.fullmatch(r"\d{1,6}", text) else None


_READERS: dict[Command, Callable[[_Line], Request | None]] = {
    Command.SUBSCRIBE: _subscribe,
    Command.TODAY: _today,
    Command.WEEK: _edition(Cadence.WEEK),
    Command.MONTH: _edition(Cadence.MONTH),
    Command.DATE: _edition(Cadence.DAY),
    Command.PAPER: _paper,
    Command.SEARCH: _search,
    Command.TOP: _top,
    Command.LANGUAGE: _language,
    Command.STYLE: _style,
    Command.COUNT: _count,
    Command.VOTES: _votes,
    Command.TOPICS: _topics,
    Command.TIME: _time,
    Command.WEEKDAYS: _weekdays,
    Command.ZONE: _zone,
    Command.CADENCE: _cadence,
    **{Command(extra.value): _extra(extra) for extra in Extra},
    Command.PAUSE: _pause,
    Command.WHY: _why,
    Command.FORGET: _forget,
    Command.HELP: _help,
    Command.BROADCAST: _broadcast,
}
