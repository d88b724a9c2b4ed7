"""Discounts by agreement, referrals, and coupons that were given back."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from tallygate.storage.sql.billing.append_only import statements

revision = "0049"
down_revision = "0048"
branch_labels = None
depends_on = None

_DOCUMENT = sa.JSON().with_variant(JSONB(), "postgresql")


def _text(*names: str) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.Text(), nullable=False) for name in names]


def _instant(name: str, *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def upgrade() -> None:
    op.create_table(
        "discount_grants",
        *_text("tenant_id", "discount_id", "account_id", "label"),
        sa.Column("terms", _DOCUMENT, nullable=False),
        _instant("start_time"),
        _instant("end_time", nullable=True),
        _instant("create_time"),
        sa.PrimaryKeyConstraint("tenant_id", "discount_id", name="pk_discount_grants"),
    )
    op.create_index("ix_discount_grants_account", "discount_grants", ["tenant_id", "account_id", "create_time"])
    op.create_table(
        "referrals",
        *_text("tenant_id", "referee_id", "referrer_id", "currency"),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        _instant("create_time"),
        *_text("invoice_id"),
        sa.Column("credited", sa.BigInteger(), nullable=False),
        _instant("earn_time", nullable=True),
        _instant("return_time", nullable=True),
        sa.PrimaryKeyConstraint("tenant_id", "referee_id", name="pk_referrals"),
    )
    op.create_index("ix_referrals_referrer", "referrals", ["tenant_id", "referrer_id", "create_time"])
    op.add_column("coupons", sa.Column("provider", sa.Text()))
    op.create_table(
        "coupon_returns",
        *_text("tenant_id", "redemption_id"),
        _instant("return_time"),
        sa.PrimaryKeyConstraint("tenant_id", "redemption_id", name="pk_coupon_returns"),
    )
    for statement in statements("coupon_returns", dialect=op.get_context().dialect.name):
        op.execute(statement)


def downgrade() -> None:
    op.drop_column("coupons", "provider")
    for table in ("coupon_returns", "referrals", "discount_grants"):
        op.drop_table(table)
