"""What the answer to a billable event said: the usage after it, the limit, and the rule that admitted it."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("billable_events", sa.Column("used", sa.BigInteger(), nullable=False, server_default="0"))
    op.add_column("billable_events", sa.Column("limit", sa.BigInteger()))
    op.add_column("billable_events", sa.Column("reason", sa.Text()))


def downgrade() -> None:
    for column in ("reason", "limit", "used"):
        op.drop_column("billable_events", column)
