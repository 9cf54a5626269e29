"""Drop two foreign keys of deliveries on PostgreSQL: each was checked for every row of an edition that is published."""

from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Drop the foreign keys to editions and choices, from which nothing is deleted."""
    if op.get_bind().dialect.name == "postgresql":
        op.drop_constraint("fk_deliveries_edition_id_editions", "deliveries", type_="foreignkey")
        op.drop_constraint("fk_deliveries_choice_id_choices", "deliveries", type_="foreignkey")
