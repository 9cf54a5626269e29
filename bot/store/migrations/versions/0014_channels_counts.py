"""What a channel's service answered today, so that several processes decide by the same shares."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    """Add the counts; an empty text is none."""
    op.add_column("channels", sa.Column("counts", sa.Text(), server_default="", nullable=False))
