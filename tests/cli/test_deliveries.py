"""`papers deliveries` and `papers resume`: single deliveries and halted channels."""

from __future__ import annotations

import json
import os
import pty
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from bot.channel_loader import CHANNELS
from bot.model import Cadence, Reason, State, Status
from bot.rules.outcomes import ChannelState
from bot.rules.schedule import LIFETIME
from bot.store import Store, channel_state, operator_queries, subscriber_queries
from bot.store.edition_report import reports
from bot.store.operator_queries import DeliveryFilter
from bot.store.schema import deliveries
from tests.support.command import papers_command
from tests.support.delivery_states import HOUR, READERS, one, set_states, states
from tests.support.fake_channel import DAY, NOW, publish

# Deliveries


async def test_list_shows_every_delivery_and_no_address(local: Store, tmp_path: Path) -> None:
    await publish(local, READERS)
    await set_states(local, {1: "gone"}, reason="no <ada1@mail.example>")
    await set_states(local, {2: "unknown"}, repeats=1)
    shown = papers_command(tmp_path, "deliveries", "list")
    assert shown.returncode == 0, shown.stderr
    assert "no <…@…>" in shown.stdout
    listed = papers_command(tmp_path, "deliveries", "list", "--json")
    assert "mail.example" not in shown.stdout + listed.stdout
    lines = json.loads(listed.stdout)
    assert [line["id"] for line in lines] == [8, 7, 6, 5, 4, 3, 2, 1]
    assert lines[-2] == {
        "id": 2,
        "edition": str(DAY),
        "cadence": "day",
        "channel": "fake",
        "subscriber": 2,
        "state": "unknown",
        "reason_code": None,
        "reason": "why unknown",
        "attempts": 0,
        "repeats": 1,
        "due": "2025-11-03 23:00:00+00:00",
        "ended": "2025-11-03 22:00:00+00:00",
    }
    few = papers_command(tmp_path, "deliveries", "list", "--limit", "3", "--json")
    assert [line["id"] for line in json.loads(few.stdout)] == [8, 7, 6]
    assert few.stderr == "These are the newest 3; --limit 0 shows all.\n"


async def test_filters_select_deliveries(store: Store) -> None:
    await publish(store, READERS)
    await publish(store, {}, day=DAY + timedelta(days=1), now=NOW + timedelta(days=1))
    await set_states(store, {1: "rejected", 2: "unknown"})
    await set_states(store, {3: "rejected"}, reason="100 % WRONG")
    await set_states(store, {4: "sent"}, repeats=2)

    async def ids(**wanted: Any) -> list[int]:
        async with store.read() as connection:
            return sorted(line.id for line in await operator_queries.find(connection, DeliveryFilter(**wanted), 0))

    assert await ids() == list(range(1, 17))
    assert await ids(day=DAY) == list(range(1, 9))
    assert await ids(cadence=Cadence.WEEK) == []
    assert await ids(cadence=Cadence.DAY, channel="fake", day=DAY + timedelta(days=1)) == list(range(9, 17))
    assert await ids(channel="other") == []
    assert await ids(state=State.REJECTED) == [1, 3]
    assert await ids(state=State.REJECTED, reason="wrong") == [3]
    assert await ids(reason="100 %") == [3]
    assert await ids(reason="1%w") == []
    assert await ids(repeated=True) == [4]


async def test_retry_requeues_what_is_still_wanted(store: Store) -> None:
    await publish(store, READERS)
    async with store.read() as connection:
        ids = list(await connection.scalars(select(deliveries.c.id).order_by(deliveries.c.subscriber_id)))
    ended = ["unknown", "rejected", "expired", "barred", "sent", "gone", "skipped", "expired"]
    await set_states(store, dict(zip(ids, ended, strict=True)), rejections=3)
    await set_states(store, {ids[7]: "expired"}, reason="superseded", reason_code="superseded")
    async with store.write() as connection:
        await subscriber_queries.set_status(connection, 4, Status.PAUSED, None)
    now = NOW + HOUR
    async with store.write() as connection:
        assert await operator_queries.count_retryable(connection, DeliveryFilter()) == 3
        assert await operator_queries.retry(connection, DeliveryFilter(), now=now) == 3
    stands = await states(store)
    assert [stands[each] for each in ids] == ["owed"] * 3 + ["barred", *ended[4:]]
    first, second, third = [await one(store, each) for each in ids[:3]]
    assert second.next_at == now  # 08:00 in Seoul
    assert first.next_at == third.next_at == datetime(2025, 11, 4, 7, tzinfo=UTC)
    assert {row.expires_at for row in (first, second, third)} == {now + LIFETIME}
    assert (first.repeats, second.repeats) == (1, 0)
    assert (second.rejections, second.ended_at, second.reason) == (0, None, None)
    assert second.reason_code is None
    async with store.read() as connection:
        (report,) = await reports(connection)
    assert report.adds_up


async def test_drop_cancels_what_is_owed_or_unknown(store: Store) -> None:
    await publish(store, READERS)
    await set_states(store, {1: "unknown", 2: "sending", 3: "sent"})
    async with store.write() as connection:
        assert await operator_queries.count_droppable(connection, DeliveryFilter(channel="fake")) == 6
        assert await operator_queries.drop(connection, DeliveryFilter(channel="other"), now=NOW) == 0
        assert await operator_queries.drop(connection, DeliveryFilter(channel="fake"), now=NOW) == 6
    assert list((await states(store)).values()) == ["skipped", "sending", "sent", *["skipped"] * 5]
    row = await one(store, 1)
    assert (row.reason_code, row.reason, row.ended_at) == (Reason.DROPPED, Reason.DROPPED.text, NOW)


async def test_retry_and_drop_report_what_they_changed(local: Store, tmp_path: Path) -> None:
    await publish(local, READERS)
    await set_states(local, {1: "unknown", 2: "expired"})
    assert papers_command(tmp_path, "deliveries", "retry", "--state", "unknown").stdout == "1 delivery requeued.\n"
    assert papers_command(tmp_path, "deliveries", "retry", "--all").stdout == "1 delivery requeued.\n"
    dropped = papers_command(tmp_path, "deliveries", "drop", "--date", str(DAY), "--channel", "fake")
    assert (dropped.returncode, dropped.stdout) == (0, "8 deliveries cancelled.\n")
    assert set((await states(local)).values()) == {"skipped"}


@pytest.mark.parametrize(
    "words", [["retry"], ["drop", "--yes"], ["retry", "--state", "sent"], ["drop", "--state", "expired"],
              ["list", "--state", "lost"], ["list", "--cadence", "hour"], ["list", "--date", "monday"]]
)  # fmt: skip
async def test_wrong_options_change_nothing(local: Store, tmp_path: Path, words: list[str]) -> None:
    await publish(local, READERS)
    before = await states(local)
    refused = papers_command(tmp_path, "deliveries", *words)
    assert (refused.returncode, refused.stdout) == (2, "")
    assert await states(local) == before


@pytest.mark.parametrize(("answer", "becomes"), [(b"n\n", "owed"), (b"y\n", "skipped")])
async def test_on_a_terminal_it_asks_for_confirmation(
    local: Store, tmp_path: Path, answer: bytes, becomes: str
) -> None:
    await publish(local, READERS)
    ours, theirs = pty.openpty()
    try:
        os.write(ours, answer)
        done = papers_command(tmp_path, "deliveries", "drop", "--all", stdin=theirs)
    finally:
        os.close(ours)
        os.close(theirs)
    assert "8 deliveries will be cancelled. Go on?" in done.stderr
    assert done.returncode == 0
    assert set((await states(local)).values()) == {becomes}


# Halts


async def test_resume_ends_a_halt_and_says_why_it_was(local: Store, tmp_path: Path) -> None:
    async with local.write() as connection:
        await channel_state.save(
            connection, "outbox", ChannelState(halted_at=NOW, halted_for="disk of ada@mail.example")
        )
    done = papers_command(tmp_path, "resume", "outbox")
    assert done.returncode == 0
    assert done.stdout == (
        "outbox was halted since 2025-11-03 22:00 UTC (disk of …@…); it delivers again.\n"
    )  # fmt: skip
    async with local.read() as connection:
        assert await channel_state.load(connection, "outbox") == ChannelState()
    nothing = papers_command(tmp_path, "resume", "outbox")
    assert (nothing.returncode, nothing.stdout) == (0, "outbox was neither halted nor waiting.\n")


async def test_resume_ends_a_wait(local: Store, tmp_path: Path) -> None:
    async with local.write() as connection:
        until = datetime(2999, 1, 1, tzinfo=UTC)
        await channel_state.save(connection, "outbox", ChannelState(waits_until=until, waits_for="flood"))
    done = papers_command(tmp_path, "resume", "outbox")
    assert done.stdout == "outbox was to wait until 2999-01-01 00:00 UTC (flood); it delivers again.\n"


def test_resume_refuses_an_unknown_channel(tmp_path: Path) -> None:
    refused = papers_command(tmp_path, "resume", "pigeon")
    says = f"There is no channel named pigeon; there are: {', '.join(CHANNELS)}.\n"
    assert (refused.returncode, refused.stderr) == (2, says)
    assert list(tmp_path.iterdir()) == []
