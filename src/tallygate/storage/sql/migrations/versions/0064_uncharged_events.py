"""Refunds return what was charged, and then what was not: the facts of the latter are found at once."""

import sqlalchemy as sa
from alembic import op

revision = "0064"
down_revision = "0063"
branch_labels = None
depends_on = None

_UNCHARGED = sa.text("NOT billable AND NOT trial")


def upgrade() -> None:
    op.create_index(
        "ix_billable_events_uncharged",
        "billable_events",
        ["tenant_id", "account_id", "feature_key", "period_start"],
        postgresql_where=_UNCHARGED,
        sqlite_where=_UNCHARGED,
    )


def downgrade() -> None:
    op.drop_index("ix_billable_events_uncharged", table_name="billable_events")
