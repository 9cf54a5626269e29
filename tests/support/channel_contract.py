"""The contract of channels as one test suite, which each channel's tests inherit.

A channel's test module subclasses `Contract` and provides the fixture `stage`: the channel, logged in to a local server
that can fail on demand.
"""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod

import pytest

from bot.channel import (
    Barred,
    Channel,
    Deferred,
    Gone,
    LoginError,
    Message,
    Outcome,
    Personal,
    Rejected,
    Sent,
    Unknown,
)
from tests.support.pages import page, paper

HANGING = 20.0
"""Seconds after which a call counts as hanging."""
FLOOD = 7.0


class Stage(ABC):
    """A channel, its service, and one reader."""

    channel: Channel
    to: str
    secret: str
    """A secret that must not appear in any text."""

    def message(self) -> Message:
        """An edition of two papers, composed by the channel."""
        return self.channel.compose(page(paper(1), paper(2)))

    @abstractmethod
    async def arrived(self) -> int:
        """The number of messages that reached the reader."""

    @abstractmethod
    async def turns_away(self) -> None:
        """Make the reader unreachable."""

    async def bars(self) -> None:
        """Take away the right to post to the reader."""
        pytest.skip("no such thing as a right to post here")

    @abstractmethod
    async def slows(self) -> float | None:
        """Limit the rate of this reader. Returns the seconds to wait, if the service names them."""

    @abstractmethod
    async def floods(self) -> float | None:
        """Limit the rate of the account. Returns the seconds to wait, if the service names them."""

    @abstractmethod
    async def breaks_down(self) -> None:
        """Let the service answer with a server error."""

    @abstractmethod
    async def goes_away(self) -> None:
        """Let the service refuse connections."""

    @abstractmethod
    async def forgets_us(self) -> None:
        """Revoke the login."""

    @abstractmethod
    async def finds_fault(self) -> None:
        """Let the service reject the message."""

    @abstractmethod
    async def cuts_off(self) -> None:
        """Let the service accept the message without answering."""

    @abstractmethod
    async def hangs(self) -> None:
        """Let the service hang."""

    @abstractmethod
    async def heals(self) -> None:
        """End the fault."""

    @abstractmethod
    def stranger(self) -> Channel:
        """The same channel with invalid credentials."""

    async def send(self) -> Outcome:
        async with asyncio.timeout(HANGING):
            return await self.channel.send(self.to, self.message(), Personal(key="1.1"))


class Contract:
    """The suite. `stage` is the channel's own fixture."""

    async def test_what_is_accepted_arrives_once(self, stage: Stage) -> None:
        assert isinstance(await stage.send(), Sent)
        assert await stage.arrived() == 1

    async def test_a_reader_who_cannot_be_reached_is_gone(self, stage: Stage) -> None:
        await stage.turns_away()
        assert isinstance(await stage.send(), Gone)

    async def test_a_place_that_lets_nobody_post_is_barred(self, stage: Stage) -> None:
        await stage.bars()
        assert isinstance(await stage.send(), Barred)

    async def test_one_reader_who_is_busy_holds_up_nobody_else(self, stage: Stage) -> None:
        wait = await stage.slows()
        outcome = await stage.send()
        assert isinstance(outcome, Deferred)
        assert (outcome.scope, outcome.retry_after) == ("recipient", wait)

    async def test_a_service_that_is_flooded_is_waited_for(self, stage: Stage) -> None:
        wait = await stage.floods()
        outcome = await stage.send()
        assert isinstance(outcome, Deferred)
        assert (outcome.scope, outcome.retry_after) == ("channel", wait)

    async def test_a_service_in_trouble_costs_no_reader(self, stage: Stage) -> None:
        await stage.breaks_down()
        outcome = await stage.send()
        assert isinstance(outcome, Deferred)
        assert outcome.scope == "channel"
        assert await stage.arrived() == 0

    async def test_a_service_that_is_out_of_reach_costs_no_reader(self, stage: Stage) -> None:
        await stage.goes_away()
        outcome = await stage.send()
        assert isinstance(outcome, Deferred)
        assert outcome.scope == "channel"

    async def test_a_login_that_is_not_good_any_more_costs_no_reader(self, stage: Stage) -> None:
        await stage.forgets_us()
        outcome = await stage.send()
        assert isinstance(outcome, Deferred)
        assert outcome.scope == "channel"
        assert stage.secret not in outcome.reason

    async def test_a_wrong_login_is_one_sentence_that_keeps_the_secret(self, stage: Stage) -> None:
        with pytest.raises(LoginError) as refused:
            async with stage.stranger():
                pass
        assert f"{refused.value}".endswith(".")
        assert stage.secret not in f"{refused.value!r} {refused.value.__cause__!r}"

    async def test_a_message_that_is_bad_is_our_own_fault(self, stage: Stage) -> None:
        await stage.finds_fault()
        assert isinstance(await stage.send(), Rejected)

    async def test_what_was_cut_off_is_in_doubt(self, stage: Stage) -> None:
        await stage.cuts_off()
        assert isinstance(await stage.send(), Unknown)
        assert await stage.arrived() == 1

    async def test_who_is_called_off_stops_and_can_go_on(self, stage: Stage) -> None:
        await stage.hangs()
        sending = asyncio.ensure_future(stage.channel.send(stage.to, stage.message(), Personal(key="1.1")))
        await asyncio.sleep(0)
        sending.cancel()
        with pytest.raises(asyncio.CancelledError):
            await sending
        await stage.heals()
        assert isinstance(await stage.send(), Sent)

    async def test_messages_measure_what_the_channel_limits(self, stage: Stage) -> None:
        assert stage.channel.limits.maxima.keys() <= stage.message().sizes().keys()
        assert stage.message().sizes() == stage.message().sizes()

    @pytest.mark.parametrize("written", ["", " ", "\n", "a\x00b", "../..", "x" * 5000])
    async def test_what_is_no_recipient_is_told_in_a_sentence(self, stage: Stage, written: str) -> None:
        with pytest.raises(ValueError, match=r"\w+ \w+"):
            stage.channel.recipient(written)
        assert stage.channel.recipient(stage.to) == stage.to
