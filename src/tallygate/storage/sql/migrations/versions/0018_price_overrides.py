"""Accounts' own prices."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from tallygate.storage.sql.billing.append_only import statements

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

_KEYS = ("tenant_id", "account_id", "override_id")
_INSTANT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "price_overrides",
        *(sa.Column(name, sa.Text(), nullable=False) for name in (*_KEYS, "ends", "bundle", "price_key")),
        sa.Column("price", sa.JSON().with_variant(JSONB(), "postgresql"), nullable=False),
        sa.Column("start_time", _INSTANT, nullable=False),
        sa.Column("end_time", _INSTANT, nullable=True),
        sa.Column("create_time", _INSTANT, nullable=False),
        sa.Column("actor_id", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint(*_KEYS, name="pk_price_overrides"),
    )
    for statement in statements("price_overrides", dialect=op.get_context().dialect.name):
        op.execute(statement)


def downgrade() -> None:
    op.drop_table("price_overrides")
