"""Deliveries in partitions by edition, room for updates and vacuum for each table, on PostgreSQL.

Nothing is rewritten: the table of before becomes the first partition. That its rows fit into it is a constraint which
`bot.store.server_upgrade.BEFOREHAND` had checked while others wrote.
"""

import sqlalchemy as sa
from alembic import op

from bot.store.schema import in_state

revision = "0021"
down_revision = "0020"

FITS = "ck_deliveries_first_partition"
FIRST, OTHER = "deliveries_0", "deliveries_default"
OFTEN_CHANGED = {
    "leases": "fillfactor = 50",
    "channels": "fillfactor = 50",
    "system_state": "fillfactor = 50",
    "text_leases": "fillfactor = 70",
    "editions": "fillfactor = 70",
    "subscribers": "fillfactor = 90, autovacuum_vacuum_scale_factor = 0.02, autovacuum_analyze_scale_factor = 0.02",
}
"""Tables whose rows change again and again. With room on its page a new version needs no new entry in any index
(https://www.postgresql.org/docs/current/storage-hot.html)."""
DELIVERIES = (
    "fillfactor = 70, autovacuum_vacuum_scale_factor = 0.02, autovacuum_analyze_scale_factor = 0.02,"
    " autovacuum_vacuum_cost_delay = 0"
)


def upgrade() -> None:
    """Put the table of deliveries under one that is partitioned, and set what tables and indexes have set."""
    if op.get_bind().dialect.name != "postgresql":
        return
    op.execute("lock table deliveries in access exclusive mode")
    end = _end_of_first()
    _make_first()
    op.execute("create table deliveries (like deliveries_0 including defaults) partition by range (edition_id)")
    op.execute("alter sequence deliveries_id_seq owned by deliveries.id")
    op.create_unique_constraint("uq_deliveries_edition_id_subscriber_id", "deliveries", ["edition_id", "subscriber_id"])
    op.create_index("ix_deliveries_subscriber_id", "deliveries", ["subscriber_id"])
    op.create_index("ix_deliveries_owed", "deliveries", ["channel", "next_at"], **in_state("owed"))
    op.create_index("ix_deliveries_sending", "deliveries", ["channel", "owner"], **in_state("sending"))
    op.create_index("ix_deliveries_unknown", "deliveries", ["channel", "repeats"], **in_state("unknown"))
    op.create_index("ix_deliveries_expired", "deliveries", ["subscriber_id"], **in_state("expired"))
    op.create_foreign_key(
        "fk_deliveries_subscriber_id_subscribers",
        "deliveries",
        "subscribers",
        ["subscriber_id"],
        ["id"],
        ondelete="SET NULL",
    )
    op.execute(f"alter table deliveries attach partition {FIRST} for values from (minvalue) to ({end})")
    op.execute(f"alter table {FIRST} drop constraint if exists {FITS}")
    op.execute(
        f"create table {OTHER} (like deliveries including defaults, constraint pk_{OTHER} primary key (id))"
        f" with ({DELIVERIES})"
    )
    op.execute(f"alter table deliveries attach partition {OTHER} default")
    for table, options in OFTEN_CHANGED.items():
        op.execute(f"alter table {table} set ({options})")
    # Searches read what is pending in the index entry by entry, and papers come in bulk.
    op.execute("alter index ix_search_documents_words set (fastupdate = off)")
    op.execute("select gin_clean_pending_list('ix_search_documents_words')")


def _end_of_first() -> int:
    """The edition id at which the first partition ends, as the constraint says, which a new database does not have."""
    bind = op.get_bind()
    query = "select pg_get_constraintdef(oid) from pg_constraint where conname = :name"
    checked = bind.scalar(sa.text(f"select (regexp_match(({query}), '[0-9]+'))[1]::bigint"), {"name": FITS})
    return int(checked or 20_000)


def _make_first() -> None:
    """Rename the table and its indexes, so that their names are free for the partitioned one."""
    bind = op.get_bind()
    query = "select indexrelid::regclass::text from pg_index where indrelid = 'deliveries'::regclass"
    for name in bind.scalars(sa.text(query)).all():
        op.execute(f"alter index {name} rename to {name.replace('deliveries', FIRST)}")
    op.execute(f"alter table deliveries rename to {FIRST}")
    op.execute(f"alter table {FIRST} set ({DELIVERIES})")
