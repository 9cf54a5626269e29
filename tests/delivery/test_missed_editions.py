"""What a reader missed is named once, with a link; filters that leave nothing for long are told once."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

from sqlalchemy import select

from bot.channel import Deferred, Outcome, Page, Personal, Sent, Unknown
from bot.delivery.dispatcher import Dispatcher
from bot.delivery.rendering import NO_MATCH_HINT_AFTER
from bot.model import Cadence, Preferences, Reason, State
from bot.render.edition_page import edition_page
from bot.runtime.locks import make_locks
from bot.store import Store
from bot.store.schema import deliveries
from tests.support.fake_channel import DAY, NOW, FakeChannel, Plain, publish, settle
from tests.support.pages import edition, paper

ONE = timedelta(days=1)
EVENING = Preferences(hour=22 * 60)


class Reader:
    """One reader's days: an edition each evening at ten, at the hour at which it is closed."""

    def __init__(self, store: Store, wanted: Preferences = EVENING) -> None:
        self.store, self.wanted = store, wanted
        self.pages: list[Page] = []
        self.outcome: Outcome = Sent()
        self.channel = FakeChannel(answer=self.answer)
        self.dispatcher = Dispatcher(store, self.channel, make_locks(store.engine.url, store.path))
        self.days = 0

    def answer(self, to: str, message: Plain, personal: Personal) -> Outcome:
        self.pages.append(message.page)
        return self.outcome

    async def day(self, *, outcome: Outcome | None = None, up: bool = True) -> None:
        """One edition; with `up` it is handed out that evening."""
        self.outcome = outcome or Sent()
        day, now = DAY + self.days * ONE, NOW + self.days * ONE
        await publish(self.store, {} if self.days else {"ada": self.wanted}, day=day, now=now)
        self.days += 1
        if up:
            await settle(self.dispatcher, now)

    async def states(self) -> list[tuple[str, str | None]]:
        async with self.store.read() as connection:
            query = select(deliveries.c.state, deliveries.c.reason_code).order_by(deliveries.c.id)
            return [(row.state, row.reason_code) for row in await connection.execute(query)]

    async def reason(self) -> str | None:
        """The words of the newest delivery's reason."""
        async with self.store.read() as connection:
            query = select(deliveries.c.reason).order_by(deliveries.c.id.desc()).limit(1)
            reason: str | None = await connection.scalar(query)
            return reason


async def test_what_could_not_be_delivered_is_named_in_the_next_message_once(store: Store) -> None:
    reader = Reader(store)
    await reader.day()
    await reader.day(up=False)
    await reader.day(up=False)
    await reader.day()
    await reader.day()
    first, after_outage, last = reader.pages
    assert [list(page.actions) for page in (first, last)] == [[], []]
    assert [link.url for link in after_outage.actions] == [
        "https://huggingface.co/papers/date/2025-11-04",
        "https://huggingface.co/papers/date/2025-11-05",
    ]
    assert after_outage.actions[0].label == "You missed: Tuesday, 4 November 2025"
    assert [state for state, _ in await reader.states()] == ["sent", "expired", "expired", "sent", "sent"]


async def test_what_was_refused_until_it_was_too_late_was_missed_too(store: Store) -> None:
    reader = Reader(store)
    await reader.day(outcome=Deferred("busy"))
    reader.outcome = Deferred("busy")
    await settle(reader.dispatcher, NOW + timedelta(hours=20))
    reader.pages.clear()
    await reader.day()
    assert [link.url for link in reader.pages[-1].actions] == ["https://huggingface.co/papers/date/2025-11-03"]


async def test_a_repeat_of_a_message_names_the_same(store: Store) -> None:
    reader = Reader(store)
    await reader.day(up=False)
    await reader.day(outcome=Unknown("no answer"))
    reader.outcome = Sent()
    await settle(reader.dispatcher, NOW + ONE + timedelta(minutes=30))
    once, again = reader.pages
    assert once.actions == again.actions != []


async def test_what_a_reader_did_not_want_is_not_missed(store: Store) -> None:
    reader = Reader(store, replace(EVENING, topics=("unicorns",)))
    for _ in range(3):
        await reader.day()
    assert [reason for _, reason in await reader.states()] == [Reason.NO_MATCH] * 3
    assert reader.pages == []


async def test_what_nobody_read_before_is_not_missed(store: Store) -> None:
    reader = Reader(store)
    for _ in range(3):  # editions that were for readers, of whom there were none
        await publish(store, {}, day=DAY + reader.days * ONE, now=NOW + reader.days * ONE)
        reader.days += 1
    day, now = DAY + reader.days * ONE, NOW + reader.days * ONE
    await publish(store, {"ada": EVENING}, day=day, now=now)
    await settle(reader.dispatcher, now)
    assert [list(page.actions) for page in reader.pages] == [[]]


def test_no_more_than_three_are_named_and_weeks_and_months_by_their_own_links() -> None:
    days = [date(2026, 4, day) for day in range(1, 9)]
    page = edition_page(edition(paper()), Preferences(), missed=days)
    assert [link.url.rpartition("/")[2] for link in page.actions] == ["2026-04-06", "2026-04-07", "2026-04-08"]
    weekly = edition_page(
        edition(paper(), cadence=Cadence.WEEK), Preferences(language="ko"), missed=[date(2026, 4, 26)]
    )
    assert weekly.actions[0].url == "https://huggingface.co/papers/week/2026-W17"
    monthly = edition_page(edition(paper(), cadence=Cadence.MONTH), Preferences(), missed=[date(2026, 3, 31)])
    assert monthly.actions[0].url == "https://huggingface.co/papers/month/2026-03"


async def test_after_five_editions_without_a_match_the_reader_is_told_in_one_line_once(store: Store) -> None:
    reader = Reader(store, replace(EVENING, language="ko", topics=("unicorns",)))
    for _ in range(NO_MATCH_HINT_AFTER - 1):
        await reader.day()
    assert reader.pages == []
    await reader.day()
    [hint] = reader.pages
    assert not hint.blocks
    assert hint.language == "ko"
    assert "5" in hint.lead
    for _ in range(NO_MATCH_HINT_AFTER + 2):
        await reader.day()
    assert len(reader.pages) == 1
    assert {state for state, _ in await reader.states()} == {State.SKIPPED}


async def test_a_hint_that_cannot_be_sent_now_is_sent_later(store: Store) -> None:
    reader = Reader(store, replace(EVENING, topics=("unicorns",)))
    for _ in range(NO_MATCH_HINT_AFTER - 1):
        await reader.day()
    await reader.day(outcome=Deferred("busy"))
    assert (await reader.states())[-1] == ("owed", Reason.OTHER)
    assert await reader.reason() == "busy"
    reader.outcome = Sent()
    await settle(reader.dispatcher, datetime(2025, 11, 8, 8, tzinfo=UTC))
    assert len(reader.pages) == 2
    assert (await reader.states())[-1] == ("skipped", Reason.NO_MATCH)
