"""What people type and what buttons hold becomes a request; hours, weekdays, days and cities in their own words."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given
from hypothesis import strategies as st

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
    written,
)
from bot.commands.parsing import read
from bot.model import OFF, ON, Cadence, Extra, Style
from bot.render import typed_values, zones
from bot.render.words import languages, words
from bot.rules.topics import parse

NOW = datetime(2026, 4, 30, 6, 30, tzinfo=UTC)
TODAY = NOW.date()
MENUS = [
    Command.LANGUAGE, Command.STYLE, Command.COUNT, Command.VOTES, Command.TOPICS, Command.TIME, Command.WEEKDAYS,
    Command.ZONE, Command.CADENCE,
]  # fmt: skip


def asked(line: str, language: str = "en", timezone: str = "UTC") -> Request:
    return read(line, words(language), NOW, timezone)


words_typed = st.text(st.characters(categories=["L", "N"]), min_size=1, max_size=12)
topics = st.lists(words_typed, min_size=1, max_size=5).map(", ".join).map(parse).filter(bool)
after = st.integers(0, 10_000)
past = st.dates(date(2024, 1, 1), TODAY)
keys = st.from_regex(r"[0-9a-f]{20}", fullmatch=True)
lines = st.lists(st.lists(words_typed, min_size=1).map(" ".join), min_size=1, max_size=5)
announced = lines.map("\n\n".join) | st.sampled_from(
    ["telegram: hello", "all: of you", "confirmed", f"confirmed {'0' * 20}", "https://example.org is new", "a:\nb"]
)
coming = st.dates(TODAY + timedelta(days=1), TODAY + timedelta(days=366))
requests = st.one_of(
    st.builds(Subscribe, st.none() | st.sampled_from(languages()), st.none() | st.sampled_from(Style), st.none()),
    st.builds(Subscribe, st.sampled_from(languages()), st.sampled_from(Style), st.just("LAB_2026")),
    st.sampled_from([Unsubscribe(), ShowSettings(), Resume(), Export(), Privacy(), Forget(), Forget(confirmed=True)]),
    st.builds(Today, after),
    st.builds(ShowEdition, st.sampled_from(Cadence), st.none() | past, after, st.booleans()),
    st.just(ShowPaper("2604.12345")),
    st.builds(Search, words_typed, after),
    st.builds(Top, st.integers(1, 31), after),
    st.sampled_from([Menu(of) for of in MENUS]),
    st.builds(Change, language=st.sampled_from(languages())),
    st.builds(Change, style=st.sampled_from(Style)),
    st.builds(Change, papers=st.integers(0, 50)),
    st.builds(Change, min_votes=st.integers(0, 10_000)),
    st.builds(Change, topics=st.just(()) | topics),
    st.builds(Change, hour=st.integers(0, 95).map(lambda quarter: quarter * 15)),
    st.builds(Change, weekdays=st.integers(1, 127)),
    st.builds(Change, timezone=st.sampled_from(sorted(available_timezones()))),
    st.builds(Change, cadence=st.sampled_from(Cadence)),
    st.builds(Change, extra=st.tuples(st.sampled_from(Extra), st.sampled_from([ON, OFF]))),
    st.builds(Change, extra=st.tuples(st.just(Extra.PING), st.from_regex(r"[0-9]{5,19}", fullmatch=True))),
    st.builds(Pause, st.none() | coming),
    st.builds(Why, st.none() | past),
    st.just(Stats()),
    st.builds(Broadcast, announced, st.none() | st.sampled_from(["telegram", "Telegram", "email"])),
    st.builds(BroadcastConfirmed, keys),
    st.builds(BroadcastCancelled, keys),
    st.builds(Help, st.none() | st.sampled_from(Command)),
)


@given(requests, st.sampled_from(languages()))
def test_what_a_button_holds_is_read_back_in_every_language(request_: Request, language: str) -> None:
    held = written(request_)
    if isinstance(request_, Change) and request_.timezone is not None and not zones.is_zone(request_.timezone):
        return  # kept for machines, and never offered
    assert read(held, words(language), NOW) == request_


@given(st.text(max_size=200), st.sampled_from([*Command, ""]), st.sampled_from(languages()))
def test_whatever_is_typed_is_read_as_something(text: str, command: str, language: str) -> None:
    read(f"{command} {text}", words(language), NOW)


def test_a_button_changes_one_thing() -> None:
    for several in (Change(), Change(language="ko", hour=480)):
        with pytest.raises(ValueError, match="one preference"):
            written(several)


def test_what_has_to_fit_into_a_button_does() -> None:
    long: list[Request] = [
        ShowEdition(Cadence.MONTH, date(2026, 4, 30), 10_000, mine=True),
        Change(timezone="America/Argentina/ComodRivadavia"),
        Stats(),
        BroadcastConfirmed("0" * 20),
        BroadcastCancelled("0" * 20),
    ]
    assert [line for request in long if len(line := written(request).encode()) > 64] == []


@pytest.mark.parametrize(
    ("line", "language", "request_"),
    [
        ("/today", "en", Today()),
        ("TODAY", "en", Today()),
        ("week 2026-W18", "en", ShowEdition(Cadence.WEEK, date(2026, 5, 3))),
        ("month 2026-04", "en", ShowEdition(Cadence.MONTH, date(2026, 4, 1))),
        ("date 2026년 4월 29일", "ko", ShowEdition(Cadence.DAY, date(2026, 4, 29))),
        ("date ٢٠٢٦-٠٤-٢٩", "ar", ShowEdition(Cadence.DAY, date(2026, 4, 29))),
        ("date 4/29", "ja", ShowEdition(Cadence.DAY, date(2026, 4, 29))),
        ("date 12/31", "en", ShowEdition(Cadence.DAY, date(2025, 12, 31))),
        ("date 2026-02-30", "en", Misread(Command.DATE)),
        ("paper https://arxiv.org/abs/2604.12345v2", "en", ShowPaper("2604.12345")),
        ("paper hf.co/papers/2604.12345", "en", ShowPaper("2604.12345")),
        ("paper x", "en", Misread(Command.PAPER)),
        ("search", "en", Misread(Command.SEARCH)),
        ("search  diffusion   models", "en", Search("diffusion models")),
        ("top", "en", Top()),
        ("top 31", "en", Top(31)),
        ("top 32", "en", Misread(Command.TOP)),
        ("subscribe", "en", Subscribe()),
        ("subscribe zh-hant-abstract-LAB_2026", "en", Subscribe("zh-Hant", Style.ABSTRACT, "LAB_2026")),
        ("subscribe LAB_2026", "en", Subscribe(invite="LAB_2026")),
        ("language ko-KR", "en", Change(language="ko")),
        ("language klingon", "en", Misread(Command.LANGUAGE)),
        ("count 전부", "ko", Change(papers=0)),
        ("count all", "ko", Change(papers=0)),
        ("count 51", "en", Misread(Command.COUNT)),
        ("count 0", "en", Misread(Command.COUNT)),
        ("count -1", "en", Misread(Command.COUNT)),
        ("votes 999999", "en", Misread(Command.VOTES)),
        ("topics なし", "ja", Change(topics=())),
        ("topics diffusion, -video、拡散", "ja", Change(topics=("diffusion", "-video", "拡散"))),
        ("topics ,,,", "en", Misread(Command.TOPICS)),
        ("topics " + "x" * 61, "en", Misread(Command.TOPICS)),
        ("time 오후 8시 반", "ko", Change(hour=20 * 60 + 30)),
        ("time 7:10", "en", Misread(Command.TIME)),
        ("zone Asia/Seoul", "en", Change(timezone="Asia/Seoul")),
        ("zone 서울", "ko", FindZone("서울")),
        ("cadence weekly", "en", Misread(Command.CADENCE)),
        ("pause 7", "en", Pause(date(2026, 5, 7))),
        ("pause 5/3", "en", Pause(date(2026, 5, 3))),
        ("pause 2026-04-30", "en", Misread(Command.PAUSE)),
        ("pause 2028-01-01", "en", Misread(Command.PAUSE)),
        ("why 2026-04-29", "en", Why(date(2026, 4, 29))),
        ("forget confirmed", "ja", Forget(confirmed=True)),
        ("forget me", "en", Forget()),
        ("help /time", "en", Help(Command.TIME)),
        ("stats", "en", Stats()),
        ("broadcast", "en", Misread(Command.BROADCAST)),
        ("broadcast telegram:", "en", Misread(Command.BROADCAST)),
        ("/Broadcast  First line.\r\n\r\n  Second\tline. \n", "en", Broadcast("First line.\n\n  Second line.")),
        ("broadcast\nFirst line.", "en", Broadcast("First line.")),
        ("broadcast telegram: We move.", "en", Broadcast("We move.", "telegram")),
        ("broadcast Telegram：이사합니다.", "ko", Broadcast("이사합니다.", "Telegram")),
        ("broadcast all: telegram: We move.", "en", Broadcast("telegram: We move.")),
        ("broadcast https://example.org: look", "en", Broadcast("https://example.org: look")),
        ("broadcast 안내: 이사합니다.", "ko", Broadcast("안내: 이사합니다.")),
        (f"broadcast confirmed {'0a' * 10}", "en", BroadcastConfirmed("0a" * 10)),
        (f"broadcast cancelled {'0a' * 10}", "en", BroadcastCancelled("0a" * 10)),
        ("broadcast confirmed by mail", "en", Broadcast("confirmed by mail")),
        ("hello", "en", Misread(None)),
        ("", "en", Misread(None)),
        ("\x00", "en", Misread(None)),
    ],
)
def test_what_people_type(line: str, language: str, request_: Request) -> None:
    assert asked(line, language) == request_


def test_a_pause_is_counted_from_the_readers_own_today() -> None:
    assert asked("pause 1", timezone="Pacific/Kiritimati") == Pause(date(2026, 5, 1))
    assert asked("pause 1", timezone="Pacific/Midway") == Pause(date(2026, 4, 30))


@pytest.mark.parametrize(
    ("text", "language", "minutes"),
    [
        ("8", "en", 480), ("08:15", "en", 495), ("8.30", "en", 510), ("7h45", "en", 465), ("8 PM", "en", 1200),
        ("12 am", "en", 0), ("12 pm", "en", 720), ("0:00", "en", 0), ("23:45", "en", 1425),
        ("오전 7시 30분", "ko", 450),
        ("7시 반", "ko", 450), ("午後8時", "ja", 1200), ("8時半", "ja", 510), ("下午7:30", "zh-Hans", 1170),
        ("晚上", "zh-Hans", None), ("上午 8 點", "zh-Hant", 480), ("٨:٣٠", "ar", 510), ("٨ م", "ar", 1200),
        ("８：３０", "ja", 510), ("24:00", "en", None), ("13 pm", "en", None), ("7:61", "en", None), ("-1", "en", None),
        ("", "en", None), ("8 pm pm", "en", None),
    ],
)  # fmt: skip
def test_an_hour_as_people_write_it(text: str, language: str, minutes: int | None) -> None:
    assert typed_values.hour(text, language) == minutes


@pytest.mark.parametrize(
    ("text", "language", "days"),
    [
        ("mon-fri", "en", [0, 1, 2, 3, 4]), ("Monday, Wed", "en", [0, 2]), ("fri-mon", "en", [0, 4, 5, 6]),
        ("1,3,5", "ko", [0, 2, 4]), ("1-5", "ja", [0, 1, 2, 3, 4]), ("all", "ar", [*range(7)]),
        ("weekdays", "en", [0, 1, 2, 3, 4]), ("월수금", "ko", [0, 2, 4]), ("월~금", "ko", [0, 1, 2, 3, 4]),
        ("토요일", "ko", [5]), ("月から金", "ja", [0, 1, 2, 3, 4]), ("周一到周五", "zh-Hans", [0, 1, 2, 3, 4]),
        ("一三五", "zh-Hans", [0, 2, 4]), ("星期六、星期日", "zh-Hant", [5, 6]), ("الاثنين والأربعاء", "ar", [0, 2]),
        ("mt", "en", None), ("8", "en", None), ("", "en", None), ("mon fri and then some", "en", None),
    ],
)  # fmt: skip
def test_weekdays_as_people_write_them(text: str, language: str, days: list[int] | None) -> None:
    assert typed_values.weekdays(text, language) == (None if days is None else sum(1 << day for day in days))


@given(st.sampled_from(languages()), st.integers(1, 127))
def test_weekdays_as_we_say_them_are_understood(language: str, days: int) -> None:
    w = words(language)
    assert typed_values.weekdays(w.listing([w.weekday(day) for day in range(7) if days >> day & 1]), language) == days


@pytest.mark.parametrize(
    ("query", "language", "name"),
    [
        ("서울", "ko", "Asia/Seoul"), ("Seoul", "ko", "Asia/Seoul"), ("서울", "en", "Asia/Seoul"),
        ("한국", "ko", "Asia/Seoul"),
        ("뉴욕", "ko", "America/New_York"), ("ニューヨーク", "ja", "America/New_York"),
        ("柏林", "zh-Hans", "Europe/Berlin"),
        ("臺北", "zh-Hant", None), ("台北", "zh-Hant", "Asia/Taipei"), ("القاهرة", "ar", "Africa/Cairo"),
        ("sao paulo", "en", "America/Sao_Paulo"), ("São Paulo", "en", "America/Sao_Paulo"),
        ("kiev", "en", "Europe/Kyiv"), ("Asia/Calcutta", "en", "Asia/Kolkata"), ("india", "en", "Asia/Kolkata"),
        ("GMT+5:45", "en", "Asia/Kathmandu"), ("utc", "en", "UTC"), ("germany", "en", "Europe/Berlin"),
        ("atlantis", "en", None), ("🙂", "en", None), ("", "en", None), ("x" * 10_000, "en", None),
    ],
)  # fmt: skip
def test_a_zone_is_found_by_what_people_call_it(query: str, language: str, name: str | None) -> None:
    found = zones.find(query, language, NOW)
    assert (found[0].name if found else None) == name
    assert len(found) <= zones.FOUND


@pytest.mark.slow
@pytest.mark.parametrize("language", languages())
def test_every_city_that_is_offered_is_found_by_its_name(language: str) -> None:
    lost = []
    for name in zones._choices():
        city = zones.zone(name, language).city
        same_name = [each for each in zones._choices() if zones.zone(each, language).city == city]
        found = [each.name for each in zones.find(city, language, NOW)]
        if not set(same_name) & set(found):
            lost.append(city)
    assert lost == []


@given(st.sampled_from([f"{sign}{hours}" for sign in "+-" for hours in range(13)]))
def test_an_offset_finds_only_zones_whose_clocks_differ_so(offset: str) -> None:
    for each in zones.find(offset, "en", NOW):
        assert NOW.astimezone(ZoneInfo(each.name)).utcoffset() == timedelta(hours=int(offset))


@pytest.mark.parametrize(
    ("locale", "name"),
    [
        ("ko", "Asia/Seoul"), ("ko-KR", "Asia/Seoul"), ("ja_JP", "Asia/Tokyo"), ("zh-Hans", "Asia/Shanghai"),
        ("zh-Hant", "Asia/Taipei"), ("zh-TW", "Asia/Taipei"), ("en-US", "America/New_York"), ("en-IN", "Asia/Kolkata"),
        ("pt-BR", "America/Sao_Paulo"), ("de", "Europe/Berlin"), ("en", None), ("ar", None), ("xx", None), ("", None),
        (None, None), ("-", None), ("ko-" * 1000, None),
    ],
)  # fmt: skip
def test_a_zone_is_guessed_from_a_locale_that_says_enough(locale: str | None, name: str | None) -> None:
    assert zones.guess(locale) == name


def test_whatever_is_guessed_or_found_is_a_zone() -> None:
    guessed = {zones.guess(f"xx-{first}{second}") for first in "ABCDEFGHIJKLMNOPQRSTUVWXYZ" for second in "ABEKNRSUZ"}
    assert guessed - {None} <= available_timezones()
    assert set(zones._choices()) <= available_timezones()
    assert set(zones._ALSO.values()) <= available_timezones()
