"""Feedback from mail systems: complaints, unsubscribe requests and bounces change the subscription they name."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import update

from bot.channel import LEAVE, MAIL, Feedback
from bot.commands.process_feedback import FeedbackProcessor
from bot.model import Address, Cadence, Edition, Found, Preferences, Ranked, State, Status, Subscriber
from bot.signing import token_name
from bot.store import Store, edition_queries, paper_queries, reader_history, subscriber_queries
from bot.store.schema import deliveries
from bot.store.schema import subscribers as table
from tests.support.bounce_mails import LEAVING, MINE
from tests.support.email_channel import LINKS, NAME
from tests.support.fake_channel import DAY, NOW, paper

ADA = Address("email", "ada@example.com")


async def add(store: Store) -> Subscriber:
    async with store.write() as connection:
        await subscriber_queries.add(connection, ADA, Preferences(), now=NOW)
    return await reader(store)


async def reader(store: Store) -> Subscriber:
    async with store.read() as connection:
        found = await subscriber_queries.get(connection, ADA)
    assert found is not None
    return found


def named(ada: Subscriber, edition: int | None = None) -> tuple[str, str]:
    name = token_name(ada.id, ada.created_at)
    return (LEAVE, LINKS.sign(LEAVE, name)) if edition is None else (MAIL, LINKS.sign(MAIL, f"{edition}.{name}"))


async def sent(store: Store, ada: Subscriber, days_later: int, state: State = State.SENT) -> int:
    """An edition of a later day that reached the reader, as far as anybody knew."""
    day, now = DAY + timedelta(days=days_later), NOW + timedelta(days=days_later)
    async with store.write() as connection:
        found = paper(days_later, day)
        await paper_queries.keep(connection, Found([found], frozenset({day})))
        edition_id = await edition_queries.add(connection, Edition(Cadence.DAY, day, now, (Ranked(1, found, 1),)))
        assert edition_id is not None
        await connection.execute(
            deliveries.insert().values(
                edition_id=edition_id,
                subscriber_id=ada.id,
                channel="email",
                state=state.value,
                due_at=now,
                next_at=now,
                expires_at=now,
            )
        )
    return edition_id


async def test_a_complaint_unsubscribes_and_goes_on_the_suppression_list(store: Store) -> None:
    ada = await add(store)
    feedback = FeedbackProcessor(store, LINKS)
    assert await feedback.process(Feedback.COMPLAINT, *named(ada, 1), "spam", NOW)
    assert not await feedback.process(Feedback.COMPLAINT, *named(ada, 1), "spam", NOW)
    assert (await reader(store)).status is Status.UNSUBSCRIBED
    async with store.read() as connection:
        assert await subscriber_queries.is_suppressed(connection, ADA)


async def test_an_unsubscribe_request_works_once_and_never_expires(store: Store) -> None:
    ada = await add(store)
    feedback = FeedbackProcessor(store, LINKS)
    later = NOW + timedelta(days=4_000)
    assert await feedback.process(Feedback.UNSUBSCRIBE, *named(ada), "by mail", later)
    assert not await feedback.process(Feedback.UNSUBSCRIBE, *named(ada), "by mail", later)
    assert (await reader(store)).status is Status.UNSUBSCRIBED


async def test_a_hard_bounce_ends_the_reader_and_their_pending_deliveries(store: Store) -> None:
    ada = await add(store)
    edition = await sent(store, ada, 0, State.OWED)
    assert await FeedbackProcessor(store, LINKS).process(Feedback.GONE, *named(ada, edition), "5.1.1", NOW)
    assert (await reader(store)).status is Status.GONE
    async with store.read() as connection:
        entry = await reader_history.entry(connection, ada.id, edition)
    assert entry is not None
    assert entry.state is State.GONE


async def test_strikes_in_a_row_within_a_week_end_nothing(store: Store) -> None:
    ada = await add(store)
    feedback = FeedbackProcessor(store, LINKS)
    for n in range(7):
        await feedback.process(Feedback.STRIKE, *named(ada, await sent(store, ada, n)), "full", NOW)
    assert (await reader(store)).status is Status.ACTIVE
    await feedback.process(Feedback.STRIKE, *named(ada, await sent(store, ada, 7)), "full", NOW)
    assert (await reader(store)).status is Status.GONE


async def test_strikes_on_three_editions_in_a_row_make_a_reader_gone(store: Store) -> None:
    ada = await add(store)
    feedback = FeedbackProcessor(store, LINKS)
    first, second, third = [await sent(store, ada, n) for n in (0, 3, 7)]
    for edition in (first, second):
        assert await feedback.process(Feedback.STRIKE, *named(ada, edition), "full", NOW)
        assert not await feedback.process(Feedback.STRIKE, *named(ada, edition), "full", NOW), "the same again"
        assert (await reader(store)).status is Status.ACTIVE
    assert await feedback.process(Feedback.STRIKE, *named(ada, third), "full", NOW)
    assert (await reader(store)).status is Status.GONE


async def test_an_edition_that_arrived_in_between_resets_the_strikes(store: Store) -> None:
    ada = await add(store)
    feedback = FeedbackProcessor(store, LINKS)
    numbers = [await sent(store, ada, n) for n in range(5)]
    for edition in (*numbers[:2], *numbers[3:]):
        await feedback.process(Feedback.STRIKE, *named(ada, edition), "full", NOW)
    assert (await reader(store)).status is Status.ACTIVE


async def test_a_token_of_an_erased_reader_does_not_name_another(store: Store) -> None:
    ada = await add(store)
    token = named(ada)
    async with store.write() as connection:
        await subscriber_queries.forget(connection, ada.id, now=NOW)
        await subscriber_queries.add(connection, ADA, Preferences(), now=NOW + timedelta(days=1))
        await connection.execute(update(table).values(id=ada.id))  # the number is given again
    assert not await FeedbackProcessor(store, LINKS).process(Feedback.UNSUBSCRIBE, *token, "by mail", datetime.now(UTC))
    assert (await reader(store)).status is Status.ACTIVE


@pytest.mark.parametrize(
    ("purpose", "token"),
    [(LEAVE, "junk"), (MAIL, LEAVING), (LEAVE, MINE), ("settings", LINKS.sign("settings", NAME)), (LEAVE, LEAVING)],
)
async def test_a_token_works_only_for_its_own_purpose(store: Store, purpose: str, token: str) -> None:
    await add(store)
    assert not await FeedbackProcessor(store, LINKS).process(Feedback.UNSUBSCRIBE, purpose, token, "", NOW)
    assert (await reader(store)).status is Status.ACTIVE


@pytest.mark.parametrize("what", [Feedback.GONE, Feedback.STRIKE])
async def test_addresses_in_bounces_are_neither_stored_nor_logged(
    store: Store, what: Feedback, caplog: pytest.LogCaptureFixture
) -> None:
    ada = await add(store)
    edition = await sent(store, ada, 0)
    said = f"550 5.1.1 <{ADA.recipient.upper()}>: unknown, forwarded to ada.l@home.example {'x' * 400}"
    with caplog.at_level("INFO"):
        assert await FeedbackProcessor(store, LINKS).process(what, *named(ada, edition), said, NOW)
    async with store.read() as connection:
        found = await reader_history.entry(connection, ada.id, edition)
    kept = f"{(await reader(store)).reason} {found}"
    assert "550 5.1.1 <•••>: unknown, forwarded to •••" in kept
    logged = "".join(str(vars(record)) for record in caplog.records)
    assert "feedback processed" in logged
    for name in ("ada@example.com", "ada.l@home.example"):
        assert name not in f"{kept}{logged}".casefold()
