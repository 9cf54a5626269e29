"""Command lines that people type and buttons hold are parsed; hours, weekdays, days and cities in any language."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.channel import command_line, edition_line, paper_line
from bot.channel.command_lines import CONFIRMED
from bot.channel.preference import Kind, Preference
from bot.commands import registry
from bot.commands.announce import CANCELLED, Decision, Draft
from bot.commands.command import MisreadError, split
from bot.commands.papers import EditionArguments, SearchArguments, TopArguments
from bot.commands.preference_commands import MENU, UNOFFERED, ZoneQuery
from bot.commands.subscription import SubscribeArguments
from bot.commands.wrong_texts import PaperArguments
from bot.model import ALL_PAPERS, OFF, Cadence, Style
from bot.render import timezones, typed_values
from bot.render.catalogue import languages
from bot.render.words import words
from bot.rules.preferences import PREFERENCES
from bot.rules.topics import parse
from channels.discord.post_options import POST_OPTIONS
from channels.telegram.message import PICTURE, RICH

EXTRAS = (*POST_OPTIONS, PICTURE, RICH)
COMMANDS = registry.commands(EXTRAS)
MISREAD = object()
"""What follows the command makes no sense."""
NOW = datetime(2026, 4, 30, 6, 30, tzinfo=UTC)
TODAY = NOW.date()


def asked(line: str, language: str = "en", timezone: str = "UTC") -> tuple[str | None, object]:
    """The command in a line and its arguments; None where not even a command is meant."""
    name, typed = split(line, words(language), NOW, timezone)
    if name not in COMMANDS:
        return None, None
    try:
        return name, COMMANDS[name].parse(typed)
    except MisreadError:
        return name, MISREAD


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
VALUES: dict[Kind, st.SearchStrategy[object]] = {
    Kind.LANGUAGE: st.sampled_from(languages()),
    Kind.STYLE: st.sampled_from(Style),
    Kind.CADENCE: st.sampled_from(Cadence),
    Kind.COUNT: st.integers(0, 50),
    Kind.NUMBER: st.integers(0, 10_000),
    Kind.TOPICS: st.just(()) | topics,
    Kind.HOUR: st.integers(0, 95).map(lambda quarter: quarter * 15),
    Kind.WEEKDAYS: st.integers(1, 127),
    Kind.ZONE: st.sampled_from(sorted(filter(timezones.is_zone, available_timezones()))),  # others are for machines
    Kind.SWITCH: st.booleans(),
    Kind.TEXT: st.just(OFF) | st.from_regex(r"[0-9]{5,19}", fullmatch=True),
}


def edition(cadence: Cadence, day: date | None, after: int, mine: bool) -> tuple[str, str, object]:
    line = edition_line(cadence, day, after, mine=mine)
    return line, line.partition(" ")[0], EditionArguments(day, after, mine)


def subscribing(language: str | None, style: Style | None, invite: str | None) -> tuple[str, str, object]:
    line = command_line("subscribe", "-".join(filter(None, (language, style, invite))))
    return line, "subscribe", SubscribeArguments(language, style, invite)


def choosing(preference: Preference) -> st.SearchStrategy[tuple[str, str, object]]:
    return VALUES[preference.kind].map(lambda value: (preference.line(value), preference.command, value))


held = st.one_of(
    st.builds(subscribing, st.none() | st.sampled_from(languages()), st.none() | st.sampled_from(Style), st.none()),
    st.builds(subscribing, st.sampled_from(languages()), st.sampled_from(Style), st.just("LAB_2026")),
    st.sampled_from(
        [(name, name, "") for name in ("unsubscribe", "settings", "resume", "export", "privacy", "stats", "help")]
    ),
    st.sampled_from([("forget", "forget", False), ("forget confirmed", "forget", True)]),
    st.builds(lambda after: (command_line("today", after=after), "today", after), after),
    st.builds(edition, st.sampled_from(Cadence), st.none() | past, after, st.booleans()),
    st.just((paper_line("2604.12345"), "paper", PaperArguments("2604.12345"))),
    st.builds(
        lambda query, after: (command_line("search", query, after=after), "search", SearchArguments(query, after)),
        words_typed,
        after,
    ),
    st.builds(
        lambda days, after: (command_line("top", f"{days}", after=after), "top", TopArguments(days, after)),
        st.integers(1, 31),
        after,
    ),
    st.sampled_from([(each.command, each.command, MENU) for each in (*PREFERENCES, *EXTRAS)]),
    *map(choosing, (*PREFERENCES, *EXTRAS)),
    st.builds(lambda day: (command_line("pause", f"{day or ''}"), "pause", day), st.none() | coming),
    st.builds(lambda day: (command_line("why", f"{day or ''}"), "why", day), st.none() | past),
    st.builds(
        lambda text, channel: (f"broadcast {channel or 'all'}: {text}", "broadcast", Draft(text, channel)),
        announced,
        st.none() | st.sampled_from(["telegram", "Telegram", "email"]),
    ),
    st.builds(lambda key: (f"broadcast {CONFIRMED} {key}", "broadcast", Decision(key, True)), keys),
    st.builds(lambda key: (f"broadcast {CANCELLED} {key}", "broadcast", Decision(key, False)), keys),
    st.sampled_from(sorted(COMMANDS)).map(lambda name: (f"help {name}", "help", name)),
)
"""Lines as buttons hold them, with the command and the arguments that they stand for."""


@given(held, st.sampled_from(languages()))
def test_a_line_that_a_button_holds_is_parsed_in_every_language(line: tuple[str, str, object], language: str) -> None:
    text, command, arguments = line
    assert asked(text, language) == (command, arguments)


@given(st.text(max_size=200), st.sampled_from([*COMMANDS, ""]), st.sampled_from(languages()))
def test_no_text_makes_parsing_fail(text: str, command: str, language: str) -> None:
    asked(f"{command} {text}", language)


def test_the_longest_lines_fit_into_a_telegram_button() -> None:
    zone = next(each for each in PREFERENCES if each.kind is Kind.ZONE)
    long = [
        edition_line(Cadence.MONTH, date(2026, 4, 30), 10_000, mine=True),
        zone.line("America/Argentina/ComodRivadavia"),
        "stats",
        f"broadcast {CONFIRMED} {'0' * 20}",
        f"broadcast {CANCELLED} {'0' * 20}",
    ]
    assert [line for line in long if len(line.encode()) > 64] == []


@pytest.mark.parametrize(
    ("line", "language", "command", "arguments"),
    [
        ("/today", "en", "today", 0),
        ("TODAY", "en", "today", 0),
        ("week 2026-W18", "en", "week", EditionArguments(date(2026, 5, 3))),
        ("month 2026-04", "en", "month", EditionArguments(date(2026, 4, 1))),
        ("date 2026년 4월 29일", "ko", "date", EditionArguments(date(2026, 4, 29))),
        ("date ٢٠٢٦-٠٤-٢٩", "ar", "date", EditionArguments(date(2026, 4, 29))),
        ("date 4/29", "ja", "date", EditionArguments(date(2026, 4, 29))),
        ("date 12/31", "en", "date", EditionArguments(date(2025, 12, 31))),
        ("date 2026-02-30", "en", "date", MISREAD),
        ("paper https://arxiv.org/abs/2604.12345v2", "en", "paper", PaperArguments("2604.12345")),
        ("paper hf.co/papers/2604.12345", "en", "paper", PaperArguments("2604.12345")),
        ("paper 2604.12345 wrong plain", "en", "paper", PaperArguments("2604.12345", Style.PLAIN)),
        ("paper 2604.12345 wrong abstract", "en", "paper", PaperArguments("2604.12345")),
        ("paper x", "en", "paper", MISREAD),
        ("search", "en", "search", MISREAD),
        ("search  diffusion   models", "en", "search", SearchArguments("diffusion models")),
        ("top", "en", "top", TopArguments()),
        ("top 31", "en", "top", TopArguments(31)),
        ("top 32", "en", "top", MISREAD),
        ("subscribe", "en", "subscribe", SubscribeArguments()),
        (
            "subscribe zh-hant-abstract-LAB_2026",
            "en",
            "subscribe",
            SubscribeArguments("zh-Hant", Style.ABSTRACT, "LAB_2026"),
        ),
        ("subscribe LAB_2026", "en", "subscribe", SubscribeArguments(invite="LAB_2026")),
        ("language ko-KR", "en", "language", "ko"),
        ("language klingon", "en", "language", UNOFFERED),
        ("count 전부", "ko", "count", ALL_PAPERS),
        ("count all", "ko", "count", ALL_PAPERS),
        ("count 51", "en", "count", MISREAD),
        ("count 0", "en", "count", MISREAD),
        ("count -1", "en", "count", MISREAD),
        ("votes 999999", "en", "votes", MISREAD),
        ("topics なし", "ja", "topics", ()),
        ("topics diffusion, -video、拡散", "ja", "topics", ("diffusion", "-video", "拡散")),
        ("topics ,,,", "en", "topics", MISREAD),
        ("topics " + "x" * 61, "en", "topics", MISREAD),
        ("time 오후 8시 반", "ko", "time", 20 * 60 + 30),
        ("time 7:10", "en", "time", MISREAD),
        ("zone Asia/Seoul", "en", "zone", "Asia/Seoul"),
        ("zone 서울", "ko", "zone", ZoneQuery("서울")),
        ("cadence weekly", "en", "cadence", Cadence.WEEK),
        ("pause 7", "en", "pause", date(2026, 5, 7)),
        ("pause 5/3", "en", "pause", date(2026, 5, 3)),
        ("pause 2026-04-30", "en", "pause", MISREAD),
        ("pause 2028-01-01", "en", "pause", MISREAD),
        ("why 2026-04-29", "en", "why", date(2026, 4, 29)),
        ("forget confirmed", "ja", "forget", True),
        ("forget me", "en", "forget", False),
        ("help /time", "en", "help", "time"),
        ("stats", "en", "stats", ""),
        ("broadcast", "en", "broadcast", MISREAD),
        ("broadcast telegram:", "en", "broadcast", MISREAD),
        (
            "/Broadcast  First line.\r\n\r\n  Second\tline. \n",
            "en",
            "broadcast",
            Draft("First line.\n\n  Second line."),
        ),
        ("broadcast\nFirst line.", "en", "broadcast", Draft("First line.")),
        ("broadcast telegram: We move.", "en", "broadcast", Draft("We move.", "telegram")),
        ("broadcast Telegram：이사합니다.", "ko", "broadcast", Draft("이사합니다.", "Telegram")),
        ("broadcast all: telegram: We move.", "en", "broadcast", Draft("telegram: We move.")),
        ("broadcast https://example.org: look", "en", "broadcast", Draft("https://example.org: look")),
        ("broadcast 안내: 이사합니다.", "ko", "broadcast", Draft("안내: 이사합니다.")),
        (f"broadcast confirmed {'0a' * 10}", "en", "broadcast", Decision("0a" * 10, True)),
        (f"broadcast cancelled {'0a' * 10}", "en", "broadcast", Decision("0a" * 10, False)),
        ("broadcast confirmed by mail", "en", "broadcast", Draft("confirmed by mail")),
        ("hello", "en", None, None),
        ("", "en", None, None),
        ("\x00", "en", None, None),
    ],
)
def test_typed_lines_are_parsed(line: str, language: str, command: str | None, arguments: object) -> None:
    assert asked(line, language) == (command, arguments)


def test_a_pause_is_counted_from_the_readers_own_today() -> None:
    assert asked("pause 1", timezone="Pacific/Kiritimati") == ("pause", date(2026, 5, 1))
    assert asked("pause 1", timezone="Pacific/Midway") == ("pause", date(2026, 4, 30))


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
    assert typed_values.weekdays(w.days([w.weekday(day) for day in range(7) if days >> day & 1]), language) == days


@pytest.mark.parametrize(
    ("query", "language", "name"),
    [
        ("서울", "ko", "Asia/Seoul"), ("Seoul", "ko", "Asia/Seoul"), ("서울", "en", "Asia/Seoul"),
        ("한국", "ko", "Asia/Seoul"),
        ("뉴욕", "ko", "America/New_York"), ("ニューヨーク", "ja", "America/New_York"),
        ("柏林", "zh-Hans", "Europe/Berlin"), ("中国上海", "zh-Hans", "Asia/Shanghai"),
        ("臺北", "zh-Hant", None), ("台北", "zh-Hant", "Asia/Taipei"), ("القاهرة", "ar", "Africa/Cairo"),
        ("sao paulo", "en", "America/Sao_Paulo"), ("São Paulo", "en", "America/Sao_Paulo"),
        ("kiev", "en", "Europe/Kyiv"), ("Asia/Calcutta", "en", "Asia/Kolkata"), ("india", "en", "Asia/Kolkata"),
        ("GMT+5:45", "en", "Asia/Kathmandu"), ("utc", "en", "UTC"), ("germany", "en", "Europe/Berlin"),
        ("atlantis", "en", None), ("🙂", "en", None), ("", "en", None), ("x" * 10_000, "en", None),
    ],
)  # fmt: skip
def test_a_zone_is_found_by_what_people_call_it(query: str, language: str, name: str | None) -> None:
    found = timezones.find(query, language, NOW)
    assert (found[0].name if found else None) == name
    assert len(found) <= timezones.FOUND


@pytest.mark.parametrize(
    ("name", "language", "said"),
    [
        ("Asia/Taipei", "en", "Taipei, Taiwan"), ("Asia/Taipei", "zh-Hant", "台灣台北"),
        ("Europe/Berlin", "zh-Hans", "德国柏林"), ("Asia/Singapore", "zh-Hans", "新加坡"),
        ("Asia/Hong_Kong", "zh-Hant", "香港"), ("UTC", "zh-Hans", "UTC"),
    ],
)  # fmt: skip
def test_a_zone_is_called_as_its_language_calls_a_place(name: str, language: str, said: str) -> None:
    assert str(timezones.zone(name, language)) == said


@pytest.mark.slow
@pytest.mark.parametrize("language", languages())
def test_every_city_that_is_offered_is_found_by_its_name(language: str) -> None:
    called: dict[str, set[str]] = {}
    for name in timezones._choices():
        called.setdefault(timezones.zone(name, language).city, set()).add(name)
    lost = [
        city
        for city, names in called.items()
        if names.isdisjoint(each.name for each in timezones.find(city, language, NOW))
    ]
    assert lost == []


@given(st.sampled_from([f"{sign}{hours}" for sign in "+-" for hours in range(13)]))
def test_an_offset_finds_only_zones_whose_clocks_differ_so(offset: str) -> None:
    for each in timezones.find(offset, "en", NOW):
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
    assert timezones.guess(locale) == name


def test_whatever_is_guessed_or_found_is_a_zone() -> None:
    guessed = {
        timezones.guess(f"xx-{first}{second}") for first in "ABCDEFGHIJKLMNOPQRSTUVWXYZ" for second in "ABEKNRSUZ"
    }
    assert guessed - {None} <= available_timezones()
    assert set(timezones._choices()) <= available_timezones()
    assert set(timezones._ALSO.values()) <= available_timezones()
