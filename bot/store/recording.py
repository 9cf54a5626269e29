"""Record how attempts ended, and what is learnt about a message later."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from functools import cache

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
    ColumnElement,
    Integer,
    String,
    Text,
    Update,
    bindparam,
    case,
    func,
    literal_column,
    null,
    or_,
    select,
    update,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.model import Delivery, Reason, State
from bot.rules.outcomes import Consequence, short
from bot.store.many_rows import run_for_each
from bot.store.partitions import few, in_editions
from bot.store.schema import deliveries, editions, is_in, reason_columns, subscribers


async def record(
    connection: AsyncConnection, endings: Sequence[tuple[Delivery, Consequence]], *, owner: str, now: datetime
) -> None:
    """Write down what follows for each delivery; only rows that are still `owner`'s are changed."""
    if not endings:
        return
    rows = [
        {
            "delivery_id": delivery.id,
            "of_edition": delivery.edition_id,
            "new_state": follows.state.value,
            "new_reason": follows.reason,
            "new_code": None if follows.reason is None else follows.code.value,
            "new_receipt": follows.receipt,
            "new_next_at": follows.next_at,
            "new_rejections": follows.rejections,
            "is_owed": follows.state is State.OWED,
        }
        for delivery, follows in endings
    ]
    await run_for_each(connection, _statement, rows, {"by": owner, "now": now})


def _statement() -> Update:
    ended_at = bindparam("now", type_=deliveries.c.ended_at.type)
    return (
        _still_ours()
        .where(deliveries.c.id == bindparam("delivery_id"), deliveries.c.edition_id == bindparam("of_edition"))
        .values(
            state=bindparam("new_state"),
            reason=bindparam("new_reason"),
            reason_code=bindparam("new_code"),
            receipt=_unless_erased(bindparam("new_receipt")),
            next_at=func.coalesce(bindparam("new_next_at", type_=deliveries.c.next_at.type), deliveries.c.next_at),
            ended_at=case((bindparam("is_owed", type_=Boolean), None), else_=ended_at),
            rejections=func.coalesce(bindparam("new_rejections", type_=Integer), deliveries.c.rejections),
            owner=None,
        )
    )


@cache
def accepted_statement() -> Update:
    """Records that a service took an owner's (`by`) delivery (`delivery_id`) at a time (`now`), with its `receipt`."""
    one = _still_ours().where(deliveries.c.id == bindparam("delivery_id"))
    return _accepted(one, bindparam("receipt", type_=Text))


@cache
def all_accepted_statement() -> Update:
    """The same on PostgreSQL for many `ids` at once, with their `receipts`; all are of these `editions`."""
    given = bindparam("ids", type_=ARRAY(BigInteger)), bindparam("receipts", type_=ARRAY(Text))
    rows = func.unnest(*given).table_valued("id", "receipt", name="accepted").render_derived().c
    # Written so that the index of what is being sent does not serve: while somebody holds a snapshot it keeps all that
    # ever was sent, and the keys are given.
    ours = deliveries.c.owner == bindparam("by", type_=String), deliveries.c.state.concat("") == State.SENDING.value
    accepted = update(deliveries).where(deliveries.c.id == rows.id, few(rows.id), in_editions(), *ours)
    return _accepted(accepted, rows.receipt)


def _accepted(rows: Update, receipt: ColumnElement[str]) -> Update:
    sent: ColumnElement[str] = literal_column(f"'{State.SENT.value}'")
    ended_at = bindparam("now", type_=deliveries.c.ended_at.type)
    nothing = {"reason": null(), "reason_code": null(), "owner": null()}
    return rows.values(state=sent, ended_at=ended_at, receipt=_unless_erased(receipt), **nothing)


def _still_ours() -> Update:
    return update(deliveries).where(deliveries.c.owner == bindparam("by", type_=String), is_in(State.SENDING))


def _unless_erased(receipt: ColumnElement[str]) -> ColumnElement[str]:
    return case((deliveries.c.subscriber_id.is_(None), None), else_=receipt)


async def mark_not_reached(connection: AsyncConnection, edition_id: int, subscriber_id: int, detail: str) -> bool:
    """Note that a message which the service took did not reach its reader. Returns False if that is known already."""
    marked = await connection.execute(
        update(deliveries)
        .where(
            deliveries.c.edition_id == edition_id,
            deliveries.c.subscriber_id == subscriber_id,
            deliveries.c.state == State.SENT,
            deliveries.c.reason.is_(None),
        )
        .values(reason_columns(Reason.NOT_REACHED, short(Reason.NOT_REACHED.because(detail))))
    )
    return marked.rowcount > 0


async def accepted_since(
    connection: AsyncConnection, channel: str, domain: str, since: datetime, *, apart_from: Collection[int] = ()
) -> int:
    """Deliveries that the service accepted since a moment, to `…@domain`, without those of the ids `apart_from`."""
    joined = deliveries.join(subscribers, deliveries.c.subscriber_id == subscribers.c.id)
    # No index is on `ended_at`, and a channel's history is long; an edition ends after the last of its deliveries.
    open_since = select(editions.c.id).where(or_(editions.c.ended_at.is_(None), editions.c.ended_at >= since))
    found: int | None = await connection.scalar(
        select(func.count())
        .select_from(joined)
        .where(
            deliveries.c.edition_id.in_(open_since),
            deliveries.c.channel == channel,
            deliveries.c.state == State.SENT,
            deliveries.c.ended_at >= since,
            deliveries.c.id.not_in(apart_from),
            subscribers.c.recipient.endswith(f"@{domain}", autoescape=True),
        )
    )
    return found or 0


async def has_same_reader(connection: AsyncConnection, delivery: Delivery) -> bool:
    """Whether a delivery still belongs to the subscriber it was claimed for: they may have been erased meanwhile."""
    owner = select(deliveries.c.subscriber_id).where(deliveries.c.id == delivery.id)
    reader: int | None = await connection.scalar(owner)
    return reader == delivery.reader.id
