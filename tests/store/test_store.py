"""The store: what goes in comes out, two workers never share a row, and no start ever harms what is there."""

import asyncio
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, func, select, text
from sqlalchemy.exc import StatementError
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.model import (
    Address,
    Cadence,
    Delivery,
    Edition,
    Found,
    Media,
    MediaKind,
    Paper,
    Preferences,
    Reason,
    State,
    Status,
)
from bot.rules.closing import ClosingState, rank
from bot.rules.outcomes import Consequence
from bot.rules.schedule import Rhythm, Window, window
from bot.store import (
    Store,
    StoreError,
    audience,
    claiming,
    closing_state,
    edition_queries,
    paper_queries,
    recording,
    search,
    subscriber_queries,
)
from bot.store.channel_memory import ChannelMemory
from bot.store.edition_report import Reach, reports
from bot.store.schema import HEAD, metadata, system_state
from bot.store.schema import deliveries as rows
from bot.store.search import Search

MONDAY, TUESDAY = date(2025, 11, 3), date(2025, 11, 4)
NOON = datetime(2025, 11, 3, 12, tzinfo=UTC)
CLOSED = datetime(2025, 11, 3, 22, tzinfo=UTC)
HOUR = timedelta(hours=1)
on_sqlite = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


def paper(number: int = 1, **changes: Any) -> Paper:
    known: dict[str, Any] = {
        "id": f"2511.{number:05}",
        "title": f"Paper {number}",
        "abstract": "We study it.",
        "listed_on": MONDAY,
        "listed_at": NOON,
        "votes": 1,
    }
    return Paper(**(known | changes))


FULL = paper(
    7,
    comments=3,
    position=4,
    sentence="It is studied.",
    authors=("Ada Example", "하늘 김"),
    organisation="Somewhere",
    keywords=("diffusion", "강화학습"),
    published=date(2025, 11, 1),
    code="https://github.com/a/b",
    stars=12,
    project="https://a.example",
    thumbnail="https://a.example/t.png",
    media=(Media(MediaKind.VIDEO, "https://a.example/v.mp4"),),
)


async def keep(store: Store, *found: Paper, days: Sequence[date] = ()) -> int:
    async with store.write() as connection:
        return await paper_queries.keep(connection, Found(found, frozenset(days)))


async def on_list(store: Store) -> dict[str, Paper]:
    async with store.read() as connection:
        return {each.id: each for each in await paper_queries.listed(connection, date.min, date.max)}


async def find(store: Store, query: str, limit: int = 10) -> list[str]:
    async with store.read() as connection:
        return (await search.search(connection, Search(query), limit)).ids


# Papers


async def test_a_paper_comes_back_as_it_went_in(store: Store) -> None:
    assert await keep(store, FULL) == 1
    assert await on_list(store) == {FULL.id: FULL}
    async with store.read() as connection:
        assert await paper_queries.by_ids(connection, ["2511.99999", FULL.id]) == [FULL]


async def test_a_poll_refreshes_what_readers_do_and_keeps_the_words(store: Store) -> None:
    await keep(store, paper(votes=1, sentence="First words.", authors=("Ada",)))
    reworded = paper(
        title="Other", abstract="Other.", sentence="Other words.", authors=("Bo",), votes=0, comments=9, stars=5
    )
    assert await keep(store, reworded) == 0
    kept = (await on_list(store))["2511.00001"]
    assert (kept.title, kept.abstract, kept.sentence, kept.authors) == (
        "Paper 1",
        "We study it.",
        "First words.",
        ("Ada",),
    )
    assert (kept.votes, kept.comments, kept.stars) == (0, 9, 5)


async def test_words_that_were_missing_may_still_come(store: Store) -> None:
    await keep(store, paper())
    await keep(store, paper(sentence="At last.", organisation="Somewhere"))
    kept = (await on_list(store))["2511.00001"]
    assert (kept.sentence, kept.organisation) == ("At last.", "Somewhere")


async def test_a_paper_that_left_a_list_is_listed_no_more_until_it_is_back(store: Store) -> None:
    await keep(store, paper(1), paper(2), days=[MONDAY])
    await keep(store, paper(1), days=[MONDAY])
    assert set(await on_list(store)) == {"2511.00001"}
    await keep(store, paper(2))
    assert set(await on_list(store)) == {"2511.00001", "2511.00002"}


async def test_only_a_list_that_was_read_to_its_end_tells_who_left(store: Store) -> None:
    await keep(store, paper(1), paper(2), days=[MONDAY])
    await keep(store, paper(1))
    assert len(await on_list(store)) == 2


async def test_a_list_that_is_suddenly_empty_is_a_fault_of_the_feeds(store: Store) -> None:
    await keep(store, paper(1), days=[MONDAY])
    await keep(store, days=[MONDAY])
    await keep(store, paper(2, listed_on=TUESDAY), days=[MONDAY, TUESDAY])
    assert len(await on_list(store)) == 2


async def test_a_paper_may_move_to_another_day(store: Store) -> None:
    await keep(store, paper(1), paper(2), days=[MONDAY])
    moved = paper(1, listed_on=TUESDAY, listed_at=NOON + 24 * HOUR, votes=30)
    await keep(store, moved, paper(2), days=[MONDAY, TUESDAY])
    async with store.read() as connection:
        assert await paper_queries.listed(connection, TUESDAY, TUESDAY) == [moved]
        assert [each.id for each in await paper_queries.listed(connection, MONDAY, MONDAY)] == ["2511.00002"]


async def test_more_papers_than_a_statement_holds(store: Store) -> None:
    many = [paper(number) for number in range(1000)]
    assert await keep(store, *many) == 1000
    assert await keep(store, *many, paper(1000), days=[MONDAY]) == 1
    async with store.read() as connection:
        assert len(await paper_queries.by_ids(connection, [each.id for each in many])) == 1000
        assert len(await edition_queries.held(connection, [each.id for each in many])) == 0


# Search


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("diffusion", [1]),
        ("DIFFUSION", [1]),
        ("diff", [1]),
        ("diffusion planning", [1]),
        ("diffusion nonsense", []),
        ("Example", [1, 2]),
        ("Ｄｉｆｆｕｓｉｏｎ", [1]),
        ("강화", [2]),
        ("강화학습", [2]),
        ("학습", [2]),
        ("화강", []),
        ("模型", [3]),
        ("语言模型", [3]),
        ("言語", [4]),
        ("モデル", [4]),
        ("语", [3]),
        ("diff 强化", []),
        ("3.5", [3]),
        ("café", [4]),
        ("", []),
        ("  ... !!! ", []),
    ],
)
async def test_papers_are_found_by_their_words(store: Store, query: str, found: list[int]) -> None:
    await keep(
        store,
        paper(1, title="Planning with Diffusion Models", authors=("Ada Example",)),
        paper(2, title="Robots", keywords=("강화학습",), authors=("Bo Example",), listed_on=TUESDAY),
        paper(3, title="大语言模型", abstract="GPT-3.5"),
        paper(4, title="大規模言語モデル", abstract="A café."),
    )
    assert sorted(await find(store, query)) == [f"2511.{number:05}" for number in found]


async def test_titles_count_more_than_abstracts_and_newer_papers_come_first(store: Store) -> None:
    await keep(
        store,
        paper(1, abstract="About agents."),
        paper(2, title="Agents"),
        paper(3, abstract="About agents.", listed_on=TUESDAY),
    )
    assert await find(store, "agents") == ["2511.00002", "2511.00003", "2511.00001"]
    assert await find(store, "agents", limit=1) == ["2511.00002"]


@pytest.mark.parametrize(
    "query",
    [
        "'; drop table papers; --",
        '" OR 1=1 --',
        "%",
        "_",
        "a%b_c",
        "*",
        "NEAR(a b)",
        "title:diffusion",
        "\\",
        "x" * 5000,
        "word " * 5000,
        "가" * 5000,
        "\U0001f600 \U0010ffff",
        "\u202e\u0301",
        "()[]{}^~?",
    ],
    ids=range(15),
)  # fmt: skip
async def test_a_hostile_query_finds_nothing_and_harms_nothing(store: Store, query: str) -> None:
    await keep(store, paper(1, title="Diffusion"))
    assert await find(store, query) == []
    assert await find(store, "diffusion") == ["2511.00001"]


async def test_words_that_come_later_are_found_too(store: Store) -> None:
    await keep(store, paper(1))
    await keep(store, paper(1, keywords=("diffusion",), organisation="Somewhere"))
    assert await find(store, "diffusion") == ["2511.00001"]
    assert await find(store, "somewhere") == ["2511.00001"]


# What is known of closing, and what channels remember


async def test_the_ledger_comes_back_as_it_was_written_and_forgets_on_request(store: Store) -> None:
    full = {
        "origin": MONDAY,
        "settled": TUESDAY,
        "polled_at": NOON,
        "attempted_at": NOON + timedelta(microseconds=1),
        "retry_at": CLOSED,
    }
    async with store.write() as connection:
        assert await closing_state.load(connection) == ClosingState()
        await closing_state.save(connection, **full)
        await connection.execute(
            system_state.insert().values(key="something else", value="that is none of its business")
        )
    async with store.write() as connection:
        assert await closing_state.load(connection) == ClosingState(**full)  # type: ignore[arg-type]  # days and instants
        await closing_state.save(connection, settled=MONDAY, retry_at=None)
        assert await closing_state.load(connection) == replace(
            ClosingState(**full),  # type: ignore[arg-type]  # days and instants
            settled=MONDAY,
            retry_at=None,
        )


async def test_each_channel_remembers_for_itself(store: Store) -> None:
    one, two = ChannelMemory(store, "one"), ChannelMemory(store, "two")
    await one.put("key", "1")
    await two.put("key", "2")
    await one.put("key", "3")
    assert (await one.get("key"), await two.get("key"), await two.get("other")) == ("3", "2", None)


async def test_an_instant_without_a_zone_is_refused(store: Store) -> None:
    async with store.write() as connection:
        with pytest.raises(StatementError, match="without a time zone"):
            await claiming.claim(connection, "outbox", owner="me", now=datetime(2025, 11, 3), limit=1)  # noqa: DTZ001


async def test_instants_of_any_zone_come_back_in_utc(store: Store) -> None:
    seoul = datetime.fromisoformat("2025-11-04T07:00:00+09:00")
    await keep(store, paper(listed_at=seoul))
    [kept] = (await on_list(store)).values()
    assert kept.listed_at == seoul
    assert kept.listed_at.utcoffset() == timedelta()


async def test_what_raises_is_undone(store: Store) -> None:
    async def half() -> None:
        async with store.write() as connection:
            await paper_queries.keep(connection, Found([paper()]))
            raise LookupError

    with pytest.raises(LookupError):
        await half()
    assert await on_list(store) == {}
    assert await keep(store, paper()) == 1


# Editions and their audience


async def subscribe(connection: AsyncConnection, name: str, channel: str = "outbox", **wanted: Any) -> int:
    made = await subscriber_queries.add(connection, Address(channel, name), Preferences(**wanted), now=NOON)
    assert made is not None
    return made


async def close(connection: AsyncConnection, day: date = MONDAY, *, owe: bool = True) -> int:
    held = (paper(1), paper(2, votes=5))
    await paper_queries.keep(connection, Found(held))
    closed_at = CLOSED + (day - MONDAY)
    edition_id = await edition_queries.add(connection, Edition(Cadence.DAY, day, closed_at, rank(held)))
    assert edition_id is not None
    if owe:
        await audience.owe(connection, edition_id, Cadence.DAY, published_at=closed_at)
    return edition_id


async def test_an_edition_is_written_once_and_read_as_it_was_though_votes_go_on(store: Store) -> None:
    async with store.write() as connection:
        edition_id = await close(connection)
        again = Edition(Cadence.DAY, MONDAY, CLOSED + HOUR, rank([paper(1)]))
        assert await edition_queries.add(connection, again) is None
    await keep(store, paper(1, votes=99), paper(2, votes=0))
    async with store.read() as connection:
        read = await edition_queries.get(connection, edition_id)
        assert await edition_queries.of_day(connection, Cadence.DAY, MONDAY) == read
        assert await edition_queries.latest(connection, Cadence.DAY) == read
        assert await edition_queries.of_day(connection, Cadence.DAY, TUESDAY) is None
        assert await edition_queries.held(connection, ["2511.00001", "2511.00003"]) == {"2511.00001"}
    assert (read.day, read.closed_at, read.complete) == (MONDAY, CLOSED, True)
    assert [(each.rank, each.paper.id, each.votes) for each in read.papers] == [
        (1, "2511.00002", 5),
        (2, "2511.00001", 1),
    ]


RHYTHMS = [
    Rhythm("UTC", 480, 127),
    Rhythm("Asia/Seoul", 480, 127),
    Rhythm("America/New_York", 390, 0b0011111),
    Rhythm("Asia/Kathmandu", 1439, 0b1000000),
    Rhythm("Pacific/Chatham", 480, 127),
]


async def test_everybody_active_is_owed_an_edition_at_their_own_hour(store: Store) -> None:
    async with store.write() as connection:
        rhythms = {
            await subscribe(
                connection, f"{number}", timezone=each.timezone, hour=each.hour, weekdays=each.weekdays
            ): each
            for number, each in enumerate(RHYTHMS * 3)
        }
        left_out = [await subscribe(connection, "weekly", cadence=Cadence.WEEK)]
        for status in Status:
            if status is not Status.ACTIVE:
                left_out.append(await subscribe(connection, status))
                await subscriber_queries.set_status(connection, left_out[-1], status, Reason.OTHER, "test")
        edition_id = await close(connection)
        owed = (await connection.execute(select(rows))).all()
        [report] = await reports(connection)
    assert {each.subscriber_id for each in owed} == set(rhythms)
    assert len(owed) == len(rhythms)
    for each in owed:
        due = window(rhythms[each.subscriber_id], CLOSED)
        assert (each.edition_id, each.state, each.channel) == (edition_id, State.OWED, "outbox")
        assert (each.due_at, each.next_at, each.expires_at) == (due.due_at, due.due_at, due.expires_at)
    assert (report.audience, report.adds_up) == (15, True)
    at = {each.due_at for each in owed if rhythms[each.subscriber_id].timezone == "Asia/Seoul"}
    assert at == {datetime(2025, 11, 3, 23, tzinfo=UTC)}


async def test_a_rhythm_for_every_reader(store: Store) -> None:
    async with store.write() as connection:
        for minute in range(201):
            await subscribe(connection, f"{minute}", hour=minute)
        await close(connection)
        assert await connection.scalar(select(func.count(rows.c.due_at.distinct()))) == 201


async def test_a_newer_edition_takes_the_place_of_one_still_owed(store: Store) -> None:
    async with store.write() as connection:
        await subscribe(connection, "ada")
        first = await close(connection)
        second = await close(connection, TUESDAY)
        became = {each.edition_id: (each.state, each.reason) for each in await connection.execute(select(rows))}
        found = await reports(connection)
    assert became == {first: (State.EXPIRED, "superseded"), second: (State.OWED, None)}
    assert all(report.adds_up for report in found)


async def test_a_new_subscriber_is_owed_the_latest_edition_and_counted(store: Store) -> None:
    async with store.write() as connection:
        edition_id = await close(connection)
        newcomer = await subscribe(connection, "ada")
        await audience.owe_one(connection, edition_id, newcomer, "outbox", Window(CLOSED + HOUR, CLOSED + 9 * HOUR))
        [delivery] = await claiming.claim(connection, "outbox", owner="me", now=CLOSED + HOUR, limit=5)
        [report] = await reports(connection)
    assert (delivery.subscriber_id, delivery.due_at) == (newcomer, CLOSED + HOUR)
    assert (report.audience, report.adds_up) == (1, True)


async def test_an_address_subscribes_once(store: Store) -> None:
    async with store.write() as connection:
        await subscribe(connection, "ada", language="ko")
        again = Preferences(language="en")
        assert await subscriber_queries.add(connection, Address("outbox", "ada"), again, now=NOON) is None
        known = await subscriber_queries.get(connection, Address("outbox", "ada"))
        assert await subscriber_queries.get(connection, Address("other", "ada")) is None
        assert await subscriber_queries.count(connection) == 1
    assert known is not None
    assert (known.status, known.preferences) == (Status.ACTIVE, Preferences(language="ko"))


async def test_a_report_says_how_long_it_took(store: Store) -> None:
    async with store.write() as connection:
        for number in range(4):
            await subscribe(connection, f"{number}", timezone="Asia/Seoul")
        await close(connection)
        due = datetime(2025, 11, 3, 23, tzinfo=UTC)
        claimed = await claiming.claim(connection, "outbox", owner="me", now=due, limit=9)
        for minutes, delivery in enumerate(claimed):
            ending = {delivery.id: Consequence(State.SENT if minutes < 3 else State.GONE)}
            await recording.record(connection, ending, owner="me", now=due + timedelta(minutes=minutes))
        [report] = await reports(connection)
    assert report.channels == {"outbox": Reach({State.SENT: 3, State.GONE: 1}, {50: 3660.0, 95: 3720.0, 100: 3720.0})}


# Claiming and recording


async def claim(store: Store, owner: str, limit: int, now: datetime) -> list[Delivery]:
    async with store.write() as connection:
        return await claiming.claim(connection, "outbox", owner=owner, now=now, limit=limit)


async def test_two_claimers_never_get_the_same_row(store: Store, database: str, tmp_path: Path) -> None:
    async with store.write() as connection:
        for number in range(60):
            await subscribe(connection, f"{number}", timezone="Asia/Seoul")
        await close(connection)
    now = CLOSED + 2 * HOUR
    other = Store.open(database, tmp_path)
    try:
        taken = [await claim(other, "two", 7, now)]  # whoever has a connection already might be done before the other
        turns = [claim(each, owner, 7, now) for _ in range(6) for each, owner in ((store, "one"), (other, "two"))]
        taken += await asyncio.gather(*turns)
        claimed = [delivery.id for each in taken for delivery in each]
    finally:
        await other.close()
    assert len(claimed) == len(set(claimed)) == 60
    async with store.read() as connection:
        owners = set(await connection.scalars(select(rows.c.owner)))
    assert owners == {"one", "two"}


async def test_what_is_not_due_is_not_claimed_and_what_is_too_late_expires(store: Store) -> None:
    async with store.write() as connection:
        await subscribe(connection, "ada", timezone="Asia/Seoul")
        await subscribe(connection, "bo")
        await subscribe(connection, "chi", channel="telegram", timezone="Asia/Seoul")
        await close(connection)
    assert await claim(store, "me", 9, CLOSED + timedelta(minutes=59)) == []
    assert await claim(store, "me", 0, CLOSED + HOUR) == []
    assert [each.to for each in await claim(store, "me", 9, CLOSED + HOUR)] == ["ada"]
    assert await claim(store, "me", 9, CLOSED + 28 * HOUR) == []
    async with store.read() as connection:
        [report] = await reports(connection)
    assert report.channels["outbox"].states == {State.SENDING: 1, State.EXPIRED: 1}
    assert report.channels["telegram"].states == {State.OWED: 1}
    assert report.adds_up


async def test_only_the_owner_records_and_only_once(store: Store) -> None:
    async with store.write() as connection:
        await subscribe(connection, "ada", timezone="Asia/Seoul")
        await close(connection)
    [delivery] = await claim(store, "mine", 9, CLOSED + HOUR)

    async def record(owner: str, state: State) -> Any:
        async with store.write() as connection:
            ending = {delivery.id: Consequence(state, receipt=owner)}
            await recording.record(connection, ending, owner=owner, now=CLOSED + 2 * HOUR)
            return (await connection.execute(select(rows.c.state, rows.c.receipt))).one()

    assert tuple(await record("another", State.GONE)) == (State.SENDING, None)
    assert tuple(await record("mine", State.SENT)) == (State.SENT, "mine")
    assert tuple(await record("mine", State.UNKNOWN)) == (State.SENT, "mine")


async def test_a_delivery_put_off_comes_back_at_its_time_with_the_choice_it_had(store: Store) -> None:
    async with store.write() as connection:
        reader = await subscribe(connection, "ada", timezone="Asia/Seoul", language="ko")
        await close(connection)
    [first] = await claim(store, "me", 9, CLOSED + HOUR)
    async with store.write() as connection:
        again = {first.id: Consequence(State.OWED, "busy", next_at=CLOSED + 3 * HOUR)}
        await recording.record(connection, again, owner="me", now=CLOSED + HOUR)
        assert await claiming.next_due(connection, "outbox") == CLOSED + 3 * HOUR
        changed = await subscriber_queries.choose(connection, Preferences(language="en"))
        await connection.execute(
            text("update subscribers set choice_id = :choice where id = :id"), {"choice": changed, "id": reader}
        )
    assert await claim(store, "me", 9, CLOSED + 2 * HOUR) == []
    [second] = await claim(store, "me", 9, CLOSED + 3 * HOUR)
    assert (second.id, second.attempts, second.preferences.language) == (first.id, first.attempts + 1, "ko")


# Migrations


def copies(folder: Path) -> list[Path]:
    return list(folder.glob("*.bak"))


async def test_the_migrations_make_what_the_schema_says(store: Store) -> None:
    def difference(connection: Connection) -> list[Any]:
        def here(item: Any, *_: object) -> bool:
            """Alembic compares what the schema says is not for this database, too, knows no index of words, and takes
            partitions for tables."""
            not_compared = ("search_words", "words", "ix_search_documents_words", "deliveries_")
            if (getattr(item, "name", None) or "").startswith(not_compared):
                return False
            rule = getattr(item, "_ddl_if", None)
            return rule is None or rule.dialect == connection.dialect.name

        context = MigrationContext.configure(connection, opts={"compare_type": True, "include_object": here})
        return list(compare_metadata(context, metadata))

    async with store.read() as connection:
        assert await connection.run_sync(difference) == []
        assert await store.version() == HEAD


async def test_migrating_again_does_nothing(store: Store) -> None:
    assert await store.migrate() is None


async def test_a_first_start_says_that_it_made_the_database(tmp_path: Path) -> None:
    store = Store.open("sqlite:///subscribers.db", tmp_path)
    try:
        assert await store.migrate() == f"database made, version {HEAD}"
    finally:
        await store.close()
    assert copies(tmp_path) == []


async def test_a_newer_database_is_refused_in_one_sentence(store: Store) -> None:
    async with store.write() as connection:
        await connection.execute(text("update alembic_version set version_num = '9999'"))
    with pytest.raises(StoreError, match=r"^The database is at version 9999, .* update Morning Papers\.$"):
        await store.migrate()


@on_sqlite
async def test_an_older_database_is_copied_before_it_is_migrated(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While there is but one migration, the newest version is pretended, and Alembic finds nothing to do."""
    await keep(store, FULL)
    monkeypatch.setattr("bot.store.schema.HEAD", f"{HEAD}+")
    done = await store.migrate()
    [copy] = copies(tmp_path)
    assert done == f"database brought from {HEAD} to {HEAD}+; the old one is kept as {copy.name}"
    with closing(sqlite3.connect(copy)) as opened:
        assert opened.execute("select id from papers").fetchall() == [(FULL.id,)]
        assert opened.execute("select version_num from alembic_version").fetchall() == [(HEAD,)]


@on_sqlite
@pytest.mark.parametrize(
    ("content", "place"),
    [(b"this is no database, whatever its name says" * 30, "subscribers.db"), (b"", "nowhere/subscribers.db")],
    ids=["no database", "no folder"],
)
async def test_a_file_that_cannot_be_used_is_one_sentence(
    database: str, content: bytes, place: str, tmp_path: Path
) -> None:
    if content:
        (tmp_path / place).write_bytes(content)
    store = Store.open(f"sqlite:///{place}", tmp_path)
    with pytest.raises(StoreError, match=r"^The (database .+ is damaged|folder of the database does not exist)"):
        await store.migrate()
    await store.close()


@on_sqlite
async def test_sqlite_keeps_its_promises_through_a_power_cut(store: Store) -> None:
    async with store.read() as connection:
        assert await connection.scalar(text("pragma journal_mode")) == "wal"
        assert await connection.scalar(text("pragma synchronous")) == 2  # FULL
        assert await connection.scalar(text("pragma foreign_keys")) == 1
