"""What orders sell outright: fees of theirs and for whom, coupons with them, claims, and who may buy for others."""

import sqlalchemy as sa
from alembic import op

revision = "0039"
down_revision = "0038"
branch_labels = None
depends_on = None

_ADDED = {"fees": ("order_id", "subscriber", "price"), "coupon_redemptions": ("order_id",)}


def upgrade() -> None:
    for table, names in _ADDED.items():
        for name in names:
            op.add_column(table, sa.Column(name, sa.Text()))
    op.add_column("billing_profiles", sa.Column("group_buy", sa.Boolean()))
    op.create_table(
        "claims",
        *[sa.Column(name, sa.Text(), nullable=False) for name in ("tenant_id", "code_hash", "order_id")],
        sa.Column("item", sa.Integer(), nullable=False),
        *[sa.Column(name, sa.Text(), nullable=False) for name in ("email", "account_id", "subscription_id")],
        sa.Column("create_time", sa.DateTime(timezone=True), nullable=False),
        sa.Column("redeem_time", sa.DateTime(timezone=True)),
        sa.PrimaryKeyConstraint("tenant_id", "code_hash", name="pk_claims"),
        sa.UniqueConstraint("tenant_id", "order_id", "item", name="uq_claims_item"),
    )


def downgrade() -> None:
    op.drop_table("claims")
    op.drop_column("billing_profiles", "group_buy")
    for table, names in _ADDED.items():
        for name in names:
            op.drop_column(table, name)
