"""Reason codes beside the texts of reasons: on deliveries, subscribers and the suppression list."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"

DELIVERIES = {
    "superseded": "superseded",
    "too late": "too_late",
    "no paper matches": "no_match",
    "paused": "paused",
    "unsubscribed": "unsubscribed",
    "the reader has paused or left": "inactive",
    "another cadence was chosen": "cadence_changed",
    "forgotten": "forgotten",
    "no right to post": "no_right",
    "restored": "restored",
    "dropped by the operator": "dropped",
    "complained": "complained",
    "removed by the operator": "removed",
    "the process that was sending it is gone": "interrupted",
    "not reached: %": "not_reached",
    "cannot be composed %": "not_rendered",
}
"""What a reason looked like until now (as for LIKE), and its code; anything else is `other`."""
SUBSCRIBERS = {
    "unsubscribed": "unsubscribed",
    "paused by the reader": "paused",
    "complained": "complained",
    "removed by the operator": "removed",
    "its place has another subscription": "merged",
    "no right to post: %": "no_right",
}
SUPPRESSED = {"complained": "complained", "removed by the operator": "removed"}


STATES = {"barred": "no_right", "gone": "unreachable"}
"""Codes of a service's own words, by the delivery's state or the subscriber's status."""


def upgrade() -> None:
    """Add the columns and fill them from the texts."""
    op.add_column("deliveries", sa.Column("reason_code", sa.String()))
    op.add_column("subscribers", sa.Column("reason_code", sa.String()))
    op.add_column("suppression_list", sa.Column("reason_code", sa.String(), server_default="other", nullable=False))
    _fill("deliveries", DELIVERIES, "state")
    _fill("subscribers", SUBSCRIBERS, "status")
    _fill("suppression_list", SUPPRESSED)


def _fill(table: str, codes: dict[str, str], state: str | None = None) -> None:
    reason = sa.column("reason", sa.Text())
    cases: list[tuple[sa.ColumnElement[bool], str]] = [(reason.like(text), code) for text, code in codes.items()]
    if state is not None:
        cases += [(sa.column(state, sa.String()) == value, code) for value, code in STATES.items()]
    rows = sa.table(table, sa.column("reason_code"))
    op.execute(rows.update().where(reason.is_not(None)).values(reason_code=sa.case(*cases, else_="other")))
