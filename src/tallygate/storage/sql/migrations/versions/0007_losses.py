"""Which counts Redis has lost, of events that were collected before."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "partition_losses",
        sa.Column("number", sa.Integer(), primary_key=True, autoincrement=True),
        sa.Column("partition", sa.Integer(), nullable=False),
        sa.Column("after_entry_id", sa.Text(), nullable=False),
        sa.Column("until_entry_id", sa.Text(), nullable=False),
    )


def downgrade() -> None:
    op.drop_table("partition_losses")
