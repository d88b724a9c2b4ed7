"""Coupons, their redemptions, and the documents that those took from."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from tallygate.storage.sql.billing.append_only import statements

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None

_DOCUMENT = sa.JSON().with_variant(JSONB(), "postgresql")


def _text(*names: str) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.Text(), nullable=False) for name in names]


def _instants(*names: str) -> list[sa.Column[object]]:
    return [sa.Column(name, sa.DateTime(timezone=True), nullable=False) for name in names]


def upgrade() -> None:
    op.create_table(
        "coupons",
        *_text("tenant_id", "code", "label"),
        sa.Column("terms", _DOCUMENT, nullable=False),
        *_instants("start_time", "end_time"),
        sa.Column("max_uses", sa.BigInteger()),
        sa.Column("per_account", sa.BigInteger()),
        sa.Column("archived", sa.Boolean(), nullable=False),
        sa.Column("used", sa.BigInteger(), nullable=False),
        *_instants("create_time"),
        sa.PrimaryKeyConstraint("tenant_id", "code", name="pk_coupons"),
    )
    op.create_index("ix_coupons_newest", "coupons", ["tenant_id", "create_time", "code"])
    op.create_table(
        "coupon_redemptions",
        *_text("tenant_id", "redemption_id", "code", "account_id", "subscription_id"),
        *_instants("redeem_time"),
        sa.Column("terms", _DOCUMENT, nullable=False),
        *_text("actor_id"),
        sa.PrimaryKeyConstraint("tenant_id", "redemption_id", name="pk_coupon_redemptions"),
    )
    op.create_index("ix_coupon_redemptions_account", "coupon_redemptions", ["tenant_id", "account_id", "redeem_time"])
    op.create_table(
        "coupon_uses",
        *_text("tenant_id", "redemption_id", "invoice_id"),
        sa.PrimaryKeyConstraint("tenant_id", "redemption_id", "invoice_id", name="pk_coupon_uses"),
    )
    for table in ("coupon_redemptions", "coupon_uses"):
        for statement in statements(table, dialect=op.get_context().dialect.name):
            op.execute(statement)


def downgrade() -> None:
    for table in ("coupon_uses", "coupon_redemptions", "coupons"):
        op.drop_table(table)
