"""A few refusals among many answers halt nothing: shares decide, for one domain and for the channel."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from sqlalchemy import func, select

from bot.channel import Rejected, Sent
from bot.delivery.dispatcher import Dispatcher
from bot.doctor.services import channel_findings
from bot.model import Address, Cadence, Delivery, Edition, Found, Preferences, Ranked, Reader, State
from bot.rules.answer_counts import ENOUGH, FEWEST, JUDGE_WAITS, MOST_JUDGES, AnswerCounts
from bot.rules.outcomes import ChannelState, next_channel_state
from bot.runtime.locks import holding, make_locks
from bot.store import Store, audience, channel_state, edition_queries, paper_queries, subscriber_queries
from bot.store.schema import deliveries
from channels.email.address import domain
from tests.support.email_channel import LINKS, opened
from tests.support.fake_channel import DAY, NOW, paper, settle
from tests.support.mail_server import Relay

SPAM = "554 5.7.1 this looks like spam"
AT = datetime(2026, 4, 29, 12, tzinfo=UTC)


def counts(accepted: int, **refused: int) -> AnswerCounts:
    found = AnswerCounts()
    for _ in range(accepted):
        found = found.with_answer("well", AT, refused=False)
    for judge, times in refused.items():
        for _ in range(times):
            found = found.with_answer(judge, AT, refused=True)
    return found


def test_shares_mean_nothing_among_few_answers() -> None:
    assert not counts(ENOUGH - 2).is_enough
    assert counts(ENOUGH).is_enough


def test_a_channel_is_refused_by_a_share_of_several_domains() -> None:
    assert not counts(598, a=1, b=1).refuses
    assert not counts(300, a=200).refuses, "one domain waits for itself"
    assert counts(300, a=20, b=20).refuses


def test_a_domain_waits_and_is_asked_again() -> None:
    found = counts(ENOUGH, a=FEWEST)
    until = found.waits_until("a", AT)
    assert until == AT + JUDGE_WAITS
    assert found.waits_until("b", AT) is None
    assert found.waits_until("a", until) is None
    again = found.with_answer("a", until, refused=False)
    assert again.waits_until("a", until) is None
    assert again.with_answer("a", until, refused=True).waits_until("a", until) is None
    count = AnswerCounts.load(again.dump()).of("a")
    assert count is not None
    assert (count.answers, count.refused) == (1, 0)


def test_what_a_domain_accepted_before_counts() -> None:
    found = counts(ENOUGH).with_answer("a", AT, refused=True, before=100)
    assert found.with_answer("a", AT, refused=True).waits_until("a", AT) is None


def many(found: AnswerCounts) -> AnswerCounts:
    """As many more judges as are counted, each with more refusals than make one wait, but few of its answers."""
    for n in range(MOST_JUDGES):
        for _ in range(FEWEST + 1):
            found = found.with_answer(f"m{n:02}", AT, refused=True, before=1_000)
    return found


def test_a_domain_that_is_new_after_many_others_is_counted() -> None:
    found = many(counts(ENOUGH))
    for _ in range(FEWEST):
        assert found.waits_until("z", AT) is None
        found = found.with_answer("z", AT, refused=True)
    assert found.waits_until("z", AT) == AT + JUDGE_WAITS
    assert len(found.judges) == MOST_JUDGES


def test_a_domain_that_waits_goes_on_waiting_whoever_else_refuses() -> None:
    found = many(counts(ENOUGH, z=FEWEST))
    assert found.waits_until("z", AT) == AT + JUDGE_WAITS
    assert len(found.judges) == MOST_JUDGES
    assert [each.refused for each in found.judges] == sorted((each.refused for each in found.judges), reverse=True)
    later = AT + JUDGE_WAITS  # its wait is over: it is one of many
    for n in range(FEWEST):
        found = found.with_answer(f"y{n}", later, refused=True, before=1_000)
    assert found.of("z") is None


DELIVERY = Delivery(1, 1, Reader(1, "r1@a", Preferences()), AT, AT + timedelta(hours=12))


def test_a_channel_that_resumes_does_not_halt_with_the_next_refusal() -> None:
    state = ChannelState(counts=counts(300, a=20, b=20))
    state = next_channel_state(state, DELIVERY, Rejected("spam", judge="b"), AT)
    assert state.halted_at is not None
    state = replace(state, counts=state.counts.with_answer("c", AT, refused=False))
    state = next_channel_state(state, DELIVERY, Sent("1"), AT)
    assert state.halted_at is None
    assert state.counts.waits_until("a", AT) is not None, "who has to wait still waits"
    for n in range(5):
        state = replace(state, counts=state.counts.with_answer("d", AT, refused=True))
        state = next_channel_state(state, replace(DELIVERY, id=n), Rejected("spam", judge="d"), AT)
        assert state.halted_at is None
    assert (state.counts.answers, state.counts.refused) == (5, 5)


def test_only_a_refusal_that_is_counted_halts_by_its_share() -> None:
    state = ChannelState(counts=counts(300, a=20, b=20), spam_domains=("1:a", "1:b"))
    again = replace(DELIVERY, rejections=1)
    assert next_channel_state(state, again, Rejected("spam", judge="a"), AT).halted_at is None
    assert next_channel_state(state, DELIVERY, Rejected("spam", judge="a"), AT).halted_at == AT


def test_counts_are_of_one_day_and_survive_being_stored() -> None:
    found = counts(ENOUGH, a=FEWEST)
    assert AnswerCounts.load(found.dump()) == found
    assert AnswerCounts.load("") == AnswerCounts()
    tomorrow = found.on(AT.date() + timedelta(days=1))
    assert (tomorrow.answers, tomorrow.refused) == (0, 0)
    assert tomorrow.waits_until("a", AT) is not None


def test_counts_in_words() -> None:
    assert counts(10).in_words(AT) == ""
    said = counts(ENOUGH, a=FEWEST).in_words(AT)
    assert said == "200 accepted and 2 refused today (a 2 of 2); waits: a until 13:00 UTC"


async def mail_out(store: Store, readers: dict[str, int], refuses: set[str]) -> int:
    """An edition to `readers` by domain; some domains or readers call it spam. Returns the mails taken."""
    locks = make_locks(store.engine.url, store.path)
    async with store.write() as connection:
        for place, count in readers.items():
            for n in range(count):
                address = Address("email", f"r{n}@{place}")
                await subscriber_queries.add(connection, address, Preferences(), now=NOW)
        found = paper(1, DAY)
        await paper_queries.keep(connection, Found([found], frozenset({found.listed_on})))
        edition_id = await edition_queries.add(connection, Edition(Cadence.DAY, DAY, NOW, (Ranked(1, found, 1),)))
        assert edition_id is not None
        await audience.owe(connection, edition_id, Cadence.DAY, published_at=NOW)
    async with (
        Relay(answer=lambda verb, to: SPAM if verb == "DOT" and {to, domain(to)} & refuses else None) as relay,
        opened(relay) as channel,
    ):
        dispatcher = Dispatcher(store, channel, locks, links=LINKS)
        async with holding(locks, *dispatcher.roles()):
            await settle(dispatcher, NOW + timedelta(hours=12))
    await locks.close()
    return len(relay.letters)


async def test_a_domain_that_refuses_waits_alone(store: Store) -> None:
    readers = {"well.example": 210, "bad.example": 40, "one.example": 1, "two.example": 1}
    assert await mail_out(store, readers, readers.keys() - {"well.example"}) == 210
    async with store.read() as connection:
        state = await channel_state.load(connection, "email")
        sent = await connection.scalar(select(func.count()).where(deliveries.c.state == State.SENT))
    assert state.halted_at is None, "two domains refuse, but few answers of many"
    assert sent == 210
    assert 2 < state.counts.refused < 22, "what is left of the domain waits"
    assert state.counts.waits_until("bad.example", NOW + timedelta(hours=12)) is not None
    assert state.counts.waits_until("one.example", NOW + timedelta(hours=12)) is None


async def test_a_domains_answers_are_each_counted_once_and_no_other_domains(store: Store) -> None:
    readers = {"notmixed.example": 25, "mixed.example": 40}
    refused = {"r3@mixed.example", "r20@mixed.example"}
    assert await mail_out(store, readers, refused) == 63
    async with store.read() as connection:
        state = await channel_state.load(connection, "email")
    count = state.counts.of("mixed.example")
    assert count is not None
    assert (count.answers, count.refused) == (40, 2)
    assert (state.counts.answers, state.counts.refused) == (65, 2)


async def test_the_doctor_shows_what_was_refused_today(store: Store) -> None:
    now = datetime.now(UTC)
    found = AnswerCounts()
    for n in range(ENOUGH):
        found = found.with_answer("bad.example", now, refused=n >= ENOUGH - 1, before=ENOUGH)
    async with store.write() as connection:
        await channel_state.save(connection, "email", ChannelState(counts=found))
    [finding] = await channel_findings(store, "email", now)
    assert finding.ok
    assert finding.says == "199 accepted and 1 refused today (bad.example 1 of 201)"
