"""Rejected messages: which renderings fall back to `headline`, and when a channel halts."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from bot.channel import Pace, Page, Rejected, Sent
from bot.delivery.dispatcher import Dispatcher
from bot.model import Preferences, Status, Style
from bot.rules.outcomes import PROBE_EVERY
from bot.runtime.locks import Locks
from bot.store import Store, channel_state
from bot.store.schema import renderings
from tests.support.dispatching import AT_ONCE, HOUR, MINUTE, answers, states, status
from tests.support.fake_channel import DAY, NOW, FakeChannel, publish, settle

ABSTRACT = Preferences(hour=22 * 60, style=Style.ABSTRACT)


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
