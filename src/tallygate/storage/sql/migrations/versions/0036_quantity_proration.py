"""How changes of seats and users are charged: those that stand there were prorated."""

import sqlalchemy as sa
from alembic import op

revision = "0036"
down_revision = "0035"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("quantity_changes", sa.Column("proration", sa.Text(), nullable=False, server_default="prorate"))


def downgrade() -> None:
    op.drop_column("quantity_changes", "proration")
