"""Money that goes back, by the way that each part of it goes."""

import sqlalchemy as sa
from alembic import op

revision = "0043"
down_revision = "0042"
branch_labels = None
depends_on = None

_UNRESOLVED = sa.text("state IN ('sending', 'unknown', 'pending')")


def _text(*names: str) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.Text(), nullable=False) for name in names]


def upgrade() -> None:
    op.create_table(
        "refunds",
        *_text("tenant_id", "refund_id", "credit_id", "account_id", "invoice_id", "note_id", "payment_id", "kind"),
        *_text("currency"),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        *_text("text", "gateway", "charge_id", "state", "advice", "reason", "gateway_id"),
        sa.Column("create_time", sa.DateTime(timezone=True), nullable=False),
        sa.Column("end_time", sa.DateTime(timezone=True)),
        sa.Column("sent_until", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "refund_id", name="pk_refunds"),
        sa.CheckConstraint("amount > 0", name="ck_refunds_amount"),
    )
    for name, columns in (
        ("credit", ["credit_id"]),
        ("invoice", ["invoice_id"]),
        ("account", ["account_id", "create_time", "refund_id"]),
        ("time", ["create_time", "refund_id"]),
    ):
        op.create_index(f"ix_refunds_{name}", "refunds", ["tenant_id", *columns])
    op.create_index(
        "ix_refunds_unresolved",
        "refunds",
        ["tenant_id", "currency"],
        sqlite_where=_UNRESOLVED,
        postgresql_where=_UNRESOLVED,
    )


def downgrade() -> None:
    op.drop_table("refunds")
