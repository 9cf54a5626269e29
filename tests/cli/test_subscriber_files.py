"""Files of subscribers: an export imports unchanged; bad rows are reported and skipped."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.cli import subscriber_files
from bot.cli.subscriber_files import BadRow, SubscriberRow
from bot.model import Address, Cadence, Preferences, Reason, Status, Style, Subscriber
from bot.render.catalogue import languages
from bot.rules.topics import parse
from bot.store import Store, subscriber_queries
from bot.store.bulk_import import BATCH, BatchResult, BulkImporter, NewSubscriber, everybody
from bot.store.stats import active_by_language

NOW = datetime(2026, 4, 29, 12, tzinfo=UTC)
DEFAULT = Preferences(timezone="Europe/Berlin")


def as_it_is(address: Address) -> Address:
    if "!" in address.recipient:
        raise ValueError("no exclamation marks")
    return address


def read(content: str | bytes, *, kind: str = "csv") -> list[SubscriberRow | BadRow]:
    raw = content.encode() if isinstance(content, str) else content
    reader = subscriber_files.read_csv if kind == "csv" else subscriber_files.read_json_lines
    return list(reader(raw.splitlines(keepends=True), as_it_is, DEFAULT))


visible = st.characters(exclude_categories=["C", "Z"])
instants = st.integers(0, 10**8).map(lambda seconds: NOW - timedelta(seconds=seconds))
topics = st.lists(st.text(visible, min_size=1, max_size=20), max_size=4).map(", ".join).map(parse)
any_preferences = st.builds(
    Preferences,
    language=st.sampled_from(languages()),
    style=st.sampled_from(Style),
    papers=st.integers(0, 50),
    min_votes=st.integers(0, 10_000),
    topics=topics,
    hour=st.integers(0, 95).map(lambda quarter: quarter * 15),
    weekdays=st.integers(1, 127),
    timezone=st.sampled_from(["UTC", "Asia/Seoul", "America/Argentina/Buenos_Aires"]),
    cadence=st.sampled_from(Cadence),
)
people = st.builds(
    Subscriber,
    id=st.just(1),
    address=st.builds(
        Address, st.just("email"), st.text(visible, min_size=1, max_size=30).filter(lambda s: "!" not in s)
    ),
    status=st.sampled_from(Status),
    preferences=any_preferences,
    created_at=instants,
    paused_until=st.none() | instants,
)


@given(st.lists(people, max_size=5))
def test_what_is_exported_is_imported_the_same(listed: list[Subscriber]) -> None:
    made = [
        SubscriberRow(each.address, each.status, each.preferences, each.created_at, each.paused_until)
        for each in listed
    ]
    assert read(subscriber_files.write_csv(listed, header=True)) == made
    assert read(subscriber_files.write_json_lines(listed), kind="jsonl") == made


@given(st.binary(max_size=300), st.sampled_from(["csv", "jsonl"]))
def test_every_row_of_any_file_is_read_or_reported(content: bytes, kind: str) -> None:
    head = b"address,language,topics\n" if kind == "csv" else b""
    for row in read(head + content, kind=kind):
        assert isinstance(row, SubscriberRow) or row.why


@given(people)
def test_no_cell_begins_a_formula(person: Subscriber) -> None:
    for cell in subscriber_files.write_csv([person], header=False).replace('"', "").split(","):
        assert not cell.startswith(("=", "+", "-", "@"))


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("nowhere,,,", "an address is written channel:recipient"),
        ("a:b!,,,", "no exclamation marks"),
        ("a:b,xx,,", "there is no language 'xx'"),
        ("a:b,,7:10,", "is no hour on a quarter"),
        ("a:b,,,51", "papers must be a number from 1 to 50"),
        ("a:b,,", "has 3 cells, not 4"),
        ('a:b,"ko"x,,', "is not valid CSV"),
    ],
)
def test_a_bad_row_is_reported_with_its_line_number_and_skipped(line: str, why: str) -> None:
    first, second = read(f"address,language,hour,papers\na:1,ko,8,5\n{line}\n")
    assert isinstance(first, SubscriberRow)
    assert isinstance(second, BadRow)
    assert second.line == 3
    assert why in second.why


def test_a_line_that_is_not_utf_8_is_reported() -> None:
    [bad, good] = read(b"address\na:\xff\na:1\n")
    assert isinstance(bad, BadRow)
    assert (bad.line, "is not UTF-8" in bad.why) == (2, True)
    assert isinstance(good, SubscriberRow)


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("a:1,0001-01-01T00:00:00+05:00", "is not a time"),
        ("a:1,9999-12-31T23:59:59-05:00", "is not a time"),
        ("a:1,1066-10-14", "is not between 2000 and 2099"),
        ("a:\x00,", "control characters"),
        ("a:\x1b]0;x,", "control characters"),
    ],
)
def test_values_that_no_database_stores_make_a_bad_row(line: str, why: str) -> None:
    [bad, good] = read(f"address,created_at\n{line}\na:2,\n")
    assert isinstance(bad, BadRow)
    assert why in bad.why
    assert isinstance(good, SubscriberRow)


def test_a_lone_surrogate_in_json_makes_a_bad_row() -> None:
    [bad] = read('{"address": "a:\\ud800"}', kind="jsonl")
    assert isinstance(bad, BadRow)


def test_an_unclosed_quote_drops_its_own_line_only() -> None:
    rows = [f"a:{number},x" for number in range(300)]
    rows[7] = 'a:7,"never closed'
    found = read("address,topics\n" + "\n".join(rows))
    assert [each.line for each in found if isinstance(each, BadRow)] == [9]
    assert sum(isinstance(each, SubscriberRow) for each in found) == 299


def test_an_invalid_header_is_reported() -> None:
    with pytest.raises(ValueError, match="the first line must name columns"):
        read('"address\na:1\n')


def test_line_numbers_count_lines_inside_cells() -> None:
    found = read('address,topics\na:1,"one\ntwo"\na:2\n')
    assert isinstance(found[0], SubscriberRow)
    assert found[0].preferences.topics == ("one", "two")
    assert found[1] == BadRow(4, "has 1 cells, not 2")


@pytest.mark.parametrize("head", ["", "name,language\n", "address,colour\n", "a:1,ko\n"])
def test_a_file_whose_columns_are_not_named_is_not_read(head: str) -> None:
    with pytest.raises(ValueError, match="the first line must name columns"):
        read(head + "a:1,ko\n")


@pytest.mark.parametrize(
    ("line", "why"),
    [("nonsense", "is not JSON"), ("[1]", "is not a JSON object"), ('{"address": "a:b", "x": 1}', "'x', which is not"),
     ('{"address": 7}', "an address is written"), ("[" * 100_000, "is not JSON")],
)  # fmt: skip
def test_a_bad_line_of_json_is_reported(line: str, why: str) -> None:
    [bad] = read(line, kind="jsonl")
    assert isinstance(bad, BadRow)
    assert why in bad.why


def test_missing_cells_mean_the_defaults_and_a_language_sets_the_zone() -> None:
    [plain, korean, placed] = read("\ufeffaddress,language,timezone\na:1,,\na:2,ko-KR,\na:3,ko,America/New_York\n")
    assert isinstance(plain, SubscriberRow)
    assert plain.preferences == DEFAULT
    assert isinstance(korean, SubscriberRow)
    assert korean.preferences == replace(DEFAULT, language="ko", timezone="Asia/Seoul")
    assert isinstance(placed, SubscriberRow)
    assert placed.preferences.timezone == "America/New_York"


def test_json_takes_lists_and_numbers() -> None:
    row = {"address": "a:1", "papers": 5, "topics": ["diffusion", "-video"], "weekdays": [1, 2], "hour": "7:30"}
    [one] = read(json.dumps(row), kind="jsonl")
    assert isinstance(one, SubscriberRow)
    wanted = one.preferences
    assert (wanted.papers, wanted.topics, wanted.weekdays, wanted.hour) == (5, ("diffusion", "-video"), 0b11, 450)


# Into the database


def recruit(name: str, **changes: object) -> NewSubscriber:
    return NewSubscriber(Address("fake", name), Status.ACTIVE, replace(Preferences(), **changes), NOW)  # type: ignore[arg-type]


async def test_a_batch_is_stored_except_known_and_suppressed_addresses(store: Store) -> None:
    async with store.write() as connection:
        await subscriber_queries.add(connection, Address("fake", "bo"), Preferences(papers=3), now=NOW)
        await subscriber_queries.suppress(connection, Address("fake", "Cy"), Reason.COMPLAINED, now=NOW)
        batch = [recruit("ada", language="ko"), recruit("bo"), recruit("cy"), recruit("ada"), recruit("di", papers=7)]
        done = await BulkImporter().add_batch(connection, batch)
    assert done == BatchResult(added=2, known=2, suppressed=1)
    async with store.read() as connection:
        listed = [each async for batch_ in everybody(connection) for each in batch_]
        assert await active_by_language(connection) == {"en": 3}
    assert [(each.address.recipient, each.preferences.papers) for each in listed] == [("bo", 3), ("ada", 10), ("di", 7)]


async def test_many_more_than_one_batch_are_read_back_in_order(store: Store) -> None:
    registrar, count = BulkImporter(), BATCH * 2 + 5
    async with store.write() as connection:
        for start in range(0, count, BATCH):
            names = [f"r{number}" for number in range(start, min(start + BATCH, count))]
            await registrar.add_batch(connection, [recruit(name, papers=len(name)) for name in names])
    async with store.read() as connection:
        sizes = [len(batch) async for batch in everybody(connection)]
        found = [each.address.recipient async for batch in everybody(connection, limit=7) for each in batch]
        assert await subscriber_queries.count(connection) == count
    assert sizes == [BATCH, BATCH, 5]
    assert found == [f"r{number}" for number in range(7)]


async def test_subscribers_are_found_by_channel_status_and_language(store: Store) -> None:
    async with store.write() as connection:
        batch = [recruit("ada", language="ko"), recruit("bo"), replace(recruit("cy"), status=Status.PAUSED)]
        batch.append(replace(recruit("di"), address=Address("other", "di"), paused_until=NOW + timedelta(days=1)))
        await BulkImporter().add_batch(connection, batch)
    async with store.read() as connection:

        async def names(**wanted: object) -> list[str]:
            found = everybody(connection, **wanted)  # type: ignore[arg-type]
            return [each.address.recipient async for batch in found for each in batch]

        assert await names(channel="other") == ["di"]
        assert await names(status=Status.PAUSED) == ["cy"]
        assert await names(language="ko") == ["ada"]
        assert await names(language="ko", status=Status.GONE) == []
