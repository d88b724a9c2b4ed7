"""Fees and their offsets."""

import sqlalchemy as sa
from alembic import op

from tallygate.storage.sql.billing.append_only import statements

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

_TEXTS = ("tenant_id", "fee_id", "account_id", "currency", "text", "exact", "quantity", "unit_amount", "offsets")


def upgrade() -> None:
    op.create_table(
        "fees",
        *(sa.Column(name, sa.Text(), nullable=False) for name in _TEXTS),
        sa.Column("create_time", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "fee_id", name="pk_fees"),
    )
    op.create_index("ix_fees_account", "fees", ["tenant_id", "account_id", "create_time"])
    op.create_index("ix_fees_offsets", "fees", ["tenant_id", "offsets"])
    for statement in statements("fees", dialect=op.get_context().dialect.name):
        op.execute(statement)


def downgrade() -> None:
    op.drop_table("fees")
