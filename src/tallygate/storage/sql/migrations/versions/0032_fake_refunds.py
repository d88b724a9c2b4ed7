"""What the built-in fake gateway gave back."""

import sqlalchemy as sa
from alembic import op

revision = "0032"
down_revision = "0031"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "fake_refunds",
        *(
            sa.Column(name, sa.Text(), nullable=False)
            for name in ("tenant_id", "key", "refund_id", "charge_key", "currency")
        ),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("create_time", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "key", name="pk_fake_refunds"),
    )
    op.create_index("ix_fake_refunds_charge", "fake_refunds", ["tenant_id", "charge_key"])


def downgrade() -> None:
    op.drop_table("fake_refunds")
