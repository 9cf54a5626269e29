"""On PostgreSQL two foreign keys less, each asked once per row of an edition that is published."""

from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Let go of editions and choices, which nothing ever deletes."""
    if op.get_bind().dialect.name == "postgresql":
        op.drop_constraint("fk_deliveries_edition_id_editions", "deliveries", type_="foreignkey")
        op.drop_constraint("fk_deliveries_choice_id_choices", "deliveries", type_="foreignkey")
