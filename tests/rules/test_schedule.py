"""When a reader gets an edition: at their hour in every time zone, once, and never at night unless they chose it.

The oracle reads a reader's wall clock, minute by minute; it knows no arithmetic of zones.
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bot.model import ALL_WEEK, MORNING, Cadence, Edition
from bot.rules.closing import lateness
from bot.rules.schedule import LIFETIME, Lateness, Rhythm, announced, rebook, waking, welcome, window

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
QUARTER = timedelta(minutes=15)
ZONES = sorted(available_timezones())
NEAR = HOUR
LONGEST_GAP = timedelta(hours=2)
"""The largest change of a zone's clock in these years (Antarctica/Troll)."""


def utc(written: str) -> datetime:
    return datetime.fromisoformat(written).replace(tzinfo=UTC)


def on(*weekdays: int) -> int:
    return sum(1 << day for day in weekdays)


# Examples


@pytest.mark.parametrize(
    ("zone", "hour", "published", "due"),
    [
        ("UTC", 480, "2026-04-29T22:00", "2026-04-30T08:00"),
        ("Asia/Seoul", 480, "2026-04-29T22:00", "2026-04-29T23:00"),
        ("America/New_York", 480, "2026-04-29T22:00", "2026-04-30T12:00"),
        ("Asia/Kathmandu", 480, "2026-04-29T22:00", "2026-04-30T02:15"),
        ("Australia/Eucla", 480, "2026-04-29T22:00", "2026-04-29T23:15"),
        ("Pacific/Chatham", 480, "2026-04-29T22:00", "2026-04-29T22:00"),  # 10:45 there: the hour is 2 h 45 min ago
        ("Pacific/Auckland", 480, "2026-04-29T22:00", "2026-04-29T22:00"),  # 10:00 there
        ("Pacific/Kiritimati", 480, "2026-04-29T22:00", "2026-04-30T18:00"),  # 12:00 there: too late for grace
        ("UTC", 22 * 60, "2026-04-29T22:00", "2026-04-29T22:00"),
        ("UTC", 22 * 60, "2026-04-29T22:40", "2026-04-29T22:40"),  # night, but the reader's own hour is near
        ("UTC", 22 * 60, "2026-04-29T23:10", "2026-04-30T07:00"),  # within grace, but asleep
        ("UTC", 3 * 60, "2026-04-29T05:00", "2026-04-29T07:00"),
        ("Europe/Berlin", 2 * 60 + 30, "2026-10-24T22:00", "2026-10-25T00:30"),  # 02:30 comes twice: the first
        ("Europe/Berlin", 2 * 60 + 30, "2026-03-28T22:00", "2026-03-29T01:30"),  # 02:30 does not exist
    ],
)
def test_an_edition_is_due_at_the_readers_next_hour(zone: str, hour: int, published: str, due: str) -> None:
    assert window(Rhythm(zone, hour, ALL_WEEK), utc(published)).due_at == utc(due)


@pytest.mark.parametrize(
    ("weekdays", "published", "due", "expires"),
    [
        (ALL_WEEK, "2026-05-01T22:00", "2026-05-02T08:00", "2026-05-03T02:00"),
        (on(0, 1, 2, 3, 4), "2026-05-01T22:00", "2026-05-04T08:00", "2026-05-05T02:00"),
        (on(2), "2026-05-01T22:00", "2026-05-06T08:00", "2026-05-07T02:00"),
        (on(4), "2026-05-01T10:30", "2026-05-01T10:30", "2026-05-02T04:30"),
        (on(4), "2026-05-02T08:30", "2026-05-08T08:00", "2026-05-09T02:00"),
    ],
    ids=["every day", "weekdays", "Wednesdays", "Fridays, just passed", "Fridays, passed yesterday"],
)
def test_only_on_the_weekdays_that_were_chosen(weekdays: int, published: str, due: str, expires: str) -> None:
    found = window(Rhythm("UTC", MORNING, weekdays), utc(published))
    assert (found.due_at, found.expires_at) == (utc(due), utc(expires))


def test_a_late_edition_expires_at_the_readers_next_slot() -> None:
    found = window(Rhythm("UTC", 5 * 60, ALL_WEEK), utc("2026-05-01T07:59"))
    assert (found.due_at, found.expires_at) == (utc("2026-05-01T07:59"), utc("2026-05-02T01:59"))
    found = window(Rhythm("UTC", 0, ALL_WEEK), utc("2026-05-01T02:30"))
    assert (found.due_at, found.expires_at) == (utc("2026-05-01T07:00"), utc("2026-05-02T00:00"))


def test_a_new_reader_gets_the_latest_edition_at_once_at_any_hour() -> None:
    at = utc("2026-05-01T03:00")
    greeting = welcome(Rhythm("UTC", MORNING, ALL_WEEK), at)
    assert (greeting.due_at, greeting.expires_at) == (at, utc("2026-05-01T08:00"))


@pytest.mark.parametrize(
    ("hour", "at", "awake"),
    [
        (480, "2026-05-01T06:59", "2026-05-01T07:00"),
        (480, "2026-05-01T07:00", "2026-05-01T07:00"),
        (480, "2026-05-01T21:59", "2026-05-01T21:59"),
        (480, "2026-05-01T22:00", "2026-05-02T07:00"),
        (30, "2026-05-01T22:30", "2026-05-01T23:30"),
        (30, "2026-05-02T01:00", "2026-05-02T01:00"),
        (30, "2026-05-02T01:31", "2026-05-02T07:00"),
        (6 * 60, "2026-05-02T04:00", "2026-05-02T05:00"),
    ],
)
def test_retries_run_by_day_or_near_the_readers_own_hour(hour: int, at: str, awake: str) -> None:
    assert waking(Rhythm("UTC", hour, ALL_WEEK), utc(at)) == utc(awake)


LATE = Lateness(utc("2026-05-04T22:00"), utc("2026-05-05T22:00"))
"""Monday's edition, and when Tuesday's closes."""


@pytest.mark.parametrize(
    ("zone", "hour", "published", "due"),
    [
        ("Europe/Berlin", MORNING, "2026-05-05T15:00", "2026-05-05T15:00"),  # missed 08:00, awake: at once
        ("Europe/Berlin", MORNING, "2026-05-05T21:00", "2026-05-06T06:00"),  # asleep until the next one closes
        ("Asia/Seoul", MORNING, "2026-05-05T09:00", "2026-05-05T09:00"),  # 18:00 there; the next slot is 23:00 UTC
        ("Asia/Seoul", 20 * 60, "2026-05-05T09:00", "2026-05-05T11:00"),  # the slot of that evening is in time
        ("America/New_York", MORNING, "2026-05-05T09:00", "2026-05-05T12:00"),  # their slot has not come yet
        ("Europe/Berlin", MORNING, "2026-05-05T07:00", "2026-05-05T07:00"),  # within the grace of three hours
    ],
)
def test_a_late_edition_that_the_next_would_supersede_goes_out_in_waking_hours_at_once(
    zone: str, hour: int, published: str, due: str
) -> None:
    found = window(Rhythm(zone, hour, ALL_WEEK), utc(published), LATE)
    assert found.due_at == utc(due)
    assert found.expires_at > found.due_at


def test_a_reader_of_mondays_alone_waits_for_monday_however_late_an_edition_is() -> None:
    on_mondays = Rhythm("UTC", MORNING, 1)
    assert window(on_mondays, utc("2026-05-06T15:00"), Lateness(utc("2026-05-05T22:00"), utc("2026-05-06T22:00"))) == (
        window(on_mondays, utc("2026-05-06T15:00"))
    )


@pytest.mark.parametrize(
    ("day", "closed_at", "following"),
    [
        ("2026-05-04", "2026-05-04T22:00", None),
        ("2026-05-04", "2026-05-05T15:00", "2026-05-05T22:00"),
        ("2026-05-04", "2026-05-05T22:30", "2026-05-06T22:00"),
        ("2026-05-08", "2026-05-09T15:00", "2026-05-11T22:00"),  # a Friday's, on Saturday
    ],
)
def test_how_late_an_edition_is(day: str, closed_at: str, following: str | None) -> None:
    edition = Edition(Cadence.DAY, date.fromisoformat(day), utc(closed_at), ())
    late = lateness(edition, time(22))
    assert (late and late.next_closing) == (following and utc(following))


# Every zone


def test_in_every_zone_a_year_has_one_slot_for_each_day() -> None:
    first, days = date(2026, 1, 1), 366
    for name in ZONES:
        zone = ZoneInfo(name)
        slots = Rhythm(name, 2 * 60 + 30, ALL_WEEK).slots(datetime(2026, 1, 1, 2, 29, tzinfo=zone).astimezone(UTC))
        year = [next(slots) for _ in range(days)]
        assert [slot.astimezone(zone).date() for slot in year] == [first + n * DAY for n in range(days)], name
        assert all(DAY - LONGEST_GAP <= later - sooner <= DAY + LONGEST_GAP for sooner, later in pairwise(year)), name
        moved = {slot.astimezone(zone).time() for slot in year} - {time(2, 30)}
        assert len(moved) <= 1, name  # only on the one day on which that hour does not exist


@pytest.mark.parametrize("name", ["Europe/Berlin", "America/Santiago", "Australia/Lord_Howe", "Antarctica/Troll"])
@pytest.mark.parametrize("hour", range(0, 240, 15))
def test_around_daylight_saving_changes_there_is_one_slot_a_day(name: str, hour: int) -> None:
    rhythm = Rhythm(name, hour, ALL_WEEK)
    for start in leaps(name):
        dues = [window(rhythm, start - 5 * DAY + n * DAY).due_at for n in range(10)]
        # Published at the same instant every day, a little after or long before the hour: one each, in order.
        assert dues == sorted(set(dues)), (start, hour)


def leaps(name: str) -> Iterator[datetime]:
    """The hours of a year in which a zone's offset changes."""
    zone = ZoneInfo(name)
    hour = datetime(2026, 1, 1, tzinfo=UTC)
    while hour.year == 2026:
        if hour.astimezone(zone).utcoffset() != (hour + HOUR).astimezone(zone).utcoffset():
            yield hour
        hour += HOUR


# Any zone, hour, weekdays and instant, against a wall clock


def wall(at: datetime, zone: ZoneInfo) -> datetime:
    return at.astimezone(zone).replace(tzinfo=None)


def struck(rhythm: Rhythm, since: datetime, until: datetime) -> list[tuple[date, datetime, bool]]:
    """For each local day, when the wall clock first showed the reader's hour or leapt over it (True).

    The steps of a quarter of an hour, which every offset is a multiple of, meet every minute that can strike.
    """
    zone, minute = ZoneInfo(rhythm.timezone), rhythm.hour % 15
    at = since.replace(minute=0, second=0, microsecond=0) + minute * MINUTE - DAY
    found: list[tuple[date, datetime, bool]] = []
    done: set[date] = set()
    begun = False
    while at <= until:
        now = wall(at, zone)
        for day in (now.date() - DAY, now.date()):
            target = datetime.combine(day, time(*divmod(rhythm.hour, 60)))
            if now >= target and day not in done:
                done.add(day)
                if begun:
                    found.append((day, at, now != target))
        begun = True
        at += QUARTER
    return found


# Below, the minute an hour after the reader's own is neither here nor there.


def may_disturb(rhythm: Rhythm, at: datetime, own: list[datetime]) -> bool:
    by_day = time(7) <= wall(at, ZoneInfo(rhythm.timezone)).time() < time(22)
    return by_day or any(abs(at - hour) <= NEAR for hour in own)


rhythms = st.builds(Rhythm, st.sampled_from(ZONES), st.integers(0, 1439), st.integers(1, ALL_WEEK))
moments = st.integers(0, 4 * 365 * 24 * 60).map(lambda minutes: utc("2024-01-01T00:00") + minutes * MINUTE)


@given(rhythms, moments)
def test_due_and_expiry_are_what_a_wall_clock_says(rhythm: Rhythm, published: datetime) -> None:
    found = window(rhythm, published)
    hours = struck(rhythm, published - DAY, published + 17 * DAY)
    own = [at for _, at, _ in hours]
    chosen = [(at, leapt) for day, at, leapt in hours if rhythm.weekdays >> day.weekday() & 1]
    if any(published - 4 * HOUR - LONGEST_GAP <= at <= published + LONGEST_GAP for at, leapt in chosen if leapt):
        return  # where the hour leapt over comes to lie is not laid down; the year of every zone looks at those
    coming = [(at, leapt) for at, leapt in chosen if at > published]
    passed = [at for at, _ in chosen if published - 3 * HOUR < at <= published]
    if passed:
        assert may_disturb(rhythm, found.due_at, own)
        minutes = (found.due_at - published) // MINUTE
        sooner = [published + n * MINUTE for n in range(minutes)]
        assert not any(may_disturb(rhythm, at, own) and at - NEAR not in own for at in sooner)
    else:
        (slot, leapt), *coming = coming
        assert slot <= found.due_at <= slot + (LONGEST_GAP if leapt else timedelta())
    following, leapt = coming[0]
    latest = following + (LONGEST_GAP if leapt else timedelta())
    assert min(found.due_at + 18 * HOUR, following) <= found.expires_at <= min(found.due_at + 18 * HOUR, latest)
    assert published <= found.due_at < found.expires_at


@given(rhythms, moments)
def test_a_retry_runs_as_early_as_possible_and_never_at_night(rhythm: Rhythm, at: datetime) -> None:
    awake = waking(rhythm, at)
    hours = struck(rhythm, at - 2 * DAY, at + 2 * DAY)
    if any(leapt for _, _, leapt in hours):
        return
    own = [hour for _, hour, _ in hours]
    assert at <= awake <= at + 11 * HOUR
    assert may_disturb(rhythm, awake, own)
    assert not any(
        may_disturb(rhythm, at + n * MINUTE, own) and at + n * MINUTE - NEAR not in own
        for n in range((awake - at) // MINUTE)
    )


@given(rhythms, moments, st.integers(0, 24 * 60), st.integers(1, ALL_WEEK))
@example(Rhythm("UTC", 7 * 60 + 30, ALL_WEEK), utc("2026-04-29T08:00"), 22 * 60, on(6))
def test_an_announcement_ignores_slots(rhythm: Rhythm, at: datetime, minutes: int, weekdays: int) -> None:
    """Neither when it is made, nor when its reader chooses another hour or zone some minutes later."""
    now = at + minutes * MINUTE
    made, moved = announced(rhythm, at), rebook(rhythm, at, now, is_note=True)
    assert made.due_at == waking(rhythm, at)
    assert moved.due_at == max(made.due_at, waking(rhythm, now))
    for found in (made, moved):
        assert found.due_at < found.expires_at <= found.due_at + LIFETIME
    other = Rhythm(rhythm.timezone, rhythm.hour, weekdays)
    assert (made, moved) == (announced(other, at), rebook(other, at, now, is_note=True))


@given(rhythms, moments, st.integers(1, 40))
def test_an_edition_a_day_is_due_once_each_in_order_and_none_is_due_beyond_its_successors_slot(
    rhythm: Rhythm, published: datetime, count: int
) -> None:
    found = [window(rhythm, published + n * DAY) for n in range(count)]
    for sooner, later in pairwise(found):
        assert sooner.due_at <= later.due_at
        assert sooner.due_at < sooner.expires_at
        if sooner.due_at == later.due_at:  # a reader of few weekdays: the newer edition takes the older one's slot
            assert rhythm.weekdays != ALL_WEEK
