"""How changes of plans and add-ons are charged; those that were made are prorated."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

_COLUMNS = (
    ("subscription_terms", "proration"),
    ("subscription_add_ons", "proration"),
    ("subscription_add_ons", "end_proration"),
)


def upgrade() -> None:
    for table, column in _COLUMNS:
        op.add_column(table, sa.Column(column, sa.Text(), nullable=False, server_default="prorate"))
        if op.get_context().dialect.name == "postgresql":  # SQLite cannot drop a default, and needs one to add a column
            op.alter_column(table, column, server_default=None)


def downgrade() -> None:
    for table, column in _COLUMNS:
        op.drop_column(table, column)
