"""The dispatcher on both databases: every outcome with all its consequences."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import datetime, time, timedelta

import pytest
from sqlalchemy import func, select

from bot.channel import Barred, Deferred, Gone, Outcome, Pace, Page, Personal, Rate, Rejected, Sent, Unknown
from bot.commands import ReaderCommands
from bot.delivery.dead_senders import SWEEP
from bot.delivery.dispatcher import Dispatcher
from bot.model import Address, Preferences, State, Status, Style
from bot.rules.outcomes import PROBE_EVERY
from bot.runtime.locks import Locks, holding, make_locks
from bot.store import Store, channel_state, subscriber_queries
from bot.store.edition_report import reports
from bot.store.schema import deliveries, renderings
from tests.support.fake_channel import DAY, NOW, FakeChannel, Plain, publish, settle

MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
AT_ONCE = Preferences(hour=22 * 60)
"""A reader whose hour is the moment of publication."""
ABSTRACT = Preferences(hour=22 * 60, style=Style.ABSTRACT)


@pytest.fixture
async def locks(store: Store) -> AsyncIterator[Locks]:
    made = make_locks(store.engine.url, store.path)
    yield made
    await made.close()


async def states(store: Store) -> dict[str, int]:
    """How many deliveries stand how."""
    async with store.read() as connection:
        rows = await connection.scalars(select(deliveries.c.state))
    counted: dict[str, int] = {}
    for state in rows:
        counted[state] = counted.get(state, 0) + 1
    return counted


async def row(store: Store, recipient: str) -> dict[str, object]:
    """The newest delivery of a reader."""
    async with store.read() as connection:
        reader = await subscriber_queries.get(connection, Address("fake", recipient))
        assert reader is not None
        query = select(deliveries).where(deliveries.c.subscriber_id == reader.id).order_by(deliveries.c.id.desc())
        return dict((await connection.execute(query.limit(1))).one()._mapping)


async def status(store: Store, recipient: str) -> Status:
    async with store.read() as connection:
        reader = await subscriber_queries.get(connection, Address("fake", recipient))
    assert reader is not None
    return reader.status


async def adds_up(store: Store) -> bool:
    async with store.read() as connection:
        return all(report.adds_up for report in await reports(connection))


def answers(**by_recipient: Outcome) -> Callable[[str, Plain, Personal], Outcome]:
    """Answer some readers so, all others with success."""
    return lambda to, message, personal: by_recipient.get(to, Sent())


async def test_everybody_gets_it_once_and_each_at_their_own_hour(store: Store, locks: Locks) -> None:
    channel = FakeChannel()
    dispatcher = Dispatcher(store, channel, locks)
    await publish(store, {"ada": AT_ONCE, "bo": Preferences(hour=23 * 60), "cy": AT_ONCE})
    await settle(dispatcher, NOW)
    assert sorted(channel.reached) == ["ada", "cy"]
    await settle(dispatcher, NOW + HOUR)
    await settle(dispatcher, NOW + 2 * HOUR)
    assert sorted(channel.reached) == ["ada", "bo", "cy"]
    assert await states(store) == {"sent": 3}
    assert await adds_up(store)


async def test_a_busy_reader_delays_nobody_else(store: Store, locks: Locks) -> None:
    channel = FakeChannel(answer=answers(bo=Deferred("busy", 1800)))
    dispatcher = Dispatcher(store, channel, locks)
    await publish(store, dict.fromkeys(("ada", "bo", "cy"), AT_ONCE))
    await settle(dispatcher, NOW)
    assert await states(store) == {"sent": 2, "owed": 1}
    channel.answer = answers()
    await settle(dispatcher, NOW + 29 * MINUTE)
    assert await states(store) == {"sent": 2, "owed": 1}
    # 22:30 is night, but within an hour of the reader's own hour.
    await settle(dispatcher, NOW + 30 * MINUTE)
    assert await states(store) == {"sent": 3}


async def test_a_retry_waits_for_the_morning_and_no_longer_than_the_edition_lives(store: Store, locks: Locks) -> None:
    channel = FakeChannel(answer=answers(bo=Deferred("busy", 2 * 3600), cy=Deferred("busy", 24 * 3600)))
    dispatcher = Dispatcher(store, channel, locks)
    await publish(store, {"bo": AT_ONCE, "cy": AT_ONCE})
    await settle(dispatcher, NOW)
    assert (await row(store, "bo"))["next_at"] == NOW.replace(day=4, hour=7)
    assert (await row(store, "cy"))["state"] == State.EXPIRED
    assert await adds_up(store)


async def test_a_wait_of_the_whole_channel_is_stored_and_lasts_exactly_as_long(store: Store, locks: Locks) -> None:
    channel = FakeChannel(
        answer=lambda to, message, personal: Deferred("flood", 600, "channel"), pace=Pace(concurrency=1)
    )
    other = FakeChannel(name="other")
    await publish(store, {"ada": AT_ONCE, "bo": AT_ONCE})
    async with store.write() as connection:
        await subscriber_queries.add(connection, Address("other", "eve"), AT_ONCE, now=NOW)
    await publish(store, {}, day=DAY + timedelta(days=1), now=NOW)
    await settle(Dispatcher(store, channel, locks), NOW)
    assert len(channel.sent) == 1
    await settle(Dispatcher(store, other, locks), NOW)
    assert other.reached == ["eve"]
    channel.answer = answers()
    restarted = Dispatcher(store, channel, locks)
    await settle(restarted, NOW + 10 * MINUTE - timedelta(seconds=1))
    assert len(channel.sent) == 1
    await settle(restarted, NOW + 10 * MINUTE)
    assert sorted(channel.reached[1:]) == ["ada", "bo"]


async def test_a_wrong_login_for_a_night_loses_nobody(store: Store, locks: Locks) -> None:
    channel = FakeChannel(answer=lambda to, message, personal: Deferred("our token is wrong", None, "channel"))
    dispatcher = Dispatcher(store, channel, locks)
    readers = {f"r{number}": Preferences() for number in range(30)}
    await publish(store, readers)
    morning = NOW + 10 * HOUR
    for step in range(0, 8 * 60, 5):
        await settle(dispatcher, morning + step * MINUTE)
    assert len(channel.sent) < 20 * 30
    channel.answer = answers()
    await settle(dispatcher, morning + 9 * HOUR)
    assert await states(store) == {"sent": 30}
    assert {await status(store, name) for name in readers} == {Status.ACTIVE}


async def test_who_is_gone_is_gone_and_owed_nothing_more(store: Store, locks: Locks) -> None:
    channel = FakeChannel(answer=answers(bo=Gone("blocked by the user"), cy=Barred("no right to post")))
    dispatcher = Dispatcher(store, channel, locks)
    await publish(store, dict.fromkeys(("ada", "bo", "cy"), AT_ONCE))
    await settle(dispatcher, NOW)
    assert await states(store) == {"sent": 1, "gone": 1, "barred": 1}
    assert [await status(store, name) for name in ("ada", "bo", "cy")] == [Status.ACTIVE, Status.GONE, Status.PAUSED]
    await publish(store, {}, day=DAY + timedelta(days=1), now=NOW + 24 * HOUR)
    await settle(dispatcher, NOW + 24 * HOUR)
    assert channel.reached.count("bo") == channel.reached.count("cy") == 1
    assert await adds_up(store)


async def test_a_reader_who_moved_is_found_at_the_new_address(store: Store, locks: Locks) -> None:
    channel = FakeChannel(answer=answers(bo=Sent(moved_to="bo2")))
    dispatcher = Dispatcher(store, channel, locks)
    await publish(store, {"bo": AT_ONCE})
    await settle(dispatcher, NOW)
    await publish(store, {}, day=DAY + timedelta(days=1), now=NOW + 24 * HOUR)
    await settle(dispatcher, NOW + 24 * HOUR)
    assert channel.reached == ["bo", "bo2"]


async def test_a_template_fault_in_one_variant_reaches_its_readers_as_headline(store: Store, locks: Locks) -> None:
    def fault(page: Page) -> None:
        if page.blocks[0].said.style == Style.ABSTRACT:
            raise ValueError("a fault in the template")

    channel = FakeChannel(compose_fault=fault)
    dispatcher = Dispatcher(store, channel, locks)
    readers = {f"a{number}": ABSTRACT for number in range(50)} | {f"h{number}": AT_ONCE for number in range(5)}
    await publish(store, readers)
    await settle(dispatcher, NOW)
    assert await states(store) == {"sent": 55}
    assert sorted(channel.reached) == sorted(readers)
    assert {style for _, style, _ in channel.sent} == {"headline"}


async def test_a_channel_that_takes_nothing_halts_is_probed_and_resumes_by_success(store: Store, locks: Locks) -> None:
    channel = FakeChannel(answer=lambda to, message, personal: Rejected("can't parse entities"))
    dispatcher = Dispatcher(store, channel, locks)
    await publish(store, {f"r{number}": Preferences() for number in range(40)})
    morning = NOW + 10 * HOUR
    for step in range(60):
        await settle(dispatcher, morning + step * MINUTE)
    tried = len(channel.sent)
    async with store.read() as connection:
        stands = await channel_state.load(connection, "fake")
    assert stands.halted_at is not None
    assert stands.halted_for == "can't parse entities"
    assert stands.probe_at is not None
    dispatcher = Dispatcher(store, channel, locks)
    await settle(dispatcher, stands.probe_at - MINUTE)
    assert len(channel.sent) == tried
    await settle(dispatcher, stands.probe_at)
    assert len(channel.sent) == tried + 1
    channel.answer = answers()
    await settle(dispatcher, stands.probe_at + PROBE_EVERY)
    counted = await states(store)
    assert counted["sent"] >= 36
    assert set(counted) <= {"sent", "rejected", "owed"}
    assert {await status(store, f"r{number}") for number in range(40)} == {Status.ACTIVE}


async def test_a_spam_verdict_of_one_domain_is_its_own_and_of_two_is_ours(store: Store, locks: Locks) -> None:
    channel = FakeChannel(answer=answers(bo=Rejected("5.7.1", judge="one.example")), pace=Pace(concurrency=1))
    dispatcher = Dispatcher(store, channel, locks)
    await publish(store, {"bo": AT_ONCE, "cy": AT_ONCE})
    await dispatcher.step(NOW)
    await settle(dispatcher, NOW)
    async with store.read() as connection:
        assert (await channel_state.load(connection, "fake")).halted_at is None
    channel.answer = lambda to, message, personal: Rejected("5.7.1", judge=f"{to}.example")
    await publish(store, {"di": AT_ONCE, "ed": AT_ONCE}, day=DAY + timedelta(days=1), now=NOW + MINUTE)
    await settle(dispatcher, NOW + MINUTE)
    async with store.read() as connection:
        assert (await channel_state.load(connection, "fake")).halted_at is not None


@pytest.mark.parametrize("repeats", [True, False])
async def test_an_unknown_end_is_repeated_twice_at_most_or_parked(store: Store, locks: Locks, repeats: bool) -> None:
    channel = FakeChannel(answer=lambda to, message, personal: Unknown("no answer"), repeats_unknown=repeats)
    dispatcher = Dispatcher(store, channel, locks)
    await publish(store, {"bo": AT_ONCE})
    for minute in range(10):  # with a pause before each repeat
        await settle(dispatcher, NOW + minute * MINUTE)
        assert len(channel.sent) <= minute + 1
    assert await states(store) == {"unknown": 1}
    assert [personal.repeat for _, _, personal in channel.sent] == ([0, 1, 2] if repeats else [0])
    assert len({personal.key for _, _, personal in channel.sent}) == 1
    assert await status(store, "bo") is Status.ACTIVE


async def test_a_channel_that_raises_costs_one_delivery_its_certainty_and_nobody_else(
    store: Store, locks: Locks
) -> None:
    channel = FakeChannel(
        answer=lambda to, message, personal: RuntimeError("a bug") if to == "bo" else Sent(), repeats_unknown=False
    )
    dispatcher = Dispatcher(store, channel, locks)
    await publish(store, dict.fromkeys(("ada", "bo", "cy"), AT_ONCE))
    await settle(dispatcher, NOW)
    assert await states(store) == {"sent": 2, "unknown": 1}


async def test_no_more_are_in_flight_than_the_channel_allows(store: Store, locks: Locks) -> None:
    channel = FakeChannel(pace=Pace(concurrency=3), hold=asyncio.Event())
    dispatcher = Dispatcher(store, channel, locks)
    await publish(store, {f"r{number}": AT_ONCE for number in range(10)})
    await dispatcher.step(NOW)
    await dispatcher.step(NOW)
    assert await states(store) == {"owed": 7, "sending": 3}
    assert channel.hold is not None
    channel.hold.set()
    await settle(dispatcher, NOW)
    assert await states(store) == {"sent": 10}


async def test_stopping_calls_back_what_has_not_left_and_lists_what_has(store: Store, locks: Locks) -> None:
    # One leaves at once, two wait for the pace.
    channel = FakeChannel(pace=Pace(concurrency=3, account=Rate(1, 3600)), hold=asyncio.Event())
    dispatcher = Dispatcher(store, channel, locks)
    await publish(store, {f"r{number}": AT_ONCE for number in range(5)})
    await dispatcher.step(NOW)
    await channel.busy.wait()
    await dispatcher.finish(NOW, patience=0)
    assert await states(store) == {"owed": 4, "unknown": 1}


async def test_what_a_lost_process_had_in_flight_is_listed_as_unknown_and_then_repeated(
    store: Store, locks: Locks
) -> None:
    channel = FakeChannel(hold=asyncio.Event(), pace=Pace(concurrency=2))
    lost = Dispatcher(store, channel, locks)
    await publish(store, {f"r{number}": AT_ONCE for number in range(5)})
    async with holding(locks, *lost.roles()):
        await lost.step(NOW)
        heir = Dispatcher(store, FakeChannel(repeats_unknown=False), locks)
        await settle(heir, NOW)
        assert await states(store) == {"sending": 2, "sent": 3}
    await settle(heir, NOW + SWEEP)
    assert await states(store) == {"unknown": 2, "sent": 3}
    heir = Dispatcher(store, FakeChannel(), locks)
    await settle(heir, NOW + 2 * SWEEP)
    assert await states(store) == {"sent": 5}
    # The lost one comes back to life: nothing that it says counts any more.
    assert channel.hold is not None
    channel.hold.set()
    await lost.finish(NOW + 3 * SWEEP, patience=5)
    assert await states(store) == {"sent": 5}


async def test_what_could_not_be_written_down_is_written_down_later(store: Store, locks: Locks) -> None:
    channel = FakeChannel()
    dispatcher = Dispatcher(store, channel, locks)
    dispatcher.hurries = False  # as in test_turns.py
    await publish(store, {"ada": AT_ONCE})
    await dispatcher.step(NOW)
    await dispatcher.attempt_ended.wait()
    write, store.write = store.write, _broken  # type: ignore[method-assign, assignment]
    with pytest.raises(OSError, match="disk full"):
        await dispatcher.step(NOW)
    store.write = write  # type: ignore[method-assign]
    await settle(dispatcher, NOW)
    assert await states(store) == {"sent": 1}
    assert channel.reached == ["ada"]


def _broken() -> object:
    raise OSError("disk full")


class Odd:
    """What no channel should answer with."""


@pytest.mark.parametrize(
    ("answer", "ends"),
    [
        (None, {"unknown": 1}),
        (Odd(), {"unknown": 1}),
        (Sent(receipt="a\x00b\ud800c"), {"sent": 1}),
        (Gone("550 <bobbin> \x00\ud800 unknown\x1b[31m" * 100), {"gone": 1}),
        (Deferred("busy", float("nan")), {"owed": 1}),
        (Deferred("busy", float("inf"), "channel"), {"owed": 1}),
        (Deferred("busy", -1, "channel"), {"owed": 1}),
    ],
)
async def test_no_answer_of_a_service_can_block_a_channel(
    store: Store, locks: Locks, answer: Outcome, ends: dict[str, int]
) -> None:
    channel = FakeChannel(answer=lambda to, message, personal: answer, repeats_unknown=False)
    await publish(store, {"bobbin": AT_ONCE})
    await settle(Dispatcher(store, channel, locks), NOW)
    assert await states(store) == ends
    assert "bobbin" not in str((await row(store, "bobbin"))["reason"])


async def test_nobody_is_woken_up_by_what_comes_late(store: Store, locks: Locks) -> None:
    channel = FakeChannel()
    await publish(store, {"ada": AT_ONCE, "bo": Preferences(hour=2 * 60)})
    # We were down from 22:00 until 01:30, and bo's own hour is near.
    await settle(Dispatcher(store, channel, locks), NOW + 3 * HOUR + 30 * MINUTE)
    assert channel.reached == []
    assert (await row(store, "ada"))["next_at"] == NOW.replace(day=4, hour=7)
    assert (await row(store, "ada"))["attempts"] == 0
    await settle(Dispatcher(store, channel, locks), NOW + 4 * HOUR)
    assert channel.reached == ["bo"]
    await settle(Dispatcher(store, channel, locks), NOW.replace(day=4, hour=7))
    assert channel.reached == ["bo", "ada"]


async def test_what_was_claimed_in_a_commit_without_an_answer_is_owed_again(store: Store, locks: Locks) -> None:
    channel = FakeChannel()
    dispatcher = Dispatcher(store, channel, locks)
    await publish(store, {"ada": AT_ONCE, "bo": AT_ONCE})
    turn = dispatcher._turn

    async def cut(*given: object, **named: object) -> None:
        await turn(*given, **named)  # type: ignore[arg-type]
        raise ConnectionError("the answer to COMMIT never came")

    dispatcher._turn = cut  # type: ignore[method-assign]
    with pytest.raises(ConnectionError):
        await dispatcher.step(NOW)
    dispatcher._turn = turn  # type: ignore[method-assign]
    await settle(dispatcher, NOW)
    assert await states(store) == {"sent": 2}
    assert sorted(channel.reached) == ["ada", "bo"]


async def fallen_variants(store: Store) -> int:
    async with store.read() as connection:
        return int(await connection.scalar(select(func.count()).where(renderings.c.fell_back)) or 0)


async def test_one_reader_whose_service_refuses_everything_costs_nobody_else_their_style(
    store: Store, locks: Locks
) -> None:
    channel = FakeChannel(answer=answers(bo=Rejected("not here")), pace=Pace(concurrency=1))
    dispatcher = Dispatcher(store, channel, locks)
    wanted = ABSTRACT
    await publish(store, {"bo": wanted})
    await settle(dispatcher, NOW)
    morning = NOW + 11 * HOUR
    for step in range(12):
        await settle(dispatcher, morning + step * 10 * MINUTE)
    assert await states(store) == {"rejected": 1}
    assert len(channel.sent) == 6
    assert await fallen_variants(store) == 0
    styles = [style for _, style, _ in channel.sent]
    assert styles == [Style.ABSTRACT] * 3 + [Style.HEADLINE] * 3


async def test_a_few_readers_whose_services_refuse_everything_halt_nothing(store: Store, locks: Locks) -> None:
    channel = FakeChannel(answer=lambda to, message, personal: Rejected("not here"), pace=Pace(concurrency=1))
    dispatcher = Dispatcher(store, channel, locks)
    await publish(store, {f"r{number}": replace(AT_ONCE, papers=number) for number in range(1, 5)})
    for step in range(12):
        await settle(dispatcher, NOW + 11 * HOUR + step * 10 * MINUTE)
    assert await states(store) == {"rejected": 4}
    async with store.read() as connection:
        assert (await channel_state.load(connection, "fake")).rejected_in_a_row == 4


@pytest.mark.parametrize("taken", [True, False])
async def test_a_variant_that_somebody_took_is_not_bad(store: Store, locks: Locks, taken: bool) -> None:
    refusing = ("bo", "cy", "di")
    answer = answers(**dict.fromkeys(refusing, Rejected("not here")))
    channel = FakeChannel(answer=answer, pace=Pace(concurrency=10))
    dispatcher = Dispatcher(store, channel, locks)
    wanted = ABSTRACT
    await publish(store, dict.fromkeys(("ada", *refusing) if taken else refusing, wanted))
    await settle(dispatcher, NOW)
    assert await fallen_variants(store) == (0 if taken else 1)


@pytest.mark.parametrize("taken", [True, False])
async def test_variants_that_are_refused_halt_a_channel_only_while_nothing_is_taken(
    store: Store, locks: Locks, taken: bool
) -> None:
    languages = ("ko", "ja", "ar")
    readers = {f"{tag}{n}": replace(AT_ONCE, language=tag) for tag in languages for n in range(3)}
    if taken:
        readers["ada"] = AT_ONCE
    channel = FakeChannel(
        answer=lambda to, message, personal: Sent() if to == "ada" else Rejected("not here"),
        pace=Pace(concurrency=10),
    )
    await publish(store, readers)
    dispatcher = Dispatcher(store, channel, locks)
    await dispatcher.step(NOW)
    while dispatcher.busy:
        await dispatcher.attempt_ended.wait()
        await dispatcher.step(NOW, claim=False)
    async with store.read() as connection:
        stands = await channel_state.load(connection, "fake")
    assert (stands.halted_at is None) is taken
    assert await fallen_variants(store) == 3


async def test_two_judges_of_one_edition_halt_a_channel_even_with_a_success_between(store: Store, locks: Locks) -> None:
    verdict = {"bo": Rejected("5.7.1", judge="one.example"), "di": Rejected("5.7.1", judge="two.example")}
    channel = FakeChannel(answer=lambda to, message, personal: verdict.get(to, Sent()), pace=Pace(concurrency=1))
    dispatcher = Dispatcher(store, channel, locks)
    await publish(store, dict.fromkeys(("bo", "cy", "di"), AT_ONCE))
    await settle(dispatcher, NOW)
    async with store.read() as connection:
        assert (await channel_state.load(connection, "fake")).halted_at is not None


async def test_who_pauses_while_a_message_is_in_flight_is_not_sent_it_again(store: Store, locks: Locks) -> None:
    channel = FakeChannel(answer=answers(bo=Deferred("busy", 60)), hold=asyncio.Event())
    dispatcher = Dispatcher(store, channel, locks)
    await publish(store, {"bo": AT_ONCE})
    await dispatcher.step(NOW)
    await channel.busy.wait()
    async with store.write() as connection:
        reader = await subscriber_queries.get(connection, Address("fake", "bo"))
        assert reader is not None
        await subscriber_queries.pause(connection, reader.id, until=None, now=NOW)
    assert channel.hold is not None
    channel.hold.set()
    await settle(dispatcher, NOW)
    await settle(dispatcher, NOW + 5 * MINUTE)
    assert channel.reached == ["bo"]
    assert await states(store) == {"skipped": 1}


async def test_a_place_that_lets_us_post_again_is_resumed_and_a_readers_own_pause_is_not(
    store: Store, locks: Locks
) -> None:
    told: list[str] = []

    def alert(event: str, now: datetime, *, level: int = 0, **fields: object) -> None:
        told.append(event)

    channel = FakeChannel(answer=answers(bo=Barred("not an admin any more")))
    await publish(store, {"bo": AT_ONCE, "cy": AT_ONCE})
    await settle(Dispatcher(store, channel, locks, alert=alert), NOW)
    assert told == ["chat paused, no right to post"]
    async with store.write() as connection:
        cy = await subscriber_queries.get(connection, Address("fake", "cy"))
        assert cy is not None
        await subscriber_queries.pause(connection, cy.id, until=None, now=NOW)
    readers = ReaderCommands(store, [channel], fallback=Preferences(), closes=time(22))
    assert await readers.permitted(Address("fake", "bo"))
    assert not await readers.permitted(Address("fake", "bo"))
    assert not await readers.permitted(Address("fake", "cy"))
    assert [await status(store, name) for name in ("bo", "cy")] == [Status.ACTIVE, Status.PAUSED]


async def test_a_reader_who_was_forgotten_with_an_unknown_end_keeps_nobody_busy(store: Store, locks: Locks) -> None:
    channel = FakeChannel(answer=answers(bo=Unknown("no answer")))
    dispatcher = Dispatcher(store, channel, locks)
    await publish(store, {"bo": AT_ONCE})
    await dispatcher.step(NOW)
    await dispatcher.attempt_ended.wait()
    async with store.write() as connection:
        reader = await subscriber_queries.get(connection, Address("fake", "bo"))
        assert reader is not None
        await subscriber_queries.forget(connection, reader.id, now=NOW)
    assert await dispatcher.step(NOW)
    assert not await dispatcher.step(NOW + 10 * MINUTE)
    assert await states(store) == {"unknown": 1}
    assert await adds_up(store)


@pytest.mark.parametrize("how", ["leave", "pause"])
async def test_whoever_left_while_we_were_barred_is_not_brought_back(store: Store, locks: Locks, how: str) -> None:
    channel = FakeChannel(answer=answers(bo=Barred("not an admin any more")), hold=asyncio.Event())
    dispatcher = Dispatcher(store, channel, locks)
    await publish(store, {"bo": AT_ONCE})
    await dispatcher.step(NOW)
    await channel.busy.wait()
    async with store.write() as connection:
        bo = await subscriber_queries.get(connection, Address("fake", "bo"))
        assert bo is not None
        if how == "leave":
            await subscriber_queries.unsubscribe(connection, bo.id, now=NOW)
        else:
            await subscriber_queries.pause(connection, bo.id, until=NOW + timedelta(days=9), now=NOW)
    assert channel.hold is not None
    channel.hold.set()
    await settle(dispatcher, NOW)
    async with store.write() as connection:
        assert not await subscriber_queries.resume_barred(connection, Address("fake", "bo"))
        after = await subscriber_queries.get(connection, Address("fake", "bo"))
    assert after is not None
    assert after.status is (Status.UNSUBSCRIBED if how == "leave" else Status.PAUSED)
    assert (after.paused_until is not None) == (how == "pause")


@pytest.mark.parametrize("outcome", [Gone("blocked"), Sent(receipt="bo.html", moved_to="elsewhere")])
async def test_what_becomes_of_a_forgotten_reader_does_not_touch_who_has_their_number(
    store: Store, locks: Locks, outcome: Gone | Sent
) -> None:
    channel = FakeChannel(answer=lambda to, message, personal: outcome, hold=asyncio.Event())
    dispatcher = Dispatcher(store, channel, locks)
    await publish(store, {"bo": AT_ONCE})
    await dispatcher.step(NOW)
    await channel.busy.wait()
    async with store.write() as connection:
        bo = await subscriber_queries.get(connection, Address("fake", "bo"))
        assert bo is not None
        await subscriber_queries.forget(connection, bo.id, now=NOW)
        await subscriber_queries.add(connection, Address("fake", "cy"), AT_ONCE, now=NOW)
    assert channel.hold is not None
    channel.hold.set()
    await settle(dispatcher, NOW)
    assert await status(store, "cy") is Status.ACTIVE
    async with store.read() as connection:
        assert await connection.scalar(select(deliveries.c.receipt)) is None
