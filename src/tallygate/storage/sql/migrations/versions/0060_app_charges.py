"""Charges that apps tell: what they may come to in a period, and what became of each period's."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from tallygate.storage.sql.billing.append_only import statements

revision = "0060"
down_revision = "0059"
branch_labels = None
depends_on = None

_DOCUMENT = sa.JSON().with_variant(JSONB(), "postgresql")


def _text(*names: str) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.Text(), nullable=False) for name in names]


def _instants(*names: str) -> list[sa.Column[object]]:
    return [sa.Column(name, sa.DateTime(timezone=True), nullable=False) for name in names]


def _numbers(*names: str) -> list[sa.Column[int]]:
    return [sa.Column(name, sa.Integer(), nullable=False) for name in names]


def upgrade() -> None:
    op.create_table(
        "charge_limits",
        *_text("tenant_id", "subscription_id"),
        sa.Column("number", sa.Integer(), nullable=False, autoincrement=False),
        *_text("account_id", "currency"),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        *_instants("create_time"),
        *_text("actor_id"),
        sa.PrimaryKeyConstraint("tenant_id", "subscription_id", "number", name="pk_charge_limits"),
    )
    for statement in statements("charge_limits", dialect=op.get_context().dialect.name):
        op.execute(statement)
    op.create_table(
        "charge_runs",
        *_text("tenant_id", "subscription_id"),
        *_instants("period_start"),
        *_text("account_id", "product_key"),
        *_instants("period_end"),
        *_text("state"),
        sa.Column("reasons", _DOCUMENT, nullable=False),
        sa.Column("charge_ids", _DOCUMENT, nullable=False),
        *_text("currency"),
        sa.Column("total", sa.BigInteger(), nullable=False),
        *_numbers("told", "attempts"),
        *_instants("next_time", "update_time"),
        sa.PrimaryKeyConstraint("tenant_id", "subscription_id", "period_start", name="pk_charge_runs"),
    )
    op.create_index("ix_charge_runs_account", "charge_runs", ["tenant_id", "account_id", "period_start"])


def downgrade() -> None:
    for table in ("charge_runs", "charge_limits"):
        op.drop_table(table)
