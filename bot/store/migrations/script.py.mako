"""${message}."""

import sqlalchemy as sa
from alembic import op

from bot.store.schema import Code, Key, Utc

revision = ${repr(up_revision)}
down_revision = ${repr(down_revision)}


def upgrade() -> None:
    """${message}."""
    ${upgrades}
