"""Orders."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0038"
down_revision = "0037"
branch_labels = None
depends_on = None

_DOCUMENT = sa.JSON().with_variant(JSONB(), "postgresql")


def upgrade() -> None:
    op.create_table(
        "orders",
        *[sa.Column(name, sa.Text(), nullable=False) for name in ("tenant_id", "order_id", "account_id", "state")],
        sa.Column("create_time", sa.DateTime(timezone=True), nullable=False),
        sa.Column("doc", _DOCUMENT, nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "order_id", name="pk_orders"),
    )
    op.create_index("ix_orders_newest", "orders", ["tenant_id", "create_time", "order_id"])
    op.create_index("ix_orders_account", "orders", ["tenant_id", "account_id", "create_time", "order_id"])


def downgrade() -> None:
    op.drop_table("orders")
