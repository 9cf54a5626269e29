"""`papers editions`: what was published, and how it was delivered."""

from __future__ import annotations

from bot.cli.console import as_json, say, table
from bot.cli.open_store import stored
from bot.cli.options import Day, Json
from bot.cli.startup import DONE, FAILED, command
from bot.model import State
from bot.store.edition_report import SHARES, Report, reports

COLUMNS = ("day", "cadence", "papers", "audience", "channel", "became", *(f"{share} %" for share in SHARES), "")


@command
async def editions(date: Day = None, json: Json = False) -> int:
    """Show editions and how their deliveries went.

    For each edition and channel: its audience, its deliveries by state, and how long a share of them took.
    """
    async with stored() as store, store.read() as connection:
        found = await reports(connection, day=date)
    if json:
        as_json([_as_row(report) for report in found])
    elif found:
        table(COLUMNS, [cells for report in found for cells in _cells(report)])
    else:
        say("No edition has been published yet." if date is None else f"There is no edition of {date}.")
    return DONE if all(report.adds_up for report in found) else FAILED


def _cells(report: Report) -> list[list[str]]:
    """A row per channel, or one that says that nobody was to get the edition."""
    edition = [f"{report.day}", report.cadence, f"{report.papers}", f"{report.audience}"]
    marks = [] if report.complete else ["from what was stored"]
    marks += [] if report.adds_up else ["DOES NOT ADD UP"]
    note = ", ".join(marks)
    if not report.channels:
        return [[*edition, "–", "no audience", *[""] * len(SHARES), note]]
    rows = []
    for channel, reach in report.channels.items():
        became = ", ".join(f"{count} {state}" for state, count in reach.states.items())
        times = [_length(reach.seconds[share]) if share in reach.seconds else "" for share in SHARES]
        rows.append([*edition, channel, became, *times, note])
    return rows


def _as_row(report: Report) -> dict[str, object]:
    return {
        "cadence": report.cadence,
        "day": report.day,
        "closed_at": report.closed_at.isoformat(),
        "complete": report.complete,
        "papers": report.papers,
        "audience": report.audience,
        "adds_up": report.adds_up,
        "channels": {
            channel: {state.value: reach.states.get(state, 0) for state in State}
            | {f"seconds_to_{share}_percent": seconds for share, seconds in reach.seconds.items()}
            for channel, reach in report.channels.items()
        },
    }


def _length(seconds: float) -> str:
    """A length of time as people say it: 12 s, 4 min, 9 h 05 min."""
    if seconds < 60:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60:02} min"
