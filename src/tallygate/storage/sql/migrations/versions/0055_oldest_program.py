"""Which programs may run on the schema; and programs of before are given their defaults back, for they still write."""

import sqlalchemy as sa
from alembic import op

revision = "0055"
down_revision = "0054"
branch_labels = None
depends_on = None

_DEFAULTS = (
    ("overrides", "limit_key", ""),
    ("overrides", "rate_limit", "{}"),
    ("billing_accounts", "zone", ""),
    ("subscription_terms", "proration", "prorate"),
    ("subscription_add_ons", "proration", "prorate"),
    ("subscription_add_ons", "end_proration", "prorate"),
)
"""Columns that PostgreSQL had lost the defaults of: a program that does not know one could write no row."""


def upgrade() -> None:
    oldest = op.create_table("oldest_program", sa.Column("revision", sa.Text(), nullable=False, primary_key=True))
    op.bulk_insert(oldest, [{"revision": revision}])
    if op.get_context().dialect.name == "postgresql":  # SQLite has kept them
        for table, name, default in _DEFAULTS:
            op.alter_column(table, name, server_default=default)


def downgrade() -> None:
    op.drop_table("oldest_program")
    if op.get_context().dialect.name == "postgresql":
        for table, name, _ in _DEFAULTS:
            op.alter_column(table, name, server_default=None)
