"""Disputes of payments, which are found by their gateway's ids."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0035"
down_revision = "0034"
branch_labels = None
depends_on = None

_DOCUMENT = sa.JSON().with_variant(JSONB(), "postgresql")


def _text(*names: str) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.Text(), nullable=False) for name in names]


def upgrade() -> None:
    op.create_table(
        "disputes",
        *_text("tenant_id", "gateway", "dispute_id", "payment_id", "account_id", "currency"),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("fee", sa.BigInteger(), nullable=False),
        *_text("state", "reason"),
        sa.Column("shares", _DOCUMENT, nullable=False),
        sa.Column("create_time", sa.DateTime(timezone=True), nullable=False),
        sa.Column("end_time", sa.DateTime(timezone=True)),
        sa.PrimaryKeyConstraint("tenant_id", "gateway", "dispute_id", name="pk_disputes"),
        sa.CheckConstraint("amount > 0", name="ck_disputes_amount"),
    )
    op.create_index("ix_disputes_account", "disputes", ["tenant_id", "account_id", "create_time", "dispute_id"])
    op.create_index("ix_disputes_time", "disputes", ["tenant_id", "create_time", "dispute_id"])
    op.create_index("ix_disputes_payment", "disputes", ["tenant_id", "payment_id"])
    op.create_index("ix_payments_gateway", "payments", ["tenant_id", "gateway", "gateway_id"])


def downgrade() -> None:
    op.drop_index("ix_payments_gateway", "payments")
    op.drop_table("disputes")
