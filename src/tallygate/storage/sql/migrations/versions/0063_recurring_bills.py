"""Bills that come again."""

import sqlalchemy as sa
from alembic import op

revision = "0063"
down_revision = "0062"
branch_labels = None
depends_on = None


def _text(*names: str) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.Text(), nullable=False) for name in names]


def _instant(name: str, *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def upgrade() -> None:
    op.create_table(
        "recurring_bills",
        *_text("tenant_id", "recurring_bill_id", "provider", "account_id", "text", "currency"),
        sa.Column("price", sa.BigInteger(), nullable=False),
        *_text("period"),
        sa.Column("frequency", sa.Integer(), nullable=False),
        sa.Column("cycles", sa.Integer()),
        _instant("start_time"),
        sa.Column("initial", sa.BigInteger(), nullable=False),
        *_text("zone"),
        sa.Column("made", sa.Integer(), nullable=False),
        _instant("create_time"),
        _instant("cancel_time", nullable=True),
        sa.PrimaryKeyConstraint("tenant_id", "recurring_bill_id", name="pk_recurring_bills"),
    )
    op.create_index("ix_recurring_bills_time", "recurring_bills", ["tenant_id", "create_time"])


def downgrade() -> None:
    op.drop_table("recurring_bills")
